// One tab: what is saved comes back, under its name, in either kind.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, storageWorker } from "./browser.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

for (const kind of ["indexeddb", "opfs"]) {
  test(`${kind}: pieces come back in order, and one takes the place of all`, async () => {
    const worker = await storageWorker(await browser.page());
    const seen = await worker.evaluate(async (kind) => {
      const options = { name: `trip of ${kind}`, kind };
      const seen = [await opened(options), await loaded()];
      await current.append(piece(1, 10));
      await current.append(piece(2, 100_000));
      // At once: they are kept in the order of the calls.
      await Promise.all([3, 4, 5].map((number) => current.append(piece(number, 1_000))));
      seen.push(await loaded());
      await current.close();
      await opened(options);
      seen.push(await loaded());
      await current.replace(piece(6, 50));
      seen.push(await loaded());
      await current.append(piece(7, 60));
      await current.close();
      await opened({ ...options, mode: "read" });
      seen.push(await loaded());
      await current.close();
      // A writer that adds before it has loaded.
      await opened(options);
      await current.append(piece(8, 70));
      await current.close();
      await opened(options);
      seen.push(await loaded());
      await current.replace(piece(9, 80));
      await current.replace(piece(10, 90));
      seen.push(await loaded());
      await current.close();
      return seen;
    }, kind);
    const five = ["1:10", "2:100000", "3:1000", "4:1000", "5:1000"];
    assert.deepEqual(seen, [
      { kind, isWriter: true },
      [],
      five,
      five,
      ["6:50"],
      ["6:50", "7:60"],
      ["6:50", "7:60", "8:70"],
      ["10:90"],
    ]);
  });

  test(`${kind}: a view of a larger buffer is kept alone, as it was at the call`, async () => {
    const worker = await storageWorker(await browser.page());
    const seen = await worker.evaluate(async (kind) => {
      await opened({ name: `view ${kind}`, kind });
      const { buffer } = new WebAssembly.Memory({ initial: 1 });
      const view = new Uint8Array(buffer, 100, 3).fill(7);
      const saved = current.append(view);
      view.fill(9);
      await saved;
      await current.append(new Uint8Array());
      const pieces = await current.load();
      await current.close();
      return pieces.map((bytes) => [...bytes]);
    }, kind);
    assert.deepEqual(seen, [[7, 7, 7], []]);
  });

  test(`${kind}: names are any text, and what is removed is gone`, async () => {
    const worker = await storageWorker(await browser.page());
    const names = ["a", "A", "a/b", "..", " ", "\ufeffmark", "ключ ⛵ \u0000", "-", "x".repeat(3_000)];
    const seen = await worker.evaluate(
      async ({ kind, names }) => {
        for (const name of await storage.storedNames()) await storage.removeStorage(name);
        // Opened, and never saved: it is not there.
        await opened({ name: "nothing", kind });
        await current.close();
        for (const [number, name] of names.entries()) {
          await opened({ name, kind });
          await current.append(piece(number, 20));
          await current.close();
        }
        const seen = [await storage.storedNames()];
        for (const name of names) {
          await opened({ name, mode: "read" });
          seen.push(await loaded());
          await current.close();
        }
        for (const name of names) await storage.removeStorage(name);
        await storage.removeStorage("never there");
        seen.push(await storage.storedNames());
        await opened({ name: "a", kind });
        seen.push(await loaded());
        await current.close();
        return seen;
      },
      { kind, names },
    );
    assert.deepEqual(seen, [[...names].sort(), ...names.map((_, number) => [`${number}:20`]), [], []]);
  });

  test(`${kind}: how long 5 and 50 MB take`, async (context) => {
    const worker = await storageWorker(await browser.page());
    const times = await worker.evaluate(async (kind) => {
      await opened({ name: `large ${kind}`, kind });
      const times = [];
      const timed = async (what, call) => {
        const start = performance.now();
        await call();
        times.push(`${what} ${Math.round(performance.now() - start)} ms`);
      };
      for (const megabytes of [5, 50]) {
        const bytes = piece(megabytes, megabytes * 1e6);
        await timed(`${megabytes} MB: replace`, () => current.replace(bytes));
        await timed("append", () => current.append(bytes));
        await timed("load both", () => current.load());
        await current.replace(piece(0, 1_000));
        await timed("append 10 KB", () => current.append(piece(1, 10_000)));
      }
      await current.close();
      await storage.removeStorage(`large ${kind}`);
      return times;
    }, kind);
    context.diagnostic(`${kind}: ${times.join(", ")}`);
  });
}

