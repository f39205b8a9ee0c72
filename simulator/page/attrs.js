// The last value of each point.

import { $, el, said } from "./dom.js";
import { folded } from "./hex.js";
import { pointAgain } from "./pointer.js";
import { pointOf } from "./points.js";
import { page } from "./view.js";

/** The number of points from which a filter is shown. */
export const MANY = 12;
/** The number of characters of a value that are shown before it is folded. */
const LONG = 40;

/** Draws the values, and marks those that differ from the values in `before`. Rows that stay the same are kept. */
export function attrs(view, before) {
  const points = view.points.length ? view.points : [...view.known.keys()].map((id) => pointOf(view, id));
  const body = $("attrs").querySelector("tbody");
  const old = new Map([...body.rows].map((row) => [row.dataset.state, row]));
  const rows = points.map((one) => {
    const seen = view.known.get(one.id);
    const was = before.get(one.id);
    const changed = was && seen && was.raw !== seen.raw;
    const state = JSON.stringify([one.id, one.name, seen, changed && was.value]);
    const row = old.get(state) ?? el("tr", { "data-id": one.id, "data-state": state }, ...cells(one, seen, changed && was));
    row.hidden = !(one.text ?? one.name).includes(wanted());
    return row;
  });
  body.replaceChildren(...rows);
  $("attrs-filter").hidden = points.length < MANY;
  pointAgain();
}

function cells(one, seen, was) {
  const value = seen?.value ?? "not seen yet";
  const text = one.kind === "binary" ? folded(value) : value;
  const shown = was ? el("mark", {}, text) : el("bdi", {}, text);
  const cut = el("bdi", {}, `${text.slice(0, LONG)}… (${one.len} bytes)`);
  const raw = seen && seen.raw !== seen.value ? folded(seen.raw) : "";
  return [
    el("td", {}, el("b", { class: `key ${one.letter}`, title: one.access }, one.letter), ...said`${one.name}`, one.title ? el("small", {}, one.title) : null),
    el(
      "td",
      {},
      text.length > LONG && one.kind === "binary" ? el("details", {}, el("summary", {}, was ? el("mark", {}, cut) : cut), el("code", {}, value)) : shown,
      was ? el("span", { class: "was" }, ...said`was ${one.kind === "binary" ? folded(was.value).slice(0, LONG) : was.value}`) : null,
      seen?.flagged ? el("span", { class: "flagged" }, `! ${seen.flagged}`) : null,
    ),
    el("td", {}, raw),
  ];
}

const wanted = () => $("attrs-filter").value.trim().toLowerCase();

$("attrs-filter").addEventListener("input", () => {
  const names = new Map(page.shown.points.map((one) => [String(one.id), one.text]));
  for (const row of $("attrs").querySelector("tbody").rows) row.hidden = !(names.get(row.dataset.id) ?? "").includes(wanted());
});
