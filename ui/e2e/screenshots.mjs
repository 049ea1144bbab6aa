// Writes every page as a picture, in both themes and both languages at 1280x800 and 1024x600, so that a change of looks is
// seen by a person. Against the gallery (`npm run gallery`) all states are shown, against an appliance its pages:
//
//   node e2e/screenshots.mjs --base http://127.0.0.1:4173/dev/gallery --out /tmp/shots
//   node e2e/screenshots.mjs --base "$(parkdesk-agent open --data DIR)" --out /tmp/shots
//
// --only TEXT takes those whose name has it; --axe checks each for accessibility, too, and fails on a violation.
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { isList, rulesFor, settled } from "./gallery.mjs";

const { values: asked } = parseArgs({
  options: {
    base: { type: "string" },
    out: { type: "string" },
    only: { type: "string", default: "" },
    sizes: { type: "string", default: "1280x800,1024x600" },
    themes: { type: "string", default: "light,dark" },
    langs: { type: "string", default: "ru,en" },
    axe: { type: "boolean", default: false },
  },
});
if (!asked.base || !asked.out) {
  console.error("usage: node e2e/screenshots.mjs --base URL --out DIR [--only TEXT] [--axe]");
  process.exit(2);
}

/** Longer than the wait before a skeleton, so that one is never taken for the page. */
const QUIET_MS = 350;
const PAGES = ["capture", "drivers", "unassigned", "sync", "settings"];
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: FLAGS,
});
const axe = asked.axe
  ? await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
  : "";
const isGallery = asked.base.includes("/dev/gallery");
const origin = new URL(asked.base).origin;
let [written, violations] = [0, 0];

const first = await browser.newContext();
const opened = await first.newPage();
await opened.goto(asked.base);
const cookies = await first.cookies();
if (isGallery) await opened.waitForFunction(() => document.documentElement.dataset.states);
const shots = isGallery
  ? JSON.parse(await opened.evaluate(() => document.documentElement.dataset.states))
  : PAGES;
await first.close();

for (const size of asked.sizes.split(",")) {
  const [width, height] = size.split("x").map(Number);
  for (const theme of asked.themes.split(",")) {
    for (const lang of asked.langs.split(",")) {
      const dir = join(asked.out, `${size}-${theme}-${lang}`);
      await mkdir(dir, { recursive: true });
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: theme,
        locale: lang === "ru" ? "ru-RU" : "en-GB",
        reducedMotion: "reduce",
        permissions: ["camera"],
      });
      await context.addCookies(cookies);
      await context.addInitScript(
        ([theme, lang]) => {
          localStorage.setItem("parkdesk.theme", theme);
          localStorage.setItem("parkdesk.lang", lang);
        },
        [theme, lang],
      );
      for (const shot of shots.filter((name) => name.includes(asked.only)))
        await take(context, shot, dir, theme, lang);
      await context.close();
    }
  }
}
await browser.close();
console.log(
  `${written} pictures in ${asked.out}${asked.axe ? `, ${violations} accessibility violations` : ""}`,
);
process.exit(violations === 0 ? 0 : 1);

async function take(context, shot, dir, theme, lang) {
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(`${shot}: ${error.message}`));
  const url = isGallery
    ? `${asked.base}?state=${encodeURIComponent(shot)}&theme=${theme}&lang=${lang}`
    : `${origin}/${shot}`;
  await page.goto(url);
  // Some pages come late on purpose, so that they do not flash up.
  if (isGallery && !isList(shot)) await page.waitForSelector("main, [role=dialog], [role=alertdialog]");
  await page.evaluate(settled, QUIET_MS);
  await page.screenshot({ path: join(dir, `${shot.replaceAll(/[/ ,]+/g, "-")}.png`) });
  written += 1;
  if (axe) {
    await page.evaluate(axe);
    const rules = isGallery ? rulesFor(shot) : {};
    const found = await page.evaluate(
      (rules) => window.axe.run(document, { rules }).then((result) => result.violations),
      rules,
    );
    for (const { id, help, nodes } of found) {
      violations += 1;
      console.error(`${theme} ${lang} ${shot}: ${id}: ${help}`);
      for (const node of nodes.slice(0, 4))
        console.error(`    ${node.target.join(" ")}  ${node.failureSummary?.split("\n")[1]?.trim() ?? ""}`);
    }
  }
  await page.close();
}
