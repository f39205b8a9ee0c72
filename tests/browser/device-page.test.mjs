// The device page, as people use it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Simulator, close, open, quiet, scrollsSideways, until, violations } from "./harness.mjs";

const AC = "a1b2c3d4e5f60718293a4b5c6d7e8f90";
const DID = "cBYkSjoE2xspYMhaUHdk5k";
const PUMP = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const PUMP_DID = "wPvL4xQ9mRt2Kd7Hs3Jn6b";

let simulator;
before(async () => (simulator = await Simulator.start()));
after(async () => {
  await close();
  assert.equal(await simulator.stop(), 0);
});

const deviceUrl = (product = AC, did = DID, at = simulator) => `${at.page}#/${product}/${did}`;

async function device(product, did, options) {
  const page = await open(deviceUrl(product, did), options);
  await drawn(page);
  return page;
}

/** The log, the bits and the chart are there. */
const drawn = (page) =>
  Promise.all(["#log .entry", "#bits-table tbody tr", "#chart-box svg"].map((one) => page.locator(one).first().waitFor()));

const value = (page, name) =>
  page.locator("#attrs tbody tr").filter({ has: page.locator("td:first-child", { hasText: name }) }).locator("td").nth(1);

const send = (page) => page.getByRole("button", { name: "Send control" });

/** A value that the point does not have, so that a control changes something. */
const other = async (page, name, one, two) => ((await value(page, name).innerText()).startsWith(one) ? two : one);

