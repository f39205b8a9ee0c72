// The crosshair of the chart: value and time of the report under the pointer, or of the one that the keyboard moved to.

import { $, el, said, write } from "./dom.js";
import { svg } from "./plot.js";
import { time } from "./time.js";

const box = $("chart-box");
const label = $("chart-at");

/** The chart that is drawn, as `plot` returns it, with the report and the text of each of its points. */
let drawn = null;
/** The report that the crosshair is at. */
let chosen = null;

/**
 * Takes a new chart, or `null` for none. The crosshair stays at its report if the chart has it. `reports` are the reports
 * of the points, `words` formats the value of a point.
 */
export function crosshair(chart, reports, words) {
  drawn = chart && { ...chart, reports, words };
  box.tabIndex = drawn ? 0 : -1;
  moveTo(drawn ? reports.indexOf(chosen) : -1);
}

/** Moves the crosshair to the point with this index, or removes it if there is no such point. */
function moveTo(index) {
  const spot = drawn?.spots[index];
  chosen = spot ? drawn.reports[index] : null;
  drawn?.root.querySelector(".cross")?.remove();
  const text = spot ? said`${drawn.words(index)} at ${time(chosen.at)}` : [];
  // The same text is not written again, because screen readers would say it again.
  if (label.textContent !== el("p", {}, ...text).textContent) write(label, ...text);
  if (!spot) return;
  const { root, x0, x1, y0, y1 } = drawn;
  const [x, y] = spot;
  const cross = svg("g", { class: "cross" });
  cross.append(svg("line", { x1: x, x2: x, y1: y1 - 4, y2: y0 }), svg("line", { x1: x0, x2: x1, y1: y, y2: y }));
  cross.append(svg("circle", { cx: x, cy: y, r: 4.5 }));
  root.append(cross);
  // Beside the point, and never beyond the chart.
  const scale = root.clientWidth / root.viewBox.baseVal.width;
  const { offsetWidth: width, offsetHeight: height } = label;
  const left = x * scale + (x * scale > root.clientWidth / 2 ? -width - 10 : 10);
  const top = y * scale + (y * scale > height + 12 ? -height - 10 : 10);
  label.style.left = `${Math.max(0, Math.min(left, root.clientWidth - width))}px`;
  label.style.top = `${Math.max(0, Math.min(top, box.clientHeight - height))}px`;
}

/** Moves the crosshair to the point that is nearest to the pointer in time. */
function point(event) {
  if (!drawn) return;
  const { left, width } = drawn.root.getBoundingClientRect();
  const x = ((event.clientX - left) / width) * drawn.root.viewBox.baseVal.width;
  let nearest = 0;
  for (const [n, spot] of drawn.spots.entries())
    if (Math.abs(spot[0] - x) <= Math.abs(drawn.spots[nearest][0] - x)) nearest = n;
  if (drawn.reports[nearest] !== chosen) moveTo(nearest);
}

/** Moves the crosshair with the keyboard: by one report, by a tenth of them, or to the first or last one. */
function step(event) {
  if (!drawn || event.ctrlKey || event.altKey || event.metaKey) return;
  const last = drawn.spots.length - 1;
  const tenth = Math.max(1, Math.round(last / 10));
  const now = drawn.reports.indexOf(chosen);
  const back = (by) => (now < 0 ? last : Math.max(0, now - by));
  const on = (by) => (now < 0 ? 0 : Math.min(last, now + by));
  const moves = {
    ArrowLeft: () => back(1), ArrowRight: () => on(1), PageUp: () => back(tenth), PageDown: () => on(tenth),
    Home: () => 0, End: () => last, Escape: () => -1,
  };
  const move = moves[event.key];
  if (!move) return;
  event.preventDefault();
  moveTo(move());
}

for (const name of ["pointermove", "pointerdown"]) box.addEventListener(name, point);
// A finger that is lifted leaves the chart, too, but what it has chosen is still to be read.
box.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && moveTo(-1));
box.addEventListener("keydown", step);
box.addEventListener("blur", () => moveTo(-1));
