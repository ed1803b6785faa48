/** A file of the origin for as long as a graph is open: what was said lies in it, and not in memory, where there is much of it. */

import type { Scratch } from "./types.js";
import { storageManager } from "./storage/browser.js";
import { fill, whole } from "./storage/sync_file.js";

const FOLDER = "cortexkg scratch";
/** How often another tab may take a new file for one that was left behind. */
const ATTEMPTS_MAX = 3;

/** A file that is gone once it is closed. */
export interface OpenScratch extends Scratch {
  close(): Promise<void>;
}

/** So many new files; none where files cannot be written from here: outside of workers, on pages that are not secure, in private windows. */
export async function openScratch(count: number): Promise<OpenScratch[]> {
  if (typeof FileSystemFileHandle !== "function" || !("createSyncAccessHandle" in FileSystemFileHandle.prototype)) return [];
  const opened: OpenScratch[] = [];
  const mine = Array.from({ length: count }, () => crypto.randomUUID());
  try {
    const origin = await storageManager()?.getDirectory();
    const folder = await origin?.getDirectoryHandle(FOLDER, { create: true });
    if (!folder) return [];
    for (const name of mine) opened.push(await made(folder, name));
    void tidy(folder, mine);
    return opened;
  } catch {
    // Memory does as well.
    for (const file of opened) await file.close();
    return [];
  }
}

async function made(folder: FileSystemDirectoryHandle, name: string): Promise<OpenScratch> {
  for (let attempt = 1; ; attempt++) {
    try {
      const file = await folder.getFileHandle(name, { create: true });
      return over(await file.createSyncAccessHandle(), folder, name);
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

function over(handle: FileSystemSyncAccessHandle, folder: FileSystemDirectoryHandle, name: string): OpenScratch {
  return {
    read: (at, into) => fill(handle, at, into),
    write: (at, bytes) => {
      whole(handle.write(bytes, { at }), bytes.length);
    },
    close: async () => {
      handle.close();
      await folder.removeEntry(name).catch(() => undefined);
    },
  };
}

/** Removes what tabs have left behind that were killed. Files that are open cannot be removed. */
async function tidy(folder: FileSystemDirectoryHandle, mine: readonly string[]): Promise<void> {
  try {
    for await (const name of folder.keys()) {
      if (!mine.includes(name)) await folder.removeEntry(name).catch(() => undefined);
    }
  } catch {
    // Whoever comes next does it.
  }
}
