// Makes the pictures of the documentation. The machine needs a font with Chinese characters.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Simulator, close, open } from "./harness.mjs";

const folder = fileURLToPath(new URL("../../docs/images", import.meta.url));
mkdirSync(folder, { recursive: true });
const simulator = await Simulator.still();
const { GIZWITS_PRODUCT_KEY: product, GIZWITS_DID: did } = simulator.environment;
const PUMP = "#/0f1e2d3c4b5a69788796a5b4c3d2e1f0/wPvL4xQ9mRt2Kd7Hs3Jn6b";

/** Takes a picture of a page after `act`. */
async function shot(name, target, options, act) {
  const page = await open(simulator.page + target, options);
  await act(page);
  await page.mouse.move(0, 0);
  await page.evaluate(() => document.activeElement.blur());
  await page.screenshot({ path: `${folder}/${name}.png`, animations: "disabled" });
}

try {
  await simulator.tell("/devices/wPvL4xQ9mRt2Kd7Hs3Jn6b", { act: "set", attrs: { power: true } });
  await shot("devices", `#/${product}`, { viewport: { width: 1120, height: 440 } }, (page) =>
    page.locator("#devices tbody tr").first().waitFor(),
  );
  await shot("device", PUMP, { viewport: { width: 1120, height: 760 }, colorScheme: "dark" }, async (page) => {
    await page.locator("#chart-box svg").waitFor();
    await page.locator("#chart-point").selectOption("water_temp");
    await page.getByRole("spinbutton", { name: "flow" }).fill("85");
    await page.getByRole("combobox", { name: "mode" }).selectOption({ index: 1 });
    await page.getByRole("button", { name: "Send control" }).click();
    await page.locator("#attrs mark", { hasText: "85" }).waitFor();
    await page.evaluate(() => scrollTo(0, 0));
  });
  await shot("debugger", `debugger/?product=${product}&did=${did}`, { viewport: { width: 1120, height: 640 } }, async (page) => {
    await page.locator("#told", { hasText: "Authorized" }).waitFor();
    const operation = page.locator("#operations-Devices-get_v1_products_product_key_devices_did_data");
    await operation.locator(".opblock-summary-control").click();
    await operation.getByRole("button", { name: "Try it out" }).click();
    await operation.getByRole("button", { name: "Execute" }).click();
    await operation.locator(".live-responses-table").waitFor();
    await operation.locator(".responses-inner").evaluate((node) => scrollTo(0, node.getBoundingClientRect().top + scrollY - 260));
  });
} finally {
  await close();
  await simulator.stop();
}
