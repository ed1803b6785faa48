/** The engine on the thread that it runs on: what a worker does for its client, and what Node does by itself. */

import { type Bindings, type CortexKGWasm, loadBindings } from "./bindings.js";
import { Durations } from "./durations.js";
import { StorageReadOnlyError, packed } from "./errors.js";
import { openScratch } from "./scratch.js";
import type { OpenStorage, StorageEvent } from "./storage/index.js";
import type {
  AllocationResult, CloseCall, ColumnMap, ConceptOutcome, Explanation, Fact, Linked, MemberFact, Metrics, NearHit, Neighbour, NodeView, OpenOptions,
  Outcome, RecordName, Scratch, SearchHit, Storage, StorageOptions,
} from "./types.js";

/** What came of opening. */
export interface Opened {
  isWriter: boolean;
}

export class Engine {
  readonly #kg: CortexKGWasm;
  readonly #memory: WebAssembly.Memory;
  readonly #storage: OpenStorage | undefined;
  readonly #files: Files;
  readonly #factTimes = new Durations();

  private constructor(kg: CortexKGWasm, memory: WebAssembly.Memory, storage: OpenStorage | undefined, files: Files) {
    this.#kg = kg;
    this.#memory = memory;
    this.#storage = storage;
    this.#files = files;
  }

  /** Loads the module, if it is not given compiled, and what the storage has. */
  static async open(
    options: OpenOptions,
    tell: (event: StorageEvent) => void,
    module?: Promise<WebAssembly.Module | undefined>,
  ): Promise<[Engine, Opened]> {
    const storage = options.storage ?? undefined;
    const given = typeof storage === "object" && "load" in storage ? storage : undefined;
    // Meanwhile the module is loaded.
    const opening = filesFor(options, given);
    let bindings: Bindings, memory: WebAssembly.Memory, kg: CortexKGWasm;
    try {
      ({ bindings, memory } = await loadBindings({ simd: options.simd, module }));
      // Before a storage is opened, which would stay open if the options are refused.
      kg = configured(bindings, options, await opening);
    } catch (error) {
      // That of the caller's is open already. Why it could not begin says more than why it could not let go.
      await given?.close?.().catch(() => undefined);
      await (await opening).close();
      throw error;
    }
    const files = await opening;
    if (storage === undefined) {
      await kg.initialize();
      return [new Engine(kg, memory, undefined, files), { isWriter: false }];
    }
    try {
      const wanted = typeof storage === "string" ? { name: storage } : (storage as StorageOptions);
      const open = given ? undefined : await opened(wanted, tell);
      // Closed by the engine if it cannot begin.
      await kg.initialize_with_storage(given ? "of the caller" : wanted.name, open ?? given);
      return [new Engine(kg, memory, open, files), { isWriter: open?.isWriter ?? true }];
    } catch (error) {
      kg.free();
      await files.close();
      throw error;
    }
  }

  allocateFact(fact: Fact): AllocationResult {
    const start = performance.now();
    try {
      return this.#kg.allocate_fact(fact);
    } finally {
      this.#factTimes.push(performance.now() - start);
    }
  }

  allocateFacts(facts: Fact[]): Outcome[] {
    return facts.map((fact) => {
      try {
        return this.allocateFact(fact);
      } catch (error) {
        return { error: packed(error).message };
      }
    });
  }

  search(text: string, limit?: number): SearchHit[] {
    return this.#kg.search(text, limit);
  }

  searchNear(vector: Float32Array | readonly number[], limit?: number): NearHit[] {
    return this.#kg.search_near(vector, limit);
  }

  why(recordId: string, source?: string): string {
    return this.#kg.why(recordId, source);
  }

  explain(recordId: string, source?: string): Explanation {
    return this.#kg.explain(recordId, source);
  }

  node(id: number): NodeView | undefined {
    return this.#kg.node(id);
  }

  facts(node: number): MemberFact[] {
    return this.#kg.facts(node) as MemberFact[];
  }

  neighbours(node: number): Neighbour[] {
    return this.#kg.neighbours(node);
  }

