import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// `npm run dev` talks to a hub started with the default address (`carebell up`).
const DEVELOPMENT_HUB = "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [svelte({ configFile: false })],
  build: {
    // The oldest browsers that desks are known to run: Chromium 109 is the last one for Windows 7.
    target: ["chrome109", "firefox115", "safari16.4"],
    // Those browsers preload by themselves.
    modulePreload: { polyfill: false },
    // The page's security headers allow no data: addresses.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: {
        index: "index.html",
        family: "family/index.html",
        press: "press/index.html",
        worker: "src/worker/worker.ts",
      },
      output: {
        // A service worker's address says which pages it serves, and stays the same.
        entryFileNames: (chunk) => (chunk.name === "worker" ? "worker.js" : "assets/[name]-[hash].js"),
      },
    },
  },
  server: { proxy: { "/api": DEVELOPMENT_HUB } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
