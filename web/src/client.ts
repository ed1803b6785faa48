/** The engine behind promises. (Signatures first; the body follows.) */

import type * as t from "./types.js";

export declare class CortexKG {
  /** Opens an engine, with what its storage has. */
  static open(options?: t.OpenOptions): Promise<CortexKG>;
  /** Whether saving is possible: there is a storage, and this one may write to it. */
  readonly isWriter: boolean;
  /** Listens to the storage: `saved`, `released`, `lost`. Returns what ends it. */
  onStorage(listener: (event: import("./storage/index.js").StorageEvent) => void): () => void;

  allocateFact(fact: t.Fact): Promise<t.AllocationResult>;
  allocateFacts(facts: Iterable<t.Fact> | AsyncIterable<t.Fact>, options?: t.AllocateOptions): Promise<t.Outcome[]>;
  search(text: string, options?: { limit?: number }): Promise<t.SearchHit[]>;
  /** Why a record went where it went, as text, and as data. */
  why(recordId: string, source?: string): Promise<string>;
  explain(recordId: string, source?: string): Promise<t.Explanation>;
  node(id: number): Promise<t.NodeView | undefined>;
  facts(node: number): Promise<t.MemberFact[]>;
  neighbours(node: number): Promise<t.Neighbour[]>;
  /** Close calls that nobody has settled, the most likely first. */
  review(options?: { limit?: number }): Promise<t.CloseCall[]>;
  mustLink(left: string | [record: string, source: string], right: string | [record: string, source: string]): Promise<t.Linked>;
  cannotLink(left: string | [record: string, source: string], right: string | [record: string, source: string]): Promise<t.Linked>;
  forget(recordId: string, source?: string): Promise<number>;
  undo(logPosition: number): Promise<number>;
  /** Looks at close calls again in the light of all facts. The number of nodes that were merged and split. */
  consolidate(): Promise<{ merged: number; split: number }>;

  allocateConcept(id: number, related?: Iterable<number | [number, number]>): Promise<number>;
  deallocateConcept(id: number): Promise<boolean>;
  allocateConcepts(ids: Iterable<number>): Promise<t.ConceptOutcome[]>;
  optimizeAllocations(): Promise<number>;
  columns(): Promise<t.ColumnMap>;

  metrics(): Promise<t.Metrics>;
  stateHash(): Promise<string>;
  /** The graph with its history as a `.ckg` file, and back in the place of what is here. */
  export(): Promise<Uint8Array>;
  import(bytes: Uint8Array): Promise<void>;
  /** Makes everything durable. */
  save(): Promise<void>;
  /** Saves nothing; lets go of worker, memory and storage. */
  close(): Promise<void>;
}
