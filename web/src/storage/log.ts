/**
 * Pieces in two files, of which one counts at any time: appended to that one, or written whole into the other, which then counts.
 *
 * **Invariant:** a header is written only when what it speaks of is durable, and a file is emptied only when the other one counts. So
 * whatever moment the end comes at, the last state that somebody was told of is there, or the one that was being saved, whole.
 */

import { StorageError } from "../errors.js";
import { FRAME_HEAD_BYTES, PIECE_BYTES_MAX, frameHead, header, newest } from "./frames.js";

/** A file that one alone writes to: what `createSyncAccessHandle` gives. */
export interface LogFile {
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

/** Where the next piece goes. */
interface Place {
  which: number;
  generation: number;
  end: number;
}

export class TwoFileLog {
  readonly #name: string;
  readonly #files: readonly [LogFile, LogFile];
  /** None until it was looked for; generation 0 where nothing was ever saved. */
  #place: Place | undefined;
  /** What may count although a caller was told that it does not: until a file is cut off there, nothing else happens. */
  #doubtful: { file: LogFile; from: number } | undefined;

  constructor(name: string, files: readonly [LogFile, LogFile]) {
    this.#name = name;
    this.#files = files;
  }

  load(): Uint8Array[] {
    this.#settle();
    const found = newest(this.#name, this.#files.map(content));
    if (!found) {
      this.#place = { which: 1, generation: 0, end: 0 };
      return [];
    }
    const { which, log } = found;
    this.#place = { which, generation: log.generation, end: log.end };
    return log.pieces;
  }

  append(piece: Uint8Array): void {
    this.#settle();
    const place = this.#found();
    if (place.generation === 0) return this.replace(piece);
    place.end = this.#written(this.#file(place.which), piece, place.generation, place.end);
  }

  replace(piece: Uint8Array): void {
    this.#settle();
    const { which, generation } = this.#found();
    const next = { which: 1 - which, generation: generation + 1 };
    const file = this.#file(next.which);
    const start = header(this.#name, next.generation);
    // The space of the header reads as zeros until then, so that the file does not count.
    file.truncate(0);
    const end = this.#written(file, piece, next.generation, start.length);
    try {
      whole(file.write(start, { at: 0 }), start.length);
      file.flush();
    } catch (error) {
      this.#doubt(file, 0);
      throw error;
    }
    this.#place = { ...next, end };
    // It does not count any more, and the next replacement empties it as well.
    attempt(() => this.#file(which).truncate(0));
  }

  close(): void {
    attempt(() => this.#settle());
    for (const file of this.#files) file.close();
  }

  /** Writes a frame and makes it durable. The end of it. */
  #written(file: LogFile, piece: Uint8Array, generation: number, at: number): number {
    if (piece.length > PIECE_BYTES_MAX) {
      throw new StorageError(`a piece has ${piece.length} bytes, and a file takes pieces of ${PIECE_BYTES_MAX} at most`);
    }
    const head = frameHead(piece, generation);
    const from = at + FRAME_HEAD_BYTES;
    // A torn tail: behind a shorter frame it would look like damage.
    if (file.getSize() > at) file.truncate(at);
    try {
      whole(file.write(head, { at }), head.length);
      whole(file.write(piece, { at: from }), piece.length);
      file.flush();
    } catch (error) {
      this.#doubt(file, at);
      throw error;
    }
    return from + piece.length;
  }

  #doubt(file: LogFile, from: number): void {
    this.#doubtful = { file, from };
    // Tried again before anything else.
    attempt(() => this.#settle());
  }

  #settle(): void {
    if (!this.#doubtful) return;
    const { file, from } = this.#doubtful;
    file.truncate(from);
    file.flush();
    this.#doubtful = undefined;
  }

  #found(): Place {
    if (!this.#place) this.load();
    return this.#place!;
  }

  #file(which: number): LogFile {
    return this.#files[which === 0 ? 0 : 1];
  }
}

function content(file: LogFile): Uint8Array {
  const bytes = new Uint8Array(file.getSize());
  let at = 0;
  while (at < bytes.length) {
    const read = file.read(bytes.subarray(at), { at });
    if (read <= 0) throw new StorageError(`a file ended at byte ${at} of ${bytes.length} while it was read; open the storage again`);
    at += read;
  }
  return bytes;
}

/** Fails where only a part was written. */
function whole(written: number, wanted: number): void {
  if (written < wanted) throw new NoRoom(`only ${written} of ${wanted} bytes were written`);
}

/** Tidies up, as far as the disk lets it. */
function attempt(tidy: () => void): void {
  try {
    tidy();
  } catch {
    // What failed before is what the caller is told.
  }
}
