/** Hands on the map: pointers pan, pinch and choose; keys walk, zoom and choose. */

import type { Stage } from "./stage.ts";

export interface MapListener {
  /** A cell is pointed at. */
  hover(cell: number | undefined): void;
  /** The cursor has come to a cell by keys. */
  walk(cell: number): void;
  choose(cell: number): void;
  /** The sheet has moved under whatever lies over it. */
  moved(): void;
}

/** Pixels that a press may wander and still be a click. */
const STILL = 5;
const STEP: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export function listenToMap(frame: HTMLElement, stage: Stage, listener: MapListener): void {
  const { camera } = stage;
  const pressed = new Map<number, { x: number; y: number }>();
  let wandered = 0;

  const place = (event: MouseEvent): { x: number; y: number } => {
    const box = frame.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const moved = (): void => {
    stage.draw();
    listener.moved();
  };
  /** The taken cell at a point, or one close by where cells are smaller than a finger. */
  const hit = (x: number, y: number, reach: number): number | undefined => {
    let best: number | undefined;
    let least = Infinity;
    const cells = Math.ceil(reach / camera.scale);
    for (let dy = -cells; dy <= cells; dy++) {
      for (let dx = -cells; dx <= cells; dx++) {
        const cell = camera.cellAt(x + dx * camera.scale, y + dy * camera.scale);
        if (cell === undefined || stage.sheet.nodeAt(cell) === undefined) continue;
        const [cx, cy] = camera.centre(cell);
        const away = Math.hypot(cx - x, cy - y);
        if (away < least && away <= Math.max(reach, camera.scale * 0.72)) [best, least] = [cell, away];
      }
    }
    return best;
  };

  frame.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pressed.set(event.pointerId, place(event));
    frame.setPointerCapture(event.pointerId);
    if (pressed.size === 1) wandered = 0;
  });
  frame.addEventListener("pointermove", (event) => {
    const now = place(event);
    const before = pressed.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") listener.hover(hit(now.x, now.y, 6));
      return;
    }
    const others = [...pressed].filter(([id]) => id !== event.pointerId).map(([, other]) => other);
    const other = others[0];
    wandered += Math.hypot(now.x - before.x, now.y - before.y);
    if (other) {
      const apart = Math.hypot(before.x - other.x, before.y - other.y) || 1;
      camera.zoom(Math.hypot(now.x - other.x, now.y - other.y) / apart, (now.x + other.x) / 2, (now.y + other.y) / 2);
      wandered = Infinity;
    } else if (wandered > STILL) {
      camera.pan(now.x - before.x, now.y - before.y);
    }
    pressed.set(event.pointerId, now);
    if (wandered > STILL) {
      listener.hover(undefined);
      moved();
    }
  });
  const release = (event: PointerEvent): void => {
    const isClick = pressed.delete(event.pointerId) && wandered <= STILL && event.type === "pointerup";
    if (!isClick) return;
    const { x, y } = place(event);
    const cell = hit(x, y, event.pointerType === "mouse" ? 6 : 20);
    if (cell !== undefined) listener.choose(cell);
  };
  frame.addEventListener("pointerup", release);
  frame.addEventListener("pointercancel", release);
  frame.addEventListener("pointerleave", () => listener.hover(undefined));
  frame.addEventListener(
    "wheel",
    (event) => {
      // Where the page scrolls, the wheel is the page's until somebody has zoomed in.
      const isPages = camera.isFitted && !event.ctrlKey && (event.deltaY > 0 || (document.scrollingElement?.scrollTop ?? 0) > 0);
      if (isPages) return;
      event.preventDefault();
      const { x, y } = place(event);
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      camera.zoom(Math.exp(-Math.max(-80, Math.min(80, event.deltaY * lines)) / (event.ctrlKey ? 80 : 320)), x, y);
      moved();
    },
    { passive: false },
  );
  frame.addEventListener("dblclick", (event) => {
    const { x, y } = place(event);
    camera.zoom(2, x, y);
    moved();
  });

  frame.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEP[event.key];
    const { sheet } = stage;
    const here = stage.cursor ?? stage.selected ?? sheet.first;
    const walk = (cell: number | undefined): void => {
      if (cell === undefined) return;
      camera.reveal(cell);
      listener.walk(cell);
    };
    if (step && event.shiftKey) camera.pan(-60 * step[0], -60 * step[1]);
    else if (step) walk(here === undefined ? undefined : stage.cursor === undefined ? here : sheet.next(here, ...step));
    else if (event.key === "Home") walk(sheet.first);
    else if (event.key === "End") walk(sheet.last);
    else if (event.key === "+" || event.key === "=") zoomAt(1.4);
    else if (event.key === "-") zoomAt(1 / 1.4);
    else if (event.key === "0") camera.fit();
    else if ((event.key === "Enter" || event.key === " ") && stage.cursor !== undefined) listener.choose(stage.cursor);
    else return;
    event.preventDefault();
    moved();
  });
  const zoomAt = (factor: number): void => {
    const at = stage.cursor ?? stage.selected;
    camera.zoom(factor, ...(at === undefined ? [] : camera.centre(at)));
  };
}
