// The visible section of the page.

import { $, el } from "./dom.js";
import { notice } from "./notice.js";

/** The products of the world, and the open view: the devices of a product, or one device. */
export const page = { products: [], shown: null };

export function show(id) {
  for (const section of ["elsewhere", "list", "device"]) $(section).hidden = section !== id;
}

/** The state of a device, as badges. */
export function states(device) {
  const named = device.troubles?.length ? `: ${device.troubles.join(", ")}` : "";
  return [
    el("span", { class: `tag ${device.is_online ? "on" : "off"}` }, device.is_online ? "online" : "offline"),
    device.is_faulty ? el("span", { class: "tag F", title: `open${named}` }, "fault") : null,
    device.is_alert ? el("span", { class: "tag A", title: `open${named}` }, "alert") : null,
    device.is_disabled ? el("span", { class: "tag N" }, "disabled") : null,
  ].filter(Boolean);
}

/** A listener that shows the error of `work`. */
export const noticed = (work) => () => Promise.resolve(work()).catch(notice);
