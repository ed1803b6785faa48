/** A node: what it is, what it is made of, what it is tied to, and why each of its facts is here. */

import type { MemberFact, Neighbour, NodeView } from "cortexkg";

import { h, put } from "../dom.ts";
import type { Graph } from "../graph.ts";
import type { Page, Selection } from "../page.ts";
import { many, nodeName, reason, statements, whole } from "../words.ts";
import { why } from "./why.ts";

/** Members, values and neighbours that are shown at first; a button shows as many more. */
const SHOWN = 12;
const FACTS_SHOWN = 4;

export class NodePanel {
  readonly #root = h("div", { class: "node" });
  readonly #why = h("div", {});
  /** What is being shown; a slower answer to an earlier question is dropped. */
  #question = 0;
  #record: Selection["record"];

  constructor(
    private readonly page: Page,
    panel: HTMLElement,
    private readonly confirm: (question: string, detail: string, action: string) => Promise<boolean>,
  ) {
    panel.append(this.#root);
    page.selection.follow(() => void this.#show());
    page.graph.listen((graph) => {
      page.selection.value = undefined;
      graph?.changed.listen(() => void this.#refresh());
      void this.#show();
    });
  }

  #empty(): void {
    put(this.#root, h("div", { class: "empty" },
      h("h2", {}, "No node chosen"),
      h("p", { class: "soft" }, "Choose a column on the map, a decision, or search. Its values, its facts and the reasons why they are there appear here.")));
  }

  /** After links and undoing a node may be gone, or its record be elsewhere. */
  async #refresh(): Promise<void> {
    const selection = this.page.selection.value;
    if (!selection) return;
    const node = await this.page.graph.value?.engine.node(selection.node).catch(() => undefined);
    if (node) await this.#show();
    else this.page.selection.value = undefined;
  }

