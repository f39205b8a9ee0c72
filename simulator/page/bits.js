// A frame bit by bit.

import { $, el, said, write } from "./dom.js";
import { folded } from "./hex.js";
import { pointAgain } from "./pointer.js";
import { about, pointOf } from "./points.js";
import { time } from "./time.js";
import { page } from "./view.js";

/** The maximum number of bytes of bits, and of points, in a group. */
const BITS = 8;
const POINTS = 24;
/** The number of groups up to which all of them are open. */
const OPEN = 5;

/** Draws a frame and marks the values that differ from those in `before`. */
export function bits(view, record, before, node) {
  if (!view.pinned) view.drawn = [record, before];
  view.picture = record.picture;
  for (const old of $("log").querySelectorAll(".shown")) old.classList.remove("shown");
  node?.classList.add("shown");
  const { picture, type, at } = record;
  const way = type === "app2dev" ? "to the device" : "from the device";
  $("bits-title").textContent = view.pinned ? "Frame of the log" : "Last frame";
  write($("bits-about"), [picture.action, way, time(at), picture.points].filter(Boolean).join(" · "));
  const bytes = picture.bytes.match(/../g) ?? [];
  const changed = (id) => {
    const [was, is] = [before.get(id), picture.values[id]];
    return was && is && was.raw !== is.raw;
  };
  const frame = { view, bytes, picture, before, changed };
  const all = groups(picture.rows);
  view.folds ??= new Map();
  const focus = document.activeElement?.closest?.(".fold")?.dataset.group;
  const draw = { other: headers, bits: bitRows, bytes: cells };
  const nodes = all.map((rows, n) => group(frame, rows, draw[rows[0].kind], opens(frame, rows, n, all.length)));
  $("bits-table").replaceChildren(...nodes);
  if (focus) $("bits-table").querySelector(`[data-group="${focus}"]`)?.focus();
  // Frames of other sizes follow. The pane grows and never shrinks, so that nothing below it moves.
  const tall = Math.max(view.tall ?? 0, $("bits-table").offsetHeight);
  if (all.length <= OPEN) $("bits-table").style.minHeight = `${(view.tall = tall)}px`;
  fit();
  pointAgain();
}

/** Joins the rows of one point, and adjacent rows of one kind. */
function groups(rows) {
  const joined = [];
  for (const row of rows) {
    const last = joined.at(-1);
    if (row.kind === "bytes" && last?.kind === "bytes" && last.id === row.id) last.last = row.last;
    else joined.push({ ...row, first: row.first ?? row.byte, last: row.last ?? row.byte });
  }
  const all = [];
  for (const row of joined) {
    const last = all.at(-1);
    const most = { bits: BITS, bytes: POINTS }[row.kind] ?? Infinity;
    if (last?.[0].kind === row.kind && last.length < most) last.push(row);
    else all.push([row]);
  }
  return all;
}

/** Whether a group is open at first: headers are folded, and so are the later groups of a long frame without changes. */
function opens({ changed }, rows, n, many) {
  if (rows[0].kind === "other") return rows.length < 2;
  if (many <= OPEN || n < 3) return true;
  return rows.some((row) => (row.cells ?? [row]).some(({ id }) => id != null && changed(id)));
}

const range = ({ first, last }) => (first === last ? String(first) : `${first}–${last}`);

function group(frame, rows, draw, open) {
  const { view, bytes } = frame;
  const [first, last] = [rows[0].first, rows.at(-1).last];
  const place = range({ first, last });
  const key = `${rows[0].kind} ${first}`;
  const body = el("div", {});
  const fold = el("button", { type: "button", class: "fold", "data-group": key, "aria-label": `Bytes ${place}` }, place);
  const set = (is) => {
    fold.setAttribute("aria-expanded", String(is));
    body.className = is ? "" : "folded";
    const hex = bytes.slice(first, last + 1).join(" ");
    const points = rows[0].kind === "other" ? rows.map((row) => row.what).join(", ") : `${rows.length} rows`;
    if (is) body.replaceChildren(...draw(frame, rows));
    else write(body, el("span", { class: "hex" }, hex.length > 60 ? folded(hex.replaceAll(" ", "")).slice(0, 60) : hex), `  ${points}`);
  };
  fold.addEventListener("click", () => {
    const is = fold.getAttribute("aria-expanded") !== "true";
    view.folds.set(key, is);
    set(is);
    fit();
    pointAgain();
  });
  set(view.folds.get(key) ?? open);
  return el("div", { class: "group" }, fold, body);
}

function headers({ bytes }, rows) {
  const line = (row) =>
    el(
      "li",
      {},
      el("span", { class: "at" }, range(row)),
      el("span", { class: "hex" }, hexOf(bytes, row)),
      el("span", { class: "other" }, row.what),
    );
  return [el("ul", { class: "head" }, ...rows.map(line))];
}

