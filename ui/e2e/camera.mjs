// @ts-check
// A film for the fake camera: a real face, composed onto a 1280x720 frame as somebody sitting in front of a camera would be.
import { readFile, writeFile } from "node:fs/promises";

/**
 * Writes an MJPEG file that shows the photo; `scale` is its height as a part of the frame's.
 * @param {import("playwright-core").Browser} browser
 * @param {string} photo
 * @param {string} to
 * @param {number} [scale]
 */
export async function film(browser, photo, to, scale = 1) {
  const page = await browser.newPage();
  const data = `data:image/jpeg;base64,${(await readFile(photo)).toString("base64")}`;
  const frame = await page.evaluate(
    async ([src, part]) => {
      const image = new Image();
      image.src = /** @type {string} */ (src);
      await image.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [1280, 720];
      const paint = canvas.getContext("2d");
      if (!paint) throw new Error("no canvas");
      paint.fillStyle = "#c9d1d9";
      paint.fillRect(0, 0, 1280, 720);
      const height = 720 * Number(part);
      const width = (image.width * height) / image.height;
      paint.imageSmoothingQuality = "high";
      paint.drawImage(image, (1280 - width) / 2, (720 - height) / 2, width, height);
      return canvas.toDataURL("image/jpeg", 0.95);
    },
    /** @type {[string, number]} */ ([data, scale]),
  );
  await page.close();
  const jpeg = Buffer.from(frame.slice(frame.indexOf(",") + 1), "base64");
  await writeFile(to, Buffer.concat(Array.from({ length: 30 }, () => jpeg)));
}
