import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { HtmlTagDescriptor, Plugin } from "vite";
import { defineConfig } from "vitest/config";

// `npm run dev` talks to a hub started with the default address (`carebell up`).
const DEVELOPMENT_HUB = "http://127.0.0.1:8080";

const meta = (name: string, content: string): HtmlTagDescriptor => ({ tag: "meta", attrs: { name, content } });
const link = (rel: string, href: string): HtmlTagDescriptor => ({ tag: "link", attrs: { rel, href } });

/** What the heads of all pages say; those for phones can be installed. */
const heads: Plugin = {
  name: "heads",
  transformIndexHtml: (_, { path }) => {
    const phone = /^\/(family|press)\//.exec(path)?.[0];
    const tags: HtmlTagDescriptor[] = [
      { tag: "meta", attrs: { charset: "utf-8" } },
      meta("viewport", `width=device-width, initial-scale=1${phone ? ", viewport-fit=cover" : ""}`),
      meta("color-scheme", "light dark"),
      meta("robots", "noindex"),
      { tag: "title", children: "Carebell" },
      { tag: "link", attrs: { rel: "icon", href: "/favicon.svg", type: "image/svg+xml" } },
    ];
    if (phone) {
      tags.push(meta("theme-color", "#0b5f74"), link("apple-touch-icon", `${phone}icon-192.png`));
      tags.push(link("manifest", `${phone}manifest.json`));
    }
    return tags;
  },
};

export default defineConfig({
  plugins: [svelte({ configFile: false }), heads],
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
