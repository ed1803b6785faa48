// What the package takes in Chromium: a first answer, a stream of people, a stream of vectors, the map. Prints a table; asserts nothing.
//
//   node bench/bench.mjs [--vectors N] [--json]

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

import { launch } from "../test/browser/browser.mjs";
import { WEB } from "../test/browser/server.mjs";

const { values: options } = parseArgs({ options: { vectors: { type: "string", default: "100000" }, json: { type: "boolean", default: false } } });
const vectors = Number(options.vectors);
const SETTLED_MS = 1_000;
const FIRSTS = 7;
const people = readFileSync(join(WEB, "..", "data", "febrl3", "records.csv"), "utf8");

const rows = [];
const tell = (what, figure, aim = "") => {
  rows.push({ what, figure, aim });
  process.stderr.write(`${what}: ${figure}\n`);
};
const fixed = (number, digits = 2) => number.toFixed(digits);
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

// From the navigation on, so that page, script, worker and module are in it; in a profile that has seen none of them, of a browser that has done with its own start.
const firsts = [];
for (let round = 0; round < FIRSTS; round++) {
  const fresh = await launch();
  const page = await fresh.page();
  await sleep(SETTLED_MS);
  await page.goto(`${fresh.origin}/bench/first.html`);
  firsts.push(await page.waitForFunction(() => globalThis.firstMs).then((handle) => handle.jsonValue()));
  await fresh.close();
}
tell("first allocation after page load, ms, median of 7", fixed(median(firsts), 0), "≤ 300");

const browser = await launch();
const page = await browser.page();

const stream = await page.evaluate(async (text) => {
  const { CortexKG } = await import("/dist/index.js");
  const [header, ...lines] = text.trim().split("\n").map((line) => line.split(","));
  const facts = lines.map((line) => ({ id: line[0], fields: header.slice(1).map((name, at) => [name, line[at + 1] ?? ""]) }));
  const rates = [];
  let metrics;
  for (let round = 0; round < 3; round++) {
    const graph = await CortexKG.open();
    const start = performance.now();
    await graph.allocateFacts(facts, { onOutcomes: () => {} });
    rates.push((facts.length / (performance.now() - start)) * 1_000);
    metrics = await graph.metrics();
    await graph.close();
  }
  return { rates, metrics };
}, people);
tell("febrl3, facts/s, best of 3", fixed(Math.max(...stream.rates), 0));
tell("febrl3, ms for a fact: mean / p95 / p99", Object.values(stream.metrics.factTime).map((ms) => fixed(ms)).join(" / "));
tell("febrl3, memory of the module, MB", fixed(stream.metrics.memoryBytes / 1e6, 1));

// As they are without a word, and with as little memory as can be had.
const COLUMNS = 1 << 17;
const SETTINGS = [
  ["", {}],
  [" bounded", { quantizeVectors: true, maxMemoryBytes: 16e6, columns: COLUMNS, maxColumns: COLUMNS }],
];
for (const [setting, options] of SETTINGS) {
  const large = await page.evaluate(async ({ count, options }) => {
    const { CortexKG } = await import("/dist/index.js");
    const DIMENSION = 384;
    let state = 2463534242;
    const random = () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) / 2 ** 32;
    };
    const normal = () => random() + random() + random() - 1.5;
    // 32 directions: vectors of sentences have as few.
    const directions = Array.from({ length: 32 }, () => Float32Array.from({ length: DIMENSION }, normal));
    const vector = () => {
      const made = new Float32Array(DIMENSION);
      for (const direction of directions) {
        const weight = normal();
        for (let at = 0; at < DIMENSION; at++) made[at] += weight * direction[at];
      }
      return made;
    };
    function* facts() {
      for (let at = 0; at < count; at++) yield { id: `${at}`, text: `${at.toString(36)} ${Math.imul(at, 2654435761) >>> 0}`, embedding: vector() };
    }
    const graph = await CortexKG.open(options);
    const start = performance.now();
    await graph.allocateFacts(facts(), { onOutcomes: () => {} });
    const seconds = (performance.now() - start) / 1_000;
    const metrics = await graph.metrics();
    const search = [];
    for (let at = 0; at < 500; at++) {
      const asked = vector();
      const from = performance.now();
      await graph.searchNear(asked);
      search.push(performance.now() - from);
    }
    search.sort((a, b) => a - b);
    const one = [];
    for (let at = 0; at < 500; at++) {
      const fact = { id: `late ${at}`, text: `late ${Math.imul(at, 40503)}`, embedding: vector() };
      const from = performance.now();
      await graph.allocateFact(fact);
      one.push(performance.now() - from);
    }
    one.sort((a, b) => a - b);
    await graph.close();
    return { seconds, metrics, search95: search[474], one95: one[474] };
  }, { count: vectors, options });
  const size = `${vectors.toLocaleString("en")} × 384${setting}`;
  tell(`${size}, nodes`, large.metrics.nodes.toLocaleString("en"));
  tell(`${size}, facts/s`, fixed(vectors / large.seconds, 0));
  tell(`${size}, memory of the module, MB`, fixed(large.metrics.memoryBytes / 1e6, 1), "≤ 64");
  tell(`${size}, search by vector, p95, ms, from the page`, fixed(large.search95), "≤ 2");
  tell(`${size}, allocation, p95, ms, from the page`, fixed(large.one95), "≤ 4");
}

const columns = await page.evaluate(async () => {
  const { loadBindings } = await import("/dist/bindings.js");
  const out = [];
  for (const simd of [true, false]) {
    const { bindings } = await loadBindings({ simd });
    for (const count of [1 << 10, 1 << 15, 1 << 20]) {
      for (const share of [0.5, 0.99]) {
        const engine = new bindings.AllocationEngine(count, simd);
        const taken = Math.floor(count * share) - Math.min(10_000, Math.floor(count * 0.005));
        for (let concept = 0; concept < taken; concept++) engine.allocate_concept(concept);
        // A small pool has room for few at once: they come and go until it has been as many calls.
        const room = Math.min(10_000, count - taken);
        let [calls, allocating] = [0, 0];
        while (calls < 10_000) {
          const start = performance.now();
          for (let at = 0; at < room; at++) engine.allocate_concept(taken + at, [(at * 7919) % taken]);
          allocating += performance.now() - start;
          for (let at = 0; at < room; at++) engine.deallocate_concept(taken + at);
          calls += room;
        }
        const micros = (allocating / calls) * 1_000;
        let ms = 0;
        if (share === 0.5) {
          for (let concept = 0; concept < taken; concept += 2) engine.deallocate_concept(concept);
          const before = performance.now();
          engine.optimize_allocations();
          ms = performance.now() - before;
        }
        out.push({ simd, count, share, calls, micros, ms });
        engine.free();
      }
    }
  }
  return out;
});
for (const { simd, count, share, calls, micros, ms } of columns) {
  const what = `allocate_concept beside one, ${simd ? "simd" : "scalar"}, ${count.toLocaleString("en")} columns ${share * 100} % full`;
  tell(`${what}, µs, mean of ${calls.toLocaleString("en")}`, fixed(micros), "≤ 2");
  if (ms) tell(`optimize_allocations, every other freed, ${count.toLocaleString("en")} columns, ms`, fixed(ms, 1));
}
await browser.close();

if (options.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
else {
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const { what, figure, aim } of rows) process.stdout.write(`${what.padEnd(width)}  ${figure.padStart(14)}  ${aim}\n`);
}
