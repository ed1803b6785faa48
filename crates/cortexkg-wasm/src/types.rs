//! The types of what goes in and out, for TypeScript.

use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r"
/** One end of a triple. */
export type Term = string | {iri: string} | {blank: string} | {value: string, datatype?: string, language?: string};
type Scalar = string | number | boolean | null | undefined;
type FieldValue = Scalar | Scalar[];
/** What comes in. */
export type Fact = ({text: string} | {subject: Term, predicate: string, object: Term} | {fields: Record<string, FieldValue> | readonly (readonly [string, FieldValue])[]})
  & {id?: string, source?: string, time?: number, confidence?: number, embedding?: Iterable<number>};
/** Where a fact went. */
export interface AllocationResult {
  recordId: string, node: number, decision: 'existing' | 'new' | 'possible', confidence: number, marginBits: number,
  method: string, candidates: number, logPosition: number, repeated: boolean, column?: number, object?: AllocationResult,
}
/** A node that a text speaks of. */
export interface SearchHit {node: number, label: string, scoreBits: number, matched: string[], column?: number}
/** A node whose vector is near. */
export interface NearHit {node: number, label: string, cosine: number, column?: number}
/** One step of the walk from the prior to the evidence. */
export interface WaterfallStep {
  kind: 'prior' | 'vote' | 'trust', field: string, agreement: string, stated?: string, held?: string,
  saidBefore: number, bits: number, totalBits: number,
}
/** A node that a mention was compared with. */
export interface Candidate {
  node: number, label: string, origins: string[], priorBits: number, evidenceBits: number, probability: number, steps: WaterfallStep[],
}
/** Why a mention went where it went. */
export interface Explanation {result: AllocationResult, mention: string, candidates: Candidate[], newProbability: number}
/** A node as it stands. */
export interface NodeView {
  node: number, label: string, aliases: string[], properties: {field: string, value: string, count: number}[],
  members: {recordId: string, source: string}[], column?: number,
}
/** What was said of a node. */
export interface MemberFact {recordId: string, logPosition: number, fact?: Fact}
/** An edge with the name of its far end. */
export interface Neighbour {from: number, predicate: string, to: number, label: string}
/** A close call that nobody has settled. */
export interface CloseCall {
  recordId: string, source: string, node: number, label: string,
  other: number, otherLabel: string, otherRecordId: string, otherSource: string, probability: number,
}
/** What a word about two records did. */
export interface Linked {logPosition: number, nodes: [number, number]}
/** Where pieces of a state are kept. */
export interface Storage {
  load(): Promise<Uint8Array[]>,
  append(piece: Uint8Array): Promise<void>,
  replace(piece: Uint8Array): Promise<void>,
  close?(): Promise<void>,
  /** As `load`, to be read a part at a time. */
  open?(): Promise<Piece[]>,
  /** As `replace`, part by part. */
  begin?(): Replacement,
}
/** Bytes that can be read at once: `read` fills `into` with those from `at` on. */
export interface Piece {length: number, read(at: number, into: Uint8Array): void}
/** A piece that is to take the place of all: it does when `end` resolves, and not if it rejects, or if `abandon` is called. */
export interface Replacement {write(bytes: Uint8Array): void, end(): Promise<void>, abandon(): void}
/** What `CortexKGWasm` can be told. */
export interface Configuration {
  columnCount?: number, maxColumnCount?: number, enableSimd?: boolean, halfLife?: number,
  scratch?: Scratch, swap?: Scratch, maxMemoryBytes?: number, quantizeVectors?: boolean,
}
/** A file that nobody needs afterwards. Both calls do what they do before they return, whole, or throw. */
export interface Scratch {read(at: number, into: Uint8Array): void, write(at: number, bytes: Uint8Array): void}
";
