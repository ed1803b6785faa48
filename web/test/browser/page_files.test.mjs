// What the page makes of files: tables and JSON Lines of all sorts, bad lines among good ones, and what is no file for it at all.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { counts, openPage, start, stop } from "./page.mjs";
import { picture } from "./browser.mjs";

before(start);
after(stop);

/** Chooses a file, and lets it stream to its end. */
async function stream(page, name, text, { identifier } = {}) {
  const choosing = page.waitForEvent("filechooser");
  await page.click("text=Choose a file");
  await (await choosing).setFiles({ name, mimeType: "text/plain", buffer: Buffer.from(text) });
  await page.waitForSelector("dialog button[value=start]");
  const guessed = (await page.locator("#preview-identifier").count()) ? await page.inputValue("#preview-identifier") : undefined;
  if (identifier !== undefined) await page.selectOption("#preview-identifier", identifier);
  await page.click("dialog button[value=start]");
  await page.waitForSelector('.controls[data-state="done"]', { state: "attached" });
  return guessed;
}

async function badLines(page) {
  if (await page.locator(".bad").isHidden()) return [];
  await page.click(".bad summary");
  await page.waitForSelector(".bad li");
  return page.locator(".bad li").allTextContents();
}

const facts = (page) => page.textContent(".controls > p.soft");

test("a table with bad lines: the others go on", async () => {
  const page = await openPage();
  const guessed = await stream(page, "people.csv", [
    "id,name,city",
    "1,Ada Lovelace,London",
    "2,Charles Babbage",
    '3,"Mary ""M."" Somerville\nof Jedburgh",London',
    "4,Ada  Lovelace,london,x",
    ",Nobody,Nowhere",
    "6,,",
    "",
    "7,Augustus De Morgan,London",
  ].join("\n"));
  assert.equal(guessed, "id");
  assert.match(await facts(page), /all read: 3 facts/);
  const bad = await badLines(page);
  assert.deepEqual(bad.map((line) => line.split(" ").slice(0, 2).join(" ")), ["line 3", "line 6", "line 7", "line 8"]);
  assert.match(bad[0], /has 2 values where the header names 3/);
  await picture(page, "page/bad-lines");
  await page.close();
});

test("semicolons, a mark at the beginning, Windows line ends and umlauts", async () => {
  const page = await openPage();
  const guessed = await stream(page, "städte.txt", `\uFEFFcode;Stadt;Land\r\na1;München;Deutschland\r\na2;"Köln; am Rhein";Deutschland\r\n`);
  assert.equal(guessed, "code");
  assert.match(await facts(page), /all read: 2 facts/);
  await page.click(".decision >> nth=0");
  await page.waitForSelector(".node-head");
  assert.match(await page.textContent(".node"), /Köln; am Rhein/);
  assert.match(await page.textContent(".fact.chosen .fact-id"), /a2/);
  await page.close();
});

test("what is no identifier does not become one", async () => {
  const page = await openPage();
  const ids = ["null", "null", '""', "[1,2]", "9007199254740993", "9007199254740992", "17", '"a"'];
  await stream(page, "ids.jsonl", ids.map((id, at) => `{"id":${id},"name":"Person ${at * 7919}"}`).join("\n"), { identifier: "id" });
  assert.match(await facts(page), /all read: 2 facts$/);
  const bad = await badLines(page);
  assert.equal(bad.length, 6);
  assert.match(bad[0], /has no id/);
  assert.match(bad[3], /a list as id/);
  assert.match(bad[4], /write it in quotes/);
  await page.close();
});

test("a line without an end costs the others nothing, and no time", async () => {
  const page = await openPage();
  const array = `[${Array.from({ length: 600_000 }, (_, at) => `{"id":${at},"name":"Name number ${at}"}`).join(",")}]`;
  assert.ok(array.length > 1 << 24);
  const began = Date.now();
  await stream(page, "array.json", `{"id":"1","name":"Ada Lovelace"}\n${array}\n{"id":"2","name":"Charles Babbage"}`, { identifier: "id" });
  assert.ok(Date.now() - began < 10_000, `${Date.now() - began} ms`);
  assert.match(await facts(page), /all read: 2 facts/);
  assert.match((await badLines(page))[0], /line 2 is longer than 16 million/);
  await page.close();
});

test("line ends within quotes are those of a value", async () => {
  const page = await openPage();
  await stream(page, "notes.csv", 'id,name,note\n1,Ada Lovelace,"first\r\nsecond"\n2,Charles Babbage,b\n3,Grace Hopper,c\n');
  assert.match(await facts(page), /all read: 3 facts/);
  await page.close();
});

test("line ends of old Macs in a long file, and a line without an end", async () => {
  const page = await openPage();
  const rows = Array.from({ length: 12_000 }, (_, at) => `r${at},Name number ${at % 50}`);
  await stream(page, "mac.csv", `id,name\r${rows.join("\r")}\r`);
  assert.match(await facts(page), /all read: 12,000 facts/);
  await page.close();
  const other = await openPage();
  const choosing = other.waitForEvent("filechooser");
  await other.click("text=Choose a file");
  await (await choosing).setFiles({ name: "long.csv", mimeType: "text/plain", buffer: Buffer.from("x".repeat(300_000)) });
  await other.waitForSelector("#notices > *");
  assert.match(await other.textContent("#notices"), /first line is longer than 200 KB/);
  await other.close();
});

