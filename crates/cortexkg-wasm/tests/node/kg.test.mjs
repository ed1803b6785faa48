// CortexKGWasm: the engine beside its columns, and the seam of the storage.
import assert from "node:assert/strict";
import { test } from "node:test";

import { CortexKGWasm, ready } from "./module.mjs";

/** A storage in memory, which waits a moment as a real one would, and can be made to fail. */
class Shelf {
  kept = new Map();
  saves = 0;
  failure = null;
  async load(name) {
    await null;
    return this.kept.get(name);
  }
  async save(name, bytes) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (this.failure) throw this.failure;
    this.saves++;
    this.kept.set(name, bytes);
  }
}

const ADA = { id: "a", fields: { name: "Ada Lovelace", born: 1815, city: "London", tags: ["poet", "analyst"] } };
const PEOPLE = [ADA, { id: "b", fields: { name: "Charles Babbage", born: 1791, city: "Teignmouth" } }, { id: "c", fields: { name: "ada lovelace", born: "1815", city: "london", tags: null } }];

test("every call before it is initialized is an Error", async () => {
  const kg = new CortexKGWasm();
  const calls = {
    allocate_concept: [1], deallocate_concept: [1], allocate_batch: [[1]], get_column_states: [], get_performance_metrics: [],
    allocate_fact: [ADA], allocate_facts: [[ADA]], search: ["ada"], why: ["a"], forget: ["a"], export: [], import: [new Uint8Array()], state_hash: [],
  };
  for (const [name, given] of Object.entries(calls)) assert.throws(() => kg[name](...given), /not initialized/, name);
  await assert.rejects(kg.optimize_allocations(), /not initialized/);
  await assert.rejects(kg.save_state(), /not initialized/);
  assert.equal(kg.is_initialized, false);
});

test("it is initialized once", async () => {
  const kg = new CortexKGWasm({ columnCount: 64 });
  const [first, second] = await Promise.allSettled([kg.initialize(), kg.initialize()]);
  assert.deepEqual([first.status, second.status], ["fulfilled", "rejected"]);
  assert.match(second.reason.message, /already/);
  assert.equal(kg.is_initialized, true);
  assert.equal(kg.get_performance_metrics().freeCount, 64);
});

test("what is no configuration is an Error", () => {
  for (const bad of [7, "x", [], { columns: 5 }, { columnCount: 0 }, { columnCount: 2 ** 32 }, { columnCount: NaN }, { enableSimd: 1 }, { halfLife: -1 }]) {
    assert.throws(() => new CortexKGWasm(bad), Error, JSON.stringify(bad));
  }
  assert.throws(() => new CortexKGWasm({ columns: 5 }), /there is no "columns"; there are columnCount/);
});

test("facts find their nodes, are found, explained and forgotten", async () => {
  const kg = await ready();
  const [ada, charles, again] = kg.allocate_facts(PEOPLE);
  assert.deepEqual([ada.decision, charles.decision, again.decision], ["new", "new", "existing"]);
  assert.equal(again.node, ada.node);
  assert.ok(again.confidence > 0.8 && again.confidence <= 1);
  assert.equal(kg.allocate_fact(ADA).repeated, true);
  const [hit] = kg.search("lovelace");
  assert.equal(hit.node, ada.node);
  assert.ok(hit.matched.length > 0);
  assert.equal(kg.search("london", 1).length, 1);
  assert.match(kg.why("c"), /existing/);
  assert.equal(kg.forget("c"), 1);
  assert.throws(() => kg.why("nobody"), /nobody/);
  assert.throws(() => kg.forget("nobody"), /nobody/);
  const triple = kg.allocate_fact({ subject: { iri: "http://x.org/Ada" }, predicate: "born", object: { value: "1815", datatype: "http://www.w3.org/2001/XMLSchema#integer" }, source: "x", time: 1.7e9 });
  assert.notEqual(triple.object.node, triple.node);
  assert.equal(kg.allocate_fact({ text: "Multicystic kidney" }).decision, "new");
  const { facts, nodes } = kg.get_performance_metrics();
  assert.deepEqual([facts, nodes], [4, 5]);
});

test("what is no fact is an Error, and the others go on", async () => {
  const kg = await ready();
  const bad = [
    7, null, undefined, "text", [], {}, { text: 7 }, { text: "a", fields: {} }, { subject: "a" }, { subject: "a", predicate: "b" },
    { subject: 7, predicate: "b", object: "c" }, { subject: {}, predicate: "b", object: "c" }, { fields: 7 }, { fields: { name: {} } }, { fields: { name: NaN } },
    { fields: [7] }, { fields: [[7, "x"]] }, { text: "a", id: 7 }, { text: "a", time: 0.5 }, { text: "a", time: NaN }, { text: "a", confidence: "x" },
    { text: "a", confidence: 7 }, { text: "a", embedding: 7 }, { text: "a", embedding: ["x"] }, { text: "a", embedding: [NaN] }, { text: "" }, { text: "x".repeat(70_000) },
    { get text() { throw new Error("mine"); } },
  ];
  const before = kg.state_hash();
  for (const fact of bad) assert.throws(() => kg.allocate_fact(fact), Error);
  assert.throws(() => kg.allocate_fact({ text: "a", time: 0.5 }), /time of a fact.*0.5/);
  assert.equal(kg.state_hash(), before);
  const told = kg.allocate_facts([ADA, ...bad, PEOPLE[1]]);
  assert.equal(told.length, bad.length + 2);
  assert.equal(told.filter(({ error }) => typeof error === "string").length, bad.length);
  assert.deepEqual([told[0].decision, told.at(-1).decision], ["new", "new"]);
  for (const facts of [7, "ab", null, {}]) assert.throws(() => kg.allocate_facts(facts), /must be an array/);
  for (const [text, limit] of [[7], [null], ["x", -1], ["x", 1001], ["x", "1"], ["x", NaN]]) assert.throws(() => kg.search(text, limit), Error);
  // A call from within another is refused, and harms nothing.
  assert.throws(() => kg.allocate_batch({ *[Symbol.iterator]() { kg.allocate_concept(1); } }), /from within/);
  assert.equal(kg.allocate_concept(1), 0);
});

