/** A small line of the last readings; its number stands beside it, so readers are spared the picture. */

import { s } from "../dom.ts";

const READINGS = 60;
const WIDTH = 84;
const HEIGHT = 22;

export class Sparkline {
  readonly #line = s("path", { class: "spark-line" });
  readonly #end = s("circle", { class: "spark-end", r: 2 });
  readonly svg = s("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" }, this.#line, this.#end);
  #readings: number[] = [];

  clear(): void {
    this.#readings = [];
    this.#line.removeAttribute("d");
    this.#end.setAttribute("visibility", "hidden");
  }

  add(reading: number): void {
    this.#readings = [...this.#readings.slice(1 - READINGS), reading];
    const most = Math.max(...this.#readings, 1e-9);
    const x = (at: number): number => ((at + READINGS - this.#readings.length) * (WIDTH - 4)) / (READINGS - 1);
    const y = (value: number): number => HEIGHT - 3 - ((HEIGHT - 6) * value) / most;
    const path = this.#readings.map((value, at) => `${at ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    this.#line.setAttribute("d", path);
    this.#end.setAttribute("visibility", "visible");
    this.#end.setAttribute("cx", x(this.#readings.length - 1).toFixed(1));
    this.#end.setAttribute("cy", y(reading).toFixed(1));
  }
}
