// Graphs of which memory holds a part: what was said in one file, tables in another, storages that are read and written part by part.
import assert from "node:assert/strict";
import { test } from "node:test";

import { facts, pinned } from "./data.mjs";
import { CortexKGWasm, ready, refused } from "./module.mjs";

/** A file that answers at once, and can be made to fail. */
class Disk {
  bytes = new Uint8Array(1 << 16);
  end = 0;
  reads = 0;
  failure = null;
  read(at, into) {
    this.reads++;
    if (at + into.length > this.end) throw new Error(`the file ends at ${this.end}`);
    into.set(this.bytes.subarray(at, at + into.length));
  }
  write(at, bytes) {
    if (this.failure) throw this.failure;
    this.end = Math.max(this.end, at + bytes.length);
    while (this.bytes.length < this.end) {
      const larger = new Uint8Array(this.bytes.length * 2);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes.set(bytes, at);
  }
}

/** A storage that is read and written part by part; `parts` has what it was given since. */
class Parts {
  pieces = [];
  parts = 0;
  failure = {};
  #fail(where) {
    if (this.failure[where]) throw this.failure[where];
  }
  async load() {
    return this.pieces;
  }
  async open() {
    return this.pieces.map((bytes) => ({ length: bytes.length, read: (at, into) => into.set(bytes.subarray(at, at + into.length)) }));
  }
  async append(piece) {
    this.#fail("append");
    this.pieces = [...this.pieces, piece];
  }
  async replace() {
    throw new Error("part by part, please");
  }
  begin() {
    this.#fail("begin");
    const written = [];
    return {
      write: (bytes) => {
        this.#fail("write");
        this.parts++;
        written.push(bytes.slice());
      },
      end: async () => {
        this.#fail("end");
        this.pieces = [new Uint8Array(Buffer.concat(written))];
      },
      abandon: () => (this.abandoned = (this.abandoned ?? 0) + 1),
    };
  }
}

const bounded = () => ({ scratch: new Disk(), swap: new Disk(), maxMemoryBytes: 6e6 });

test("a graph that memory does not hold whole has the hash of the native engine", async () => {
  const files = bounded();
  const kg = await ready(files);
  const given = facts("febrl3");
  for (let at = 0; at < given.length; at += 500) {
    // For a while neither file takes anything, which costs memory and nothing else.
    files.scratch.failure = files.swap.failure = at >= 1_500 && at < 3_000 ? new Error("full") : null;
    assert.ok(kg.allocate_facts(given.slice(at, at + 500)).every((outcome) => !outcome.error));
  }
  assert.equal(kg.state_hash(), pinned.get("febrl3"));
  for (const file of [files.scratch, files.swap]) assert.ok(file.end > 500_000 && file.reads > 100, `${file.end} bytes, ${file.reads} reads`);
  // What lies in the files can be asked for, exported, and taken in beside them.
  assert.match(kg.why(given[7].id), /new|existing|possible/);
  const bytes = kg.export();
  assert.throws(() => kg.import(bytes.subarray(0, -1)), refused);
  assert.equal(kg.state_hash(), pinned.get("febrl3"));
  kg.import(bytes);
  assert.equal(kg.state_hash(), pinned.get("febrl3"));
  assert.match(kg.why(given[7].id), /new|existing|possible/);
  assert.deepEqual(kg.export(), bytes);
  await kg.close();
});

test("a file that gives back something else ends the graph, and says so", async () => {
  const files = bounded();
  const kg = await ready(files);
  const given = facts("febrl3");
  kg.allocate_facts(given.slice(0, 4_000));
  files.swap.bytes.fill(0x33);
  assert.throws(() => kg.allocate_facts(given.slice(4_000)), /swap file/);
  assert.throws(() => kg.allocate_fact({ text: "one more" }), refused);
});

test("what was said and comes back as something else is told, and saved nowhere", async () => {
  const { scratch, swap } = bounded();
  const kg = await ready({ scratch, swap, maxMemoryBytes: 6e6 });
  kg.allocate_facts(facts("febrl3"));
  scratch.bytes[scratch.end >> 1] ^= 1;
  assert.throws(() => kg.export(), /file of rows/);
});

test("a full disk costs memory, and no time at every fact", async () => {
  const files = bounded();
  const kg = await ready(files);
  const given = facts("febrl3");
  kg.allocate_facts(given.slice(0, 2_000));
  let refused = 0;
  files.swap.write = () => {
    refused++;
    throw new Error("full");
  };
  assert.ok(kg.allocate_facts(given.slice(2_000)).every((outcome) => !outcome.error));
  assert.ok(refused > 0 && refused < 1_000, `asked ${refused} times`);
  assert.equal(kg.state_hash(), pinned.get("febrl3"));
});

test("a graph is opened within its bound, and searched within it", async () => {
  const made = await ready();
  made.allocate_facts(facts("febrl3"));
  const files = bounded();
  const kg = await ready(files);
  kg.import(made.export());
  assert.ok(files.swap.end > 500_000, `${files.swap.end} bytes`);
  assert.equal(kg.state_hash(), pinned.get("febrl3"));
  const before = files.swap.reads;
  for (const { fields } of facts("febrl3").slice(0, 200)) kg.search(fields[1][1] || "street");
  assert.ok(files.swap.reads > before);
});

