/** Where a graph is kept in a browser: chosen, locked, opened. */

import type { Storage, StorageOptions } from "../types.js";

/** A storage that is open, and what it tells of others. */
export interface OpenStorage extends Storage {
  readonly kind: "indexeddb" | "opfs";
  /** Whether this one may write. */
  readonly isWriter: boolean;
  close(): Promise<void>;
}

/** What happens to a storage from outside. */
export type StorageEvent =
  /** The writer in another tab has saved: a reader may load again. */
  | { type: "saved" }
  /** Nobody writes any more: a reader may open it to write. */
  | { type: "released" }
  /** This one may no longer write: another took over, or a newer version wants to upgrade. */
  | { type: "lost"; reason: string };

/** Opens a storage. */
export declare function openStorage(options: StorageOptions, tell: (event: StorageEvent) => void): Promise<OpenStorage>;

/** Names of the graphs that are kept here. */
export declare function storedNames(): Promise<string[]>;

/** Removes what is kept under a name, of either kind. */
export declare function removeStorage(name: string): Promise<void>;
