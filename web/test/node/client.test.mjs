// The engine behind promises, on this thread.
import assert from "node:assert/strict";
import { test } from "node:test";

import { CortexError, CortexKG, StorageError, packed } from "../../dist/index.js";

const ADA = { id: "a", fields: { name: "Ada Lovelace", born: 1815, city: "London" } };
const PEOPLE = [
  ADA,
  { id: "b", fields: { name: "Charles Babbage", born: 1791, city: "Teignmouth" } },
  { id: "c", fields: { name: "ada lovelace", born: "1815", city: "london" } },
];

function* endless() {
  for (let at = 0; ; at++) yield { id: `${at}`, text: `thing number ${at * 7919}` };
}

/** A storage in memory. */
function shelf() {
  let pieces = [];
  return {
    load: async () => pieces,
    append: async (piece) => void (pieces = [...pieces, piece]),
    replace: async (piece) => void (pieces = [piece]),
    get count() {
      return pieces.length;
    },
  };
}

test("facts find their nodes, and everything can be asked", async () => {
  const graph = await CortexKG.open();
  const ada = await graph.allocateFact(ADA);
  assert.equal(ada.decision, "new");
  const [, charles, again] = await graph.allocateFacts(PEOPLE);
  assert.deepEqual([charles.decision, again.decision, again.node], ["new", "existing", ada.node]);
  assert.equal((await graph.search("lovelace"))[0].column, ada.column);
  assert.equal((await graph.search("ada london charles", { limit: 1 })).length, 1);
  assert.match(await graph.why("c"), /existing/);
  assert.equal((await graph.explain("c")).candidates[0].node, ada.node);
  assert.deepEqual((await graph.node(ada.node)).members.map(({ recordId }) => recordId), ["a", "c"]);
  assert.equal((await graph.facts(ada.node))[0].fact.id, "a");
  assert.deepEqual(await graph.neighbours(ada.node), []);
  assert.deepEqual(await graph.review({ limit: 5 }), []);
  const { logPosition, nodes } = await graph.mustLink("a", ["b", ""]);
  assert.equal(nodes[0], nodes[1]);
  await graph.undo(logPosition);
  await graph.cannotLink("a", "b");
  assert.equal((await graph.forget("c")).facts, 1);
  assert.deepEqual(Object.keys(await graph.consolidate()), ["merged", "split"]);
  const { facts, factTime, memoryBytes, simdLevel } = await graph.metrics();
  assert.equal(facts, 2);
  assert.ok(factTime.mean > 0 && factTime.p99 >= factTime.p95 && memoryBytes > 1 << 20);
  assert.ok(["simd128", "scalar"].includes(simdLevel));
  await graph.close();
  await assert.rejects(graph.metrics(), /closed/);
});

test("vectors are searched for", async () => {
  const graph = await CortexKG.open();
  const fact = await graph.allocateFact({ text: "a polar bear", embedding: new Float32Array([1, 0]) });
  const [hit] = await graph.searchNear(new Float32Array([1, 0.1]), { limit: 1 });
  assert.equal(hit.node, fact.node);
  await assert.rejects(graph.searchNear([1, 2, 3]), /dimension/);
});

test("concepts have columns", async () => {
  const graph = await CortexKG.open({ columns: 16, maxColumns: 16 });
  assert.equal(await graph.allocateConcept(0), 0);
  assert.equal(await graph.allocateConcept(1, [[0, 2]]), await graph.allocateConcept(1));
  const outcomes = await graph.allocateConcepts(new Set([2, 3]));
  assert.deepEqual(outcomes.map(({ success }) => success), [true, true]);
  assert.equal(await graph.deallocateConcept(0), true);
  assert.equal(typeof (await graph.optimizeAllocations()), "number");
  const { columns, isNode, width } = await graph.columns();
  assert.deepEqual([columns.length, isNode.includes(1), width], [3, false, 4]);
});

test("with SIMD and without, the graph is the same", async () => {
  const hashes = await Promise.all(
    [true, false].map(async (simd) => {
      const graph = await CortexKG.open({ simd });
      await graph.allocateFacts(PEOPLE);
      assert.equal((await graph.metrics()).simdLevel, simd ? "simd128" : "scalar");
      return graph.stateHash();
    }),
  );
  assert.equal(hashes[0], hashes[1]);
});

