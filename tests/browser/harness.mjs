// A simulator, and a browser that looks at it: what every test of a page needs.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** `gizwits simulate`, on free ports unless they are given. */
export class Simulator {
  static async start(...args) {
    const program = process.env.GIZWITS ?? "gizwits";
    const child = spawn(program, ["simulate", "--shell", "bash", ...args], { stdio: ["ignore", "pipe", "inherit"] });
    const one = new Simulator();
    one.child = child;
    one.ended = new Promise((done) => child.once("exit", (code) => done(code)));
    one.environment = {};
    for await (const line of createInterface({ input: child.stdout })) {
      const admin = line.match(/^# Administration: (\S+)$/);
      if (admin) one.admin = admin[1];
      const page = line.match(/^# Device page: (\S+)$/);
      if (page) one.page = page[1];
      const variable = line.match(/^(?:# )?export (GIZWITS_\w+)=(\S+)$/);
      if (variable) one.environment[variable[1]] ??= variable[2];
      // The first product's device: all that counts is said. A world may have no product.
      if (variable?.[1] === "GIZWITS_DID") break;
      if (variable?.[1] === "GIZWITS_BASE_URL") {
        const { credentials } = await (await fetch(one.admin)).json();
        if (!credentials.length) break;
      }
    }
    child.stdout.resume();
    assert.ok(one.page && one.admin, "gizwits simulate says where it listens");
    one.url = one.environment.GIZWITS_BASE_URL;
    return one;
  }

  /** The default world without the behaviours that have turns while a test looks at the page. */
  static async still(...args) {
    const { stdout } = spawnSync(process.env.GIZWITS ?? "gizwits", ["simulate", "--print-scenario"], { encoding: "utf8" });
    const tables = stdout.split(/^(?=\[)/m).filter((table) => !/^live = true$/m.test(table));
    const folder = mkdtempSync(join(tmpdir(), "gizwits-"));
    try {
      const file = join(folder, "world.toml");
      writeFileSync(file, tables.join(""));
      return await Simulator.start("--scenario", file, ...args);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** Tells the administration something. */
  async tell(path, body, method = "POST") {
    const answer = await fetch(this.admin + path, { method, body: body && JSON.stringify(body) });
    assert.equal(answer.status, 200, `${path}: ${await answer.clone().text()}`);
    return answer.json();
  }

  /** Ends it as Ctrl-C does. */
  async stop() {
    this.child.kill("SIGINT");
    return this.ended;
  }
}

let browser;

/** A page of its own in the one browser, that tells what went wrong in it. `prepare` is done before it loads. */
export async function open(url, options = {}, prepare = () => {}) {
  browser ??= await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // Containers run as root, where chromium's sandbox does not work.
    chromiumSandbox: process.getuid?.() !== 0,
    args: ["--disable-background-networking", "--disable-component-update"],
  });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  /** Errors and warnings of the console, errors that nobody caught. */
  page.complaints = [];
  /** Requests to anybody but the simulator. */
  page.strangers = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) page.complaints.push(message.text());
  });
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) page.strangers.push(request.url());
  });
  await prepare(page);
  await page.goto(url);
  return page;
}

export async function close() {
  await browser?.close();
  browser = null;
}

/** Nothing went wrong, and nobody else was asked. */
export function quiet(page) {
  assert.deepEqual(page.complaints, []);
  assert.deepEqual(page.strangers, []);
}

/** What axe-core finds wrong, in a line each. */
export async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
}

/** Whether something is wider than the window. */
export const scrollsSideways = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

/** Waits until something is as it should be. */
export async function until(what, probe) {
  const began = Date.now();
  for (;;) {
    if (await probe()) return;
    if (Date.now() - began > 20_000) assert.fail(`never: ${what}`);
    await new Promise((turn) => setImmediate(turn));
  }
}
