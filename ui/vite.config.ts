// How the pages are built and tested. The same files are shown by the desktop window and by a browser.
// `npm run dev` passes /api on to an appliance started with `parkdesk-agent run --listen 127.0.0.1:8421`.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const appliance = process.env.PARKDESK_APPLIANCE ?? "http://127.0.0.1:8421";

export default defineConfig(({ mode }) => ({
  plugins: [react()],
  define: {
    // The gallery of all states is for development builds only; `--mode gallery` builds it for screenshots.
    __GALLERY__: JSON.stringify(mode !== "production"),
  },
  build: {
    target: ["safari16", "chrome110"],
    // The policy of both hosts forbids data: scripts and fonts: everything is a file of its own.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  server: { proxy: { "/api": { target: appliance, changeOrigin: true } } },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], setupFiles: ["src/app/test-setup.ts"] },
}));
