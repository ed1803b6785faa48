// AllocationEngine: the pool of columns.
import assert from "node:assert/strict";
import { test } from "node:test";

import { AllocationEngine, level, refused } from "./module.mjs";

const NO_CONCEPTS = [2 ** 32, -1, 0.5, NaN, Infinity, -Infinity, 2n ** 32n, -1n, 10n ** 60n, "7", "", null, undefined, true, {}, [], [1], Symbol("s"), () => 1];

test("concept 0 is a concept, and keeps its column", () => {
  const engine = new AllocationEngine(16, true);
  const column = engine.allocate_concept(0);
  assert.equal(engine.allocate_concept(0), column);
  assert.equal(engine.allocate_concept(0n), column);
  assert.equal(engine.get_allocation_info(0), column);
  assert.equal(engine.get_allocated_count(), 1);
  assert.equal(engine.get_free_column_count(), 15);
  assert.equal(engine.get_allocation_efficiency(), 1 / 16);
  assert.equal(engine.deallocate_concept(0), true);
  assert.equal(engine.deallocate_concept(0), false);
  assert.equal(engine.get_allocation_info(0), undefined);
  assert.equal(engine.get_free_column_count(), 16);
  engine.free();
});

test("the largest concept, as number and as bigint", () => {
  const engine = new AllocationEngine(4, false);
  assert.equal(engine.allocate_concept(2 ** 32 - 1), engine.allocate_concept(2n ** 32n - 1n));
  assert.equal(engine.get_allocation_history()[0].conceptId, 2 ** 32 - 1);
});

test("what is no concept is an Error that names it, and changes nothing", () => {
  const engine = new AllocationEngine(4, true);
  for (const bad of NO_CONCEPTS) {
    for (const call of ["allocate_concept", "deallocate_concept", "get_allocation_info"]) {
      assert.throws(() => engine[call](bad), (error) => error instanceof Error && /whole number/.test(error.message), `${call} ${String(bad)}`);
    }
  }
  assert.throws(() => engine.allocate_concept(2 ** 32), /4294967296/);
  assert.throws(() => engine.allocate_concept("x".repeat(1000)), /…/);
  assert.equal(engine.get_allocated_count(), 0);
});

test("what is no size of a pool is an Error", () => {
  for (const bad of [0, 2 ** 22 + 1, ...NO_CONCEPTS]) {
    assert.throws(() => new AllocationEngine(bad, true), refused, String(bad));
  }
  assert.throws(() => new AllocationEngine(4, "yes"), /enable_simd/);
});

test("an object that was freed is an Error", () => {
  const engine = new AllocationEngine(4, true);
  engine.free();
  assert.throws(() => engine.allocate_concept(1), refused);
  assert.throws(() => engine.get_allocation_history(), refused);
  assert.throws(() => engine.free(), refused);
});

test("a batch tells of each, in order, and goes on after a mistake", () => {
  const engine = new AllocationEngine(2, true);
  const told = engine.allocate_batch([5, 0, 5, NaN, 9]);
  assert.deepEqual(told.map(({ conceptId, columnId, success }) => [conceptId, columnId, success]), [
    [5, 0, true],
    [0, 1, true],
    [5, 0, true],
    [NaN, undefined, false],
    [9, undefined, false],
  ]);
  assert.match(told[3].error, /NaN/);
  assert.match(told[4].error, /concept 9: all 2 columns are taken/);
  assert.ok(!("error" in told[0]));
  assert.equal(new AllocationEngine(9, true).allocate_batch(new Uint32Array([1, 2, 3])).length, 3);
  assert.deepEqual(engine.allocate_batch([]), []);
  for (const bad of [7, "123", null, undefined, {}]) assert.throws(() => engine.allocate_batch(bad), /must be an array/);
  assert.throws(() => engine.allocate_batch({ [Symbol.iterator]: () => { throw new TypeError("mine"); } }), /mine/);
  assert.throws(() => engine.allocate_batch({ *[Symbol.iterator]() { engine.allocate_concept(1); } }), refused); // from within
  assert.equal(engine.get_allocated_count(), 2); // and it can still be used
});

