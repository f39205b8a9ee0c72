// The states of the pages that a default world does not show, each checked with axe-core.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Simulator, close, open, quiet, scrollsSideways, until, violations } from "./harness.mjs";
import { AC, meter, oneDevice, pump, world, worldOf } from "./worlds.mjs";

after(close);

/** Runs `look` with a simulator, and stops the simulator. */
async function within(starting, look) {
  const simulator = await starting;
  try {
    await look(simulator);
  } finally {
    await simulator.stop();
  }
}

/** axe-core finds nothing, and nothing is wider than the window. */
async function sound(page) {
  assert.deepEqual(await violations(page), []);
  assert.equal(await scrollsSideways(page), false);
}

const themes = [{ colorScheme: "light" }, { colorScheme: "dark", viewport: { width: 390, height: 844 } }];

async function device(simulator, did, options) {
  const page = await open(`${simulator.page}#/${AC}/${did}`, options);
  await page.locator("#chart-box svg").waitFor();
  await page.locator("#log .entry").first().waitFor();
  return page;
}

/** Pairs of cells of the frame map that lie over each other, or beyond their pane. */
const overlaps = (page) =>
  page.locator("#bits-table").evaluate((table) => {
    const pane = table.getBoundingClientRect();
    const cells = [...table.querySelectorAll(".bit, .wide")].map((node) => [node.textContent, node.getBoundingClientRect()]);
    const wrong = cells.filter(([, box]) => box.left < pane.left - 1 || box.right > pane.right + 1).map(([text]) => text);
    for (const [n, [text, one]] of cells.entries())
      for (const [other, two] of cells.slice(n + 1))
        if (one.left < two.right - 1 && two.left < one.right - 1 && one.top < two.bottom - 1 && two.top < one.bottom - 1)
          wrong.push(`${text} / ${other}`);
    return wrong;
  });

