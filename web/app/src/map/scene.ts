/** What a renderer gets to draw, and how cells come to lie on the screen. */

import { colours } from "../theme.ts";
import type { Sheet } from "./sheet.ts";

/** Where the sheet lies: pixels of the page for a cell, and where its first corner is. */
export interface Camera {
  scale: number;
  x: number;
  y: number;
}

export const PALETTE = ["surface", "free", "rest-low", "rest-high", "existing", "new", "possible", "accent", "ink"] as const;
export type Palette = Record<(typeof PALETTE)[number], [number, number, number]>;
export const palette = (): Palette => colours(PALETTE);

export interface Scene {
  sheet: Sheet;
  camera: Camera;
  /** Seconds of the map's clock. */
  now: number;
  selected: number | undefined;
  cursor: number | undefined;
  palette: Palette;
  /** Nothing moves: a landing is shown until it is over, and then not. */
  isCalm: boolean;
}

export interface Renderer {
  readonly kind: "webgl2" | "canvas2d";
  readonly canvas: HTMLCanvasElement;
  /** Size in pixels of the page, and how many of the screen go to one. */
  resize(width: number, height: number, ratio: number): void;
  draw(scene: Scene): void;
}

/** How far a landing has faded, 1 to 0. */
export const glow = (age: number, isCalm: boolean): number => (isCalm ? (age < 3 ? 1 : 0) : Math.exp(-1.15 * Math.max(0, age)));
