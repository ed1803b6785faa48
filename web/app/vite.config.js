// Builds the page into `dist`, with relative paths, so that any static server can serve it from anywhere.

import { createReadStream, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The data sets that the page offers, with their licences, from the repository's `data`. */
const EXAMPLES = ["fodors-zagats", "febrl1", "febrl3"].flatMap((set) => [`${set}/records.csv`, `${set}/LICENSE`]);

/** Nothing is loaded from elsewhere, and no text becomes code; WebAssembly may be compiled. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const examples = {
  name: "examples",
  configureServer(server) {
    for (const file of EXAMPLES) {
      server.middlewares.use(`/examples/${file}`, (_, response) => createReadStream(here(`../../data/${file}`)).pipe(response));
    }
  },
  generateBundle() {
    for (const file of EXAMPLES) {
      this.emitFile({ type: "asset", fileName: `examples/${file}`, source: readFileSync(here(`../../data/${file}`)) });
    }
  },
};

// In the built page only: while developing, Vite puts styles into the page by script.
const policy = {
  name: "policy",
  apply: "build",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY }, injectTo: "head-prepend" },
  ],
};

export default defineConfig({
  base: "./",
  plugins: [examples, policy],
  resolve: { alias: { cortexkg: here("../dist/index.js") } },
  worker: { format: "es" },
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
});
