/** Why a record went where it went: the outcome in a sentence, the candidates, and the evidence for one of them. */

import type { Candidate, Explanation } from "cortexkg";

import { h, put } from "../dom.ts";
import { nodeName, share } from "../words.ts";
import { scaleOf, waterfall } from "./waterfall.ts";

const CANDIDATES_SHOWN = 6;

function sentence({ result, candidates }: Explanation): string {
  const leader = candidates[0];
  if (!leader) return "Nothing in the graph resembled it, so it opened a node of its own.";
  const ahead = `${Math.abs(result.marginBits).toFixed(1)} bits ahead of the next best`;
  if (result.decision === "existing") return `It joined ${nodeName(result.node)}, ${share(result.confidence)} sure, ${ahead}.`;
  if (result.decision === "possible") {
    return `It opened a node of its own, ${share(result.confidence)} sure; ${nodeName(leader.node)} is close enough to be looked at.`;
  }
  return `It opened a node of its own, ${share(result.confidence)} sure, ${ahead}.`;
}

export function why(explanation: Explanation): HTMLElement {
  const { result, candidates, newProbability, mention } = explanation;
  const shown = candidates.slice(0, CANDIDATES_SHOWN);
  const scale = scaleOf(shown);
  const picture = h("div", {});
  const choose = (candidate: Candidate): void => put(picture, waterfall(candidate, scale));
  const option = (name: HTMLElement | string, probability: number, input: HTMLInputElement | undefined): HTMLElement => {
    const level = h("span", { class: "level", "aria-hidden": "true" }, h("span", {}));
    (level.firstElementChild as HTMLElement).style.width = `${Math.max(0.5, 100 * probability)}%`;
    return h(input ? "label" : "div", { class: "candidate" }, input ?? h("span", {}), h("span", { class: "candidate-name" }, name), level,
      h("span", { class: "number" }, share(probability)));
  };
  const options = shown.map((candidate, at) => {
    const input = h("input", { type: "radio", name: "candidate", value: candidate.node, onchange: () => choose(candidate) });
    input.checked = at === 0;
    const name = h("span", {}, h("span", { class: "soft" }, nodeName(candidate.node), " "), candidate.label);
    return option(name, candidate.probability, input);
  });
  if (shown[0]) choose(shown[0]);
  return h(
    "section",
    { class: "why", "aria-labelledby": "why-title" },
    h("h3", { id: "why-title" }, `Why ${result.recordId} is here`),
    h("p", { class: "mention" }, mention),
    h("p", {}, sentence(explanation)),
    shown.length > 0 &&
      h("fieldset", { class: "candidates" },
        h("legend", { class: "small soft" }, shown.length === 1 ? "Compared with" : "Compared with, choose whose evidence to see"),
        ...options,
        option("a new node", newProbability, undefined)),
    picture,
  );
}
