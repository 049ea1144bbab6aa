// @ts-check
// Debian's Chromium with a fake camera, and what every test asks of a page.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
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
 * Shows a page that is let in at an appliance and works with it. A fault of the page's own script fails the test; a failure
 * tells what the page showed and, with PARKDESK_SHOTS, leaves a picture of it.
 * @param {import("playwright-core").Browser} browser
 * @param {string} link
 * @param {{ lang?: "ru" | "en", theme?: "light" | "dark", width?: number, height?: number, breaksPolicy?: boolean }} look
 *   breaksPolicy: the test plays an attacker whom the page's policy stops
 * @param {(page: import("playwright-core").Page) => Promise<void>} work
 */
export async function withPage(
  browser,
  link,
  { lang = "ru", theme = "light", width = 1280, height = 800, breaksPolicy = false },
  work,
) {
  const context = await browser.newContext({
    viewport: { width, height },
    locale: lang === "ru" ? "ru-RU" : "en-GB",
    colorScheme: theme,
    reducedMotion: "reduce",
    timezoneId: "Europe/Moscow",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  /** @type {string[]} */
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    // Refused requests are answers of the appliance; the page shows them.
    const isAnswer = message.text().startsWith("Failed to load resource");
    const isPolicy = breaksPolicy && message.text().includes("Content Security Policy");
    if (message.type() === "error" && !isAnswer && !isPolicy) faults.push(message.text());
  });
  try {
    await page.goto(link);
    await work(page);
    assert.deepEqual(faults, [], "the page's own script failed");
  } catch (error) {
    const text = await page
      .locator("body")
      .textContent()
      .catch(() => "(nothing)");
    const shots = process.env.PARKDESK_SHOTS;
    if (shots)
      await page.screenshot({ path: join(shots, `failed-${Date.now()}.png`) }).catch(() => undefined);
    if (error instanceof Error) error.message += `\n--- ${page.url()} showed:\n${text?.slice(0, 1500)}`;
    throw error;
  } finally {
    await context.close();
  }
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
