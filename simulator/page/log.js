// The log of a device.

import { api, decode } from "./api.js";
import { bits } from "./bits.js";
import { $, el, hide, path, said, write } from "./dom.js";
import { folded } from "./hex.js";
import { pointOf } from "./points.js";
import { now, time } from "./time.js";
import { noticed, page } from "./view.js";

/** The number of records that are loaded first, and the maximum number in the log. */
const LOG = 50;
const KEPT = 500;
/** The maximum number of values in a record. Its bits show all. */
const VALUES = 16;

/** Whether two records are the same. The payload of an online record is an object and is not compared. */
const same = (one, other) =>
  one.at === other.at &&
  one.type === other.type &&
  one.message === other.message &&
  (one.payload === other.payload || typeof one.payload === "object");

/** Adds records of the API to the log. `full`: the log has no room for all; `none`: there were none to add. */
async function fetchLog(view, query) {
  const { keys, did } = view;
  const asked = ["cmd", "online"].map((log) => api(keys, `devices/${path(did)}/${log}`, { query }));
  const [frames, comings] = (await Promise.all(asked)).map(({ objects }) => objects);
  const decoded = frames.length ? await decode(keys, frames.map((one) => one.payload)) : [];
  if (page.shown !== view) return {};
  const millis = (one) => Math.round(one.timestamp * 1000);
  const all = [...frames.map((one, n) => ({ ...one, ...decoded[n] })), ...comings].map((one) => ({ ...one, at: millis(one) }));
  all.sort((one, two) => two.at - one.at);
  // One log may end later than the other. Older records wait for the next call, or they would be out of order.
  const ends = [frames, comings].filter((log) => log.length === query.limit).map((log) => millis(log.at(-1)));
  const there = [...view.log, ...view.waiting];
  const fresh = all.filter((one) => {
    const at = there.findIndex((other) => same(one, other));
    if (at >= 0) there.splice(at, 1);
    return at < 0 && one.at >= Math.max(0, ...ends);
  });
  const room = fresh.slice(0, Math.max(0, KEPT - view.log.length));
  compared(room);
  for (const one of room) insert(view, one);
  return { full: fresh.length > room.length, none: room.length === 0 };
}

/** Inserts a record by its time: the log may already have newer records, from events. */
function insert(view, one) {
  const at = view.log.findIndex((other) => other.at < one.at);
  view.log.splice(at < 0 ? view.log.length : at, 0, one);
  $("log").insertBefore(entry(view, one), at < 0 ? null : $("log").children[at]);
}

/** Loads the first records. */
export async function begun(view) {
  await fetchLog(view, { limit: LOG });
  if (page.shown !== view) return;
  // Remarks are not in the API's logs. Those older than the oldest record of the API are left out.
  const end = view.log.at(-1)?.at ?? 0;
  const there = [...view.log, ...view.waiting];
  for (const one of view.remarks ?? [])
    if (one.at >= end && !there.some((other) => same(one, other))) insert(view, one);
  $("log-older").hidden = false;
  const last = view.log.find((one) => one.picture);
  if (last && !view.drawn) bits(view, last, view.known);
}

async function older(view) {
  const end = Math.floor((view.log.at(-1)?.at ?? now()) / 1000);
  // The API refuses a span of more than two days.
  const { full, none } = await fetchLog(view, { limit: LOG * 2, start_ts: end - 172800, end_ts: end });
  if (full || none) hide($("log-older"), $("log"));
  if (full) write($("log-rest"), `The page shows the newest ${KEPT} records. gizwits device log ${view.did} --since 7d prints all.`);
  else if (none) $("log-rest").textContent = "The two days before have no records.";
}

/** Sets `differs` of each record to the ids of the values that changed. `records` has the newest first. */
export function compared(records, said = new Map()) {
  for (const record of records.toReversed()) {
    if (record.type !== "dev2app" || !record.picture) continue;
    const values = Object.entries(record.picture.values);
    record.differs = new Set(values.filter(([id, { raw }]) => said.get(Number(id))?.raw !== raw).map(([id]) => id));
    for (const [id, seen] of values) said.set(Number(id), seen);
  }
}

