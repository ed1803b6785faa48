/**
 * What goes in and what comes out. Everything here is plain data: it can be cloned, logged and sent to a worker.
 *
 * Nodes, positions and concepts are whole numbers that a `number` holds exactly.
 */

/** One end of a triple: a name, or an RDF term. */
export type Term = string | { iri: string } | { blank: string } | { value: string; datatype?: string; language?: string };

type Scalar = string | number | boolean | null | undefined;
/** A value of a field. `null`, `undefined` and an empty text say nothing. */
export type FieldValue = Scalar | Scalar[];

/** What every fact may have. */
export interface FactCommon {
  /** Identifier of the record, unique in its source. Without one the fact gets a number. */
  id?: string;
  /** Who says it. */
  source?: string;
  /** When it was said, in whole seconds since 1970. Kept, not weighed. */
  time?: number;
  /** How far the source is trusted, 0 to 1. */
  confidence?: number;
  /** A vector, 1 to 4,096 components, as many in every fact of a graph. */
  embedding?: Float32Array | readonly number[];
}

/** A record: fields by name, or pairs of name and value where their order matters. */
export interface RecordFact extends FactCommon {
  fields: Record<string, FieldValue> | readonly (readonly [string, FieldValue])[];
}
/** A short text. */
export interface TextFact extends FactCommon {
  text: string;
}
/** A statement about two things. */
export interface TripleFact extends FactCommon {
  subject: Term;
  predicate: string;
  object: Term;
}
/** What comes in. */
export type Fact = RecordFact | TextFact | TripleFact;

/** `existing`: it belongs to a node that was there. `new`: it opened one. `possible`: it opened one, and another is close. */
export type Decision = "existing" | "new" | "possible";

/** Where a fact went. */
export interface AllocationResult {
  recordId: string;
  node: number;
  decision: Decision;
  /** How likely the decision is right, 0 to 1. */
  confidence: number;
  /** By how many bits it beat the next best. */
  marginBits: number;
  /** How its candidates were found: `direct` (all were looked at), `recalled`, `hnsw`. */
  method: string;
  /** Nodes that were compared. */
  candidates: number;
  /** Position of the fact in the log; what `undo` takes. */
  logPosition: number;
  /** The same fact was there already; nothing changed. */
  repeated: boolean;
  /** The column of the node on the map; none where the map is full. */
  column?: number;
  /** Of a triple: where its object went. */
  object?: AllocationResult;
}

/** A fact that was refused, and why; nothing of it is in the graph. */
export interface Refusal {
  error: string;
}
/** What comes of one fact of many. */
export type Outcome = AllocationResult | Refusal;

/** A node that a text speaks of. */
export interface SearchHit {
  node: number;
  /** It in one line. */
  label: string;
  /** Information in what text and node share, in bits. */
  scoreBits: number;
  /** Words that were found, with their fields: `city: los`. */
  matched: string[];
  column?: number;
}

/** A node whose vector is near. */
export interface NearHit {
  node: number;
  /** It in one line. */
  label: string;
  /** Cosine between the vectors, -1 to 1; that of a node is the mean of its members'. */
  cosine: number;
  column?: number;
}

/** One step of the walk from the prior to the evidence. */
export interface WaterfallStep {
  kind: "prior" | "vote" | "trust";
  /** The field, or `prior`, `trust`. */
  field: string;
  /** How far mention and node agree, in words. */
  agreement: string;
  /** What the mention says, shortened. */
  stated?: string;
  /** What came nearest to it in the node. */
  held?: string;
  /** The part of the vote, 0 to 1, that stronger ones had said already. */
  saidBefore: number;
  /** Positive towards the node, negative away from it. */
  bits: number;
  /** The evidence behind this step; at 0 the node and a new one are alike. */
  totalBits: number;
}

/** A node that a mention was compared with. */
export interface Candidate {
  node: number;
  label: string;
  /** What recalled it: `exact_key`, `spikes`, `vector`, `neighbour`. */
  origins: string[];
  priorBits: number;
  evidenceBits: number;
  /** How likely the mention belongs to it, 0 to 1. */
  probability: number;
  /** From the prior to the evidence. */
  steps: WaterfallStep[];
}

