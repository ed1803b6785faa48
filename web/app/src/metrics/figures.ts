/** A graph in figures. */

import type { Metrics } from "cortexkg";

import { h } from "../dom.ts";
import { bytes, time, whole } from "../words.ts";

export function figures(metrics: Metrics, stateHash: string): HTMLElement {
  const { factTime } = metrics;
  const rows: [string, string][] = [
    ["Facts", whole(metrics.facts)],
    ["Nodes", whole(metrics.nodes)],
    ["Columns taken", `${whole(metrics.allocatedCount)} of ${whole(metrics.allocatedCount + metrics.freeCount)}`],
    ["Related nodes lie side by side", `${Math.round(100 * metrics.neighbourhoodQuality)} %`],
    ["A fact takes", metrics.facts ? `${time(factTime.mean)}; 95 of 100 less than ${time(factTime.p95)}, 99 less than ${time(factTime.p99)}` : "–"],
    ["Memory", bytes(metrics.memoryBytes)],
    ["Instructions", metrics.simdEnabled ? metrics.simdLevel : "scalar"],
  ];
  return h("dl", { class: "figures" },
    ...rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
    h("div", {}, h("dt", {}, "State hash, the same on every machine for the same facts in the same order"), h("dd", { class: "mono", id: "state-hash" }, stateHash)));
}
