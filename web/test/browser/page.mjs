// What the tests of the page have in common.

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { launch } from "./browser.mjs";

const DIST = fileURLToPath(new URL("../../app/dist", import.meta.url));

/** @type {Awaited<ReturnType<typeof launch>>} */
let browser;

export async function start() {
  browser = await launch({ root: DIST, context: { viewport: { width: 1440, height: 900 } } });
  browser.context.setDefaultTimeout(60_000);
}

export async function stop() {
  await browser.close();
  assert.deepEqual(browser.errors, []);
}

/** The page; whatever it says on the console as an error, or asks of another origin, fails the test. */
export async function openPage(path = "/", { size, media, script } = {}) {
  const page = await browser.context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") browser.errors.push(message.text());
  });
  page.on("request", (request) => {
    if (!/^(blob:|data:)/.test(request.url()) && new URL(request.url()).origin !== browser.origin) browser.errors.push(`asked for ${request.url()}`);
  });
  if (size) await page.setViewportSize(size);
  if (media) await page.emulateMedia(media);
  if (script) await page.addInitScript(script);
  await page.goto(browser.origin + join("/", path));
  await page.waitForSelector(".example", { state: "attached" });
  return page;
}

/** The page after an example has run. */
export async function example(name, options) {
  const page = await openPage(`/?example=${encodeURIComponent(name)}`, options);
  await page.waitForSelector('.controls[data-state="done"]', { state: "attached" });
  // All that follows from the last fact is drawn.
  await page.waitForFunction(() => /taken/.test(document.querySelector("#map .map-head")?.textContent ?? ""));
  await page.waitForTimeout(400);
  return page;
}

export async function counts(page) {
  const read = (decision) => page.textContent(`[data-count="${decision}"]`).then((text) => Number(text.replace(",", "")));
  return { existing: await read("existing"), new: await read("new"), possible: await read("possible") };
}

export async function menu(page, item) {
  await page.click('#bar-end > button:has-text("Menu")');
  await page.click(`#menu button:has-text("${item}")`);
}

/** The state hash, as the page shows it. */
export async function hash(page) {
  await menu(page, "About this graph…");
  const found = await page.textContent("#state-hash");
  await page.locator("dialog button").click();
  await page.waitForFunction(() => !document.querySelector("dialog"));
  return found;
}
