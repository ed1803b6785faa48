/**
 * The evidence for one candidate, from the prior through the votes: bars from total to total on one axis of bits, with the line at
 * 0 where "a new node" stands. Towards the node is plain and to the right, away from it is hatched lines to the left, and what stronger votes
 * had said before is a dotted outline: none needs its colour. A table says the same.
 */

import type { Candidate, WaterfallStep } from "cortexkg";

import { h, s } from "../dom.ts";
import { bits, share } from "../words.ts";

/** Where bits lie on the axis, in per cent of its width. */
export interface Scale {
  low: number;
  high: number;
}

/** What a step would have said by itself, were nothing of it said before; none where all of it was. */
const alone = (step: WaterfallStep): number | undefined =>
  step.saidBefore <= 0 ? step.bits : step.saidBefore >= 0.995 ? undefined : step.bits / (1 - step.saidBefore);

/** One scale for all candidates, so that switching between them compares. */
export function scaleOf(candidates: readonly Candidate[]): Scale {
  const totals = candidates.flatMap((candidate) =>
    candidate.steps.flatMap((step) => [step.totalBits, step.totalBits - step.bits + (alone(step) ?? step.bits)]),
  );
  const [low, high] = [Math.min(-1, ...totals), Math.max(1, ...totals)];
  const margin = (high - low) * 0.03;
  return { low: low - margin, high: high + margin };
}

const place = (scale: Scale, value: number): number => (100 * (value - scale.low)) / (scale.high - scale.low);
const percent = (value: number): string => `${value.toFixed(3)}%`;

function ticks({ low, high }: Scale): number[] {
  const step = [1, 2, 5, 10, 20, 50, 100].find((size) => (high - low) / size <= 7) ?? 200;
  const first = Math.ceil(low / step) * step;
  return Array.from({ length: Math.floor((high - first) / step) + 1 }, (_, at) => first + at * step);
}

/** The lines of the axis behind a row. */
function grid(scale: Scale): SVGElement[] {
  return ticks(scale).map((tick) => {
    const x = percent(place(scale, tick));
    return s("line", { class: tick === 0 ? "wf-zero" : "wf-grid", x1: x, x2: x, y1: 0, y2: "100%" });
  });
}

let patterns = 0;

