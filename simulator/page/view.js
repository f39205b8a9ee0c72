// What is shown.

import { $, el } from "./dom.js";
import { notice } from "./notice.js";

/** The products of the world, and the view that is shown of one of them. */
export const page = { products: [], shown: null };

export function show(id) {
  for (const section of ["elsewhere", "list", "device"]) $(section).hidden = section !== id;
}

export function states(device) {
  return [
    el("span", { class: `tag ${device.is_online ? "on" : "off"}` }, device.is_online ? "online" : "offline"),
    device.is_faulty ? el("span", { class: "tag F" }, "fault") : null,
    device.is_alert ? el("span", { class: "tag A" }, "alert") : null,
    device.is_disabled ? el("span", { class: "tag N" }, "disabled") : null,
  ].filter(Boolean);
}

/** A listener that tells people what goes wrong in its work. */
export const noticed = (work) => () => Promise.resolve(work()).catch(notice);
