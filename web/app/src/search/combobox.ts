/** Search as you type: a combobox whose next question is asked when the last one is answered, not when a timer says so. */

import type { SearchHit } from "cortexkg";

import { h, put } from "../dom.ts";
import type { Page } from "../page.ts";
import { many, nodeName, reason } from "../words.ts";

const LIMIT = 20;

export class SearchBox {
  readonly #input: HTMLInputElement;
  readonly #answers = h("div", { class: "answers", id: "answers", role: "listbox", "aria-label": "Nodes found", hidden: true });
  #hits: readonly SearchHit[] = [];
  #active = -1;
  #isAsking = false;
  #asked = "";

  constructor(
    private readonly page: Page,
    private readonly root: HTMLElement,
  ) {
    this.#input = h("input", {
      type: "search", id: "search-input", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder: "Search the graph",
      "aria-label": "Search the graph", "aria-expanded": "false", "aria-controls": "answers", "aria-autocomplete": "list",
    });
    root.append(this.#input, h("kbd", { "aria-hidden": "true" }, "/"), this.#answers);
    this.#input.addEventListener("input", () => this.#ask());
    this.#input.addEventListener("focus", () => this.#ask());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("focusout", (event) => {
      if (!(event.relatedTarget instanceof Node && root.contains(event.relatedTarget))) this.#close();
    });
    page.graph.follow((graph) => {
      root.hidden = graph === undefined;
      this.#input.value = "";
      this.#asked = "";
      this.#show([]);
      this.#close();
    });
  }

  focus(): void {
    this.#input.focus();
    this.#input.select();
  }

  #ask(): void {
    if (this.#isAsking) return;
    void this.#askOn();
  }

  /** Asks until the answer is to what stands in the box. */
  async #askOn(): Promise<void> {
    this.#isAsking = true;
    const graph = this.page.graph.value;
    try {
      do {
        const text = this.#input.value.trim();
        this.#asked = text;
        const hits = graph && text ? await graph.engine.search(text, { limit: LIMIT }) : [];
        if (graph !== this.page.graph.value) return;
        this.#show(hits);
      } while (this.#input.value.trim() !== this.#asked);
    } catch (error) {
      this.#hits = [];
      put(this.#answers, h("p", {}, `The search failed. ${reason(error)}`));
      this.#open();
    } finally {
      this.#isAsking = false;
    }
  }

  #show(hits: readonly SearchHit[]): void {
    this.#hits = hits;
    this.#active = -1;
    // To what it is an answer: while one types, it may be to the beginning of what stands in the box.
    this.#answers.dataset["asked"] = this.#asked;
    this.#input.removeAttribute("aria-activedescendant");
    this.page.hits.value = hits;
    if (!this.#asked) return this.#close();
    if (hits.length) put(this.#answers, ...hits.map((hit, at) => this.#option(hit, at)));
    else put(this.#answers, h("div", { role: "option", "aria-disabled": "true", "aria-selected": "false", class: "answer" },
      h("span", {}, `Nothing in the graph shares a word with “${this.#asked}”.`)));
    this.#open();
    this.page.say(hits.length ? `${many(hits.length, "node")} found` : "Nothing found");
  }

  #option(hit: SearchHit, at: number): HTMLElement {
    return h("div", {
      class: "answer", role: "option", id: `answer-${at}`, "aria-selected": "false",
      // Before focus leaves the box.
      onpointerdown: (event: PointerEvent) => {
        event.preventDefault();
        if (event.button === 0) this.#choose(hit);
      },
    }, h("span", {}, hit.label || nodeName(hit.node)), h("span", {}, nodeName(hit.node)), h("span", {}, hit.matched.join(", ")));
  }

  #key(event: KeyboardEvent): void {
    const last = this.#hits.length - 1;
    if (event.key === "ArrowDown" && last >= 0) this.#activate(this.#active >= last ? 0 : this.#active + 1);
    else if (event.key === "ArrowUp" && last >= 0) this.#activate(this.#active <= 0 ? last : this.#active - 1);
    else if (event.key === "Enter") {
      const hit = this.#hits[Math.max(0, this.#active)];
      if (!hit) return;
      this.#choose(hit);
    } else if (event.key === "Escape") {
      if (this.#answers.hidden) {
        this.#input.value = "";
        this.#ask();
      } else this.#close();
    } else return;
    event.preventDefault();
  }

  #activate(at: number): void {
    this.#open();
    [...this.#answers.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    this.#active = at;
    const option = this.#answers.children[at];
    if (!option) return;
    this.#input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  #choose(hit: SearchHit): void {
    this.#close();
    this.page.select({ node: hit.node });
  }

  #open(): void {
    if (!this.root.contains(document.activeElement)) return;
    this.#answers.hidden = false;
    this.#input.setAttribute("aria-expanded", "true");
  }

  /** What was found stays lit on the map until the box is emptied. */
  #close(): void {
    this.#answers.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
    this.#active = -1;
  }
}
