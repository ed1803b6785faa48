/** What those tell each other that have the same name open: tabs and workers of one site. */

import { StorageLockedError } from "../errors.js";

/** What is told. */
export type Message =
  | { type: "taken" }
  | { type: "saved" }
  | { type: "released" }
  /** Asks whoever writes to tell of itself. */
  | { type: "who" }
  | { type: "writer"; since: number };

/** How long a writer may take to answer. A frozen one does not. */
const ANSWER_MS = 200;

export class Neighbours {
  readonly #channel: BroadcastChannel;

  constructor(name: string, heard: (message: Message) => void) {
    this.#channel = new BroadcastChannel(`cortexkg/${name}`);
    this.#channel.onmessage = (event: MessageEvent<Message>) => heard(event.data);
  }

  tell(message: Message): void {
    this.#channel.postMessage(message);
  }

  close(): void {
    this.#channel.close();
  }
}

/** What to tell one whose turn it is not: who writes, as far as that one answers. */
export async function locked(name: string): Promise<StorageLockedError> {
  const since = await writingSince(name);
  const about = since === undefined ? "which does not answer" : `since ${new Date(since).toLocaleTimeString()}`;
  return new StorageLockedError(
    `storage ${JSON.stringify(name)} is being written by another tab or worker of this site, ${about}. Close that one, or open this one with mode "read" or "auto"`,
  );
}

function writingSince(name: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const answered = (since?: number): void => {
      clearTimeout(timer);
      neighbours.close();
      resolve(since);
    };
    const neighbours = new Neighbours(name, (message) => {
      if (message.type === "writer") answered(message.since);
    });
    const timer = setTimeout(answered, ANSWER_MS);
    neighbours.tell({ type: "who" });
  });
}
