// CortexKGWasm: the engine beside its columns, and the seam of the storage.
import assert from "node:assert/strict";
import { test } from "node:test";

import { AllocationEngine, CortexKGWasm, ready, set_storage_opener, refused } from "./module.mjs";

/** A storage in memory, which waits a moment as a real one would, and can be made to fail. */
class Shelf {
  pieces = [];
  appended = 0;
  replaced = 0;
  closed = 0;
  failure = null;
  /** Thrown when an append has written. */
  afterwards = null;
  async load() {
    await null;
    return this.pieces;
  }
  async append(piece) {
    await this.#write(() => [...this.pieces, piece]);
    this.appended++;
    if (this.afterwards) throw this.afterwards;
  }
  async replace(piece) {
    await this.#write(() => [piece]);
    this.replaced++;
  }
  async close() {
    this.closed++;
  }
  async #write(pieces) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (this.failure) throw this.failure;
    this.pieces = pieces();
  }
}

/** What a storage has, opened anew. */
async function reopened(shelf) {
  const kg = new CortexKGWasm();
  await kg.initialize_with_storage("mine", shelf);
  return kg;
}

const ADA = { id: "a", fields: { name: "Ada Lovelace", born: 1815, city: "London", tags: ["poet", "analyst"] } };
const PEOPLE = [ADA, { id: "b", fields: { name: "Charles Babbage", born: 1791, city: "Teignmouth" } }, { id: "c", fields: { name: "ada lovelace", born: "1815", city: "london", tags: null } }];

test("every call before it is initialized is an Error", async () => {
  const kg = new CortexKGWasm();
  const calls = {
    allocate_concept: [1], deallocate_concept: [1], allocate_batch: [[1]], get_column_states: [], get_performance_metrics: [],
    allocate_fact: [ADA], allocate_facts: [[ADA]], search: ["ada"], search_near: [[1]], why: ["a"], explain: ["a"], node: [0], facts: [0], neighbours: [0], review: [],
    must_link: ["a", "b"], cannot_link: ["a", "b"], undo: [0], consolidate: [], get_column_arrays: [], has_unsaved_changes: [], forget: ["a"], export: [], import: [new Uint8Array()], state_hash: [],
  };
  for (const [name, given] of Object.entries(calls)) assert.throws(() => kg[name](...given), /not initialized/, name);
  await assert.rejects(kg.optimize_allocations(), /not initialized/);
  await assert.rejects(kg.save_state(), /not initialized/);
  await assert.rejects(kg.close(), /not initialized/);
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
    assert.throws(() => new CortexKGWasm(bad), refused, JSON.stringify(bad));
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
  const hash = kg.state_hash();
  const { facts: forgotten, logPosition } = kg.forget("c");
  assert.equal(forgotten, 1);
  kg.undo(logPosition);
  assert.equal(kg.why("c").includes("existing"), true);
  assert.notEqual(kg.state_hash(), hash); // it is remembered that it was forgotten
  kg.forget("c");
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
  for (const fact of bad) assert.throws(() => kg.allocate_fact(fact), refused);
  assert.throws(() => kg.allocate_fact({ text: "a", time: 0.5 }), /time of a fact.*0.5/);
  assert.equal(kg.state_hash(), before);
  const told = kg.allocate_facts([ADA, ...bad, PEOPLE[1]]);
  assert.equal(told.length, bad.length + 2);
  assert.equal(told.filter(({ error }) => typeof error === "string").length, bad.length);
  assert.deepEqual([told[0].decision, told.at(-1).decision], ["new", "new"]);
  for (const facts of [7, "ab", null, {}]) assert.throws(() => kg.allocate_facts(facts), /must be an array/);
  for (const [text, limit] of [[7], [null], ["x", -1], ["x", 1001], ["x", "1"], ["x", NaN]]) assert.throws(() => kg.search(text, limit), refused);
  // A call from within another is refused, and harms nothing.
  assert.throws(() => kg.allocate_batch({ *[Symbol.iterator]() { kg.allocate_concept(1); } }), /from within/);
  assert.equal(kg.allocate_concept(1), kg.allocate_concept(1));
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
    assert.throws(() => other.import(bad), refused);
  }
  assert.equal(other.state_hash(), hash);
});

