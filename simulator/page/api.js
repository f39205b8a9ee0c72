// Calls of the API, and of what only the simulator knows.

import { path } from "./dom.js";

/** What to do about a refusal, by its code. */
const REMEDIES = {
  5012: "This machine's address is not among those that the enterprise may call from.",
  5013: "Wait for the next full hour. The page calls the API only when you open something or send.",
  5024: "The logs of a published product are closed: bits and attrs are what the device says now.",
  5304: "Enable the device, then send it again.",
  5305: "Wait until the device is online again, then send it once more.",
  5401: "Change the value, then send it again.",
  5402: "Without a definition there is nothing to decode by.",
  5404: "Allow remote control of the product, then send it again.",
};

/** Refusals that no waiting helps against. */
export const FINAL = [5024, 5402, 5406];

/** A call that came to nothing: in words, and with the API's code if it has one. */
export class Refused extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

export async function call(target, options) {
  let response;
  try {
    response = await fetch(target, { ...options, cache: "no-store", credentials: "omit" });
  } catch {
    throw new Refused("The simulator does not answer. Is gizwits simulate still running?");
  }
  const text = await response.text().catch(() => "");
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Refused(`The answer to the call is no JSON (HTTP ${response.status}). Try it again.`);
  }
  if (response.ok) return body;
  const { error_code: code, error_message: message, detail_message: detail, error } = body;
  const said = String(detail || message || error || `HTTP ${response.status}`);
  const end = /[.!?]$/.test(said) ? "" : ".";
  // The name of a point stays as it is.
  const words = /^\S+ = /.test(said) ? said : said.charAt(0).toUpperCase() + said.slice(1);
  const refused = new Refused(`${words}${end} ${REMEDIES[code] ?? ""}`.trim() + (code ? ` (${code})` : ""), code);
  refused.status = response.status;
  throw refused;
}

/** Of each product, the promise of a token. */
export const tokens = new Map();

function token(keys) {
  const key = keys.product_key;
  if (!tokens.has(key)) {
    const { enterprise_id, enterprise_secret, product_secret } = keys;
    const asked = call(`/v1/products/${path(key)}/access_token`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ enterprise_id, enterprise_secret, product_secret }),
    }).then((answer) => answer.token);
    tokens.set(key, asked);
    asked.catch(() => tokens.delete(key));
  }
  return tokens.get(key);
}

/** Calls an endpoint of a product. A token that is no longer valid is fetched anew, once. */
export async function api(keys, rest, { method = "GET", query = {}, body } = {}) {
  const target = `/v1/products/${path(keys.product_key)}/${rest}?${new URLSearchParams(query)}`;
  for (let attempt = 1; ; attempt++) {
    const asked = token(keys);
    const headers = { authorization: `token ${await asked}` };
    if (body != null) headers["content-type"] = "application/json";
    try {
      return await call(target, { method, headers, body });
    } catch (refused) {
      if (attempt > 1 || ![5009, 5010, 5011].includes(refused.code)) throw refused;
      if (tokens.get(keys.product_key) === asked) tokens.delete(keys.product_key);
    }
  }
}

export const decode = (keys, frames) =>
  call(`/page/decode/${path(keys.product_key)}`, { method: "POST", body: JSON.stringify(frames) });
