/** The graph that is open: its engine, its name, and whether it is saved. */

import { CortexKG, storedNames } from "cortexkg";
import type { AllocationResult, Fact, OpenOptions, StorageEvent } from "cortexkg";

import { Signal, Topic } from "./signal.ts";

/** `reader`: another tab writes. `memory`: this browser keeps nothing. */
export type Saved = "saved" | "unsaved" | "saving" | "reader" | "memory";

/** A fact with what came of it. */
export interface Decided {
  result: AllocationResult;
  fact: Fact;
}

/** What changed besides facts that came in; `links` also where nodes merged or came apart. */
export type Change = "links" | "forgotten" | "map" | "all";

export class Graph {
  readonly decided = new Topic<readonly Decided[]>();
  readonly changed = new Topic<Change>();
  readonly storage = new Topic<StorageEvent>();
  readonly saved: Signal<Saved>;
  /** What has happened since it was opened, counted: a save is good for what it began with. */
  #version = 0;

  private constructor(
    readonly engine: CortexKG,
    readonly name: string,
    /** Why it cannot be kept, if so. */
    readonly unkept: string | undefined,
    saved: Saved,
  ) {
    this.saved = new Signal(saved);
    engine.onStorage((event) => {
      if (event.type === "lost") this.saved.value = "reader";
      this.storage.tell(event);
    });
  }

  /** Opens the graph of a name, as it was saved, or a new one that can be saved under it. */
  static async open(name: string, columns?: number): Promise<Graph> {
    const options: OpenOptions = columns === undefined ? {} : { columns };
    const isKept = (await namesKept()).includes(name);
    try {
      const engine = await CortexKG.open({ ...options, storage: { name, mode: "auto" } });
      return new Graph(engine, name, undefined, !engine.isWriter ? "reader" : isKept ? "saved" : "unsaved");
    } catch (error) {
      // A graph that is kept must be had or refused; a new one can do without storage.
      if (isKept || !(error instanceof Error) || !error.name.startsWith("Storage")) throw error;
      return new Graph(await CortexKG.open(options), name, error.message, "memory");
    }
  }

  get isWritable(): boolean {
    return this.saved.value !== "reader";
  }

  tellDecided(decided: readonly Decided[]): void {
    this.#touch();
    this.decided.tell(decided);
  }

  tellChanged(change: Change): void {
    this.#touch();
    this.changed.tell(change);
  }

  #touch(): void {
    this.#version++;
    if (this.saved.value === "saved") this.saved.value = "unsaved";
  }

  async save(): Promise<void> {
    if (this.saved.value === "reader" || this.saved.value === "memory") return;
    const version = this.#version;
    this.saved.value = "saving";
    try {
      await this.engine.save();
      this.saved.value = version === this.#version ? "saved" : "unsaved";
    } catch (error) {
      this.saved.value = this.engine.isWriter ? "unsaved" : "reader";
      throw error;
    }
  }
}

/** Names of the graphs that are kept here; none where nothing can be kept. */
export async function namesKept(): Promise<string[]> {
  try {
    return await storedNames();
  } catch {
    return [];
  }
}

/** A name that no kept graph has. */
export async function freeName(wanted: string): Promise<string> {
  const taken = new Set(await namesKept());
  if (!taken.has(wanted)) return wanted;
  let number = 2;
  while (taken.has(`${wanted} ${number}`)) number++;
  return `${wanted} ${number}`;
}
