// What is left when a browser is killed, or a tab closed, in the middle of a save: all that was told of, whole, and nothing half.

import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { random } from "../random.mjs";
import { launch, launchToKill, storageWorker } from "./browser.mjs";
import { serve } from "./server.mjs";

const KINDS = ["indexeddb", "opfs"];
const KILLS = 10;
/** A save takes as long as it takes: kills go on until each kind was hit in the middle so many times, or it has been too long. */
const HITS = 2;
const LONGEST_MS = 100_000;
const CLOSED_TABS = 6;
const THROWN_AWAY = /^StorageError: the browser found the IndexedDB of this site broken, and has thrown away every graph in it/;
const SEED = Number(process.env.CORTEXKG_SEED ?? 1);

/** What is saved, one after the other: megabytes each; some take the place of all. */
function operations(chance) {
  return Array.from({ length: 2_000 }, (_, number) => ({
    number,
    replaces: chance() < 0.3,
    size: 500_000 + Math.floor(chance() * 3_000_000),
  }));
}

/** The state after so many operations. */
function stateAfter(ops, count) {
  let state = [];
  for (const { number, replaces, size } of ops.slice(0, count)) {
    state = replaces ? [`${number}:${size}`] : [...state, `${number}:${size}`];
  }
  return state;
}

/** Keeps account of what a worker began, and of what it was told is durable. */
class Account {
  constructor(kind, ops) {
    this.kind = kind;
    this.ops = ops;
    this.begun = 0;
    this.durable = 0;
    this.wasBegun = 0;
    this.thrownAway = 0;
    this.hits = 0;
    /** Milliseconds that saves took, from one word of the worker to the next. */
    this.saving = 0;
    this.savings = 0;
    this.heard = 0;
    this.onBegun = () => {};
    /** Why the worker has stopped, which it never should by itself. */
    this.stopped = new Promise(() => {});
  }
  /** Answers the worker, who waits for it before it goes on. */
  answer(url) {
    const what = url.searchParams.get("what");
    this[what] = Number(url.searchParams.get("count"));
    const now = performance.now();
    if (what === "begun") this.onBegun();
    else {
      this.saving += now - this.heard;
      this.savings++;
    }
    this.heard = now;
    return { body: "", type: "text/plain" };
  }
  /** Waits for a save to begin, and then for a part of the time that saves take. */
  async amidst(part) {
    await Promise.race([new Promise((resolve) => (this.onBegun = resolve)), this.stopped]);
    await sleep((part * this.saving) / Math.max(this.savings, 1));
  }
  /** Opens what is left, and finds it to be the last durable state, or the one that was being saved. Whether one was being saved. */
  async verify(worker, what) {
    const open = (options) => worker.evaluate((options) => outcome(() => opened(options)), options);
    const options = { name: `killed ${this.kind}`, kind: this.kind };
    const refused = await open(options);
    if (THROWN_AWAY.test(refused)) {
      // Chromium's doing, seen after 2 of some 600 kills. That it is told of is ours.
      this.thrownAway++;
      this.begun = this.durable = 0;
      assert.equal(await open(options), "ok");
    } else {
      assert.equal(refused, "ok", what);
    }
    const found = await worker.evaluate(() => loaded());
    const { begun, durable } = this;
    const counts = [durable, begun].filter((count) => String(stateAfter(this.ops, count)) === String(found));
    assert.ok(counts.length > 0, `${this.kind}, ${what}: ${durable} durable, ${begun} begun, and found [${found}]`);
    this.begun = this.durable = counts.at(-1);
    return begun > durable;
  }
  /** Lets the worker go on from there, until it is stopped by force. */
  start(worker) {
    this.wasBegun = this.begun;
    const rest = this.ops.slice(this.durable);
    const running = worker.evaluate(
      async ({ kind, rest }) => {
        const tell = (what, count) => fetch(`/account/${kind}?what=${what}&count=${count}`);
        for (const { number, replaces, size } of rest) {
          const bytes = piece(number, size);
          await tell("begun", number + 1);
          await (replaces ? current.replace(bytes) : current.append(bytes));
          await tell("durable", number + 1);
        }
      },
      { kind: this.kind, rest },
    );
    this.stopped = running.then(() => assert.fail(`${this.kind}: operations ran out`));
    // So it does where it is killed, when nobody waits for it any more.
    this.stopped.catch(() => {});
  }
}