test("why is told as data, and nodes with all that belongs to them", async () => {
  const kg = await ready();
  const [ada] = kg.allocate_facts(PEOPLE);
  const why = kg.explain("c");
  assert.equal(why.result.decision, "existing");
  assert.equal(why.result.column, ada.column);
  const [leader] = why.candidates;
  assert.deepEqual([leader.node, leader.steps[0].kind, leader.steps.at(-1).totalBits], [ada.node, "prior", leader.evidenceBits]);
  assert.ok(leader.steps.some(({ field, stated, held }) => field === "name" && stated === "Ada Lovelace" && held === "Ada Lovelace"));
  assert.ok(Math.abs(leader.probability - why.result.confidence) < 1e-6);
  const node = kg.node(ada.node);
  assert.deepEqual(node.members, [{ recordId: "a", source: "" }, { recordId: "c", source: "" }]);
  assert.ok(node.properties.some(({ field, value, count }) => field === "city" && value === "London" && count >= 1));
  const [first, second] = kg.facts(ada.node);
  assert.deepEqual(first.fact, { id: "a", fields: [["name", "Ada Lovelace"], ["born", "1815"], ["city", "London"], ["tags", ["poet", "analyst"]]] });
  assert.deepEqual([second.recordId, second.logPosition], ["c", 2]);
  const told = { subject: { iri: "http://x.org/Ada" }, predicate: "born", object: { value: "1815", datatype: "http://x.org/year" }, source: "x", time: 1.7e9, confidence: 0.5, id: "t" };
  const triple = kg.allocate_fact(told);
  assert.deepEqual(kg.facts(triple.node)[0].fact, told);
  assert.deepEqual(kg.neighbours(triple.node), [{ from: triple.node, predicate: "born", to: triple.object.node, label: '"1815"^^http://x.org/year' }]);
  assert.equal(kg.node(999), undefined);
  assert.deepEqual([kg.facts(999), kg.neighbours(999)], [[], []]);
  for (const bad of [-1, 0.5, NaN, "0", null, undefined, 2 ** 53]) assert.throws(() => kg.node(bad), /node must be a whole number/);
});

test("the nodes nearest to a vector are found", async () => {
  const kg = await ready();
  assert.deepEqual(kg.search_near([1, 0, 0]), []);
  const [one, other] = kg.allocate_facts([{ text: "a polar bear", embedding: new Float32Array([1, 0, 0]) }, { text: "Kiyoshi Kato", embedding: [0, 1, 0] }]);
  const [near, far] = kg.search_near(new Float32Array([0.9, 0.1, 0]));
  assert.deepEqual([near.node, near.label, near.column, far.node], [one.node, "a polar bear", one.column, other.node]);
  assert.ok(near.cosine > 0.99 && far.cosine < 0.2);
  assert.equal(kg.search_near([1, 0, 0], 1).length, 1);
  for (const bad of [[1, 0], [0, 0, 0], [NaN, 1, 1], new Float32Array([NaN, 1, 1]), ["x"], "abc", 7, null, new Float32Array(5000)]) {
    assert.throws(() => kg.search_near(bad), refused);
  }
  assert.throws(() => kg.search_near([1, 0, 0], 1001), /limit/);
});

test("what a user says of two records holds, and can be taken back", async () => {
  const kg = await ready();
  const [ada, charles] = kg.allocate_facts(PEOPLE);
  const columns = kg.get_performance_metrics().allocatedCount;
  const linked = kg.must_link("a", ["b", ""]);
  assert.deepEqual(linked.nodes, [ada.node, ada.node]);
  assert.equal(kg.get_performance_metrics().allocatedCount, columns - 1);
  assert.equal(kg.node(charles.node).node, ada.node);
  assert.throws(() => kg.cannot_link("a", "b"), refused);
  kg.undo(linked.logPosition);
  assert.equal(kg.get_performance_metrics().allocatedCount, columns);
  const parted = kg.cannot_link("a", "c");
  assert.notEqual(parted.nodes[0], parted.nodes[1]);
  assert.throws(() => kg.must_link("a", "nobody"), /nobody/);
  for (const [left, right] of [["a", "a"], [7, "a"], [["a"], 7], [[], "b"]]) assert.throws(() => kg.must_link(left, right), refused);
  for (const bad of [-1, 999, 0.5, "1"]) assert.throws(() => kg.undo(bad), refused);
  assert.deepEqual(Object.keys(kg.consolidate()), ["merged", "split"]);
  assert.deepEqual(kg.review(), []);
});

