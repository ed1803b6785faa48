/**
 * Where a graph is kept in a browser: chosen, locked, opened.
 *
 * A state is a list of pieces. What they mean, and when one takes the place of all, is the engine's business; here each is durable, or not there.
 *
 * **Invariant:** nothing here asks the user for anything; `askToPersist` is the caller's to call.
 */

import { StorageError, StorageLockedError } from "../errors.js";
import type { Storage, StorageOptions } from "../types.js";
import { storageManager } from "./browser.js";
import { Unavailable, explained } from "./failures.js";
import { indexeddb } from "./indexeddb.js";
import { Neighbours, locked } from "./neighbours.js";
import { Opened } from "./opened.js";
import { canWriteFiles, opfs } from "./opfs.js";
import { Taken, type Kind } from "./place.js";
import { takeTurn } from "./turn.js";

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
  /** This one may no longer write: another took over, or a newer version wants to upgrade. Close it. */
  | { type: "lost"; reason: string };

/**
 * Opens a storage.
 *
 * A piece that is given to `append` or `replace` is taken at once, before the call returns; what `load` gives may be views of one buffer.
 */
export async function openStorage(options: StorageOptions, tell: (event: StorageEvent) => void): Promise<OpenStorage> {
  const { name, kind = "auto", mode = "write" } = options;
  checkedName(name);
  checked("kind", kind, ["auto", "indexeddb", "opfs"]);
  checked("mode", mode, ["write", "read", "auto"]);
  const opened = new Opened(name, tell);
  try {
    if (mode === "read") {
      await opened.openToRead(await chosen(kind, name), "it was opened to read");
      return opened;
    }
    try {
      await write(opened, name, kind);
    } catch (error) {
      if (mode === "write" || !(error instanceof StorageLockedError)) throw error;
      await opened.openToRead(await chosen(kind, name), "another tab writes to it");
    }
    return opened;
  } catch (error) {
    await opened.close();
    throw await explained(error, `storage ${JSON.stringify(name)} could not be opened`);
  }
}

async function write(opened: Opened, name: string, kind: WantedKind): Promise<void> {
  const turn = await takeTurn(name, opened.lose);
  if (!turn) throw await locked(name);
  try {
    // With the turn, so that two do not choose differently.
    await opened.openToWrite(await chosen(kind, name), turn);
  } catch (error) {
    turn.release();
    throw error;
  }
}

/** Names of the graphs that are kept here, of both kinds, in order. */
export async function storedNames(): Promise<string[]> {
  const names = await ofBoth((kind) => kind.names());
  return [...new Set(names.flat())].sort();
}

/** Removes what is kept under a name, of either kind. Fails with `StorageLockedError` while one writes to it. */
export async function removeStorage(name: string): Promise<void> {
  checkedName(name);
  const turn = await takeTurn(name, () => {});
  if (!turn) throw await locked(name);
  try {
    await ofBoth((kind) => kind.remove(name));
    const neighbours = new Neighbours(name, () => {});
    neighbours.tell({ type: "saved" });
    neighbours.close();
  } catch (error) {
    throw error instanceof Taken ? await locked(name) : await explained(error, `storage ${JSON.stringify(name)} could not be removed`);
  } finally {
    turn.release();
  }
}

/**
 * Asks the browser to keep the data of this site when the disk gets full; it may ask the user. Call it in a page, not in a worker, when the
 * user has just done something that is worth keeping. Whether the data will be kept.
 */
export async function askToPersist(): Promise<boolean> {
  const manager = storageManager() as Partial<StorageManager> | undefined;
  if (await manager?.persisted?.()) return true;
  return (await manager?.persist?.()) ?? false;
}

type WantedKind = NonNullable<StorageOptions["kind"]>;

/** Where a name is already, else where it is best kept. */
async function chosen(wanted: WantedKind, name: string): Promise<Kind> {
  if (wanted !== "auto") return wanted === "opfs" ? opfs : indexeddb;
  const inDatabase = await ifAvailable(indexeddb.has(name));
  if (inDatabase) return indexeddb;
  const inFiles = await ifAvailable(opfs.has(name));
  return inFiles || (inFiles === false && canWriteFiles()) ? opfs : indexeddb;
}

/** Asks both kinds; one that is not to be had here has nothing to say. */
async function ofBoth<T>(ask: (kind: Kind) => Promise<T>): Promise<T[]> {
  const inDatabase = await ifAvailable(ask(indexeddb));
  const inFiles = await ifAvailable(ask(opfs));
  return [inDatabase, inFiles].filter((answer) => answer !== undefined);
}

async function ifAvailable<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Unavailable) return undefined;
    throw error;
  }
}

function checked(option: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) throw new StorageError(`the ${option} of a storage is ${allowed.join(", ")}, not ${JSON.stringify(value)}`);
}

function checkedName(name: string): void {
  if (typeof name !== "string" || name === "") throw new StorageError("a storage needs a name: any text that is not empty");
  // Half a character would turn into another one in the names of files and locks.
  if (new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(name)) !== name) {
    throw new StorageError(`the name of a storage, ${JSON.stringify(name)}, holds half a character (a surrogate without its other half)`);
  }
}
