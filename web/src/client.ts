/** The engine behind promises. */

import { CortexError } from "./errors.js";
import type { Answer, Method, Parameters_, Transport } from "./protocol.js";
import type { StorageEvent } from "./storage/index.js";
import { InWorker, Inline, closed } from "./transport.js";
import type {
  AllocateOptions, AllocationResult, CloseCall, ColumnMap, ConceptOutcome, Explanation, Fact, Linked, MemberFact, Metrics, NearHit, Neighbour, NodeView,
  OpenOptions, Outcome, RecordName, SearchHit,
} from "./types.js";

/** Facts of one batch if nothing is said, and at most. */
const BATCH_USUAL = 256;
const BATCH_MAX = 65_536;
/** Batches that are on their way at once: one is decided while the next is sent. */
const BATCHES_AHEAD = 2;

/**
 * A graph that decides where facts belong. In a browser it works in a worker of its own, in Node on the thread that opens it. Calls are answered in
 * their order; what is refused rejects with an `Error` that names the record and field, and changes nothing.
 *
 * ```js
 * const graph = await CortexKG.open({ storage: "people" });
 * const { node, decision } = await graph.allocateFact({ id: "1", fields: { name: "Ada Lovelace", born: 1815 } });
 * await graph.save();
 * ```
 */
export class CortexKG {
  readonly #transport: Transport;
  readonly #listeners: Set<(event: StorageEvent) => void>;
  #isWriter = false;
  #closing: Promise<void> | undefined;

  private constructor(transport: Transport, listeners: Set<(event: StorageEvent) => void>) {
    this.#transport = transport;
    this.#listeners = listeners;
  }

  /**
   * Opens a graph, with what its storage has.
   *
   * Rejects with `StorageLockedError` where another tab writes to it, `StorageVersionError` where a newer version wrote it, `StorageError` where there is
   * no storage or it is damaged.
   */
  static async open(options: OpenOptions = {}): Promise<CortexKG> {
    const { storage } = options;
    const isGiven = typeof storage === "object" && storage !== null && "load" in storage;
    if (isGiven && options.worker) throw new CortexError("a storage of the caller's cannot go to a worker; leave `worker` out");
    const listeners = new Set<(event: StorageEvent) => void>();
    const tell = (event: StorageEvent) => {
      if (event.type === "lost") graph.#isWriter = false;
      for (const listener of [...listeners]) listener(event);
    };
    const inWorker = options.worker ?? (!isGiven && hasWorkers());
    const graph = new CortexKG(inWorker ? new InWorker(tell) : new Inline(tell), listeners);
    try {
      const { isWriter } = await graph.#transport.open(options);
      graph.#isWriter = isWriter;
      return graph;
    } catch (error) {
      graph.#transport.end();
      throw error;
    }
  }

  /** Whether `save` can work: there is a storage, and this one may write to it. */
  get isWriter(): boolean {
    return this.#isWriter;
  }

