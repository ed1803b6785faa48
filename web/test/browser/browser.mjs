// A browser for tests: Debian's Chromium, driven by Playwright.
//
//   const browser = await launch();
//   const page = await browser.page("/app/");
//   ...
//   await browser.close();

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { chromium } from "playwright-core";

import { WEB, serve } from "./server.mjs";

const PROGRAM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP insecure.test 127.0.0.1",
];
/** Where pictures go; a build elsewhere has its own. */
const ARTEFACTS = process.env.CORTEXKG_WEB_ARTEFACTS ?? join(WEB, "..", "target", "web-artefacts");

if (!existsSync(PROGRAM)) throw new Error(`no browser at ${PROGRAM}: install Debian's chromium, or set CHROMIUM to where one is`);

/**
 * A browser with a fresh profile, and a server of `web/` beside it. Errors of pages are collected in `errors`.
 *
 * @param {{extra?: Parameters<typeof serve>[1], root?: string, context?: object}} options `context` is what Playwright's contexts take
 */
export async function launch({ extra, root, context: settings } = {}) {
  const server = await serve(root, extra);
  const profile = await mkdtemp(join(tmpdir(), "cortexkg-web-"));
  const context = await chromium.launchPersistentContext(profile, { executablePath: PROGRAM, args: ARGUMENTS, ...settings });
  /** @type {string[]} */
  const errors = [];
  context.on("weberror", (error) => errors.push(String(error.error())));
  return {
    ...server,
    context,
    errors,
    /** A new tab at a path of the server, or at a whole address. */
    async page(path = "/test/browser/blank.html") {
      const page = await context.newPage();
      await page.goto(new URL(path, server.origin).href);
      return page;
    },
    async close() {
      await context.close();
      await server.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * A browser that can be killed, on a profile that outlives it.
 *
 * @param {string} profile
 */
export async function launchToKill(profile) {
  // A group of its own: the browser has many processes, and all of them go at once.
  const program = spawn(PROGRAM, [...ARGUMENTS, "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"], {
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise((resolve) => program.once("exit", resolve));
  const address = await new Promise((resolve, reject) => {
    let said = "";
    program.stderr.on("data", (chunk) => {
      said += chunk;
      const found = /DevTools listening on (ws:\S+)/.exec(said);
      if (found) resolve(found[1]);
    });
    program.once("error", reject);
    program.once("exit", () => reject(new Error(`the browser ended: ${said}`)));
  });
  const browser = await chromium.connectOverCDP(address);
  const [context] = browser.contexts();
  if (!context || program.pid === undefined) throw new Error("the browser has no window");
  const group = program.pid;
  return {
    context,
    /** `kill -9`, and waits until nothing of it is left. */
    async kill() {
      process.kill(-group, "SIGKILL");
      await ended;
      await browser.close().catch(() => {});
      while (isRunning(group)) await sleep(5);
    },
  };
}

/** Keeps a picture of a page, for people to look at. */
export async function picture(page, name) {
  await mkdir(ARTEFACTS, { recursive: true });
  await page.screenshot({ path: join(ARTEFACTS, `${name}.png`), fullPage: true });
}

/** What axe finds wrong with a page, a line each; none if everybody can use it, as far as a program can tell. */
export async function barriers(page, options = {}) {
  const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(source);
  const { violations } = await page.evaluate((axeOptions) => /** @type {any} */ (globalThis).axe.run(document, axeOptions), options);
  return violations.map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map((node) => node.target.join(" ")).join("; ")})`);
}

/**
 * A worker of a page, in which `storage` is the compiled module; it is asked by `evaluate`, like a page.
 *
 * @param {import("playwright-core").Page} page
 */
export async function storageWorker(page) {
  const started = page.waitForEvent("worker");
  await page.evaluate(() => void new Worker("/test/browser/storage_worker.js", { type: "module" }));
  const worker = await started;
  while (!(await worker.evaluate(() => "storage" in globalThis))) await sleep(5);
  return worker;
}

function isRunning(group) {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}
