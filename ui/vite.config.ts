// How the pages are built and tested. The same files are shown by the desktop window and by a browser.
// `npm run dev` passes /api on to an appliance started with `parkdesk-agent run --listen 127.0.0.1:8421`.
import { createReadStream, readdirSync } from "node:fs";
import react from "@vitejs/plugin-react";
import type { Connect, PluginOption } from "vite";
import { defineConfig } from "vitest/config";

const appliance = process.env.PARKDESK_APPLIANCE ?? "http://127.0.0.1:8421";

const FACES = new URL("../.setup/photos/", import.meta.url);

/** Real faces for the photos of the gallery: the same one for the same address. */
function galleryPhotos(): PluginOption {
  const serve: Connect.NextHandleFunction = (request, response, next) => {
    const path = request.url ?? "";
    if (!/^\/api\/v1\/.+\/files\//.test(path)) return next();
    const faces = readdirSync(FACES).filter((name) => name.endsWith(".jpg"));
    const sum = [...path.replace(/\/files\/.*/, "")].reduce((all, letter) => all + letter.charCodeAt(0), 0);
    response.setHeader("content-type", "image/jpeg");
    createReadStream(new URL(faces[sum % faces.length] ?? "", FACES)).pipe(response);
  };
  return {
    name: "gallery-photos",
    configureServer: (server) => void server.middlewares.use(serve),
    configurePreviewServer: (server) => void server.middlewares.use(serve),
  };
}

export default defineConfig(({ mode }) => ({
  plugins: [react(), ...(mode === "gallery" ? [galleryPhotos()] : [])],
  define: {
    // The gallery of all states is for development builds only; `--mode gallery` builds it for screenshots.
    __GALLERY__: JSON.stringify(mode !== "production"),
  },
  build: {
    outDir: mode === "gallery" ? "dist-gallery" : "dist",
    target: ["safari16", "chrome110"],
    // The policy of both hosts forbids data: scripts and fonts: everything is a file of its own.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  server: { proxy: { "/api": { target: appliance, changeOrigin: true } } },
  test: {
    environment: "jsdom",
    // Whole pages in jsdom take seconds while the machine builds other things.
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/app/test-setup.ts"],
    testTimeout: 60_000,
  },
}));