test("columns tell what they hold and how active they are", async () => {
  const kg = await ready({ columnCount: 64, halfLife: 1 });
  kg.allocate_batch([0, 1, 2]);
  const states = kg.get_column_states();
  assert.deepEqual(states.map(({ conceptId, activation_level }) => [conceptId, activation_level]), [[0, 0.25], [1, 0.5], [2, 1]]);
  assert.deepEqual([states[0].columnId, states[0].x, states[0].y], [0, 0, 0]);
  kg.allocate_concept(0);
  assert.equal(kg.get_column_states()[0].activation_level, 1);
  assert.equal(kg.deallocate_concept(1), true);
  assert.equal(kg.get_column_states().length, 2);
  assert.equal(kg.get_performance_metrics().totalAllocations, 4);
});

test("graphs go out and come in; what is none is refused and changes nothing", async () => {
  const kg = await ready();
  kg.allocate_facts(PEOPLE);
  const [hash, bytes] = [kg.state_hash(), kg.export()];
  const other = await ready();
  other.import(bytes);
  assert.equal(other.state_hash(), hash);
  const damaged = bytes.slice();
  damaged[damaged.length >> 1] ^= 1;
  for (const bad of [damaged, bytes.slice(0, 100), new Uint8Array(), new Uint8Array(9999), [1, 2], "x", null, new ArrayBuffer(8)]) {
    assert.throws(() => other.import(bad), Error);
  }
  assert.equal(other.state_hash(), hash);
});

test("without a storage nothing claims to be saved", async () => {
  const kg = new CortexKGWasm();
  await assert.rejects(kg.initialize_with_storage("mine"), /no storage of their own/);
  for (const [name, storage] of [[7, new Shelf()], ["x", 7], ["x", {}], ["x", { load() {} }]]) {
    await assert.rejects(kg.initialize_with_storage(name, storage), Error);
  }
  await kg.initialize();
  await assert.rejects(kg.save_state(), /in memory/);
  kg.allocate_batch([1, 2]);
  kg.deallocate_concept(1);
  assert.equal(await kg.optimize_allocations(), 1); // there is nowhere to save to, and nobody said so
});

test("a storage has it all, once it says so", async () => {
  const shelf = new Shelf();
  const kg = new CortexKGWasm({ columnCount: 64 });
  await kg.initialize_with_storage("mine", shelf);
  kg.allocate_facts(PEOPLE);
  kg.allocate_batch([7, 8, 9]);
  await kg.save_state();
  kg.deallocate_concept(7);
  assert.equal(await kg.optimize_allocations(), 2);
  assert.equal(shelf.saves, 2);
  assert.equal(await kg.optimize_allocations(), 0);
  assert.equal(shelf.saves, 2);

  const back = new CortexKGWasm();
  await back.initialize_with_storage("mine", shelf);
  assert.equal(back.state_hash(), kg.state_hash());
  assert.deepEqual(back.get_column_states(), kg.get_column_states());
  const other = new CortexKGWasm();
  await other.initialize_with_storage("another", shelf);
  assert.equal(other.get_performance_metrics().facts, 0);
});

test("a save that fails is told, and the next one goes on", async () => {
  const shelf = new Shelf();
  const kg = new CortexKGWasm();
  await kg.initialize_with_storage("mine", shelf);
  kg.allocate_concept(1);
  shelf.failure = new Error("quota exceeded");
  const failing = kg.save_state();
  await assert.rejects(failing, /quota exceeded/);
  shelf.failure = null;
  await Promise.all([kg.save_state(), kg.save_state()]);
  assert.equal(shelf.saves, 2);
});

test("what a storage has and is none of ours is refused", async () => {
  const shelf = new Shelf();
  const kg = new CortexKGWasm({ columnCount: 16 });
  await kg.initialize_with_storage("mine", shelf);
  await kg.save_state();
  const bytes = shelf.kept.get("mine");
  for (const bad of [new Uint8Array(40), bytes.slice(0, 30), bytes.slice(0, -1), "text", 7]) {
    shelf.kept.set("mine", bad);
    const other = new CortexKGWasm();
    await assert.rejects(other.initialize_with_storage("mine", shelf), Error);
    shelf.kept.set("mine", bytes);
    await other.initialize_with_storage("mine", shelf); // after a failure it can be tried again
  }
});
