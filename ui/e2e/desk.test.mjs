// @ts-check
// What people do at the desk, in Debian's Chromium against real appliances and a real hub: set-up, the 20-second task of the
// photo centre with its count of keys, offline work, refusals. `npm run e2e`; needs the debug build and the built pages.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { axe, openBrowser, withPage } from "./browser.mjs";
import { film } from "./camera.mjs";
import { photos, until, World } from "./fleet.mjs";

/** @type {World} */
let world;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  world = await World.open();
  await world.startHub();
  const painter = await openBrowser();
  const camera = join(world.dir, "camera.mjpeg");
  await film(painter, join(photos, "obama.jpg"), camera);
  await painter.close();
  browser = await openBrowser({ camera });
});

after(async () => {
  await browser?.close();
  await world?.close();
});

test("a new appliance is set up by keyboard alone, its recovery code shown once, its first person signed in", async () => {
  const fresh = world.appliance("fresh");
  await fresh.start();
  await withPage(browser, await fresh.link(), {}, async (page) => {
    await page.getByRole("heading", { name: "Добро пожаловать в Parkdesk" }).waitFor();
    assert.deepEqual(await axe(page), []);
    await page.keyboard.press("Enter");

    await page.getByLabel("Адрес узла").waitFor();
    await page.keyboard.type(world.hub.url ?? "");
    await page.keyboard.press("Tab");
    await page.keyboard.type("AAAA-BBBB-CCCC");
    await page.keyboard.press("Tab");
    await page.keyboard.type("Фотоцентр на Варшавском");
    await page.keyboard.press("Enter");
    // A wrong code is said at its field and nothing is lost.
    await page.locator("[slot=errorMessage]").first().waitFor();
    await page.getByLabel("Код", { exact: true }).fill(await world.hub.code("admin", world.park));
    assert.deepEqual(await axe(page), []);
    await page.keyboard.press("Enter");

    await page.getByRole("heading", { name: "Код восстановления" }).waitFor({ timeout: 20_000 });
    const sheet = (await page.locator("body").textContent()) ?? "";
    assert.match(sheet, /([0-9A-Z]{4}\s*){8}/, "eight groups of four");
    assert.deepEqual(await axe(page), []);
    await page.getByRole("checkbox").focus();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Далее" }).press("Enter");

    await page.getByRole("heading", { name: "Камера" }).waitFor();
    await page.getByRole("button", { name: "Далее" }).press("Enter");
    await page.getByRole("heading", { name: "Папка с фото" }).waitFor();
    await page.getByRole("button", { name: "Без папки" }).press("Enter");

    await page.getByRole("heading", { name: "Первый сотрудник" }).waitFor();
    // The park's name comes with the first exchange; its code of entry is typed where the focus is.
    await page.keyboard.type("Иванова Мария Петровна");
    await page.getByLabel("Код входа").fill("2468135790");
    assert.deepEqual(await axe(page), []);
    await page.getByRole("button", { name: "Добавить и войти" }).press("Enter");
    await page.getByRole("heading", { name: "Всё готово" }).waitFor();
    await page.getByRole("button", { name: "Начать работу" }).press("Enter");
    await page.getByRole("navigation", { name: "Разделы" }).waitFor();

    // The same person after a reload; nobody after signing out.
    await page.reload();
    await page.getByRole("navigation", { name: "Разделы" }).waitFor();

    // The first person is known to the hub, so a second desk asks for the same code, without a network of its own.
    await until(
      "the hub to judge the first person",
      async () => (await fresh.ask("status")).queue.commands === 0,
    );
  });
  await fresh.stop();
});
