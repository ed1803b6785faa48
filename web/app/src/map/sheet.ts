/** The sheet of columns as the map draws it: what each cell holds, and when something last landed there. */

import type { ColumnMap, Decision } from "cortexkg";

/** Bits of the first byte of a cell. */
export const TAKEN = 1;
export const HIT = 2;
export const OPEN = 4;
/** What landed last, shifted by this. */
export const LANDED_SHIFT = 4;
export const LANDED: Record<Decision, number> = { existing: 1, new: 2, possible: 3 };

/** Seconds after which a landing is no longer seen. */
export const FADED_S = 4.5;

export class Sheet {
  /** Bytes of each cell: flags, activation 0 to 255. */
  readonly cells: Uint8Array<ArrayBuffer>;
  /** When something landed on each cell, in seconds of the map's clock. */
  readonly landed: Float32Array<ArrayBuffer>;
  readonly #concepts: Float64Array;
  readonly #cellOf = new Map<number, number>();
  readonly #hits = new Set<number>();
  readonly #open = new Set<number>();
  #dirtyFrom = Infinity;
  #dirtyTo = -1;
  /** Of the last landing. */
  lastLanding = -Infinity;
  /** Cells in the order of the curve, for walking home and to the end. */
  first: number | undefined;
  last: number | undefined;

  /** `smaller` is the sheet that this one has grown from: what landed there goes on fading. */
  constructor(
    readonly width: number,
    readonly height: number,
    smaller?: Sheet,
  ) {
    this.cells = new Uint8Array(width * height * 2);
    this.landed = new Float32Array(width * height).fill(-1000);
    this.#concepts = new Float64Array(width * height).fill(-1);
    if (!smaller || smaller.width > width || smaller.height > height) return;
    for (let row = 0; row < smaller.height; row++) {
      this.landed.set(smaller.landed.subarray(row * smaller.width, (row + 1) * smaller.width), row * width);
      this.cells.set(smaller.cells.subarray(2 * row * smaller.width, 2 * (row + 1) * smaller.width), 2 * row * width);
    }
    this.lastLanding = smaller.lastLanding;
    for (const node of smaller.#hits) this.#hits.add(node);
    for (const node of smaller.#open) this.#open.add(node);
  }

  get taken(): number {
    return this.#cellOf.size;
  }

  /** The node of a cell. */
  nodeAt(cell: number): number | undefined {
    const node = this.#concepts[cell];
    return node === undefined || node < 0 ? undefined : node;
  }

  cellOf(node: number): number | undefined {
    return this.#cellOf.get(node);
  }

  /** Takes over all columns; what landed a moment ago goes on fading. */
  update(map: ColumnMap): void {
    this.#cellOf.clear();
    this.#concepts.fill(-1);
    for (let cell = 0; cell < this.#concepts.length; cell++) this.cells[2 * cell]! &= 0xf0;
    for (let at = 0; at < map.columns.length; at++) {
      const cell = map.y[at]! * this.width + map.x[at]!;
      this.#put(cell, map.concepts[at]!);
      this.cells[2 * cell + 1] = Math.round(255 * (map.activations[at] ?? 0));
    }
    const ends = [0, map.columns.length - 1].map((at) => (map.columns.length ? map.y[at]! * this.width + map.x[at]! : undefined));
    [this.first, this.last] = [ends[0], ends[1]];
    this.#mark(this.#hits, HIT);
    this.#mark(this.#open, OPEN);
    this.#dirty(0, this.height - 1);
  }

  /** A fact lands on a cell. */
  land(cell: number, node: number, decision: Decision, now: number): void {
    this.#put(cell, node);
    this.first ??= cell;
    this.last = cell;
    this.cells[2 * cell] = (this.cells[2 * cell]! & 0x0f) | (LANDED[decision] << LANDED_SHIFT);
    this.cells[2 * cell + 1] = 255;
    this.landed[cell] = now;
    this.lastLanding = now;
    const row = Math.floor(cell / this.width);
    this.#dirty(row, row);
  }

  /** Nodes that a search found. */
  setHits(nodes: Iterable<number>): void {
    this.#set(this.#hits, nodes, HIT);
  }

  /** Nodes with close calls that nobody has settled. */
  setOpen(nodes: Iterable<number>): void {
    this.#set(this.#open, nodes, OPEN);
  }

  get hasHits(): boolean {
    return this.#hits.size > 0;
  }

  /** The rows that changed since the last call. */
  takeDirty(): [from: number, to: number] | undefined {
    if (this.#dirtyTo < 0) return undefined;
    const rows: [number, number] = [this.#dirtyFrom, this.#dirtyTo];
    this.#dirtyFrom = Infinity;
    this.#dirtyTo = -1;
    return rows;
  }

  dirtyAll(): void {
    this.#dirty(0, this.height - 1);
  }

  /** The taken cell that one comes to by going in a direction: near, and not too far to the side. */
  next(from: number, dx: number, dy: number): number | undefined {
    const [x0, y0] = [from % this.width, Math.floor(from / this.width)];
    let best: number | undefined;
    let bestCost = Infinity;
    for (const cell of this.#cellOf.values()) {
      const [x, y] = [(cell % this.width) - x0, Math.floor(cell / this.width) - y0];
      const along = x * dx + y * dy;
      const aside = Math.abs(x * dy) + Math.abs(y * dx);
      const cost = along + 2.5 * aside;
      if (along > 0 && aside <= along && cost < bestCost) [best, bestCost] = [cell, cost];
    }
    return best;
  }

  #put(cell: number, node: number): void {
    this.#concepts[cell] = node;
    this.#cellOf.set(node, cell);
    this.cells[2 * cell]! |= TAKEN;
  }

  #set(known: Set<number>, nodes: Iterable<number>, flag: number): void {
    for (const node of known) this.#flag(node, flag, false);
    known.clear();
    for (const node of nodes) known.add(node);
    this.#mark(known, flag);
  }

  #mark(nodes: Set<number>, flag: number): void {
    for (const node of nodes) this.#flag(node, flag, true);
  }

  #flag(node: number, flag: number, isOn: boolean): void {
    const cell = this.#cellOf.get(node);
    if (cell === undefined) return;
    if (isOn) this.cells[2 * cell]! |= flag;
    else this.cells[2 * cell]! &= ~flag;
    const row = Math.floor(cell / this.width);
    this.#dirty(row, row);
  }

  #dirty(from: number, to: number): void {
    this.#dirtyFrom = Math.min(this.#dirtyFrom, from);
    this.#dirtyTo = Math.max(this.#dirtyTo, to);
  }
}
