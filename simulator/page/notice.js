// What is told to people.

import { Refused } from "./api.js";
import { $, el } from "./dom.js";

/** Says what went wrong; with a button to try it `again`, if that may help. */
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