test("nodes light up on the map beside what they share most with", async () => {
  const kg = await ready({ columnCount: 64, halfLife: 1 });
  kg.allocate_concept(0);
  const [ada, , again] = kg.allocate_facts(PEOPLE);
  assert.equal(again.column, ada.column);
  const { width, height, columns, concepts, isNode, x, y, activations } = kg.get_column_arrays();
  assert.deepEqual([width, height], [8, 8]);
  const at = columns.indexOf(ada.column);
  assert.deepEqual([concepts[at], isNode[at], activations[at]], [ada.node, 1, 1]);
  assert.deepEqual([...isNode].filter((is) => !is).length, 1);
  const states = kg.get_column_states();
  assert.deepEqual(states.map(({ x }) => x), [...x]);
  assert.deepEqual(states.map(({ y }) => y), [...y]);
  assert.equal(states.find(({ columnId }) => columnId === ada.column).node, ada.node);
  assert.equal(states.find(({ conceptId }) => conceptId === 0).node, undefined);
  kg.forget("a");
  kg.forget("c");
  assert.equal(kg.get_column_arrays().columns.includes(ada.column), false);
});

test("a full map grows for nodes, as far as it may, and not for concepts", async () => {
  const kg = await ready({ columnCount: 4, maxColumnCount: 32 });
  kg.allocate_batch([1, 2, 3, 4]);
  assert.throws(() => kg.allocate_concept(5), /4/);
  const outcomes = kg.allocate_facts(Array.from({ length: 40 }, (_, at) => ({ text: `${String.fromCharCode(97 + at % 26).repeat(5)} ${at * 7919}` })));
  const { allocatedCount, freeCount, totalAllocations } = kg.get_performance_metrics();
  assert.deepEqual([allocatedCount, freeCount, totalAllocations], [32, 0, 32]);
  assert.equal(outcomes.filter(({ column }) => column === undefined).length, new Set(outcomes.map(({ node }) => node)).size - 28);
  for (const bad of [3, 2 ** 23, NaN]) assert.throws(() => new CortexKGWasm({ columnCount: 4, maxColumnCount: bad }), /maxColumnCount/);
});

test("without a storage nothing claims to be saved", async () => {
  const kg = new CortexKGWasm();
  await assert.rejects(kg.initialize_with_storage("mine"), /no storage of their own/);
  for (const [name, storage] of [[7, new Shelf()], ["x", 7], ["x", {}], ["x", { load() {} }], ["x", { load() {}, append() {} }]]) {
    await assert.rejects(kg.initialize_with_storage(name, storage), refused);
  }
  await kg.initialize();
  await assert.rejects(kg.save_state(), /in memory/);
  kg.allocate_batch([1, 2]);
  kg.deallocate_concept(1);
  assert.equal(await kg.optimize_allocations(), 1); // there is nowhere to save to, and nobody said so
});

test("a package says what opens a storage by its name", async () => {
  const shelves = new Map();
  set_storage_opener(async (name) => shelves.get(name) ?? shelves.set(name, new Shelf()).get(name));
  const kg = new CortexKGWasm();
  await kg.initialize_with_storage("mine");
  kg.allocate_facts(PEOPLE);
  await kg.save_state();
  await kg.close();
  assert.equal(shelves.get("mine").closed, 1);
  await kg.initialize_with_storage("mine");
  assert.equal(kg.get_performance_metrics().facts, 3);
  set_storage_opener(undefined);
  await assert.rejects(new CortexKGWasm().initialize_with_storage("mine"), /no storage of their own/);
  assert.throws(() => set_storage_opener(7), /must be a function/);
});

