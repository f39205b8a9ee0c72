// The devices of a product.

import { call } from "./api.js";
import { $, el, hide, path, said, visible, write } from "./dom.js";
import { Live } from "./live.js";
import { svg } from "./plot.js";
import { time } from "./time.js";
import { noticed, page, show, states } from "./view.js";

export async function openList(view, again) {
  const { keys } = view;
  document.title = visible(`${keys.product_name || keys.product_key} · gizwits simulator`);
  $("debugger").href = `/debugger/?product=${path(keys.product_key)}`;
  show("list");
  tabs(keys);
  $("filter").reset();
  $("filter").hidden = false;
  $("devices").tHead.replaceChildren();
  $("devices").tBodies[0].replaceChildren();
  $("count").textContent = "";
  // What is below the list is shown after the list, so that it does not move.
  $("more-devices").hidden = $("empty").hidden = $("credentials").hidden = true;
  Object.assign(view, { devices: new Map(), columns: [], search: "", state: "" });
  /** Events of devices that arrive while a list is being fetched. They are newer than the list. */
  let meanwhile = new Map();
  view.load = async (anew = false) => {
    meanwhile = new Map();
    const { search, state } = view;
    const query = new URLSearchParams({ search, state });
    if (view.last && !anew) query.set("after", view.last);
    const got = await call(`/page/devices/${path(keys.product_key)}?${query}`);
    // A newer search is under way.
    if (page.shown !== view || search !== view.search || state !== view.state) return got.place;
    if (anew) {
      view.devices.clear();
      $("devices").tBodies[0].replaceChildren();
    }
    Object.assign(view, { all: got.all, total: got.total, more: got.more, columns: got.columns });
    view.last = got.devices.at(-1)?.did ?? (anew ? undefined : view.last);
    head(view);
    for (const one of got.devices) put(view, meanwhile.get(one.did) ?? one);
    counted(view);
    if (got.more) $("more-devices").hidden = false;
    else hide($("more-devices"), view.devices.get(got.devices[0]?.did)?.row.querySelector("a"));
    return got.place;
  };
  const place = await view.load();
  if (page.shown !== view) return;
  credentials(keys);
  view.live = new Live(
    `/page/events/${path(keys.product_key)}`,
    {
      clock: () => [...view.devices.values()].forEach((device) => put(view, device)),
      hello: ({ resumed }) => resumed || again(),
      device: (device) => {
        const listed = view.devices.get(device.did);
        if (view.more && !listed) return meanwhile.set(device.did, device);
        if (selected(view, device)) {
          if (!listed) view.total++;
          put(view, device);
        } else if (listed && !listed.row.contains(document.activeElement)) {
          listed.row.remove();
          view.devices.delete(device.did);
          view.total--;
        }
        counted(view);
      },
    },
    place,
  );
}

/** Whether the search and the filter select a device, as the simulator's list does. */
function selected({ search, state }, device) {
  const lower = (text) => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  const { mac, did, city, region, country } = device;
  const text = [mac, did, city, region, country].filter((one) => one != null).join("\n");
  const is = {
    online: device.is_online,
    offline: !device.is_online,
    trouble: device.is_alert || device.is_faulty,
    disabled: device.is_disabled,
  };
  return lower(text).includes(lower(search)) && (is[state] ?? true);
}

function tabs(keys) {
  const tab = (one) =>
    el(
      "a",
      { href: `#/${path(one.product_key)}`, "aria-current": one === keys ? "page" : null },
      one.product_name || one.product_key,
    );
  $("products").replaceChildren(...page.products.map(tab));
}

function head(view) {
  const named = view.columns.map((one) =>
    el("th", { scope: "col" }, ...said`${one.name}`, one.title && one.title !== one.name ? el("small", {}, one.title) : null),
  );
  const trend = view.columns.find((one) => one.trend);
  $("devices").tHead.replaceChildren(
    el(
      "tr",
      {},
      el("th", { scope: "col" }, "Device"),
      el("th", { scope: "col" }, "State"),
      ...named,
      trend ? el("th", { scope: "col" }, "Trend", el("small", {}, trend.name)) : null,
      el("th", { scope: "col", class: "place" }, "Place"),
      el("th", { scope: "col", class: "report" }, "Last report"),
    ),
  );
}

