// The device page, as people use it.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Simulator, close, open, quiet, scrollsSideways, until, violations } from "./harness.mjs";
import { AC, world } from "./worlds.mjs";

const DID = "cBYkSjoE2xspYMhaUHdk5k";
const PUMP = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const PUMP_DID = "wPvL4xQ9mRt2Kd7Hs3Jn6b";

let simulator;
before(async () => (simulator = await Simulator.still()));
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
  Promise.all(["#log .entry", "#bits-table .group", "#chart-box svg"].map((one) => page.locator(one).first().waitFor()));

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
    const byte = page.locator("#bits-table .wide", { hasText: `set_temp = ${wanted}` });
    assert.equal(await byte.locator("mark").innerText(), Number(wanted).toString(16));
    assert.equal(await page.locator("#bits-table .wide", { hasText: "on_timing" }).locator("mark").count(), 0);
    assert.equal(await page.evaluate(() => window.same), true, "without a reload");
    // The field shows what the device reports, and is no longer marked as changed.
    assert.equal(await page.getByRole("spinbutton", { name: "set_temp" }).inputValue(), wanted);
    assert.equal(await page.locator("#fields .set").count(), 0);
    quiet(page);
  });

  test("bits, labels and several points at once", async () => {
    const page = await device();
    const on = (await value(page, "fan_swing").innerText()).startsWith("on");
    const mode = await other(page, "mode", "除湿", "送风");
    await page.getByRole("switch", { name: "fan_swing" }).setChecked(!on);
    await page.getByRole("combobox", { name: "mode" }).selectOption(mode);
    await send(page).click();
    await value(page, "mode").locator("mark", { hasText: mode }).waitFor();
    await value(page, "fan_swing").locator("mark", { hasText: on ? "off" : "on" }).waitFor();
    const cell = page.locator("#bits-table .bit", { hasText: "fan_s" }).last();
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
    await page.getByRole("button", { name: "Bytes 0–" }).click();
    await page.locator("#bits-table .other", { hasText: /mask: \d+ of 12 points/ }).waitFor();
    await page.locator("#bits-table .wide", { hasText: `frequency = ${wanted}` }).waitFor();
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
    assert.equal(await page.locator("#bits-table .wide", { hasText: "on_timing = 7" }).count(), 0);
    await page.getByRole("button", { name: "Back to the last frame" }).click();
    await page.locator("#bits-table .wide", { hasText: "on_timing = 7" }).waitFor();
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

  test("a crosshair with value and time, for the pointer and for the keyboard", async () => {
    const page = await device();
    const [box, label, cross] = ["#chart-box", "#chart-at", "#chart .cross"].map((one) => page.locator(one));
    // What the API says, in the form of the page.
    const reports = await page.evaluate(async () => {
      const { page } = await import("/view.js");
      const { time } = await import("/time.js");
      const from = page.shown.reports.at(-1).at - 86_400_000;
      const all = page.shown.reports.filter(({ at, attrs }) => at > from && attrs.room_temp != null);
      return all.map(({ at, attrs }) => `${attrs.room_temp} at ${time(at)}`);
    });
    assert.ok(reports.length > 20);
    assert.equal(await label.innerText(), "");
    // Keyboard: each report once, from end to end, and no further.
    await box.focus();
    for (const [key, index] of [["ArrowLeft", -1], ["ArrowRight", -1], ["ArrowLeft", -2], ["ArrowLeft", -3], ["End", -1]]) {
      await page.keyboard.press(key);
      assert.equal(await label.innerText(), reports.at(index), key);
    }
    await page.keyboard.press("PageUp");
    assert.equal(await label.innerText(), reports.at(-1 - Math.round((reports.length - 1) / 10)));
    await page.keyboard.press("Escape");
    assert.deepEqual([await label.innerText(), await cross.count()], ["", 0]);
    await page.keyboard.press("Home");
    const first = await label.innerText();
    // The oldest report may have left the span meanwhile.
    assert.ok(reports.slice(0, 3).includes(first), first);
    await page.keyboard.press("ArrowLeft");
    assert.equal(await label.innerText(), first);
    // A new report changes nothing: the crosshair stays at its report.
    await page.keyboard.press("End");
    await simulator.tell(`/devices/${DID}`, { act: "set", attrs: { room_temp: 33 } });
    await page.locator("#chart-text", { hasText: "last 33" }).waitFor();
    assert.equal(await label.innerText(), reports.at(-1));
    await page.keyboard.press("ArrowRight");
    assert.match(await label.innerText(), /^33 at /);
    // Another point of the same report.
    await page.locator("#chart-point").selectOption("set_temp");
    await box.focus();
    await page.keyboard.press("End");
    assert.match(await label.innerText(), /^\d+ at /);
    await page.locator("#chart-point").selectOption("room_temp");
    await page.locator("#attrs-table").focus();
    assert.deepEqual([await label.innerText(), await cross.count()], ["", 0]);
    // Pointer: the nearest report, within the chart, wherever the pointer is.
    const area = await box.boundingBox();
    for (const part of [0.001, 0.3, 0.5, 0.9, 0.999]) {
      await page.mouse.move(area.x + area.width * part, area.y + 20 + 150 * part);
      const x = Number(await cross.locator("circle").getAttribute("cx"));
      const line = await page.locator("#chart .line").getAttribute("d");
      const distance = (one) => Math.abs(one - area.width * part);
      const nearest = Math.min(...Array.from(line.matchAll(/[ML]([\d.]+)/g), ([, one]) => distance(Number(one))));
      assert.ok(distance(x) <= nearest + 0.5, `${part}: ${x}`);
      const text = await label.innerText();
      assert.ok(text.startsWith("33 at ") || reports.includes(text), text);
      const [at, chart] = [await label.boundingBox(), await box.boundingBox()];
      assert.ok(at.x >= chart.x && at.x + at.width <= chart.x + chart.width + 1, JSON.stringify([at, chart]));
      assert.ok(at.y >= chart.y && at.y + at.height <= chart.y + chart.height + 1, JSON.stringify([at, chart]));
    }
    await page.mouse.move(0, 0);
    assert.deepEqual([await label.innerText(), await cross.count()], ["", 0]);
    // Keys of the browser are left to it.
    await box.focus();
    await page.keyboard.press("Control+End");
    assert.equal(await label.innerText(), "");
    quiet(page);
  });

  test("the chart has enough contrast in both themes, with its crosshair", async () => {
    for (const options of [{ colorScheme: "light" }, { colorScheme: "dark" }, { colorScheme: "dark", viewport: { width: 390, height: 844 } }]) {
      const page = await device(AC, DID, options);
      await page.locator("#chart-box").focus();
      await page.keyboard.press("End");
      const contrasts = await page.evaluate(() => {
        const channels = (color) => color.match(/[\d.]+/g).slice(0, 3).map(Number);
        const light = (color) => {
          const [r, g, b] = channels(color).map((one) => (one / 255 <= 0.04045 ? one / 255 / 12.92 : ((one / 255 + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const card = getComputedStyle(document.querySelector("#chart")).backgroundColor;
        const ratio = (one, two) => (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
        const style = (one) => getComputedStyle(document.querySelector(one));
        const against = (color) => ratio(light(color), light(card));
        return {
          text: against(style("#chart svg text").fill),
          label: ratio(light(style("#chart-at").color), light(style("#chart-at").backgroundColor)),
          line: against(style("#chart .line").stroke),
          dot: against(style("#chart .cross circle").fill),
          cross: against(style("#chart .cross line").stroke),
          axis: against(style("#chart .axis").stroke),
          border: against(style("#chart-at").borderTopColor),
        };
      });
      for (const [part, ratio] of Object.entries(contrasts)) {
        const least = ["text", "label"].includes(part) ? 4.5 : 3;
        assert.ok(ratio >= least, `${options.colorScheme} ${part}: ${ratio.toFixed(2)}`);
      }
      assert.deepEqual(await violations(page), []);
      assert.equal(await scrollsSideways(page), false);
      await page.close();
    }
  });

  test("refusals say what to do", async () => {
    const page = await device();
    const sent = page.locator("#sent");
    await send(page).click();
    await sent.getByText("Nothing is changed: change at least one point.").waitFor();
    await page.getByRole("spinbutton", { name: "set_temp" }).fill("31");
    await send(page).click();
    await sent.filter({ hasText: /above.*30/ }).filter({ hasText: "5401" }).waitFor();
    // What was typed is still there, to be mended: the field says what is wrong, and has the focus.
    const field = page.getByRole("spinbutton", { name: "set_temp" });
    assert.equal(await field.inputValue(), "31");
    assert.equal(await field.evaluate((node) => node === document.activeElement), true);
    assert.deepEqual([await field.getAttribute("aria-invalid"), await field.getAttribute("aria-describedby")], ["true", "sent"]);
    assert.match(await sent.innerText(), /^set_temp = 31/);
    // A token that expired is fetched anew.
    await page.getByRole("spinbutton", { name: "set_temp" }).fill("28");
    await simulator.tell("/modes", { route: "*", mode: "error", code: 5011, count: 1 });
    await send(page).click();
    await sent.getByText("Sent: set_temp 28.").waitFor();
    assert.equal(await field.getAttribute("aria-invalid"), null);
    const enterprise_id = simulator.environment.GIZWITS_ENTERPRISE_ID;
    await simulator.tell("/switches", { switch: "quota", enterprise_id, calls: 0 });
    await page.getByRole("spinbutton", { name: "set_temp" }).fill("27");
    await send(page).click();
    await sent.getByText("Wait for the next full hour").waitFor();
    // What was changed is still there, and can be sent when there are calls again.
    assert.equal(await field.inputValue(), "27");
    assert.equal(await send(page).isDisabled(), true);
    await simulator.tell("/switches", { switch: "quota", enterprise_id, calls: 100000 });
    await page.getByRole("button", { name: "Check again" }).click();
    await until("it can be sent", () => send(page).isEnabled());
    await send(page).click();
    await sent.getByText("Sent: set_temp 27.").waitFor();
    assert.deepEqual(page.complaints.filter((one) => !/status of 40[03]/.test(one)), []);
  });

  test("without the definition, then with it", async () => {
    const page = await open(`${simulator.page}page.svg`);
    let away = 2;
    await page.route("**/page/definition/*", (route) => (away-- > 0 ? route.abort() : route.continue()));
    await page.goto(deviceUrl());
    await page.locator("#bits-table .wide", { hasText: "point 6 = " }).waitFor();
    await page.locator("#attrs tbody tr", { hasText: "point 6" }).waitFor();
    await page.locator("#notice", { hasText: "Is gizwits simulate still running?" }).waitFor();
    // It is asked for again with the next frame.
    for (const room_temp of [18, 19]) await simulator.tell(`/devices/${DID}`, { act: "set", attrs: { room_temp } });
    await value(page, "set_temp").waitFor();
    await page.locator("#bits-table .wide", { hasText: "set_temp = " }).waitFor();
    await page.getByRole("spinbutton", { name: "set_temp" }).waitFor();
    assert.equal(await page.getByText("point 6").count(), 0);
    assert.equal(await page.locator("#notice").innerText(), "");
  });

  test("without quota: the names stay, nothing can be sent; then with it", async () => {
    const enterprise_id = simulator.environment.GIZWITS_ENTERPRISE_ID;
    await simulator.tell("/switches", { switch: "quota", enterprise_id, calls: 0 });
    const page = await open(deviceUrl());
    await page.locator("#bits-table .wide", { hasText: "set_temp = " }).waitFor();
    await value(page, "set_temp").waitFor();
    await page.locator("#notice", { hasText: "Wait for the next full hour" }).waitFor();
    await page.locator("#quota", { hasText: /used up until .*\d\d:\d\d/ }).waitFor();
    assert.equal(await send(page).isDisabled(), true);
    assert.equal(await page.locator("#chart-span").isDisabled(), true);
    assert.deepEqual(await violations(page), []);
    // Reports still arrive.
    await simulator.tell(`/devices/${DID}`, { act: "set", attrs: { room_temp: 23 } });
    await value(page, "room_temp").locator("mark", { hasText: "23" }).waitFor();
    await simulator.tell("/switches", { switch: "quota", enterprise_id, calls: 100000 });
    await page.getByRole("button", { name: "Try again" }).click();
    assert.equal(await page.evaluate(() => document.activeElement.id), "device-title");
    await drawn(page);
    assert.equal(await send(page).isEnabled(), true);
    assert.equal(await page.locator("#quota").isVisible(), false);
    assert.equal(await page.locator("#notice").innerText(), "");
    assert.deepEqual(page.complaints.filter((one) => !/status of 40[03]/.test(one)), []);
  });

  test("the logs of a published product are closed, the device is not", async () => {
    const switched = (on) => simulator.tell("/switches", { switch: "published", product_key: AC, on });
    await switched(true);
    const page = await open(deviceUrl());
    await page.locator("#notice", { hasText: "logs of a published product are closed" }).waitFor();
    await page.locator("#bits-table .wide", { hasText: "set_temp" }).waitFor();
    await value(page, "set_temp").waitFor();
    await simulator.tell(`/devices/${DID}`, { act: "set", attrs: { room_temp: 12 } });
    await value(page, "room_temp").locator("mark", { hasText: "12" }).waitFor();
    assert.equal(await page.locator("#log .entry").count(), 1);
    assert.equal(await page.getByRole("button", { name: "Try again" }).count(), 0);
    await page.getByRole("button", { name: "Dismiss" }).click();
    assert.equal(await page.evaluate(() => document.activeElement.id), "device-title");
    await switched(false);
    assert.deepEqual(page.complaints.filter((one) => !one.includes("status of 403")), []);
  });

  test("payloads in base64", async () => {
    const { id } = await simulator.tell("/modes", { route: "*", mode: "base64_payloads" });
    const page = await device();
    await simulator.tell(`/modes/${id}`, undefined, "DELETE");
    for (const payload of await page.locator("#log .entry code").allInnerTexts()) assert.match(payload, /^00000003[0-9a-f]+$/);
    assert.equal(await page.locator("#notice").innerText(), "");
    quiet(page);
  });

  test("comings and goings stay in the log", async () => {
    const page = await device();
    const left = page.locator("#log .entry", { hasText: "device offline: tcp_closed" });
    const before = await left.count();
    await simulator.tell(`/devices/${DID}`, { act: "offline", reason: "tcp_closed" });
    await simulator.tell(`/devices/${DID}`, { act: "online" });
    await until("it is told", async () => (await left.count()) === before + 1);
    await page.reload();
    await drawn(page);
    assert.equal(await left.count(), before + 1);
    const times = await page.locator("#log time").evaluateAll((all) => all.map((one) => one.dateTime));
    assert.deepEqual(times, [...times].sort().reverse());
    quiet(page);
  });

  test("records of one moment have one order", async () => {
    await simulator.tell(`/devices/${DID}`, { act: "offline", reason: "tcp_closed" });
    await simulator.tell(`/devices/${DID}`, { act: "online" });
    await simulator.tell(`/devices/${DID}`, { act: "set", attrs: { room_temp: 31 } });
    const heard = {};
    const page = await open(deviceUrl(), {}, (page) =>
      page.route(/\/devices\/[^/]+\/(cmd|online)\?/, async (route) => {
        const response = await route.fetch();
        const json = await response.json();
        for (const one of json.objects) one.timestamp = 1514692800.5;
        heard[route.request().url().match(/(cmd|online)\?/)[1]] = json.objects;
        await route.fulfill({ response, json });
      }),
    );
    await drawn(page);
    assert.ok(heard.cmd.length > 1 && heard.online.length > 1);
    // A device comes before it reports, so with the newest at the top the frames are first, as the API has them.
    const ways = (await page.locator("#log .entry .way").allTextContents()).filter((way) => way !== "device");
    assert.deepEqual(ways.map((way) => way === "cloud"), [...heard.cmd.map(() => false), ...heard.online.map(() => true)]);
    const payloads = await page.locator("#log .entry code").allTextContents();
    assert.deepEqual(payloads, heard.cmd.map((one) => one.payload));
    const comings = await page.locator("#log .entry", { has: page.locator(".way", { hasText: "cloud" }) }).locator(".kind").allTextContents();
    assert.deepEqual(comings, heard.online.map((one) => one.type.replace("dev_", "")));
    quiet(page);
  });

  test("a record that is told before the log is loaded is there once", async () => {
    let load;
    const told = new Promise((done) => (load = done));
    const page = await open(deviceUrl(), {}, (page) =>
      page.route(/\/devices\/[^/]+\/cmd\?/, async (route) => {
        await told;
        await route.continue();
      }),
    );
    await page.locator("#link.live").waitFor();
    for (const room_temp of [27, 28]) await simulator.tell(`/devices/${DID}`, { act: "set", attrs: { room_temp } });
    await page.locator("#log .entry", { hasText: "room_temp 28" }).first().waitFor();
    const before = await page.locator("#log .entry").count();
    load();
    await until("the log is loaded", async () => (await page.locator("#log .entry").count()) > before);
    const records = await page.locator("#log .entry").evaluateAll((all) =>
      all.map((one) => `${one.querySelector("time").dateTime} ${one.querySelector("code")?.textContent ?? one.textContent}`),
    );
    assert.equal(new Set(records).size, records.length);
    quiet(page);
  });

  test("a value that a device leaves out is in its log, with the limits", async () => {
    const page = await device();
    const { id } = await simulator.tell("/modes", { route: "*", mode: "unchecked_raw" });
    const env = simulator.environment;
    const base = `${simulator.url}/v1/products/${AC}`;
    const post = async (target, body, token) => {
      const headers = token ? { authorization: `token ${token}` } : {};
      const answer = await fetch(base + target, { method: "POST", headers, body: JSON.stringify(body) });
      assert.ok(answer.ok, await answer.clone().text());
      return answer.json();
    };
    const { token } = await post("/access_token", {
      enterprise_id: env.GIZWITS_ENTERPRISE_ID,
      enterprise_secret: env.GIZWITS_ENTERPRISE_SECRET,
      product_secret: env.GIZWITS_PRODUCT_SECRET,
    });
    await post(`/devices/${DID}/control`, { raw: [1, 64, 0, 0, 0, 99] }, token);
    await simulator.tell(`/modes/${id}`, undefined, "DELETE");
    const told = page.locator("#log .entry", { hasText: "set_temp = 99 is above its maximum 30 (16..30, step 1)" });
    await told.waitFor();
    assert.match(await told.innerText(), /device\s+left out/);
    await page.reload();
    await drawn(page);
    await told.waitFor();
    assert.equal(await told.count(), 1);
    assert.deepEqual(await violations(page), []);
    quiet(page);
  });

  for (const [width, touched] of [[320, true], [1280, false]]) {
    test(`every point of the bits has its name, ${width} px wide`, async () => {
      const page = await device(AC, DID, { viewport: { width, height: 800 }, hasTouch: touched });
      const cut = () =>
        page.locator("#bits-table .bit .name").evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth).length);
      assert.equal(await cut(), 0);
      for (const point of await page.locator("#bits-table .cut .bit[data-id]").all()) {
        const id = await point.getAttribute("data-id");
        assert.equal(await page.locator(`#bits-table li[data-id="${id}"]`).isVisible(), true);
      }
      assert.equal(await scrollsSideways(page), false);
      // By finger, or by keyboard.
      const cell = page.locator("#bits-table .bit", { hasText: "alert_full" });
      const id = await cell.getAttribute("data-id");
      if (touched) {
        await cell.tap();
      } else {
        await page.locator("#bits-table").focus();
        for (let n = 0; n < 20; n++) {
          await page.keyboard.press("ArrowRight");
          if ((await page.locator("#pointed").innerText()).startsWith("alert_full")) break;
        }
      }
      await page.locator("#pointed", { hasText: /^alert_full, .*alert = off$/ }).waitFor();
      assert.equal(await page.locator(`#attrs tr.hot[data-id="${id}"]`).count(), 1);
      assert.deepEqual(await violations(page), []);
      quiet(page);
    });
  }

  test("hidden characters of a definition are seen, and none reorders the text beside it", async () => {
    const file = new URL("../../simulator/definitions/air-conditioner.json", import.meta.url);
    const definition = JSON.parse(readFileSync(file, "utf8"));
    const attrs = definition.entities[0].attrs;
    const named = (name) => attrs.find((attr) => attr.name === name);
    definition.name = "Air\u202econditioner";
    named("set_temp").display_name = "\u202eset\u200bting";
    named("fan_speed").enum[0] = "lo\u202ew\u200b";
    named("room_temp").display_name = "\u05d8\u05de\u05e4\u05e8\u05d8\u05d5\u05e8\u05d4";
    named("room_temp").name = "\u05d7\u05d3\u05e8";
    const there = await world(`[[device]]\nproduct = "${AC}"\nmac = "\u202eff"\ndid = "did"`, definition);
    try {
      const page = await open(deviceUrl(AC, "did", there));
      await page.locator("#attrs tbody tr").first().waitFor();
      await page.locator("#fields label").first().waitFor();
      const read = () =>
        page.evaluate(() => {
          const titles = [...document.querySelectorAll("[title]")].map((node) => node.title);
          return [document.title, document.body.textContent, ...titles].join("\n");
        });
      const list = await open(`${there.page}#/${AC}`);
      await list.locator("#devices tbody tr").first().waitFor();
      for (const text of [await read(), await list.locator("body").innerText()]) {
        assert.doesNotMatch(text, /[\u202e\u200b]/);
        assert.match(text, /Air\\u\{202e\}conditioner/);
        assert.match(text, /\\u\{202e\}ff/);
      }
      assert.match(await read(), /\\u\{202e\}set\\u\{200b\}ting/);
      assert.match(await read(), /lo\\u\{202e\}w\\u\{200b\}/);
      // The name that is written from right to left is left of its value, which is a number.
      await there.tell("/devices/did", { act: "set", attrs: { "\u05d7\u05d3\u05e8": 21 } });
      const name = page.locator("#bits-table .wide .name bdi", { hasText: "\u05d7\u05d3\u05e8" }).first();
      const number = name.locator("xpath=following-sibling::bdi[1]");
      await until("it is reported", async () => (await number.innerText()) === "21");
      assert.ok((await name.boundingBox()).x < (await number.boundingBox()).x);
      // What is sent has the characters of the definition.
      await page.locator("#fields select[name=fan_speed]").selectOption({ index: 1 });
      await send(page).click();
      await until("it is sent", async () => /^Sent/.test(await page.locator("#sent").innerText()));
      quiet(page);
    } finally {
      await there.stop();
    }
  });

  test("addresses that mean nothing", async () => {
    for (const hash of ["#/%", "#/nothing", "#/%E0%A4%A/x"]) {
      const page = await open(simulator.page + hash);
      await page.locator("#notice", { hasText: "There is no product" }).waitFor();
      await page.locator("#devices tbody tr").first().waitFor();
      await page.locator("#link.live").waitFor();
      quiet(page);
      await page.close();
    }
    const page = await open(`${deviceUrl()}%`);
    await page.locator("#notice", { hasText: "The product or device does not exist" }).waitFor();
  });

  test("a page that comes before the simulator does", async () => {
    const page = await open(`${simulator.page}page.svg`);
    let away = true;
    await page.route("**/page/products", (route) => (away ? route.abort() : route.continue()));
    await page.goto(deviceUrl());
    await page.locator("#link", { hasText: "not connected, trying again" }).waitFor();
    await page.locator("#notice", { hasText: "Is gizwits simulate still running?" }).waitFor();
    away = false;
    await drawn(page);
    assert.equal(await page.locator("#notice").innerText(), "");
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
    const list = ["gizwits simulator", "debugger", "air conditioner", "wave pump", "search", "state", "virtual:site"];
    assert.deepEqual(await tab("virtual:site"), list);
    await page.keyboard.press("Enter");
    await drawn(page);
    await until("the title has the focus", async () => (await focused()).name === "device-title");
    const wanted = await other(page, "set_temp", "19", "23");
    const on = (await value(page, "switch").innerText()).startsWith("on");
    const passed = ["debug", "attrs-table", "switch", "fan_swing", "mode", "fan_speed"];
    assert.deepEqual((await tab("set_temp")).filter((name) => name).slice(0, 6), passed);
    await page.keyboard.press("Control+A");
    await page.keyboard.type(wanted);
    for (let n = 0; n < 20 && (await focused()).name !== "switch"; n++) await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Space");
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
    await page.getByRole("heading", { name: "Not available from here" }).waitFor();
    await page.getByText("ssh -L").waitFor();
    assert.deepEqual(await violations(page), []);
    assert.equal((await page.content()).includes(simulator.environment.GIZWITS_ENTERPRISE_SECRET), false);
  });

  test("a page of somebody else gets nothing", async () => {
    const page = await open(`http://machine.localhost:${new URL(simulator.page).port}/`);
    await page.getByRole("heading", { name: "Not available from here" }).waitFor();
    const got = await page.evaluate(async (url) => {
      const text = (mode) => fetch(`${url}page/products`, { mode }).then((answer) => answer.text(), () => "");
      return [await text("cors"), await text("no-cors")];
    }, simulator.page);
    assert.deepEqual(got, ["", ""]);
  });

  test("a proxy that says nothing of whom it speaks for", async () => {
    const { port } = new URL(simulator.page);
    const proxy = createServer((asked, answer) => {
      const headers = { ...asked.headers, host: `127.0.0.1:${port}` };
      const on = request({ port, path: asked.url, method: asked.method, headers }, (said) => {
        answer.writeHead(said.statusCode, said.headers);
        said.pipe(answer);
      });
      asked.pipe(on);
    });
    await new Promise((done) => proxy.listen(0, "127.0.0.1", done));
    try {
      const base = `http://proxy.localhost:${proxy.address().port}/`;
      const page = await open(base);
      await page.getByRole("heading", { name: "Not available from here" }).waitFor();
      await page.goto(`${base}page/products`);
      assert.match(await page.content(), /works on loopback only/);
      assert.equal((await page.content()).includes(simulator.environment.GIZWITS_ENTERPRISE_SECRET), false);
      await page.context().close();
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  test("more devices than are listed at once", async () => {
    const disabled = (n) => (n === 3 ? "disabled = true" : "");
    const devices = Array.from({ length: 250 }, (_, n) => `[[device]]\nproduct = "${AC}"\nmac = "m${n}"\ndid = "d${n}"\n${disabled(n)}`);
    const many = await world(devices.join("\n"), "air-conditioner");
    try {
      const page = await open(many.page);
      const rows = page.locator("#devices tbody tr");
      await until("a hundred", async () => (await rows.count()) === 100);
      await rows.filter({ hasText: "m3d3" }).filter({ hasText: "disabled" }).waitFor();
      assert.equal(await rows.filter({ hasText: "disabled" }).count(), 1);
      await page.locator("#link.live").waitFor();
      // What happens to those that are not listed yet.
      for (let n = 130; n < 170; n++) await many.tell(`/devices/d${n}`, { act: "offline", reason: "tcp_closed" });
      await many.tell("/devices/d0", { act: "disable", on: true });
      await rows.filter({ hasText: "m0d0" }).filter({ hasText: "disabled" }).waitFor();
      const more = page.getByRole("button", { name: "More devices" });
      await more.click();
      await until("two hundred", async () => (await rows.count()) === 200);
      await more.focus();
      await page.keyboard.press("Enter");
      await until("all", async () => (await rows.count()) === 250);
      assert.equal(await more.isVisible(), false);
      assert.equal(await page.evaluate(() => document.activeElement.textContent), "m200");
      const shown = await rows.locator("a").allInnerTexts();
      assert.deepEqual(shown, Array.from({ length: 250 }, (_, n) => `m${n}`));
      assert.equal(await rows.filter({ hasText: "offline" }).count(), 40);
      assert.equal(await page.locator("#count").innerText(), "250 devices");
      quiet(page);
      await page.close();
    } finally {
      await many.stop();
    }
  });

  test("a clock that is stepped, and more than is kept", async () => {
    const walk = '[[device.walk]]\npoint = "room_temp"\nevery = "60s"\nstep = 1\nmin = 10\nmax = 30';
    const busy = await world(`[[device]]\nproduct = "${AC}"\nmac = "busy"\ndid = "${DID}"\n${walk}`, "air-conditioner");
    try {
      await busy.tell("/clock", { step_ms: 3_600_000 });
      const page = await open(deviceUrl(AC, DID, busy));
      await drawn(page);
      const log = page.locator("#log");
      await log.evaluate((node) => (node.scrollTop = 200));
      await busy.tell("/clock", { step_ms: 26 * 3_600_000 });
      await page.getByRole("button", { name: "500 or more new records" }).waitFor();
      const text = page.locator("#chart-text");
      await text.filter({ hasText: /1000 reports, the newest of more/ }).waitFor();
      // All of it is of today, and within the picture.
      await text.filter({ hasText: /last \d+ at \d\d:\d\d:\d\d;/ }).waitFor();
      const beyond = () =>
        page.locator("#chart-box svg").evaluate((svg) => {
          const line = svg.querySelector(".line").getBBox();
          return line.x + line.width > svg.viewBox.baseVal.width;
        });
      assert.equal(await beyond(), false);
      await page.getByRole("button", { name: "500 or more new records" }).click();
      assert.ok((await page.locator("#log .entry").count()) <= 500);
      await page.reload();
      await drawn(page);
      assert.match(await text.innerText(), /last \d+ at \d\d:\d\d:\d\d; 1000 reports, the newest of more/);
      assert.equal(await beyond(), false);
      quiet(page);
      await page.close();
    } finally {
      await busy.stop();
    }
  });

  test("the end of the log keeps the focus", async () => {
    const page = await device(PUMP, PUMP_DID);
    const more = page.getByRole("button", { name: "Older records" });
    await more.focus();
    for (let n = 0; n < 20 && (await more.isVisible()); n++) {
      const before = await page.locator("#log .entry").count();
      await page.keyboard.press("Enter");
      await until("an answer", async () => (await page.locator("#log .entry").count()) > before || !(await more.isVisible()));
    }
    assert.equal(await page.evaluate(() => document.activeElement.id), "log");
    assert.match(await page.locator("#log-rest").innerText(), /have no records|the newest 500/);
    quiet(page);
  });

  test("a device that there isn't", async () => {
    const page = await open(deviceUrl(AC, "nobody"));
    await page.locator("#notice", { hasText: "The product or device does not exist" }).waitFor();
    await page.getByRole("link", { name: "All devices of air conditioner" }).click();
    await page.locator("#devices tbody tr").first().waitFor();
    await page.locator("#link.live").waitFor();
    assert.equal(await page.locator("#notice").innerText(), "");
  });

  test("after the simulator was away, the page goes on", async () => {
    let away = await Simulator.still();
    const page = await open(deviceUrl(AC, DID, away));
    await drawn(page);
    await away.stop();
    await page.locator("#link", { hasText: "connection lost, trying again" }).waitFor();
    await page.getByRole("spinbutton", { name: "set_temp" }).fill("20");
    await send(page).click();
    await page.locator("#sent", { hasText: "Is gizwits simulate still running?" }).waitFor();
    // Another world, with tokens of its own, at the same address.
    away = await Simulator.still("--listen", new URL(away.page).host);
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
    let away = await Simulator.still("--db", db);
    try {
      const page = await open(deviceUrl(AC, DID, away));
      await drawn(page);
      const address = new URL(away.page).host;
      const payloads = () => page.locator("#log .entry code").allInnerTexts();
      const before = await payloads();
      const first = await page.locator("#log .entry").last().evaluate((node) => ((window.oldest = node), node.innerText));
      await away.stop();
      await page.locator("#link.lost").waitFor();
      away = await Simulator.still("--db", db, "--listen", address);
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
