// A browser that gives no more room.

import assert from "node:assert/strict";
import { test } from "node:test";

import { launch, storageWorker } from "./browser.mjs";

for (const kind of ["indexeddb", "opfs"]) {
  test(`${kind}: a save for which there is no room changes nothing, and the next succeeds when there is`, async (context) => {
    // A browser for each: Chromium's IndexedDB remembers for half a minute how much room there was.
    const browser = await launch();
    context.after(browser.close);
    const page = await browser.page();
    const session = await browser.context.newCDPSession(page);
    const worker = await storageWorker(page);
    const quota = (quotaSize) => session.send("Storage.overrideQuotaForOrigin", { origin: browser.origin, ...(quotaSize && { quotaSize }) });
    const save = (call, number, size) =>
      worker.evaluate(({ call, number, size }) => outcome(() => current[call](piece(number, size))), { call, number, size });
    await quota(6_000_000);
    await worker.evaluate((kind) => opened({ name: `full ${kind}`, kind }), kind);
    assert.equal(await save("append", 1, 1_000_000), "ok");
    const refused = [await save("append", 2, 9_000_000), await save("replace", 2, 9_000_000)];
    for (const message of refused) {
      assert.match(message, /^StorageQuotaError: .*"full .*could not be saved.*this site uses [\d.]+ MB; .* limit is [\d.]+ MB.*removeStorage/);
    }
    assert.deepEqual(await worker.evaluate(() => loaded()), ["1:1000000"]);
    // What fits is saved all the same.
    assert.equal(await save("append", 3, 200_000), "ok");
    await quota();
    assert.equal(await save("append", 2, 9_000_000), "ok");
    const after = ["1:1000000", "3:200000", "2:9000000"];
    assert.deepEqual(await worker.evaluate(() => loaded()), after);
    context.diagnostic(refused[0]);
    const again = await worker.evaluate(async (kind) => {
      await current.close();
      await opened({ name: `full ${kind}`, kind });
      const again = await loaded();
      await current.replace(piece(4, 10));
      return [again, await loaded()];
    }, kind);
    assert.deepEqual(again, [after, ["4:10"]]);
  });
}

test("room that is refused only at the end of a transaction, or by the newer class, is told the same", async (context) => {
  const browser = await launch();
  context.after(browser.close);
  const page = await browser.page();
  const seen = await page.evaluate(async () => {
    await opened({ name: "late", kind: "indexeddb" });
    await current.append(piece(1, 10));
    const { put } = IDBObjectStore.prototype;
    /** A transaction that goes well until it is to be committed. */
    const failing = (error) => {
      IDBObjectStore.prototype.put = function (...given) {
        const { transaction } = this;
        Object.defineProperty(transaction, "error", { get: () => error });
        queueMicrotask(() => transaction.abort());
        return put.apply(this, given);
      };
    };
    class QuotaExceededError extends Error {}
    const errors = [new DOMException("full", "QuotaExceededError"), new (globalThis.QuotaExceededError ?? QuotaExceededError)("full"), new QuotaExceededError("full")];
    const seen = [];
    for (const error of errors) {
      failing(error);
      seen.push(await outcome(() => current.replace(piece(2, 10))));
      IDBObjectStore.prototype.put = put;
    }
    return [...seen, await outcome(() => current.append(piece(3, 10))), await loaded()];
  });
  for (const message of seen.slice(0, 3)) assert.match(message, /^StorageQuotaError: .*no more room/);
  assert.deepEqual(seen.slice(3), ["ok", ["1:10", "3:10"]]);
});
