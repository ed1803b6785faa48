/**
 * How pieces lie in a file: a header, then a frame per piece. The layout is in docs/format.md, "In a browser".
 *
 * Nothing here opens or writes a file, so that every byte of it can be tried in Node. What is read is read a part at a time.
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

/** Bytes that are read a part at a time. */
export interface Bytes {
  readonly length: number;
  /** Those from `at` on, `length` of them, which are there. A view that holds until the next call. */
  read(at: number, length: number): Uint8Array;
}

/** Bytes that are in memory. */
export function inMemory(bytes: Uint8Array): Bytes {
  return { length: bytes.length, read: (at, length) => bytes.subarray(at, at + length) };
}

/** Where a piece lies in its file. */
export interface Extent {
  at: number;
  length: number;
}

/** What a file has. */
export interface Log {
  /** Of two files the one with the higher generation counts. */
  generation: number;
  pieces: Extent[];
  /** Where the next frame goes; what follows is the torn tail of a write that nobody was told of. */
  end: number;
}

/** Bytes that are looked at together. */
const PART_BYTES = 1 << 20;

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

/**
 * What stands before a piece of this length and checksum. Bound to its generation, so that what the disk kept of an older file never passes for a
 * frame.
 */
export function frameHead(length: number, check: number, generation: number): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEAD_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, length, true);
  view.setUint32(4, check, true);
  view.setUint32(8, headCheck(bytes, generation), true);
  return bytes;
}

/** The one of two files that counts; none where nothing was ever saved. */
export function newest(name: string, files: readonly Bytes[]): { log: Log; which: number } | undefined {
  let best: { start: Start; which: number } | undefined;
  files.forEach((bytes, which) => {
    const start = begun(bytes);
    if (start && (!best || start.generation > best.start.generation)) best = { start, which };
  });
  // What does not count may be anything: it was being emptied, or written anew.
  if (best) return { log: parsed(files[best.which]!, best.start), which: best.which };
  // Without a file that counts, all that may be here is the header of the very first save, torn.
  if (!files.every((bytes) => isTornFirst(bytes, header(name, 1)))) throw damaged(name, "its header is not what was written");
  return undefined;
}

/** The name in the header of a file, of which the beginning is enough. */
export function nameIn(bytes: Uint8Array): string | undefined {
  return begun(inMemory(bytes))?.name;
}

/** A header, and how long it is. */
interface Start {
  name: string;
  generation: number;
  headerBytes: number;
}

function parsed(bytes: Bytes, start: Start): Log {
  const pieces: Extent[] = [];
  let end = start.headerBytes;
  while (end + FRAME_HEAD_BYTES <= bytes.length) {
    const head = bytes.read(end, FRAME_HEAD_BYTES);
    const view = viewOf(head);
    const [length, check] = [view.getUint32(0, true), view.getUint32(4, true)];
    if (view.getUint32(8, true) !== headCheck(head, start.generation)) {
      if (hasHeadBehind(bytes, end, start.generation)) throw damaged(start.name, `the head of piece ${pieces.length} is not what was written`);
      break;
    }
    const at = end + FRAME_HEAD_BYTES;
    const to = at + length;
    if (to > bytes.length) break;
    if (checkOf(bytes, at, length) !== check) {
      // Frames are written one after the other, each only after the one before was durable: this one was.
      if (to < bytes.length) throw damaged(start.name, `piece ${pieces.length} is not what was written`);
      break;
    }
    pieces.push({ at, length });
    end = to;
  }
  // The header is written after the first frame is durable.
  if (pieces.length === 0) throw damaged(start.name, "its first piece is not what was written");
  return { generation: start.generation, pieces, end };
}

function checkOf(bytes: Bytes, at: number, length: number): number {
  let check = 0;
  for (let done = 0; done < length; done += PART_BYTES) check = crc32(bytes.read(at + done, Math.min(PART_BYTES, length - done)), check);
  return check;
}

/** Whether a frame begins behind a place: then what is there is no torn tail, since frames are written one after the other. */
function hasHeadBehind(bytes: Bytes, place: number, generation: number): boolean {
  for (let from = place + 1; from + FRAME_HEAD_BYTES <= bytes.length; from += PART_BYTES) {
    const part = bytes.read(from, Math.min(PART_BYTES + FRAME_HEAD_BYTES - 1, bytes.length - from));
    const view = viewOf(part);
    for (let at = 0; at + FRAME_HEAD_BYTES <= part.length; at++) {
      // Few bytes pass for a length, so few are checked.
      if (view.getUint32(at, true) > bytes.length - from - at - FRAME_HEAD_BYTES) continue;
      if (view.getUint32(at + 8, true) === headCheck(part.subarray(at, at + FRAME_HEAD_BYTES), generation)) return true;
    }
  }
  return false;
}

function begun(bytes: Bytes): Start | undefined {
  if (bytes.length < FIXED_BYTES) return undefined;
  const fixed = bytes.read(0, FIXED_BYTES);
  if (MAGIC.some((byte, at) => fixed[at] !== byte)) return undefined;
  const view = viewOf(fixed);
  const version = view.getUint32(8, true);
  if (version > VERSION) {
    throw new StorageVersionError(
      `a newer CortexKG wrote this storage (version ${version} of its files, and this one knows ${VERSION}); reload the page, or update the package cortexkg`,
    );
  }
  const checked = FIXED_BYTES + view.getUint32(12, true);
  const generation = Number(view.getBigUint64(16, true));
  if (checked + CHECK_BYTES > bytes.length) return undefined;
  const all = bytes.read(0, checked + CHECK_BYTES);
  if (viewOf(all).getUint32(checked, true) !== crc32(all.subarray(0, checked))) return undefined;
  return {
    name: new TextDecoder("utf-8", { ignoreBOM: true }).decode(all.subarray(FIXED_BYTES, checked)),
    generation,
    headerBytes: checked + CHECK_BYTES,
  };
}

/** Whether this may be what a crash left of a header that was being written where there was nothing. */
function isTornFirst(bytes: Bytes, whole: Uint8Array): boolean {
  return bytes.read(0, Math.min(whole.length, bytes.length)).every((byte, at) => byte === 0 || byte === whole[at]);
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
