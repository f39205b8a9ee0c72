// Elements of the document.

export const $ = (id) => document.getElementById(id);

/** Characters that are not drawn, and characters that change the direction of the text beside them. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu;

/** Replaces hidden characters by their code points, as in `\u{202e}`: names may come from anybody. */
export const visible = (text) =>
  String(text).replace(HIDDEN, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);

/** Replaces the content of an element. */
export function write(node, ...children) {
  node.replaceChildren(...children.map((child) => (typeof child === "string" ? visible(child) : child)));
}

/**
 * The nodes of a template literal. Each value is a `<bdi>`: a name that is written from right to left does not
 * reorder the text around it.
 */
export const said = (strings, ...values) =>
  strings.flatMap((string, n) => [string, n < values.length ? el("bdi", {}, String(values[n])) : null]).filter(Boolean);

/** Attributes that people read. */
const READ = ["aria-label", "title"];

/** An element with attributes, listeners (functions) and children. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, READ.includes(name) ? visible(value) : value);
  }
  write(node, ...children.filter((child) => child != null));
  return node;
}

export const path = encodeURIComponent;

/** Hides a button. The focus, if the button has it, moves to `next`. */
export function hide(button, next) {
  if (button === document.activeElement) next?.focus();
  button.hidden = true;
}
