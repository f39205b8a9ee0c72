// How much the pages load, how soon they paint, and how far their content moves.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Simulator, close, open, quiet } from "./harness.mjs";

let simulator;
before(async () => (simulator = await Simulator.still()));
after(async () => {
  await close();
  await simulator.stop();
});

/** Measures a page: first paint in milliseconds, layout shift, and the bytes of its own scripts and styles. */
async function measured(target, ready) {
  const files = [];
  const page = await open(simulator.page + target, {}, async (page) => {
    page.on("response", (response) => {
      const kind = new URL(response.url()).pathname.match(/\.(js|css)$/)?.[1];
      if (kind) files.push(response.body().then((body) => [kind, body.length]));
    });
    await page.addInitScript(() => {
      window.shift = 0;
      const add = (list) => list.getEntries().forEach((entry) => (window.shift += entry.value));
      new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
    });
  });
  await ready(page);
  // Two frames later, everything that was drawn is laid out and observed.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  const shift = await page.evaluate(() => window.shift);
  const sizes = { js: 0, css: 0 };
  for (const [kind, length] of await Promise.all(files)) sizes[kind] += length;
  quiet(page);
  return { paint, shift, ...sizes };
}

/** The limits: a page must paint within a second on a slow machine, and what is read must not move. */
const LIMITS = { paint: 3000, shift: 0.02, js: 75_000, css: 40_000 };

const pages = {
  list: ["", (page) => page.locator("#devices tbody tr").first().waitFor()],
  device: [
    "#/a1b2c3d4e5f60718293a4b5c6d7e8f90/cBYkSjoE2xspYMhaUHdk5k",
    async (page) => {
      await page.locator("#chart-box svg").waitFor();
      await page.locator("#log .entry").first().waitFor();
    },
  ],
};

for (const [name, [target, ready]] of Object.entries(pages)) {
  test(`figures of the ${name} page`, async (t) => {
    const got = await measured(target, ready);
    const { paint, shift, js, css } = got;
    t.diagnostic(`first paint ${paint.toFixed(0)} ms, layout shift ${shift.toFixed(4)}, scripts ${js} bytes, styles ${css} bytes`);
    for (const [figure, limit] of Object.entries(LIMITS)) assert.ok(got[figure] <= limit, `${figure}: ${got[figure]}, at most ${limit}`);
  });
}

test("figures of the debugger", async (t) => {
  const { paint, shift } = await measured("debugger/", (page) => page.locator(".opblock").first().waitFor());
  t.diagnostic(`first paint ${paint.toFixed(0)} ms, layout shift ${shift.toFixed(4)}`);
  assert.ok(paint <= LIMITS.paint);
});
