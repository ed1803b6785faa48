// What the page says when its storage is full, or belongs to another tab.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { example, hash, menu, openPage, start, stop } from "./page.mjs";
import { picture } from "./browser.mjs";

before(start);
after(stop);

test("no room left: what was saved before is intact, and what to do is said", async () => {
  const page = await example("restaurants");
  const tools = await page.context().newCDPSession(page);
  const { origin } = new URL(page.url());
  await tools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 2_000 });
  await page.click(".save");
  await page.waitForSelector(".notice.problem");
  assert.match(await page.innerText(".notice.problem"), /was not saved.*(Export|export)/s);
  assert.equal(await page.getAttribute(".saved", "data-state"), "unsaved");
  await picture(page, "page/no-room");
  await tools.send("Storage.overrideQuotaForOrigin", { origin });
  await page.click(".save");
  await page.waitForSelector('.saved[data-state="saved"]');
  assert.equal(await page.locator(".notice.problem").count(), 0);
  await page.close();
});

test("who leaves while a save is on its way is asked when it fails", async () => {
  const page = await example("restaurants");
  const tools = await page.context().newCDPSession(page);
  const { origin } = new URL(page.url());
  await tools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 2_000 });
  await page.evaluate(() => {
    document.querySelector(".save").click();
    [...document.querySelectorAll("#menu button")].find((button) => button.textContent === "New graph").click();
  });
  await page.waitForSelector('dialog:has-text("not saved")');
  await page.click('dialog button[value=""]');
  assert.equal(await page.getAttribute(".saved", "data-state"), "unsaved");
  await tools.send("Storage.overrideQuotaForOrigin", { origin });
  await page.close();
});

test("one tab writes, another reads, and may write when the first has gone", async () => {
  const writer = await example("people");
  await writer.click(".save");
  await writer.waitForSelector('.saved[data-state="saved"]');
  const saved = await hash(writer);
  const reader = await openPage();
  await reader.locator(".kept-open:has-text('people')").first().click();
  await reader.waitForSelector('.saved[data-state="reader"]');
  assert.match(await reader.innerText(".notice"), /Another tab writes/);
  assert.equal(await reader.locator(".save").isVisible(), false);
  await picture(reader, "page/reader");
  await writer.close();
  await reader.waitForSelector('.notice:has-text("Nobody else writes")');
  await reader.click(".notice >> text=Open it again");
  await reader.waitForSelector('.saved[data-state="saved"]');
  assert.equal(await hash(reader), saved);
  await reader.close();
});

test("a copy is saved under another name, and both are listed", async () => {
  const page = await openPage();
  await page.locator(".kept-open:has-text('people')").first().click();
  await page.waitForSelector('.saved[data-state="saved"]');
  const before = await hash(page);
  await page.click('#bar-end > button:has-text("Menu")');
  await page.click("#menu >> text=Save a copy as");
  await page.fill("#graph-name-input", "people");
  assert.match(await page.innerText("#graph-name-problem"), /already/);
  await page.fill("#graph-name-input", "the same people");
  await page.click("dialog button.primary");
  await page.waitForSelector('.graph-name:has-text("the same people")');
  await page.waitForSelector('.saved[data-state="saved"]');
  assert.equal(await hash(page), before);
  await page.click(".graph-name");
  await page.waitForSelector("dialog .kept-open");
  const names = await page.locator("dialog .kept-open span:first-child").allTextContents();
  assert.deepEqual(names.filter((name) => /people/.test(name)), ["people", "the same people"]);
  await page.close();
});

test("no copy is saved of what is still streaming in", async () => {
  const page = await openPage();
  const rows = Array.from({ length: 60_000 }, (_, at) => `r${at},Name${(at * 7919) % 9973} Number${at % 997}`);
  const choosing = page.waitForEvent("filechooser");
  await page.click("text=Choose a file");
  await (await choosing).setFiles({ name: "long.csv", mimeType: "text/csv", buffer: Buffer.from(`id,name\n${rows.join("\n")}`) });
  await page.click("dialog button[value=start]");
  await page.waitForSelector('.controls[data-state="running"]');
  await menu(page, "Save a copy as");
  await page.waitForSelector('.notice:has-text("still streaming in")');
  assert.equal(await page.getAttribute(".controls", "data-state"), "running");
  await page.close();
});