  /** Listens to what happens to the storage elsewhere. Returns what ends it. */
  onStorage(listener: (event: StorageEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Decides which node a fact belongs to. */
  allocateFact(fact: Fact): Promise<AllocationResult> {
    return this.#call("allocateFact", fact);
  }

  /**
   * Decides on one fact after the other. A fact that is refused becomes `{ error }` and costs the others nothing.
   */
  async allocateFacts(facts: Iterable<Fact> | AsyncIterable<Fact>, options: AllocateOptions = {}): Promise<Outcome[]> {
    const { signal, onProgress, onOutcomes, batch = BATCH_USUAL, collect = !onOutcomes } = options;
    if (!Number.isInteger(batch) || batch < 1 || batch > BATCH_MAX) {
      throw new RangeError(`batch must be a whole number from 1 to ${BATCH_MAX}, and is ${batch}`);
    }
    signal?.throwIfAborted();
    const total = Array.isArray(facts) ? { total: facts.length } : {};
    const all: Outcome[] = [];
    let done = 0;
    const ahead: Promise<Outcome[]>[] = [];
    const take = async () => {
      const outcomes = await (ahead.shift() ?? []);
      if (collect) for (const outcome of outcomes) all.push(outcome);
      onOutcomes?.(outcomes, done);
      done += outcomes.length;
      onProgress?.({ done, ...total });
    };
    try {
      for await (const batched of batches(facts, batch)) {
        signal?.throwIfAborted();
        const deciding = this.#decide(batched);
        // Its failure is told where it is waited for.
        deciding.catch(() => undefined);
        ahead.push(deciding);
        if (ahead.length === BATCHES_AHEAD) await take();
      }
    } finally {
      // What is on its way is decided, and told.
      while (ahead.length) await take();
    }
    return all;
  }

  /** The nodes that a text speaks of, best first; 10 or `limit` of them, at most 1,000. */
  search(text: string, { limit }: { limit?: number } = {}): Promise<SearchHit[]> {
    return this.#call("search", text, limit);
  }

  /** The nodes whose vectors lie nearest to one, nearest first; 10 or `limit` of them, at most 1,000. None where facts bring no vectors. */
  searchNear(vector: Float32Array | readonly number[], { limit }: { limit?: number } = {}): Promise<NearHit[]> {
    return this.#call("searchNear", vector, limit);
  }

  /** Why a record went where it went, as text to read. */
  why(recordId: string, source?: string): Promise<string> {
    return this.#call("why", recordId, source);
  }

  /** The same as data: every competitor with the walk from the prior to the evidence. */
  explain(recordId: string, source?: string): Promise<Explanation> {
    return this.#call("explain", recordId, source);
  }

  /** A node as it stands, or the one that it was merged into; none if nothing belongs to it. */
  node(id: number): Promise<NodeView | undefined> {
    return this.#call("node", id);
  }

  /** What was said of a node, oldest first. */
  facts(node: number): Promise<MemberFact[]> {
    return this.#call("facts", node);
  }

  /** The edges of a node. */
  neighbours(node: number): Promise<Neighbour[]> {
    return this.#call("neighbours", node);
  }

  /** Close calls that nobody has settled, the most likely first; 10 or `limit` of them, at most 1,000. */
  review({ limit }: { limit?: number } = {}): Promise<CloseCall[]> {
    return this.#call("review", limit);
  }

  /** Says that two records are the same, from now on; their nodes become one. */
  mustLink(left: RecordName, right: RecordName): Promise<Linked> {
    return this.#call("mustLink", left, right);
  }

  /** Says that two records are not the same, from now on; a node that has both becomes two. */
  cannotLink(left: RecordName, right: RecordName): Promise<Linked> {
    return this.#call("cannotLink", left, right);
  }

  /** Forgets a record, with everything that was counted because of it. How many facts that were, and the position in the log; `undo` takes it back. */
  forget(recordId: string, source?: string): Promise<{ facts: number; logPosition: number }> {
    return this.#call("forget", recordId, source);
  }

  /** Takes back a link, a merge, a split or a forgetting by its position in the log. The position of what does so. */
  undo(logPosition: number): Promise<number> {
    return this.#call("undo", logPosition);
  }

  /** Looks again at every node and close call in the light of all facts; how many nodes were merged and split. */
  consolidate(): Promise<{ merged: number; split: number }> {
    return this.#call("consolidate");
  }

  /** Gives a concept of the caller's a column, beside those that it is related to (numbers, or pairs of number and weight). */
  allocateConcept(id: number, related?: Iterable<number | [number, number]>): Promise<number> {
    return this.#call("allocateConcept", id, related && [...related]);
  }

  /** Takes a concept's column from it. Whether it had one. */
  deallocateConcept(id: number): Promise<boolean> {
    return this.#call("deallocateConcept", id);
  }

  /** Gives one concept after the other a column. */
  allocateConcepts(ids: Iterable<number>): Promise<ConceptOutcome[]> {
    return this.#call("allocateConcepts", [...ids]);
  }

  /** Closes gaps on the map and brings together what is used together; saves if anything moved and there is a storage. The number of moves. */
  optimizeAllocations(): Promise<number> {
    return this.#call("optimizeAllocations");
  }

  /** The columns that are taken. */
  columns(): Promise<ColumnMap> {
    return this.#call("columns");
  }

  metrics(): Promise<Metrics> {
    return this.#call("metrics");
  }

  /** The fingerprint of the graph: the same facts in the same order give the same one on every machine, here and natively. */
  stateHash(): Promise<string> {
    return this.#call("stateHash");
  }

  /** The graph with its history as the bytes of a `.ckg` file, which `cortexkg import` reads as well. Columns are not in it. */
  export(): Promise<Uint8Array> {
    return this.#call("export");
  }

  /** Puts the graph of a `.ckg` file in the place of this one. */
  import(bytes: Uint8Array): Promise<void> {
    return this.#call("import", bytes);
  }

  /** Whether the storage lacks something. */
  hasUnsavedChanges(): Promise<boolean> {
    return this.#call("hasUnsavedChanges");
  }

  /**
   * Makes everything durable that is not yet; only what has changed is written. Rejects with `StorageQuotaError` where there is no room (what was saved
   * before is intact), `StorageReadOnlyError` where another tab writes.
   */
  save(): Promise<void> {
    return this.#call("save");
  }

  /** Lets go of worker, memory and storage, after calls that are under way. What is not saved is gone. Asked for again it is the same closing. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    try {
      await this.#transport.call("close");
    } finally {
      this.#transport.end();
    }
  }

  #call<Name extends Method>(method: Name, ...parameters: Parameters_<Name>): Promise<Answer<Name>> {
    // A save that began while the storage is let go of would write behind it.
    if (this.#closing) return Promise.reject(closed());
    try {
      return this.#transport.call(method, ...parameters);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Decides on a batch; one that cannot be sent goes fact by fact, in its order, and what of it cannot be sent is refused. */
  #decide(batch: Fact[]): Promise<Outcome[]> {
    if (this.#closing) return Promise.reject(closed());
    try {
      return this.#transport.call("allocateFacts", batch);
    } catch {
      return Promise.all(batch.map((fact) => this.#decideOne(fact)));
    }
  }

  async #decideOne(fact: Fact): Promise<Outcome> {
    let deciding: Promise<Outcome[]>;
    try {
      deciding = this.#transport.call("allocateFacts", [fact]);
    } catch (error) {
      return { error: `a fact must be plain data, which can be sent to a worker: ${error instanceof Error ? error.message : String(error)}` };
    }
    const [outcome] = await deciding;
    return outcome!;
  }
}

/** Whether workers of the web can be made here; those of Node are others. */
function hasWorkers(): boolean {
  return typeof Worker === "function" && typeof location === "object";
}

async function* batches(facts: Iterable<Fact> | AsyncIterable<Fact>, size: number): AsyncGenerator<Fact[]> {
  let batch: Fact[] = [];
  for await (const fact of facts) {
    batch.push(fact);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length) yield batch;
}
