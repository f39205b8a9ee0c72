// Error messages, and the state of the connection.

import { Refused } from "./api.js";
import { $, el } from "./dom.js";

/** Shows an error, with a button that calls `again` if that is given. */
export function notice(error, again) {
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

export function linked(state, text) {
  if ($("link").textContent === text) return;
  $("link").className = state;
  $("link").textContent = text;
}
