// The device page. It calls the API as any client does; what the API can't give comes from /page/.

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

function svg(tag, attributes, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text != null) node.textContent = text;
  return node;
}

const path = encodeURIComponent;

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const minute = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat([], { day: "numeric", month: "short" });

/** A time of milliseconds since 1970, with its day unless that is today. */
function time(at, format = clock) {
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  return (today ? "" : `${day.format(date)} `) + format.format(date);
}

// --- the API ---------------------------------------------------------------------------------------

/** What to do about a refusal, by its code. */
const REMEDIES = {
  5012: "This machine's address is not among those that the enterprise may call from.",
  5013: "Wait for the next full hour. The page calls the API only when you open something or send.",
  5018: "The product is published, and its logs are closed.",
  5304: "Enable the device, then send it again.",
  5305: "Wait until the device is online again, then send it once more.",
  5401: "Change the value, then send it again.",
  5402: "Without a definition there is nothing to decode by.",
  5404: "Allow remote control of the product, then send it again.",
};

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
  const words = said.charAt(0).toUpperCase() + said.slice(1);
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

function notice(error) {
  const close = el("button", { type: "button", click: () => $("notice").replaceChildren() }, "Dismiss");
  $("notice").replaceChildren(el("span", {}, error.message), close);
  if (!(error instanceof Refused)) console.error(error);
}

function linked(state, text) {
  if ($("link").textContent === text) return;
  $("link").className = state;
  $("link").textContent = text;
}

/** The events of the simulator, for as long as the page is seen: a browser has few connections to spare. */
class Live {
  constructor(target, on) {
    this.target = target;
    this.on = on;
    this.turn = () => (document.hidden ? this.pause() : this.open());
    document.addEventListener("visibilitychange", this.turn);
    this.turn();
  }

