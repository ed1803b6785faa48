// The package as a page uses it: without a bundler, in a worker, kept under a name.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { facts, pinned } from "../../../crates/cortexkg-wasm/tests/node/data.mjs";
import { launch } from "./browser.mjs";
import { WEB } from "./server.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** A tab that has the package as `CortexKG`. */
async function tab() {
  const page = await browser.page();
  await page.evaluate(async () => Object.assign(globalThis, await import("/dist/index.js")));
  return page;
}

/** Waits until something holds. */
async function until(holds) {
  for (let left = 100; !(await holds()); left--) {
    assert.ok(left > 0, "it does not come to hold");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("the graph of ten thousand inventors is the native one, bit for bit, in a worker and on the page", { timeout: 120_000 }, async () => {
  const page = await tab();
  const found = await page.evaluate(async (facts) => {
    const found = [];
    for (const options of [{}, { worker: false, simd: false }, { maxMemoryBytes: 12e6 }]) {
      const graph = await globalThis.CortexKG.open(options);
      let told = 0;
      await graph.allocateFacts(facts, { onOutcomes: (outcomes) => (told += outcomes.length) });
      found.push([told, await graph.stateHash()]);
      await graph.close();
    }
    return found;
  }, facts("patentsview-10k"));
  const expected = [10_000, pinned.get("patentsview-10k")];
  assert.deepEqual(found, [expected, expected, expected]);
  await page.close();
});

test("the files of a graph go with it, and with the next one those that a tab has left behind", async () => {
  const names = (page) =>
    page.evaluate(async () => {
      const names = [];
      for await (const name of (await (await navigator.storage.getDirectory()).getDirectoryHandle("cortexkg scratch")).keys()) names.push(name);
      return names;
    });
  const page = await tab();
  await page.evaluate(async () => {
    globalThis.graph = await globalThis.CortexKG.open({ maxMemoryBytes: 50e6 });
    await globalThis.graph.allocateFact({ text: "kept in memory" });
  });
  const left = await names(page);
  assert.equal(left.length, 2);
  await page.close();
  const other = await tab();
  await other.evaluate(async () => (globalThis.graph = await globalThis.CortexKG.open()));
  // Chromium takes a moment to let go of the files of a tab that is gone; then whoever comes next removes them.
  await until(async () => {
    await other.evaluate(async () => (await globalThis.CortexKG.open()).close());
    return (await names(other)).every((name) => !left.includes(name));
  });
  assert.equal((await names(other)).length, 1);
  await other.evaluate(() => globalThis.graph.close());
  assert.deepEqual(await names(other), []);
  await other.close();
});

for (const kind of ["opfs", "indexeddb"]) {
  test(`a graph kept by ${kind} comes back in another tab, and only one writes`, async () => {
    const page = await tab();
    const name = `people of ${kind}`;
    const hash = await page.evaluate(async ({ name, kind }) => {
      const graph = (globalThis.graph = await globalThis.CortexKG.open({ storage: { name, kind } }));
      await graph.allocateFacts([{ id: "a", text: "Ada Lovelace" }, { id: "b", text: "Charles Babbage" }]);
      await graph.save();
      await graph.allocateFact({ id: "c", text: "ada lovelace" });
      await graph.save();
      return graph.stateHash();
    }, { name, kind });
    const other = await tab();
    const second = await other.evaluate(async ({ name, kind }) => {
      const { CortexKG, StorageLockedError, StorageReadOnlyError } = globalThis;
      const refused = await CortexKG.open({ storage: { name, kind } }).catch((error) => error);
      const graph = (globalThis.graph = await CortexKG.open({ storage: { name, kind, mode: "auto" } }));
      globalThis.events = [];
      graph.onStorage(({ type }) => globalThis.events.push(type));
      const unsaved = await graph.save().catch((error) => error);
      return { isLocked: refused instanceof StorageLockedError, isWriter: graph.isWriter, hash: await graph.stateHash(), isReadOnly: unsaved instanceof StorageReadOnlyError };
    }, { name, kind });
    assert.deepEqual(second, { isLocked: true, isWriter: false, hash, isReadOnly: true });
    await page.evaluate(async () => {
      await globalThis.graph.allocateFact({ id: "d", text: "Grace Hopper" });
      await globalThis.graph.save();
    });
    await other.waitForFunction(() => globalThis.events.includes("saved"));
    await page.evaluate(() => globalThis.graph.close());
    await other.waitForFunction(() => globalThis.events.includes("released"));
    const taken = await other.evaluate(async ({ name, kind }) => {
      await globalThis.graph.close();
      const graph = await globalThis.CortexKG.open({ storage: { name, kind } });
      const { facts } = await graph.metrics();
      await graph.allocateFact({ id: "e", text: "Radia Perlman" });
      await graph.save();
      await graph.close();
      const names = await globalThis.storedNames();
      await globalThis.removeStorage(name);
      return { facts, isWriter: graph.isWriter, names: names.includes(name), after: (await globalThis.storedNames()).includes(name) };
    }, { name, kind });
    assert.deepEqual(taken, { facts: 4, isWriter: true, names: true, after: false });
    await page.close();
    await other.close();
  });
}

test("the bindings keep by a name of their own accord", async () => {
  const page = await browser.page();
  const states = await page.evaluate(async () => {
    const { loadBindings } = await import("/dist/bindings.js");
    const { bindings } = await loadBindings();
    const kg = new bindings.CortexKGWasm({ columnCount: 16 });
    await kg.initialize_with_storage("columns");
    kg.allocate_batch([0, 1, 2]);
    kg.deallocate_concept(1);
    await kg.optimize_allocations();
    const before = kg.get_column_states();
    await kg.close();
    const back = new bindings.CortexKGWasm();
    await back.initialize_with_storage("columns");
    const after = back.get_column_states();
    await back.close();
    return { before, after };
  });
  assert.equal(states.before.length, 2);
  assert.deepEqual(states.after, states.before);
  await page.close();
});

test("the module is fetched once for all workers of a page, and what is wrong with it is told", async () => {
  const page = await tab();
  let [fetched, answer] = [0, { status: 404 }];
  await page.context().route("**/*.wasm", async (route) => {
    fetched++;
    await (answer ? route.fulfill(answer) : route.continue());
  });
  try {
    const open = () =>
      page.evaluate(async () => {
        try {
          const graph = await globalThis.CortexKG.open();
          await graph.allocateFact({ id: "a", text: "Ada Lovelace" });
          await graph.close();
          return "ok";
        } catch (error) {
          return `${error.name}: ${error.message}`;
        }
      });
    assert.match(await open(), /^CortexError: .*_bg\.wasm could not be loaded \(404\); serve the folder wasm\//);
    answer = undefined;
    fetched = 0;
    assert.deepEqual([await open(), await open(), fetched], ["ok", "ok", 1]);
    // A server that calls it something else costs another fetch each time, and no more.
    const other = await tab();
    answer = { contentType: "text/plain", path: join(WEB, "wasm", "simd128", "cortexkg_wasm_bg.wasm") };
    assert.equal(await other.evaluate(async () => (await globalThis.CortexKG.open()).close().then(() => "ok")), "ok");
    await other.close();
  } finally {
    await page.context().unroute("**/*.wasm");
    await page.close();
  }
});

test("a worker that cannot be loaded is told of, and options are those of the call, however long the module takes", async () => {
  const page = await tab();
  const context = page.context();
  await context.route("**/*.wasm", () => {});
  await context.route("**/worker.js", (route) => route.fulfill({ status: 404 }));
  try {
    const refused = await page.evaluate(() =>
      Promise.all([globalThis.CortexKG.open(), globalThis.CortexKG.open({ columns: () => 1 })].map((opening) => opening.catch((error) => error.name))),
    );
    assert.deepEqual(refused, ["CortexError", "DataCloneError"]);
  } finally {
    await context.unroute("**/*.wasm");
    await context.unroute("**/worker.js");
  }
  const other = await tab();
  const names = await other.evaluate(async () => {
    const options = { storage: "first" };
    const opening = globalThis.CortexKG.open(options);
    options.storage = "second";
    const graph = await opening;
    await graph.allocateFact({ id: "a", text: "Ada Lovelace" });
    await graph.save();
    await graph.close();
    return globalThis.storedNames();
  });
  assert.ok(names.includes("first") && !names.includes("second"), String(names));
  await page.close();
  await other.close();
});

test("a call is ended by its signal, and a worker by its client", async () => {
  const page = await tab();
  const told = await page.evaluate(async () => {
    const graph = await globalThis.CortexKG.open();
    const controller = new AbortController();
    function* endless() {
      for (let at = 0; ; at++) yield { text: `thing ${at * 7919}` };
    }
    const seen = [];
    const aborted = await graph
      .allocateFacts(endless(), { signal: controller.signal, onProgress: ({ done }) => (seen.push(done), done > 1_000 && controller.abort()) })
      .catch((error) => error.name);
    const { facts } = await graph.metrics();
    const refused = await graph.allocateFact({ text: "x", confidence: () => 1 }).catch((error) => error.name);
    await graph.close();
    const closed = await graph.metrics().catch((error) => error.message);
    return { aborted, isAll: facts <= seen.at(-1) && facts > 0, refused, closed };
  });
  assert.deepEqual({ ...told, closed: /closed/.test(told.closed) }, { aborted: "AbortError", isAll: true, refused: "DataCloneError", closed: true });
  assert.deepEqual(browser.errors, []);
  await page.close();
});

test("a fact that cannot be sent to the worker is refused, and costs the others nothing", async () => {
  const page = await tab();
  const found = await page.evaluate(async () => {
    const graph = await globalThis.CortexKG.open();
    const thrower = { id: "t", get text() { throw new Error("mine"); } };
    const facts = [{ id: "a", text: "Ada Lovelace" }, { id: "f", text: "x", more: () => 1 }, thrower, { id: "b", text: "Charles Babbage" }];
    const outcomes = await graph.allocateFacts([...facts, { id: "c", text: "Grace Hopper" }], { batch: 4 });
    const alone = await graph.allocateFact(facts[1]).then(() => "decided", (error) => error.name);
    const answer = [outcomes.map((one) => one.error ?? one.node), alone, (await graph.metrics()).facts];
    await graph.close();
    return answer;
  });
  assert.deepEqual(found.slice(1), ["DataCloneError", 3]);
  const [ada, sent, thrown, ...others] = found[0];
  assert.deepEqual([ada, ...others], [0, 1, 2]);
  assert.match(sent, /must be plain data.*could not be cloned/);
  assert.match(thrown, /must be plain data.*mine/);
  await page.close();
});