function hexOf(bytes, { first, last }) {
  const taken = bytes.slice(first, last + 1);
  return taken.slice(0, 16).join(taken.length > 2 ? "" : " ") + (taken.length > 16 ? "…" : "");
}

/** The cells of points that have whole bytes. */
function cells({ view, bytes, picture, changed }, rows) {
  const cell = (row) => {
    const one = pointOf(view, row.id);
    const seen = picture.values[row.id];
    const value = one.kind === "binary" && seen ? folded(seen.value) : seen?.value;
    const text = row.part ? said`${one.name} (byte ${row.part})` : seen ? said`${one.name} = ${value}` : said`(${one.name})`;
    if (!row.part && seen?.flagged) text.push(...said` ! ${seen.flagged}`);
    const long = row.last - row.first > 7 || seen?.flagged ? " long" : row.last - row.first > 3 ? " double" : "";
    const name = el("span", { class: "name" }, ...text);
    return el(
      "li",
      { class: `wide ${one.letter}${long}`, "data-id": row.id, title: `${about(one)}, ${name.textContent}` },
      el(
        "span",
        { class: "line" },
        el("span", { class: "letter" }, one.letter),
        el(changed(row.id) ? "mark" : "span", { class: "hex" }, hexOf(bytes, row)),
        el("span", { class: "place" }, range(row)),
      ),
      name,
    );
  };
  return [el("ul", { class: "cells" }, ...rows.map(cell))];
}

/** Each byte of bits, and below it the full names of its points, for narrow windows. */
function bitRows(frame, rows) {
  return rows.flatMap((row) => byteOf(frame, row));
}

function byteOf({ view, bytes, picture, before, changed }, row) {
  const digits = parseInt(bytes[row.byte], 16).toString(2).padStart(8, "0");
  const names = [];
  let at = 0;
  const cells = row.cells.map(({ id, width }) => {
    const mine = [...digits.slice(at, at + width)];
    const lowest = 8 - at - width;
    at += width;
    const style = `grid-column: span ${width}`;
    const one = id == null ? null : pointOf(view, id);
    // Marks the bits that differ. A point that reaches into other bytes is marked as a whole: the value does not
    // tell which of its bits are in this byte.
    const differs = (n) => {
      if (!one || !changed(id)) return false;
      if (one.len !== width) return true;
      return ((before.get(id).raw ^ picture.values[id].raw) >>> (width - 1 - n)) & 1;
    };
    const drawn = mine.map((digit, n) => el(differs(n) ? "mark" : "span", { class: "hex" }, digit));
    const number = el("sup", {}, width > 1 ? `${lowest + width - 1}–${lowest}` : String(lowest));
    const cell = (attributes, ...children) => {
      const node = el("div", attributes, number, el("span", { class: "digits" }, ...drawn), ...children);
      // The policy of the page allows no style attribute.
      node.style.cssText = style;
      return node;
    };
    if (!one) return cell({ class: "bit N" }, el("span", { class: "name" }, "·"));
    const seen = picture.values[id];
    const name = () => (!seen ? said`(${one.name})` : one.labels.length ? said`${one.name}=${seen.value}` : said`${one.name}`);
    const letter = () => el("span", { class: "letter" }, one.letter);
    const area = row.lowest == null ? "" : ` (${row.lowest + lowest} of its area)`;
    const place = `${width > 1 ? `bits ${lowest + width - 1}–${lowest}` : `bit ${lowest}`}${area}`;
    const told = seen ? said`${one.name} = ${seen.value}` : name();
    names.push(el("li", { class: one.letter, "data-id": id }, letter(), `${place}: `, ...told));
    return cell(
      { class: `bit ${one.letter}`, "data-id": id, title: `${about(one)}, byte ${row.byte}, ${place}` },
      el("span", { class: "name" }, letter(), el("span", {}, ...name())),
    );
  });
  return [el("div", { class: "byte" }, ...cells), el("ul", { class: "names" }, ...names)];
}

/** Shows the full names below each byte with a name that does not fit. */
function fit() {
  const rows = [...$("bits-table").querySelectorAll(".byte")];
  for (const row of rows) row.classList.remove("cut");
  const isCut = (row) => [...row.querySelectorAll(".name")].some((name) => name.scrollWidth > name.clientWidth);
  for (const row of rows.filter(isCut)) row.classList.add("cut");
}

$("bits-last").addEventListener("click", () => {
  const [record, before] = page.shown.pinned.then;
  page.shown.pinned = null;
  $("bits-last").hidden = true;
  bits(page.shown, record, before);
  $("device-title").focus();
});
addEventListener("resize", fit);
