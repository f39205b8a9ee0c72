// The online debugger, as the vendor's page promises it: authorise, fill in, try, and see curl, URL, code,
// headers and body.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Simulator, close, open, quiet, scrollsSideways, violations } from "./harness.mjs";

let simulator;

before(async () => {
  simulator = await Simulator.start("--listen", "127.0.0.1:0");
});

after(async () => {
  await close();
  await simulator.stop();
});

const TOKEN = "Authorization-post_v1_products_product_key_access_token";
const DATAPOINT = "Product-get_v1_products_product_key_datapoint";
const CONTROL = "Devices-post_v1_products_product_key_devices_did_control";

const debug = async (options) => {
  const page = await open(`${simulator.url}/debugger/`, options);
  await page.locator(".opblock").first().waitFor();
  return page;
};

/** Opens an operation, fills in what it takes, executes it. */
async function attempt(page, id, parameters, body) {
  const operation = page.locator(`#operations-${id}`);
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  for (const [name, value] of Object.entries(parameters)) {
    await operation.locator(`[data-param-name="${name}"] input`).fill(value);
  }
  if (body) await operation.getByLabel("Request body").fill(JSON.stringify(body));
  await operation.getByRole("button", { name: "Execute" }).click();
  const live = operation.locator(".live-responses-table");
  await live.waitFor();
  return {
    code: (await live.locator("tbody .response-col_status").innerText()).trim(),
    told: await live.innerText(),
    curl: await operation.locator(".curl-command pre").innerText(),
    url: await operation.locator(".request-url pre").innerText(),
  };
}

const credentials = () => ({
  enterprise_id: simulator.environment.GIZWITS_ENTERPRISE_ID,
  enterprise_secret: simulator.environment.GIZWITS_ENTERPRISE_SECRET,
  product_secret: simulator.environment.GIZWITS_PRODUCT_SECRET,
});
const product = () => ({ product_key: simulator.environment.GIZWITS_PRODUCT_KEY });

async function token() {
  const url = `${simulator.url}/v1/products/${product().product_key}/access_token`;
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(credentials()) });
  return (await answer.json()).token;
}

test("all 33 operations are there, by their names, without their aliases", async () => {
  const page = await debug();
  assert.equal(await page.locator(".opblock").count(), 33);
  const names = await page.locator(".opblock-summary-operation-id").allInnerTexts();
  const plain = names.map((name) => name.replaceAll("\u200b", ""));
  assert.ok(plain.includes("get_v1_products_product_key_devices_report_rt"));
  assert.equal(new Set(plain).size, 33);
  quiet(page);
});

test("a token that was asked for is the one to go on with", async () => {
  const page = await debug();
  const asked = await attempt(page, TOKEN, product(), credentials());
  assert.equal(asked.code, "201");
  assert.match(asked.told, /"token": "[0-9a-f]{32}"/);
  const got = await attempt(page, DATAPOINT, product());
  assert.equal(got.code, "200");
  assert.match(got.told, /"set_temp"/);
  assert.match(got.told, /x-ratelimit-remaining: \d+/);
  assert.equal(got.url, `${simulator.url}/v1/products/${product().product_key}/datapoint`);
  assert.match(got.curl, /^curl -X 'GET'/);
  assert.match(got.curl, /-H 'Authorization: token [0-9a-f]{32}'/);
  quiet(page);
});

test("a token is pasted with or without its word; a control reaches the device", async () => {
  for (const word of ["", "token "]) {
    const page = await debug();
    await page.getByRole("button", { name: "Authorize" }).click();
    const dialog = page.locator(".dialog-ux");
    await dialog.locator("#api_key_value").last().fill(word + (await token()));
    await dialog.locator(".auth-btn-wrapper").last().locator("button[type=submit]").click();
    await dialog.locator(".close-modal").click();
    const did = simulator.environment.GIZWITS_DID;
    const sent = await attempt(page, CONTROL, { ...product(), did }, { attrs: { set_temp: 23 } });
    assert.equal(sent.code, "200");
    quiet(page);
  }
});

