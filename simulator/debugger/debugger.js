"use strict";

// The Authorization header of the API is "token <token>". Users may paste the token alone.
const TOKEN = "token";
const bearing = (token) => (/^token\s/.test(token) ? token : `token ${token}`);

// Accessibility fixes for Swagger UI: names of controls, levels of headings, keyboard access.
const root = document.getElementById("debugger");
const each = (selector, mend) => root.querySelectorAll(selector).forEach(mend);
const once = (element, name, value) => {
  if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
};

function mend() {
  each(".copy-to-clipboard > button", (button) => once(button, "aria-label", "Copy"));
  each(".close-modal", (button) => once(button, "aria-label", "Close"));
  each(".auth-btn-wrapper button[aria-label]", (button) => button.removeAttribute("aria-label"));
  each(".body-param textarea", (area) => once(area, "aria-label", "Request body"));
  each(".parameters input, .parameters select, .body-param select, .content-type-wrapper select", (field) => {
    const parameter = field.closest("[data-param-name]")?.dataset.paramName;
    once(field, "aria-label", parameter ?? "Content type");
  });
  each(".microlight", (code) => once(code, "tabindex", "0"));
  // The keyboard can't reach a link within a button. The button does the same.
  each(".opblock-summary-control a[href]", (link) => link.removeAttribute("href"));
  // Heading levels must not skip: 1 is the title, 2 a tag or dialog, 3 its content.
  each(".opblock-tag, .modal-ux-header > h3", (heading) => once(heading, "aria-level", "2"));
  each("h4, h5, h6", (heading) => once(heading, "aria-level", "3"));
  each(".responses-inner [id$='_responses'], [role='region'][aria-labelledby]", (region) =>
    once(region, "aria-label", region.id.replaceAll("_", " ")),
  );
}

new MutationObserver(mend).observe(root, { childList: true, subtree: true });

// Swagger UI has dark colours, but does not follow the browser.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

const form = document.getElementById("world");
const [product, button, told] = ["product", "button", "told"].map((name) => form.querySelector(`#${name}, ${name}`));
const query = new URLSearchParams(location.search);
const tell = (text, bad = false) => {
  told.textContent = text;
  told.className = bad ? "bad" : "";
};

/** The products of the world with their credentials. Empty on another machine, which does not get them. */
const world = fetch("/page/products", { cache: "no-store" })
  .then((answer) => (answer.ok ? answer.json() : []))
  .catch(() => []);

/** The chosen product, or the first. */
const chosen = (products) => products.find((one) => one.product_key === (product.value || query.get("product"))) ?? products[0];

/** Gets a token with the credentials of the chosen product, and authorizes all calls. */
async function authorize() {
  const keys = chosen(await world);
  if (!keys) return;
  const { enterprise_id, enterprise_secret, product_key, product_secret } = keys;
  const target = `/v1/products/${encodeURIComponent(product_key)}/access_token`;
  const body = JSON.stringify({ enterprise_id, enterprise_secret, product_secret });
  const answer = await fetch(target, { method: "POST", headers: { "content-type": "application/json" }, body }).catch(() => null);
  const got = await answer?.json().catch(() => null);
  if (!answer?.ok || !got?.token) {
    const why = got?.detail_message || got?.error_message || "the simulator does not answer";
    return tell(`Not authorized: ${why}`, true);
  }
  window.ui.preauthorizeApiKey(TOKEN, bearing(got.token));
  window.ui.preauthorizeApiKey("enterprise_id", enterprise_id);
  window.ui.preauthorizeApiKey("enterprise_secret", enterprise_secret);
  tell(`Authorized for ${keys.product_name || product_key}.`);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  // Parameters that are not filled in yet get the keys of the product, so the page is loaded with the product.
  if (query.get("product") === product.value) authorize();
  else location.search = `?product=${encodeURIComponent(product.value)}`;
});

/** Replaces the product and the device of the examples by those of the world. */
async function withExamples(text) {
  const keys = chosen(await world);
  if (!keys) return text;
  const did = query.get("did");
  const document = JSON.parse(text);
  const named = { product_key: keys.product_key, ...(did ? { did } : {}) };
  for (const operation of Object.values(document.paths).flatMap(Object.values))
    for (const parameter of operation.parameters ?? [])
      if (parameter.in === "path" && named[parameter.name]) parameter.example = named[parameter.name];
  return JSON.stringify(document);
}

async function begin() {
  const products = await world;
  if (!products.length) {
    tell("Credentials are shown on the simulator's own machine only: authorize by hand.");
    return;
  }
  const now = chosen(products);
  for (const one of products) {
    const option = new Option(one.product_name || one.product_key, one.product_key, one === now, one === now);
    product.append(option);
  }
  product.disabled = button.disabled = false;
  document.getElementById("devices").href = `/#/${encodeURIComponent(now.product_key)}`;
  if (query.has("product")) await authorize();
  else tell("Not authorized.");
}

window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#debugger",
  deepLinking: true,
  displayOperationId: true,
  displayRequestDuration: true,
  filter: true,
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
  onComplete: begin,
  requestInterceptor(request) {
    const { Authorization } = request.headers ?? {};
    if (Authorization) {
      request.headers.Authorization = bearing(Authorization);
    }
    return request;
  },
  async responseInterceptor(response) {
    if (response.url.endsWith("/openapi.json")) response.text = await withExamples(response.text);
    // Authorizes all further calls with a new token.
    if (response.status === 201 && response.url.endsWith("/access_token")) {
      window.ui.preauthorizeApiKey(TOKEN, bearing(response.body.token));
    }
    return response;
  },
});
