/** Pieces in files of the origin (OPFS): a folder for each name, with two files that `log.ts` keeps. Only a dedicated worker can write them. */

import { StorageError } from "../errors.js";
import type { ReadablePiece, Replacement } from "../types.js";
import { storageManager } from "./browser.js";
import { Unavailable, said } from "./failures.js";
import { inMemory, nameIn, newest } from "./frames.js";
import { TwoFileLog } from "./log.js";
import { Taken, patiently, type Kind, type Place } from "./place.js";

const ROOT = "cortexkg";
const FILES = ["0.log", "1.log"] as const;
/** Enough for a header with a name of any sensible length. */
const HEADER_BYTES_MAX = 1 << 16;
/** How often a reader looks again when the writer changed a file under its eyes. */
const LOOKS_MAX = 20;
/** How often in a row a reader must have seen nothing to believe it: a busy writer can come between its two reads more than once. */
const NOTHINGS = 6;

/** Whether files of the origin can be written from here. */
export function canWriteFiles(): boolean {
  return typeof FileSystemFileHandle === "function" && "createSyncAccessHandle" in FileSystemFileHandle.prototype;
}

export const opfs: Kind = {
  kind: "opfs",

  has: async (name) => {
    const folder = await folderOf(name);
    return folder !== undefined && (await savedName(folder)) !== undefined;
  },

  names: async () => {
    const root = await opened(await origin(), ROOT);
    const names: string[] = [];
    for await (const entry of root?.values() ?? []) {
      const name = entry.kind === "directory" ? await savedName(entry as FileSystemDirectoryHandle) : undefined;
      if (name !== undefined) names.push(name);
    }
    return names;
  },

  openToRead: async (name) => {
    await origin();
    return new ReadFiles(name);
  },

  openToWrite: async (name) => {
    const root = await (await origin()).getDirectoryHandle(ROOT, { create: true });
    if (!canWriteFiles()) {
      throw new StorageError('files of the origin can only be written in a worker: open with worker: true, or with kind "indexeddb"');
    }
    const folder = await root.getDirectoryHandle(await folderName(name), { create: true });
    const first = await handle(folder, FILES[0]);
    try {
      return new WrittenFiles(new TwoFileLog(name, [first, await handle(folder, FILES[1])]));
    } catch (error) {
      first.close();
      throw error;
    }
  },

  remove: async (name) => {
    const root = await opened(await origin(), ROOT);
    const folder = await folderName(name);
    const gone = await patiently(async () => {
      try {
        await root?.removeEntry(folder, { recursive: true });
        return true;
      } catch (error) {
        if (isNamed(error, "NotFoundError")) return true;
        if (isNamed(error, "NoModificationAllowedError")) return undefined;
        throw error;
      }
    });
    if (!gone) throw new Taken("its files are open elsewhere");
  },
};

/** Files that this one alone writes: the handles are exclusive, so it needs no other fence. */
class WrittenFiles implements Place {
  readonly #log: TwoFileLog;

  constructor(log: TwoFileLog) {
    this.#log = log;
  }

  async load(): Promise<Uint8Array[]> {
    return this.#log.load();
  }

  async open(): Promise<ReadablePiece[]> {
    return this.#log.open();
  }

  async append(piece: Uint8Array): Promise<void> {
    this.#log.append(piece);
  }

  async replace(piece: Uint8Array): Promise<void> {
    this.#log.replace(piece);
  }

  begin(): Replacement {
    const { write, end, abandon } = this.#log.begin();
    return { write, end: async () => end(), abandon };
  }

  async close(): Promise<void> {
    this.#log.close();
  }
}

/** Files that another one may be writing. */
class ReadFiles implements Place {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  async load(): Promise<Uint8Array[]> {
    let nothings = 0;
    for (let look = 1; ; look++) {
      try {
        const folder = await folderOf(this.#name);
        if (!folder) return [];
        // One after the other: between the two the first may have become the one that counts, and the second empty.
        const files = [await content(folder, FILES[0]), await content(folder, FILES[1])];
        const found = newest(this.#name, files.map(inMemory));
        if (found) return found.log.pieces.map(({ at, length }) => files[found.which]!.subarray(at, at + length));
        if (++nothings === NOTHINGS) return [];
      } catch (error) {
        nothings = 0;
        // A file that changed while it was read, mostly.
        if (look >= LOOKS_MAX) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 10 * look));
    }
  }

  append(): Promise<void> {
    return Promise.reject(new StorageError("it was opened to read"));
  }

  replace(): Promise<void> {
    return this.append();
  }

  async close(): Promise<void> {}
}

async function origin(): Promise<FileSystemDirectoryHandle> {
  const manager = storageManager();
  if (typeof manager?.getDirectory !== "function") throw new Unavailable("OPFS (files of the origin)", "this browser has none, or the page is not secure");
  try {
    return await manager.getDirectory();
  } catch (error) {
    throw new Unavailable("OPFS (files of the origin)", said(error));
  }
}

async function folderOf(name: string): Promise<FileSystemDirectoryHandle | undefined> {
  const root = await opened(await origin(), ROOT);
  return root && opened(root, await folderName(name));
}

async function opened(parent: FileSystemDirectoryHandle, name: string): Promise<FileSystemDirectoryHandle | undefined> {
  try {
    return await parent.getDirectoryHandle(name);
  } catch (error) {
    if (isNamed(error, "NotFoundError")) return undefined;
    throw error;
  }
}

/** Names of files are shorter, and mean less, than names of graphs; the name itself is in the header. */
async function folderName(name: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(name));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The name under which a folder holds something. */
async function savedName(folder: FileSystemDirectoryHandle): Promise<string | undefined> {
  for (const file of FILES) {
    const name = nameIn(await content(folder, file, HEADER_BYTES_MAX));
    if (name !== undefined) return name;
  }
  return undefined;
}

async function content(folder: FileSystemDirectoryHandle, name: string, limit = Infinity): Promise<Uint8Array> {
  try {
    const file = await (await folder.getFileHandle(name)).getFile();
    return new Uint8Array(await (file.size > limit ? file.slice(0, limit) : file).arrayBuffer());
  } catch (error) {
    if (isNamed(error, "NotFoundError")) return new Uint8Array();
    throw error;
  }
}

async function handle(folder: FileSystemDirectoryHandle, name: string): Promise<FileSystemSyncAccessHandle> {
  const file = await folder.getFileHandle(name, { create: true });
  const got = await patiently(async () => {
    try {
      return await file.createSyncAccessHandle();
    } catch (error) {
      if (isNamed(error, "NoModificationAllowedError")) return undefined;
      throw error;
    }
  });
  if (!got) throw new Taken("its files are open elsewhere");
  return got;
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
