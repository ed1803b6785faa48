/** What the parts of the page share: the open graph, what is selected, and what to say. */

import type { SearchHit } from "cortexkg";

import type { Graph } from "./graph.ts";
import { Notices } from "./notices.ts";
import { Signal } from "./signal.ts";

/** The parts that a phone shows one at a time. */
export type View = "map" | "decisions" | "node" | "review";

/** A node, and one of its records if a decision was chosen. */
export interface Selection {
  node: number;
  record?: { id: string; source: string };
}

export class Page {
  readonly graph = new Signal<Graph | undefined>(undefined);
  readonly selection = new Signal<Selection | undefined>(undefined);
  /** What a search found; shown on the map. */
  readonly hits = new Signal<readonly SearchHit[]>([]);
  readonly view = new Signal<View>("map");
  /** Close calls that nobody has settled. */
  readonly openCalls = new Signal<readonly { node: number; other: number }[]>([]);
  readonly notices: Notices;
  readonly #live: HTMLElement;

  constructor(live: HTMLElement, notices: HTMLElement) {
    this.#live = live;
    this.notices = new Notices(notices, (text) => this.say(text));
  }

  /** Says something to those who listen instead of look. */
  say(text: string): void {
    this.#live.textContent = text;
  }

  /** Shows a node, and brings its panel forward where only one panel is seen. */
  select(selection: Selection): void {
    this.selection.value = selection;
    this.view.value = "node";
  }
}
