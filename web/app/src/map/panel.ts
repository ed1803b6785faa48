/** The cortical map: every node at its column, lit when a fact lands on it. */

import { h, put, s, write } from "../dom.ts";
import type { Decided, Graph } from "../graph.ts";
import type { Page } from "../page.ts";
import { many, nodeName, whole } from "../words.ts";
import { listenToMap } from "./input.ts";
import { MapLabels } from "./labels.ts";
import { Sheet } from "./sheet.ts";
import { Stage } from "./stage.ts";

/** Milliseconds between two looks at all columns while facts come in. */
const LOOK_MS = 250;

export class MapPanel {
  readonly #stage: Stage;
  readonly #names: MapLabels;
  readonly #frame: HTMLElement;
  readonly #tip = h("div", { class: "tip", "aria-hidden": "true", hidden: true });
  readonly #taken = h("span");
  readonly #close = h("span");
  readonly #legend = h("span", { class: "legend", hidden: true },
    s("svg", { viewBox: "0 0 16 16", class: "glyph possible", "aria-hidden": "true" }, s("path", { d: "M8 1.6 14.4 8 8 14.4 1.6 8Z", class: "fill" })), this.#close);
  readonly #summary = h("p", { class: "soft small" }, this.#taken, this.#legend);
  readonly #cellOfColumn = new Map<number, number>();
  readonly #labels = new Map<number, string>();
  #waiting: Decided[] = [];
  #looking: Promise<void> | undefined;
  #lookedAt = 0;
  #hovered: number | undefined;

