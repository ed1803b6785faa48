// Databases of older and newer versions.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { launch, storageWorker } from "./browser.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

beforeEach(async () => {
  const page = await browser.page();
  await page.evaluate(() => new Promise((resolve) => (indexedDB.deleteDatabase("cortexkg").onsuccess = resolve)));
  await page.close();
});

/** Makes a database as version 1 did, and keeps it open as `old`: `states` is name and number and size of what `piece` makes. */
function makeFirst(page, states) {
  return page.evaluate(
    (states) =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open("cortexkg", 1);
        request.onupgradeneeded = () => {
          const store = request.result.createObjectStore("states");
          for (const [name, number, size] of states) store.put(piece(number, size).slice(), name);
        };
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          globalThis.old = request.result;
          resolve(undefined);
        };
      }),
    states,
  );
}

test("what version 1 kept is the first piece of each name", async () => {
  const page = await browser.page();
  await makeFirst(page, [["one", 1, 1_000], ["two ⛵", 2, 3_000_000]]);
  await page.evaluate(() => globalThis.old.close());
  const worker = await storageWorker(page);
  const seen = await worker.evaluate(async () => {
    const seen = [await storage.storedNames(), await opened({ name: "two ⛵" }), await loaded()];
    await current.append(piece(3, 10));
    await current.close();
    await opened({ name: "one", mode: "read" });
    seen.push(await loaded());
    await current.close();
    await opened({ name: "two ⛵" });
    seen.push(await loaded());
    await current.replace(piece(4, 10));
    seen.push(await loaded());
    await current.close();
    return seen;
  });
  assert.deepEqual(seen, [
    ["one", "two ⛵"],
    { kind: "indexeddb", isWriter: true },
    ["2:3000000"],
    ["1:1000"],
    ["2:3000000", "3:10"],
    ["4:10"],
  ]);
  const [{ version }] = await page.evaluate(() => indexedDB.databases());
  assert.equal(version, 2);
  await page.close();
});

test("an upgrade that is interrupted happened, or did not", async (context) => {
  const page = await browser.page();
  const states = [1, 2, 3].map((number) => [`large ${number}`, number, 10_000_000]);
  await makeFirst(page, states);
  await page.evaluate(() => globalThis.old.close());
  const versions = [];
  for (const wait of [0, 20, 60, 120, 240]) {
    const other = await browser.page();
    void other.evaluate(() => opened({ name: "large 1", kind: "indexeddb" })).catch(() => {});
    await sleep(wait);
    await other.close();
    const databases = await page.evaluate(() => indexedDB.databases());
    versions.push(databases[0]?.version);
  }
  context.diagnostic(`versions after 0 to 240 ms: ${versions}`);
  for (const [name, number, size] of states) {
    const found = await page.evaluate(async (name) => {
      await opened({ name, mode: "read", kind: "indexeddb" });
      const found = await loaded();
      await current.close();
      return found;
    }, name);
    assert.deepEqual(found, [`${number}:${size}`]);
  }
  await page.close();
});

test("an older tab that does not let go is named, and waited for no longer than it takes", async () => {
  const [older, newer] = [await browser.page(), await browser.page()];
  await makeFirst(older, [["one", 1, 1_000]]);
  // The second waits behind the first, of which it knows nothing.
  const refused = await newer.evaluate(() => Promise.all([1, 2].map(() => outcome(() => opened({ name: "one", mode: "read" })))));
  assert.match(refused[0], /^StorageLockedError: another tab has an older version of CortexKG open.*close or reload/);
  assert.match(refused[1], /^StorageLockedError: IndexedDB did not open within 10 s.*close or reload/);
  await older.close();
  assert.equal(await newer.evaluate(() => outcome(() => opened({ name: "one" }))), "ok");
  assert.deepEqual(await newer.evaluate(() => loaded()), ["1:1000"]);
  await newer.close();
});

