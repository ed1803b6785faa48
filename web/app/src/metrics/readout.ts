/** The readout under the map: what was decided, how fast, how long each takes, and how much memory that is. */

import type { Decision, Metrics } from "cortexkg";

import { h, write } from "../dom.ts";
import type { Graph } from "../graph.ts";
import type { Page } from "../page.ts";
import { glyph } from "../stream/glyph.ts";
import { bytes, time, whole } from "../words.ts";
import { Sparkline } from "./sparkline.ts";

const LOOK_MS = 500;
const DECISIONS: readonly Decision[] = ["existing", "new", "possible"];

class Gauge {
  readonly #value = h("span", { class: "gauge-value" }, "–");
  readonly #spark = new Sparkline();
  readonly root: HTMLElement;

  constructor(name: string) {
    this.root = h("div", { class: "gauge" }, h("dt", {}, name), h("dd", {}, this.#value, this.#spark.svg));
  }

  add(reading: number, text: string): void {
    write(this.#value, text);
    this.#spark.add(reading);
  }

  clear(): void {
    write(this.#value, "–");
    this.#spark.clear();
  }
}

export class Readout {
  readonly #counts = new Map<Decision, { count: number; shown: HTMLElement }>();
  readonly #facts = new Gauge("facts/s");
  readonly #latency = new Gauge("per fact (p95)");
  readonly #memory = new Gauge("memory");
  #sinceLook = 0;
  #lookedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly page: Page,
    panel: HTMLElement,
  ) {
    const counts = DECISIONS.map((decision) => {
      const shown = h("dd", { class: "tally-value", "data-count": decision }, "–");
      this.#counts.set(decision, { count: 0, shown });
      return h("div", { class: "tally" }, h("dt", {}, glyph(decision), decision), shown);
    });
    panel.append(h("dl", { class: "readout" }, ...counts, this.#facts.root, this.#latency.root, this.#memory.root));
    page.graph.follow((graph) => this.#adopt(graph));
  }

  #adopt(graph: Graph | undefined): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sinceLook = 0;
    for (const one of this.#counts.values()) {
      one.count = 0;
      write(one.shown, "–");
    }
    for (const gauge of [this.#facts, this.#latency, this.#memory]) gauge.clear();
    if (!graph) return;
    graph.decided.listen((decided) => {
      for (const { result } of decided) {
        for (const { decision } of [result, ...(result.object ? [result.object] : [])]) {
          const one = this.#counts.get(decision);
          if (one) one.count++;
        }
      }
      for (const { count, shown } of this.#counts.values()) write(shown, whole(count));
      if (this.#timer === undefined) {
        // It begins, or goes on after a rest: what came before the rest is no rate.
        this.#lookedAt = performance.now();
        this.#sinceLook = 0;
        this.#timer = setTimeout(() => void this.#look(graph), LOOK_MS / 2);
      }
      this.#sinceLook += decided.length;
    });
    graph.changed.listen(() => void this.#read(graph));
    void this.#read(graph);
  }

  async #look(graph: Graph): Promise<void> {
    const now = performance.now();
    const rate = (1000 * this.#sinceLook) / (now - this.#lookedAt);
    const isIdle = this.#sinceLook === 0;
    this.#sinceLook = 0;
    this.#lookedAt = now;
    const metrics = await this.#read(graph);
    if (!metrics || graph !== this.page.graph.value) return;
    if (!isIdle) this.#facts.add(rate, whole(rate));
    this.#timer = isIdle ? undefined : setTimeout(() => void this.#look(graph), LOOK_MS);
  }

  async #read(graph: Graph): Promise<Metrics | undefined> {
    const metrics = await graph.engine.metrics().catch(() => undefined);
    if (!metrics || graph !== this.page.graph.value) return undefined;
    const { mean, p95 } = metrics.factTime;
    if (p95 > 0) this.#latency.add(mean, `${time(mean)} (${time(p95)})`);
    this.#memory.add(metrics.memoryBytes, bytes(metrics.memoryBytes));
    return metrics;
  }
}
