// A frame bit by bit, and the values of the points.

import { $, el, said, write } from "./dom.js";
import { about, pointOf } from "./points.js";
import { time } from "./time.js";
import { page } from "./view.js";

export function attrs(view, before) {
  const points = view.points.length ? view.points : [...view.known.keys()].map((id) => pointOf(view, id));
  const rows = points.map((one) => {
    const seen = view.known.get(one.id);
    const was = before.get(one.id);
    const changed = was && seen && was.raw !== seen.raw;
    const value = seen?.value ?? "not seen yet";
    return el(
      "tr",
      { "data-id": one.id },
      el("td", {}, el("b", { class: one.letter, title: one.access }, one.letter), ...said`${one.name}`, one.title ? el("small", {}, one.title) : null),
      el(
        "td",
        {},
        changed ? el("mark", {}, value) : el("bdi", {}, value),
        changed ? el("span", { class: "was" }, ...said`was ${was.value}`) : null,
        seen?.odd ? el("span", { class: "odd" }, `! ${seen.odd}`) : null,
      ),
      el("td", {}, seen && seen.raw !== seen.value ? seen.raw : ""),
    );
  });
  $("attrs").querySelector("tbody").replaceChildren(...rows);
  pointAt(pointed);
}

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
  const head = el("tr", {}, el("th", { scope: "col" }, el("span", { class: "unseen" }, "byte")), ...[7, 6, 5, 4, 3, 2, 1, 0].map((bit) => el("th", { scope: "col" }, String(bit))));
  const rows = picture.rows.flatMap((row) => {
    if (row.kind === "bits") return bitRows(view, row, bytes, picture, before, changed);
    const place = row.first === row.last ? row.first : `${row.first}–${row.last}`;
    const taken = bytes.slice(row.first, row.last + 1);
    const hex = taken.slice(0, 10).join(" ") + (taken.length > 10 ? " …" : "");
    const number = el("th", { scope: "row" }, String(place));
    if (row.kind === "other") {
      return el("tr", {}, number, el("td", { colspan: 8, class: "other" }, el("span", { class: "hex" }, hex), ` ${row.what}`));
    }
    const one = pointOf(view, row.id);
    const seen = picture.values[row.id];
    const text = row.part ? said`${one.name} (byte ${row.part})` : seen ? said`${one.name} = ${seen.value}` : said`(${one.name})`;
    if (!row.part && seen?.odd) text.push(...said` ! ${seen.odd}`);
    const digits = el(changed(row.id) ? "mark" : "span", { class: "hex" }, hex);
    return el(
      "tr",
      {},
      number,
      el("td", { colspan: 8, class: `wide ${one.letter}`, "data-id": row.id, title: about(one) }, el("span", { class: "letter" }, one.letter), digits, el("span", { class: "name" }, ...text)),
    );
  });
  const caption = el("caption", { class: "unseen" }, "Each byte of the frame, bit by bit");
  $("bits-table").replaceChildren(el("table", {}, caption, el("thead", {}, head), el("tbody", {}, ...rows)));
  fit();
  pointAt(pointed);
}

/** The row of a byte of bits, and a row below with the full names of its points, for narrow windows. */
function bitRows(view, row, bytes, picture, before, changed) {
  const digits = parseInt(bytes[row.byte], 16).toString(2).padStart(8, "0");
  const names = [];
  let at = 0;
  const cells = row.cells.map(({ id, width }) => {
    const mine = [...digits.slice(at, at + width)];
    const lowest = 8 - at - width;
    at += width;
    const one = id == null ? null : pointOf(view, id);
    // Marks the bits that differ. A point that reaches into other bytes is marked as a whole: the value does not
    // tell which of its bits are in this byte.
    const differs = (n) => {
      if (!one || !changed(id)) return false;
      if (one.len !== width) return true;
      return ((before.get(id).raw ^ picture.values[id].raw) >>> (width - 1 - n)) & 1;
    };
    const drawn = mine.map((digit, n) => el(differs(n) ? "mark" : "span", { class: "hex" }, digit));
    if (!one) return el("td", { colspan: width, class: "bit N" }, el("span", { class: "digits" }, ...drawn), el("span", { class: "name" }, "·"));
    const seen = picture.values[id];
    const name = () => (!seen ? said`(${one.name})` : one.labels.length ? said`${one.name}=${seen.value}` : said`${one.name}`);
    const letter = () => el("span", { class: "letter" }, one.letter);
    const area = row.lowest == null ? "" : ` (${row.lowest + lowest} of its area)`;
    const place = `${width > 1 ? `bits ${lowest + width - 1}–${lowest}` : `bit ${lowest}`}${area}`;
    const told = seen ? said`${one.name} = ${seen.value}` : name();
    names.push(el("li", { class: one.letter, "data-id": id }, letter(), `${place}: `, ...told));
    return el(
      "td",
      { colspan: width, class: `bit ${one.letter}`, "data-id": id, title: `${about(one)}, ${place}` },
      el("span", { class: "digits" }, ...drawn),
      el("span", { class: "name" }, letter(), el("span", {}, ...name())),
    );
  });
  return [
    el("tr", { class: "byte" }, el("th", { scope: "row" }, String(row.byte)), ...cells),
    el("tr", { class: "names" }, el("td"), el("td", { colspan: 8 }, el("ul", {}, ...names))),
  ];
}

/** Shows the row of full names below each byte with a name that does not fit. */
function fit() {
  const rows = [...$("bits-table").querySelectorAll(".byte")];
  for (const row of rows) row.classList.remove("cut");
  const isCut = (row) => [...row.querySelectorAll(".name")].some((name) => name.scrollWidth > name.clientWidth);
  for (const row of rows.filter(isCut)) row.classList.add("cut");
}

/** The id of the highlighted point. */
let pointed;

function pointAt(id) {
  pointed = id;
  for (const node of document.querySelectorAll(".hot")) node.classList.remove("hot");
  const nodes = id == null ? [] : document.querySelectorAll(`[data-id="${CSS.escape(id)}"]`);
  for (const node of nodes) node.classList.add("hot");
  const seen = page.shown?.picture?.values[id] ?? page.shown?.known?.get(Number(id));
  const text = nodes.length ? [...said`${about(pointOf(page.shown, id))}`, ...(seen ? said` = ${seen.value}` : [])] : [];
  const spoken = el("span", {}, ...text).textContent;
  if ($("pointed").textContent !== spoken) write($("pointed"), ...text);
}

/** Moves the highlight to the next or previous point. */
function pointNext(event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const ids = [...new Set([...$("bits-table").querySelectorAll("td[data-id]")].map((node) => node.dataset.id))];
  const at = ids.indexOf(pointed);
  pointAt(ids.at(at < 0 && step < 0 ? -1 : (at + step) % ids.length));
}

$("bits-last").addEventListener("click", () => {
  const [record, before] = page.shown.pinned.then;
  page.shown.pinned = null;
  $("bits-last").hidden = true;
  bits(page.shown, record, before);
  $("device-title").focus();
});
addEventListener("resize", fit);
$("bits-table").addEventListener("keydown", pointNext);
$("bits-table").addEventListener("blur", () => pointAt(null));
for (const pane of [$("bits-table"), $("attrs")]) {
  const point = (event) => pointAt(event.target.closest("[data-id]")?.dataset.id);
  pane.addEventListener("click", point);
  pane.addEventListener("mouseover", point);
  pane.addEventListener("mouseleave", () => pointAt(null));
}
