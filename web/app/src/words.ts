/** Numbers and facts in words, alike wherever they are shown. */

import type { Decision, Fact, FieldValue, Term } from "cortexkg";

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const ONE = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const whole = (value: number): string => WHOLE.format(value);

/** `1 record`, `2 records`. */
export const many = (count: number, one: string, more = `${one}s`): string => `${whole(count)} ${count === 1 ? one : more}`;

/** With its sign, and a minus as wide as the plus. */
export const bits = (value: number): string => {
  const rounded = Math.round(value * 10) / 10;
  return `${rounded < 0 ? "−" : "+"}${ONE.format(Math.abs(rounded))}`;
};

/** A probability; never 100 % or 0 %, since nothing is certain. */
export function share(value: number): string {
  if (value > 0.999) return "> 99.9 %";
  if (value < 0.001) return "< 0.1 %";
  const percent = value * 100;
  return `${percent < 10 || percent > 99 ? ONE.format(percent) : WHOLE.format(percent)} %`;
}

export function bytes(value: number): string {
  if (value < 1000) return `${whole(value)} B`;
  if (value < 1e6) return `${whole(value / 1e3)} KB`;
  return `${value < 1e7 ? ONE.format(value / 1e6) : whole(value / 1e6)} MB`;
}

/** A time in milliseconds, in the unit that suits it. */
export function time(ms: number): string {
  if (ms < 1) return `${whole(ms * 1000)} µs`;
  return ms < 1000 ? `${ms < 10 ? ONE.format(ms) : whole(ms)} ms` : `${ONE.format(ms / 1000)} s`;
}

export const DECISION_WORDS: Record<Decision, string> = {
  existing: "joined a node",
  new: "opened a node",
  possible: "opened a node, another is close",
};

export const nodeName = (node: number): string => `n${node}`;

function termText(term: Term): string {
  if (typeof term === "string") return term;
  if ("iri" in term) return term.iri;
  return "blank" in term ? `_:${term.blank}` : term.value;
}

/** What a fact says, as pairs of a name and a value. */
export function statements(fact: Fact): [string, string][] {
  if ("text" in fact) return [["text", fact.text]];
  if ("subject" in fact) {
    return [["subject", termText(fact.subject)], ["predicate", fact.predicate], ["object", termText(fact.object)]];
  }
  const pairs: readonly (readonly [string, FieldValue])[] = Array.isArray(fact.fields)
    ? (fact.fields as readonly (readonly [string, FieldValue])[])
    : Object.entries(fact.fields as Record<string, FieldValue>);
  return pairs.flatMap(([name, value]): [string, string][] => {
    const said = (Array.isArray(value) ? value : [value]).filter((one) => one !== null && one !== undefined && one !== "");
    return said.length ? [[name, said.join("; ")]] : [];
  });
}

/** A fact in one line. */
export const line = (fact: Fact): string => statements(fact).map(([, value]) => value).join(" · ");

/** What went wrong, in a sentence. */
export const reason = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error);
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
};
