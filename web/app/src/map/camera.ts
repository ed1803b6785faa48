/** Where the sheet lies on the screen, and how it is moved. */

import type { Camera } from "./scene.ts";

const SCALE_MAX = 128;

export class MapCamera implements Camera {
  scale = 1;
  x = 0;
  y = 0;
  #width = 1;
  #height = 1;
  #columns = 1;
  #rows = 1;
  /** Whether all of the sheet is shown; then it stays so when the window changes. */
  #isFitted = true;

  /** Whether all of it is shown. */
  get isFitted(): boolean {
    return this.#isFitted;
  }

  setSheet(columns: number, rows: number): void {
    // Whoever looks closely at a part goes on doing so when the sheet grows.
    if (columns < this.#columns) this.#isFitted = true;
    [this.#columns, this.#rows] = [columns, rows];
    if (this.#isFitted) this.fit();
    else this.#keepInSight();
  }

  setSize(width: number, height: number): void {
    [this.#width, this.#height] = [Math.max(1, width), Math.max(1, height)];
    if (this.#isFitted) this.fit();
    else this.#keepInSight();
  }

  get #fitted(): number {
    const room = Math.min(this.#width, this.#height) > 500 ? 48 : 20;
    return Math.max(0.2, Math.min((this.#width - room) / this.#columns, (this.#height - room) / this.#rows));
  }

  /** Shows all of it. */
  fit(): void {
    this.#isFitted = true;
    this.scale = this.#fitted;
    this.x = (this.#width - this.scale * this.#columns) / 2;
    this.y = (this.#height - this.scale * this.#rows) / 2;
  }

  /** Nearer or farther, with a point that stays where it is. */
  zoom(factor: number, x = this.#width / 2, y = this.#height / 2): void {
    const least = this.#fitted;
    const scale = Math.min(Math.max(this.scale * factor, least), Math.max(SCALE_MAX, least));
    if (scale <= least * 1.0001) return this.fit();
    this.#isFitted = false;
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.#keepInSight();
  }

  pan(dx: number, dy: number): void {
    if (this.#isFitted) return;
    this.x += dx;
    this.y += dy;
    this.#keepInSight();
  }

  /** Moves as little as need be until a cell is well in sight. */
  reveal(cell: number): void {
    const [x, y] = this.centre(cell);
    const edge = Math.min(60, this.#width / 5, this.#height / 5);
    const moved = (at: number, size: number): number => (at < edge ? edge - at : at > size - edge ? size - edge - at : 0);
    this.pan(moved(x, this.#width), moved(y, this.#height));
  }

  /** Middle of a cell, in pixels of the map. */
  centre(cell: number): [x: number, y: number] {
    return [
      this.x + ((cell % this.#columns) + 0.5) * this.scale,
      this.y + (Math.floor(cell / this.#columns) + 0.5) * this.scale,
    ];
  }

  /** The cell at a point. */
  cellAt(x: number, y: number): number | undefined {
    const column = Math.floor((x - this.x) / this.scale);
    const row = Math.floor((y - this.y) / this.scale);
    const isInside = column >= 0 && row >= 0 && column < this.#columns && row < this.#rows;
    return isInside ? row * this.#columns + column : undefined;
  }

  /** Cells that can be seen; none where that would be more than `most`. */
  cellsInSight(most: number): number[] {
    const from = (at: number): number => Math.max(0, Math.floor(-at / this.scale));
    const to = (at: number, size: number, count: number): number => Math.min(count, Math.ceil((size - at) / this.scale));
    const [left, right, top, bottom] = [from(this.x), to(this.x, this.#width, this.#columns), from(this.y), to(this.y, this.#height, this.#rows)];
    if ((right - left) * (bottom - top) > most) return [];
    const cells: number[] = [];
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) cells.push(y * this.#columns + x);
    return cells;
  }

  #keepInSight(): void {
    const kept = (at: number, length: number, size: number): number =>
      length < size ? (size - length) / 2 : Math.min(size / 3, Math.max(at, (size * 2) / 3 - length));
    this.x = kept(this.x, this.scale * this.#columns, this.#width);
    this.y = kept(this.y, this.scale * this.#rows, this.#height);
  }
}
