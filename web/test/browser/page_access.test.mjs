// The page for everybody: what axe finds, keys alone, no motion, small screens, large letters.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { example, openPage, start, stop } from "./page.mjs";
import { barriers, picture } from "./browser.mjs";

before(start);
after(stop);

const AXE = { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing in any view, ${colorScheme}`, async () => {
    const media = { colorScheme };
    const found = [];
    const look = async (page, name) => {
      found.push(...(await barriers(page, AXE)).map((barrier) => `${name}: ${barrier}`));
      await picture(page, `page/${name}-${colorScheme}`);
    };
    const page = await openPage("/", { media });
    await look(page, "start");
    await page.close();
    const desk = await example("restaurants", { media });
    await look(desk, "desk");
    await desk.locator('.decision[data-decision="existing"]').first().click();
    await desk.waitForSelector(".waterfall");
    await desk.click(".wf-details summary");
    await look(desk, "node");
    await desk.click("#tab-review");
    await desk.waitForSelector(".compare");
    await look(desk, "review");
    await desk.keyboard.press("/");
    await desk.keyboard.type("grill");
    await desk.waitForSelector('.answers[data-asked="grill"] .answer');
    await desk.keyboard.press("ArrowDown");
    await look(desk, "answers");
    await desk.keyboard.press("Escape");
    await desk.click("text=Menu");
    await look(desk, "menu");
    await desk.click("text=About this graph…");
    await desk.waitForSelector("dialog");
    await look(desk, "about");
    await desk.keyboard.press("Escape");
    await desk.click(".graph-name");
    await look(desk, "graphs");
    await desk.keyboard.press("Escape");
    await desk.setViewportSize({ width: 390, height: 844 });
    for (const view of ["map", "decisions", "node", "review"]) {
      await desk.click(`.views [data-view="${view}"]`);
      await look(desk, `phone-${view}`);
    }
    assert.deepEqual(found, []);
    await desk.close();
  });
}

test("everything goes by keyboard alone", async () => {
  const page = await openPage();
  const focused = () => page.evaluate(() => document.activeElement?.textContent?.slice(0, 40) || document.activeElement?.id || "");
  const tabTo = async (wanted, most = 60) => {
    for (let presses = 0; presses < most; presses++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate((selector) => document.activeElement?.matches(selector), wanted)) return;
    }
    assert.fail(`Tab did not come to ${wanted}; it is at ${await focused()}`);
  };
  await tabTo('[data-example="restaurants"]');
  await page.keyboard.press("Enter");
  await page.waitForSelector('.controls[data-state="done"]', { state: "attached" });
  await page.waitForTimeout(500);

  // The map: a walk that is told, and a node.
  await tabTo(".map-frame");
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction(() => /across \d+, down \d+/.test(document.getElementById("live")?.textContent ?? ""));
  const first = await page.textContent("#live");
  await page.keyboard.press("ArrowDown");
  await page.waitForFunction((before) => document.getElementById("live")?.textContent !== before, first);
  await page.keyboard.press("+");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".node-head");

  // Decisions: one stop of Tab, arrows within, Enter to the reasons.
  await page.keyboard.press("Shift+Tab");
  for (let presses = 0; presses < 8 && !(await page.evaluate(() => document.activeElement?.matches(".decision"))); presses++) await page.keyboard.press("Shift+Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.matches(".decision")), true);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("data-at")), "2");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".waterfall");

  // Candidates, then the review.
  await tabTo("[role=tab]");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.getAttribute("#tab-review", "aria-selected"), "true");
  await page.waitForSelector(".compare");
  await tabTo('[data-act="same"]');
  const subject = await page.textContent(".review header + p");
  await page.keyboard.press("l");
  await page.waitForFunction((before) => document.querySelector(".review header + p")?.textContent !== before, subject);
  await page.keyboard.press("d");
  await page.waitForSelector('[data-act="undo"]');
  await page.keyboard.press("u");
  await page.waitForSelector('[data-act="undo"]', { state: "detached" });

  // The search and the menu.
  await page.keyboard.press("/");
  await page.keyboard.type("fenix");
  await page.waitForSelector('.answers[data-asked="fenix"] .answer');
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => /fenix/.test(document.querySelector(".node-head")?.textContent ?? ""));
  await page.close();
});

describe("motion", () => {
  const picturesOfMap = async (page) => {
    await page.locator(".decision").first().waitFor();
    const one = await page.locator(".map-frame").screenshot();
    await page.waitForTimeout(350);
    const two = await page.locator(".map-frame").screenshot();
    return Buffer.compare(one, two) !== 0;
  };
  /** After a landing, while nothing comes in. */
  const isMoving = async (media) => {
    const page = await openPage("/", { media });
    await page.click('[data-example="restaurants"]');
    await page.waitForSelector('.controls[data-state="done"]', { state: "attached" });
    await page.waitForTimeout(700);
    const moving = await picturesOfMap(page);
    await page.close();
    return moving;
  };
  test("is a glow that fades", async () => assert.equal(await isMoving({ reducedMotion: "no-preference" }), true));
  test("is none where it is not wanted", async () => assert.equal(await isMoving({ reducedMotion: "reduce" }), false));
});

test("phones and windows of 320 pixels have one column and need no scrolling sideways", async () => {
  const page = await example("restaurants", { size: { width: 320, height: 640 } });
  for (const view of ["map", "decisions", "node", "review"]) {
    await page.click(`.views [data-view="${view}"]`);
    await page.waitForTimeout(100);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 320, view);
    await picture(page, `page/320-${view}`);
  }
  await page.click('.views [data-view="decisions"]');
  await page.locator(".decision").first().click();
  // A decision leads to its node.
  await page.waitForSelector(".waterfall");
  assert.equal(await page.getAttribute(".workspace", "data-view"), "node");
  await page.click(".wf-details summary");
  const isWide = () => page.evaluate(() => [document.documentElement, ...document.querySelectorAll(".panel, .side-panel")].some((one) => one.scrollWidth > innerWidth));
  assert.equal(await isWide(), false);
  await picture(page, "page/320-waterfall");
  // What fingers press is large enough.
  const small = await page.evaluate(() =>
    [...document.querySelectorAll("button:not(.link), select, input:not([type=radio], [type=checkbox])")]
      .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
      .map((one) => `${one.className || one.id} ${one.getBoundingClientRect().height}`));
  assert.deepEqual(small, []);
  await page.close();
});

test("at 200 % everything is still there", async () => {
  const page = await example("restaurants", { size: { width: 720, height: 450 } });
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 720);
  for (const part of ["#map", "#decisions", "#side", "#search"]) assert.ok(await page.locator(part).isVisible(), part);
  await page.close();
});
