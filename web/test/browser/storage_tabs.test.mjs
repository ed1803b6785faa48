// Several tabs with the same name: one writes, the others are told.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, storageWorker } from "./browser.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** A tab with a worker in it. */
async function tab(address) {
  const page = await browser.page(address);
  return { page, worker: await storageWorker(page) };
}

const open = ({ worker }, options) => worker.evaluate((options) => outcome(() => opened(options)), options);
const isWriter = ({ worker }) => worker.evaluate(() => current.isWriter);
const append = ({ worker }, number) => worker.evaluate((number) => outcome(() => current.append(piece(number, 1_000))), number);
const loaded = ({ worker }) => worker.evaluate(() => globalThis.loaded());
const close = ({ worker }) => worker.evaluate(() => current.close());

/** Waits for an event of a type, and takes it and what was before it. */
async function told({ worker }, type) {
  return worker.evaluate(async (type) => {
    const end = Date.now() + 5_000;
    for (;;) {
      const at = events.findIndex((event) => event.type === type);
      if (at >= 0) return events.splice(0, at + 1)[at];
      if (Date.now() > end) throw new Error(`not told of ${type} but of ${JSON.stringify(events)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }, type);
}

for (const kind of ["indexeddb", "opfs"]) {
  test(`${kind}: a second tab cannot write, reads, is told, and writes when the first has closed`, async () => {
    const name = `tabs ${kind}`;
    const first = await tab();
    const second = await tab();
    assert.equal(await open(first, { name, kind }), "ok");
    assert.equal(await append(first, 1), "ok");
    assert.match(await open(second, { name, kind }), /^StorageLockedError: .*another tab or worker.*since \d.*mode "read"/);
    assert.match(await second.worker.evaluate((name) => outcome(() => storage.removeStorage(name)), name), /^StorageLockedError/);

    assert.equal(await open(second, { name, kind, mode: "auto" }), "ok");
    assert.equal(await isWriter(second), false);
    assert.deepEqual(await loaded(second), ["1:1000"]);
    assert.match(await append(second, 9), /^StorageReadOnlyError: .*another tab writes/);
    assert.equal(await append(first, 2), "ok");
    await told(second, "saved");
    assert.deepEqual(await loaded(second), ["1:1000", "2:1000"]);
    await first.worker.evaluate(() => current.replace(piece(3, 500)));
    await told(second, "saved");
    assert.deepEqual(await loaded(second), ["3:500"]);

    await close(first);
    await told(second, "released");
    await close(second);
    assert.equal(await open(second, { name, kind }), "ok");
    assert.equal(await append(second, 4), "ok");
    assert.equal(await open(first, { name, kind, mode: "auto" }), "ok");
    assert.equal(await isWriter(first), false);
    assert.deepEqual(await loaded(first), ["3:500", "4:1000"]);

    // A tab that is closed lets go without a word.
    await second.page.close();
    await told(first, "released");
    await close(first);
    assert.equal(await open(first, { name, kind }), "ok");
    assert.equal(await append(first, 5), "ok");
    await first.page.close();
  });

  test(`${kind}: a page that is loaded again writes at once`, async () => {
    const name = `reload ${kind}`;
    const one = await tab();
    assert.equal(await open(one, { name, kind }), "ok");
    for (const number of [1, 2, 3]) {
      assert.equal(await append(one, number), "ok");
      await one.page.reload();
      one.worker = await storageWorker(one.page);
      assert.equal(await open(one, { name, kind }), "ok");
    }
    assert.deepEqual(await loaded(one), ["1:1000", "2:1000", "3:1000"]);
    await one.page.close();
  });

  test(`${kind}: a reader sees whole states while another one replaces`, async () => {
    const name = `busy ${kind}`;
    const [writer, reader] = [await tab(), await tab()];
    assert.equal(await open(writer, { name, kind }), "ok");
    assert.equal(await append(writer, 0), "ok");
    assert.equal(await open(reader, { name, kind, mode: "read" }), "ok");
    const writing = writer.worker.evaluate(async () => {
      for (let number = 1; number <= 60; number++) await current.replace(piece(number, 200_000));
    });
    const seen = await reader.worker.evaluate(async () => {
      const seen = [];
      while (seen.at(-1) !== "60:200000") {
        const pieces = await globalThis.loaded();
        if (pieces.length !== 1) throw new Error(`${pieces.length} pieces after ${seen.at(-1)}`);
        seen.push(pieces[0]);
      }
      return seen;
    });
    await writing;
    const numbers = seen.map((piece) => Number(piece.split(":")[0]));
    assert.ok(seen.every((piece) => !piece.startsWith("broken")), String(seen));
    assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
    await writer.page.close();
    await reader.page.close();
  });

  test(`${kind}: a writer that was frozen while its lock went away never writes again`, async () => {
    const name = `frozen ${kind}`;
    const [first, second] = [await tab(), await tab()];
    assert.equal(await open(first, { name, kind }), "ok");
    assert.equal(await append(first, 1), "ok");
    const session = await browser.context.newCDPSession(first.page);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    // What a browser may do to a tab that sleeps; we never steal.
    await second.page.evaluate((name) => navigator.locks.request(`cortexkg/${name}`, { steal: true }, () => {}), name);
    const taken = await open(second, { name, kind });
    if (kind === "opfs" && taken !== "ok") {
      // Its files are still open: nobody else can write, so nothing can go wrong, until it wakes up and gives up.
      assert.match(taken, /^StorageLockedError/);
      await session.send("Page.setWebLifecycleState", { state: "active" });
      assert.equal((await told(first, "lost")).reason, "the right to write was given to another tab");
      assert.equal(await open(second, { name, kind }), "ok");
    }
    assert.equal(await append(second, 2), "ok");
    await session.send("Page.setWebLifecycleState", { state: "active" });
    assert.match(await append(first, 3), /^StorageReadOnlyError: /);
    assert.equal(await isWriter(first), false);
    assert.deepEqual(await loaded(second), ["1:1000", "2:1000"]);
    await first.page.close();
    await second.page.close();
  });
}

test("without Web Locks the later writer wins, and the former is fenced", async () => {
  const address = `${browser.insecure}/test/browser/blank.html`;
  const [first, second] = [await tab(address), await tab(address)];
  const name = "fenced";
  assert.equal(await open(first, { name }), "ok");
  assert.equal(await append(first, 1), "ok");
  assert.equal(await open(second, { name }), "ok");
  assert.equal(await append(second, 2), "ok");
  const many = await first.worker.evaluate(() =>
    Promise.all([3, 4].map((number) => outcome(() => current.replace(piece(number, 1_000))))),
  );
  for (const message of many) assert.match(message, /^StorageReadOnlyError: .*another tab writes to it by now/);
  assert.equal((await told(first, "lost")).reason, "another tab writes to it by now");
  assert.deepEqual(await loaded(second), ["1:1000", "2:1000"]);
  // Removed and begun anew, it is still not the former one's.
  await close(second);
  assert.equal(await second.worker.evaluate((name) => outcome(() => storage.removeStorage(name)), name), "ok");
  assert.equal(await open(second, { name }), "ok");
  assert.match(await append(first, 5), /^StorageReadOnlyError/);
  assert.deepEqual(await loaded(second), []);
});

test("auto with files that another one holds reads", async () => {
  const [first, second] = [await tab(), await tab()];
  const name = "held";
  assert.equal(await open(first, { name, kind: "opfs" }), "ok");
  assert.equal(await append(first, 1), "ok");
  // As if there had been no lock.
  await second.worker.evaluate(() => (navigator.locks.request = (_name, _options, call) => Promise.resolve(call({}))));
  assert.match(await open(second, { name, kind: "opfs" }), /^StorageLockedError/);
  assert.equal(await open(second, { name, kind: "opfs", mode: "auto" }), "ok");
  assert.equal(await isWriter(second), false);
  assert.deepEqual(await loaded(second), ["1:1000"]);
});
