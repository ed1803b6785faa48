/** What went wrong or is good to know, said calmly at the top of the page until it is put away. */

import { h } from "./dom.ts";
import { reason } from "./words.ts";

export interface NoticeAction {
  label: string;
  run: () => void;
}

export class Notices {
  constructor(
    private readonly region: HTMLElement,
    private readonly say: (text: string) => void,
  ) {}

  /** Says something. Of one topic only the last is kept. Returns what takes it back. */
  show(text: string, options: { problem?: boolean; topic?: string; actions?: NoticeAction[] } = {}): () => void {
    const topic = options.topic ?? text;
    for (const old of [...this.region.children]) if (old instanceof HTMLElement && old.dataset["topic"] === topic) old.remove();
    const notice = h(
      "div",
      { class: options.problem ? "notice problem" : "notice", "data-topic": topic },
      h("p", {}, text),
      ...(options.actions ?? []).map((action) =>
        h("button", { type: "button", onclick: () => { notice.remove(); action.run(); } }, action.label),
      ),
      h("button", { type: "button", class: "plain", onclick: () => notice.remove(), "aria-label": `Dismiss: ${text}` }, "Dismiss"),
    );
    this.region.append(notice);
    this.say(text);
    return () => notice.remove();
  }

  /** Says what went wrong, with what to do where its name tells more than its message. */
  problem(what: string, error: unknown, topic = what): void {
    if (error instanceof DOMException && error.name === "AbortError") return;
    const advice = error instanceof Error ? ADVICE[error.name] : undefined;
    this.show(`${what}: ${reason(error)}${advice ? ` ${advice}` : ""}`, { problem: true, topic });
  }

  clear(topic: string): void {
    for (const old of [...this.region.children]) if (old instanceof HTMLElement && old.dataset["topic"] === topic) old.remove();
  }
}

const ADVICE: Record<string, string> = {
  StorageQuotaError: "What was saved before is intact. Export the graph to a file, or remove graphs you no longer need, and save again.",
  StorageLockedError: "Close it in the other tab, then try again; until then this one reads.",
  StorageReadOnlyError: "Another tab writes to this graph. Export it from here if you want to keep what this tab has.",
  StorageVersionError: "Load the newest version of this page and open the graph again.",
};
