/** Close calls that nobody has settled, one at a time: the same, different, or later; and the last word taken back. */

import type { CloseCall } from "cortexkg";

import { h, put } from "../dom.ts";
import type { Graph } from "../graph.ts";
import type { Page } from "../page.ts";
import { many, nodeName, reason, share, whole } from "../words.ts";
import { compare } from "./compare.ts";

const LIMIT = 500;
/** Milliseconds between two looks while facts come in. */
const LOOK_MS = 1_500;

type Word = "same" | "different";

const keyOf = (call: CloseCall): string => JSON.stringify([call.source, call.recordId, call.other]);

export class ReviewPanel {
  readonly #root = h("div", { class: "review" });
  #calls: CloseCall[] = [];
  /** Calls put off, in that order. */
  readonly #later = new Set<string>();
  readonly #said: { logPosition: number; text: string }[] = [];
  #current: string | undefined;
  #drawn = "";
  #isBusy = false;
  #isLooking = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly page: Page,
    private readonly panel: HTMLElement,
  ) {
    panel.append(this.#root);
    panel.addEventListener("keydown", (event) => this.#key(event));
    page.graph.follow((graph) => this.#adopt(graph));
    page.view.listen((view) => {
      if (view === "review") void this.#draw();
    });
  }

  #adopt(graph: Graph | undefined): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#calls = [];
    this.#later.clear();
    this.#said.length = 0;
    this.#current = undefined;
    this.#drawn = "";
    this.page.openCalls.value = [];
    if (!graph) return;
    graph.decided.listen((decided) => {
      const hasNews = decided.some(({ result }) => result.decision !== "new");
      if (hasNews) this.#timer ??= setTimeout(() => void this.#look(graph), LOOK_MS);
    });
    graph.changed.listen(() => void this.#look(graph));
    void this.#look(graph);
  }

  async #look(graph: Graph): Promise<void> {
    this.#timer = undefined;
    if (this.#isLooking) {
      this.#timer = setTimeout(() => void this.#look(graph), LOOK_MS / 5);
      return;
    }
    this.#isLooking = true;
    try {
      const calls = await graph.engine.review({ limit: LIMIT });
      if (graph !== this.page.graph.value) return;
      const isLater = (call: CloseCall): boolean => this.#later.has(keyOf(call));
      this.#calls = [...calls.filter((call) => !isLater(call)), ...calls.filter(isLater)];
      this.page.openCalls.value = calls;
      await this.#draw();
    } catch (error) {
      if (graph === this.page.graph.value) this.page.notices.problem("Close calls could not be read", error);
    } finally {
      this.#isLooking = false;
    }
  }

  get #call(): CloseCall | undefined {
    return this.#calls.find((call) => keyOf(call) === this.#current) ?? this.#calls[0];
  }

  async #draw(): Promise<void> {
    const graph = this.page.graph.value;
    const call = this.#call;
    this.#current = call && keyOf(call);
    if (!graph) return put(this.#root);
    if (!call) {
      this.#drawn = "";
      const hadFocus = this.#root.contains(document.activeElement);
      put(this.#root, h("div", { class: "empty" }, h("h2", { tabindex: -1 }, "Nothing to review"),
        h("p", { class: "soft" }, "Where a fact opened a node and another is close, the two are put beside each other here."), this.#undoButton()));
      if (hadFocus) this.#root.querySelector<HTMLElement>("button, h2")?.focus();
      return;
    }
    try {
      const [left, right] = await Promise.all([graph.engine.node(call.node), graph.engine.node(call.other)]);
      if (graph !== this.page.graph.value || this.#current !== keyOf(call) || !left || !right) return;
      // Drawing anew what is there already would take the focus from a button.
      const drawn = JSON.stringify([left, right, call, this.#said.length, this.#calls.length, this.#isBusy, graph.isWritable]);
      if (drawn === this.#drawn) return;
      this.#drawn = drawn;
      const focused = this.#root.contains(document.activeElement) ? document.activeElement?.getAttribute("data-act") : undefined;
      put(this.#root, ...this.#parts(graph, call, compare(left, right)));
      if (focused !== undefined) this.#root.querySelector<HTMLElement>(`[data-act="${focused}"]:enabled, [data-act="same"]`)?.focus();
    } catch (error) {
      put(this.#root, h("div", { class: "empty" }, h("h2", {}, "The two nodes could not be read"), h("p", { class: "problem-text" }, reason(error))));
    }
  }

  #parts(graph: Graph, call: CloseCall, comparison: HTMLElement): HTMLElement[] {
    const isOff = !graph.isWritable || this.#isBusy;
    const act = (name: Word | "later", label: string, key: string, run: () => void): HTMLElement =>
      h("button", { type: "button", "data-act": name, disabled: name !== "later" && isOff, class: name === "same" ? "primary" : "", onclick: run }, label,
        h("kbd", { "aria-hidden": "true" }, key));
    const show = (node: number): HTMLElement =>
      h("button", { type: "button", class: "link", onclick: () => this.page.select({ node }) }, `Show ${nodeName(node)}`);
    const undo = this.#undoButton();
    return [
      h("header", {},
        h("h2", { id: "review-title" }, "The same?"),
        h("p", { class: "soft" }, `${many(this.#calls.length, "close call")}${this.#calls.length === LIMIT ? " or more" : ""}, the most likely first`)),
      h("p", {}, `${call.recordId} opened ${nodeName(call.node)}; that it belongs to ${nodeName(call.other)} was ${share(call.probability)} likely.`),
      comparison,
      h("div", { class: "review-acts" },
        act("same", "Same", "S", () => void this.#settle(call, "same")),
        act("different", "Different", "D", () => void this.#settle(call, "different")),
        act("later", "Later", "L", () => this.#putOff(call))),
      ...(graph.isWritable ? [] : [h("p", { class: "soft" }, "Another tab writes to this graph; here it can be read.")]),
      h("p", { class: "review-links" }, show(call.node), show(call.other)),
      ...(undo ? [undo] : []),
    ];
  }

  #undoButton(): HTMLElement | undefined {
    const last = this.#said.at(-1);
    if (!last) return undefined;
    return h("p", { class: "review-undo" }, h("span", { class: "soft" }, `${last.text} `),
      h("button", { type: "button", "data-act": "undo", disabled: this.#isBusy, onclick: () => void this.#undo() }, "Undo", h("kbd", { "aria-hidden": "true" }, "U")));
  }

  async #settle(call: CloseCall, word: Word): Promise<void> {
    const graph = this.page.graph.value;
    if (!graph?.isWritable || this.#isBusy) return;
    await this.#change(graph, async () => {
      const ends: [[string, string], [string, string]] = [[call.recordId, call.source], [call.otherRecordId, call.otherSource]];
      const linked = await (word === "same" ? graph.engine.mustLink(...ends) : graph.engine.cannotLink(...ends));
      const text = word === "same"
        ? `${nodeName(call.node)} and ${nodeName(call.other)} are one: ${nodeName(linked.nodes[0])}.`
        : `${nodeName(call.node)} and ${nodeName(call.other)} stay apart.`;
      this.#said.push({ logPosition: linked.logPosition, text });
      this.#next(call);
      this.page.say(text);
    });
  }

  #putOff(call: CloseCall): void {
    const key = keyOf(call);
    this.#next(call);
    this.#later.delete(key);
    this.#later.add(key);
    this.#calls = [...this.#calls.filter((one) => keyOf(one) !== key), call];
    this.page.say(`Put off. ${whole(this.#calls.length)} left`);
    void this.#draw();
  }

  #next(call: CloseCall): void {
    const at = this.#calls.findIndex((one) => keyOf(one) === keyOf(call));
    const next = this.#calls[at + 1] ?? this.#calls[0];
    this.#current = next && keyOf(next);
  }

  async #undo(): Promise<void> {
    const graph = this.page.graph.value;
    const last = this.#said.at(-1);
    if (!graph || !last || this.#isBusy) return;
    await this.#change(graph, async () => {
      await graph.engine.undo(last.logPosition);
      this.#said.pop();
      this.page.say("Taken back");
    });
  }

  /** One change at a time; what it did is drawn when all has been told of it. */
  async #change(graph: Graph, change: () => Promise<void>): Promise<void> {
    this.#isBusy = true;
    try {
      await change();
    } catch (error) {
      this.page.notices.problem("That did not go through", error, "review");
    } finally {
      this.#isBusy = false;
    }
    graph.tellChanged("links");
  }

  /** Single letters, only while the focus is in here. */
  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || this.panel.hidden) return;
    const call = this.#call;
    const key = event.key.toLowerCase();
    if (key === "u") void this.#undo();
    else if (call && key === "s") void this.#settle(call, "same");
    else if (call && key === "d") void this.#settle(call, "different");
    else if (call && key === "l") this.#putOff(call);
    else return;
    event.preventDefault();
  }
}