test("a long call tells how far it is, and ends when it is told to", async () => {
  const graph = await CortexKG.open();
  const seen = [];
  const facts = Array.from({ length: 600 }, (_, at) => ({ id: `${at}`, text: `thing ${at * 7919}` }));
  await graph.allocateFacts(facts, { onProgress: (progress) => seen.push(progress) });
  assert.deepEqual(seen.at(-1), { done: 600, total: 600 });
  assert.ok(seen.length >= 3);

  const controller = new AbortController();
  const reason = new Error("enough");
  let [told, next] = [0, 0];
  const call = graph.allocateFacts(endless(), {
    signal: controller.signal,
    batch: 100,
    onOutcomes: (outcomes, first) => {
      assert.equal(first, next);
      next += outcomes.length;
      told += outcomes.filter(({ repeated }) => repeated === false).length;
      if (first >= 1_000) controller.abort(reason);
    },
  });
  await assert.rejects(call, reason);
  // What was decided stays, and every decision was told.
  assert.equal((await graph.metrics()).facts, 600 + told);
  await assert.rejects(graph.allocateFacts(PEOPLE, { signal: AbortSignal.abort(reason) }), reason);
  for (const batch of [0, 0.5, NaN, 1e9, "5"]) await assert.rejects(graph.allocateFacts(PEOPLE, { batch }), RangeError);
  assert.deepEqual(await graph.allocateFacts([]), []);
  assert.deepEqual(await graph.allocateFacts(PEOPLE, { onOutcomes: () => undefined }), []);
  assert.equal((await graph.allocateFacts(PEOPLE, { onOutcomes: () => undefined, collect: true })).length, 3);
});

test("facts may come from something that is waited for, and what fails there is told", async () => {
  const graph = await CortexKG.open();
  async function* feed(fails) {
    yield* PEOPLE;
    if (fails) throw new Error("the feed broke off");
  }
  assert.equal((await graph.allocateFacts(feed(false))).length, 3);
  await assert.rejects(graph.allocateFacts(feed(true), { batch: 1 }), /broke off/);
  const outcomes = await graph.allocateFacts([7, null, { text: "" }, { fields: { a: {} } }, { id: "d", text: "fine" }]);
  assert.deepEqual(outcomes.map(({ error }) => typeof error), ["string", "string", "string", "string", "undefined"]);
  await assert.rejects(graph.allocateFact({ id: "x", fields: 7 }), /fields of a fact/);
});

test("what is kept comes back", async () => {
  const storage = shelf();
  const graph = await CortexKG.open({ storage });
  assert.equal(graph.isWriter, true);
  await graph.allocateFacts(PEOPLE);
  assert.equal(await graph.hasUnsavedChanges(), true);
  await graph.save();
  await graph.allocateFact({ id: "d", text: "Grace Hopper" });
  await graph.save();
  assert.deepEqual([storage.count, await graph.hasUnsavedChanges()], [2, false]);
  const [hash, map] = [await graph.stateHash(), await graph.columns()];
  await graph.close();
  const back = await CortexKG.open({ storage });
  assert.equal(await back.stateHash(), hash);
  assert.deepEqual(await back.columns(), map);
  const file = await back.export();
  const other = await CortexKG.open();
  await other.import(file);
  assert.equal(await other.stateHash(), hash);
  await assert.rejects(other.import(file.slice(0, 99)), Error);
  assert.equal(await other.stateHash(), hash);
});

test("what cannot be kept is told", async () => {
  const graph = await CortexKG.open();
  assert.equal(graph.isWriter, false);
  await assert.rejects(graph.save(), /in memory/);
  await assert.rejects(CortexKG.open({ storage: "people" }), (error) => error instanceof StorageError);
  await assert.rejects(CortexKG.open({ storage: shelf(), worker: true }), CortexError);
  await assert.rejects(CortexKG.open({ columns: -1 }), /columnCount/);
  await assert.rejects(CortexKG.open({ columns: 8, maxColumns: 4 }), /maxColumnCount/);
});

test("nothing is written once it is being closed, and it can be closed twice", async () => {
  const pieces = [];
  let isClosed = false;
  const slowly = async (change) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(!isClosed, "written after it was closed");
    change();
  };
  const storage = {
    load: async () => pieces,
    append: (piece) => slowly(() => pieces.push(piece)),
    replace: (piece) => slowly(() => pieces.splice(0, Infinity, piece)),
    close: async () => void (isClosed = true),
  };
  const graph = await CortexKG.open({ storage });
  await graph.allocateFact(ADA);
  await graph.save();
  await graph.allocateFact(PEOPLE[1]);
  const [saving, closing] = [graph.save(), graph.close()];
  // The closing waits for the save by now.
  await new Promise((resolve) => setTimeout(resolve, 5));
  await assert.rejects(graph.save(), /closed; open another/);
  await Promise.all([saving, closing, graph.close()]);
  const back = await CortexKG.open({ storage: { ...storage, close: async () => {} } });
  assert.equal((await back.metrics()).facts, 2);
  await back.close();
  await back.close();
});

test("a storage of the caller's is let go of where the options are refused", async () => {
  let closings = 0;
  const storage = { ...shelf(), close: async () => void closings++ };
  await assert.rejects(CortexKG.open({ storage, columns: -1 }), /columnCount/);
  assert.equal(closings, 1);
});

test("a module that failed says what to do", () => {
  assert.match(packed(new WebAssembly.RuntimeError("unreachable")).message, /unreachable.*memory; close this graph and open it again/);
});
