// One device.

import { FINAL, api } from "./api.js";
import { attrs } from "./attrs.js";
import { bits } from "./bits.js";
import { chart, chartChoices, charted, draw } from "./chart.js";
import { crosshair } from "./crosshair.js";
import { follow, form } from "./control.js";
import { $, path, visible, write } from "./dom.js";
import { Live } from "./live.js";
import { begun, compared, logAnew, logged } from "./log.js";
import { notice } from "./notice.js";
import { pointsOf } from "./points.js";
import { checkedBy } from "./quota.js";
import { time } from "./time.js";
import { noticed, page, show, states } from "./view.js";

export async function openDevice(view, again) {
  const { keys, did } = view;
  document.title = visible(`${did} · gizwits simulator`);
  show("device");
  $("back").href = `#/${path(keys.product_key)}`;
  $("debugger").href = `/debugger/?product=${path(keys.product_key)}`;
  $("debug").href = `/debugger/?product=${path(keys.product_key)}&did=${path(did)}`;
  $("panes").hidden = true;
  $("bits-table").style.minHeight = "";
  $("attrs-filter").value = "";
  write($("back"), `All devices of ${keys.product_name || keys.product_key}`);
  write($("device-title"), did);
  for (const id of ["state", "bits-table", "pointed", "log", "chart-box", "sent", "bits-about", "about", "chart-text"])
    $(id).replaceChildren();
  crosshair(null);
  $("attrs").querySelector("tbody").replaceChildren();
  $("log-new").hidden = $("bits-last").hidden = $("log-older").hidden = true;
  $("log-rest").textContent = "";
  checkedBy(noticed(() => api(keys, "datapoint")));

  Object.assign(view, { known: new Map(), log: [], waiting: [], points: [], byId: new Map() });
  form(view);
  chartChoices(view);
  // The definition comes first: until it is there, points have numbers instead of names.
  view.todo = [define];
  await load(view);
  if (page.shown !== view) return;
  view.todo.push(begun, chart);
  let greeted = false;
  view.live = new Live(`/page/events/${path(keys.product_key)}/${path(did)}`, {
    clock: () => redraw(view),
    hello: (hello) => {
      if (hello.device) summary(hello.device);
      if (greeted && !hello.resumed) return again();
      if (greeted) return;
      greeted = true;
      for (const [id, seen] of Object.entries(hello.known)) view.known.set(Number(id), seen);
      view.remarks = hello.remarks;
      attrs(view, view.known);
      follow(view);
      $("panes").hidden = false;
      if (hello.last?.picture) bits(view, hello.last, view.known);
      load(view);
    },
    device: summary,
    frame: (record) => {
      arrived(view, record);
      load(view);
    },
    online: (record) => arrived(view, record),
    remark: (record) => arrived(view, record),
  });
}

/** Does the steps in `view.todo`. A step that fails is repeated with the next frame, or by "Try again". */
async function load(view) {
  view.wanted = view.todo.length > 0;
  if (view.loading) return;
  view.loading = true;
  while (view.wanted && page.shown === view) {
    view.wanted = false;
    await attempt(view);
  }
  view.loading = false;
}

async function attempt(view) {
  let why;
  for (const step of [...view.todo]) {
    try {
      await step(view);
    } catch (error) {
      why ??= error;
      if (!FINAL.includes(error.code)) continue;
    }
    if (page.shown !== view) return;
    view.todo = view.todo.filter((other) => other !== step);
  }
  if (page.shown !== view || why?.message === view.why?.message) return;
  if (!why && FINAL.includes(view.why.code)) return;
  view.why = why;
  const anew = () => {
    view.why = undefined;
    load(view);
  };
  if (why) notice(why, view.todo.length ? anew : undefined);
  else $("notice").replaceChildren();
}

/** Fetches the points and draws everything again with their names. */
async function define(view) {
  view.points = await pointsOf(view.keys);
  if (page.shown !== view) return;
  view.byId = new Map(view.points.map((one) => [one.id, one]));
  form(view);
  chartChoices(view);
  attrs(view, view.known);
  follow(view);
  if (view.drawn && !view.pinned) bits(view, ...view.drawn);
  if (view.reports) draw(view);
  logAnew(view);
}

function summary(device) {
  write($("device-title"), device.mac ?? device.did);
  $("state").replaceChildren(...states(device));
  const place = [device.city, device.region, device.country].filter(Boolean).join(", ");
  const report = device.last_report ? `last report ${time(device.last_report)}` : "no report yet";
  write($("about"), [device.did, place, report].filter(Boolean).join(" · "));
}

/** Shows a record that has just arrived. */
function arrived(view, record) {
  record.fresh = record.heard = true;
  const before = new Map(view.known);
  compared([record], view.known);
  logged(view, record);
  if (!record.picture) return;
  const said = Object.entries(record.picture.values);
  if (record.type === "dev2app" && said.length) {
    view.before = before;
    charted(view, said, record.at);
  }
  if (view.pinned) view.pinned.then = [record, before];
  else view.next = [record, before];
  redraw(view);
}

/** Draws changes within 50 ms: frames that arrive together are drawn once. */
function redraw(view) {
  view.timer ??= setTimeout(() => {
    view.timer = null;
    if (page.shown !== view) return;
    if (view.before) attrs(view, view.before);
    if (view.before) follow(view);
    if (view.next && !view.pinned) bits(view, ...view.next);
    view.before = view.next = null;
    draw(view);
  }, 50);
}
