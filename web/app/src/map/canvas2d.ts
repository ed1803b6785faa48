/**
 * The map where there is no WebGL2: the same shapes, painted into the pixels of an image. A shape is a stencil that is made once for
 * a size of cells; only cells that changed are painted again.
 */

import { glow } from "./scene.ts";
import type { Palette, Renderer, Scene } from "./scene.ts";
import { FADED_S, HIT, LANDED_SHIFT, OPEN, TAKEN } from "./sheet.ts";

type Colour = readonly [number, number, number];
const css = ([r, g, b]: Colour): string => `rgb(${Math.round(255 * r)} ${Math.round(255 * g)} ${Math.round(255 * b)})`;
const HUES: readonly (keyof Palette)[] = ["existing", "existing", "new", "possible"];
/** Sizes that a resting column can have, by its activation. */
const SIZES = 6;

/** How much of each pixel of a cell a shape covers, 0 to 1: what is given, by its distance from the edge in cells. */
function stencil(pixels: number, scale: number, edge: (x: number, y: number) => number): Float32Array {
  const soft = 0.7 / scale;
  const covered = new Float32Array(pixels * pixels);
  for (let y = 0; y < pixels; y++) {
    for (let x = 0; x < pixels; x++) {
      const away = edge((x + 0.5 - pixels / 2) / scale, (y + 0.5 - pixels / 2) / scale);
      covered[y * pixels + x] = Math.min(1, Math.max(0, 0.5 - away / (2 * soft)));
    }
  }
  return covered;
}

interface Stencils {
  pixels: number;
  free: Float32Array;
  resting: Float32Array[];
  open: Float32Array;
  hit: Float32Array;
  /** By what landed: nothing, existing, new, possible. */
  landed: Float32Array[];
}

function stencils(scale: number): Stencils {
  const pixels = Math.max(1, Math.floor(scale));
  const line = Math.max(0.07, 0.7 / scale);
  const make = (edge: (x: number, y: number) => number): Float32Array => stencil(pixels, scale, edge);
  const disc = (r: number) => (x: number, y: number): number => Math.hypot(x, y) - r;
  const diamond = (x: number, y: number): number => Math.abs(x) + Math.abs(y);
  const existing = make(disc(0.4));
  return {
    pixels,
    free: make(disc(Math.max(0.06, 0.6 / scale))),
    resting: Array.from({ length: SIZES }, (_, size) => make(disc(0.25 + (0.08 * size) / (SIZES - 1)))),
    open: make((x, y) => diamond(x, y) - 0.4),
    hit: existing,
    landed: [
      existing,
      existing,
      make((x, y) => Math.min(disc(0.11)(x, y), Math.abs(Math.hypot(x, y) - 0.36) - line)),
      make((x, y) => Math.min(disc(0.11)(x, y), Math.abs(diamond(x, y) - 0.42) - line)),
    ],
  };
}

