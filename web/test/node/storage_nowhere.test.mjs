// Names of storages are for browsers; Node is told what it has instead.

import assert from "node:assert/strict";
import { test } from "node:test";

import { askToPersist, openStorage, removeStorage, storedNames } from "../../dist/storage/index.js";

test("without a browser nothing is kept under a name, and it says what there is", async () => {
  for (const options of [{ name: "a" }, { name: "a", mode: "read" }, { name: "a", mode: "auto" }, { name: "a", kind: "opfs" }]) {
    await assert.rejects(openStorage(options, () => {}), { name: "StorageError", message: /cannot be used here .*fileStorage of cortexkg\/node/ });
  }
  assert.deepEqual(await storedNames(), []);
  assert.equal(await askToPersist(), false);
  await removeStorage("a");
});
