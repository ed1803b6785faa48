/** A storage that is open: who may write, who is told of what, and what errors say. */

import { StorageError, StorageReadOnlyError } from "../errors.js";
import { explained } from "./failures.js";
import type { OpenStorage, StorageEvent } from "./index.js";
import { Neighbours, locked, type Message } from "./neighbours.js";
import { Fenced, Taken, type Kind, type Place } from "./place.js";
import { isTaken, type Turn } from "./turn.js";
import type { Replacement, Storage } from "../types.js";

/** How often a reader looks whether the writer is still there: one that was killed says nothing. */
const WATCH_MS = 1_000;

export class Opened implements OpenStorage {
  readonly #name: string;
  readonly #tell: (event: StorageEvent) => void;
  readonly #neighbours: Neighbours;
  readonly #since = Date.now();
  #kind: OpenStorage["kind"] = "indexeddb";
  #place: Place | undefined;
  #turn: Turn | undefined;
  /** Why it may not write. */
  #readOnly: string | undefined;
  /** Why it may no longer be used as it was. */
  #lost: string | undefined;
  /** Of a reader: whether another one writes, as far as it knows. */
  #isTaken = false;
  #watch: ReturnType<typeof setInterval> | undefined;
  readonly #pending = new Set<Promise<void>>();
  /** Where the place is read and written part by part. */
  open?: NonNullable<Storage["open"]>;
  begin?: NonNullable<Storage["begin"]>;

  constructor(name: string, tell: (event: StorageEvent) => void) {
    this.#name = name;
    this.#tell = tell;
    this.#neighbours = new Neighbours(name, (message) => this.#heard(message));
  }

  get kind(): OpenStorage["kind"] {
    return this.#kind;
  }

  get isWriter(): boolean {
    return this.#turn !== undefined && this.#readOnly === undefined;
  }

  /** Opens it to write, with a turn that was taken. */
  async openToWrite(kind: Kind, turn: Turn): Promise<void> {
    this.#kind = kind.kind;
    try {
      this.#place = await kind.openToWrite(this.#name, this.lose);
    } catch (error) {
      throw error instanceof Taken ? await locked(this.#name) : error;
    }
    this.#turn = turn;
    if (this.#place.open) this.open = () => this.#loaded((place) => place.open!());
    if (this.#place.begin) this.begin = () => this.#replacement();
    this.#neighbours.tell({ type: "taken" });
  }

  /** Opens it to read, because of what `readOnly` says. */
  async openToRead(kind: Kind, readOnly: string): Promise<void> {
    this.#readOnly = readOnly;
    this.#kind = kind.kind;
    this.#place = await kind.openToRead(this.#name, this.lose);
    this.#isTaken = (await isTaken(this.#name)) ?? false;
    this.#watch = setInterval(() => void this.#look(), WATCH_MS);
  }

  load(): Promise<Uint8Array[]> {
    return this.#loaded((place) => place.load());
  }

  async #loaded<T>(load: (place: Place) => Promise<T>): Promise<T> {
    try {
      return await load(this.#opened());
    } catch (error) {
      const doing = `storage ${quoted(this.#name)} could not be loaded`;
      throw this.#lost === undefined ? await explained(error, doing) : new StorageError(`${doing}: ${this.#lost}`);
    }
  }

  append(piece: Uint8Array): Promise<void> {
    return this.#noted(this.#save((place) => place.append(piece)));
  }

  replace(piece: Uint8Array): Promise<void> {
    return this.#noted(this.#save((place) => place.replace(piece)));
  }

  /** A piece part by part. What fails is told of at its end, where there is time to say what to do about it. */
  #replacement(): Replacement {
    let writing: Replacement | undefined;
    let failed: { why: unknown } | undefined;
    const attempt = (what: () => void): void => {
      try {
        if (!failed) what();
      } catch (why) {
        failed = { why };
      }
    };
    if (this.isWriter) attempt(() => (writing = this.#opened().begin!()));
    return {
      write: (bytes) => attempt(() => writing?.write(bytes)),
      end: () =>
        this.#noted(
          this.#save(async () => {
            if (failed) throw failed.why;
            await writing?.end();
          }),
        ),
      abandon: () => attempt(() => writing?.abandon()),
    };
  }

  async close(): Promise<void> {
    const { isWriter } = this;
    const place = this.#place;
    this.#place = undefined;
    clearInterval(this.#watch);
    this.#watch = undefined;
    await Promise.allSettled(this.#pending);
    await place?.close();
    this.#turn?.release();
    this.#turn = undefined;
    if (place && isWriter) this.#neighbours.tell({ type: "released" });
    this.#neighbours.close();
  }

  /** Gives up writing, and lets go of what could keep others from it. */
  readonly lose = (reason: string): void => {
    if (this.#lost !== undefined) return;
    this.#lost = reason;
    this.#readOnly ??= reason;
    this.#turn?.release();
    this.#turn = undefined;
    // Files are exclusive as long as their handles are open.
    if (this.#kind === "opfs") void this.#place?.close();
    this.#tell({ type: "lost", reason });
  };

  /** Notes a save that is going on, for `close` to wait for. */
  #noted(saved: Promise<void>): Promise<void> {
    this.#pending.add(saved);
    const over = (): void => void this.#pending.delete(saved);
    saved.then(over, over);
    return saved;
  }

  async #save(change: (place: Place) => Promise<void>): Promise<void> {
    const doing = `storage ${quoted(this.#name)} could not be saved`;
    try {
      const place = this.#opened();
      if (!this.isWriter) throw new StorageReadOnlyError(`${doing}: ${this.#readOnly}; open it to write`);
      await change(place);
    } catch (error) {
      if (error instanceof Fenced) this.lose(error.message);
      // Whatever it failed with, it was because it was lost.
      if (this.#lost !== undefined) throw new StorageReadOnlyError(`${doing}: ${this.#lost}`);
      throw await explained(error, doing);
    }
    this.#neighbours.tell({ type: "saved" });
  }

  #opened(): Place {
    if (!this.#place) throw new StorageError(`storage ${quoted(this.#name)} was closed; open it again`);
    return this.#place;
  }

  #heard(message: Message): void {
    if (this.isWriter) {
      if (message.type === "who") this.#neighbours.tell({ type: "writer", since: this.#since });
      return;
    }
    // Only of what is open, and not lost.
    if (this.#watch === undefined) return;
    if (message.type === "saved") this.#tell({ type: "saved" });
    else if (message.type === "taken") this.#isTaken = true;
    else if (message.type === "released") this.#released();
  }

  async #look(): Promise<void> {
    const taken = await isTaken(this.#name);
    if (taken === true) this.#isTaken = true;
    else if (taken === false) this.#released();
  }

  #released(): void {
    if (!this.#isTaken || this.#watch === undefined) return;
    this.#isTaken = false;
    this.#tell({ type: "released" });
  }
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