test("a storage has it all, once it says so", async () => {
  const shelf = new Shelf();
  const kg = new CortexKGWasm({ columnCount: 64 });
  await kg.initialize_with_storage("mine", shelf);
  assert.equal(kg.has_unsaved_changes(), true);
  kg.allocate_facts(PEOPLE);
  kg.allocate_batch([7, 8, 9]);
  await kg.save_state();
  assert.equal(kg.has_unsaved_changes(), false);
  await kg.save_state();
  assert.deepEqual([shelf.replaced, shelf.appended], [1, 0]); // nothing had changed
  kg.deallocate_concept(7);
  assert.equal(kg.has_unsaved_changes(), true);
  assert.ok(await kg.optimize_allocations() > 0);
  assert.deepEqual([shelf.replaced, shelf.appended], [1, 1]);
  assert.equal(await kg.optimize_allocations(), 0);
  assert.deepEqual([shelf.replaced, shelf.appended], [1, 1]);

  const back = await reopened(shelf);
  assert.equal(back.state_hash(), kg.state_hash());
  assert.deepEqual(back.get_column_states(), kg.get_column_states());
  assert.equal(back.has_unsaved_changes(), false);
});

test("a save is as large as what has changed", async () => {
  const shelf = new Shelf();
  const kg = await reopened(shelf);
  kg.allocate_facts(Array.from({ length: 2_000 }, (_, at) => ({ id: `${at}`, text: `person number ${at} of ${at * 7}` })));
  await kg.save_state();
  kg.allocate_fact(ADA);
  await kg.save_state();
  const [base, change] = shelf.pieces.map(({ length }) => length);
  assert.ok(change < base / 50, `${change} of ${base}`);
  kg.forget("a");
  kg.consolidate();
  await kg.save_state();
  assert.equal((await reopened(shelf)).state_hash(), kg.state_hash());
  // A file from elsewhere takes the place of everything.
  const other = await ready();
  other.allocate_facts(PEOPLE);
  kg.import(other.export());
  await kg.save_state();
  assert.equal(shelf.pieces.length, 1);
  assert.equal((await reopened(shelf)).state_hash(), other.state_hash());
});

test("a save that fails is told, and the next one has all that it should have had", async () => {
  const shelf = new Shelf();
  const kg = await reopened(shelf);
  kg.allocate_fact(ADA);
  shelf.failure = new Error("quota exceeded");
  await assert.rejects(kg.save_state(), /quota exceeded/);
  assert.deepEqual(shelf.pieces, []);
  shelf.failure = null;
  await Promise.all([kg.save_state(), kg.save_state()]);
  assert.deepEqual([shelf.replaced, shelf.appended], [1, 0]);
  kg.allocate_fact(PEOPLE[1]);
  shelf.failure = new Error("quota exceeded");
  const failing = kg.save_state();
  kg.allocate_fact(PEOPLE[2]); // while it is on its way
  await assert.rejects(failing, /quota exceeded/);
  assert.equal(kg.has_unsaved_changes(), true);
  shelf.failure = null;
  await kg.save_state();
  assert.equal((await reopened(shelf)).state_hash(), kg.state_hash());
});

test("a storage that fails after it has written is written anew", async () => {
  const shelf = new Shelf();
  const kg = await reopened(shelf);
  await kg.save_state();
  kg.allocate_fact(ADA);
  shelf.afterwards = new Error("no answer in time");
  await assert.rejects(kg.save_state(), /no answer/);
  shelf.afterwards = null;
  kg.allocate_fact(PEOPLE[1]);
  await kg.save_state();
  assert.equal(shelf.pieces.length, 1);
  assert.equal((await reopened(shelf)).state_hash(), kg.state_hash());
});

test("what a storage has and is none of ours is refused", async () => {
  const shelf = new Shelf();
  const kg = await reopened(shelf);
  await kg.save_state();
  kg.allocate_fact(ADA);
  await kg.save_state();
  const pieces = shelf.pieces;
  const [base, change] = pieces;
  for (const bad of [[new Uint8Array(40)], [base.slice(0, 30)], [base.slice(0, -1)], "text", 7, [7], [base, base], [change], [base, change.slice(0, -1)], [base, change, change]]) {
    shelf.pieces = bad;
    const other = new CortexKGWasm();
    await assert.rejects(other.initialize_with_storage("mine", shelf), refused);
    shelf.pieces = pieces;
    await other.initialize_with_storage("mine", shelf); // after a failure it can be tried again
  }
});

