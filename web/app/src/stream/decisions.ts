/** The last decisions, the newest first. Only rows in sight are in the page; they stand still while somebody looks. */

import { h, put, write } from "../dom.ts";
import type { Decided, Graph } from "../graph.ts";
import type { Page } from "../page.ts";
import { line, nodeName, share, whole } from "../words.ts";
import { glyph } from "./glyph.ts";

const KEPT = 1_000;
const ROW_PX = 60;

export class DecisionList {
  readonly #scroll = h("div", { class: "decision-scroll" });
  readonly #list = h("ol", { class: "decision-list", "aria-label": "Last decisions, newest first" });
  readonly #more = h("button", { type: "button", class: "newer", hidden: true, onclick: () => this.#catchUp() });
  /** Oldest first. */
  #kept: Decided[] = [];
  /** What is shown: the same, or as it was when looking began. */
  #shown: Decided[] = [];
  #isHeld = false;
  #newer = 0;
  #asked = 0;
  /** The row that Tab comes to, and arrows move. */
  #current = 0;

  constructor(
    private readonly page: Page,
    panel: HTMLElement,
  ) {
    this.#scroll.append(this.#list);
    panel.append(this.#more, this.#scroll);
    const hold = (isHeld: boolean) => (): void => {
      if (!isHeld && (this.#scroll.matches(":hover") || this.#scroll.contains(document.activeElement) || this.#scroll.scrollTop > 4)) return;
      this.#isHeld = isHeld;
      if (!isHeld) this.#catchUp();
    };
    this.#scroll.addEventListener("pointerenter", hold(true));
    this.#scroll.addEventListener("pointerleave", () => setTimeout(hold(false)));
    this.#scroll.addEventListener("focusin", hold(true));
    this.#scroll.addEventListener("focusout", () => setTimeout(hold(false)));
    this.#scroll.addEventListener("scroll", () => {
      if (this.#scroll.scrollTop > 4) this.#isHeld = true;
      this.#ask();
    });
    this.#scroll.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#ask()).observe(this.#scroll);
    page.graph.follow((graph) => this.#adopt(graph));
    page.selection.listen(() => this.#ask());
  }

  #adopt(graph: Graph | undefined): void {
    this.#kept = [];
    this.#catchUp();
    graph?.decided.listen((decided) => {
      for (const one of decided) this.#kept.push(one);
      if (this.#kept.length > KEPT) {
        const over = this.#kept.length - KEPT;
        this.#kept = this.#kept.slice(over);
      }
      if (this.#isHeld) this.#newer += decided.length;
      this.#ask();
    });
  }

  #catchUp(): void {
    this.#newer = 0;
    this.#current = 0;
    this.#isHeld = this.#scroll.matches(":hover") && this.#isHeld;
    this.#shown = this.#kept.slice();
    this.#scroll.scrollTop = 0;
    this.#ask();
  }

  #ask(): void {
    this.#asked ||= requestAnimationFrame(() => {
      this.#asked = 0;
      this.#render();
    });
  }

  #render(): void {
    if (!this.#isHeld) this.#shown = this.#kept.slice();
    const count = this.#shown.length;
    write(this.#more, `${whole(this.#newer)} newer: show them`);
    this.#more.hidden = this.#newer === 0;
    this.#list.style.height = `${count * ROW_PX}px`;
    const first = Math.max(0, Math.floor(this.#scroll.scrollTop / ROW_PX) - 2);
    const end = Math.min(count, first + Math.ceil(this.#scroll.clientHeight / ROW_PX) + 5);
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["at"] : undefined;
    const rows: HTMLElement[] = [];
    for (let at = first; at < end; at++) rows.push(this.#row(at));
    if (!count) {
      put(this.#list, h("li", { class: "nothing soft" }, "Each fact and where it went appears here."));
      return;
    }
    put(this.#list, ...rows);
    if (focused !== undefined) this.#list.querySelector<HTMLElement>(`[data-at="${focused}"]`)?.focus({ preventScroll: true });
  }

  #row(at: number): HTMLElement {
    const { result, fact } = this.#shown[this.#shown.length - 1 - at] as Decided;
    const record = { id: result.recordId, source: fact.source ?? "" };
    const chosen = this.page.selection.value;
    const isChosen = chosen?.record?.id === record.id && chosen.record.source === record.source;
    const row = h(
      "li",
      { "aria-setsize": this.#shown.length, "aria-posinset": at + 1 },
      h(
        "button",
        {
          type: "button",
          class: "decision",
          "data-at": at,
          "data-decision": result.decision,
          tabindex: at === this.#current ? 0 : -1,
          "aria-current": isChosen ? "true" : undefined,
          onclick: () => {
            this.#current = at;
            this.page.select({ node: result.node, record });
          },
        },
        glyph(result.decision),
        h("span", { class: "decision-line" }, line(fact)),
        h(
          "span",
          { class: "decision-what" },
          h("span", { class: `decision-word ${result.decision}` }, result.decision),
          h("span", {}, nodeName(result.node)),
          h("span", { class: "number" }, h("span", { class: "unseen" }, "confidence "), share(result.confidence)),
        ),
      ),
    );
    row.style.top = `${at * ROW_PX}px`;
    return row;
  }

  #key(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.#scroll.clientHeight / ROW_PX) - 1);
    const last = this.#shown.length - 1;
    const to = {
      ArrowDown: this.#current + 1,
      ArrowUp: this.#current - 1,
      PageDown: this.#current + page,
      PageUp: this.#current - page,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#current = Math.max(0, Math.min(last, to));
    const top = this.#current * ROW_PX;
    const { scrollTop, clientHeight } = this.#scroll;
    if (top < scrollTop) this.#scroll.scrollTop = top;
    else if (top + ROW_PX > scrollTop + clientHeight) this.#scroll.scrollTop = top + ROW_PX - clientHeight;
    this.#render();
    this.#list.querySelector<HTMLElement>(`[data-at="${this.#current}"]`)?.focus({ preventScroll: true });
  }
}
