// @ts-check
// Every state of every component is accessible (axe: 0 violations), in a light Russian and a dark English page.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { build, preview } from "vite";

/** @type {import("vite").PreviewServer} */
let server;
/** @type {string} */
let out;

before(async () => {
  await build({ mode: "gallery", logLevel: "warn" });
  server = await preview({ mode: "gallery", preview: { host: "127.0.0.1", port: 0 } });
  out = await mkdtemp(join(tmpdir(), "parkdesk-gallery-"));
});

after(async () => {
  await server.close();
  await rm(out, { recursive: true });
});

for (const [theme, lang] of [
  ["light", "ru"],
  ["dark", "en"],
])
  test(`axe finds nothing in any state of the gallery: ${theme}, ${lang}`, async () => {
    const base = new URL("dev/gallery", server.resolvedUrls?.local[0]).href;
    const asked = ["--sizes", "1280x800", "--themes", theme, "--langs", lang, "--axe"];
    const child = spawn("node", ["e2e/screenshots.mjs", "--base", base, "--out", out, ...asked]);
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
    const code = await new Promise((resolve) => child.on("close", resolve));
    assert.equal(code, 0, said);
    assert.match(said, /[4-9]\d pictures in .*, 0 accessibility violations/);
  });
