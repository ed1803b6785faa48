/** A stand-in for the package while its engine is being written: plausible, small, slow. To be deleted. */

import type * as t from "../../src/types.ts";
import type { StorageEvent } from "../../src/storage/index.ts";
export type * from "../../src/types.ts";
export type { StorageEvent } from "../../src/storage/index.ts";
export { CortexError, StorageLockedError, StorageReadOnlyError, StorageQuotaError, StorageVersionError, StorageError } from "../../src/errors.ts";
import { CortexError } from "../../src/errors.ts";

type Row = { id: string; source: string; fact: t.Fact; node: number; position: number; why: t.Explanation; values: [string, string][] };
type Op = ["fact", t.Fact] | ["must" | "cannot", string, string] | ["forget", string] | ["undo", number];
const KEY = "fake-cortexkg:";

export async function storedNames(): Promise<string[]> {
  return Object.keys(localStorage).filter((k) => k.startsWith(KEY)).map((k) => k.slice(KEY.length)).sort();
}
export async function removeStorage(name: string): Promise<void> {
  localStorage.removeItem(KEY + name);
}
const words = (v: string) => v.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
function values(fact: t.Fact): [string, string][] {
  if ("text" in fact) return [["text", fact.text]];
  if ("subject" in fact) return [["subject", String(fact.subject)], ["object", String(fact.object)]];
  const pairs = Array.isArray(fact.fields) ? fact.fields : Object.entries(fact.fields);
  return pairs.filter(([, v]) => v).map(([k, v]) => [k, String(v)]);
}

export class CortexKG {
  isWriter = true;
  #name: string | undefined;
  #ops: Op[] = [];
  #rows: Row[] = [];
  #byId = new Map<string, Row>();
  #index = new Map<string, Set<number>>();
  #nodes = new Map<number, Row[]>();
  #next = 1;
  #side = 64;
  #column = new Map<number, number>();
  #taken = new Set<number>();
  #settled = new Set<string>();
  #times: number[] = [];
  #uses = new Map<number, number>();

