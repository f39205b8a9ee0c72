// The device page. It is a client of the API; events and credentials come from /page/.

import { Refused, call, tokens } from "./api.js";
import { openDevice } from "./device.js";
import { $, write } from "./dom.js";
import { openList, openNothing } from "./list.js";
import { linked, notice } from "./notice.js";
import { definitions } from "./points.js";
import { noticed, page, show } from "./view.js";

let beginning;

async function begin() {
  clearTimeout(beginning);
  try {
    page.products = await call("/page/products");
  } catch (refused) {
    if (refused.status === 403) {
      linked("", "not connected");
      write($("elsewhere-why"), refused.message);
      show("elsewhere");
    } else {
      linked("lost", "not connected, trying again…");
      notice(refused);
      beginning = setTimeout(begin, 3000);
    }
    return;
  }
  await route().catch(notice);
}

/** Decodes a part of the address. A malformed part is returned as it is. */
function part(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function route(focus = false) {
  const [, key, did] = location.hash.split("/").map(part);
  const named = page.products.find((one) => one.product_key === key);
  const keys = named ?? page.products[0];
  page.shown?.live?.close();
  $("notice").replaceChildren();
  if (!keys) {
    linked("", "no product");
    return openNothing();
  }
  const mine = (page.shown = { keys, did: named && did });
  const opened = mine.did ? openDevice(mine, again) : openList(mine, again);
  if (key && !named) notice(new Refused(`There is no product ${key} in this world. Choose one of these.`));
  if (focus) $(mine.did ? "device-title" : "list-title").focus();
  try {
    await opened;
  } catch (error) {
    if (page.shown === mine) notice(error, route);
  }
}

/** Loads everything again: the simulator was restarted with another world. */
async function again() {
  tokens.clear();
  definitions.clear();
  await begin();
}

addEventListener("hashchange", noticed(() => route(true)));

begin();