/** Why a mention went where it went. */
export interface Explanation {
  result: AllocationResult;
  /** The mention in one line. */
  mention: string;
  /** Strongest first; empty if nothing resembled it. */
  candidates: Candidate[];
  /** How likely it needs a node of its own, 0 to 1. */
  newProbability: number;
}

/** A node as it stands. */
export interface NodeView {
  node: number;
  label: string;
  /** Names: texts and ends of triples. */
  aliases: string[];
  /** Values of its fields, and how many members have each. */
  properties: { field: string; value: string; count: number }[];
  /** The records that belong to it, in order. */
  members: { recordId: string; source: string }[];
  column?: number;
}

/** What was said of a node. */
export interface MemberFact {
  /** The record, for an end of a triple with `#s` or `#o`. */
  recordId: string;
  /** Position in the log. */
  logPosition: number;
  /** As received; none if it has been forgotten for good. */
  fact?: Fact;
}

/** An edge with the name of its far end. */
export interface Neighbour {
  from: number;
  predicate: string;
  to: number;
  /** The other end in one line. */
  label: string;
}

/** A close call that nobody has settled. */
export interface CloseCall {
  /** The record that opened a node of its own, and its source. */
  recordId: string;
  source: string;
  /** That node. */
  node: number;
  label: string;
  /** The node that it may belong to. */
  other: number;
  otherLabel: string;
  /** A record of the other node: what `mustLink` and `cannotLink` take. */
  otherRecordId: string;
  otherSource: string;
  /** How likely they are the same, 0 to 1, when it was decided. */
  probability: number;
}

/** A record: its identifier, or that with its source. */
export type RecordName = string | readonly [recordId: string, source: string];

/** What a word about two records did. */
export interface Linked {
  /** Position in the log; `undo` takes it back. */
  logPosition: number;
  /** The nodes of the two records now. */
  nodes: [number, number];
}

/** How an engine does. */
export interface Metrics {
  facts: number;
  nodes: number;
  /** Concepts and nodes that were given a column since it was opened. */
  totalAllocations: number;
  /** Milliseconds of giving a concept of the caller's a column, mean of the last 1,000. */
  averageTime: number;
  allocatedCount: number;
  freeCount: number;
  /** The share of columns that is taken. */
  efficiency: number;
  optimizationCycles: number;
  /** 0 to 1: how near related concepts lie; 1 is as near as can be. */
  neighbourhoodQuality: number;
  simdLevel: string;
  simdEnabled: boolean;
  /** Bytes of WebAssembly memory; the graph is in it. */
  memoryBytes: number;
  /** Milliseconds that a fact took, of the last 1,000: mean, and what 95 and 99 of 100 stay below. */
  factTime: { mean: number; p95: number; p99: number };
}

/** The columns that are taken, along the curve; item by item in five arrays. */
export interface ColumnMap {
  /** Cells from left to right and from top to bottom. */
  width: number;
  height: number;
  columns: Uint32Array;
  /** The concept of each: a node, or what `allocateConcept` was given. */
  concepts: Float64Array;
  /** 1 where it is the node of a fact, 0 where it is a concept of the caller's. */
  isNode: Uint8Array;
  x: Uint16Array;
  y: Uint16Array;
  /** 1 when used, halving with every so many calls. */
  activations: Float32Array;
}

/** What `allocateConcepts` says of one concept. */
export interface ConceptOutcome {
  conceptId: number;
  columnId?: number;
  success: boolean;
  error?: string;
}

/** Where a graph is kept. */
export interface StorageOptions {
  /** Any name; graphs of different names have nothing to do with each other. */
  name: string;
  /** `auto`: files of the origin (OPFS) where they can be written, else IndexedDB. */
  kind?: "auto" | "indexeddb" | "opfs";
  /**
   * `write` fails with `StorageLockedError` where another tab writes; `read` never writes; `auto` writes if nobody else does.
   * Usually `write`.
   */
  mode?: "write" | "read" | "auto";
}

