// The chart of a point.

import { api } from "./api.js";
import { crosshair } from "./crosshair.js";
import { $, el, path, said, write } from "./dom.js";
import { plot } from "./plot.js";
import { now, time } from "./time.js";
import { noticed, page } from "./view.js";

/** The maximum number of reports in the chart. */
const REPORTS = 1000;

export function chartChoices(view) {
  const drawable = view.points.filter((one) => one.kind !== "binary");
  const first =
    drawable.find((one) => one.kind.startsWith("uint") && one.letter === "R") ??
    drawable.find((one) => one.kind.startsWith("uint")) ??
    drawable[0];
  const option = (one) => el("option", { value: one.id, selected: one === first }, one.name);
  $("chart-point").replaceChildren(...drawable.map(option));
}

/** Fetches the reports of the span. They have all points, so another point needs no call. */
export async function chart(view) {
  const end = Math.floor(now() / 1000);
  const span = Number($("chart-span").value);
  const query = { start_ts: end - span, end_ts: end + 1, limit: REPORTS, sort: "desc" };
  if (span >= 172800) query.end_ts = end;
  const { meta, objects } = await api(view.keys, `devices/${path(view.did)}/data`, { query });
  if (page.shown !== view) return;
  view.reports = objects.reverse().map(({ ts, attrs }) => ({ at: ts * 1000, attrs }));
  view.left = meta.total > objects.length;
  draw(view);
}

/** Adds a report that has just arrived. */
export function charted(view, said, at) {
  if (!view.reports) return;
  const attrs = {};
  for (const [id, seen] of said) {
    const one = view.byId.get(Number(id));
    if (one && one.kind !== "binary") attrs[one.name] = Number(one.kind.startsWith("uint") ? seen.value : seen.raw);
  }
  view.reports.push({ at, attrs });
  if (view.reports.length > REPORTS) view.left = Boolean(view.reports.shift());
}

/** The value as a number: that of a label is its index. */
function height(one, value) {
  if (one.kind === "enum" && typeof value === "string") return one.labels.indexOf(value);
  return Number(value);
}

export function draw(view) {
  const one = view.byId.get(Number($("chart-point").value));
  if (!one || !view.reports) return;
  const span = Number($("chart-span").value) * 1000;
  const until = Math.max(now(), view.reports.at(-1)?.at ?? 0);
  const from = until - span;
  const reports = view.reports.filter(({ at, attrs }) => at >= from && attrs[one.name] != null);
  const points = reports.map(({ at, attrs }) => [at, height(one, attrs[one.name])]);
  const word = (value) => (one.kind === "bool" ? (value ? "on" : "off") : one.kind === "enum" ? (one.labels[value] ?? value) : String(value));
  const named = $("chart-span").selectedOptions[0].textContent;
  if (!points.length) {
    $("chart-box").replaceChildren();
    crosshair(null);
    write($("chart-text"), ...said`${one.name}: no report within ${named}. A longer span may have some.`);
    return;
  }
  const values = points.map(([, value]) => value);
  const [least, most, last] = [Math.min(...values), Math.max(...values), points.at(-1)];
  const left = view.left && view.reports[0].at > from ? ", the newest of more" : "";
  const text = said`${one.name} within ${named}: min ${word(least)}, max ${word(most)}, last ${word(last[1])} at ${time(last[0])}; ${points.length} reports${left}.`;
  write($("chart-text"), ...text);

  const label = one.title ? `${one.name} (${one.title})` : one.name;
  const width = Math.max(240, $("chart-box").clientWidth);
  const levels = one.kind === "bool" ? [0, 1] : one.kind === "enum" ? values : null;
  const drawn = plot({ points, from, until, width, word, levels, label, text: $("chart-text").textContent });
  $("chart-box").replaceChildren(drawn.root);
  crosshair(drawn, reports, (index) => word(points[index][1]));
}

$("chart-point").addEventListener("change", () => draw(page.shown));
$("chart-span").addEventListener("change", noticed(() => chart(page.shown)));
new ResizeObserver(() => page.shown?.reports && draw(page.shown)).observe($("chart-box"));
