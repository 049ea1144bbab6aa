// @ts-check
// A park of 100,000 drivers: the first page within 100 ms, search as one types, scrolling with p95 under 25 ms a frame.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, withPage } from "./browser.mjs";
import { until, World } from "./fleet.mjs";

const DRIVERS = Number(process.env.PARKDESK_SCALE ?? 100_000);
const LAST = [
  "Иванов",
  "Смирнов",
  "Кузнецов",
  "Попов",
  "Соколов",
  "Лебедев",
  "Козлов",
  "Новиков",
  "Морозов",
  "Петров",
];
const FIRST = [
  "Александр",
  "Дмитрий",
  "Максим",
  "Сергей",
  "Андрей",
  "Алексей",
  "Артём",
  "Илья",
  "Кирилл",
  "Михаил",
];

/** @type {World} */
let world;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("./fleet.mjs").Appliance} */
let office;

before(
  async () => {
    world = await World.open();
    const rows = ["driver_id,last_name,first_name,middle_name,phones,licence,plate"];
    for (let n = 0; n < DRIVERS; n += 1) {
      const name = `${LAST[n % 10]}${n % 97 ? "" : "-Задунайский"},${FIRST[Math.floor(n / 10) % 10]},Отчество${n % 1000}`;
      rows.push(`d${n},${name},+7 9${String(n).padStart(9, "0")},77 АА ${String(n).padStart(6, "0")},`);
    }
    await world.startHub(`${rows.join("\n")}\n`);
    browser = await openBrowser();
    office = world.appliance("office");
    await office.enrol(world.hub, "operator", world.park);
    await office.start();
    const last = `7900${String(DRIVERS - 1).padStart(7, "0")}`;
    await until("all drivers", async () => (await office.ask("drivers", last))?.length > 0, 300);
  },
  { timeout: 600_000 },
);

after(async () => {
  await browser?.close();
  await world?.close();
});

/** The figure that 95 of 100 stay under. @param {number[]} times */
function p95(times) {
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? Number.POSITIVE_INFINITY;
}

/**
 * The best of three rounds: what the program can do, not what else the machine was doing.
 * @param {() => Promise<number[]>} round
 */
async function best(round) {
  const rounds = [p95(await round()), p95(await round()), p95(await round())];
  return Math.min(...rounds);
}

test("the list opens, is searched and scrolls at once", async () => {
  await withPage(browser, await office.link(), {}, async (page) => {
    await page.goto(`http://${office.listen}/drivers`);
    const rows = page.getByRole("grid").getByRole("row");
    await rows.nth(5).waitFor();
    const ask = (/** @type {string[]} */ texts) =>
      page.evaluate(async (all) => {
        const times = [];
        for (const text of [...all, ...all, ...all]) {
          const start = performance.now();
          await (await fetch(`/api/v1/drivers?limit=50&text=${encodeURIComponent(text)}`)).json();
          times.push(performance.now() - start);
        }
        return times;
      }, texts);
    const first = await best(() => ask(["", "", "", ""]));
    const typed = ["иванов", "кузн", "77 АА 09", "+7 900", "александр петров", "соколов артем"];
    const search = await best(() => ask(typed));
    const frame = await best(() =>
      page.evaluate(async () => {
        const grid = document.querySelector("[role=grid]");
        const parts = grid ? [grid, ...grid.querySelectorAll("*")] : [];
        const box = parts.find((one) => one.scrollHeight > one.clientHeight + 200);
        if (!box) throw new Error("nothing scrolls");
        /** @type {number[]} */
        const times = [];
        let last = performance.now();
        for (let step = 0; step < 240; step += 1) {
          box.scrollTop += 400;
          await new Promise((resolve) => requestAnimationFrame(resolve));
          const now = performance.now();
          times.push(now - last);
          last = now;
        }
        return times;
      }),
    );
    const nodes = await page.evaluate(() => document.querySelectorAll("*").length);
    const say = (/** @type {number} */ ms) => `${ms.toFixed(1)} ms`;
    console.log(
      `${DRIVERS} drivers, p95: first page ${say(first)}, search ${say(search)}, frame ${say(frame)}; ${nodes} nodes`,
    );
    assert.ok(first < 100, `first page ${first} ms`);
    assert.ok(search < 250, `search ${search} ms`);
    assert.ok(frame < 25, `scroll ${frame} ms`);
    assert.ok(nodes < 3000, "rows out of sight are not in the page");
  });
});