  open() {
    if (this.source) return;
    const after = this.last ? `?after=${this.last}` : "";
    const source = (this.source = new EventSource(this.target + after));
    for (const name of ["hello", "device", "frame", "online"]) {
      source.addEventListener(name, (event) => {
        if (event.lastEventId) this.last = event.lastEventId;
        if (name === "hello") linked("live", "live");
        this.on[name]?.(JSON.parse(event.data));
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

async function begin() {
  try {
    products = await call("/page/products");
  } catch (refused) {
    if (refused.status !== 403) throw refused;
    linked("", "not connected");
    $("elsewhere-why").textContent = refused.message;
    show("elsewhere");
    return;
  }
  await route();
}

async function route(focus = false) {
  const [, key, did] = location.hash.split("/").map(decodeURIComponent);
  const keys = products.find((one) => one.product_key === key) ?? products[0];
  shown?.live?.close();
  $("notice").replaceChildren();
  if (!keys) throw new Refused("No product in this world belongs to an enterprise: the scenario has to say so.");
  const mine = (shown = { keys, did });
  const opened = did ? openDevice(mine) : openList(mine);
  if (focus) $(did ? "device-title" : "list-title").focus();
  try {
    await opened;
  } catch (error) {
    if (shown === mine) notice(error);
  }
}

/** The world is another than before: all of it is asked for again. */
async function again() {
  tokens.clear();
  definitions.clear();
  await begin();
}

// --- the devices of a product ----------------------------------------------------------------------

const PAGE = 100;

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
  /** Fetches devices: the next page, or those that are shown once more. */
  view.load = async (skip = view.devices.size) => {
    const live = (view.live.told = new Set());
    const limit = Math.min(1000, Math.max(PAGE, view.devices.size - skip));
    const query = { limit, skip, show_disabled: 1 };
    const { meta, objects } = await api(keys, "devices/search", { query });
    if (shown !== view) return;
    for (const one of objects) {
      const found = { ...one, online_latest: one.online_latest && one.online_latest * 1000 };
      const known = view.devices.get(one.did);
      // What was told meanwhile is newer.
      put(live.has(one.did) ? { ...found, ...known } : { is_disabled: false, ...known, ...found });
    }
    view.total = meta.total;
    count();
  };
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
    const total = Math.max(view.total ?? 0, view.devices.size);
    $("count").textContent = total === 1 ? "1 device" : `${total} devices`;
    $("more-devices").hidden = view.devices.size >= total;
  };
  let greeted = false;
  view.live = new Live(`/page/events/${path(keys.product_key)}`, {
    hello: ({ resumed }) => {
      // What stands in no log may have changed meanwhile.
      if (greeted) (resumed ? view.load(0) : again()).catch(notice);
      greeted = true;
    },
    device: (device) => {
      view.live.told?.add(device.did);
      put({ ...view.devices.get(device.did), ...device });
      count();
    },
  });
  await view.load();
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
  for (const id of ["state", "bits-table", "fields", "log", "chart-box", "sent", "bits-about", "about", "chart-text"])
    $(id).replaceChildren();
  $("attrs").querySelector("tbody").replaceChildren();
  $("log-new").hidden = $("bits-last").hidden = true;
  $("log-rest").textContent = "";

  view.known = new Map();
  view.log = [];
  view.waiting = [];
  let early = [];
  let greeted = false;
  view.points = await pointsOf(keys).catch((refused) => {
    // A product without a definition has a log all the same.
    if (shown === view) notice(refused);
    return [];
  });
  if (shown !== view) return;
  view.byId = new Map(view.points.map((one) => [one.id, one]));
  form(view);
  chartChoices(view);

  const hear = (record) => (early ? early.push(record) : arrived(view, record));
  await new Promise((done) => {
    view.live = new Live(`/page/events/${path(keys.product_key)}/${path(did)}`, {
      hello: (hello) => {
        if (hello.device) summary(hello.device);
        if (greeted && !hello.resumed) return again().catch(notice);
        if (greeted) return;
        greeted = true;
        for (const [id, seen] of Object.entries(hello.known)) view.known.set(Number(id), seen);
        attrs(view, new Map());
        done();
      },
      device: summary,
      frame: hear,
      online: hear,
    });
  });
  if (shown !== view) return;
  try {
    const { objects } = await api(keys, `devices/${path(did)}/cmd`, { query: { limit: LOG } });
    const records = await recordsOf(keys, objects);
    if (shown !== view) return;
    // What came while the log was on its way is in both.
    const both = early.filter((one) => one.picture || one.error);
    for (const one of records) {
      const at = both.findIndex((other) => same(one, other));
      if (at < 0) view.log.push(one);
      else both.splice(at, 1);
    }
    compared(view.log);
  } catch (error) {
    if (shown === view) notice(error);
  }
  if (shown !== view) return;
  $("log").replaceChildren(...view.log.map((one) => entry(view, one)));
  $("log-older").hidden = view.log.length < LOG;
  const last = view.log.find((one) => one.picture);
  if (last) bits(view, last, view.known);
  for (const record of early) arrived(view, record);
  early = null;
  await chart(view).catch(notice);
}

function summary(device) {
  $("device-title").textContent = device.mac ?? device.did;
  $("state").replaceChildren(...states(device));
  const place = [device.city, device.region, device.country].filter(Boolean).join(", ");
  $("about").textContent = [device.did, place].filter(Boolean).join(" · ");
}

const same = (one, other) => one.at === other.at && one.type === other.type && one.payload === other.payload;

/** Records of the command log, decoded. */
async function recordsOf(keys, objects) {
  const decoded = objects.length ? await decode(keys, objects.map((one) => one.payload)) : [];
  return objects.map((one, n) => ({ ...decoded[n], type: one.type, at: Math.round(one.timestamp * 1000) }));
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
  record.fresh = true;
  const before = new Map(view.known);
  compared([record], view.known);
  if ($("log").scrollTop > 8) {
    view.waiting.push(record);
    $("log-new").textContent = view.waiting.length === 1 ? "1 new record" : `${view.waiting.length} new records`;
    $("log-new").hidden = false;
  } else {
    enter(view, [record]);
  }
  if (!record.picture) return;
  const said = Object.entries(record.picture.values);
  if (record.type === "dev2app" && said.length) {
    attrs(view, before);
    for (const [id, seen] of said) charted(view, Number(id), seen, record.at);
  }
  if (!view.pinned) bits(view, record, before);
  else view.pinned.then = [record, before];
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
    return `${view.byId.get(Number(id))?.name ?? id} ${seen.value}${odd}`;
  });
  const rest = all.length - told.length;
  if (rest) values.push(values.length ? `and ${rest} as before` : `all ${rest} as before`);
  node.append(
    el("span", { class: error ? "values odd" : "values" }, error ?? values.join(", ")),
    el("code", {}, record.payload),
  );
  if (picture) {
    const pin = () => {
      view.pinned ??= { then: view.drawn };
      bits(view, record, view.known, node);
      $("bits-last").hidden = false;
      $("bits").scrollIntoView({ block: "nearest" });
    };
    const label = `Bits of the ${picture.action} at ${time(record.at)}`;
    node.append(el("button", { type: "button", "aria-label": label, click: pin }, "Bits"));
  }
  return node;
}

async function older(view) {
  const last = view.log.findLast((one) => one.type === "app2dev" || one.type === "dev2app");
  const end = Math.floor((last?.at ?? Date.now()) / 1000);
  // Two days are the longest span that the API looks through.
  const query = { limit: LOG * 2, start_ts: end - 172800, end_ts: end };
  const { objects } = await api(view.keys, `devices/${path(view.did)}/cmd`, { query });
  const records = await recordsOf(view.keys, objects);
  if (shown !== view) return;
  const there = [...view.log];
  const fresh = records.filter((one) => {
    const at = there.findIndex((other) => same(one, other));
    if (at >= 0) there.splice(at, 1);
    return at < 0;
  });
  const room = fresh.slice(0, Math.max(0, KEPT - view.log.length));
  compared(room);
  view.log.push(...room);
  $("log").append(...room.map((one) => entry(view, one)));
  const full = fresh.length > room.length;
  $("log-older").hidden = full || room.length === 0;
  if (full) $("log-rest").textContent = `The newest ${KEPT} are shown; gizwits device log ${view.did} --since 7d has all.`;
  else if (!room.length) $("log-rest").textContent = "There are none in the two days before.";
}

// --- attrs and bits --------------------------------------------------------------------------------

function attrs(view, before) {
  const rows = view.points.map((one) => {
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
}

/** Draws a frame; what differs from `before` is marked. */
function bits(view, record, before, node) {
  if (!view.pinned) view.drawn = [record, before];
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
  const rows = picture.rows.map((row) => {
    if (row.kind === "bits") return bitRow(view, row, bytes, picture, before, changed);
    const place = row.first === row.last ? row.first : `${row.first}–${row.last}`;
    const taken = bytes.slice(row.first, row.last + 1);
    const hex = taken.slice(0, 10).join(" ") + (taken.length > 10 ? " …" : "");
    const number = el("th", { scope: "row" }, String(place));
    if (row.kind === "other") {
      return el("tr", {}, number, el("td", { colspan: 8, class: "other" }, el("span", { class: "hex" }, hex), ` ${row.what}`));
    }
    const one = view.byId.get(row.id);
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
}

function bitRow(view, row, bytes, picture, before, changed) {
  const digits = parseInt(bytes[row.byte], 16).toString(2).padStart(8, "0");
  let at = 0;
  const cells = row.cells.map(({ id, width }) => {
    const mine = [...digits.slice(at, at + width)];
    const lowest = 8 - at - width;
    at += width;
    const one = id == null ? null : view.byId.get(id);
    const area = row.lowest == null ? null : `bit ${row.lowest + lowest} of its area`;
    // Of a point that is whole in this byte, each bit that differs; else all it has here.
    const differs = (n) => {
      if (!one || !changed(id)) return false;
      if (one.len !== width) return true;
      return ((before.get(id).raw ^ picture.values[id].raw) >>> (width - 1 - n)) & 1;
    };
    const drawn = mine.map((digit, n) => el(differs(n) ? "mark" : "span", { class: "hex" }, digit));
    const seen = picture.values[id];
    let name = one ? (seen ? one.name : `(${one.name})`) : "·";
    if (one?.labels.length && seen) name += `=${seen.value}`;
    const title = one ? [about(one), area].filter(Boolean).join(", ") : null;
    return el(
      "td",
      { colspan: width, class: `bit ${one?.letter ?? "N"}`, "data-id": id, title },
      el("span", { class: "digits" }, ...drawn),
      el("span", { class: "name" }, one ? el("span", { class: "letter" }, one.letter) : null, name),
    );
  });
  return el("tr", {}, el("th", { scope: "row" }, String(row.byte)), ...cells);
}

const about = (one) => [one.name, one.title, one.access].filter(Boolean).join(", ");

/** A point is pointed out wherever it stands. */
function pointOut(event) {
  const id = event.target.closest?.("[data-id]")?.dataset.id;
  for (const node of document.querySelectorAll(".hot")) node.classList.remove("hot");
  if (id == null || event.type === "mouseout") return;
  for (const node of document.querySelectorAll(`[data-id="${CSS.escape(id)}"]`)) node.classList.add("hot");
}

// --- control ---------------------------------------------------------------------------------------

function form(view) {
  const fields = view.points.filter((one) => one.letter === "W").map(field);
  $("fields").replaceChildren(...(fields.length ? fields : [el("p", {}, "No point of this product is writable.")]));
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
    if (input?.validity.badInput) throw new Refused(`${one.name} is no number: ${one.min} to ${one.max} is expected.`);
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
  try {
    const set = filled(view, new FormData(target));
    if (!set.length) throw new Refused("Nothing is set: fill in at least one point.");
    const attrs = set.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",");
    await api(view.keys, `devices/${path(view.did)}/control`, { method: "POST", body: `{"attrs":{${attrs}}}` });
    if (shown !== view) return;
    target.reset();
    told("good", `Sent: ${set.map(([name, json]) => `${name} ${json.replaceAll('"', "")}`).join(", ")}.`);
  } catch (error) {
    if (shown === view) told("bad", error.message);
  }
}

// --- chart -----------------------------------------------------------------------------------------

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
  const now = Math.floor(Date.now() / 1000);
  const span = Number($("chart-span").value);
  const query = { start_ts: now - span, end_ts: now + 1, limit: 1000, sort: "desc" };
  if (span >= 172800) query.end_ts = now;
  const { meta, objects } = await api(view.keys, `devices/${path(view.did)}/data`, { query });
  if (shown !== view) return;
  view.reports = objects.reverse().map(({ ts, attrs }) => ({ at: ts * 1000, attrs }));
  view.left = meta.total - objects.length;
  draw(view);
}

/** A report that came meanwhile. */
function charted(view, id, seen, at) {
  if (!view.reports) return;
  const one = view.byId.get(id);
  if (!one || one.kind === "binary") return;
  const last = view.reports.at(-1);
  const value = one.kind.startsWith("uint") ? Number(seen.value) : Number(seen.raw);
  if (last?.at === at) last.attrs[one.name] = value;
  else view.reports.push({ at, attrs: { [one.name]: value } });
  clearTimeout(view.redraw);
  view.redraw = setTimeout(() => shown === view && draw(view), 0);
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
  const until = Date.now();
  const from = until - span;
  const points = view.reports
    .filter(({ at, attrs }) => at >= from && attrs[one.name] != null)
    .map(({ at, attrs }) => [at, height(one, attrs[one.name])]);
  const steps = !one.kind.startsWith("uint");
  const word = (value) => (one.kind === "bool" ? (value ? "on" : "off") : one.kind === "enum" ? (one.labels[value] ?? value) : String(value));
  const named = $("chart-span").selectedOptions[0].textContent;
  if (!points.length) {
    $("chart-box").replaceChildren();
    $("chart-text").textContent = `${one.name}: nothing was reported within ${named}. A longer span may have more.`;
    return;
  }
  const values = points.map(([, value]) => value);
  const [least, most, last] = [Math.min(...values), Math.max(...values), points.at(-1)];
  const left = view.left > 0 ? `, and ${view.left} before these` : "";
  const text = `${one.name} within ${named}: min ${word(least)}, max ${word(most)}, last ${word(last[1])} at ${time(last[0])}; ${points.length} reports${left}.`;
  $("chart-text").textContent = text;

  const ticks = steps ? [...new Set(one.kind === "bool" ? [0, 1] : values)].sort((a, b) => a - b) : scale(least, most);
  const longest = Math.max(...ticks.map((tick) => word(tick).length + (/[^\x00-\xff]/.test(word(tick)) ? 4 : 0)));
  const [width, tall] = [Math.max(240, $("chart-box").clientWidth), 210];
  const [x0, x1, y0, y1] = [14 + Math.min(longest, 14) * 7, width - 10, tall - 24, 20];
  let [low, high] = [Math.min(ticks[0], least), Math.max(ticks.at(-1), most)];
  if (low === high) [low, high] = [low - 1, high + 1];
  const x = (at) => x0 + ((at - from) / span) * (x1 - x0);
  const y = (value) => y0 - ((value - low) / (high - low)) * (y0 - y1);
  const root = svg("svg", { viewBox: `0 0 ${width} ${tall}`, role: "img", "aria-label": text });
  root.append(svg("text", { x: 2, y: 11 }, one.title ? `${one.name} (${one.title})` : one.name));
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
    if (steps && line) line += `H${x(at).toFixed(1)}`;
    line += `${line ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
  }
  if (steps) line += `H${x1}`;
  root.append(svg("path", { class: "line", d: line }));
  const dots = points.length > 120 ? [last] : points;
  for (const [at, value] of dots) root.append(svg("circle", { class: "dot", cx: x(at), cy: y(value), r: 2 }));
  $("chart-box").replaceChildren(root);
}

/** Round numbers from below the least to above the most. */
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
$("chart-point").addEventListener("change", () => draw(shown));
$("chart-span").addEventListener("change", noticed(() => chart(shown)));
for (const pane of [$("bits"), $("attrs")]) {
  pane.addEventListener("mouseover", pointOut);
  pane.addEventListener("mouseout", pointOut);
}
new ResizeObserver(() => shown?.reports && draw(shown)).observe($("chart-box"));

begin().catch(notice);
