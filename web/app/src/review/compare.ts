/** Two nodes beside each other, field by field, with what differs marked. */

import type { NodeView } from "cortexkg";

import { h } from "../dom.ts";
import { nodeName } from "../words.ts";

const WORD = /[\p{L}\p{N}]+/gu;

function words(text: string): Set<string> {
  return new Set(text.toLowerCase().match(WORD) ?? []);
}

/** A value with those words marked that the other side has not. */
export function marked(value: string, other: Set<string>): (Node | string)[] {
  const parts: (Node | string)[] = [];
  let end = 0;
  for (const match of value.matchAll(WORD)) {
    if (other.has(match[0].toLowerCase())) continue;
    parts.push(value.slice(end, match.index), h("mark", {}, match[0]));
    end = match.index + match[0].length;
  }
  parts.push(value.slice(end));
  return parts;
}

function fields(node: NodeView): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { field, value } of node.properties) found.set(field, [...(found.get(field) ?? []), value]);
  if (!found.size) found.set("name", node.aliases.length ? node.aliases : [node.label]);
  return found;
}

function cell(values: readonly string[], others: readonly string[]): HTMLElement {
  if (!values.length) return h("td", { class: "soft" }, "–");
  const other = words(others.join(" "));
  // What the other side does not speak of is no contradiction.
  return h("td", {}, ...values.slice(0, 8).map((value) => h("div", {}, ...(others.length ? marked(value, other) : [value]))),
    values.length > 8 && h("div", { class: "soft" }, `and ${values.length - 8} more`));
}

export function compare(left: NodeView, right: NodeView): HTMLElement {
  const [ours, theirs] = [fields(left), fields(right)];
  const names = [...new Set([...ours.keys(), ...theirs.keys()])];
  const row = (name: string): HTMLElement => {
    const [mine, yours] = [ours.get(name) ?? [], theirs.get(name) ?? []];
    const [one, two] = [words(mine.join(" ")), words(yours.join(" "))];
    const isSame = mine.length > 0 && yours.length > 0 && one.size === two.size && [...one].every((word) => two.has(word));
    const state = isSame ? "same" : mine.length && yours.length ? "different" : "one";
    const head = h("th", { scope: "row" }, name, state === "different" && h("span", { class: "unseen" }, " differs"));
    return h("tr", { class: state }, head, cell(mine, yours), cell(yours, mine));
  };
  return h("table", { class: "compare" },
    h("caption", { class: "unseen" }, "The two nodes, field by field; words that only one has are marked"),
    h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, nodeName(left.node)), h("th", { scope: "col" }, nodeName(right.node)))),
    h("tbody", {}, ...names.map(row)));
}
