// What is left when a browser is killed, or a tab closed, in the middle of a save: all that was told of, whole, and nothing half.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { random } from "../random.mjs";
import { launch, launchToKill, storageWorker } from "./browser.mjs";
import { serve } from "./server.mjs";

const KINDS = ["indexeddb", "opfs"];
const KILLS = 10;
const CLOSED_TABS = 6;
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
  }
  /** Answers the worker, who waits for it before it goes on. */
  answer(url) {
    this[url.searchParams.get("what")] = Number(url.searchParams.get("count"));
    return { body: "", type: "text/plain" };
  }
  /** Opens what is left, and finds it to be the last durable state, or the one that was being saved. Whether one was being saved. */
  async verify(worker, what) {
    const found = await worker.evaluate(async (kind) => {
      await opened({ name: `killed ${kind}`, kind });
      return loaded();
    }, this.kind);
    const { begun, durable } = this;
    const counts = [durable, begun].filter((count) => String(stateAfter(this.ops, count)) === String(found));
    assert.ok(counts.length > 0, `${this.kind}, ${what}: ${durable} durable, ${begun} begun, and found ${found}`);
    this.begun = this.durable = counts.at(-1);
    return begun > durable;
  }
  /** Lets the worker go on from there, until it is stopped by force. */
  start(worker) {
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
    // It never comes to its end.
    running.catch(() => {});
  }
}

function accounts(chance) {
  const all = KINDS.map((kind) => new Account(kind, operations(chance)));
  const extra = Object.fromEntries(all.map((account) => [`/account/${account.kind}`, (url) => account.answer(url)]));
  return { all, extra };
}

test("a browser that is killed", async (context) => {
  const chance = random(SEED);
  const { all, extra } = accounts(chance);
  const server = await serve(undefined, extra);
  const profile = await mkdtemp(join(tmpdir(), "cortexkg-kills-"));
  const hits = { indexeddb: 0, opfs: 0 };
  try {
    for (let kill = 0; kill <= KILLS; kill++) {
      const browser = await launchToKill(profile);
      try {
        const page = await browser.context.newPage();
        await page.goto(`${server.origin}/test/browser/blank.html`);
        for (const account of all) {
          const worker = await storageWorker(page);
          if (await account.verify(worker, `seed ${SEED}, kill ${kill}`)) hits[account.kind]++;
          account.start(worker);
        }
        if (kill < KILLS) await sleep(50 + chance() * 500);
      } finally {
        await browser.kill();
      }
    }
  } finally {
    await server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
  for (const { kind, durable } of all) {
    context.diagnostic(`${kind}: ${hits[kind]} of ${KILLS} kills in the middle of a save, ${durable} saves in all`);
    assert.ok(hits[kind] > 0 && durable > 0, `${kind} was never hit in the middle`);
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
      if (round < CLOSED_TABS) await sleep(50 + chance() * 300);
      await page.close();
    }
  } finally {
    await browser.close();
  }
  context.diagnostic(`${hits} of ${KINDS.length * CLOSED_TABS} in the middle of a save`);
});