test("what throws while it is looked at changes nothing, and nothing stays borrowed", async () => {
  const kg = await ready({ columnCount: 16 });
  const pool = new AllocationEngine(16, true);
  const thrower = Object.defineProperty([1, 2], 0, { get() { throw new Error("mine"); } });
  const { proxy, revoke } = Proxy.revocable([1, 2], {});
  revoke();
  const detached = new Uint8Array(8);
  const vector = new Float32Array(detached.buffer);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  for (const bad of [thrower, proxy]) {
    assert.throws(() => kg.allocate_concept(1, [bad]), refused);
    assert.throws(() => pool.allocate_concept(1, [bad]), refused);
    assert.throws(() => kg.must_link(bad, "a"), refused);
    assert.throws(() => kg.allocate_fact({ fields: [bad] }), refused);
  }
  assert.throws(() => kg.allocate_fact({ fields: { get name() { throw new Error("mine"); } } }), /mine/);
  assert.throws(() => kg.import(detached), /damaged|too short/);
  assert.throws(() => kg.search_near(vector), /dimension/);
  assert.equal(kg.allocate_concept(2), pool.allocate_concept(2));
  await kg.close();
  kg.free();
  pool.free();
});

test("what is asked for while it is being closed waits for its turn, or is refused", async () => {
  const shelf = new Shelf();
  const kg = new CortexKGWasm({ columnCount: 16 });
  await kg.initialize_with_storage("mine", shelf);
  kg.allocate_facts(PEOPLE);
  await kg.save_state();
  const append = shelf.append.bind(shelf);
  await kg.close();
  let isClosed = false;
  shelf.close = async () => void (isClosed = true);
  const slow = new CortexKGWasm();
  await slow.initialize_with_storage("mine", {
    load: () => shelf.load(),
    replace: (piece) => shelf.replace(piece),
    append: async (piece) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.ok(!isClosed, "written after it was closed");
      await append(piece);
    },
    close: () => shelf.close(),
  });
  slow.allocate_fact({ text: "Grace Hopper" });
  const [saving, closing] = [slow.save_state(), slow.close()];
  await new Promise((resolve) => setTimeout(resolve, 5));
  const again = slow.save_state();
  await Promise.all([saving, closing, again]);
  assert.ok(isClosed);
  assert.equal((await reopened(shelf)).get_performance_metrics().facts, PEOPLE.length + 1);
});

test("it can be closed while it is being initialized", async () => {
  const shelf = new Shelf();
  const kg = new CortexKGWasm({ columnCount: 16 });
  const [begun, closed] = await Promise.allSettled([kg.initialize_with_storage("mine", shelf), kg.close()]);
  assert.deepEqual([begun.status, closed.status], ["fulfilled", "fulfilled"]);
  assert.equal(shelf.closed, 1);
  assert.equal(kg.is_initialized, false);
  await kg.initialize();
  kg.allocate_fact(ADA);
  await kg.close();
  const broken = { load: () => Promise.reject(new Error("no disk")), append() {}, replace() {} };
  const [failed, nothing] = await Promise.allSettled([kg.initialize_with_storage("mine", broken), kg.close()]);
  assert.match(failed.reason.message, /no disk/);
  assert.match(nothing.reason.message, /not initialized/);
  await kg.initialize();
  assert.equal(kg.is_initialized, true);
});

test("halves of characters do not make two names one", async () => {
  const kg = await ready({ columnCount: 16 });
  for (const half of ["a\ud800", "\udc00a", "a\ud801b"]) {
    assert.throws(() => kg.allocate_fact({ id: half, text: "Ada" }), /half a character/);
    assert.throws(() => kg.allocate_fact({ source: half, text: "Ada" }), /half a character/);
    assert.throws(() => kg.why(half), /half a character/);
  }
  assert.equal(kg.allocate_fact({ id: "a\ufffd 😀", text: "Ada" }).recordId, "a\ufffd 😀");
  // A value that was cut there says what is left of it.
  assert.equal(kg.allocate_fact({ text: "Grace Hopper \ud83d" }).decision, "new");
});
