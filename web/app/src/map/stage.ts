/** Draws the sheet when there is something to draw: while landings fade, and when something has changed. */

import type { Decision } from "cortexkg";

import { calm, recoloured } from "../theme.ts";
import { MapCamera } from "./camera.ts";
import { canvas2d } from "./canvas2d.ts";
import { palette } from "./scene.ts";
import type { Renderer } from "./scene.ts";
import { FADED_S, Sheet } from "./sheet.ts";
import { webgl } from "./webgl.ts";

/** Frames that are looked at before the picture is made coarser, and how slow they have to be in the mean. */
const FRAMES_JUDGED = 40;
const FRAME_MS_MAX = 22;

export class Stage {
  sheet = new Sheet(1, 1);
  readonly camera = new MapCamera();
  selected: number | undefined;
  cursor: number | undefined;
  /** After each frame. */
  onDrawn: () => void = () => {};
  /** Frames drawn so far. */
  frames = 0;

  #renderer: Renderer;
  #palette = palette();
  #asked = 0;
  #width = 1;
  #height = 1;
  #ratioMax = 2;
  #slow = { frames: 0, ms: 0, last: 0 };

  constructor(
    private readonly frame: HTMLElement,
    wanted: Renderer["kind"] | undefined,
  ) {
    this.#renderer = (wanted === "canvas2d" ? undefined : webgl(() => this.#fallBack(), wanted === "webgl2")) ?? canvas2d();
    this.#adopt();
    new ResizeObserver(() => this.#resize()).observe(frame);
    recoloured.listen(() => {
      this.#palette = palette();
      this.draw();
    });
    calm.addEventListener("change", () => this.draw());
  }

  get kind(): Renderer["kind"] {
    return this.#renderer.kind;
  }

  /** Seconds since the page began; small enough for a float of 32 bits. */
  get now(): number {
    return performance.now() / 1000;
  }

  setSheet(sheet: Sheet): void {
    this.sheet = sheet;
    this.selected = this.cursor = undefined;
    this.camera.setSheet(sheet.width, sheet.height);
    this.draw();
  }

  land(cell: number, node: number, decision: Decision): void {
    this.sheet.land(cell, node, decision, this.now);
    this.draw();
  }

  /** Asks for a frame. */
  draw(): void {
    if (this.#asked) return;
    this.#asked = requestAnimationFrame(() => this.#frame());
  }

  #frame(): void {
    this.#asked = 0;
    this.frames++;
    this.#renderer.draw({
      sheet: this.sheet,
      camera: this.camera,
      now: this.now,
      selected: this.selected,
      cursor: this.cursor,
      palette: this.#palette,
      isCalm: calm.matches,
    });
    this.onDrawn();
    const isLit = this.now - this.sheet.lastLanding < FADED_S;
    if (isLit && !calm.matches) this.draw();
    else if (isLit) setTimeout(() => this.draw(), 400);
    this.#judge(isLit && !calm.matches);
  }

  /** Makes the picture coarser where the machine cannot paint it in time. */
  #judge(isMoving: boolean): void {
    const slow = this.#slow;
    const now = performance.now();
    if (isMoving && slow.last) {
      slow.frames++;
      slow.ms += Math.min(100, now - slow.last);
    }
    slow.last = isMoving ? now : 0;
    if (slow.frames < FRAMES_JUDGED) return;
    if (slow.ms / slow.frames > FRAME_MS_MAX && Math.min(devicePixelRatio, this.#ratioMax) > 1) {
      this.#ratioMax = 1;
      this.#resize();
    }
    slow.frames = slow.ms = 0;
  }

  #resize(): void {
    const { clientWidth, clientHeight } = this.frame;
    if (!clientWidth || !clientHeight) return;
    [this.#width, this.#height] = [clientWidth, clientHeight];
    this.camera.setSize(clientWidth, clientHeight);
    this.#renderer.resize(clientWidth, clientHeight, Math.min(devicePixelRatio || 1, this.#ratioMax));
    // A canvas that has a new size is empty until it is painted.
    cancelAnimationFrame(this.#asked);
    this.#frame();
  }

  #fallBack(): void {
    this.#renderer.canvas.remove();
    this.#renderer = canvas2d();
    this.#adopt();
    this.#renderer.resize(this.#width, this.#height, Math.min(devicePixelRatio || 1, this.#ratioMax));
    this.draw();
  }

  #adopt(): void {
    const { canvas } = this.#renderer;
    canvas.setAttribute("aria-hidden", "true");
    this.frame.prepend(canvas);
  }
}