test("what is no file is an Error", () => {
  const file = new Disk();
  for (const bad of [{ scratch: 7 }, { scratch: {} }, { swap: { read() {} } }, { maxMemoryBytes: -1 }, { maxMemoryBytes: "7" }, { swap: file, maxMemoryBytes: NaN }, { quantizeVectors: "yes" }]) {
    assert.throws(() => new CortexKGWasm(bad), refused, JSON.stringify(bad));
  }
  // Without a file for the rest it is no bound, and neither is more than there can be.
  for (const good of [{ maxMemoryBytes: 1e6 }, { swap: file, maxMemoryBytes: 2 ** 40 }]) assert.ok(new CortexKGWasm(good));
});

test("vectors at one bit find what is near", async () => {
  const kg = await ready({ quantizeVectors: true });
  // 12,000 directions of a plane and something: enough for an index.
  const vector = (at) => Float32Array.from({ length: 64 }, (_, axis) => Math.cos((at * (axis + 1)) / 977) + (axis === at % 64 ? 1 : 0));
  const given = Array.from({ length: 12_000 }, (_, at) => ({ id: `${at}`, text: `thing ${at * 7919}`, embedding: vector(at) }));
  const outcomes = kg.allocate_facts(given);
  assert.equal(outcomes.at(-1).method, "hnsw");
  let found = 0;
  for (let at = 0; at < 100; at++) found += kg.search_near(vector(at * 100), 3).some((hit) => hit.node === outcomes[at * 100].node);
  assert.ok(found >= 95, `${found} of 100 found`);
});

test("a storage is written and read part by part", async () => {
  const [storage, files] = [new Parts(), bounded()];
  const kg = new CortexKGWasm(files);
  await kg.initialize_with_storage("mine", storage);
  const given = facts("febrl1");
  kg.allocate_facts(given.slice(0, 900));
  await kg.save_state();
  assert.equal(storage.pieces.length, 1);
  assert.ok(storage.parts > 1, `${storage.parts} parts`);
  kg.allocate_facts(given.slice(900));
  await kg.save_state();
  assert.equal(storage.pieces.length, 2);
  const hash = kg.state_hash();
  assert.equal(hash, pinned.get("febrl1"));
  await kg.close();
  const again = new CortexKGWasm(bounded());
  await again.initialize_with_storage("mine", storage);
  assert.equal(again.state_hash(), hash);
  assert.equal(again.has_unsaved_changes(), false);
  // What is loaded whole is the same.
  const { pieces } = storage;
  const whole = new CortexKGWasm();
  await whole.initialize_with_storage("mine", { load: async () => pieces, append: async () => {}, replace: async () => {} });
  assert.equal(whole.state_hash(), hash);
});

test("what fails at any part is told, and saved the next time", async () => {
  const storage = new Parts();
  const kg = new CortexKGWasm();
  await kg.initialize_with_storage("mine", storage);
  kg.allocate_facts(facts("febrl1"));
  for (const where of ["begin", "write", "end"]) {
    storage.failure = { [where]: new Error(`no ${where} today`) };
    await assert.rejects(kg.save_state(), new RegExp(`no ${where} today`));
    assert.deepEqual(storage.pieces, []);
    assert.equal(kg.has_unsaved_changes(), true);
  }
  assert.equal(storage.abandoned, 1);
  storage.failure = {};
  await kg.save_state();
  kg.allocate_fact({ id: "late", text: "one more" });
  storage.failure = { append: new Error("no append today") };
  await assert.rejects(kg.save_state(), /no append today/);
  storage.failure = {};
  await kg.save_state();
  const again = new CortexKGWasm();
  await again.initialize_with_storage("mine", storage);
  assert.equal(again.state_hash(), kg.state_hash());
});

test("pieces that are none are refused", async () => {
  const whole = { append: async () => {}, replace: async () => {}, load: async () => [] };
  const read = () => {};
  for (const pieces of [7, [7], [{ length: 3 }], [{ read }], [{ length: "3", read }], [{ length: 30, read }], [{ length: -1, read }], [{ length: NaN, read }], [{ length: 1e15, read }]]) {
    const kg = new CortexKGWasm();
    await assert.rejects(kg.initialize_with_storage("mine", { ...whole, open: async () => pieces }), refused, JSON.stringify(pieces));
  }
  const storage = new Parts();
  const good = new CortexKGWasm();
  await good.initialize_with_storage("mine", storage);
  await good.save_state();
  const [base] = await storage.open();
  for (const length of [2 ** 31, 2 ** 32 - 1, Infinity]) {
    const kg = new CortexKGWasm();
    await assert.rejects(kg.initialize_with_storage("mine", { ...whole, open: async () => [base, { length, read }] }), refused, `${length}`);
  }
  for (const begun of [undefined, {}, { write() {} }, (async () => storage.begin())()]) {
    const kg = new CortexKGWasm();
    await kg.initialize_with_storage("mine", { ...whole, begin: () => begun });
    await assert.rejects(kg.save_state(), /must give write, end and abandon/);
  }
  const kg = new CortexKGWasm();
  const failing = { length: 300, read: () => { throw new Error("the disk is gone"); } };
  await assert.rejects(kg.initialize_with_storage("mine", { ...whole, open: async () => [failing] }), /the disk is gone/);
});