describe("states", { concurrency: false }, () => {
  test("a world without products", () =>
    within(worldOf(""), async (simulator) => {
      for (const options of themes) {
        const page = await open(simulator.page, options);
        await page.getByRole("heading", { name: "This world has no product" }).waitFor();
        assert.equal(await page.locator("#search").isVisible(), false);
        await sound(page);
        quiet(page);
      }
    }));

  test("a product without devices; one that comes is listed", () =>
    within(world(oneDevice("late", 'after = "1h"'), "air-conditioner"), async (simulator) => {
      const page = await open(simulator.page);
      await page.getByRole("heading", { name: "No device yet" }).waitFor();
      await page.locator("#link.live").waitFor();
      await sound(page);
      await simulator.tell("/clock", { step_ms: 3_601_000 });
      await page.locator("#devices tbody tr", { hasText: "late-mac" }).waitFor();
      assert.equal(await page.locator("#empty").isVisible(), false);
      quiet(page);
    }));

  test("search, filter, no hits, and back", () =>
    within(Simulator.still(), async (simulator) => {
      for (const options of themes) {
        const page = await open(simulator.page, options);
        const rows = page.locator("#devices tbody tr");
        await until("all", async () => (await rows.count()) === 4);
        await page.getByRole("searchbox", { name: "Search devices" }).fill("BEI");
        await until("one", async () => (await rows.count()) === 1);
        assert.equal(await page.locator("#count").innerText(), "1 of 4 devices");
        await page.getByRole("searchbox").fill("100 % nothing");
        await page.getByRole("heading", { name: "No device matches" }).waitFor();
        await sound(page);
        await page.getByRole("button", { name: "Clear search and filter" }).click();
        await until("all again", async () => (await rows.count()) === 4);
        await page.getByRole("radio", { name: "Disabled" }).check({ force: true });
        await page.getByRole("heading", { name: "No device matches" }).waitFor();
        // A device that begins to match is listed at once, and leaves the list at once.
        const did = simulator.environment.GIZWITS_DID;
        await simulator.tell(`/devices/${did}`, { act: "disable", on: true });
        await rows.filter({ hasText: did }).waitFor();
        await simulator.tell(`/devices/${did}`, { act: "disable", on: false });
        await page.getByRole("heading", { name: "No device matches" }).waitFor();
        quiet(page);
      }
    }));

  test("a device offline, with an alert and a fault", () =>
    within(world(oneDevice("sick"), "air-conditioner"), async (simulator) => {
      await simulator.tell("/clock", { step_ms: 2000 });
      await simulator.tell("/devices/sick", { act: "set", attrs: { alert_full: true, fault_roomtemp: true } });
      await simulator.tell("/devices/sick", { act: "offline", reason: "no_heartbeat" });
      await simulator.tell("/clock", { step_ms: 200_000 });
      for (const options of themes) {
        const list = await open(simulator.page, options);
        const row = list.locator("#devices tbody tr");
        for (const tag of ["offline", "alert", "fault"]) await row.locator(".tag", { hasText: tag }).waitFor();
        await sound(list);
        await list.getByRole("radio", { name: "Trouble" }).check({ force: true });
        await until("it is in trouble", async () => (await row.count()) === 1);
        const page = await device(simulator, "sick", options);
        for (const tag of ["offline", "alert", "fault"]) await page.locator("#state .tag", { hasText: tag }).waitFor();
        await sound(page);
        quiet(page);
      }
    }));

  test("71 points: filters, folded zeros, headings that stay", () =>
    within(world(oneDevice("seventy"), pump), async (simulator) => {
      for (const options of themes) {
        const page = await device(simulator, "seventy", options);
        const rows = page.locator("#attrs tbody tr");
        assert.equal(await rows.count(), 71);
        assert.equal(await rows.filter({ hasText: "timer_3" }).locator("td").nth(1).innerText(), "00×8");
        const heading = page.locator("#attrs thead th").first();
        const before = (await heading.boundingBox()).y - (await page.locator("#attrs-table").boundingBox()).y;
        await page.locator("#attrs-table").evaluate((node) => (node.scrollTop = 600));
        assert.equal((await heading.boundingBox()).y - (await page.locator("#attrs-table").boundingBox()).y, before);
        await page.getByRole("searchbox", { name: "Filter attrs" }).fill("FLOW_1");
        assert.equal(await page.locator("#attrs tbody tr:visible").count(), 11);
        await page.getByRole("searchbox", { name: "Filter control" }).fill("timer_10");
        assert.equal(await page.locator("#fields .field:visible").count(), 1);
        await page.getByRole("textbox", { name: "timer_10" }).fill("01 00 00 00 00 00 00 ff");
        await page.getByRole("button", { name: "Send control" }).click();
        await page.locator("#attrs tbody tr", { hasText: "timer_10" }).getByText("01 00×6 ff", { exact: true }).waitFor({ state: "attached" });
        await sound(page);
        quiet(page);
      }
    }));

  test("200 bytes: cells apart, groups that fold, one point in all panes", () =>
    within(world(oneDevice("meter"), meter), async (simulator) => {
      for (const options of themes) {
        const page = await device(simulator, "meter", options);
        const folds = page.locator("#bits-table .fold");
        for (const fold of await folds.all()) if ((await fold.getAttribute("aria-expanded")) === "false") await fold.click();
        assert.equal(await page.locator("#bits-table .bit[data-id]").count(), 16 + 4 + 8);
        assert.equal(await page.locator("#bits-table .wide").count(), 20 + 2 + 36);
        assert.deepEqual(await overlaps(page), []);
        await sound(page);
        const level = page.locator("#bits-table .wide", { hasText: "level_7 =" });
        await level.scrollIntoViewIfNeeded();
        if (!options.viewport) {
          await level.hover();
          const id = await level.getAttribute("data-id");
          for (const pane of ["#attrs", "#fields"]) assert.equal(await page.locator(`${pane} .hot[data-id="${id}"]`).count(), 1);
        }
        await page.mouse.move(0, 0);
        await page.getByRole("spinbutton", { name: "level_7" }).focus();
        assert.equal(await page.locator("#bits-table .wide.hot", { hasText: "level_7 =" }).count(), 1);
        // A fold that a user chose stays over the next frame.
        await page.getByRole("button", { name: /^Bytes 13–/ }).click();
        await simulator.tell("/devices/meter", { act: "set", attrs: { level_9: options.viewport ? 9 : 8 } });
        await page.locator("#attrs mark").first().waitFor({ state: "attached" });
        assert.equal(await page.getByRole("button", { name: /^Bytes 13–/ }).getAttribute("aria-expanded"), "false");
        quiet(page);
      }
    }));

  test("no button is broken at 390 pixels", () =>
    within(Simulator.still(), async (simulator) => {
      const page = await device(simulator, simulator.environment.GIZWITS_DID, { viewport: { width: 390, height: 844 } });
      const broken = await page.locator("button:visible, a.button:visible").evaluateAll((all) => {
        const text = (node) => {
          const range = document.createRange();
          range.selectNodeContents(node);
          return new Set([...range.getClientRects()].map((box) => Math.round(box.bottom))).size;
        };
        return all.filter((node) => text(node) > 1 || node.scrollWidth > node.clientWidth + 1).map((node) => node.textContent);
      });
      assert.deepEqual(broken, []);
      await sound(page);
    }));

  test("fields follow the device until they are changed", () =>
    within(Simulator.still(), async (simulator) => {
      const did = simulator.environment.GIZWITS_DID;
      const page = await device(simulator, did);
      const number = page.getByRole("spinbutton", { name: "set_temp" });
      const slider = page.getByRole("slider", { name: "set_temp, slider" });
      await simulator.tell(`/devices/${did}`, { act: "set", attrs: { set_temp: 22 } });
      await until("it follows", async () => (await number.inputValue()) === "22" && (await slider.inputValue()) === "22");
      await slider.fill("27");
      assert.equal(await number.inputValue(), "27");
      await simulator.tell(`/devices/${did}`, { act: "set", attrs: { set_temp: 23, on_timing: 3 } });
      await until("others follow", async () => (await page.getByRole("spinbutton", { name: "on_timing" }).inputValue()) === "3");
      assert.equal(await number.inputValue(), "27");
      await page.getByRole("button", { name: "Clear" }).click();
      await until("it follows again", async () => (await number.inputValue()) === "23" && (await slider.inputValue()) === "23");
      assert.equal(await page.locator("#fields .set").count(), 0);
      quiet(page);
    }));

  test("an event stream that breaks and comes back", () =>
    within(Simulator.still(), async (simulator) => {
      const did = simulator.environment.GIZWITS_DID;
      const page = await open(`${simulator.page}page.svg`);
      let broken = true;
      await page.route("**/page/events/**", (route) => (broken ? route.fulfill({ status: 503, json: { error: "too many pages" } }) : route.continue()));
      await page.goto(`${simulator.page}#/${AC}/${did}`);
      await page.locator("#link.lost").waitFor();
      await page.locator("#notice", { hasText: "No events: " }).waitFor();
      await sound(page);
      broken = false;
      await page.locator("#link.live").waitFor();
      await simulator.tell(`/devices/${did}`, { act: "set", attrs: { set_temp: 29 } });
      await page.locator("#attrs mark", { hasText: "29" }).waitFor();
      assert.deepEqual(page.strangers, []);
    }));

  test("the first device of the default world lives: temperature and mode change within a minute", () =>
    within(Simulator.start(), async (simulator) => {
      const page = await device(simulator, simulator.environment.GIZWITS_DID);
      // A step of at most the interval of a behaviour is like time that passes.
      for (let n = 0; n < 4; n++) await simulator.tell("/clock", { step_ms: 15_000 });
      await until("both are told", async () => {
        const text = await page.locator("#log").innerText();
        return /mode (自动|除湿)/.test(text) && /room_temp -?\d+/.test(text);
      });
      quiet(page);
    }));
});