/** Adds a new record at the top, or holds it back while the log is scrolled down. */
export function logged(view, record) {
  // The record may already have come from the API.
  const there = view.log.find((one) => !one.heard && same(one, record));
  if (there) {
    there.heard = true;
  } else if ($("log").scrollTop > 8) {
    view.waiting.push(record);
    if (view.waiting.length > KEPT) view.waiting.shift();
    const many = view.waiting.length === KEPT ? `${KEPT} or more` : view.waiting.length;
    $("log-new").textContent = many === 1 ? "1 new record" : `${many} new records`;
    $("log-new").hidden = false;
  } else {
    enter(view, [record]);
  }
}

function enter(view, records) {
  for (const record of records) {
    view.log.unshift(record);
    $("log").prepend(entry(view, record));
  }
  while (view.log.length > KEPT) {
    view.log.pop();
    $("log").lastElementChild.remove();
  }
}

/** Adds the records that were held back. */
function caughtUp() {
  if (!page.shown?.waiting?.length) return;
  const { waiting } = page.shown;
  page.shown.waiting = [];
  $("log-new").hidden = true;
  enter(page.shown, waiting);
}

/** Draws the log again, with the current names of the points. */
export const logAnew = (view) => $("log").replaceChildren(...view.log.map((one) => entry(view, one)));

function entry(view, record) {
  const when = el("time", { datetime: new Date(record.at).toISOString() }, time(record.at));
  const kind = { class: `entry ${record.picture?.action ?? ""}${record.fresh ? " fresh" : ""}` };
  const words = (way, what) => [el("span", { class: "way" }, way), el("span", { class: "kind" }, what)];
  if (record.message != null) {
    const what = record.type.replace("_", " ");
    return el("div", kind, when, ...words("device", what), el("span", { class: "values flagged" }, record.message));
  }
  if (record.type !== "app2dev" && record.type !== "dev2app") {
    const why = record.payload?.reason ? `: ${record.payload.reason}` : "";
    return el("div", kind, when, ...words("cloud", record.type.replace("dev_", "")), el("span", { class: "values" }, record.type.replace(/^dev_/, "device ") + why));
  }
  const to = record.local ? "LAN → device" : "→ device";
  const way = record.type === "app2dev" ? to : "← device";
  const { picture, error } = record;
  const node = el("div", kind, when, ...words(way, picture?.action ?? "unknown"));
  const all = Object.entries(picture?.values ?? {});
  const told = all.filter(([id, seen]) => seen.flagged || !record.differs || record.differs.has(id));
  const values = told.slice(0, VALUES).map(([id, seen]) => {
    const { name, kind } = pointOf(view, id);
    const value = kind === "binary" ? folded(seen.value) : seen.value;
    return seen.flagged ? said`${name} ${value} (${seen.flagged})` : said`${name} ${value}`;
  });
  if (told.length > VALUES) values.push([`${told.length - VALUES} more`]);
  const rest = all.length - told.length;
  if (rest) values.push([values.length ? `and ${rest} as before` : `all ${rest} as before`]);
  node.append(
    el("span", { class: error ? "values flagged" : "values" }, ...(error ? [error] : values.flatMap((one, n) => (n ? [", ", ...one] : one)))),
    el("code", {}, record.payload),
  );
  if (picture) {
    const pin = () => {
      view.pinned ??= { then: view.next ?? view.drawn };
      bits(view, record, view.known, node);
      $("bits-last").hidden = false;
      $("bits").scrollIntoView({ block: "nearest" });
    };
    const label = `Bits of the ${picture.action} at ${time(record.at)}`;
    node.append(el("button", { type: "button", class: "small", "aria-label": label, click: pin }, "Bits"));
  }
  return node;
}

$("log").addEventListener("scroll", () => $("log").scrollTop <= 8 && caughtUp());
$("log-new").addEventListener("click", () => {
  $("log").scrollTop = 0;
  caughtUp();
  $("log").focus();
});
$("log-older").addEventListener("click", noticed(() => older(page.shown)));