/** Adds the row of a device, or replaces it. */
function put(view, device) {
  const row = deviceRow(view, device);
  const old = view.devices.get(device.did)?.row;
  if (old?.contains(document.activeElement)) {
    old.replaceChildren(...row.childNodes);
    old.querySelector("a").focus();
    device.row = old;
  } else {
    device.row = row;
    if (old) old.replaceWith(row);
    else $("devices").tBodies[0].append(row);
  }
  view.devices.set(device.did, device);
}

function deviceRow(view, device) {
  const link = `#/${path(view.keys.product_key)}/${path(device.did)}`;
  const place = [device.city, device.country].filter(Boolean).join(", ");
  const word = (one, value) => (value == null ? "–" : one.is_bool ? (Number(value) ? "on" : "off") : String(value));
  const values = view.columns.map((one, n) =>
    el("td", { class: "value", "data-name": one.name }, el("bdi", {}, word(one, device.values[n]))),
  );
  const trend = view.columns.find((one) => one.trend);
  return el(
    "tr",
    {},
    el("td", {}, el("a", { href: link }, device.mac ?? device.did), device.mac ? el("small", {}, device.did) : null),
    el("td", { class: "state" }, ...states(device)),
    ...values,
    trend ? el("td", { class: "graph" }, sparkline(trend.name, device.trend)) : null,
    el("td", { class: "place" }, place || "–"),
    el("td", { class: "report quiet" }, device.last_report ? time(device.last_report) : "–"),
  );
}

/** A small line of the last numbers of a point, or null if there are fewer than two. */
function sparkline(name, numbers) {
  if (!(numbers?.length > 1)) return null;
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const x = (n) => ((n / (numbers.length - 1)) * 100).toFixed(1);
  const y = (number) => (most === least ? 14 : 25 - ((number - least) / (most - least)) * 22).toFixed(1);
  const text = `${name}: ${least} to ${most} in the last ${numbers.length} reports`;
  const root = svg("svg", { class: "trend", viewBox: "0 0 104 28", role: "img", "aria-label": visible(text) });
  root.append(svg("path", { d: numbers.map((number, n) => `${n ? "L" : "M"}${x(n)} ${y(number)}`).join("") }));
  root.append(svg("circle", { cx: 100, cy: y(numbers.at(-1)), r: 2.5 }));
  return root;
}

function counted(view) {
  const filtered = view.search !== "" || view.state !== "";
  const many = (n) => (n === 1 ? "1 device" : `${n} devices`);
  $("count").textContent = filtered ? `${view.total} of ${many(view.all)}` : many(view.total);
  $("filter").hidden = view.all === 0 && !filtered;
  const none = view.devices.size === 0;
  $("devices").hidden = none;
  $("empty").hidden = !none;
  if (!none) return;
  if (filtered) {
    const clear = el("button", { type: "button", click: unfiltered }, "Clear search and filter");
    empty("No device matches", "No MAC, did or place contains the text, or no device has the state.", clear);
  } else {
    empty("No device yet", "A device is listed here when it connects for the first time. A scenario names the devices, in [[device]].");
  }
}

function empty(title, text, ...more) {
  write($("empty"), el("h2", {}, title), el("p", {}, text), ...more);
}

/** Shows a world without products. */
export function openNothing() {
  show("list");
  $("products").replaceChildren();
  $("filter").hidden = $("devices").hidden = $("credentials").hidden = true;
  $("empty").hidden = false;
  empty(
    "This world has no product",
    "A scenario names products in [[product]], each with an enterprise. gizwits simulate --print-scenario prints a scenario to begin with.",
  );
}

function filtered() {
  const view = page.shown;
  if (!view?.load) return;
  const data = new FormData($("filter"));
  const [search, state] = [$("search").value.trim(), String(data.get("state"))];
  if (search === view.search && state === view.state) return;
  Object.assign(view, { search, state });
  return view.load(true);
}

function unfiltered() {
  $("filter").reset();
  $("search").focus();
  return noticed(filtered)();
}

function credentials(keys) {
  $("credentials").hidden = false;
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
        button.textContent = "Selected: press Ctrl+C";
      }
    };
    const button = el("button", { type: "button", class: "small", "aria-label": `Copy: ${title}`, click: copy }, "Copy");
    return [el("dt", {}, title), el("dd", {}, el("code", {}, keys[name]), button)];
  });
  $("credentials").querySelector("dl").replaceChildren(...rows);
}

let typing;
$("search").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(noticed(filtered), 150);
});
$("filter").addEventListener("change", noticed(filtered));
$("filter").addEventListener("submit", (event) => event.preventDefault());
$("more-devices").addEventListener("click", noticed(() => page.shown.load()));