export function canvas2d(): Renderer {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { alpha: false });
  let image: ImageData | undefined;
  let ratio = 1;
  let last = "";
  let shapes = stencils(1);
  const tone = new Float32Array(3);

  const towards = (colour: Colour, share: number): void => {
    for (let at = 0; at < 3; at++) tone[at] = tone[at]! + (colour[at]! - tone[at]!) * share;
  };

  function cell(scene: Scene, into: ImageData, at: number): void {
    const { sheet, camera, palette, now, isCalm } = scene;
    const scale = camera.scale * ratio;
    const { pixels } = shapes;
    const left = Math.round(camera.x * ratio + (at % sheet.width) * scale);
    const top = Math.round(camera.y * ratio + Math.floor(at / sheet.width) * scale);
    if (left <= -pixels || top <= -pixels || left >= into.width || top >= into.height) return;
    const flags = sheet.cells[2 * at]!;
    if (!(flags & TAKEN)) {
      tone.set(palette.free);
      return paint(into, left, top, shapes.free, shapes.free, 0, palette.surface);
    }
    const active = sheet.cells[2 * at + 1]! / 255;
    const kind = flags >> LANDED_SHIFT;
    const lit = kind ? glow(now - sheet.landed[at]!, isCalm) : 0;
    const most = lit > 0.01 ? Math.min(1, 2 * lit) : 0;
    tone.set(palette["rest-low"]);
    towards(palette["rest-high"], active);
    if (flags & OPEN) towards(palette.possible, 0.5);
    towards(palette[HUES[kind] ?? "existing"], most);
    if (flags & HIT) {
      tone.set(palette.accent);
      return paint(into, left, top, shapes.hit, shapes.hit, 0, palette.surface);
    }
    if (sheet.hasHits) towards(palette.surface, 0.72);
    const resting = flags & OPEN ? shapes.open : shapes.resting[Math.round(active * (SIZES - 1))]!;
    paint(into, left, top, resting, shapes.landed[kind] ?? resting, most, palette.surface);
  }

  /** A cell in its tone, by two stencils that pass into each other. */
  function paint(into: ImageData, left: number, top: number, one: Float32Array, two: Float32Array, share: number, ground: Colour): void {
    const { pixels } = shapes;
    const { data, width, height } = into;
    const [r, g, b] = [255 * ground[0], 255 * ground[1], 255 * ground[2]];
    const [dr, dg, db] = [255 * tone[0]! - r, 255 * tone[1]! - g, 255 * tone[2]! - b];
    const [x0, x1] = [Math.max(0, -left), Math.min(pixels, width - left)];
    const [y0, y1] = [Math.max(0, -top), Math.min(pixels, height - top)];
    for (let y = y0; y < y1; y++) {
      let from = y * pixels + x0;
      let to = 4 * ((top + y) * width + left + x0);
      for (let x = x0; x < x1; x++, from++, to += 4) {
        const covered = one[from]! + (two[from]! - one[from]!) * share;
        data[to] = r + dr * covered;
        data[to + 1] = g + dg * covered;
        data[to + 2] = b + db * covered;
      }
    }
  }

  function ring(scene: Scene, at: number | undefined, colour: Colour, extra: number): void {
    if (!context || at === undefined) return;
    const scale = scene.camera.scale * ratio;
    context.strokeStyle = css(colour);
    context.lineWidth = ratio * Math.max(2, Math.min(3.5, (0.12 * scale) / ratio));
    context.beginPath();
    const x = scene.camera.x * ratio + ((at % scene.sheet.width) + 0.5) * scale;
    const y = scene.camera.y * ratio + (Math.floor(at / scene.sheet.width) + 0.5) * scale;
    context.arc(x, y, Math.max(0.62 * scale, 5 * ratio) + extra * context.lineWidth, 0, 7);
    context.stroke();
  }

  return {
    kind: "canvas2d",
    canvas,
    resize(width, height, newRatio) {
      ratio = newRatio;
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
      image = context?.createImageData(canvas.width, canvas.height);
      last = "";
    },
    draw(scene) {
      if (!context || !image) return;
      const { sheet, camera, selected, cursor, palette, now } = scene;
      const rows = sheet.takeDirty();
      const view = JSON.stringify([camera.x, camera.y, camera.scale, palette, sheet.hasHits, sheet.width, sheet.height]);
      const isWhole = view !== last;
      if (isWhole) {
        last = view;
        shapes = stencils(camera.scale * ratio);
        const [r, g, b] = palette.surface.map((one) => Math.round(255 * one)) as [number, number, number];
        new Uint32Array(image.data.buffer).fill(0xff000000 | (b << 16) | (g << 8) | r);
      }
      for (let at = 0; at < sheet.landed.length; at++) {
        const isLit = now - sheet.landed[at]! < FADED_S + 0.5;
        const row = isLit || isWhole || !rows ? 0 : Math.floor(at / sheet.width);
        if (isWhole || isLit || (rows && row >= rows[0] && row <= rows[1])) cell(scene, image, at);
      }
      context.putImageData(image, 0, 0);
      ring(scene, selected, palette.ink, 0);
      ring(scene, cursor, palette.accent, 1.4);
    },
  };
}