test("without identifiers, facts are numbered; another can be chosen afterwards", async () => {
  const page = await openPage();
  assert.equal(await stream(page, "names.csv", "name,phone\nAda Lovelace,111\nCharles Babbage,222\n"), "");
  assert.match(await facts(page), /all read: 2 facts/);
  await page.selectOption("#identifier", "phone");
  await page.click("dialog button.primary");
  await page.waitForSelector('.controls[data-state="done"]', { state: "attached" });
  await page.click(".decision >> nth=0");
  await page.waitForSelector(".fact-id");
  assert.match(await page.textContent(".fact-id"), /222/);
  await page.close();
});

test("JSON Lines: records, nested ones, triples and texts; bad ones are listed", async () => {
  const page = await openPage();
  await stream(page, "mixed.jsonl", [
    `{"id": "r1", "name": "Ada Lovelace", "born": {"year": 1815, "city": "London"}, "tags": ["mathematics", "poetry"]}`,
    `{"id": "t1", "subject": "Ada Lovelace", "predicate": "worked with", "object": "Charles Babbage"}`,
    `{"id": "x1", "text": "Charles Babbage"}`,
    `{"id": "f1", "fields": {"name": "Mary Somerville"}}`,
    `{"id": "r2", "name": `,
    `[1, 2]`,
    `{"id": "r3", "tags": [{"a": 1}]}`,
  ].join("\n"));
  assert.match(await facts(page), /all read: 4 facts/);
  const bad = await badLines(page);
  assert.deepEqual(bad.map((line) => Number(/line (\d+)/.exec(line)?.[1])), [5, 6, 7]);
  const { existing, new: opened, possible } = await counts(page);
  assert.equal(existing + opened + possible, 5);
  await page.close();
});

test("text in pieces: no character and no record is lost between them", async () => {
  const page = await openPage();
  const rows = Array.from({ length: 20_000 }, (_, at) => `r${at},"Zoë „${at}“ Ångström, née Łukasiewicz","Straße ${at}\nHinterhaus"`);
  await stream(page, "many.csv", `id,name,address\n${rows.join("\n")}\n`);
  assert.match(await facts(page), /all read: 20,000 facts/);
  await page.click(".decision >> nth=0");
  await page.waitForSelector(".fact-text");
  assert.match(await page.textContent(".fact-text"), /Zoë „19999“ Ångström, née Łukasiewicz · Straße 19999\sHinterhaus/);
  await page.close();
});

test("what cannot be read is said calmly, and nothing is opened", async () => {
  const page = await openPage();
  for (const [name, content, said] of [
    ["empty.csv", "", /empty\.csv could not be read: The file is empty/],
    ["twice.csv", "a,a\n1,2\n", /two columns are named "a"/i],
    ["wide.csv", Buffer.from("\uFEFFa,b\n", "utf16le"), /UTF-16/],
  ]) {
    const choosing = page.waitForEvent("filechooser");
    await page.click("text=Choose a file");
    await (await choosing).setFiles({ name, mimeType: "text/csv", buffer: Buffer.from(content) });
    await page.waitForSelector(`.notice.problem:has-text("${name}")`);
    assert.match(await page.locator(`.notice.problem:has-text("${name}")`).innerText(), said);
  }
  assert.equal(await page.isVisible(".start"), true);
  await picture(page, "page/unreadable");
  await page.close();
});

test("without WebAssembly the page says so", async () => {
  const page = await openPage("/", { script: () => void delete globalThis.WebAssembly });
  assert.match(await page.locator(".start [role=alert]").innerText(), /WebAssembly/);
  assert.equal(await page.isDisabled("text=Choose a file"), true);
  await picture(page, "page/no-webassembly");
  await page.close();
});

/** Lets a file fall on the page, as a hand would. */
async function drop(page, name, bytes) {
  const data = await page.evaluateHandle(([fileName, content]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(content)], fileName));
    return transfer;
  }, [name, [...Buffer.from(bytes)]]);
  await page.dispatchEvent("body", "dragenter", { dataTransfer: data });
  assert.equal(await page.isVisible(".veil"), true);
  await page.dispatchEvent("body", "drop", { dataTransfer: data });
  assert.equal(await page.isVisible(".veil"), false);
}

test("files can be dropped, also into the graph that is open", async () => {
  const page = await openPage();
  await drop(page, "one.csv", "id,name\n1,Ada Lovelace\n2,Charles Babbage\n");
  await page.click("dialog button[value=start]");
  await page.waitForSelector('.controls[data-state="done"]', { state: "attached" });
  assert.match(await page.textContent(".graph-name"), /one/);
  await drop(page, "two.csv", "id,name\n1,Ada Lovelace\n3,Mary Somerville\n");
  await page.check("dialog input[value=here]");
  await page.click("dialog button[value=start]");
  await page.waitForFunction(() => /two\.csv/.test(document.querySelector(".controls-name")?.textContent ?? ""));
  await page.waitForSelector('.controls[data-state="done"]', { state: "attached" });
  assert.match(await page.textContent(".graph-name"), /one/);
  const { existing, new: opened, possible } = await counts(page);
  assert.equal(existing + opened + possible, 4);
  await page.close();
});

test("a graph that is not saved is asked about before another takes its place", async () => {
  const page = await openPage();
  await drop(page, "one.csv", "id,name\n1,Ada Lovelace\n2,Charles Babbage\n");
  await page.click("dialog button[value=start]");
  await page.waitForSelector('.controls[data-state="done"]', { state: "attached" });
  await page.click('#bar-end > button:has-text("Menu")');
  await page.click("#menu >> text=New graph");
  await page.click("dialog >> text=Cancel");
  assert.equal(await page.isVisible("#map"), true);
  await page.click('#bar-end > button:has-text("Menu")');
  await page.click("#menu >> text=New graph");
  await page.click("dialog button[value=leave]");
  await page.waitForSelector(".start:visible");
  assert.equal(await page.locator(".kept").count(), 0);
  await page.close();
});
