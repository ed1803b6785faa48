// The page, as people use it: on the built `app/dist`, with the real engine.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { pinned } from "../../../crates/cortexkg-wasm/tests/node/data.mjs";
import { counts, example, hash, menu, openPage, start, stop } from "./page.mjs";
import { picture } from "./browser.mjs";

before(start);
after(stop);

describe("an example", () => {
  test("runs to its end, and the counts agree", async () => {
    const page = await example("restaurants");
    assert.deepEqual(await counts(page), { existing: 123, new: 718, possible: 23 });
    assert.match((await page.textContent(".controls .soft")) ?? "", /all read: 864 facts/);
    assert.match((await page.textContent("#map .map-head")) ?? "", /741 columns of 1,024 taken/);
    assert.match((await page.textContent("#tab-review")) ?? "", /23/);
    // As `cortexkg demo` tells it natively.
    assert.equal(await hash(page), pinned.get("fodors-zagats"));
    await picture(page, "page/example");
    await page.close();
  });

  test("shows the node of a column that is clicked, with the waterfall", async () => {
    const page = await example("restaurants");
    const box = await page.locator(".map-frame").boundingBox();
    assert.ok(box);
    // The first column of the curve lies in a corner of the sheet; all around it are taken.
    const side = Math.min(box.width, box.height) - 48;
    await page.mouse.click(box.x + (box.width - side) / 2 + side * 0.17, box.y + (box.height - side) / 2 + side * 0.17);
    await page.waitForSelector(".node-head");
    await page.waitForSelector(".why");
    await page.locator('.decision[data-decision="existing"]').first().click();
    await page.waitForSelector(".waterfall .wf-sum");
    const steps = await page.locator(".waterfall tbody tr").count();
    assert.equal(await page.locator(".wf-picture .wf-row:not(.wf-head, .wf-foot, .wf-sum)").count(), steps);
    assert.ok(steps > 2);
    // The evidence is the sum of the steps, as far as they are rounded.
    const cells = await page.locator(".waterfall tbody tr td:nth-last-child(2)").allTextContents();
    const sum = cells.map((cell) => Number(cell.replace("−", "-"))).reduce((a, b) => a + b, 0);
    const evidence = Number((await page.textContent(".waterfall tfoot td"))?.replace("−", "-"));
    assert.ok(Math.abs(sum - evidence) < 0.06 * steps, `${sum} and ${evidence}`);
    await page.close();
  });

  test("can be watched slowly, paused, resumed and stopped", async () => {
    const page = await openPage();
    await page.click('[data-example="people"]');
    await page.locator("#speed").fill("2");
    await page.waitForFunction(() => /20 a second/.test(document.querySelector(".controls output")?.textContent ?? ""));
    await page.click("text=Pause");
    await page.waitForSelector('.controls[data-state="paused"]');
    await page.waitForTimeout(200);
    const before = await counts(page);
    await page.waitForTimeout(400);
    assert.deepEqual(await counts(page), before);
    await page.click("text=Resume");
    await page.waitForFunction((sum) => [...document.querySelectorAll("[data-count]")].reduce((all, one) => all + Number(one.textContent), 0) > sum,
      before.existing + before.new + before.possible);
    await page.click("text=Stop");
    await page.waitForSelector('.controls[data-state="stopped"]');
    await page.close();
  });
});

test("search answers while one types, by keyboard, and lights the map", async () => {
  const page = await example("restaurants");
  await page.locator(".map-frame").focus();
  await page.keyboard.press("/");
  await page.keyboard.type("ritz carlton");
  // The last of several answers, one for each beginning.
  await page.waitForSelector('.answers[data-asked="ritz carlton"] .answer');
  assert.equal(await page.getAttribute("#search-input", "aria-expanded"), "true");
  await page.keyboard.press("ArrowDown");
  const active = await page.getAttribute("#search-input", "aria-activedescendant");
  const label = await page.textContent(`#${active} > :first-child`);
  await picture(page, "page/search");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".node-head");
  assert.ok(label?.startsWith(((await page.textContent(".node-head h2")) ?? "?").slice(0, 12)));
  assert.equal(await page.isHidden(".answers"), true);
  await page.close();
});

test("a close call is settled, and taken back", async () => {
  const page = await example("restaurants");
  await page.click("#tab-review");
  await page.waitForSelector(".compare");
  const calls = async () => Number(/\d+/.exec((await page.textContent("#tab-review")) ?? "")?.[0]);
  const before = await calls();
  const hashBefore = await hash(page);
  await page.locator('[data-act="same"]').focus();
  await page.keyboard.press("s");
  await page.waitForSelector('[data-act="undo"]');
  await page.waitForFunction((count) => Number(/\d+/.exec(document.querySelector("#tab-review")?.textContent ?? "")?.[0]) < count, before);
  assert.notEqual(await hash(page), hashBefore);
  await picture(page, "page/review");
  await page.click('[data-act="undo"]');
  await page.waitForFunction((count) => Number(/\d+/.exec(document.querySelector("#tab-review")?.textContent ?? "")?.[0]) === count, before);
  await page.locator('[data-act="later"]').click();
  assert.equal(await calls(), before);
  await page.close();
});

