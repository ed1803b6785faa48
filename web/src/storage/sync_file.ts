/** Files that answer at once, as workers have them: all that is asked for is read and written, or it fails. */

import { StorageError } from "../errors.js";

/** A file that one alone writes to: what `createSyncAccessHandle` gives. */
export interface SyncFile {
  getSize(): number;
  read(into: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** A file gave less room than was asked for. */
export class NoRoom extends Error {
  override name = "QuotaExceededError";
}

/** Reads as much as there is room for. */
export function fill(file: Pick<SyncFile, "read">, from: number, into: Uint8Array): void {
  for (let done = 0; done < into.length; ) {
    const read = file.read(into.subarray(done), { at: from + done });
    if (read <= 0) throw new StorageError(`a file ended at byte ${from + done} while it was read; open the storage again`);
    done += read;
  }
}

/** Fails where only a part was written. */
export function whole(written: number, wanted: number): void {
  if (written < wanted) throw new NoRoom(`only ${written} of ${wanted} bytes were written`);
}