test("an older tab that finishes what it does first is waited for", async () => {
  const [older, newer] = [await browser.page(), await browser.page()];
  await makeFirst(older, [["one", 1, 1_000]]);
  await older.evaluate(() => {
    globalThis.old.onversionchange = () => setTimeout(() => globalThis.old.close(), 300);
  });
  assert.equal(await newer.evaluate(() => outcome(() => opened({ name: "one" }))), "ok");
  assert.deepEqual(await newer.evaluate(() => loaded()), ["1:1000"]);
  await older.close();
  await newer.close();
});

test("a newer version takes over, and is not touched", async () => {
  const [ours, newer] = [await browser.page(), await browser.page()];
  await ours.evaluate(async () => {
    await opened({ name: "one" });
    await current.append(piece(1, 1_000));
  });
  await newer.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open("cortexkg", 3);
        request.onblocked = () => reject(new Error("blocked"));
        request.onsuccess = () => resolve(request.result.close());
      }),
  );
  const worker = await storageWorker(ours);
  const seen = [
    ...(await ours.evaluate(async () => [
      events,
      current.isWriter,
      await outcome(() => current.append(piece(2, 10))),
      await outcome(() => current.load()),
      await outcome(() => current.close()),
      await outcome(() => opened({ name: "one" })),
      await outcome(() => opened({ name: "one", mode: "read" })),
      await outcome(() => storage.storedNames()),
      await outcome(() => storage.removeStorage("one")),
    ])),
    // Files of the origin could be had, and would hide what is there.
    await worker.evaluate(() => outcome(() => opened({ name: "one" }))),
  ];
  const reason = "a newer version of CortexKG in another tab takes it over; reload this page";
  assert.deepEqual(seen.slice(0, 2), [[{ type: "lost", reason }], false]);
  assert.match(seen[2], /^StorageReadOnlyError: .*a newer version of CortexKG/);
  assert.match(seen[3], /^StorageError: .*a newer version of CortexKG/);
  assert.equal(seen[4], "ok");
  for (const message of seen.slice(5)) assert.match(message, /^StorageVersionError: a newer CortexKG wrote.*reload the page/);
  await ours.close();
  await newer.close();
});

test("who clears the data of the site is not kept from it, and the tab is told", async () => {
  const page = await browser.page();
  const seen = await page.evaluate(async () => {
    await opened({ name: "one" });
    await current.append(piece(1, 1_000));
    await new Promise((resolve) => (indexedDB.deleteDatabase("cortexkg").onsuccess = resolve));
    return [events.map(({ reason }) => reason), await outcome(() => current.append(piece(2, 10)))];
  });
  assert.deepEqual(seen[0], ["the storages of this site are being deleted; reload this page"]);
  assert.match(seen[1], /^StorageReadOnlyError/);
  await page.close();
});

test("files of a newer version are refused, and left as they are", async () => {
  const worker = await storageWorker(await browser.page());
  const seen = await worker.evaluate(async () => {
    await opened({ name: "newer", kind: "opfs" });
    await current.append(piece(1, 1_000));
    await current.close();
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("cortexkg");
    const [folder] = await Array.fromAsync(root.values());
    const setVersion = async (version) => {
      const handle = await (await folder.getFileHandle("0.log")).createSyncAccessHandle();
      handle.write(Uint8Array.of(version), { at: 8 });
      handle.close();
    };
    await setVersion(2);
    await opened({ name: "newer", kind: "opfs" });
    const seen = [await outcome(() => current.load()), await outcome(() => current.append(piece(2, 10))), await outcome(() => current.replace(piece(2, 10)))];
    await current.close();
    seen.push(await outcome(() => opened({ name: "newer" })));
    await setVersion(1);
    await opened({ name: "newer" });
    return [...seen, ...(await loaded())];
  });
  for (const message of seen.slice(0, 4)) assert.match(message, /^StorageVersionError: a newer CortexKG wrote/);
  assert.deepEqual(seen.slice(4), ["1:1000"]);
});
