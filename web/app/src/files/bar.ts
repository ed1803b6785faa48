/** The open graph in the bar: its name, whether it is saved, saving it; and the menu of what can be done with it. */

import { h, put, write } from "../dom.ts";
import type { Graph, Saved } from "../graph.ts";
import type { Page } from "../page.ts";
import { themeChoice } from "../theme.ts";
import { chooseFile } from "./drop.ts";

export interface BarActions {
  save(): void;
  saveAs(): void;
  graphs(): void;
  begin(): void;
  exportGraph(): void;
  importGraph(file: File): void;
  lookAgain(): void;
  tidyMap(): void;
  about(): void;
}

const SAVED_WORDS: Record<Saved, string> = {
  saved: "saved",
  unsaved: "not saved",
  saving: "saving",
  reader: "read only",
  memory: "not kept",
};
const SHORTCUTS_KEY = "cortexkg-shortcuts";

export class Bar {
  readonly #state: HTMLElement;
  readonly #menu = h("div", { class: "menu", id: "menu", popover: "auto", role: "group", "aria-label": "Menu" });
  readonly #shortcuts = h("input", { type: "checkbox", id: "shortcuts" });
  readonly #needsGraph: HTMLButtonElement[] = [];
  #endFollowing: () => void = () => {};

  constructor(page: Page, state: HTMLElement, end: HTMLElement, private readonly actions: BarActions) {
    this.#state = state;
    const item = (label: string, run: () => void, needsGraph = true): HTMLButtonElement => {
      const button = h("button", { type: "button", onclick: () => { this.#menu.hidePopover(); run(); } }, label);
      if (needsGraph) this.#needsGraph.push(button);
      return button;
    };
    this.#shortcuts.checked = keptShortcuts();
    this.#shortcuts.addEventListener("change", () => keepShortcuts(this.#shortcuts.checked));
    put(this.#menu,
      item("New graph", () => actions.begin()),
      item("Graphs kept here…", () => actions.graphs(), false),
      item("Save a copy as…", () => actions.saveAs()),
      h("hr"),
      item("Export as .ckg", () => actions.exportGraph()),
      item("Import a .ckg…", () => chooseFile(".ckg", (file) => actions.importGraph(file)), false),
      h("hr"),
      item("Look again at close calls", () => actions.lookAgain()),
      item("Tidy the map", () => actions.tidyMap()),
      item("About this graph…", () => actions.about()),
      h("hr"),
      h("div", { class: "row" }, h("label", { class: "bare", for: "shortcuts" }, "“/” goes to the search"), this.#shortcuts),
      themeChoice());
    const open = h("button", { type: "button", class: "plain", popovertarget: "menu", "aria-haspopup": "true" }, "Menu");
    end.append(open, this.#menu);
    this.#menu.addEventListener("beforetoggle", () => {
      const box = open.getBoundingClientRect();
      this.#menu.style.top = `${box.bottom + 6}px`;
      this.#menu.style.right = `${Math.max(8, document.documentElement.clientWidth - box.right)}px`;
      this.#menu.style.maxHeight = `${innerHeight - box.bottom - 16}px`;
    });
    page.graph.follow((graph) => this.#adopt(graph));
  }

  /** Whether single keys may do something outside of fields. */
  get hasShortcuts(): boolean {
    return this.#shortcuts.checked;
  }

  #adopt(graph: Graph | undefined): void {
    this.#endFollowing();
    for (const button of this.#needsGraph) button.hidden = graph === undefined;
    this.#state.hidden = graph === undefined;
    if (!graph) return put(this.#state);
    const words = h("span", { class: "saved", role: "status" });
    const save = h("button", { type: "button", class: "save", onclick: () => this.actions.save() }, "Save");
    put(this.#state,
      h("button", { type: "button", class: "plain graph-name", title: "Graphs kept here", onclick: () => this.actions.graphs() },
        h("span", { class: "unseen" }, "Graph: "), h("span", {}, graph.name)),
      words, save);
    this.#endFollowing = graph.saved.follow((saved) => {
      write(words, SAVED_WORDS[saved]);
      words.dataset["state"] = saved;
      words.title = saved === "memory" ? (graph.unkept ?? "") : "";
      save.hidden = saved === "reader" || saved === "memory";
      save.disabled = saved !== "unsaved";
    });
  }
}

function keptShortcuts(): boolean {
  try {
    return localStorage.getItem(SHORTCUTS_KEY) !== "off";
  } catch {
    return true;
  }
}

function keepShortcuts(isOn: boolean): void {
  try {
    localStorage.setItem(SHORTCUTS_KEY, isOn ? "on" : "off");
  } catch {
    // It holds until the page is left.
  }
}
