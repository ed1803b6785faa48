/** One file streaming into a graph: as fast as it goes or slowly, with pauses, until its end or a stop. */

import type { Fact } from "cortexkg";

import type { Decided, Graph } from "../graph.ts";
import { Signal } from "../signal.ts";
import type { BadLine, Read } from "./reading.ts";

export type RunState = "running" | "paused" | "done" | "stopped" | "failed";

export interface Progress {
  facts: number;
  /** Facts that were there already. */
  repeated: number;
  bytes: number;
  bad: number;
}

/** Facts that are decided in one call at full speed. */
const BATCH = 256;
/** Bad lines that are listed; all are counted. */
const BAD_KEPT = 500;
/** Calls a second when slowed down. */
const CALLS_PER_S = 20;

export class Run {
  readonly state = new Signal<RunState>("running");
  readonly progress = new Signal<Progress>({ facts: 0, repeated: 0, bytes: 0, bad: 0 });
  readonly bad: BadLine[] = [];
  error: unknown;
  #perSecond: number;
  /** Wakes the run when it sleeps. */
  #wake: () => void = () => {};

  constructor(
    private readonly graph: Graph,
    private readonly reading: AsyncGenerator<Read>,
    readonly name: string,
    readonly bytesTotal: number,
    perSecond: number,
  ) {
    this.#perSecond = perSecond;
  }

  set perSecond(perSecond: number) {
    this.#perSecond = perSecond;
    this.#wake();
  }

  pause(): void {
    if (this.state.value === "running") this.state.value = "paused";
  }

  resume(): void {
    if (this.state.value === "paused") this.state.value = "running";
    this.#wake();
  }

  stop(): void {
    if (this.isOver) return;
    this.state.value = "stopped";
    this.#wake();
  }

  get isOver(): boolean {
    return this.state.value !== "running" && this.state.value !== "paused";
  }

  /** Resolves when it is over, however that came. */
  async start(): Promise<void> {
    try {
      // The next piece is read while this one is decided.
      let next = this.reading.next();
      for (;;) {
        const { value, done } = await next;
        if (done || this.isOver) break;
        next = this.reading.next();
        next.catch(() => {});
        await this.#take(value);
      }
      if (!this.isOver) this.state.value = "done";
    } catch (error) {
      this.error = error;
      if (!this.isOver) this.state.value = "failed";
    } finally {
      await this.reading.return(undefined).catch(() => {});
    }
  }

  async #take(read: Read): Promise<void> {
    for (const bad of read.bad) this.#refuse(bad);
    let at = 0;
    const { bytes } = this.progress.value;
    while (at < read.facts.length && !this.isOver) {
      if (this.state.value === "paused") {
        await this.#sleep(Infinity);
        continue;
      }
      const began = performance.now();
      const count = this.#perSecond === Infinity ? BATCH : Math.max(1, Math.round(this.#perSecond / CALLS_PER_S));
      const facts = read.facts.slice(at, at + count);
      await this.#decide(facts, read.lines.slice(at, at + count));
      at += facts.length;
      this.progress.value = { ...this.progress.value, bytes: bytes + ((read.bytes - bytes) * at) / read.facts.length };
      if (this.#perSecond !== Infinity) {
        await this.#sleep((1000 * facts.length) / this.#perSecond - (performance.now() - began));
      }
    }
    this.progress.value = { ...this.progress.value, bytes: read.bytes };
  }

  async #decide(facts: Fact[], lines: number[]): Promise<void> {
    const outcomes = await this.graph.engine.allocateFacts(facts, { batch: BATCH });
    const decided: Decided[] = [];
    let repeated = 0;
    outcomes.forEach((outcome, at) => {
      const fact = facts[at];
      if ("error" in outcome) this.#refuse({ line: lines[at] ?? 0, reason: outcome.error });
      else if (outcome.repeated) repeated++;
      else if (fact) decided.push({ result: outcome, fact });
    });
    const before = this.progress.value;
    this.progress.value = { ...before, facts: before.facts + decided.length, repeated: before.repeated + repeated };
    if (decided.length) this.graph.tellDecided(decided);
  }

  #refuse(bad: BadLine): void {
    if (this.bad.length < BAD_KEPT) this.bad.push(bad);
    this.progress.value = { ...this.progress.value, bad: this.progress.value.bad + 1 };
  }

  #sleep(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = ms === Infinity ? undefined : setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