  review(limit?: number): CloseCall[] {
    return this.#kg.review(limit);
  }

  mustLink(left: RecordName, right: RecordName): Linked {
    return this.#kg.must_link(left as string | [string, string], right as string | [string, string]);
  }

  cannotLink(left: RecordName, right: RecordName): Linked {
    return this.#kg.cannot_link(left as string | [string, string], right as string | [string, string]);
  }

  forget(recordId: string, source?: string): { facts: number; logPosition: number } {
    return this.#kg.forget(recordId, source);
  }

  undo(logPosition: number): number {
    return this.#kg.undo(logPosition);
  }

  consolidate(): { merged: number; split: number } {
    return this.#kg.consolidate();
  }

  allocateConcept(id: number, related?: (number | [number, number])[]): number {
    return this.#kg.allocate_concept(id, related);
  }

  deallocateConcept(id: number): boolean {
    return this.#kg.deallocate_concept(id);
  }

  allocateConcepts(ids: number[]): ConceptOutcome[] {
    return this.#kg.allocate_batch(ids);
  }

  async optimizeAllocations(): Promise<number> {
    // It saves what it has moved.
    this.#checkWriter();
    return this.#kg.optimize_allocations();
  }

  columns(): ColumnMap {
    return this.#kg.get_column_arrays();
  }

  metrics(): Metrics {
    const memoryBytes = this.#memory.buffer.byteLength;
    return { ...this.#kg.get_performance_metrics(), memoryBytes, factTime: this.#factTimes.summary() };
  }

  stateHash(): string {
    return this.#kg.state_hash();
  }

  export(): Uint8Array {
    return this.#kg.export();
  }

  import(bytes: Uint8Array): void {
    this.#kg.import(bytes);
  }

  hasUnsavedChanges(): boolean {
    return this.#kg.has_unsaved_changes();
  }

  async save(): Promise<void> {
    this.#checkWriter();
    await this.#kg.save_state();
  }

  async close(): Promise<void> {
    try {
      await this.#kg.close();
    } finally {
      this.#kg.free();
      await this.#files.close();
    }
  }

  #checkWriter(): void {
    if (this.#storage?.isWriter === false) {
      throw new StorageReadOnlyError("this graph is open to read only, since another tab writes to it; close that tab and open the graph again, or export it");
    }
  }
}

/** Opens a storage of the browser's; what does so is loaded when it is asked for. */
async function opened(options: StorageOptions, tell: (event: StorageEvent) => void): Promise<OpenStorage> {
  const { openStorage } = await import("./storage/index.js");
  return openStorage(options, tell);
}

/** Files for as long as a graph is open. */
interface Files {
  scratch: Scratch | undefined;
  swap: Scratch | undefined;
  close(): Promise<void>;
}

/** Those of the caller's storage, else what can be had here. */
async function filesFor({ maxMemoryBytes }: OpenOptions, given: Storage | undefined): Promise<Files> {
  const isBounded = maxMemoryBytes !== undefined;
  if (given?.scratch) return { scratch: given.scratch, swap: isBounded ? given.swap : undefined, close: async () => {} };
  const opened = await openScratch(isBounded ? 2 : 1);
  return {
    scratch: opened[0],
    swap: opened[1],
    close: async () => {
      for (const file of opened) await file.close();
    },
  };
}

function configured(bindings: Bindings, options: OpenOptions, { scratch, swap }: Files): CortexKGWasm {
  const { columns, maxColumns, simd, maxMemoryBytes, quantizeVectors } = options;
  return new bindings.CortexKGWasm({
    ...(columns === undefined ? {} : { columnCount: columns }),
    ...(maxColumns === undefined ? {} : { maxColumnCount: maxColumns }),
    ...(simd === undefined ? {} : { enableSimd: simd }),
    ...(quantizeVectors === undefined ? {} : { quantizeVectors }),
    ...(scratch === undefined ? {} : { scratch }),
    ...(maxMemoryBytes === undefined ? {} : { maxMemoryBytes }),
    ...(swap === undefined ? {} : { swap }),
  });
}