  static async open(options: t.OpenOptions = {}): Promise<CortexKG> {
    const kg = new CortexKG();
    kg.#side = Math.ceil(Math.sqrt(options.columns ?? 4096));
    const name = typeof options.storage === "string" ? options.storage : options.storage?.name;
    kg.#name = name;
    const kept = name === undefined ? null : localStorage.getItem(KEY + name);
    if (kept) kg.#replay(JSON.parse(kept));
    return kg;
  }
  onStorage(_: (event: StorageEvent) => void): () => void {
    return () => {};
  }
  #replay(ops: Op[]): void {
    this.#ops = ops;
    this.#rows = []; this.#byId.clear(); this.#index.clear(); this.#nodes.clear(); this.#next = 1; this.#column.clear(); this.#taken.clear(); this.#settled.clear();
    const undone = new Set(ops.flatMap((o) => (o[0] === "undo" ? [o[1]] : [])));
    ops.forEach((op, at) => {
      if (undone.has(at)) return;
      if (op[0] === "fact") this.#allocate(op[1], at);
      else if (op[0] === "must") this.#merge(op[1], op[2]);
      else if (op[0] === "cannot") this.#settled.add(op[1] + "|" + op[2]);
      else if (op[0] === "forget") this.#drop(op[1]);
    });
  }
  #place(node: number, near?: number): number | undefined {
    const at = near === undefined ? undefined : this.#column.get(near);
    const n = this.#side;
    const [cx, cy] = at === undefined ? [((node * 37) % n), ((node * 61) % n)] : [at % n, Math.floor(at / n)];
    for (let r = 0; r < n; r++) for (let dy = -r; dy <= r; dy++) for (let dx = -r; dx <= r; dx++) {
      const x = cx + dx, y = cy + dy;
      if (Math.abs(dx) + Math.abs(dy) !== r || x < 0 || y < 0 || x >= n || y >= n || this.#taken.has(y * n + x)) continue;
      this.#taken.add(y * n + x); this.#column.set(node, y * n + x);
      return y * n + x;
    }
    return undefined;
  }
  #weigh(vals: [string, string][], node: number): t.Candidate {
    let total = 2 - Math.log2(1 + this.#nodes.size) - 3;
    const steps: t.WaterfallStep[] = [{ kind: "prior", field: "prior", agreement: "before any look", saidBefore: 0, bits: total, totalBits: total }];
    const prior = total;
    for (const [field, value] of vals) {
      let best = -1, held = "";
      const mine = new Set(words(value));
      for (const row of this.#nodes.get(node) ?? []) for (const [f, v] of row.values) if (f === field) {
        const theirs = words(v);
        const common = theirs.filter((w) => mine.has(w)).length / Math.max(1, Math.max(theirs.length, mine.size));
        if (common > best) { best = common; held = v; }
      }
      if (best < 0) continue;
      const rare = Math.min(9, Math.log2(2 + this.#rows.length / (1 + (this.#index.get(field + ":" + [...mine][0])?.size ?? 0))));
      const before = best > 0.9 && field === "city" ? 0.6 : best > 0.9 && field === "state" ? 1 : 0;
      const bits = (best > 0.99 ? rare + 1 : best > 0.4 ? rare * best : best > 0 ? 0.4 : -2.6) * (1 - before);
      total += bits;
      steps.push({ kind: "vote", field, agreement: best > 0.99 ? "exact" : best > 0.4 ? "similar" : best > 0 ? "a little alike" : "different", stated: value, held, saidBefore: before, bits, totalBits: total });
    }
    const label = this.#label(node);
    return { node, label, origins: ["spikes"], priorBits: prior, evidenceBits: total, probability: 1 / (1 + 2 ** -total), steps };
  }
  #label(node: number): string {
    return (this.#nodes.get(node)?.[0]?.values ?? []).map(([, v]) => v).join(" · ");
  }
  #allocate(fact: t.Fact, position: number): t.AllocationResult {
    const started = performance.now();
    const vals = values(fact);
    if (!vals.length) throw new CortexError("the record has no value; leave it out");
    const id = fact.id ?? String(position), source = fact.source ?? "";
    if (this.#byId.has(id)) return { ...this.#byId.get(id)!.why.result, repeated: true };
    const counts = new Map<number, number>();
    for (const [f, v] of vals) for (const w of words(v)) {
      const posting = this.#index.get(f + ":" + w);
      if (posting && posting.size < 60) for (const n of posting) counts.set(n, (counts.get(n) ?? 0) + 1 / posting.size);
    }
    const top = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 5).map(([n]) => n);
    const candidates = top.map((n) => this.#weigh(vals, n)).sort((a, b) => b.evidenceBits - a.evidenceBits);
    const best = candidates[0];
    const z = 1 + candidates.reduce((s, c) => s + 2 ** c.evidenceBits, 0);
    for (const c of candidates) c.probability = 2 ** c.evidenceBits / z;
    let node: number, decision: t.Decision;
    if (best && best.evidenceBits > 0) { node = best.node; decision = "existing"; }
    else { node = this.#next++; decision = best && best.probability > 0.05 ? "possible" : "new"; this.#place(node, best?.node); }
    const row: Row = { id, source, fact, node, position, values: vals, why: undefined as never };
    const column = this.#column.get(node);
    const result: t.AllocationResult = { recordId: id, node, decision, confidence: decision === "existing" ? best!.probability : 1 / z, marginBits: Math.abs(best?.evidenceBits ?? 9), method: "direct", candidates: candidates.length, logPosition: position, repeated: false, ...(column === undefined ? {} : { column }) };
    row.why = { result, mention: vals.map(([, v]) => v).join(" · "), candidates, newProbability: 1 / z };
    this.#rows.push(row); this.#byId.set(id, row);
    this.#nodes.set(node, [...(this.#nodes.get(node) ?? []), row]);
    this.#uses.set(node, this.#rows.length);
    for (const [f, v] of vals) for (const w of words(v)) { const k = f + ":" + w; this.#index.set(k, (this.#index.get(k) ?? new Set()).add(node)); }
    this.#times.push(performance.now() - started); if (this.#times.length > 1000) this.#times.shift();
    return result;
  }
  async allocateFact(fact: t.Fact): Promise<t.AllocationResult> {
    this.#ops.push(["fact", fact]);
    return this.#allocate(fact, this.#ops.length - 1);
  }
  async allocateFacts(facts: Iterable<t.Fact> | AsyncIterable<t.Fact>, options: t.AllocateOptions = {}): Promise<t.Outcome[]> {
    const all: t.Outcome[] = [];
    for await (const f of facts) { try { all.push(await this.allocateFact(f)); } catch (e) { this.#ops.pop(); all.push({ error: (e as Error).message }); } }
    await new Promise((r) => setTimeout(r, 1));
    options.onOutcomes?.(all, 0);
    return all;
  }
  async search(text: string, options: { limit?: number } = {}): Promise<t.SearchHit[]> {
    await new Promise((r) => setTimeout(r, 8));
    const asked = words(text);
    const hits: t.SearchHit[] = [];
    for (const [node, rows] of this.#nodes) {
      const matched = new Set<string>();
      for (const r of rows) for (const [f, v] of r.values) for (const w of words(v)) if (asked.some((a) => w.startsWith(a))) matched.add(`${f}: ${w}`);
      const column = this.#column.get(node);
      if (matched.size) hits.push({ node, label: this.#label(node), scoreBits: matched.size * 5.3, matched: [...matched], ...(column === undefined ? {} : { column }) });
    }
    return hits.sort((a, b) => b.scoreBits - a.scoreBits || a.node - b.node).slice(0, options.limit ?? 10);
  }
  async why(id: string): Promise<string> { return JSON.stringify(await this.explain(id)); }
  async explain(id: string, _source?: string): Promise<t.Explanation> {
    const row = this.#byId.get(id);
    if (!row) throw new CortexError(`there is no record ${id} here; look at the node's facts`);
    return row.why;
  }
  async node(id: number): Promise<t.NodeView | undefined> {
    const rows = this.#nodes.get(id);
    if (!rows?.length) return undefined;
    const counts = new Map<string, { field: string; value: string; count: number }>();
    for (const r of rows) for (const [field, value] of r.values) { const k = field + "\0" + value; const c = counts.get(k) ?? { field, value, count: 0 }; c.count++; counts.set(k, c); }
    const column = this.#column.get(id);
    return { node: id, label: this.#label(id), aliases: [], properties: [...counts.values()], members: rows.map((r) => ({ recordId: r.id, source: r.source })), ...(column === undefined ? {} : { column }) };
  }
  async facts(node: number): Promise<t.MemberFact[]> {
    return (this.#nodes.get(node) ?? []).map((r) => ({ recordId: r.id, logPosition: r.position, fact: r.fact }));
  }
  async neighbours(node: number): Promise<t.Neighbour[]> {
    return this.#calls().flatMap((c) => (c.node === node ? [{ from: node, predicate: "possibly_same", to: c.other, label: c.otherLabel }] : c.other === node ? [{ from: c.node, predicate: "possibly_same", to: node, label: c.label }] : []));
  }
  #calls(): t.CloseCall[] {
    return this.#rows.flatMap((r): t.CloseCall[] => {
      const c = r.why.candidates[0];
      if (r.why.result.decision !== "possible" || !c) return [];
      const o = this.#nodes.get(c.node)?.[0];
      if (!o || c.node === r.node || this.#settled.has(r.id + "|" + o.id)) return [];
      return [{ recordId: r.id, source: r.source, node: r.node, label: r.why.mention, other: c.node, otherLabel: c.label, otherRecordId: o.id, otherSource: o.source, probability: c.probability }];
    }).sort((a, b) => b.probability - a.probability);
  }
  async review(options: { limit?: number } = {}): Promise<t.CloseCall[]> { return this.#calls().slice(0, options.limit ?? 100); }
  #merge(a: string, b: string): void {
    const left = this.#byId.get(a)!, right = this.#byId.get(b)!;
    const from = left.node, to = right.node;
    if (from === to) return;
    const moved = this.#nodes.get(from) ?? [];
    for (const r of moved) r.node = to;
    this.#nodes.set(to, [...(this.#nodes.get(to) ?? []), ...moved]);
    this.#nodes.delete(from);
    this.#taken.delete(this.#column.get(from)!); this.#column.delete(from);
  }
  async mustLink(l: string | [string, string], r: string | [string, string]): Promise<t.Linked> {
    const [a, b] = [Array.isArray(l) ? l[0] : l, Array.isArray(r) ? r[0] : r];
    this.#ops.push(["must", a, b]); this.#merge(a, b);
    return { logPosition: this.#ops.length - 1, nodes: [this.#byId.get(a)!.node, this.#byId.get(b)!.node] };
  }
  async cannotLink(l: string | [string, string], r: string | [string, string]): Promise<t.Linked> {
    const [a, b] = [Array.isArray(l) ? l[0] : l, Array.isArray(r) ? r[0] : r];
    this.#ops.push(["cannot", a, b]); this.#settled.add(a + "|" + b);
    return { logPosition: this.#ops.length - 1, nodes: [this.#byId.get(a)!.node, this.#byId.get(b)!.node] };
  }
  #drop(id: string): void {
    const row = this.#byId.get(id);
    if (!row) throw new CortexError(`there is no record ${id} here`);
    this.#byId.delete(id); this.#rows = this.#rows.filter((r) => r !== row);
    const left = (this.#nodes.get(row.node) ?? []).filter((r) => r !== row);
    if (left.length) this.#nodes.set(row.node, left);
    else { this.#nodes.delete(row.node); this.#taken.delete(this.#column.get(row.node)!); this.#column.delete(row.node); }
  }
  async forget(id: string, _source?: string): Promise<number> { this.#drop(id); this.#ops.push(["forget", id]); return this.#ops.length - 1; }
  async undo(position: number): Promise<number> { this.#ops.push(["undo", position]); this.#replay(this.#ops); return this.#ops.length - 1; }
  async consolidate(): Promise<{ merged: number; split: number }> { return { merged: 0, split: 0 }; }
  async allocateConcept(): Promise<number> { return 0; }
  async deallocateConcept(): Promise<boolean> { return false; }
  async allocateConcepts(): Promise<t.ConceptOutcome[]> { return []; }
  async optimizeAllocations(): Promise<number> { return 0; }
  async columns(): Promise<t.ColumnMap> {
    const all = [...this.#column].sort((a, b) => a[1] - b[1]);
    return { width: this.#side, height: this.#side, columns: Uint32Array.from(all, (c) => c[1]), concepts: Float64Array.from(all, (c) => c[0]), isNode: new Uint8Array(all.length).fill(1), x: Uint16Array.from(all, (c) => c[1] % this.#side), y: Uint16Array.from(all, (c) => Math.floor(c[1] / this.#side)), activations: Float32Array.from(all, (c) => 2 ** (-(this.#rows.length - (this.#uses.get(c[0]) ?? 0)) / 200)) };
  }
  async metrics(): Promise<t.Metrics> {
    const sorted = [...this.#times].sort((a, b) => a - b);
    const q = (p: number) => sorted[Math.floor(p * sorted.length)] ?? 0;
    return { facts: this.#rows.length, nodes: this.#nodes.size, totalAllocations: this.#next, averageTime: 0.01, allocatedCount: this.#column.size, freeCount: this.#side ** 2 - this.#column.size, efficiency: this.#column.size / this.#side ** 2, optimizationCycles: 0, neighbourhoodQuality: 0.8, simdLevel: "none", simdEnabled: false, memoryBytes: 4e6 + this.#rows.length * 900, factTime: { mean: sorted.reduce((a, b) => a + b, 0) / (sorted.length || 1), p95: q(0.95), p99: q(0.99) } };
  }
  async stateHash(): Promise<string> {
    const d = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(this.#ops)));
    return [...new Uint8Array(d)].map((b) => b.toString(16).padStart(2, "0")).join("");
  }
  async export(): Promise<Uint8Array> { return new TextEncoder().encode("CKG" + JSON.stringify(this.#ops)); }
  async import(b: Uint8Array): Promise<void> {
    const text = new TextDecoder().decode(b);
    if (!text.startsWith("CKG")) throw new CortexError("this is no .ckg file; choose one that CortexKG has exported");
    this.#replay(JSON.parse(text.slice(3)));
  }
  async save(): Promise<void> { if (this.#name !== undefined) localStorage.setItem(KEY + this.#name, JSON.stringify(this.#ops)); }
  async close(): Promise<void> {}
}
