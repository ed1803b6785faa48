/** What can be done with graphs as wholes: begin, open, feed, save, export, import, tidy. One graph is open at a time. */

import { removeStorage } from "cortexkg";

import { put } from "./dom.ts";
import type { Example } from "./examples.ts";
import { actions, ask, confirmed, dialog, named } from "./files/dialogs.ts";
import { download } from "./files/drop.ts";
import { lookAt } from "./files/preview.ts";
import { Graph, freeName, namesKept } from "./graph.ts";
import { preview, read } from "./intake/reading.ts";
import type { Preview } from "./intake/reading.ts";
import { Run } from "./intake/run.ts";
import type { Page } from "./page.ts";
import { Signal } from "./signal.ts";
import { keptList } from "./start.ts";
import { figures } from "./metrics/figures.ts";
import { many, reason, whole } from "./words.ts";

/** Columns of a new map, 32 by 32; it grows fourfold where nodes need more. */
const COLUMNS = 1_024;

/** What streams, or streamed last. */
export interface Feed {
  run: Run;
  file: Blob;
  name: string;
  preview: Preview;
  identifier: string | undefined;
}

export class Desk {
  readonly feed = new Signal<Feed | undefined>(undefined);
  /** Facts a second, as the slider stands. */
  perSecond: () => number = () => Infinity;
  #isBusy = false;

  constructor(private readonly page: Page) {}

  /** Puts the open graph away; false if it is to stay. */
  async leave(): Promise<boolean> {
    const graph = this.page.graph.value;
    if (!graph) return true;
    // It may fail, and facts that come in meanwhile are not in it.
    await graph.settled;
    if (graph.saved.value === "unsaved" || graph.saved.value === "memory") {
      const isKept = graph.saved.value === "unsaved";
      const answer = await ask(dialog(`“${graph.name}” has decisions that are not saved`,
        isKept ? "Save them, or leave them behind." : "This browser keeps nothing; export the graph first if you need it.",
        actions(["", "Cancel"], ["leave", "Leave them behind"], isKept ? ["save", "Save", true] : ["export", "Export", true])));
      if (answer === "") return false;
      if (answer === "save" && !(await this.save())) return false;
      if (answer === "export") await this.exportGraph();
    }
    await this.#close();
    return true;
  }

