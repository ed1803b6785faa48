/** `?bench`: 10,000 columns, all active, with facts landing all the time; prints the frames per second that come out. */

import { h } from "./dom.ts";
import type { Stage } from "./map/stage.ts";
import { Sheet } from "./map/sheet.ts";
import type { Page } from "./page.ts";
import { recoloured } from "./theme.ts";

const SIDE = 100;
const LANDINGS_PER_FRAME = 60;
const WARM_UP_MS = 1_000;
const MEASURED_MS = 5_000;
const KINDS = ["existing", "new", "possible"] as const;

export async function bench(_: Page, stage: Stage, workspace: HTMLElement): Promise<void> {
  const start = document.getElementById("start");
  if (start) start.hidden = true;
  workspace.hidden = false;
  recoloured.tell();
  const sheet = new Sheet(SIDE, SIDE);
  stage.setSheet(sheet);
  let seed = 1;
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
  for (let cell = 0; cell < SIDE * SIDE; cell++) sheet.land(cell, cell, KINDS[cell % 3] ?? "new", stage.now - random(400) / 100);
  const frames: number[] = [];
  await new Promise<void>((resolve) => {
    const began = performance.now();
    const step = (now: number): void => {
      for (let landing = 0; landing < LANDINGS_PER_FRAME; landing++) {
        const cell = random(SIDE * SIDE);
        stage.land(cell, cell, KINDS[random(3)] ?? "new");
      }
      if (now - began > WARM_UP_MS) frames.push(now);
      if (now - began > WARM_UP_MS + MEASURED_MS) resolve();
      else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
  const gaps = frames.slice(1).map((at, index) => at - frames[index]!).sort((a, b) => a - b);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const result = {
    columns: SIDE * SIDE,
    renderer: stage.kind,
    framesPerSecond: Math.round(10_000 / mean) / 10,
    frameMsP95: Math.round(10 * (gaps[Math.floor(gaps.length * 0.95)] ?? 0)) / 10,
    pixels: `${document.querySelector("canvas")?.width} × ${document.querySelector("canvas")?.height}`,
  };
  document.body.append(h("pre", { id: "bench", role: "status" }, JSON.stringify(result, null, 2)));
}