  async #show(): Promise<void> {
    const question = ++this.#question;
    const graph = this.page.graph.value;
    const selection = this.page.selection.value;
    if (!graph || !selection) return this.#empty();
    try {
      const [node, facts, neighbours] = await Promise.all([
        graph.engine.node(selection.node),
        graph.engine.facts(selection.node),
        graph.engine.neighbours(selection.node),
      ]);
      if (question !== this.#question) return;
      if (!node) {
        put(this.#root, h("div", { class: "empty" }, h("h2", {}, `${nodeName(selection.node)} is gone`),
          h("p", { class: "soft" }, "It was merged into another node, or its last fact was forgotten. Search for what it said.")));
        return;
      }
      if (node.node !== selection.node) {
        // It was merged into this one.
        this.page.selection.value = { ...selection, node: node.node };
        return;
      }
      const first = node.members[0];
      this.#record = selection.record ?? (first && { id: first.recordId, source: first.source });
      put(this.#root, ...this.#parts(graph, node, facts, neighbours));
      await this.#explain(graph);
    } catch (error) {
      if (question !== this.#question) return;
      put(this.#root, h("div", { class: "empty" }, h("h2", {}, "The node could not be read"), h("p", { class: "problem-text" }, reason(error))));
    }
  }

  #parts(graph: Graph, node: NodeView, facts: MemberFact[], neighbours: Neighbour[]): HTMLElement[] {
    const [short = "", ...rest] = node.label.split(" · ");
    // Labels are shortened; a heading need not be.
    const start = short.endsWith("…") ? short.slice(0, -1) : undefined;
    const name = (start && node.properties.find(({ value }) => value.startsWith(start))?.value) || short;
    return [
      h("header", { class: "node-head" },
        h("h2", {}, name || nodeName(node.node)),
        rest.length > 0 && h("p", {}, rest.join(" · ")),
        h("p", { class: "soft" }, `${nodeName(node.node)}, ${many(node.members.length, "fact")}${node.column === undefined ? ", not on the map: it is full" : ""}`)),
      section("Facts", this.#facts(graph, node, facts)),
      this.#why,
      section("Values", this.#values(node)),
      ...(neighbours.length ? [section("Tied to", this.#neighbours(node.node, neighbours))] : []),
    ];
  }

  #values(node: NodeView): HTMLElement {
    const fields = new Map<string, { value: string; count: number }[]>();
    for (const { field, value, count } of node.properties) fields.set(field, [...(fields.get(field) ?? []), { value, count }]);
    if (!fields.size && node.aliases.length) fields.set("names", node.aliases.map((value) => ({ value, count: 1 })));
    const several = node.members.length > 1;
    return h("table", { class: "values" }, h("caption", { class: "unseen" }, "Fields and values of the node"),
      h("tbody", {}, ...[...fields].map(([field, values]) =>
        h("tr", {}, h("th", { scope: "row" }, field),
          h("td", {}, ...values.sort((a, b) => b.count - a.count).slice(0, SHOWN).map(({ value, count }) =>
            h("div", {}, value, several && count > 1 && h("span", { class: "soft", title: `${whole(count)} facts say so` }, ` ×${whole(count)}`))),
            values.length > SHOWN && h("div", { class: "soft" }, `and ${whole(values.length - SHOWN)} more`))))));
  }

  #facts(graph: Graph, node: NodeView, facts: MemberFact[]): HTMLElement {
    const list = h("ul", { class: "facts" });
    const hasSources = new Set(node.members.map((member) => member.source)).size > 1;
    // In order, but for a chosen one that would be far below.
    const order = node.members.map((_, at) => at);
    const chosen = node.members.findIndex((member) => this.#isRecord({ id: member.recordId, source: member.source }));
    if (chosen >= FACTS_SHOWN) order.unshift(...order.splice(chosen, 1));
    const item = (at: number): HTMLElement => {
      const member = node.members[at]!;
      const said = facts.find((fact) => fact.recordId === member.recordId) ?? facts[at];
      const record = { id: member.recordId, source: member.source };
      const isChosen = this.#isRecord(record);
      const text = said?.fact ? statements(said.fact).map(([, value]) => value).join(" · ") : "forgotten: only that it was here is known";
      return h("li", { class: isChosen ? "fact chosen" : "fact" },
        h("button", {
          type: "button", class: "fact-button", "aria-pressed": String(isChosen),
          onclick: () => {
            this.#record = record;
            list.replaceChildren(...shown(list.childElementCount));
            void this.#explain(graph);
          },
        }, h("span", { class: "fact-id" }, member.recordId, hasSources && h("span", { class: "soft" }, ` ${member.source}`)),
          h("span", { class: "fact-text" }, text)),
        h("button", {
          type: "button", class: "plain fact-forget", disabled: !graph.isWritable, "aria-label": `Forget ${member.recordId}`,
          onclick: () => void this.#forget(graph, record),
        }, "Forget"));
    };
    const shown = (count: number): HTMLElement[] => Array.from({ length: Math.min(count, node.members.length) }, (_, at) => item(order[at]!));
    list.append(...shown(FACTS_SHOWN));
    const more = h("button", {
      type: "button",
      onclick: () => {
        const before = list.childElementCount;
        list.replaceChildren(...shown(before + 2 * SHOWN));
        more.hidden = list.childElementCount >= node.members.length;
      },
    }, "Show more");
    more.hidden = list.childElementCount >= node.members.length;
    return h("div", {}, list, more);
  }

  #isRecord({ id, source }: { id: string; source: string }): boolean {
    return this.#record?.id === id && this.#record.source === source;
  }

  #neighbours(node: number, neighbours: Neighbour[]): HTMLElement {
    return h("ul", { class: "neighbours" }, ...neighbours.slice(0, 4 * SHOWN).map((one) => {
      const other = one.from === node ? one.to : one.from;
      return h("li", {}, h("span", { class: "soft" }, one.from === node ? `${one.predicate} ` : `${one.predicate} of `),
        h("button", { type: "button", class: "link", onclick: () => this.page.select({ node: other }) }, one.label || nodeName(other)));
    }), neighbours.length > 4 * SHOWN && h("li", { class: "soft" }, `and ${whole(neighbours.length - 4 * SHOWN)} more`));
  }

  async #explain(graph: Graph): Promise<void> {
    const record = this.#record;
    if (!record) return put(this.#why);
    try {
      const explanation = await graph.engine.explain(record.id, record.source);
      if (record === this.#record) put(this.#why, why(explanation));
    } catch (error) {
      if (record !== this.#record) return;
      put(this.#why, h("section", { class: "why" }, h("h3", {}, `Why ${record.id} is here`),
        h("p", { class: "soft" }, `Its reasons are not kept any more. ${reason(error)}`)));
    }
  }

  async #forget(graph: Graph, record: { id: string; source: string }): Promise<void> {
    const question = `Forget ${record.id}?`;
    if (!(await this.confirm(question, "Its values leave the graph, and what was counted because of it is counted no more.", "Forget"))) return;
    try {
      const { logPosition } = await graph.engine.forget(record.id, record.source);
      if (this.#isRecord(record)) this.#record = undefined;
      const { node } = this.page.selection.value ?? {};
      if (node !== undefined) this.page.selection.value = { node };
      graph.tellChanged("forgotten");
      const undo = { label: "Undo", run: () => void this.#remember(graph, record.id, logPosition) };
      this.page.notices.show(`${record.id} is forgotten.`, { topic: "forgotten", actions: [undo] });
    } catch (error) {
      this.page.notices.problem(`${record.id} could not be forgotten`, error);
    }
  }

  /** Takes a forgetting back. */
  async #remember(graph: Graph, record: string, logPosition: number): Promise<void> {
    try {
      await graph.engine.undo(logPosition);
      graph.tellChanged("links");
      this.page.notices.show(`${record} is back.`, { topic: "forgotten" });
    } catch (error) {
      this.page.notices.problem(`${record} could not be brought back`, error);
    }
  }
}

function section(title: string, content: HTMLElement): HTMLElement {
  return h("section", { class: "node-section" }, h("h3", {}, title), content);
}
