/**
 * Pieces in two files, of which one counts at any time: appended to that one, or written whole into the other, which then counts.
 *
 * **Invariant:** a header is written only when what it speaks of is durable, and a file is emptied only when the other one counts. So
 * whatever moment the end comes at, the last state that somebody was told of is there, or the one that was being saved, whole.
 */

import { StorageError } from "../errors.js";
import type { ReadablePiece } from "../types.js";
import { crc32 } from "./crc32.js";
import { type Bytes, type Extent, FRAME_HEAD_BYTES, PIECE_BYTES_MAX, frameHead, header, newest } from "./frames.js";
import { type SyncFile, fill, whole } from "./sync_file.js";

/** Where the next piece goes. */
interface Place {
  which: number;
  generation: number;
  end: number;
}

/** A piece that is to take the place of all. Any other change gives it up. */
export interface Replacing {
  write(bytes: Uint8Array): void;
  /** Lets it take the place of all. */
  end(): void;
  abandon(): void;
}

export class TwoFileLog {
  readonly #name: string;
  readonly #files: readonly [SyncFile, SyncFile];
  /** None until it was looked for; generation 0 where nothing was ever saved. */
  #place: Place | undefined;
  /** What may count although a caller was told that it does not: until a file is cut off there, nothing else happens. */
  #doubtful: { file: SyncFile; from: number } | undefined;
  /** The replacement that is being written. */
  #replacing: Replacing | undefined;

  constructor(name: string, files: readonly [SyncFile, SyncFile]) {
    this.#name = name;
    this.#files = files;
  }

  load(): Uint8Array[] {
    return this.open().map((piece) => {
      const bytes = new Uint8Array(piece.length);
      piece.read(0, bytes);
      return bytes;
    });
  }

  /** The pieces, to be read a part at a time until the next replacement. */
  open(): ReadablePiece[] {
    this.#settle();
    const found = newest(this.#name, this.#files.map(bytesOf));
    if (!found) {
      this.#place = { which: 1, generation: 0, end: 0 };
      return [];
    }
    const { which, log } = found;
    this.#place = { which, generation: log.generation, end: log.end };
    return log.pieces.map((extent) => pieceOf(this.#file(which), extent));
  }

  append(piece: Uint8Array): void {
    this.#settle();
    const place = this.#found();
    if (place.generation === 0) return this.replace(piece);
    checkLength(piece.length);
    const { end: at, generation } = place;
    const file = this.#file(place.which);
    const head = frameHead(piece.length, crc32(piece), generation);
    // A torn tail: behind a shorter frame it would look like damage.
    if (file.getSize() > at) file.truncate(at);
    this.#sure(file, at, () => {
      whole(file.write(head, { at }), head.length);
      whole(file.write(piece, { at: at + head.length }), piece.length);
      file.flush();
    });
    place.end = at + head.length + piece.length;
  }

  replace(piece: Uint8Array): void {
    const replacing = this.begin();
    replacing.write(piece);
    replacing.end();
  }

  /** Begins a piece that is to take the place of all, in the file that does not count. */
  begin(): Replacing {
    this.#settle();
    const { which, generation } = this.#found();
    const next = { which: 1 - which, generation: generation + 1 };
    const file = this.#file(next.which);
    const start = header(this.#name, next.generation);
    const from = start.length + FRAME_HEAD_BYTES;
    let [length, check] = [0, 0];
    // The space of the header reads as zeros until the end, so that the file does not count.
    file.truncate(0);
    const change = (what: () => void): void => {
      if (this.#replacing !== replacing) throw new StorageError("a piece that was given up cannot be gone on with");
      try {
        this.#sure(file, 0, what);
      } catch (error) {
        this.#replacing = undefined;
        throw error;
      }
    };
    const replacing: Replacing = {
      write: (bytes) =>
        change(() => {
          checkLength(length + bytes.length);
          whole(file.write(bytes, { at: from + length }), bytes.length);
          length += bytes.length;
          check = crc32(bytes, check);
        }),
      end: () => {
        change(() => {
          whole(file.write(frameHead(length, check, next.generation), { at: start.length }), FRAME_HEAD_BYTES);
          file.flush();
          whole(file.write(start, { at: 0 }), start.length);
          file.flush();
        });
        this.#replacing = undefined;
        this.#place = { ...next, end: from + length };
        // It does not count any more, and the next replacement empties it as well.
        attempt(() => this.#file(which).truncate(0));
      },
      abandon: () => {
        if (this.#replacing !== replacing) return;
        this.#replacing = undefined;
        attempt(() => file.truncate(0));
      },
    };
    this.#replacing = replacing;
    return replacing;
  }

  close(): void {
    attempt(() => this.#settle());
    for (const file of this.#files) file.close();
  }

  /** Does what must not count if it fails: the file is then cut off at a place. */
  #sure(file: SyncFile, from: number, change: () => void): void {
    try {
      change();
    } catch (error) {
      this.#doubt(file, from);
      throw error;
    }
  }

  #doubt(file: SyncFile, from: number): void {
    this.#doubtful = { file, from };
    // Tried again before anything else.
    attempt(() => this.#settle());
  }

  #settle(): void {
    this.#replacing = undefined;
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

  #file(which: number): SyncFile {
    return this.#files[which === 0 ? 0 : 1];
  }
}

/** A file, to be looked at. */
function bytesOf(file: SyncFile): Bytes {
  let buffer = new Uint8Array();
  return {
    length: file.getSize(),
    read: (at, length) => {
      if (buffer.length < length) buffer = new Uint8Array(length);
      const part = buffer.subarray(0, length);
      fill(file, at, part);
      return part;
    },
  };
}

function pieceOf(file: SyncFile, { at, length }: Extent): ReadablePiece {
  return {
    length,
    read: (from, into) => {
      if (from + into.length > length) throw new StorageError(`byte ${from + into.length} of a piece of ${length} was asked for`);
      fill(file, at + from, into);
    },
  };
}

function checkLength(length: number): void {
  if (length > PIECE_BYTES_MAX) throw new StorageError(`a piece has ${length} bytes, and a file takes pieces of ${PIECE_BYTES_MAX} at most`);
}

/** Tidies up, as far as the disk lets it. */
function attempt(tidy: () => void): void {
  try {
    tidy();
  } catch {
    // What failed before is what the caller is told.
  }
}
