// The form that controls a device.

import { Refused, api } from "./api.js";
import { $, el, path, said, write } from "./dom.js";
import { page } from "./view.js";

export function form(view) {
  const fields = view.points.filter((one) => one.letter === "W").map(field);
  $("fields").replaceChildren(...(fields.length ? fields : [el("p", {}, "The product has no writable point, or its definition is not loaded.")]));
}

function field(one) {
  const title = [...said`${one.name}`, one.title ? el("small", {}, ` ${one.title}`) : null];
  const id = `point-${one.id}`;
  const labelled = (range, input) =>
    el("div", {}, el("label", { class: "field", for: id }, ...title.filter(Boolean), el("small", {}, ` ${range}`)), input);
  if (one.kind === "bool") {
    const choice = (value, text) =>
      el("label", {}, el("input", { type: "radio", name: one.name, value, checked: value === "" }), text);
    return el(
      "fieldset",
      {},
      el("legend", {}, ...title.filter(Boolean)),
      el("div", { class: "choices" }, choice("", "unset"), choice("true", "on"), choice("false", "off")),
    );
  }
  if (one.kind === "enum") {
    const once = (label) => one.labels.indexOf(label) === one.labels.lastIndexOf(label);
    const options = one.labels.map((label, n) => el("option", { value: JSON.stringify(once(label) ? label : n) }, label));
    return labelled("", el("select", { id, name: one.name, class: "wide" }, el("option", { value: "" }, "unset"), ...options));
  }
  if (one.kind === "binary") {
    return labelled(
      `${one.len} bytes, hex`,
      el("input", { id, name: one.name, class: "wide hex", autocomplete: "off", spellcheck: "false", maxlength: one.len * 3, placeholder: "unset" }),
    );
  }
  return labelled(
    `${one.min} to ${one.max}` + (one.step === 1 ? "" : `, step ${one.step}`),
    el("input", { id, name: one.name, class: "wide", type: "number", min: one.min, max: one.max, step: one.step, inputmode: "decimal", placeholder: "unset" }),
  );
}

/** The points that were filled in: name and value as JSON. */
function filled(view, data) {
  const set = [];
  for (const one of view.points.filter((one) => one.letter === "W")) {
    const input = $(`point-${one.id}`);
    if (input?.validity.badInput) throw new Refused(`\`${one.name}\` is not a number: expected ${one.min} to ${one.max}.`);
    const text = String(data.get(one.name) ?? "").trim();
    if (text === "") continue;
    const json = {
      bool: () => text,
      enum: () => text,
      binary: () => JSON.stringify(text.replaceAll(/\s/g, "")),
    };
    set.push([one.name, json[one.kind]?.() ?? String(Number(text))]);
  }
  return set;
}

async function send(event) {
  event.preventDefault();
  const view = page.shown;
  const target = event.target;
  const told = (kind, text) => {
    $("sent").className = kind;
    write($("sent"), text);
  };
  told("", "");
  for (const input of target.elements) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  }
  try {
    const set = filled(view, new FormData(target));
    if (!set.length) throw new Refused("Nothing is set: fill in at least one point.");
    const attrs = set.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",");
    await api(view.keys, `devices/${path(view.did)}/control`, { method: "POST", body: `{"attrs":{${attrs}}}` });
    if (page.shown !== view) return;
    target.reset();
    told("good", `Sent: ${set.map(([name, json]) => `${name} ${json.replaceAll('"', "")}`).join(", ")}.`);
  } catch (error) {
    if (page.shown !== view) return;
    told("bad", error.message);
    // An error about a value begins with the name of its point.
    const input = target.elements.namedItem(error.message.match(/^`?([^\s`]+)/)[1]);
    if (!(input instanceof HTMLElement)) return;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", "sent");
    input.focus();
  }
}

$("control").querySelector("form").addEventListener("submit", send);
$("control").querySelector("form").addEventListener("reset", () => ($("sent").textContent = ""));
