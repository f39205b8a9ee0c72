// The calls that the enterprise has left in this hour.

import { $, el, write } from "./dom.js";
import { now, time } from "./time.js";

/** The last reading: the limit, the calls left, and the end of the hour in milliseconds. Null if there is none. */
let reading = null;
let ends;
/** Makes a call that shows whether there are calls again. */
let check;

/** Reads the headers of an answer of the API. `used` is true if the call was refused because the quota is used up. */
export function counted(headers, used) {
  const of = (name) => (headers.has(`x-ratelimit-${name}`) ? Number(headers.get(`x-ratelimit-${name}`)) : null);
  const left = used ? 0 : of("remaining");
  if (left == null) return;
  // A clock that is wrong by more than an hour tells nothing.
  const hour = (Math.floor(now() / 3_600_000) + 1) * 3_600_000;
  const end = of("reset") * 1000;
  reading = { limit: of("limit"), left, end: Math.abs(end - hour) < 3_600_000 ? end : hour };
  draw();
}

/** Sets the call with which the user checks the quota again. */
export const checkedBy = (work) => {
  check = work;
  draw();
};

function draw() {
  clearTimeout(ends);
  const { limit, left, end } = reading ?? {};
  const used = left === 0;
  $("calls").textContent = reading && limit != null ? `${left} of ${limit} calls left` : "";
  // Buttons that make a call. Everything else goes on without calls.
  for (const node of [$("control").querySelector("[type=submit]"), $("log-older"), $("chart-span")]) node.disabled = used;
  $("quota").hidden = !used;
  if (!used) return write($("quota"));
  const again = el("button", { type: "button", class: "small", click: () => check?.() }, "Check again");
  write($("quota"), el("span", {}, `The quota of the enterprise is used up until ${time(end)}. Nothing can be sent until then.`), again);
  ends = setTimeout(() => {
    if (now() < end) return draw();
    reading = null;
    draw();
  }, Math.min(Math.max(1000, end - now()), 60_000));
}
