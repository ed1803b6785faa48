/** What a kind of storage does; who may write at all is decided above it (`index.ts`). */

import type { Storage } from "../types.js";

/** Pieces under one name. */
export type Place = Storage & Required<Pick<Storage, "close">>;

/** A way of a browser's to keep bytes. */
export interface Kind {
  readonly kind: "indexeddb" | "opfs";
  /** Whether something was saved under this name. */
  has(name: string): Promise<boolean>;
  /** Names under which something was saved. */
  names(): Promise<string[]>;
  /** `lost` is called when the browser takes the place away. */
  openToRead(name: string, lost: (reason: string) => void): Promise<Place>;
  /** Of two that opened a place to write, the former fails with `Fenced` from then on, or the latter with `Taken`. */
  openToWrite(name: string, lost: (reason: string) => void): Promise<Place>;
  remove(name: string): Promise<void>;
}

/** Another one writes here by now. */
export class Fenced extends Error {
  override name = "Fenced";
}

/** Another one holds the files. */
export class Taken extends Error {
  override name = "Taken";
}

/** How long a tab that is being closed, or reloaded, may take to let go of what it holds. */
const PATIENCE_MS = 500;

/** Tries until there is something, or patience ends. */
export async function patiently<T>(attempt: () => Promise<T | undefined>): Promise<T | undefined> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const got = await attempt();
    if (got !== undefined || Date.now() >= end) return got;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
