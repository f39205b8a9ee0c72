// The highlighted point: its bits, its attrs and its field in the form.

import { $, el, said, write } from "./dom.js";
import { about, pointOf } from "./points.js";
import { page } from "./view.js";

/** The id of the highlighted point. */
let pointed;

/** Highlights the point with this id wherever it is shown; without an id, nothing. */
export function pointAt(id) {
  pointed = id;
  for (const node of document.querySelectorAll(".hot")) node.classList.remove("hot");
  const nodes = id == null ? [] : document.querySelectorAll(`[data-id="${CSS.escape(id)}"]`);
  for (const node of nodes) node.classList.add("hot");
  const seen = page.shown?.picture?.values[id] ?? page.shown?.known?.get(Number(id));
  const text = nodes.length ? [...said`${about(pointOf(page.shown, id))}`, ...(seen ? said` = ${seen.value}` : [])] : [];
  const spoken = el("span", {}, ...text).textContent;
  if ($("pointed").textContent !== spoken) write($("pointed"), ...text);
}

/** Highlights the same point again, after it was drawn anew. */
export const pointAgain = () => pointAt(pointed);

/** Moves the highlight to the next or previous point of a pane, and scrolls to it. */
function pointNext(event) {
  const pane = event.currentTarget;
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step || event.target !== pane) return;
  event.preventDefault();
  const nodes = [...pane.querySelectorAll("[data-id]")].filter((node) => node.checkVisibility());
  const ids = [...new Set(nodes.map((node) => node.dataset.id))];
  if (!ids.length) return;
  const at = ids.indexOf(pointed);
  pointAt(ids.at(at < 0 && step < 0 ? -1 : (at + step) % ids.length));
  for (const table of [$("bits-table"), $("attrs-table")])
    table.querySelector(".hot")?.scrollIntoView({ block: "nearest" });
}

for (const pane of [$("bits-table"), $("attrs-table")]) pane.addEventListener("keydown", pointNext);
for (const pane of [$("bits-table"), $("attrs-table"), $("fields")]) {
  const point = (event) => pointAt(event.target.closest("[data-id]")?.dataset.id);
  for (const name of ["click", "mouseover", "focusin"]) pane.addEventListener(name, point);
  for (const name of ["mouseleave", "focusout"]) pane.addEventListener(name, () => pointAt(null));
}
