// The devices of a product.

import { call } from "./api.js";
import { $, el, hide, path, visible } from "./dom.js";
import { Live } from "./live.js";
import { time } from "./time.js";
import { noticed, page, show, states } from "./view.js";

export async function openList(view, again) {
  const { keys } = view;
  document.title = visible(`${keys.product_name || keys.product_key} · gizwits simulator`);
  show("list");
  const option = (one) =>
    el("option", { value: one.product_key, selected: one === keys }, one.product_name || one.product_key);
  $("product").replaceChildren(...page.products.map(option));
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
  /** Events of devices on the page that is being fetched. They are newer than the answer. */
  let meanwhile = new Map();
  view.load = async () => {
    meanwhile = new Map();
    const after = view.last ? `?after=${path(view.last)}` : "";
    const { place, total, more, devices } = await call(`/page/devices/${path(keys.product_key)}${after}`);
    if (page.shown !== view) return place;
    for (const one of devices) put(meanwhile.get(one.did) ?? one);
    Object.assign(view, { total, more, last: devices.at(-1)?.did ?? view.last });
    count();
    if (more) $("more-devices").hidden = false;
    else hide($("more-devices"), view.devices.get(devices[0]?.did)?.row.querySelector("a"));
    return place;
  };
  const place = await view.load();
  if (page.shown !== view) return;
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
        button.textContent = "Selected: press Ctrl+C";
      }
    };
    const button = el("button", { type: "button", "aria-label": `Copy: ${title}`, click: copy }, "Copy");
    return [el("dt", {}, title), el("dd", {}, el("code", {}, keys[name]), button)];
  });
  $("credentials").querySelector("dl").replaceChildren(...rows);
}

$("product").addEventListener("change", () => (location.hash = `#/${path($("product").value)}`));
$("more-devices").addEventListener("click", noticed(() => page.shown.load()));
