// Elements of the document.

export const $ = (id) => document.getElementById(id);

/** An element with attributes, listeners (functions) and children. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

export const path = encodeURIComponent;

/** Hides a button; if it had the focus, that goes to what follows. */
export function hide(button, next) {
  if (button === document.activeElement) next?.focus();
  button.hidden = true;
}
