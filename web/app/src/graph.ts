/** The graph that is open: its engine, its name, and whether it is saved. */

import { CortexKG, askToPersist, storedNames } from "cortexkg";
import type { AllocationResult, Fact, StorageEvent } from "cortexkg";

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
  #saving: Promise<void> = Promise.resolve();

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

  /** Opens the graph that is kept under a name, as it was saved. Reads it where another tab writes. */
  static async open(name: string): Promise<Graph> {
    const engine = await CortexKG.open({ storage: { name, mode: "auto" } });
    return new Graph(engine, name, undefined, engine.isWriter ? "saved" : "reader");
  }

  /** Begins a graph that can be saved under a name, or under the name with a number where it is taken; in memory where nothing can be kept. */
  static async begin(wanted: string, columns: number): Promise<Graph> {
    const taken = new Set(await namesKept());
    for (;;) {
      const name = freeName(wanted, taken);
      try {
        const engine = await CortexKG.open({ columns, storage: { name, mode: "write" } });
        return new Graph(engine, name, undefined, "unsaved");
      } catch (error) {
        if (!(error instanceof Error) || !error.name.startsWith("Storage")) throw error;
        if (error.name !== "StorageLockedError") return new Graph(await CortexKG.open({ columns }), name, error.message, "memory");
        // Another tab has begun one of this name and not saved it yet.
        taken.add(name);
      }
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

  /** Looks whether something is left to save: some calls save by themselves. */
  async lookWhetherSaved(): Promise<void> {
    const version = this.#version;
    const isUnsaved = await this.engine.hasUnsavedChanges();
    if (!isUnsaved && version === this.#version && this.saved.value === "unsaved") this.saved.value = "saved";
  }

  /** That no save is on its way any more, however it ended. */
  get settled(): Promise<void> {
    return this.#saving;
  }

  save(): Promise<void> {
    const saving = this.#save();
    this.#saving = saving.catch(() => {});
    return saving;
  }

  async #save(): Promise<void> {
    if (this.saved.value === "reader" || this.saved.value === "memory") return;
    const version = this.#version;
    this.saved.value = "saving";
    try {
      await this.engine.save();
      // So that the browser does not throw it away when the disk is full; it may say no.
      void askToPersist().catch(() => false);
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

/** A name that is not taken. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wanted)) return wanted;
  let number = 2;
  while (taken.has(`${wanted} ${number}`)) number++;
  return `${wanted} ${number}`;
}
