// The same facts give the same graph as natively: the hashes are those that the native tests pin.
import assert from "node:assert/strict";
import { test } from "node:test";

import { facts, pinned, read, readBytes } from "./data.mjs";
import { level, ready } from "./module.mjs";

for (const set of ["fodors-zagats", "febrl1", "febrl3", "patentsview-10k"]) {
  test(`${set} has the hash of the native engine`, async () => {
    const kg = await ready();
    assert.equal(kg.get_performance_metrics().simdLevel, level);
    const given = facts(set);
    const start = performance.now();
    const results = kg.allocate_facts(given);
    const took = performance.now() - start;
    assert.equal(results.filter((result) => result.error).length, 0);
    assert.equal(kg.state_hash(), pinned.get(set));
    console.log(`${set}, ${level}: ${Math.round(given.length / took * 1000)} facts/s`);
    // One by one it is the same.
    if (set === "febrl1") {
      const slow = await ready();
      for (const fact of given) slow.allocate_fact(fact);
      assert.equal(slow.state_hash(), pinned.get(set));
    }
    // And the same once more from its bytes.
    const bytes = kg.export();
    const other = await ready();
    other.import(bytes);
    assert.equal(other.state_hash(), pinned.get(set));
    assert.deepEqual(other.export(), bytes);
  });
}

test("a .ckg of the native engine opens here, and is written here byte for byte", async () => {
  const folder = "crates/cortexkg-wasm/tests/fixtures/";
  const file = new Uint8Array(readBytes(`${folder}texts.ckg`));
  const hash = read(`${folder}texts.hash`).trim();
  const opened = await ready();
  opened.import(file);
  assert.equal(opened.state_hash(), hash);
  const made = await ready();
  made.allocate_facts(read(`${folder}texts.txt`).trim().split("\n").map((text, at) => ({ text, id: `${at + 1}` })));
  made.forget("4");
  assert.equal(made.state_hash(), hash);
  assert.deepEqual(made.export(), file);
});