/** A place of the caller's for a state: pieces of bytes, in order. None of its calls may wait for `save` or `close` of the same graph, which wait for them. */
export interface Storage {
  /** All pieces, the first first; none if there is nothing yet. */
  load(): Promise<Uint8Array[]>;
  /** Adds a piece. Resolves when it is durable; when it rejects, nothing has changed. */
  append(piece: Uint8Array): Promise<void>;
  /** Lets one piece take the place of all. Resolves when it is durable; when it rejects, nothing has changed. */
  replace(piece: Uint8Array): Promise<void>;
  /** Lets go of it. */
  close?(): Promise<void>;
  /** As `load`, to be read a part at a time: what is large then needs no memory. */
  open?(): Promise<ReadablePiece[]>;
  /** As `replace`, part by part. */
  begin?(): Replacement;
  /** A file for as long as the graph is open, in which what was said lies rather than in memory. */
  scratch?: Scratch;
  /** Another one, for what `maxMemoryBytes` has no room for. */
  swap?: Scratch;
}

/** A piece that can be read a part at a time, for as long as no other takes its place. */
export interface ReadablePiece {
  readonly length: number;
  /** Fills a buffer with the bytes from `at` on before it returns, or throws. */
  read(at: number, into: Uint8Array): void;
}

/** A piece that is to take the place of all. */
export interface Replacement {
  /** Adds bytes, and has taken them when it returns. */
  write(bytes: Uint8Array): void;
  /** Lets it take the place of all. Resolves when it is durable; when it rejects, nothing has changed. */
  end(): Promise<void>;
  /** Gives it up. */
  abandon(): void;
}

/** A file that nobody needs afterwards. What its calls do is done when they return, whole; else they throw. */
export interface Scratch {
  read(at: number, into: Uint8Array): void;
  write(at: number, bytes: Uint8Array): void;
}

/** How to open an engine. */
export interface OpenOptions {
  /**
   * Where it is kept: a name, or more than that, or a place of the caller's (then the engine runs on this thread). Without it the graph ends with
   * the page.
   */
  storage?: string | StorageOptions | Storage;
  /** Columns of a new map, 1 to 4,194,304; usually 4,096. */
  columns?: number;
  /** Columns that the map may grow to where nodes need more, at most 4,194,304; usually 1,048,576. */
  maxColumns?: number;
  /**
   * Most bytes that the engine's tables may take; what has not been looked at lately then lies in a file, and decisions are the same, only slower. The
   * module, the map (some 80 bytes a column), and what finds vectors and words (some 300 bytes a node) come on top. Only where files answer at once: in
   * a worker on a secure page, and with `fileStorage` in Node.
   */
  maxMemoryBytes?: number;
  /**
   * Whether a new graph of many vectors finds them by one bit for each of their values, and ranks what it finds by 8 bits; usually by 8 bits for both.
   * Less than one decision in a hundred is another. A graph that is there keeps what it was made with.
   */
  quantizeVectors?: boolean;
  /** Whether the engine runs in a worker of its own; usually true where there are workers of the web. */
  worker?: boolean;
  /** Whether the module with SIMD is taken; usually where the machine has it. Decisions are the same. */
  simd?: boolean;
}

/** How far a long call is. */
export interface Progress {
  done: number;
  /** None where the end is not known. */
  total?: number;
}

/** Of a long call. */
export interface LongCall {
  /** Ends it after the batch that is being decided; what was decided stays. The call then rejects with the signal's reason. */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** Of many facts. */
export interface AllocateOptions extends LongCall {
  /** Facts that are decided between two looks at the signal, 1 to 65,536; usually 256. */
  batch?: number;
  /** Gets the outcomes of each batch as they come, and the position of the first among all. */
  onOutcomes?: (outcomes: Outcome[], first: number) => void;
  /** Whether the call resolves to all outcomes; usually, unless `onOutcomes` gets them. Else it resolves to none. */
  collect?: boolean;
}
