// The device page. It calls the API as any client does; what the API can't give comes from /page/.

import { plot } from "./chart.js";

const $ = (id) => document.getElementById(id);

/** An element with attributes, listeners (functions) and children. */
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

const path = encodeURIComponent;

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat([], { day: "numeric", month: "short" });

/** What the simulator's clock said, and when: its time is not the browser's. */
let simulated = { now: Date.now(), runs: true, at: Date.now() };

const now = () => simulated.now + (simulated.runs ? Date.now() - simulated.at : 0);

/** A time of milliseconds since 1970, with its day unless that is today. */
function time(at, format = clock) {
  const date = new Date(at);
  const today = date.toDateString() === new Date(now()).toDateString();
  return (today ? "" : `${day.format(date)} `) + format.format(date);
}

// --- the API ---------------------------------------------------------------------------------------

/** What to do about a refusal, by its code. */
const REMEDIES = {
  5012: "This machine's address is not among those that the enterprise may call from.",
  5013: "Wait for the next full hour. The page calls the API only when you open something or send.",
  5024: "The logs of a published product are closed: bits and attrs are what the device says now.",
  5304: "Enable the device, then send it again.",
  5305: "Wait until the device is online again, then send it once more.",
  5401: "Change the value, then send it again.",
  5402: "Without a definition there is nothing to decode by.",
  5404: "Allow remote control of the product, then send it again.",
};

/** Refusals that no waiting helps against. */
const FINAL = [5024, 5402, 5406];

/** A call that came to nothing: in words, and with the API's code if it has one. */
class Refused extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

async function call(target, options) {
  let response;
  try {
    response = await fetch(target, { ...options, cache: "no-store", credentials: "omit" });
  } catch {
    throw new Refused("The simulator does not answer. Is gizwits simulate still running?");
  }
  const text = await response.text().catch(() => "");
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Refused(`The answer to the call is no JSON (HTTP ${response.status}). Try it again.`);
  }
  if (response.ok) return body;
  const { error_code: code, error_message: message, detail_message: detail, error } = body;
  const said = String(detail || message || error || `HTTP ${response.status}`);
  const end = /[.!?]$/.test(said) ? "" : ".";
  // The name of a point stays as it is.
  const words = /^\S+ = /.test(said) ? said : said.charAt(0).toUpperCase() + said.slice(1);
  const refused = new Refused(`${words}${end} ${REMEDIES[code] ?? ""}`.trim() + (code ? ` (${code})` : ""), code);
  refused.status = response.status;
  throw refused;
}

/** Of each product, the promise of a token. */
const tokens = new Map();

function token(keys) {
  const key = keys.product_key;
  if (!tokens.has(key)) {
    const { enterprise_id, enterprise_secret, product_secret } = keys;
    const asked = call(`/v1/products/${path(key)}/access_token`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ enterprise_id, enterprise_secret, product_secret }),
    }).then((answer) => answer.token);
    tokens.set(key, asked);
    asked.catch(() => tokens.delete(key));
  }
  return tokens.get(key);
}

/** Calls an endpoint of a product. A token that is no longer valid is fetched anew, once. */
async function api(keys, rest, { method = "GET", query = {}, body } = {}) {
  const target = `/v1/products/${path(keys.product_key)}/${rest}?${new URLSearchParams(query)}`;
  for (let attempt = 1; ; attempt++) {
    const asked = token(keys);
    const headers = { authorization: `token ${await asked}` };
    if (body != null) headers["content-type"] = "application/json";
    try {
      return await call(target, { method, headers, body });
    } catch (refused) {
      if (attempt > 1 || ![5009, 5010, 5011].includes(refused.code)) throw refused;
      if (tokens.get(keys.product_key) === asked) tokens.delete(keys.product_key);
    }
  }
}

const decode = (keys, frames) =>
  call(`/page/decode/${path(keys.product_key)}`, { method: "POST", body: JSON.stringify(frames) });

/** Of each product, the promise of its points, by id. */
const definitions = new Map();