test("what is saved is there again, with the same state", async () => {
  const page = await example("people");
  await page.click(".save");
  await page.waitForSelector('.saved[data-state="saved"]');
  const before = await hash(page);
  await page.goto(page.url().replace(/\?.*/, ""));
  await page.locator(".kept-open", { hasText: "people" }).first().click();
  await page.waitForSelector('.saved[data-state="saved"]');
  assert.equal(await hash(page), before);
  assert.match((await page.textContent("#map .map-head")) ?? "", /columns of 1,024 taken/);

  // Another tab reads what this one writes.
  const other = await openPage();
  await other.locator(".kept-open", { hasText: "people" }).first().click();
  await other.waitForSelector('.saved[data-state="reader"]');
  assert.equal(await hash(other), before);
  await other.close();

  await menu(page, "New graph");
  await page.waitForSelector(".kept");
  await page.locator('.kept [aria-label="Remove people"]').click();
  await page.locator("dialog button.primary").click();
  await page.waitForFunction(() => !document.querySelector('[aria-label="Remove people"]'));
  await page.close();
});

test("an exported graph comes back with the same state; a damaged one changes nothing", async () => {
  const page = await example("restaurants");
  const before = await hash(page);
  const downloading = page.waitForEvent("download");
  await menu(page, "Export as .ckg");
  const download = await downloading;
  assert.equal(download.suggestedFilename(), "restaurants.ckg");
  const path = await download.path();
  const other = await openPage();
  const choosing = other.waitForEvent("filechooser");
  await menu(other, "Import a .ckg…");
  const { readFile } = await import("node:fs/promises");
  const buffer = await readFile(path);
  await (await choosing).setFiles({ name: "copy.ckg", mimeType: "application/octet-stream", buffer });
  await other.waitForSelector(".graph-name:has-text('copy')");
  assert.equal(await hash(other), before);

  const damaged = Buffer.from(buffer);
  damaged.fill(7, damaged.length >> 1, (damaged.length >> 1) + 40);
  const again = other.waitForEvent("filechooser");
  await menu(other, "Import a .ckg…");
  await (await again).setFiles({ name: "damaged.ckg", mimeType: "application/octet-stream", buffer: damaged });
  await other.waitForSelector(".notice.problem");
  assert.match((await other.textContent(".notice.problem")) ?? "", /damaged\.ckg could not be imported/);
  assert.equal(await hash(other), before);
  await picture(other, "page/error");
  await other.close();
  await page.close();
});

test("a record is forgotten after a question", async () => {
  const page = await example("restaurants");
  await page.locator('.decision[data-decision="existing"]').first().click();
  await page.waitForSelector(".fact");
  const facts = await page.locator(".fact").count();
  await page.locator(".fact-forget").first().click();
  await page.locator("dialog button.primary").click();
  await page.waitForFunction((count) => document.querySelectorAll(".fact").length < count, facts);
  await page.locator(".notice button", { hasText: "Undo" }).click();
  await page.waitForFunction((count) => document.querySelectorAll(".fact").length === count, facts);
  await page.close();
});

test("decisions stand still while somebody looks", async () => {
  const page = await openPage();
  await page.click('[data-example="more people"]');
  await page.waitForSelector(".controls");
  await page.locator("#speed").fill("3");
  await page.locator(".decision").first().waitFor();
  await page.hover(".decision-scroll");
  await page.waitForTimeout(100);
  const first = await page.textContent(".decision >> nth=0");
  await page.waitForSelector(".newer:visible");
  assert.equal(await page.textContent(".decision >> nth=0"), first);
  await page.mouse.move(700, 500);
  await page.waitForSelector(".newer", { state: "hidden" });
  await page.waitForFunction((before) => document.querySelector(".decision")?.textContent !== before, first);
  await page.click("text=Stop");
  await page.close();
});

test("the map is zoomed and moved, carries names when near, and is whole again", async () => {
  const page = await example("restaurants");
  const box = await page.locator(".map-frame").boundingBox();
  assert.ok(box);
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  assert.equal(await page.locator(".map-labels span").count(), 0);
  for (let turns = 0; turns < 12; turns++) await page.mouse.wheel(0, -100);
  await page.waitForSelector(".map-labels span:not(:empty)");
  const label = page.locator(".map-labels span:not(:empty)").first();
  const name = await label.textContent();
  const before = await label.boundingBox();
  await page.mouse.down();
  await page.mouse.move(x + 40, y + 25, { steps: 4 });
  await page.mouse.up();
  const same = await page.locator(".map-labels span", { hasText: name ?? "" }).first().boundingBox();
  assert.ok(before && same && Math.abs(same.x - before.x - 40) < 8, "it moves with the hand");
  assert.equal(await page.locator(".node-head").count(), 0, "moving is no choosing");
  await page.hover(".map-labels >> xpath=..", { position: { x: box.width / 2, y: box.height / 2 } });
  await picture(page, "page/near");
  await page.click("text=Fit");
  await page.waitForFunction(() => !document.querySelector(".map-labels span"));
  await page.close();
});
