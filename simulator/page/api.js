// Calls of the API and of the endpoints under /page/.

import { path } from "./dom.js";
import { counted } from "./quota.js";

/** Advice on how to proceed after an error, by error code. */
const REMEDIES = {
  5012: "This machine's address is not among those that the enterprise may call from.",
  5013: "Wait for the next full hour. The page calls the API only when you open something or send a control.",
  5024: "The logs of a published product are closed. Bits and attrs show the device's current values.",
  5304: "Enable the device, then send the control again.",
  5305: "Wait until the device is online again, then send the control again.",
  5401: "Change the value, then send the control again.",
  5402: "Frames can't be decoded without a definition.",
  5404: "Allow remote control of the product, then send the control again.",
};

/** The error codes after which a retry is useless. */
export const FINAL = [5024, 5402, 5406];

/** The error of a failed call: a message for people, and the API's error code if there is one. */
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
    throw new Refused(`The answer is not JSON (HTTP ${response.status}). Try again.`);
  }
  counted(response.headers, body?.error_code === 5013);
  if (response.ok) return body;
  const { error_code: code, error_message: message, detail_message: detail, error } = body;
  const said = String(detail || message || error || `HTTP ${response.status}`);
  const end = /[.!?]$/.test(said) ? "" : ".";
  // A sentence begins with a capital letter, but the name of a point is case-sensitive.
  const words = /^\S+ = /.test(said) ? said : said.charAt(0).toUpperCase() + said.slice(1);
  const refused = new Refused(`${words}${end} ${REMEDIES[code] ?? ""}`.trim() + (code ? ` (${code})` : ""), code);
  refused.status = response.status;
  throw refused;
}

/** The promise of a token, by product key. */
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

/** Calls an endpoint of a product. If the token is no longer valid, gets a new token and calls once more. */
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
