/** What streams in: its name, how far it is, pause, speed, and the lines that were left out. */

import { h, put, write } from "../dom.ts";
import type { Run, RunState } from "../intake/run.ts";
import { bytes, many, reason, whole } from "../words.ts";

/** Facts a second at each stop of the slider. */
const SPEEDS = [1, 4, 20, 100, Infinity];
const speedWords = (perSecond: number): string => (perSecond === Infinity ? "as fast as it goes" : `${perSecond} a second`);

const STATE_WORDS: Record<RunState, string> = {
  running: "streaming",
  paused: "paused",
  done: "all read",
  stopped: "stopped",
  failed: "ended early",
};

export class StreamControls {
  readonly #root = h("div", { class: "controls", hidden: true });
  readonly #name = h("p", { class: "controls-name" });
  readonly #state = h("p", { class: "soft small", role: "status" });
  readonly #bar = h("progress", { "aria-label": "Read so far", max: 1, value: 0 });
  readonly #pause = h("button", { type: "button", onclick: () => this.#togglePause() }, "Pause");
  readonly #stop = h("button", { type: "button", onclick: () => this.#run?.stop() }, "Stop");
  readonly #speed = h("input", { type: "range", id: "speed", min: 0, max: SPEEDS.length - 1, step: 1, value: SPEEDS.length - 1 });
  readonly #speedWords = h("output", { for: "speed", class: "soft small" }, speedWords(Infinity));
  readonly #identifier = h("select", { id: "identifier" });
  readonly #identifierRow = h("div", { class: "controls-row" }, h("label", { for: "identifier" }, "Identifier"), this.#identifier);
  readonly #bad = h("details", { class: "bad", hidden: true });
  readonly #badSummary = h("summary");
  readonly #badList = h("ol");
  readonly #error = h("p", { class: "problem-text", hidden: true });
  #run: Run | undefined;
  #listed = 0;

  constructor(panel: HTMLElement, onIdentifier: (column: string | undefined) => Promise<boolean>) {
    this.#bad.append(this.#badSummary, this.#badList);
    this.#root.append(
      this.#name,
      this.#bar,
      this.#state,
      h("div", { class: "controls-row" }, this.#pause, this.#stop),
      h("div", { class: "controls-speed" }, h("label", { for: "speed" }, "Speed"), this.#speed, this.#speedWords),
      this.#identifierRow,
      this.#error,
      this.#bad,
    );
    panel.append(this.#root);
    this.#speed.addEventListener("input", () => {
      const words = speedWords(this.perSecond);
      this.#speedWords.value = words;
      this.#speed.setAttribute("aria-valuetext", words);
      if (this.#run) this.#run.perSecond = this.perSecond;
    });
    this.#speed.setAttribute("aria-valuetext", speedWords(Infinity));
    let before = this.#identifier.value;
    this.#identifier.addEventListener("focus", () => (before = this.#identifier.value));
    this.#identifier.addEventListener("change", () => {
      void onIdentifier(this.#identifier.value || undefined).then((isDone) => {
        if (!isDone) this.#identifier.value = before;
      });
    });
    this.#bad.addEventListener("toggle", () => this.#list());
  }

  get perSecond(): number {
    return SPEEDS[this.#speed.valueAsNumber] ?? Infinity;
  }

  clear(): void {
    this.#run = undefined;
    this.#root.hidden = true;
  }

  show(run: Run, columns: readonly string[], identifier: string | undefined): void {
    this.#run = run;
    this.#listed = 0;
    put(this.#badList);
    this.#bad.open = false;
    this.#error.hidden = true;
    this.#root.hidden = false;
    write(this.#name, run.name);
    this.#name.title = run.name;
    put(this.#identifier, h("option", { value: "" }, "none: number them"), ...columns.map((column) => h("option", { value: column }, column)));
    this.#identifier.value = identifier ?? "";
    this.#identifierRow.hidden = columns.length === 0;
    const update = (): void => {
      if (run === this.#run) this.#update(run);
    };
    run.state.follow(update);
    run.progress.listen(update);
  }

  #update(run: Run): void {
    const state = run.state.value;
    const { facts, bytes: read, bad, repeated } = run.progress.value;
    const isOver = run.isOver;
    this.#bar.value = state === "done" ? 1 : read / Math.max(1, run.bytesTotal);
    const size = isOver ? "" : `, ${bytes(read)} of ${bytes(run.bytesTotal)}`;
    const again = repeated ? `, ${whole(repeated)} known already` : "";
    write(this.#state, `${STATE_WORDS[state]}: ${many(facts, "fact")}${again}${size}`);
    this.#state.setAttribute("aria-live", isOver || state === "paused" ? "polite" : "off");
    write(this.#pause, state === "paused" ? "Resume" : "Pause");
    this.#pause.disabled = this.#stop.disabled = isOver;
    this.#root.dataset["state"] = state;
    this.#error.hidden = state !== "failed";
    if (state === "failed") write(this.#error, `${reason(run.error)} What was decided before is in the graph.`);
    this.#bad.hidden = bad === 0;
    write(this.#badSummary, `${many(bad, "line")} left out`);
    if (this.#bad.open) this.#list();
  }

  #list(): void {
    const run = this.#run;
    if (!run || !this.#bad.open) return;
    for (const { line, reason: why } of run.bad.slice(this.#listed)) {
      this.#badList.append(h("li", {}, h("span", { class: "soft" }, `line ${whole(line)} `), why));
    }
    this.#listed = run.bad.length;
  }

  #togglePause(): void {
    if (this.#run?.state.value === "paused") this.#run.resume();
    else this.#run?.pause();
  }
}
