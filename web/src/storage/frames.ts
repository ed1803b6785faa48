/**
 * How pieces lie in a file: a header, then a frame per piece. The layout is in docs/format.md, "In a browser".
 *
 * Nothing here reads or writes a file, so that every byte of it can be tried in Node.
 */

import { StorageError, StorageVersionError } from "../errors.js";
import { crc32 } from "./crc32.js";

/** `CKGlog` 0x00 0x00. */
const MAGIC = Uint8Array.of(0x43, 0x4b, 0x47, 0x6c, 0x6f, 0x67, 0, 0);
/** Newest version that can be read, and the one that is written. */
const VERSION = 1;
const FIXED_BYTES = 24;
const CHECK_BYTES = 4;
export const FRAME_HEAD_BYTES = 12;
/** What the length of a frame can say. */
export const PIECE_BYTES_MAX = 2 ** 32 - 1;

/** What a file has. */
export interface Log {
  /** Of two files the one with the higher generation counts. */
  generation: number;
  /** Views of what was read. */
  pieces: Uint8Array[];
  /** Where the next frame goes; what follows is the torn tail of a write that nobody was told of. */
  end: number;
}

/** The beginning of a file. */
export function header(name: string, generation: number): Uint8Array {
  const text = new TextEncoder().encode(name);
  const bytes = new Uint8Array(FIXED_BYTES + text.length + CHECK_BYTES);
  const view = viewOf(bytes);
  bytes.set(MAGIC);
  view.setUint32(8, VERSION, true);
  view.setUint32(12, text.length, true);
  view.setBigUint64(16, BigInt(generation), true);
  bytes.set(text, FIXED_BYTES);
  const checked = FIXED_BYTES + text.length;
  view.setUint32(checked, crc32(bytes.subarray(0, checked)), true);
  return bytes;
}

/** What stands before a piece. Bound to its generation, so that what the disk kept of an older file never passes for a frame. */
export function frameHead(piece: Uint8Array, generation: number): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEAD_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, piece.length, true);
  view.setUint32(4, crc32(piece), true);
  view.setUint32(8, headCheck(bytes, generation), true);
  return bytes;
}

/** The one of two files that counts; none where nothing was ever saved. */
export function newest(name: string, contents: readonly Uint8Array[]): { log: Log; which: number } | undefined {
  let best: { start: Start; which: number } | undefined;
  contents.forEach((bytes, which) => {
    const start = begun(bytes);
    if (start && (!best || start.generation > best.start.generation)) best = { start, which };
  });
  // What does not count may be anything: it was being emptied, or written anew.
  if (best) return { log: parsed(contents[best.which]!, best.start), which: best.which };
  // Without a file that counts, all that may be here is the header of the very first save, torn.
  if (!contents.every((bytes) => isTornFirst(bytes, header(name, 1)))) throw damaged(name, "its header is not what was written");
  return undefined;
}

/** The name in the header of a file, of which the beginning is enough. */
export function nameIn(bytes: Uint8Array): string | undefined {
  return begun(bytes)?.name;
}

/** A header, and how long it is. */
interface Start {
  name: string;
  generation: number;
  headerBytes: number;
}

function parsed(bytes: Uint8Array, start: Start): Log {
  const view = viewOf(bytes);
  const pieces: Uint8Array[] = [];
  let end = start.headerBytes;
  while (end + FRAME_HEAD_BYTES <= bytes.length) {
    const head = bytes.subarray(end, end + FRAME_HEAD_BYTES);
    if (view.getUint32(end + 8, true) !== headCheck(head, start.generation)) {
      if (hasHeadBehind(bytes, end, start.generation)) throw damaged(start.name, `the head of piece ${pieces.length} is not what was written`);
      break;
    }
    const from = end + FRAME_HEAD_BYTES;
    const to = from + view.getUint32(end, true);
    if (to > bytes.length) break;
    const piece = bytes.subarray(from, to);
    if (crc32(piece) !== view.getUint32(end + 4, true)) {
      // Frames are written one after the other, each only after the one before was durable: this one was.
      if (to < bytes.length) throw damaged(start.name, `piece ${pieces.length} is not what was written`);
      break;
    }
    pieces.push(piece);
    end = to;
  }
  // The header is written after the first frame is durable.
  if (pieces.length === 0) throw damaged(start.name, "its first piece is not what was written");
  return { generation: start.generation, pieces, end };
}

/** Whether a frame begins behind a place: then what is there is no torn tail, since frames are written one after the other. */
function hasHeadBehind(bytes: Uint8Array, place: number, generation: number): boolean {
  const view = viewOf(bytes);
  for (let at = place + 1; at + FRAME_HEAD_BYTES <= bytes.length; at++) {
    // Few bytes pass for a length, so few are checked.
    if (view.getUint32(at, true) > bytes.length - at - FRAME_HEAD_BYTES) continue;
    if (view.getUint32(at + 8, true) === headCheck(bytes.subarray(at, at + FRAME_HEAD_BYTES), generation)) return true;
  }
  return false;
}

function begun(bytes: Uint8Array): Start | undefined {
  if (bytes.length < FIXED_BYTES || MAGIC.some((byte, at) => bytes[at] !== byte)) return undefined;
  const view = viewOf(bytes);
  const version = view.getUint32(8, true);
  if (version > VERSION) {
    throw new StorageVersionError(
      `a newer CortexKG wrote this storage (version ${version} of its files, and this one knows ${VERSION}); reload the page, or update the package cortexkg`,
    );
  }
  const checked = FIXED_BYTES + view.getUint32(12, true);
  if (checked + CHECK_BYTES > bytes.length) return undefined;
  if (view.getUint32(checked, true) !== crc32(bytes.subarray(0, checked))) return undefined;
  return {
    name: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(FIXED_BYTES, checked)),
    generation: Number(view.getBigUint64(16, true)),
    headerBytes: checked + CHECK_BYTES,
  };
}

/** Whether this may be what a crash left of a header that was being written where there was nothing. */
function isTornFirst(bytes: Uint8Array, whole: Uint8Array): boolean {
  return bytes.subarray(0, whole.length).every((byte, at) => byte === 0 || byte === whole[at]);
}

function headCheck(head: Uint8Array, generation: number): number {
  const bound = new Uint8Array(16);
  bound.set(head.subarray(0, 8));
  viewOf(bound).setBigUint64(8, BigInt(generation), true);
  return crc32(bound);
}

function damaged(name: string, what: string): StorageError {
  return new StorageError(
    `storage ${JSON.stringify(name)} is damaged: ${what}. Nothing was changed; to begin anew, call removeStorage and import a copy that was exported`,
  );
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
