/** The map where there is no WebGL2: the same shapes, only those cells painted again that changed. */

import { glow } from "./scene.ts";
import type { Palette, Renderer, Scene } from "./scene.ts";
import { FADED_S, HIT, LANDED_SHIFT, OPEN, TAKEN } from "./sheet.ts";

type Colour = [number, number, number];
const css = ([r, g, b]: Colour): string => `rgb(${Math.round(255 * r)} ${Math.round(255 * g)} ${Math.round(255 * b)})`;
const mix = (a: Colour, b: Colour, share: number): Colour =>
  [0, 1, 2].map((at) => a[at]! + (b[at]! - a[at]!) * share) as Colour;
const HUES: readonly (keyof Palette)[] = ["existing", "existing", "new", "possible"];

export function canvas2d(): Renderer {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { alpha: false });
  let ratio = 1;
  let last = "";

  /** One column; in small cells a square does for every shape. */
  function cell(scene: Scene, at: number): void {
    if (!context) return;
    const { sheet, camera, palette, now, isCalm } = scene;
    const scale = camera.scale * ratio;
    const x = camera.x * ratio + (at % sheet.width) * scale;
    const y = camera.y * ratio + Math.floor(at / sheet.width) * scale;
    if (x < -scale || y < -scale || x > canvas.width || y > canvas.height) return;
    const flags = sheet.cells[2 * at]!;
    const active = sheet.cells[2 * at + 1]! / 255;
    context.fillStyle = css(palette.surface);
    context.fillRect(x, y, scale, scale);
    const [cx, cy] = [x + scale / 2, y + scale / 2];
    if (!(flags & TAKEN)) {
      const dot = Math.max(1, 0.1 * scale);
      context.fillStyle = css(palette.free);
      context.fillRect(cx - dot / 2, cy - dot / 2, dot, dot);
      return;
    }
    const kind = flags >> LANDED_SHIFT;
    const lit = kind ? glow(now - sheet.landed[at]!, isCalm) : 0;
    const isHit = (flags & HIT) !== 0;
    let tone = mix(palette["rest-low"], palette["rest-high"], active);
    if (flags & OPEN) tone = mix(tone, palette.possible, 0.5);
    tone = mix(tone, palette[HUES[kind] ?? "existing"], Math.min(1, 2 * lit));
    if (isHit) tone = palette.accent;
    else if (sheet.hasHits) tone = mix(tone, palette.surface, 0.72);
    context.fillStyle = context.strokeStyle = css(tone);
    context.lineWidth = Math.max(1, 0.14 * scale);
    const isShown = lit > 0.5 && !isHit;
    context.beginPath();
    if (isShown ? kind === 3 : flags & OPEN && !isHit) {
      const r = 0.4 * scale;
      context.moveTo(cx, cy - r);
      context.lineTo(cx + r, cy);
      context.lineTo(cx, cy + r);
      context.lineTo(cx - r, cy);
      context.closePath();
    } else {
      const r = isShown || isHit ? (kind === 2 && !isHit ? 0.36 : 0.4) : 0.25 + 0.08 * active;
      context.arc(cx, cy, r * scale, 0, 7);
    }
    if (isShown && kind > 1) context.stroke();
    else context.fill();
  }

  function ring(scene: Scene, at: number | undefined, colour: Colour, extra: number): void {
    if (!context || at === undefined) return;
    const scale = scene.camera.scale * ratio;
    context.strokeStyle = css(colour);
    context.lineWidth = Math.max(2 * ratio, 0.12 * scale);
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
      last = "";
    },
    draw(scene) {
      if (!context) return;
      const { sheet, camera, selected, cursor, palette } = scene;
      const rows = sheet.takeDirty();
      const view = JSON.stringify([camera, selected, cursor, palette, sheet.hasHits, sheet.width]);
      const isWhole = view !== last;
      last = view;
      if (isWhole) {
        context.fillStyle = css(palette.surface);
        context.fillRect(0, 0, canvas.width, canvas.height);
      }
      for (let at = 0; at < sheet.landed.length; at++) {
        const row = Math.floor(at / sheet.width);
        const isDirty = rows !== undefined && row >= rows[0] && row <= rows[1];
        if (isWhole || isDirty || scene.now - sheet.landed[at]! < FADED_S + 0.5) cell(scene, at);
      }
      ring(scene, selected, palette.ink, 0);
      ring(scene, cursor, palette.accent, 1.4);
    },
  };
}