  async #close(): Promise<void> {
    const graph = this.page.graph.value;
    this.feed.value?.run.stop();
    this.feed.value = undefined;
    this.page.graph.value = undefined;
    this.page.view.value = "map";
    await graph?.engine.close().catch(() => {});
  }

  async begin(): Promise<void> {
    await this.leave();
  }

  async openKept(name: string): Promise<void> {
    if (!(await this.leave())) return;
    await this.#try(`“${name}” could not be opened`, async () => {
      this.#adopt(await Graph.open(name));
    });
  }

  #adopt(graph: Graph): void {
    this.page.graph.value = graph;
    if (graph.unkept !== undefined) {
      this.page.notices.show(`This browser keeps nothing for this page: ${graph.unkept} Export the graph before you leave.`, { topic: "unkept" });
    }
    if (graph.saved.value === "reader") {
      this.page.notices.show(`Another tab writes to “${graph.name}”. Here it can be read, and exported.`, { topic: "reader" });
    }
    graph.storage.listen((event) => {
      if (graph !== this.page.graph.value) return;
      const again = { label: "Open it again", run: () => void this.openKept(graph.name) };
      if (event.type === "saved") this.page.notices.show("The other tab has saved this graph; this one shows how it was before.", { topic: "reader", actions: [again] });
      if (event.type === "released") this.page.notices.show("Nobody else writes to this graph any more.", { topic: "reader", actions: [again] });
      if (event.type === "lost") this.page.notices.show(`This tab can no longer save: ${event.reason}`, { topic: "reader", problem: true, actions: [again] });
    });
  }

  async example(example: Example): Promise<void> {
    if (!(await this.leave())) return;
    await this.#try(`${example.title} could not be loaded`, async () => {
      // The engine is made ready while the file comes.
      const beginning = Graph.begin(example.name, COLUMNS);
      beginning.catch(() => {});
      const response = await fetch(example.file);
      if (!response.ok) {
        await (await beginning).engine.close();
        throw new Error(`the server answered ${response.status}; load the page again`);
      }
      const file = await response.blob();
      const looked = await preview(file, example.file);
      this.#adopt(await beginning);
      this.#feed(file, example.set, looked, looked.identifier);
    });
  }

  /** A file that was dropped or chosen, whatever it is. */
  async file(file: File): Promise<void> {
    if (/\.ckg$/i.test(file.name)) return this.importGraph(file);
    await this.#try(`${file.name} could not be read`, async () => {
      const looked = await preview(file, file.name);
      const open = this.page.graph.value;
      const chosen = await lookAt(file.name, file.size, looked, open?.isWritable ? open.name : undefined);
      if (!chosen) return;
      if (!chosen.isIntoOpen) {
        if (!(await this.leave())) return;
        this.#adopt(await Graph.begin(baseName(file.name), COLUMNS));
      }
      this.#feed(file, file.name, looked, chosen.identifier);
    });
  }

  #feed(file: Blob, name: string, looked: Preview, identifier: string | undefined): void {
    const graph = this.page.graph.value;
    if (!graph) return;
    this.feed.value?.run.stop();
    const run = new Run(graph, read(file, looked.format, { source: name, identifier }), name, file.size, this.perSecond());
    this.feed.value = { run, file, name, preview: looked, identifier };
    void run.start().then(() => this.#ended(run));
  }

  async #ended(run: Run): Promise<void> {
    const graph = this.page.graph.value;
    if (this.feed.value?.run !== run || !graph) return;
    graph.changed.tell("all");
    const { facts, nodes } = await graph.engine.metrics();
    if (run.state.value === "done") this.page.say(`All read: ${many(facts, "fact")} in ${many(nodes, "node")}`);
  }

  /** Streams the same file again with another identifier, in a new graph; false if it is to stay as it is. */
  async identifyBy(identifier: string | undefined): Promise<boolean> {
    const feed = this.feed.value;
    if (!feed || this.page.graph.value?.isWritable !== true) return false;
    const detail = `${feed.name} streams in once more, from the beginning, into a new graph. What is decided now is left behind unless it is saved.`;
    if (!(await confirmed(`Start over with ${identifier ?? "numbers"} as identifier?`, detail, "Start over"))) return false;
    const { name } = this.page.graph.value;
    await this.#close();
    await this.#try(`${feed.name} could not be read again`, async () => {
      this.#adopt(await Graph.begin(name, COLUMNS));
      this.#feed(feed.file, feed.name, feed.preview, identifier);
    });
    return true;
  }

  /** False if it did not go through. */
  async save(): Promise<boolean> {
    const graph = this.page.graph.value;
    if (!graph) return false;
    try {
      await graph.save();
      this.page.notices.clear("save");
      return graph.saved.value !== "reader";
    } catch (error) {
      this.page.notices.problem("The graph was not saved", error, "save");
      return false;
    }
  }

  async saveAs(): Promise<void> {
    const graph = this.page.graph.value;
    if (!graph) return;
    const feed = this.feed.value;
    if (feed && !feed.run.isOver) {
      // The rest of it would be in neither of the two.
      return void this.page.notices.show(`${feed.name} is still streaming in: stop it, or wait until all is read, and save the copy then.`, { topic: "copy" });
    }
    this.page.notices.clear("copy");
    const taken = [...(await namesKept()), graph.name];
    const name = await named("Save a copy", freeName(graph.name, new Set(taken)), taken, "Save");
    if (name === undefined) return;
    await this.#try("The copy was not saved", async () => {
      const bytes = await graph.engine.export();
      const copy = await Graph.begin(name, COLUMNS);
      await copy.engine.import(bytes);
      await this.#close();
      this.#adopt(copy);
      await copy.save();
    });
  }

  async exportGraph(): Promise<void> {
    const graph = this.page.graph.value;
    if (!graph) return;
    await this.#try("The graph was not exported", async () => {
      const bytes = await graph.engine.export();
      download(bytes, `${graph.name.replace(/[^\p{L}\p{N} ._-]/gu, "-")}.ckg`);
      this.page.say(`${graph.name}.ckg is exported`);
    });
  }

  async importGraph(file: File): Promise<void> {
    await this.#try(`${file.name} could not be imported`, async () => {
      const bytes = new Uint8Array(await file.arrayBuffer());
      // Read before the open graph is put away: a damaged file leaves everything as it is.
      const graph = await Graph.begin(baseName(file.name), COLUMNS);
      try {
        await graph.engine.import(bytes);
      } catch (error) {
        await graph.engine.close();
        throw new Error(`${reason(error)} Nothing has changed here; export it once more where it came from`);
      }
      if (!(await this.leave())) return void graph.engine.close();
      this.#adopt(graph);
      const { facts, nodes } = await graph.engine.metrics();
      this.page.say(`${file.name} is here: ${many(facts, "fact")} in ${many(nodes, "node")}`);
    });
  }

  async lookAgain(): Promise<void> {
    await this.#change("Looking again did not go through", async (graph) => {
      const { merged, split } = await graph.engine.consolidate();
      graph.tellChanged("links");
      const what = merged + split === 0 ? "Looked again: everything stays as it is." : `Looked again: ${many(merged, "node")} merged, ${whole(split)} taken apart.`;
      this.page.notices.show(what, { topic: "look-again" });
    });
  }

  async tidyMap(): Promise<void> {
    await this.#change("The map could not be tidied", async (graph) => {
      const moved = await graph.engine.optimizeAllocations();
      graph.tellChanged("map");
      await graph.lookWhetherSaved();
      this.page.notices.show(moved ? `${many(moved, "column")} moved nearer to what they are related to.` : "The map is as tidy as it can be.", { topic: "tidy" });
    });
  }

  async about(): Promise<void> {
    const graph = this.page.graph.value;
    if (!graph) return;
    await this.#try("The graph could not be measured", async () => {
      const [metrics, hash] = await Promise.all([graph.engine.metrics(), graph.engine.stateHash()]);
      await ask(dialog(graph.name, figures(metrics, hash), actions(["", "Close"])));
    });
  }

  async graphs(): Promise<void> {
    const names = await namesKept();
    const window = dialog("Graphs kept here");
    const body = document.createElement("div");
    window.querySelector("form")?.append(body, actions(["", "Close"]));
    const fill = (kept: readonly string[]): void =>
      put(body, kept.length
        ? keptList(kept, this.page.graph.value?.name, {
            open: (name) => window.close(name),
            remove: (name) => void this.remove(name).then(async () => fill(await namesKept())),
          })
        : "None so far. What you save is kept in this browser, on this machine.");
    fill(names);
    // The value of a graph's button is its name; those of the others are empty.
    const name = await ask(window);
    if (name) await this.openKept(name);
  }

  async remove(name: string): Promise<void> {
    if (!(await confirmed(`Remove “${name}”?`, "It is gone for good, unless you have exported it.", "Remove"))) return;
    await this.#try(`“${name}” was not removed`, () => removeStorage(name));
  }

  async #change(what: string, change: (graph: Graph) => Promise<void>): Promise<void> {
    const graph = this.page.graph.value;
    if (!graph) return;
    if (!graph.isWritable) return void this.page.notices.show("Another tab writes to this graph; here it can only be read.", { topic: "reader" });
    await this.#try(what, () => change(graph));
  }

  /** One such thing at a time. */
  async #try(what: string, act: () => Promise<void>): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      this.page.notices.clear(what);
      await act();
    } catch (error) {
      this.page.notices.problem(what, error);
    } finally {
      this.#isBusy = false;
    }
  }
}

const baseName = (file: string): string => file.replace(/\.[^.]+$/, "").slice(0, 80) || "graph";