test("the enterprise's id and secret are headers", async () => {
  const page = await debug();
  await page.getByRole("button", { name: "Authorize" }).click();
  const dialog = page.locator(".dialog-ux");
  for (const [n, value] of [credentials().enterprise_id, credentials().enterprise_secret].entries()) {
    const form = dialog.locator(".auth-container").nth(n);
    await form.locator("input").fill(value);
    await form.locator("button[type=submit]").click();
  }
  await dialog.locator(".close-modal").click();
  const found = await attempt(page, "Users-get_v1_users_search", product());
  assert.equal(found.code, "200");
  assert.match(found.curl, /-H 'X-Gizwits-Enterprise-ID: /);
  assert.match(found.curl, /-H 'X-Gizwits-Enterprise-Secret: /);
  quiet(page);
});

test("one click on the device page authorizes the debugger, for this device", async () => {
  const { product_key } = product();
  const page = await open(`${simulator.url}/#/${product_key}/${simulator.environment.GIZWITS_DID}`);
  await page.getByRole("link", { name: "Open in debugger" }).click();
  await page.locator("#told", { hasText: "Authorized for air conditioner." }).waitFor();
  assert.equal(page.url().includes(credentials().enterprise_secret), false);
  await page.getByRole("button", { name: "Authorize" }).click();
  await page.locator(".dialog-ux", { hasText: "Authorized" }).waitFor();
  assert.deepEqual(await violations(page), []);
  await page.locator(".close-modal").click();
  const operation = page.locator(`#operations-${CONTROL}`);
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  // The product and the device are filled in.
  assert.equal(await operation.locator('[data-param-name="product_key"] input').inputValue(), product_key);
  assert.equal(await operation.locator('[data-param-name="did"] input').inputValue(), simulator.environment.GIZWITS_DID);
  await operation.getByLabel("Request body").fill('{"attrs":{"set_temp":25}}');
  await operation.getByRole("button", { name: "Execute" }).click();
  const code = operation.locator(".live-responses-table tbody .response-col_status");
  assert.equal((await code.innerText()).trim(), "200");
  quiet(page);
});

test("another product is chosen with its credentials", async () => {
  const page = await debug();
  await page.locator("#told", { hasText: "Not authorized." }).waitFor();
  await page.locator("#product").selectOption({ label: "wave pump" });
  await page.getByRole("button", { name: "Use its credentials" }).click();
  await page.locator("#told", { hasText: "Authorized for wave pump." }).waitFor();
  const got = await attempt(page, DATAPOINT, {});
  assert.equal(got.code, "200");
  assert.match(got.told, /"water_temp"/);
  quiet(page);
});

test("without the world's credentials, authorization is by hand", async () => {
  const page = await open(`http://machine.localhost:${new URL(simulator.url).port}/debugger/`);
  await page.locator("#told", { hasText: "authorize by hand" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Use its credentials" }).isEnabled(), false);
  assert.equal((await page.content()).includes(credentials().enterprise_secret), false);
});

test("a refusal is shown with its code", async () => {
  const page = await debug();
  const refused = await attempt(page, DATAPOINT, product());
  assert.equal(refused.code, "400");
  assert.match(refused.told, /"error_code": 5009/);
  assert.deepEqual(page.strangers, []);
});

test("the keyboard alone goes through it", async () => {
  const page = await debug();
  await page.locator(`#operations-${TOKEN} .opblock-summary-control`).focus();
  await page.keyboard.press("Enter");
  const operation = page.locator(`#operations-${TOKEN}`);
  /** Goes on by Tab until something has the focus, once it is there. */
  const reach = async (target) => {
    await target.waitFor();
    for (let n = 0; n < 40; n += 1) {
      await page.keyboard.press("Tab");
      if (await target.evaluate((one) => one === document.activeElement)) return;
    }
    assert.fail(`never reached: ${target}`);
  };
  await reach(operation.getByRole("button", { name: "Try it out" }));
  await page.keyboard.press("Enter");
  await reach(operation.locator('[data-param-name="product_key"] input:enabled'));
  await page.keyboard.type(product().product_key);
  await reach(operation.getByLabel("Request body"));
  await page.keyboard.press("Control+A");
  await page.keyboard.type(JSON.stringify(credentials()));
  await reach(operation.getByRole("button", { name: "Execute" }));
  await page.keyboard.press("Enter");
  const code = operation.locator(".live-responses-table tbody .response-col_status");
  assert.equal((await code.innerText()).trim(), "201");
  quiet(page);
});

/** What is shown beyond the sides of the window, or of what it is in. */
const beyond = (page, selector) =>
  page.evaluate((selector) => {
    const shown = [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
    const out = shown.filter((one) => {
      const { left, right } = one.getBoundingClientRect();
      return left < -1 || right > document.documentElement.clientWidth + 1;
    });
    return out.map((one) => one.outerHTML.slice(0, 120));
  }, selector);

for (const [width, colorScheme] of [[1280, "light"], [320, "light"], [1280, "dark"], [390, "dark"]]) {
  test(`axe-core finds nothing, ${width} pixels wide, ${colorScheme}`, async () => {
    const page = await debug({ viewport: { width, height: 900 }, colorScheme });
    assert.deepEqual(await violations(page), []);
    await page.getByRole("button", { name: "Authorize" }).click();
    await page.locator(".dialog-ux").waitFor();
    assert.deepEqual(await violations(page), []);
    await page.locator(".close-modal").click();
    await attempt(page, TOKEN, product(), credentials());
    await attempt(page, "Devices-get_v1_products_product_key_devices_search", product());
    // What is left out is told where it is missing.
    const dates = page.locator("#operations-User_reports-get_v1_users_liveness_total");
    await dates.locator(".opblock-summary-control").click();
    await dates.getByRole("button", { name: "Try it out" }).click();
    await dates.getByLabel("start_date").fill("");
    await dates.getByRole("button", { name: "Execute" }).click();
    await dates.locator("input.invalid").first().waitFor();
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(await beyond(page, "input, select, textarea, button, td, pre, li, h4, code"), []);
    assert.equal(await scrollsSideways(page), false);
    quiet(page);
  });
}