function pointsOf(keys) {
  const key = keys.product_key;
  if (!definitions.has(key)) {
    const asked = api(keys, "datapoint").then((definition) => {
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

/** How many digits a number has behind its point. */
function fraction(number) {
  const [digits, exponent = "0"] = String(number).split("e");
  return Math.max(0, (digits.split(".")[1] ?? "").length - Number(exponent));
}

// --- what is told to people ------------------------------------------------------------------------

/** Says what went wrong; with a button to try it `again`, if that may help. */
function notice(error, again) {
  const close = () => {
    $("notice").replaceChildren();
    document.querySelector("main > section:not([hidden]) h1")?.focus();
  };
  const retry = () => {
    close();
    again();
  };
  $("notice").replaceChildren(
    el("span", {}, error.message),
    ...(again ? [el("button", { type: "button", click: retry }, "Try again")] : []),
    el("button", { type: "button", click: close }, "Dismiss"),
  );
  if (!(error instanceof Refused)) console.error(error);
}

/** Hides a button; if it had the focus, that goes to what follows. */
function hide(button, next) {
  if (button === document.activeElement) next?.focus();
  button.hidden = true;
}

function linked(state, text) {
  if ($("link").textContent === text) return;
  $("link").className = state;
  $("link").textContent = text;
}

/** The events of the simulator, for as long as the page is seen: a browser has few connections to spare. */
class Live {
  constructor(target, on, last) {
    Object.assign(this, { target, on, last });
    this.turn = () => (document.hidden ? this.pause() : this.open());
    document.addEventListener("visibilitychange", this.turn);
    this.turn();
  }

  open() {
    if (this.source) return;
    const after = this.last ? `?after=${this.last}` : "";
    const source = (this.source = new EventSource(this.target + after));
    for (const name of ["clock", "hello", "device", "frame", "online", "remark"]) {
      source.addEventListener(name, (event) => {
        if (event.lastEventId) this.last = event.lastEventId;
        const data = JSON.parse(event.data);
        if (name === "hello") linked("live", "live");
        if (name === "clock") simulated = { ...data, at: Date.now() };
        this.on[name]?.(data);
      });
    }
    source.addEventListener("error", () => {
      linked("lost", "connection lost, trying again…");
      if (source.readyState === EventSource.CLOSED && this.source === source) {
        // Refused, not lost: the browser gave up.
        this.pause();
        this.timer = setTimeout(this.turn, 3000);
        this.explain();
      }
    });
  }

  /** Says why there are no events: a stream itself can't. */
  async explain() {
    const ends = new AbortController();
    const answer = await fetch(this.target, { signal: ends.signal, cache: "no-store" }).catch(() => null);
    if (answer && !answer.ok) {
      const { error } = await answer.json().catch(() => ({}));
      linked("lost", "not connected, trying again…");
      notice(new Refused(`No events: ${error ?? `HTTP ${answer.status}`}.`));
    }
    ends.abort();
  }

  pause() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  close() {
    document.removeEventListener("visibilitychange", this.turn);
    this.pause();
  }
}

// --- where one is ----------------------------------------------------------------------------------

/** The products, what is shown of them, and its events. */
let products = [];
let shown = null;

function show(id) {
  for (const section of ["elsewhere", "list", "device"]) $(section).hidden = section !== id;
}

let beginning;

async function begin() {
  clearTimeout(beginning);
  try {
    products = await call("/page/products");
  } catch (refused) {
    if (refused.status === 403) {
      linked("", "not connected");
      $("elsewhere-why").textContent = refused.message;
      show("elsewhere");
    } else {
      linked("lost", "not connected, trying again…");
      notice(refused);
      beginning = setTimeout(begin, 3000);
    }
    return;
  }
  await route().catch(notice);
}

/** What a part of an address means; if it is none, itself. */
function part(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function route(focus = false) {
  const [, key, did] = location.hash.split("/").map(part);
  const named = products.find((one) => one.product_key === key);
  const keys = named ?? products[0];
  shown?.live?.close();
  $("notice").replaceChildren();
  if (!keys) throw new Refused("No product in this world belongs to an enterprise: the scenario has to say so.");
  const mine = (shown = { keys, did: named && did });
  const opened = mine.did ? openDevice(mine) : openList(mine);
  if (key && !named) notice(new Refused(`There is no product ${key} in this world: choose one of these.`));
  if (focus) $(mine.did ? "device-title" : "list-title").focus();
  try {
    await opened;
  } catch (error) {
    if (shown === mine) notice(error, route);
  }
}

/** The world is another than before: all of it is asked for again. */
async function again() {
  tokens.clear();
  definitions.clear();
  await begin();
}

// --- the devices of a product ----------------------------------------------------------------------

async function openList(view) {
  const { keys } = view;
  document.title = `${keys.product_name || keys.product_key} · gizwits simulator`;
  show("list");
  const option = (one) =>
    el("option", { value: one.product_key, selected: one === keys }, one.product_name || one.product_key);
  $("product").replaceChildren(...products.map(option));
  credentials(keys);
  const body = $("devices").tBodies[0];
  body.replaceChildren();
  $("count").textContent = "";
  $("more-devices").hidden = true;
  view.devices = new Map();
  const put = (device) => {
    const row = deviceRow(keys, device);
    const old = view.devices.get(device.did)?.row;
    if (old?.contains(document.activeElement)) {
      old.replaceChildren(...row.childNodes);
      old.querySelector("a").focus();
      device.row = old;
    } else {
      device.row = row;
      if (old) old.replaceWith(row);
      else body.append(row);
    }
    view.devices.set(device.did, device);
  };
  const count = () => {
    const total = view.more ? view.total : view.devices.size;
    $("count").textContent = total === 1 ? "1 device" : `${total} devices`;
  };
  /** Of devices that are not listed yet, what was told while they were asked for: that is newer. */
  let meanwhile = new Map();
  view.load = async () => {
    meanwhile = new Map();
    const after = view.last ? `?after=${path(view.last)}` : "";
    const { place, total, more, devices } = await call(`/page/devices/${path(keys.product_key)}${after}`);
    if (shown !== view) return place;
    for (const one of devices) put(meanwhile.get(one.did) ?? one);
    Object.assign(view, { total, more, last: devices.at(-1)?.did ?? view.last });
    count();
    if (more) $("more-devices").hidden = false;
    else hide($("more-devices"), view.devices.get(devices[0]?.did)?.row.querySelector("a"));
    return place;
  };
  const place = await view.load();
  if (shown !== view) return;
  view.live = new Live(
    `/page/events/${path(keys.product_key)}`,
    {
      clock: () => [...view.devices.values()].forEach(put),
      hello: ({ resumed }) => resumed || again(),
      device: (device) => {
        if (view.more && !view.devices.has(device.did)) return meanwhile.set(device.did, device);
        put(device);
        count();
      },
    },
    place,
  );
}

function states(device) {
  return [
    el("span", { class: `tag ${device.is_online ? "on" : "off"}` }, device.is_online ? "online" : "offline"),
    device.is_faulty ? el("span", { class: "tag F" }, "fault") : null,
    device.is_alert ? el("span", { class: "tag A" }, "alert") : null,
    device.is_disabled ? el("span", { class: "tag N" }, "disabled") : null,
  ].filter(Boolean);
}

function deviceRow(keys, device) {
  const link = `#/${path(keys.product_key)}/${path(device.did)}`;
  const place = [device.city, device.country].filter(Boolean).join(", ");
  const report = device.last_report ? el("small", {}, `reported ${time(device.last_report)}`) : null;
  return el(
    "tr",
    {},
    el("td", {}, el("a", { href: link }, device.mac ?? device.did), el("small", {}, device.did)),
    el("td", {}, ...states(device), report),
    el("td", {}, place || "–"),
    el("td", {}, device.online_latest ? time(device.online_latest) : "–"),
  );
}

function credentials(keys) {
  const names = {
    enterprise_id: "Enterprise ID",
    enterprise_secret: "Enterprise secret",
    product_key: "Product key",
    product_secret: "Product secret",
  };
  const rows = Object.entries(names).flatMap(([name, title]) => {
    const copy = async (event) => {
      const button = event.currentTarget;
      try {
        await navigator.clipboard.writeText(keys[name]);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(button.previousSibling);
        button.textContent = "Selected: copy it";
      }
    };
    const button = el("button", { type: "button", "aria-label": `Copy: ${title}`, click: copy }, "Copy");
    return [el("dt", {}, title), el("dd", {}, el("code", {}, keys[name]), button)];
  });
  $("credentials").querySelector("dl").replaceChildren(...rows);
}

// --- one device ------------------------------------------------------------------------------------

const LOG = 50;
const KEPT = 500;

async function openDevice(view) {
  const { keys, did } = view;
  document.title = `${did} · gizwits simulator`;
  show("device");
  $("back").href = `#/${path(keys.product_key)}`;
  $("back").textContent = `All devices of ${keys.product_name || keys.product_key}`;
  $("device-title").textContent = did;
  for (const id of ["state", "bits-table", "pointed", "log", "chart-box", "sent", "bits-about", "about", "chart-text"])
    $(id).replaceChildren();
  $("attrs").querySelector("tbody").replaceChildren();
  $("log-new").hidden = $("bits-last").hidden = $("log-older").hidden = true;
  $("log-rest").textContent = "";

  Object.assign(view, { known: new Map(), log: [], waiting: [], points: [], byId: new Map() });
  form(view);
  chartChoices(view);
  // Names first: without them all of it is drawn with numbers, until they can be had.
  view.todo = [define];
  await load(view);
  if (shown !== view) return;
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

/** Asks for what is still to be had; what fails is asked for again with the next frame, or by hand. */
async function load(view) {
  view.wanted = view.todo.length > 0;
  if (view.loading) return;
  view.loading = true;
  while (view.wanted && shown === view) {
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
    if (shown !== view) return;
    view.todo = view.todo.filter((other) => other !== step);
  }
  if (shown !== view || why?.message === view.why?.message) return;
  if (!why && FINAL.includes(view.why.code)) return;
  view.why = why;
  const anew = () => {
    view.why = undefined;
    load(view);
  };
  if (why) notice(why, view.todo.length ? anew : undefined);
  else $("notice").replaceChildren();
}

/** Fetches the points, and names by them what is there. */
async function define(view) {
  view.points = await pointsOf(view.keys);
  if (shown !== view) return;
  view.byId = new Map(view.points.map((one) => [one.id, one]));
  form(view);
  chartChoices(view);
  attrs(view, view.known);
  if (view.drawn && !view.pinned) bits(view, ...view.drawn);
  if (view.reports) draw(view);
  $("log").replaceChildren(...view.log.map((one) => entry(view, one)));
}

/** A point by its id; without a definition there are its numbers. */
const pointOf = (view, id) =>
  view.byId.get(Number(id)) ?? { id, name: `point ${id}`, title: "", letter: "N", access: "", labels: [] };

function summary(device) {
  $("device-title").textContent = device.mac ?? device.did;
  $("state").replaceChildren(...states(device));
  const place = [device.city, device.region, device.country].filter(Boolean).join(", ");
  $("about").textContent = [device.did, place].filter(Boolean).join(" · ");
}

/** Whether two records are one; a coming or going needs no payload to be known by. */
const same = (one, other) =>
  one.at === other.at &&
  one.type === other.type &&
  one.message === other.message &&
  (one.payload === other.payload || typeof one.payload === "object");

/** Puts records of the API into the log, as many as there is room for; whether there were more, and any. */
async function fetchLog(view, query) {
  const { keys, did } = view;
  const asked = ["cmd", "online"].map((log) => api(keys, `devices/${path(did)}/${log}`, { query }));
  const [frames, comings] = (await Promise.all(asked)).map(({ objects }) => objects);
  const decoded = frames.length ? await decode(keys, frames.map((one) => one.payload)) : [];
  if (shown !== view) return {};
  const millis = (one) => Math.round(one.timestamp * 1000);
  const all = [...frames.map((one, n) => ({ ...one, ...decoded[n] })), ...comings].map((one) => ({ ...one, at: millis(one) }));
  all.sort((one, two) => two.at - one.at);
  // No further back than both logs go.
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

/** Puts a record into the log by its time: what the device said meanwhile may be older. */
function insert(view, one) {
  const at = view.log.findIndex((other) => other.at < one.at);
  view.log.splice(at < 0 ? view.log.length : at, 0, one);
  $("log").insertBefore(entry(view, one), at < 0 ? null : $("log").children[at]);
}

/** What the log begins with. */
async function begun(view) {
  await fetchLog(view, { limit: LOG });
  if (shown !== view) return;
  // The API's logs have no remarks. None goes further back than they do.
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
  // Two days are the longest span that the API looks through.
  const { full, none } = await fetchLog(view, { limit: LOG * 2, start_ts: end - 172800, end_ts: end });
  if (full || none) hide($("log-older"), $("log"));
  if (full) $("log-rest").textContent = `The newest ${KEPT} are shown; gizwits device log ${view.did} --since 7d has all.`;
  else if (none) $("log-rest").textContent = "There are none in the two days before.";
}

/** Which values of records, the newest first, differ from what was said before. */
function compared(records, said = new Map()) {
  for (const record of records.toReversed()) {
    if (record.type !== "dev2app" || !record.picture) continue;
    const values = Object.entries(record.picture.values);
    record.differs = new Set(values.filter(([id, { raw }]) => said.get(Number(id))?.raw !== raw).map(([id]) => id));
    for (const [id, seen] of values) said.set(Number(id), seen);
  }
}

/** Something happened. */
function arrived(view, record) {
  record.fresh = record.heard = true;
  const before = new Map(view.known);
  compared([record], view.known);
  // The API may have been first to say it.
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

/** Where the log was left, the new records wait. */
function caughtUp() {
  if (!shown?.waiting?.length) return;
  const { waiting } = shown;
  shown.waiting = [];
  $("log-new").hidden = true;
  enter(shown, waiting);
}

function entry(view, record) {
  const when = el("time", { datetime: new Date(record.at).toISOString() }, time(record.at));
  const kind = { class: record.fresh ? "entry fresh" : "entry" };
  if (record.message != null) {
    const what = record.type.replace("_", " ");
    return el("div", kind, when, el("span", {}, "device"), el("span", {}, what), el("span", { class: "values odd" }, record.message));
  }
  if (record.type !== "app2dev" && record.type !== "dev2app") {
    const why = record.payload?.reason ? `: ${record.payload.reason}` : "";
    return el("div", kind, when, el("span", {}, "cloud"), el("span", {}, record.type.replace("dev_", "")), el("span", { class: "values" }, record.type.replace(/^dev_/, "device ") + why));
  }
  const way = record.type === "app2dev" ? "→ device" : "← device";
  const { picture, error } = record;
  const node = el("div", kind, when, el("span", {}, way), el("span", {}, picture?.action ?? "unknown"));
  const all = Object.entries(picture?.values ?? {});
  const told = all.filter(([id, seen]) => seen.odd || !record.differs || record.differs.has(id));
  const values = told.map(([id, seen]) => {
    const odd = seen.odd ? ` (${seen.odd})` : "";
    return `${pointOf(view, id).name} ${seen.value}${odd}`;
  });
  const rest = all.length - told.length;
  if (rest) values.push(values.length ? `and ${rest} as before` : `all ${rest} as before`);
  node.append(
    el("span", { class: error ? "values odd" : "values" }, error ?? values.join(", ")),
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
    node.append(el("button", { type: "button", "aria-label": label, click: pin }, "Bits"));
  }
  return node;
}

// --- attrs and bits --------------------------------------------------------------------------------

function attrs(view, before) {
  const points = view.points.length ? view.points : [...view.known.keys()].map((id) => pointOf(view, id));
  const rows = points.map((one) => {
    const seen = view.known.get(one.id);
    const was = before.get(one.id);
    const changed = was && seen && was.raw !== seen.raw;
    const value = seen?.value ?? "not seen yet";
    return el(
      "tr",
      { "data-id": one.id },
      el("td", {}, el("b", { class: one.letter, title: one.access }, one.letter), one.name, one.title ? el("small", {}, one.title) : null),
      el(
        "td",
        {},
        changed ? el("mark", {}, value) : value,
        changed ? el("span", { class: "was" }, `was ${was.value}`) : null,
        seen?.odd ? el("span", { class: "odd" }, `! ${seen.odd}`) : null,
      ),
      el("td", {}, seen && seen.raw !== seen.value ? seen.raw : ""),
    );
  });
  $("attrs").querySelector("tbody").replaceChildren(...rows);
  pointAt(pointed);
}

/** Draws a frame; what differs from `before` is marked. */
function bits(view, record, before, node) {
  if (!view.pinned) view.drawn = [record, before];
  view.picture = record.picture;
  for (const old of $("log").querySelectorAll(".shown")) old.classList.remove("shown");
  node?.classList.add("shown");
  const { picture, type, at } = record;
  const way = type === "app2dev" ? "to the device" : "from the device";
  $("bits-title").textContent = view.pinned ? "Frame of the log" : "Last frame";
  $("bits-about").textContent = [picture.action, way, time(at), picture.points].filter(Boolean).join(" · ");
  const bytes = picture.bytes.match(/../g) ?? [];
  const changed = (id) => {
    const [was, is] = [before.get(id), picture.values[id]];
    return was && is && was.raw !== is.raw;
  };
  const head = el("tr", {}, el("th", { scope: "col" }, el("span", { class: "unseen" }, "byte")), ...[7, 6, 5, 4, 3, 2, 1, 0].map((bit) => el("th", { scope: "col" }, String(bit))));
  const rows = picture.rows.flatMap((row) => {
    if (row.kind === "bits") return bitRows(view, row, bytes, picture, before, changed);
    const place = row.first === row.last ? row.first : `${row.first}–${row.last}`;
    const taken = bytes.slice(row.first, row.last + 1);
    const hex = taken.slice(0, 10).join(" ") + (taken.length > 10 ? " …" : "");
    const number = el("th", { scope: "row" }, String(place));
    if (row.kind === "other") {
      return el("tr", {}, number, el("td", { colspan: 8, class: "other" }, el("span", { class: "hex" }, hex), ` ${row.what}`));
    }
    const one = pointOf(view, row.id);
    const seen = picture.values[row.id];
    let text = row.part ? `${one.name} (byte ${row.part})` : seen ? `${one.name} = ${seen.value}` : `(${one.name})`;
    if (!row.part && seen?.odd) text += ` ! ${seen.odd}`;
    const digits = el(changed(row.id) ? "mark" : "span", { class: "hex" }, hex);
    return el(
      "tr",
      {},
      number,
      el("td", { colspan: 8, class: `wide ${one.letter}`, "data-id": row.id, title: about(one) }, el("span", { class: "letter" }, one.letter), digits, el("span", { class: "name" }, text)),
    );
  });
  const caption = el("caption", { class: "unseen" }, "Each byte of the frame, bit by bit");
  $("bits-table").replaceChildren(el("table", {}, caption, el("thead", {}, head), el("tbody", {}, ...rows)));
  fit();
  pointAt(pointed);
}

/** A byte of bits, and the names of its points below, for where they don't fit in. */
function bitRows(view, row, bytes, picture, before, changed) {
  const digits = parseInt(bytes[row.byte], 16).toString(2).padStart(8, "0");
  const names = [];
  let at = 0;
  const cells = row.cells.map(({ id, width }) => {
    const mine = [...digits.slice(at, at + width)];
    const lowest = 8 - at - width;
    at += width;
    const one = id == null ? null : pointOf(view, id);
    // Of a point that is whole in this byte, each bit that differs; else all it has here.
    const differs = (n) => {
      if (!one || !changed(id)) return false;
      if (one.len !== width) return true;
      return ((before.get(id).raw ^ picture.values[id].raw) >>> (width - 1 - n)) & 1;
    };
    const drawn = mine.map((digit, n) => el(differs(n) ? "mark" : "span", { class: "hex" }, digit));
    if (!one) return el("td", { colspan: width, class: "bit N" }, el("span", { class: "digits" }, ...drawn), el("span", { class: "name" }, "·"));
    const seen = picture.values[id];
    let name = seen ? one.name : `(${one.name})`;
    if (one.labels.length && seen) name += `=${seen.value}`;
    const letter = () => el("span", { class: "letter" }, one.letter);
    const area = row.lowest == null ? "" : ` (${row.lowest + lowest} of its area)`;
    const place = `${width > 1 ? `bits ${lowest + width - 1}–${lowest}` : `bit ${lowest}`}${area}`;
    const told = seen ? `${one.name} = ${seen.value}` : name;
    names.push(el("li", { class: one.letter, "data-id": id }, letter(), `${place}: ${told}`));
    return el(
      "td",
      { colspan: width, class: `bit ${one.letter}`, "data-id": id, title: `${about(one)}, ${place}` },
      el("span", { class: "digits" }, ...drawn),
      el("span", { class: "name" }, letter(), el("span", {}, name)),
    );
  });
  return [
    el("tr", { class: "byte" }, el("th", { scope: "row" }, String(row.byte)), ...cells),
    el("tr", { class: "names" }, el("td"), el("td", { colspan: 8 }, el("ul", {}, ...names))),
  ];
}

/** Where a name is cut, all of its byte's stand below it. */
function fit() {
  const rows = [...$("bits-table").querySelectorAll(".byte")];
  for (const row of rows) row.classList.remove("cut");
  const isCut = (row) => [...row.querySelectorAll(".name")].some((name) => name.scrollWidth > name.clientWidth);
  for (const row of rows.filter(isCut)) row.classList.add("cut");
}

const about = (one) => [one.name, one.title, one.access].filter(Boolean).join(", ");

/** The id of the point that is pointed out, wherever it stands. */
let pointed;

function pointAt(id) {
  pointed = id;
  for (const node of document.querySelectorAll(".hot")) node.classList.remove("hot");
  const nodes = id == null ? [] : document.querySelectorAll(`[data-id="${CSS.escape(id)}"]`);
  for (const node of nodes) node.classList.add("hot");
  const seen = shown?.picture?.values[id] ?? shown?.known?.get(Number(id));
  const text = nodes.length ? about(pointOf(shown, id)) + (seen ? ` = ${seen.value}` : "") : "";
  if ($("pointed").textContent !== text) $("pointed").textContent = text;
}

/** From point to point by the arrow keys. */
function pointNext(event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const ids = [...new Set([...$("bits-table").querySelectorAll("td[data-id]")].map((node) => node.dataset.id))];
  const at = ids.indexOf(pointed);
  pointAt(ids.at(at < 0 && step < 0 ? -1 : (at + step) % ids.length));
}

// --- control ---------------------------------------------------------------------------------------

function form(view) {
  const fields = view.points.filter((one) => one.letter === "W").map(field);
  $("fields").replaceChildren(...(fields.length ? fields : [el("p", {}, "No writable point is known.")]));
}

function field(one) {
  const title = [one.name, one.title ? el("small", {}, ` ${one.title}`) : null];
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

/** What was filled in, as JSON by name. */
function filled(view, data) {
  const set = [];
  for (const one of view.points.filter((one) => one.letter === "W")) {
    const input = $(`point-${one.id}`);
    if (input?.validity.badInput) throw new Refused(`\`${one.name}\` is no number: ${one.min} to ${one.max} is expected.`);
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
  const view = shown;
  const target = event.target;
  const told = (kind, text) => {
    $("sent").className = kind;
    $("sent").textContent = text;
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
    if (shown !== view) return;
    target.reset();
    told("good", `Sent: ${set.map(([name, json]) => `${name} ${json.replaceAll('"', "")}`).join(", ")}.`);
  } catch (error) {
    if (shown !== view) return;
    told("bad", error.message);
    // A refusal of a value begins with its point.
    const input = target.elements.namedItem(error.message.match(/^`?([^\s`]+)/)[1]);
    if (!(input instanceof HTMLElement)) return;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", "sent");
    input.focus();
  }
}

// --- chart -----------------------------------------------------------------------------------------

/** So many reports are drawn, the newest. */
const REPORTS = 1000;

function chartChoices(view) {
  const drawable = view.points.filter((one) => one.kind !== "binary");
  const first =
    drawable.find((one) => one.kind.startsWith("uint") && one.letter === "R") ??
    drawable.find((one) => one.kind.startsWith("uint")) ??
    drawable[0];
  const option = (one) => el("option", { value: one.id, selected: one === first }, one.name);
  $("chart-point").replaceChildren(...drawable.map(option));
}

/** Fetches what the chart shows, all points of it at once. */
async function chart(view) {
  const end = Math.floor(now() / 1000);
  const span = Number($("chart-span").value);
  const query = { start_ts: end - span, end_ts: end + 1, limit: REPORTS, sort: "desc" };
  if (span >= 172800) query.end_ts = end;
  const { meta, objects } = await api(view.keys, `devices/${path(view.did)}/data`, { query });
  if (shown !== view) return;
  view.reports = objects.reverse().map(({ ts, attrs }) => ({ at: ts * 1000, attrs }));
  view.left = meta.total > objects.length;
  draw(view);
}

/** What a report that came meanwhile says. */
function charted(view, said, at) {
  if (!view.reports) return;
  const attrs = {};
  for (const [id, seen] of said) {
    const one = view.byId.get(Number(id));
    if (one && one.kind !== "binary") attrs[one.name] = Number(one.kind.startsWith("uint") ? seen.value : seen.raw);
  }
  view.reports.push({ at, attrs });
  if (view.reports.length > REPORTS) view.left = Boolean(view.reports.shift());
}

/** Draws what changed soon, once for all that comes until then. */
function redraw(view) {
  view.timer ??= setTimeout(() => {
    view.timer = null;
    if (shown !== view) return;
    if (view.before) attrs(view, view.before);
    if (view.next && !view.pinned) bits(view, ...view.next);
    view.before = view.next = null;
    draw(view);
  }, 50);
}

/** The height of a value: numbers as they are, labels by their index. */
function height(one, value) {
  if (one.kind === "enum" && typeof value === "string") return one.labels.indexOf(value);
  return Number(value);
}

function draw(view) {
  const one = view.byId.get(Number($("chart-point").value));
  if (!one || !view.reports) return;
  const span = Number($("chart-span").value) * 1000;
  const until = Math.max(now(), view.reports.at(-1)?.at ?? 0);
  const from = until - span;
  const points = view.reports
    .filter(({ at, attrs }) => at >= from && attrs[one.name] != null)
    .map(({ at, attrs }) => [at, height(one, attrs[one.name])]);
  const word = (value) => (one.kind === "bool" ? (value ? "on" : "off") : one.kind === "enum" ? (one.labels[value] ?? value) : String(value));
  const named = $("chart-span").selectedOptions[0].textContent;
  if (!points.length) {
    $("chart-box").replaceChildren();
    $("chart-text").textContent = `${one.name}: nothing was reported within ${named}. A longer span may have more.`;
    return;
  }
  const values = points.map(([, value]) => value);
  const [least, most, last] = [Math.min(...values), Math.max(...values), points.at(-1)];
  const left = view.left && view.reports[0].at > from ? ", the newest of more" : "";
  const text = `${one.name} within ${named}: min ${word(least)}, max ${word(most)}, last ${word(last[1])} at ${time(last[0])}; ${points.length} reports${left}.`;
  $("chart-text").textContent = text;

  const label = one.title ? `${one.name} (${one.title})` : one.name;
  const width = Math.max(240, $("chart-box").clientWidth);
  const levels = one.kind === "bool" ? [0, 1] : one.kind === "enum" ? values : null;
  $("chart-box").replaceChildren(plot({ points, from, until, width, word, levels, label, text }));
}

// --- listeners -------------------------------------------------------------------------------------

const noticed = (work) => () => Promise.resolve(work()).catch(notice);

addEventListener("hashchange", noticed(() => route(true)));
$("product").addEventListener("change", () => (location.hash = `#/${path($("product").value)}`));
$("more-devices").addEventListener("click", noticed(() => shown.load()));
$("control").querySelector("form").addEventListener("submit", send);
$("control").querySelector("form").addEventListener("reset", () => ($("sent").textContent = ""));
$("log").addEventListener("scroll", () => $("log").scrollTop <= 8 && caughtUp());
$("log-new").addEventListener("click", () => {
  $("log").scrollTop = 0;
  caughtUp();
  $("log").focus();
});
$("log-older").addEventListener("click", noticed(() => older(shown)));
$("bits-last").addEventListener("click", () => {
  const [record, before] = shown.pinned.then;
  shown.pinned = null;
  $("bits-last").hidden = true;
  bits(shown, record, before);
  $("device-title").focus();
});
addEventListener("resize", fit);
$("bits-table").addEventListener("keydown", pointNext);
$("bits-table").addEventListener("blur", () => pointAt(null));
$("chart-point").addEventListener("change", () => draw(shown));
$("chart-span").addEventListener("change", noticed(() => chart(shown)));
for (const pane of [$("bits-table"), $("attrs")]) {
  const point = (event) => pointAt(event.target.closest("[data-id]")?.dataset.id);
  pane.addEventListener("click", point);
  pane.addEventListener("mouseover", point);
  pane.addEventListener("mouseleave", () => pointAt(null));
}
new ResizeObserver(() => shown?.reports && draw(shown)).observe($("chart-box"));

begin();