describe("device page", { concurrency: false }, () => {
  test("a control becomes a frame, an answer, bits and attrs", async () => {
    const page = await device();
    await page.evaluate(() => (window.same = true));
    const entries = await page.locator("#log .entry").count();
    const wanted = await other(page, "set_temp", "24", "25");
    const was = await value(page, "set_temp").innerText();
    await page.getByRole("spinbutton", { name: "set_temp" }).fill(wanted);
    await send(page).click();
    await value(page, "set_temp").locator("mark", { hasText: wanted }).waitFor();
    assert.match(await value(page, "set_temp").innerText(), new RegExp(`was ${was.split("\n")[0]}`));
    assert.match(await page.locator("#sent").innerText(), new RegExp(`Sent: set_temp ${wanted}`));
    // Only what was touched is sent; the device says all of it.
    const log = page.locator("#log .entry");
    await until("two records", async () => (await log.count()) >= entries + 2);
    assert.match(await log.nth(0).innerText(), /← device\s+report[^]*set_temp \d+[^]*000000030b00009104/);
    const control = (await log.nth(1).innerText()).replaceAll(/\s+/g, " ");
    assert.match(control, new RegExp(`→ device control set_temp ${wanted} 000000030900009001`));
    // The byte is marked, and so is nothing else of the writable ones.
    const byte = page.locator("#bits-table td.wide", { hasText: `set_temp = ${wanted}` });
    assert.equal(await byte.locator("mark").innerText(), Number(wanted).toString(16));
    assert.equal(await page.locator("#bits-table td", { hasText: "on_timing" }).locator("mark").count(), 0);
    assert.equal(await page.evaluate(() => window.same), true, "without a reload");
    assert.equal(await page.getByRole("spinbutton", { name: "set_temp" }).inputValue(), "");
    quiet(page);
  });

  test("bits, labels and several points at once", async () => {
    const page = await device();
    const on = (await value(page, "fan_swing").innerText()).startsWith("on");
    const mode = await other(page, "mode", "除湿", "送风");
    await page.getByRole("group", { name: "fan_swing" }).getByLabel(on ? "off" : "on").check();
    await page.getByRole("combobox", { name: "mode" }).selectOption(mode);
    await send(page).click();
    await value(page, "mode").locator("mark", { hasText: mode }).waitFor();
    await value(page, "fan_swing").locator("mark", { hasText: on ? "off" : "on" }).waitFor();
    const cell = page.locator("#bits-table td.bit", { hasText: "fan_s" }).last();
    assert.equal(await cell.locator("mark").innerText(), on ? "0" : "1");
    quiet(page);
  });

  test("what a device does by itself is seen, in the list too", async () => {
    const page = await device();
    const list = await open(`${simulator.page}#/${AC}`);
    const row = list.locator("#devices tbody tr", { hasText: DID });
    await row.waitFor();
    await simulator.tell(`/devices/${DID}`, { act: "set", attrs: { alert_full: true } });
    await value(page, "alert_full").locator("mark", { hasText: "on" }).waitFor();
    await page.locator("#state", { hasText: "alert" }).waitFor();
    await row.filter({ hasText: "alert" }).waitFor();
    await simulator.tell(`/devices/${DID}`, { act: "set", attrs: { alert_full: false } });
    await value(page, "alert_full").locator("mark", { hasText: "off" }).waitFor();
    await simulator.tell(`/devices/${DID}`, { act: "offline", reason: "tcp_closed" });
    await page.locator("#state", { hasText: "offline" }).waitFor();
    await row.filter({ hasText: "offline" }).waitFor();
    await page.locator("#log .entry", { hasText: "tcp_closed" }).first().waitFor();
    // A control is refused, in words.
    await page.getByRole("spinbutton", { name: "set_temp" }).fill("20");
    await send(page).click();
    await page.locator("#sent", { hasText: "Wait until the device is online again" }).waitFor();
    await simulator.tell(`/devices/${DID}`, { act: "online" });
    await page.locator("#state", { hasText: "online" }).waitFor();
    await row.filter({ hasText: "online" }).waitFor();
    await simulator.tell(`/devices/${DID}`, { act: "disable", on: true });
    await row.filter({ hasText: "disabled" }).waitFor();
    await page.locator("#state", { hasText: "disabled" }).waitFor();
    await simulator.tell(`/devices/${DID}`, { act: "disable", on: false });
    await until("it is enabled", async () => !(await row.innerText()).includes("disabled"));
    quiet(list);
    // A call that is refused stands in the console of every browser; nothing else does.
    assert.deepEqual(page.complaints.filter((one) => !one.includes("status of 400")), []);
  });

  test("a var_len product", async () => {
    const page = await device(PUMP, PUMP_DID);
    assert.equal(await page.locator("#attrs tbody tr").count(), 12);
    const wanted = await other(page, "frequency", "7.3", "2.5");
    await page.getByRole("spinbutton", { name: "frequency" }).fill(wanted);
    await page.getByRole("textbox", { name: "schedule" }).fill("01 02 03 04 05 06 07 08");
    await send(page).click();
    await value(page, "frequency").locator("mark", { hasText: wanted }).waitFor();
    await value(page, "schedule").getByText("0102030405060708").waitFor();
    // A message has the points that it has, behind their mask.
    await page.locator("#bits-table td.other", { hasText: /mask: \d+ of 12 points/ }).waitFor();
    await page.locator("#bits-table td.wide", { hasText: `frequency = ${wanted}` }).waitFor();
    assert.equal(await page.locator("#attrs td:nth-child(3)").getByText(String(wanted * 10), { exact: true }).count(), 1);
    assert.deepEqual(await violations(page), []);
    quiet(page);
  });

  test("a frame of the log, and back", async () => {
    const page = await device();
    await page.locator("#log .entry button").nth(1).click();
    await page.getByRole("heading", { name: "Frame of the log" }).waitFor();
    await simulator.tell(`/devices/${DID}`, { act: "set", attrs: { on_timing: 7 } });
    await value(page, "on_timing").locator("mark", { hasText: "7" }).waitFor();
    assert.equal(await page.locator("#bits-table td", { hasText: "on_timing = 7" }).count(), 0);
    await page.getByRole("button", { name: "Back to the last" }).click();
    await page.locator("#bits-table td", { hasText: "on_timing = 7" }).waitFor();
    await simulator.tell(`/devices/${DID}`, { act: "set", attrs: { on_timing: 0 } });
    await value(page, "on_timing").locator("mark", { hasText: "0" }).waitFor();
    quiet(page);
  });

  test("the log waits where it was left, and goes back further", async () => {
    const page = await device();
    const log = page.locator("#log");
    await log.evaluate((node) => (node.scrollTop = 200));
    const first = await log.locator(".entry").first().innerText();
    await simulator.tell(`/devices/${DID}`, { act: "set", attrs: { off_timing: 5 } });
    await page.getByRole("button", { name: "1 new record" }).click();
    await until("the new one is on top", async () => (await log.locator(".entry").first().innerText()) !== first);
    assert.match(await log.locator(".entry").first().innerText(), /off_timing 5/);
    const before = await log.locator(".entry").count();
    await page.getByRole("button", { name: "Older records" }).click();
    await until("older ones", async () => (await log.locator(".entry").count()) > before);
    // In order, none twice.
    const times = await log.locator("time").evaluateAll((all) => all.map((one) => one.dateTime));
    assert.deepEqual(times, [...times].sort().reverse());
    await simulator.tell(`/devices/${DID}`, { act: "set", attrs: { off_timing: 0 } });
    await log.evaluate((node) => (node.scrollTop = 0));
    await value(page, "off_timing").locator("mark", { hasText: "0" }).waitFor();
    quiet(page);
  });

  test("a chart that goes on, and says the same in words", async () => {
    const page = await device();
    const text = page.locator("#chart-text");
    assert.match(await text.innerText(), /^room_temp within 1 day: min -?\d+, max -?\d+, last -?\d+ at .*; \d+ reports/);
    assert.equal(await page.locator("#chart-box svg").getAttribute("aria-label"), await text.innerText());
    await simulator.tell(`/devices/${DID}`, { act: "set", attrs: { room_temp: 31 } });
    await text.filter({ hasText: "max 31, last 31" }).waitFor();
    await page.locator("#chart-point").selectOption("switch");
    await text.filter({ hasText: /^switch within 1 day: min (on|off)/ }).waitFor();
    await page.locator("#chart-span").selectOption("2 days");
    await text.filter({ hasText: "within 2 days" }).waitFor();
    quiet(page);
  });

  test("refusals say what to do", async () => {
    const page = await device();
    const sent = page.locator("#sent");
    await send(page).click();
    await sent.getByText("Nothing is set: fill in at least one point.").waitFor();
    await page.getByRole("spinbutton", { name: "set_temp" }).fill("31");
    await send(page).click();
    await sent.filter({ hasText: /above.*30/ }).filter({ hasText: "5401" }).waitFor();
    // What was typed is still there, to be mended.
    assert.equal(await page.getByRole("spinbutton", { name: "set_temp" }).inputValue(), "31");
    // A token that expired is fetched anew.
    await page.getByRole("spinbutton", { name: "set_temp" }).fill("28");
    await simulator.tell("/modes", { route: "*", mode: "error", code: 5011, count: 1 });
    await send(page).click();
    await sent.getByText("Sent: set_temp 28.").waitFor();
    const enterprise_id = simulator.environment.GIZWITS_ENTERPRISE_ID;
    await simulator.tell("/switches", { switch: "quota", enterprise_id, calls: 0 });
    await page.getByRole("spinbutton", { name: "set_temp" }).fill("27");
    await send(page).click();
    await sent.getByText("Wait for the next full hour").waitFor();
    await simulator.tell("/switches", { switch: "quota", enterprise_id, calls: 100000 });
    assert.deepEqual(page.complaints.filter((one) => !/status of 40[03]/.test(one)), []);
  });

  test("nothing is asked of the API while nothing is done", async () => {
    const page = await device();
    const calls = [];
    page.on("request", (request) => request.url().includes("/v1/") && calls.push(request.url()));
    for (const room_temp of [20, 21, 22]) {
      await simulator.tell(`/devices/${DID}`, { act: "set", attrs: { room_temp } });
      await value(page, "room_temp").locator("mark", { hasText: String(room_temp) }).waitFor();
    }
    assert.deepEqual(calls, []);
    quiet(page);
  });

  test("by keyboard alone", async () => {
    const page = await open(simulator.page);
    await page.locator("#devices tbody tr").first().waitFor();
    const focused = () =>
      page.evaluate(() => {
        const one = document.activeElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(one);
        return { name: one.name || one.id || one.textContent, seen: outlineStyle !== "none" && outlineWidth !== "0px" };
      });
    const tab = async (name) => {
      const passed = [];
      for (let n = 0; n < 60; n++) {
        await page.keyboard.press("Tab");
        const one = await focused();
        passed.push(one.name);
        assert.ok(one.seen, `the focus on ${one.name} is seen`);
        if (one.name === name) return passed;
      }
      assert.fail(`${name} is not reached: ${passed}`);
    };
    assert.deepEqual(await tab("virtual:site"), ["gizwits simulator", "API debugger", "product", "virtual:site"]);
    await page.keyboard.press("Enter");
    await drawn(page);
    await until("the title has the focus", async () => (await focused()).name === "device-title");
    const wanted = await other(page, "set_temp", "19", "23");
    const on = (await value(page, "switch").innerText()).startsWith("on");
    assert.deepEqual(await tab("set_temp"), ["switch", "fan_swing", "mode", "fan_speed", "on_timing", "off_timing", "set_temp"]);
    await page.keyboard.type(wanted);
    for (let n = 0; n < 6; n++) await page.keyboard.press("Shift+Tab");
    assert.equal((await focused()).name, "switch");
    await page.keyboard.press("ArrowDown");
    if (on) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await value(page, "set_temp").locator("mark", { hasText: wanted }).waitFor();
    await value(page, "switch").locator("mark", { hasText: on ? "off" : "on" }).waitFor();
    // The log can be reached, and scrolled.
    await tab("log");
    await page.keyboard.press("PageDown");
    await until("it scrolls", () => page.locator("#log").evaluate((node) => node.scrollTop > 0));
    quiet(page);
  });

  test("credentials are behind a summary, to be copied", async () => {
    const page = await open(`${simulator.page}#/${AC}`, { permissions: ["clipboard-read", "clipboard-write"] });
    const secret = simulator.environment.GIZWITS_ENTERPRISE_SECRET;
    await page.locator("#devices tbody tr").first().waitFor();
    assert.equal(await page.getByText(secret).isVisible(), false);
    await page.getByText("Credentials of this product").click();
    await page.getByText(secret).waitFor();
    await page.getByRole("button", { name: "Copy: Enterprise secret" }).click();
    await page.getByText("Copied").waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
    quiet(page);
  });

  for (const [name, options] of [
    ["light", { colorScheme: "light" }],
    ["dark", { colorScheme: "dark" }],
    ["320 px wide", { viewport: { width: 320, height: 640 } }],
  ]) {
    test(`axe-core and the width: ${name}`, async () => {
      const page = await open(`${simulator.page}#/${AC}`, options);
      await page.locator("#devices tbody tr").first().waitFor();
      await page.getByText("Credentials of this product").click();
      assert.deepEqual(await violations(page), []);
      assert.equal(await scrollsSideways(page), false);
      for (const [product, did] of [[AC, DID], [PUMP, PUMP_DID]]) {
        await page.goto(deviceUrl(product, did));
        await drawn(page);
        assert.deepEqual(await violations(page), []);
        assert.equal(await scrollsSideways(page), false);
      }
      quiet(page);
    });
  }

  test("from another machine's name it says what to do", async () => {
    // The same server by a name that is not this machine's own.
    const { port } = new URL(simulator.page);
    const page = await open(`http://machine.localhost:${port}/`);
    await page.getByRole("heading", { name: "Not from here" }).waitFor();
    await page.getByText("ssh -L").waitFor();
    assert.deepEqual(await violations(page), []);
    assert.equal((await page.content()).includes(simulator.environment.GIZWITS_ENTERPRISE_SECRET), false);
  });

  test("a page of somebody else gets nothing", async () => {
    const page = await open(`http://machine.localhost:${new URL(simulator.page).port}/`);
    await page.getByRole("heading", { name: "Not from here" }).waitFor();
    const got = await page.evaluate(async (url) => {
      const text = (mode) => fetch(`${url}page/products`, { mode }).then((answer) => answer.text(), () => "");
      return [await text("cors"), await text("no-cors")];
    }, simulator.page);
    assert.deepEqual(got, ["", ""]);
  });

  test("a device that there isn't", async () => {
    const page = await open(deviceUrl(AC, "nobody"));
    await page.locator("#notice", { hasText: "there is no such product or device" }).waitFor();
    await page.getByRole("link", { name: "All devices of air conditioner" }).click();
    await page.locator("#devices tbody tr").first().waitFor();
    await page.locator("#link.live").waitFor();
    assert.equal(await page.locator("#notice").innerText(), "");
  });

  test("after the simulator was away, the page goes on", async () => {
    let away = await Simulator.start();
    const page = await open(deviceUrl(AC, DID, away));
    await drawn(page);
    await away.stop();
    await page.locator("#link", { hasText: "connection lost, trying again" }).waitFor();
    await page.getByRole("spinbutton", { name: "set_temp" }).fill("20");
    await send(page).click();
    await page.locator("#sent", { hasText: "Is gizwits simulate still running?" }).waitFor();
    // Another world, with tokens of its own, at the same address.
    away = await Simulator.start("--listen", new URL(away.page).host);
    try {
      await page.locator("#link.live").waitFor();
      await drawn(page);
      const wanted = await other(page, "set_temp", "24", "25");
      await page.getByRole("spinbutton", { name: "set_temp" }).fill(wanted);
      await send(page).click();
      await value(page, "set_temp").locator("mark", { hasText: wanted }).waitFor();
      assert.deepEqual(page.strangers, []);
    } finally {
      await page.close();
      await away.stop();
    }
  });

  test("the same world again: the log goes on, nothing is missing or twice", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gizwits-"));
    const db = join(folder, "world.db");
    let away = await Simulator.start("--db", db);
    try {
      const page = await open(deviceUrl(AC, DID, away));
      await drawn(page);
      const address = new URL(away.page).host;
      const payloads = () => page.locator("#log .entry code").allInnerTexts();
      const before = await payloads();
      const first = await page.locator("#log .entry").last().evaluate((node) => ((window.oldest = node), node.innerText));
      await away.stop();
      await page.locator("#link.lost").waitFor();
      away = await Simulator.start("--db", db, "--listen", address);
      // Before the page is back, or after: it is told once.
      await away.tell(`/devices/${DID}`, { act: "set", attrs: { set_temp: 30 } });
      await value(page, "set_temp").locator("mark", { hasText: "30" }).waitFor();
      await page.locator("#link.live").waitFor();
      assert.deepEqual((await payloads()).slice(-before.length), before);
      assert.equal(await page.locator("#log .entry", { hasText: "set_temp 30" }).count(), 1);
      assert.equal(await page.evaluate(() => window.oldest.isConnected && window.oldest.innerText), first);
      await page.close();
    } finally {
      await away.stop();
      rmSync(folder, { recursive: true });
    }
  });
});