function accounts(chance) {
  const all = KINDS.map((kind) => new Account(kind, operations(chance)));
  const extra = Object.fromEntries(all.map((account) => [`/account/${account.kind}`, (url) => account.answer(url)]));
  return { all, extra };
}

/** Waits until all have begun to save, and then for a while, so that a slow machine gets somewhere too. */
async function someTime(all, milliseconds) {
  const stopped = Promise.race(all.map((account) => account.stopped));
  while (!all.every((account) => account.begun > account.wasBegun)) await Promise.race([sleep(2), stopped]);
  await Promise.race([sleep(milliseconds), stopped]);
}

test("a browser that is killed", async (context) => {
  const chance = random(SEED);
  const { all, extra } = accounts(chance);
  const server = await serve(undefined, extra);
  const profile = await mkdtemp(join(tmpdir(), "cortexkg-kills-"));
  const start = performance.now();
  const isDone = (kill) => performance.now() - start > LONGEST_MS || (kill >= KILLS && all.every(({ hits }) => hits >= HITS));
  let kills = 0;
  try {
    for (;;) {
      const browser = await launchToKill(profile);
      try {
        const page = await browser.context.newPage();
        await page.goto(`${server.origin}/test/browser/blank.html`);
        for (const account of all) {
          const worker = await storageWorker(page);
          if (await account.verify(worker, `seed ${SEED}, kill ${kills}`)) account.hits++;
          account.start(worker);
        }
        if (isDone(kills)) break;
        await someTime(all, chance() * 300);
        await all[kills++ % all.length].amidst(chance());
      } finally {
        await browser.kill();
      }
    }
  } finally {
    await server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
  for (const { kind, hits, durable, thrownAway } of all) {
    context.diagnostic(`${kind}: ${hits} of ${kills} kills in the middle of a save, ${durable} saves in all, thrown away by the browser ${thrownAway} times`);
    assert.ok(kind === "indexeddb" || thrownAway === 0);
    assert.ok(hits >= HITS && durable > 0, `${kind} was hit in the middle ${hits} times`);
  }
});

test("a tab that is closed", async (context) => {
  const chance = random(SEED + 1);
  const { all, extra } = accounts(chance);
  const browser = await launch({ extra });
  let hits = 0;
  try {
    for (let round = 0; round <= CLOSED_TABS; round++) {
      const page = await browser.page();
      for (const account of all) {
        const worker = await storageWorker(page);
        if (await account.verify(worker, `seed ${SEED}, tab ${round}`)) hits++;
        account.start(worker);
      }
      if (round < CLOSED_TABS) await someTime(all, chance() * 300);
      await page.close();
    }
  } finally {
    await browser.close();
  }
  context.diagnostic(`${hits} of ${KINDS.length * CLOSED_TABS} in the middle of a save`);
});

test("a database that the browser throws away is told of", async () => {
  const server = await serve();
  const profile = await mkdtemp(join(tmpdir(), "cortexkg-broken-"));
  const inBrowser = async (call) => {
    const browser = await launchToKill(profile);
    try {
      const page = await browser.context.newPage();
      await page.goto(`${server.origin}/test/browser/blank.html`);
      return await page.evaluate(call);
    } finally {
      await browser.kill();
    }
  };
  try {
    await inBrowser(async () => {
      await opened({ name: "one" });
      for (const number of [1, 2, 3]) await current.append(piece(number, 10_000));
    });
    const folder = join(profile, "Default", "IndexedDB");
    let broken = 0;
    for (const name of await readdir(folder, { recursive: true })) {
      if (!name.endsWith(".log")) continue;
      const bytes = await readFile(join(folder, name));
      bytes.fill(7, bytes.length >> 1, (bytes.length >> 1) + 100);
      await writeFile(join(folder, name), bytes);
      broken++;
    }
    assert.ok(broken > 0, "Chromium keeps IndexedDB otherwise by now: break that, or see whether it is ever thrown away");
    const seen = await inBrowser(async () => [await outcome(() => opened({ name: "one" })), await outcome(() => opened({ name: "one" })), await loaded()]);
    assert.match(seen[0], THROWN_AWAY);
    assert.deepEqual(seen.slice(1), ["ok", []]);
  } finally {
    await server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
});
