// The data points of a product.

import { call } from "./api.js";
import { path } from "./dom.js";

/** The promise of a product's points, sorted by id, by product key. */
export const definitions = new Map();

export function pointsOf(keys) {
  const key = keys.product_key;
  if (!definitions.has(key)) {
    const asked = call(`/page/definition/${path(key)}`).then((definition) => {
      const points = definition.entities.flatMap((entity) => entity.attrs).map(point);
      return points.sort((one, two) => one.id - two.id);
    });
    definitions.set(key, asked);
    asked.catch(() => definitions.delete(key));
  }
  return definitions.get(key);
}

const ACCESS = {
  status_writable: ["W", "writable"],
  status_readonly: ["R", "read-only"],
  alert: ["A", "alert"],
  fault: ["F", "fault"],
};

function point(attr) {
  const [letter, access] = ACCESS[attr.type] ?? ["R", "read-only"];
  const one = {
    id: attr.id,
    name: attr.name,
    title: attr.display_name && attr.display_name !== attr.name ? attr.display_name : "",
    kind: attr.data_type,
    labels: attr.enum ?? [],
    len: attr.position.len,
    text: `${attr.name} ${attr.display_name ?? ""}`.toLowerCase(),
    letter,
    access,
  };
  if (attr.uint_spec) {
    const { min, max, ratio, addition } = attr.uint_spec;
    const digits = Math.max(fraction(ratio), fraction(addition));
    const scaled = (raw) => (raw * ratio + addition).toFixed(digits);
    Object.assign(one, { min: scaled(min), max: scaled(max), step: ratio });
  }
  return one;
}

/** The number of decimals of a number. */
function fraction(number) {
  const [digits, exponent = "0"] = String(number).split("e");
  return Math.max(0, (digits.split(".")[1] ?? "").length - Number(exponent));
}

/** The point with an id. Without a definition it is named by the id. */
export const pointOf = (view, id) =>
  view.byId.get(Number(id)) ?? { id, name: `point ${id}`, title: "", letter: "N", access: "", labels: [] };

export const about = (one) => [one.name, one.title, one.access].filter(Boolean).join(", ");
