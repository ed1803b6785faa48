/** The quiet beginning: drop a file, choose an example, or open a graph that is kept here. */

import { h, put } from "./dom.ts";
import { EXAMPLES } from "./examples.ts";
import type { Example } from "./examples.ts";
import { chooseFile } from "./files/drop.ts";

export interface StartActions {
  file(file: File): void;
  example(example: Example): void;
  open(name: string): void;
  remove(name: string): void;
}

export const FILES_ACCEPTED = ".csv,.tsv,.tab,.txt,.jsonl,.ndjson,.json,.ckg";

export class StartScreen {
  readonly #kept = h("div", { class: "start-kept" });
  readonly #problem = h("p", { class: "problem-text", role: "alert", hidden: true });

  constructor(
    private readonly root: HTMLElement,
    private readonly actions: StartActions,
    engineProblem: string | undefined,
  ) {
    const zone = h("div", { class: "zone" },
      h("p", { class: "zone-title" }, "Drop a CSV or JSONL file here"),
      h("p", { class: "soft" }, "or a graph that was exported as .ckg"),
      h("button", { type: "button", class: "primary", onclick: () => chooseFile(FILES_ACCEPTED, (file) => actions.file(file)) }, "Choose a file"));
    const examples = h("ul", { class: "examples" }, ...EXAMPLES.map((example) =>
      h("li", {}, h("button", { type: "button", class: "example", "data-example": example.name, onclick: () => actions.example(example) },
        h("strong", {}, example.title), h("span", { class: "soft" }, example.what)))));
    put(root,
      h("div", { class: "start-inner" },
        h("h2", { id: "start-title" }, "See where each fact belongs"),
        h("p", { class: "lead" }, "Each record, triple or text that streams in joins a node of the graph, or opens one. It takes microseconds, and every decision can say why."),
        this.#problem,
        zone,
        h("h3", {}, "Or watch an example"),
        examples,
        this.#kept,
        h("p", { class: "soft small footnote" }, "The engine runs in this page; nothing you drop leaves this machine. Licences of the examples: ",
          ...EXAMPLES.flatMap((example, at) => [at ? (at === EXAMPLES.length - 1 ? " and " : ", ") : "", h("a", { href: example.licence }, example.set)]),
          ", all BSD-3-Clause.")));
    if (engineProblem) {
      this.#problem.textContent = engineProblem;
      this.#problem.hidden = false;
      for (const button of root.querySelectorAll("button")) button.disabled = true;
    }
  }

  show(names: readonly string[]): void {
    this.root.hidden = false;
    put(this.#kept, names.length > 0 && h("h3", {}, "Or go on with"), names.length > 0 && keptList(names, undefined, this.actions));
  }

  hide(): void {
    this.root.hidden = true;
  }
}

/** Graphs that are kept in this browser, to open or to remove. */
export function keptList(names: readonly string[], current: string | undefined, actions: Pick<StartActions, "open" | "remove">): HTMLElement {
  return h("ul", { class: "kept" }, ...names.map((name) =>
    h("li", {},
      h("button", { type: "button", class: "plain kept-open", disabled: name === current, onclick: () => actions.open(name) }, h("span", {}, name),
        name === current && h("span", { class: "soft" }, "open")),
      h("button", { type: "button", class: "plain", disabled: name === current, "aria-label": `Remove ${name}`, onclick: () => actions.remove(name) }, "Remove"))));
}