test("auto takes files of the origin in a worker, IndexedDB in a page, and what is there already in both", async () => {
  const page = await browser.page();
  const worker = await storageWorker(page);
  const kinds = (name) => worker.evaluate(async (name) => {
    const { kind } = await opened({ name });
    await current.append(piece(1, 10));
    await current.close();
    return kind;
  }, name);
  assert.equal(await kinds("auto in a worker"), "opfs");
  const seen = await page.evaluate(async () => {
    const seen = [await opened({ name: "auto in a page" })];
    await current.append(piece(2, 10));
    await current.close();
    // A page reads files, and cannot write them.
    seen.push(await opened({ name: "auto in a worker", mode: "read" }), await loaded());
    await current.close();
    seen.push(await outcome(() => opened({ name: "auto in a worker" })));
    seen.push((await storage.storedNames()).filter((name) => name.startsWith("auto")));
    return seen;
  });
  assert.deepEqual(seen.slice(0, 3), [{ kind: "indexeddb", isWriter: true }, { kind: "opfs", isWriter: false }, ["1:10"]]);
  assert.match(seen[3], /^StorageError: .*only be written in a worker/);
  assert.deepEqual(seen[4], ["auto in a page", "auto in a worker"]);
  assert.equal(await kinds("auto in a page"), "indexeddb");
});

test("what cannot be is refused with what to do", async () => {
  const worker = await storageWorker(await browser.page());
  const seen = await worker.evaluate(async () => {
    const seen = [];
    for (const options of [{ name: "" }, { name: "\ud800" }, { name: "a", kind: "cookies" }, { name: "a", mode: "append" }]) {
      seen.push(await outcome(() => opened(options)));
    }
    await opened({ name: "reader", mode: "read" });
    seen.push(await outcome(() => current.append(piece(1, 10))));
    await current.close();
    await current.close();
    seen.push(await outcome(() => current.load()), await outcome(() => current.replace(piece(1, 10))));
    return seen;
  });
  const expected = [/needs a name/, /half a character/, /kind of a storage is auto/, /mode of a storage is write/, /^StorageReadOnlyError: .*opened to read/, /was closed/, /was closed/];
  expected.forEach((message, at) => assert.match(seen[at], message));
});

test("a file that was damaged is told of, and left as it is", async () => {
  const worker = await storageWorker(await browser.page());
  const seen = await worker.evaluate(async () => {
    await opened({ name: "damaged", kind: "opfs" });
    for (const number of [1, 2, 3]) await current.append(piece(number, 1_000));
    await current.close();
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("cortexkg");
    for await (const folder of root.values()) {
      const file = await folder.getFileHandle("0.log");
      const handle = await file.createSyncAccessHandle();
      const head = new Uint8Array(100);
      handle.read(head, { at: 0 });
      if (new TextDecoder().decode(head).includes("damaged")) handle.write(Uint8Array.of(head[90] ^ 1), { at: 90 });
      handle.close();
    }
    await opened({ name: "damaged", kind: "opfs" });
    const seen = [await outcome(() => current.load()), await outcome(() => current.append(piece(4, 10)))];
    await current.close();
    await storage.removeStorage("damaged");
    await opened({ name: "damaged", kind: "opfs" });
    seen.push(await loaded());
    return seen;
  });
  assert.match(seen[0], /^StorageError: .*"damaged" is damaged: piece 0 .*removeStorage/);
  assert.match(seen[1], /^StorageError: .*is damaged/);
  assert.deepEqual(seen[2], []);
});

test("without https there is IndexedDB alone, and in a sandbox nothing, and both are said", async () => {
  const insecure = await browser.page(`${browser.insecure}/test/browser/blank.html`);
  const worker = await storageWorker(insecure);
  const seen = await worker.evaluate(async () => {
    const seen = [navigator.locks === undefined, await opened({ name: "plain" }), await outcome(() => current.append(piece(1, 10)))];
    await current.close();
    seen.push(await storage.storedNames(), await outcome(() => storage.removeStorage("plain")));
    return [...seen, await outcome(() => opened({ name: "plain", kind: "opfs" }))];
  });
  assert.deepEqual(seen.slice(0, 5), [true, { kind: "indexeddb", isWriter: true }, "ok", ["plain"], "ok"]);
  assert.match(seen[5], /^StorageError: OPFS .* cannot be used here .*https/);

  const page = await browser.page();
  await page.evaluate(async () => {
    const frame = document.createElement("iframe");
    frame.sandbox.add("allow-scripts");
    frame.src = location.href;
    document.body.append(frame);
    await new Promise((resolve) => frame.addEventListener("load", resolve));
  });
  const frame = page.frames()[1];
  await frame.waitForFunction(() => "storage" in globalThis);
  const refused = await frame.evaluate(async () => [
    await outcome(() => opened({ name: "here" })),
    await outcome(() => opened({ name: "here", mode: "read", kind: "opfs" })),
  ]);
  for (const message of refused) assert.match(message, /^StorageError: .*cannot be used here .*Allow this site/);
});

test("asking to persist asks the browser, and nothing else does", async () => {
  const page = await browser.page();
  const seen = await page.evaluate(async () => {
    const calls = [];
    navigator.storage.persist = async () => (calls.push("persist"), true);
    await opened({ name: "asking" });
    await current.append(piece(1, 10));
    await current.close();
    calls.push("opened");
    return [await storage.askToPersist(), ...calls];
  });
  assert.deepEqual(seen, [true, "opened", "persist"]);
});
