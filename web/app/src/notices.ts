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

  /** Says what went wrong and what to do; in words for whoever uses the page, where the engine's are for whoever programs it. */
  problem(what: string, error: unknown, topic = what): void {
    if (error instanceof DOMException && error.name === "AbortError") return;
    const known = error instanceof Error ? KNOWN[error.name] : undefined;
    this.show(`${what}: ${known ?? reason(error)}`, { problem: true, topic });
  }

  clear(topic: string): void {
    for (const old of [...this.region.children]) if (old instanceof HTMLElement && old.dataset["topic"] === topic) old.remove();
  }
}

const KNOWN: Record<string, string> = {
  StorageQuotaError: "The browser gives no more room. What was saved before is intact. Remove graphs you no longer need and save again, or export this one to a file.",
  StorageLockedError: "Another tab writes to it. Close it there, and try again.",
  StorageReadOnlyError: "Another tab writes to it now. Export it from here if you want to keep what this tab has.",
  StorageVersionError: "A newer version of this page has saved it. Load the page again, and open it.",
};
