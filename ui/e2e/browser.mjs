// @ts-check
// Debian's Chromium with a fake camera, and what every test asks of a page.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);

/**
 * Starts Chromium. Whoever opens it closes it.
 * @param {{ camera?: string }} [options] camera: an mjpeg file that the camera plays
 */
export async function openBrowser({ camera } = {}) {
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
  ];
  if (camera) args.push(`--use-file-for-fake-video-capture=${camera}`);
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
}

/**
 * A page let in at an appliance; broken promises of the page end the test.
 * @param {import("playwright-core").Browser} browser
 * @param {string} link
 * @param {{ lang?: "ru" | "en", theme?: "light" | "dark", width?: number, height?: number }} [options]
 */
export async function openPage(
  browser,
  link,
  { lang = "ru", theme = "light", width = 1280, height = 800 } = {},
) {
  const context = await browser.newContext({
    viewport: { width, height },
    locale: lang === "ru" ? "ru-RU" : "en-GB",
    colorScheme: theme,
    reducedMotion: "reduce",
    timezoneId: "Europe/Moscow",
  });
  const page = await context.newPage();
  /** @type {string[]} */
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    // Refused requests are answers of the appliance; the page shows them.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      faults.push(message.text());
  });
  await page.goto(link);
  return { page, faults, close: () => context.close() };
}

/**
 * What axe finds wrong with the page as it stands; empty is good.
 * @param {import("playwright-core").Page} page
 */
export async function axe(page) {
  const source = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");
  // Evaluated by the debugger, not by the page: the page's own policy stays as strict as it is.
  await page.evaluate(source);
  const found = await page.evaluate(() =>
    /** @type {any} */ (window).axe.run(document, { resultTypes: ["violations"] }),
  );
  return found.violations.map(
    (/** @type {any} */ one) =>
      `${one.id}: ${one.nodes.map((/** @type {any} */ node) => node.target.join(" ")).join(", ")}`,
  );
}
