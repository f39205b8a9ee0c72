// The form that controls a device. Fields follow the device until they are changed; the changed ones are sent.

import { MANY } from "./attrs.js";
import { Refused, api } from "./api.js";
import { $, el, path, said, write } from "./dom.js";
import { page } from "./view.js";

/** The number of steps up to which a number has a slider. */
const STEPS = 1000;

const writable = (view) => view.points.filter((one) => one.letter === "W");

export function form(view) {
  const fields = writable(view).map(field);
  $("fields").replaceChildren(...(fields.length ? fields : [el("p", {}, "The product has no writable point, or its definition is not loaded.")]));
  $("fields-filter").hidden = fields.length < MANY;
  $("fields-filter").value = "";
  follow(view);
}

function field(one) {
  const id = `point-${one.id}`;
  const input = { id, name: one.name };
  const control = {
    bool: () => [el("input", { ...input, type: "checkbox", role: "switch" }), el("span", { class: "quiet", "aria-hidden": "true" })],
    enum: () => [el("select", input, ...labels(one))],
    binary: () => [el("input", { ...input, class: "hex", autocomplete: "off", spellcheck: "false", maxlength: one.len * 3 })],
  };
  const hint = { bool: "", enum: "", binary: `${one.len} bytes, hex` }[one.kind] ?? `${one.min} to ${one.max}${one.step === 1 ? "" : `, step ${one.step}`}`;
  return el(
    "div",
    { class: "field", "data-id": one.id, input: (event) => touched(event.currentTarget, event.target) },
    el("label", { for: id }, el("span", {}, ...said`${one.name}`), one.title ? el("small", {}, one.title) : null, hint ? el("small", { class: "hint" }, hint) : null),
    el("div", {}, ...(control[one.kind] ?? (() => number(one, input)))()),
  );
}

function labels(one) {
  const once = (label) => one.labels.indexOf(label) === one.labels.lastIndexOf(label);
  const options = one.labels.map((label, n) => el("option", { value: JSON.stringify(once(label) ? label : n) }, label));
  return [el("option", { value: "", hidden: true }, "not seen yet"), ...options];
}

function number(one, input) {
  const limits = { min: one.min, max: one.max, step: one.step };
  const text = el("input", { ...input, ...limits, type: "number", inputmode: "decimal" });
  if ((one.max - one.min) / one.step > STEPS) return [text];
  return [el("input", { ...limits, type: "range", "aria-label": `${one.name}, slider` }), text];
}

/** Marks a field as changed. A slider and its number follow each other. An emptied field is not changed. */
function touched(node, input) {
  const other = [...node.querySelectorAll("input")].find((one) => one !== input);
  if (other && !input.validity.badInput) other.value = input.value;
  const empty = input.type !== "checkbox" && input.value === "" && !input.validity.badInput;
  node.classList.toggle("set", !empty);
  named(node);
}

function named(node) {
  const toggle = node.querySelector("[role=switch]");
  if (toggle) toggle.nextSibling.textContent = toggle.checked ? "on" : "off";
}

/** Shows the last reported values in the fields that are not changed. */
export function follow(view) {
  for (const one of writable(view)) {
    const input = $(`point-${one.id}`);
    const node = input?.closest(".field");
    if (!node || node.classList.contains("set") || (input === document.activeElement && one.kind !== "bool" && one.kind !== "enum")) continue;
    const seen = view.known.get(one.id);
    if (!seen) {
      // Without a report, nothing is known of the device.
      if (one.kind === "enum") input.value = "";
      continue;
    }
    if (one.kind === "bool") input.checked = seen.raw === "1";
    else if (one.kind === "enum") input.selectedIndex = Number(seen.raw) < one.labels.length ? Number(seen.raw) + 1 : 0;
    else for (const each of node.querySelectorAll("input")) each.value = seen.value;
    named(node);
  }
}

/** The points that were changed: name and value as JSON. */
function filled(view) {
  const set = [];
  for (const one of writable(view)) {
    const input = $(`point-${one.id}`);
    if (!input?.closest(".field").classList.contains("set")) continue;
    if (input.validity.badInput) throw new Refused(`\`${one.name}\` is not a number: expected ${one.min} to ${one.max}.`);
    const json = {
      bool: () => String(input.checked),
      enum: () => input.value,
      binary: () => JSON.stringify(input.value.replaceAll(/\s/g, "")),
    };
    set.push([one.name, json[one.kind]?.() ?? String(Number(input.value))]);
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
    const set = filled(view);
    if (!set.length) throw new Refused("Nothing is changed: change at least one point.");
    const attrs = set.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",");
    await api(view.keys, `devices/${path(view.did)}/control`, { method: "POST", body: `{"attrs":{${attrs}}}` });
    if (page.shown !== view) return;
    // The fields keep what was sent until the device reports.
    for (const node of $("fields").querySelectorAll(".set")) node.classList.remove("set");
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

const whole = $("control").querySelector("form");
whole.addEventListener("submit", send);
whole.addEventListener("reset", () => {
  $("sent").textContent = "";
  for (const node of $("fields").querySelectorAll(".set")) node.classList.remove("set");
  // The form takes back its first values after this event, so the last reported values are written after it.
  setTimeout(() => page.shown?.known && follow(page.shown));
});
$("fields-filter").addEventListener("input", (event) => {
  const text = event.target.value.trim().toLowerCase();
  for (const one of writable(page.shown)) $(`point-${one.id}`).closest(".field").hidden = !one.text.includes(text);
});
