/** Names over the columns, once they are large enough to carry them. */

import { h, write } from "../dom.ts";
import type { Stage } from "./stage.ts";

/** Pixels from which a column has room for a name. */
const SCALE_MIN = 46;
const LABELS_MAX = 240;

export class MapLabels {
  readonly root = h("div", { class: "map-labels", "aria-hidden": "true" });
  readonly #names = new Map<number, HTMLElement>();
  #drawnAt = "";

  constructor(
    private readonly stage: Stage,
    private readonly labelOf: (node: number) => Promise<string>,
  ) {}

  /** Nodes may have other names, or other columns. */
  clear(): void {
    this.#drawnAt = "";
    this.#names.clear();
    this.root.replaceChildren();
  }

  /** Puts names where the columns are that can be seen. */
  place(): void {
    const { camera, sheet } = this.stage;
    const at = `${camera.x} ${camera.y} ${camera.scale} ${sheet.taken}`;
    if (at === this.#drawnAt) return;
    this.#drawnAt = at;
    const seen = new Set(camera.scale < SCALE_MIN ? [] : camera.cellsInSight(LABELS_MAX).filter((cell) => sheet.nodeAt(cell) !== undefined));
    for (const [cell, name] of this.#names) {
      if (seen.has(cell)) continue;
      name.remove();
      this.#names.delete(cell);
    }
    for (const cell of seen) {
      const [x, y] = camera.centre(cell);
      const name = this.#names.get(cell) ?? this.#named(cell);
      name.style.width = `${Math.round(camera.scale - 6)}px`;
      name.style.transform = `translate(${Math.round(x - camera.scale / 2 + 3)}px, ${Math.round(y + camera.scale * 0.36)}px)`;
    }
  }

  #named(cell: number): HTMLElement {
    const name = h("span");
    this.#names.set(cell, name);
    this.root.append(name);
    const node = this.stage.sheet.nodeAt(cell);
    if (node !== undefined) void this.labelOf(node).then((label) => write(name, label.split(" · ")[0] ?? ""));
    return name;
  }
}