  constructor(
    private readonly page: Page,
    panel: HTMLElement,
  ) {
    this.#frame = h("div", {
      class: "map-frame",
      tabindex: "0",
      role: "application",
      "aria-roledescription": "map",
      "aria-label": "Columns",
      "aria-describedby": "map-help",
    });
    const button = (label: string, sign: string, act: () => void): HTMLButtonElement =>
      h("button", { type: "button", class: "square", "aria-label": label, title: label, onclick: act }, sign);
    const zoom = (factor: number) => (): void => {
      this.#stage.camera.zoom(factor);
      this.#moved();
    };
    const fit = (): void => {
      this.#stage.camera.fit();
      this.#moved();
    };
    panel.append(
      h(
        "div",
        { class: "map-head" },
        h("div", {}, h("h2", { id: "map-title" }, "Map"), this.#summary),
        h("div", { class: "map-tools" }, button("Zoom in", "+", zoom(1.5)), button("Zoom out", "−", zoom(1 / 1.5)),
          h("button", { type: "button", onclick: fit }, "Fit")),
      ),
      this.#frame,
      h("p", { class: "unseen", id: "map-help" },
        "Arrow keys walk from column to column, Enter shows the node, plus and minus zoom, 0 shows everything, Shift with arrow keys moves the map."),
    );
    this.#frame.append(this.#tip);
    this.#stage = new Stage(this.#frame, (["canvas2d", "webgl2"] as const).find((kind) => new URLSearchParams(location.search).has(kind)));
    this.#frame.dataset["renderer"] = this.#stage.kind;
    this.#names = new MapLabels(this.#stage, (node) => this.#label(node));
    this.#tip.before(this.#names.root);
    this.#stage.onDrawn = () => {
      this.#frame.classList.toggle("fitted", this.#stage.camera.isFitted);
      this.#names.place();
      this.#placeTip();
    };
    listenToMap(this.#frame, this.#stage, {
      hover: (cell) => void this.#hover(cell),
      walk: (cell) => void this.#walk(cell),
      choose: (cell) => this.#choose(cell),
      moved: () => this.#placeTip(),
    });
    this.#frame.addEventListener("blur", () => {
      this.#stage.cursor = undefined;
      void this.#hover(undefined);
      this.#stage.draw();
    });

    page.graph.follow((graph) => this.#adopt(graph));
    page.selection.listen((selection) => {
      const cell = selection && this.#stage.sheet.cellOf(selection.node);
      this.#stage.selected = cell;
      if (cell !== undefined) this.#stage.camera.reveal(cell);
      this.#stage.draw();
    });
    page.hits.listen((hits) => {
      this.#stage.sheet.setHits(hits.map((hit) => hit.node));
      this.#stage.draw();
    });
    page.openCalls.listen(() => this.#markOpen());
  }

  get stage(): Stage {
    return this.#stage;
  }

  #adopt(graph: Graph | undefined): void {
    this.#waiting = [];
    this.#cellOfColumn.clear();
    this.#labels.clear();
    this.#names.clear();
    this.#stage.setSheet(new Sheet(1, 1));
    if (!graph) return;
    graph.decided.listen((decided) => this.#land(graph, decided));
    graph.changed.listen(() => {
      this.#labels.clear();
      void this.#look(graph).then(() => {
        this.#names.clear();
        this.#stage.draw();
      });
    });
    void this.#look(graph);
  }

  #land(graph: Graph, decided: readonly Decided[]): void {
    for (const one of decided) {
      if (this.#landed(one)) continue;
      this.#waiting.push(one);
    }
    const due = this.#lookedAt + LOOK_MS - performance.now();
    if (!this.#looking && (this.#waiting.length || due <= 0)) void this.#look(graph, this.#waiting.length > 64 ? due : 0);
  }

  /** Lights the column of a decision if its place is known. */
  #landed({ result }: Decided): boolean {
    const { object } = result;
    const known = [result, ...(object ? [object] : [])].map(({ column, node, decision }) => {
      if (column === undefined) return true;
      const cell = this.#cellOfColumn.get(column);
      if (cell === undefined) return false;
      this.#stage.land(cell, node, decision);
      return true;
    });
    return known.every(Boolean);
  }

  /** Asks for all columns: where they lie, and how active they are. One question at a time. */
  async #look(graph: Graph, wait = 0): Promise<void> {
    if (this.#looking) await this.#looking;
    if (graph !== this.page.graph.value) return;
    this.#looking = this.#lookOnce(graph, wait).catch((error: unknown) => {
      if (graph === this.page.graph.value) this.page.notices.problem("The map could not be read", error);
    });
    await this.#looking;
    this.#looking = undefined;
    if (this.#waiting.length && graph === this.page.graph.value) void this.#look(graph);
  }

  async #lookOnce(graph: Graph, wait: number): Promise<void> {
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const waiting = this.#waiting;
    this.#waiting = [];
    const columns = await graph.engine.columns();
    if (graph !== this.page.graph.value) return;
    this.#lookedAt = performance.now();
    const { sheet } = this.#stage;
    if (columns.width !== sheet.width || columns.height !== sheet.height) {
      // It has grown: columns keep their cells.
      this.#cellOfColumn.clear();
      this.#stage.setSheet(new Sheet(columns.width, columns.height, sheet));
    }
    this.#stage.sheet.update(columns);
    for (let at = 0; at < columns.columns.length; at++) {
      this.#cellOfColumn.set(columns.columns[at]!, columns.y[at]! * columns.width + columns.x[at]!);
    }
    // A column that has been given back meanwhile is not lit any more.
    for (const one of waiting) this.#landed(one);
    const { node } = this.page.selection.value ?? {};
    this.#stage.selected = node === undefined ? undefined : this.#stage.sheet.cellOf(node);
    this.#markOpen();
    this.#summarise();
    this.#stage.draw();
  }

  #summarise(): void {
    const { sheet } = this.#stage;
    write(this.#taken, `${many(sheet.taken, "column")} of ${whole(sheet.width * sheet.height)} taken`);
    const calls = this.page.openCalls.value.length;
    write(this.#close, many(calls, "close call"));
    this.#legend.hidden = calls === 0;
  }

  #markOpen(): void {
    this.#summarise();
    this.#stage.sheet.setOpen(this.page.openCalls.value.map((call) => call.node));
    this.#stage.draw();
  }

  #choose(cell: number): void {
    const node = this.#stage.sheet.nodeAt(cell);
    if (node !== undefined) this.page.select({ node });
  }

  async #walk(cell: number): Promise<void> {
    this.#stage.cursor = cell;
    const text = await this.#hover(cell);
    if (this.#stage.cursor !== cell) return;
    const column = (cell % this.#stage.sheet.width) + 1;
    const row = Math.floor(cell / this.#stage.sheet.width) + 1;
    const state = cell === this.#stage.selected ? ", shown" : "";
    this.page.say(`${text}, across ${column}, down ${row}${state}`);
  }

  async #hover(cell: number | undefined): Promise<string> {
    if (cell === this.#hovered && cell !== undefined) return this.#labels.get(this.#stage.sheet.nodeAt(cell) ?? -1) ?? "";
    this.#hovered = cell;
    this.#frame.classList.toggle("pointing", cell !== undefined);
    const node = cell === undefined ? undefined : this.#stage.sheet.nodeAt(cell);
    if (node === undefined) {
      this.#tip.hidden = true;
      return "";
    }
    const label = await this.#label(node);
    if (this.#hovered !== cell) return label;
    put(this.#tip, h("strong", {}, label), h("span", {}, nodeName(node)));
    this.#tip.hidden = false;
    this.#placeTip();
    return label;
  }

  async #label(node: number): Promise<string> {
    const known = this.#labels.get(node);
    if (known !== undefined) return known;
    const view = await this.page.graph.value?.engine.node(node).catch(() => undefined);
    const label = view?.label || nodeName(node);
    if (this.#labels.size > 5_000) this.#labels.clear();
    this.#labels.set(node, label);
    return label;
  }

  #moved(): void {
    this.#stage.draw();
    this.#placeTip();
  }

  #placeTip(): void {
    if (this.#tip.hidden || this.#hovered === undefined) return;
    const [x, y] = this.#stage.camera.centre(this.#hovered);
    const { clientWidth } = this.#frame;
    const half = this.#tip.offsetWidth / 2;
    const away = this.#stage.camera.scale / 2 + 8;
    const isBelow = y - away - this.#tip.offsetHeight < 4;
    this.#tip.style.left = `${Math.round(Math.min(Math.max(x, half + 4), clientWidth - half - 4) - half)}px`;
    this.#tip.style.top = `${Math.round(isBelow ? y + away : y - away - this.#tip.offsetHeight)}px`;
  }
}
