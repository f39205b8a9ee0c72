// A line chart as SVG.

import { visible } from "./dom.js";

const minute = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** An element of an SVG. */
export function svg(tag, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text != null) node.textContent = visible(text);
  return node;
}

/**
 * Draws `points` ([time, value], the oldest first) between two times, `width` wide.
 * With `levels`, the line is drawn in steps and the axis is marked at these values. `word` formats a value.
 * Returns the SVG, the borders of the area of the line, and the place of each point in the SVG.
 */
export function plot({ points, from, until, width, word, levels, label, text }) {
  const values = points.map(([, value]) => value);
  const [least, most, last] = [Math.min(...values), Math.max(...values), points.at(-1)];
  const span = until - from;
  const ticks = levels ? [...new Set(levels)].sort((a, b) => a - b) : scale(least, most);
  const longest = Math.max(...ticks.map((tick) => word(tick).length + (/[^\x00-\xff]/.test(word(tick)) ? 4 : 0)));
  const tall = 210;
  const [x0, x1, y0, y1] = [14 + Math.min(longest, 14) * 7, width - 10, tall - 24, 20];
  let [low, high] = [Math.min(ticks[0], least), Math.max(ticks.at(-1), most)];
  if (low === high) [low, high] = [low - 1, high + 1];
  const x = (at) => x0 + ((at - from) / span) * (x1 - x0);
  const y = (value) => y0 - ((value - low) / (high - low)) * (y0 - y1);
  const root = svg("svg", { viewBox: `0 0 ${width} ${tall}`, role: "img", "aria-label": text });
  root.append(svg("text", { x: 2, y: 11 }, label));
  for (const tick of ticks) {
    root.append(svg("line", { class: "grid", x1: x0, x2: x1, y1: y(tick), y2: y(tick) }));
    root.append(svg("text", { x: x0 - 6, y: y(tick) + 4, "text-anchor": "end" }, word(tick)));
  }
  const every = span / (width < 420 ? 3 : 6);
  for (let at = from; at <= until; at += every) {
    const anchor = at === from ? "start" : at + every > until ? "end" : "middle";
    root.append(svg("line", { class: "axis", x1: x(at), x2: x(at), y1: y0, y2: y0 + 4 }));
    root.append(svg("text", { x: x(at), y: tall - 6, "text-anchor": anchor }, minute.format(at)));
  }
  root.append(svg("line", { class: "axis", x1: x0, x2: x1, y1: y0, y2: y0 }));
  let line = "";
  for (const [at, value] of points) {
    if (levels && line) line += `H${x(at).toFixed(1)}`;
    line += `${line ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
  }
  if (levels) line += `H${x1}`;
  const [begin] = points[0];
  const end = levels ? x1 : x(last[0]);
  root.append(svg("path", { class: "area", d: `${line}L${end.toFixed(1)} ${y0}L${x(begin).toFixed(1)} ${y0}Z` }));
  root.append(svg("path", { class: "line", d: line }));
  const dots = points.length > 120 ? [last] : points;
  for (const [at, value] of dots) root.append(svg("circle", { class: "dot", cx: x(at), cy: y(value), r: 2 }));
  return { root, x0, x1, y0, y1, spots: points.map(([at, value]) => [x(at), y(value)]) };
}

/** Round numbers that cover the range from `least` to `most`. */
function scale(least, most) {
  if (least === most) return [least];
  const range = most - least;
  const rough = range / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const ticks = [];
  for (let n = Math.floor(least / step); n <= Math.ceil(most / step); n++) ticks.push(Number((n * step).toFixed(digits)));
  return ticks;
}