test("related concepts lie side by side", () => {
  const engine = new AllocationEngine(1024, true);
  const far = engine.allocate_batch(Array.from({ length: 300 }, (_, n) => n)).at(-1);
  for (let n = 100; n < 299; n++) engine.deallocate_concept(n);
  const beside = engine.allocate_concept(1000, [299, [0, 0]]);
  assert.ok(Math.abs(beside - far.columnId) < 64, `${beside} and ${far.columnId}`);
  assert.equal(engine.get_allocation_history().at(-1).confidence, 1);
  for (const bad of [7, "ab", [NaN], [[1]], [[1, -1]], Array(65).fill(1)]) {
    assert.throws(() => engine.allocate_concept(2000, bad), refused, JSON.stringify(bad));
  }
  assert.equal(engine.get_allocation_info(2000), undefined);
});

test("history is that of what is allocated now, in its order", () => {
  const engine = new AllocationEngine(64, true);
  const before = Date.now();
  engine.allocate_batch([3, 1, 2]);
  engine.deallocate_concept(1);
  engine.allocate_concept(1);
  const history = engine.get_allocation_history();
  assert.deepEqual(history.map((record) => record.conceptId), [3, 2, 1]);
  for (const { columnId, conceptId, timestamp, confidence } of history) {
    assert.equal(columnId, engine.get_allocation_info(conceptId));
    assert.ok(timestamp >= before && timestamp <= Date.now());
    assert.equal(confidence, 1);
  }
});

test("optimizing closes gaps, keeps order and history, and logs", () => {
  const engine = new AllocationEngine(256, true);
  engine.allocate_batch(Array.from({ length: 200 }, (_, n) => n));
  for (let n = 0; n < 200; n += 2) engine.deallocate_concept(n);
  const lines = [];
  const log = console.log;
  console.log = (line) => lines.push(line);
  const moves = engine.optimize_allocations();
  console.log = log;
  assert.equal(moves, 100);
  assert.match(lines[0], /optimized in [\d.]+ ms: 100 columns moved/);
  assert.deepEqual(engine.get_allocation_history().map((record) => record.columnId), Array.from({ length: 100 }, (_, n) => n));
  assert.equal(engine.allocate_concept(0), 100);
});

test("the mean time is that of all calls", () => {
  const engine = new AllocationEngine(4096, true);
  assert.equal(engine.get_average_time(), 0);
  engine.allocate_batch(Array.from({ length: 3000 }, (_, n) => n));
  const mean = engine.get_average_time();
  assert.ok(mean >= 0 && mean < 1000, `${mean}`);
});

test("SIMD is used if it was asked for and the module has it", () => {
  assert.equal(new AllocationEngine(4, true).simd_enabled, level === "simd128");
  assert.equal(new AllocationEngine(4, false).simd_enabled, false);
});

test("a clock that is gone, or tells no time, keeps nobody from a column", () => {
  const engine = new AllocationEngine(64, true);
  const clock = Object.getOwnPropertyDescriptor(globalThis, "performance");
  const throws = () => {
    throw new Error("no time");
  };
  const others = [undefined, null, {}, 5, { now: throws }, { now: () => 5n }, { now: () => Symbol("s") }, { now: () => NaN }];
  try {
    others.forEach((value, concept) => {
      Object.defineProperty(globalThis, "performance", { value, configurable: true, writable: true });
      engine.allocate_concept(concept);
      new AllocationEngine(4, true).free();
    });
  } finally {
    Object.defineProperty(globalThis, "performance", clock);
  }
  assert.equal(engine.get_allocated_count(), others.length);
  assert.ok(engine.get_average_time() >= 0);
  engine.free();
});

test("what is related may be an array of any kind, and one that lies is refused", () => {
  const engine = new AllocationEngine(64, true);
  [1, 2, 3].forEach((concept) => engine.allocate_concept(concept));
  class Related extends Array {}
  for (const related of [[1], [[1, 2]], Related.of(1, 2), new Uint32Array([1, 2]), new Set([1, 2]), new Proxy([1, [2, 3]], {})]) {
    engine.allocate_concept(4, related);
    assert.equal(engine.deallocate_concept(4), true);
  }
  const revoked = Proxy.revocable([1], {});
  revoked.revoke();
  const getter = Object.defineProperty([1], 0, { get: () => { throw new Error("not this one"); } });
  const lies = (length) => new Proxy([1], { get: (target, key) => (key === "length" ? length : target[key]) });
  const bad = [[, 1], "12", 7, revoked.proxy, getter, lies("5"), lies(-1), lies(Symbol("s")), lies(1e9), new Array(2 ** 32 - 1)];
  for (const related of bad) {
    assert.throws(() => engine.allocate_concept(5, related), Error);
    assert.equal(engine.get_allocated_count(), 3);
  }
  engine.free();
});
