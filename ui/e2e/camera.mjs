// @ts-check
// A film for the fake camera: a real face, composed onto a 1280x720 frame as somebody sitting in front of a camera would be.
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";

/** Frames of a film: it is played again and again. */
const FRAMES = 48;

/** Where the face is in the photos that are played: its centre in pixels (models/tests/golden/faces.json). */
const FACES = /** @type {Record<string, [number, number]>} */ ({
  "obama.jpg": [483, 275],
  "obama2.jpg": [500, 300],
});

/**
 * Writes an MJPEG file that shows the photo with its face where a camera's guide wants it.
 * @param {import("playwright-core").Browser} browser
 * @param {string} photo
 * @param {string} to
 * @param {number} [scale] camera pixels per pixel of the photo
 */
export async function film(browser, photo, to, scale = 1.15) {
  const page = await browser.newPage();
  const data = `data:image/jpeg;base64,${(await readFile(photo)).toString("base64")}`;
  const face = FACES[basename(photo)] ?? [0, 0];
  const frames = await page.evaluate(
    async ({ src, face: [x, y], scale, FRAMES }) => {
      const image = new Image();
      image.src = src;
      await image.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [1280, 720];
      const paint = canvas.getContext("2d");
      if (!paint) throw new Error("no canvas");
      paint.fillStyle = "#c9d1d9";
      paint.fillRect(0, 0, 1280, 720);
      paint.imageSmoothingQuality = "high";
      // Nobody sits like a statue: no two frames are the same bytes, as with a real camera.
      return Array.from({ length: FRAMES }, (_, frame) => {
        const sway = Math.sin((frame / FRAMES) * 2 * Math.PI) * 1.5;
        paint.drawImage(
          image,
          640 - x * scale + sway,
          325 - y * scale + sway / 2,
          image.width * scale,
          image.height * scale,
        );
        paint.fillStyle = `rgb(${frame * 3} 90 120)`;
        paint.fillRect(0, 700, 20, 20);
        return canvas.toDataURL("image/jpeg", 0.95);
      });
    },
    { src: data, face, scale, FRAMES },
  );
  await page.close();
  await writeFile(
    to,
    Buffer.concat(frames.map((frame) => Buffer.from(frame.slice(frame.indexOf(",") + 1), "base64"))),
  );
}