function bar(scale: Scale, step: WaterfallStep): SVGSVGElement {
  const before = step.totalBits - step.bits;
  const [from, to] = [place(scale, before), place(scale, step.totalBits)];
  const full = alone(step);
  const isFor = step.bits >= 0;
  const hatch = `wf-hatch-${++patterns}`;
  const said = step.saidBefore > 0.005 && isFor ? (full === undefined ? to + 2.5 : place(scale, before + full)) : undefined;
  return s(
    "svg",
    { class: "wf-bar", "aria-hidden": "true" },
    s("defs", {},
      s("pattern", { id: hatch, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        s("line", { class: isFor ? "wf-hatch-for" : "wf-hatch-against", x1: 0, x2: 0, y1: 0, y2: 6 }))),
    ...grid(scale),
    said !== undefined && s("rect", { class: "wf-said", x: percent(to), width: percent(Math.max(0, said - to)), y: 5, height: 14, fill: `url(#${hatch})` }),
    s("rect", {
      class: isFor ? "wf-for" : "wf-against",
      x: percent(Math.min(from, to)),
      width: percent(Math.max(0.35, Math.abs(to - from))),
      y: 5,
      height: 14,
      ...(isFor ? {} : { fill: `url(#${hatch})` }),
    }),
    s("line", { class: "wf-link", x1: percent(to), x2: percent(to), y1: 12, y2: "100%" }),
  );
}

const KIND_WORDS: Record<WaterfallStep["kind"], string> = { prior: "before any look", vote: "", trust: "how far the source is trusted" };
const fieldOf = (step: WaterfallStep): string => (step.kind === "prior" ? "prior" : step.field.replace(/^@/, ""));
const saidWords = (step: WaterfallStep): string =>
  step.saidBefore > 0.005 ? `${saidShare(step)} said before` : "";
const saidShare = (step: WaterfallStep): string => (step.saidBefore >= 0.995 ? "all" : share(step.saidBefore));

function said(step: WaterfallStep): HTMLElement {
  const words = h("div", { class: "wf-said-words" });
  if (step.stated !== undefined && step.stated === step.held) words.append(quote(step.stated));
  else {
    if (step.stated !== undefined) words.append(quote(step.stated));
    if (step.held !== undefined) words.append(h("span", { class: "soft" }, step.stated === undefined ? "tied to " : ", node has "), quote(step.held));
  }
  return words;
}
const quote = (text: string): HTMLElement => h("q", {}, text);

function row(scale: Scale, step: WaterfallStep): HTMLElement {
  const agreement = KIND_WORDS[step.kind] || step.agreement;
  return h(
    "div",
    { class: "wf-row" },
    h("div", { class: "wf-words" },
      h("div", {}, h("strong", {}, fieldOf(step)), " ", h("span", { class: "soft" }, [agreement, saidWords(step)].filter(Boolean).join(", "))),
      said(step)),
    bar(scale, step),
    h("div", { class: `wf-bits number ${step.bits < 0 ? "minus" : "plus"}` }, bits(step.bits)),
  );
}

function sum(scale: Scale, candidate: Candidate): HTMLElement {
  const [zero, end] = [place(scale, 0), place(scale, candidate.evidenceBits)];
  return h(
    "div",
    { class: "wf-row wf-sum" },
    h("div", { class: "wf-words" }, h("strong", {}, "evidence")),
    s("svg", { class: "wf-bar", "aria-hidden": "true" },
      ...grid(scale),
      s("rect", { class: "wf-total", x: percent(Math.min(zero, end)), width: percent(Math.max(0.35, Math.abs(end - zero))), y: 7, height: 10 })),
    h("div", { class: "wf-bits number" }, h("strong", {}, bits(candidate.evidenceBits))),
  );
}

function axis(scale: Scale): SVGSVGElement {
  const labels = ticks(scale).map((tick) =>
    s("text", { x: percent(place(scale, tick)), y: 14, class: tick === 0 ? "wf-tick zero" : "wf-tick" }, tick === 0 ? "0" : `${tick < 0 ? "−" : "+"}${Math.abs(tick)}`),
  );
  return s("svg", { class: "wf-axis", "aria-hidden": "true" }, ...labels);
}

/** The picture, and a table that says the same. */
export function waterfall(candidate: Candidate, scale: Scale): HTMLElement {
  const zero = place(scale, 0);
  const newSign = h("div", { class: `wf-new ${zero > 60 ? "left" : "right"}` }, zero > 60 ? "a new node " : "", h("span", {}, "0"), zero > 60 ? "" : " a new node");
  newSign.style.left = percent(zero);
  return h(
    "figure",
    { class: "waterfall", "aria-label": `Evidence for ${candidate.label}, in bits` },
    h("div", { class: "wf-picture", "aria-hidden": "true" },
      h("div", { class: "wf-row wf-head" }, h("div", {}), h("div", { class: "wf-head-bar" }, newSign), h("div", { class: "number soft small" }, "bits")),
      ...candidate.steps.map((step) => row(scale, step)),
      sum(scale, candidate),
      h("div", { class: "wf-row wf-foot" }, h("div", {}), axis(scale), h("div", {}))),
    h("details", { class: "wf-details" }, h("summary", {}, "As a table"), table(candidate)),
  );
}

function table(candidate: Candidate): HTMLElement {
  const head = ["step", "agreement", "record says", "node has", "said before", "bits", "total"];
  return h("div", { class: "scroll-x", tabindex: 0, role: "region", "aria-label": "Evidence as a table" },
    h("table", { class: "data" },
      h("caption", { class: "unseen" }, `Evidence for ${candidate.label}, from the prior to the total, in bits. Above 0 the node wins against a new one.`),
      h("thead", {}, h("tr", {}, ...head.map((name, at) => h("th", { scope: "col", class: at > 3 ? "number" : "" }, name)))),
      h("tbody", {},
        ...candidate.steps.map((step) =>
          h("tr", {},
            h("th", { scope: "row" }, fieldOf(step)),
            h("td", {}, KIND_WORDS[step.kind] || step.agreement),
            h("td", {}, step.stated ?? ""),
            h("td", {}, step.held ?? ""),
            h("td", { class: "number" }, step.saidBefore > 0.005 ? saidShare(step) : ""),
            h("td", { class: "number" }, bits(step.bits)),
            h("td", { class: "number" }, bits(step.totalBits))))),
      h("tfoot", {}, h("tr", {}, h("th", { scope: "row", colspan: 6 }, "evidence"), h("td", { class: "number" }, bits(candidate.evidenceBits))))));
}
