// The two files of a storage on a disk that fails: at any byte, at any call, with any part of what was not flushed.

import assert from "node:assert/strict";
import { test } from "node:test";

import { StorageError, StorageVersionError } from "../../dist/errors.js";
import { crc32 } from "../../dist/storage/crc32.js";
import { frameHead, header, inMemory, nameIn, newest } from "../../dist/storage/frames.js";
import { TwoFileLog } from "../../dist/storage/log.js";
import { random } from "../random.mjs";

const NAME = "a graph, ⛵";
const SECTOR = 64;

/** A file of which only what was flushed is sure. */
class Disk {
  durable = new Uint8Array();
  /** Changes since then. */
  pending = [];
  now = new Uint8Array();
  constructor(power) {
    this.power = power;
  }
  getSize() {
    return this.now.length;
  }
  read(into, { at }) {
    const part = this.now.subarray(at, at + into.length);
    into.set(part);
    return part.length;
  }
  write(bytes, { at }) {
    const written = this.power.allows("write", bytes.length);
    const part = bytes.slice(0, written);
    this.#change({ at, part });
    this.power.check();
    return written;
  }
  truncate(size) {
    this.power.allows("truncate", 1);
    this.power.check();
    this.#change({ size });
  }
  flush() {
    this.power.allows("flush", 1);
    this.power.check();
    this.durable = this.now;
    this.pending = [];
  }
  close() {}
  #change(change) {
    this.pending.push(change);
    this.now = changed(this.now, change);
  }
  /** What is left when the process is killed: everything that was written. */
  killed() {
    return this.now;
  }
  /** What is left when the power goes: any sectors of what was not flushed, whatever its order. */
  unplugged(chance) {
    let left = this.durable;
    for (const change of this.pending) {
      if (change.size !== undefined) {
        if (chance() < 0.5) left = changed(left, change);
        continue;
      }
      for (let from = 0; from < change.part.length; from += SECTOR) {
        if (chance() < 0.5) left = changed(left, { at: change.at + from, part: change.part.subarray(from, from + SECTOR) });
      }
    }
    return left;
  }
}

function changed(bytes, { at, part, size }) {
  if (size !== undefined) {
    const result = new Uint8Array(size);
    result.set(bytes.subarray(0, size));
    return result;
  }
  const result = new Uint8Array(Math.max(bytes.length, at + part.length));
  result.set(bytes);
  result.set(part, at);
  return result;
}

class Cut extends Error {}

/** Power that ends after so many bytes, or calls that fail by chance. */
class Power {
  left = Infinity;
  #out = false;
  used = 0;
  faults = () => "none";
  allows(call, amount) {
    this.used += amount;
    const fault = this.faults(call);
    if (fault === "throw") throw Object.assign(new Error("no"), { name: "QuotaExceededError" });
    if (fault === "short") return amount >> 1;
    if (this.left >= amount) {
      this.left -= amount;
      return amount;
    }
    this.#out = true;
    return this.left;
  }
  check() {
    if (this.#out) throw new Cut();
  }
}

/** Operations by chance, and the state after each. */
function operations(chance, count) {
  let state = [];
  return Array.from({ length: count }, (_, number) => {
    const piece = Uint8Array.from({ length: Math.floor(chance() ** 3 * 700) }, (_, at) => (number * 31 + at * 7) & 255);
    const replaces = chance() < 0.35;
    state = replaces ? [piece] : [...state, piece];
    return { replaces, piece, after: state };
  });
}

/** By chance whole or part by part, which must make no difference. */
function apply(log, { replaces, piece }) {
  if (!replaces) return log.append(piece);
  if (piece.length % 3 === 0) return log.replace(piece);
  const replacing = log.begin();
  for (let at = 0; at < piece.length; at += 50) replacing.write(piece.subarray(at, at + 50));
  replacing.end();
}

function piecesOf(name, contents) {
  const found = newest(name, contents.map(inMemory));
  return found ? found.log.pieces.map(({ at, length }) => contents[found.which].subarray(at, at + length)) : [];
}

function disksWith(contents, power = new Power()) {
  return contents.map((content) => {
    const disk = new Disk(power);
    disk.now = disk.durable = content;
    return disk;
  });
}

function assertOneOf(found, states, what) {
  const isSame = (state) => found.length === state.length && state.every((piece, at) => Buffer.compare(piece, found[at]) === 0);
  assert.ok(states.some(isSame), `${what}: ${found.length} pieces, expected ${states.map((state) => state.length).join(" or ")}`);
}

/** Runs until the power ends after `left` bytes; then what is left must be the last state that was told of, or the next. */
function crash(ops, left, remains, what) {
  const power = new Power();
  power.left = left;
  const disks = disksWith([new Uint8Array(), new Uint8Array()], power);
  const log = new TwoFileLog(NAME, disks);
  let told = [];
  let saved = [];
  let next = 0;
  try {
    for (; next < ops.length; next++) {
      saved = ops[next].after;
      apply(log, ops[next]);
      told = saved;
    }
  } catch (error) {
    assert.ok(error instanceof Cut, String(error));
  }
  const contents = disks.map(remains);
  assertOneOf(piecesOf(NAME, contents), [told, saved], `${what}, read`);
  // And life goes on from there, whatever is left behind what counts.
  const reopened = disksWith(contents);
  const again = new TwoFileLog(NAME, reopened);
  const found = again.load();
  assertOneOf(found, [told, saved], what);
  again.append(Uint8Array.of(1, 2, 3));
  assert.equal(new TwoFileLog(NAME, reopened).load().length, found.length + 1, `${what}, appended`);
  again.replace(Uint8Array.of(4));
  assertOneOf(new TwoFileLog(NAME, reopened).load(), [[Uint8Array.of(4)]], `${what}, replaced`);
  return power.used;
}

test("a process that is killed at any byte leaves what was told of, or what was being saved, whole", () => {
  const ops = operations(random(7), 12);
  const all = crash(ops, Infinity, (disk) => disk.killed(), "not killed");
  for (let left = 0; left < all; left++) crash(ops, left, (disk) => disk.killed(), `killed after ${left} bytes`);
});

test("so does a power cut, whatever sectors the disk has kept", () => {
  const chance = random(11);
  for (let run = 0; run < 3_000; run++) {
    const ops = operations(chance, 8);
    const left = Math.floor(chance() * 3_000);
    crash(ops, left, (disk) => disk.unplugged(chance), `run ${run}, power for ${left} bytes`);
  }
});

test("what a full disk refuses changes nothing, and the next save succeeds", () => {
  const chance = random(13);
  for (let run = 0; run < 500; run++) {
    const power = new Power();
    const disks = disksWith([new Uint8Array(), new Uint8Array()], power);
    const log = new TwoFileLog(NAME, disks);
    let state = [];
    let refused = 0;
    for (const op of operations(chance, 20)) {
      power.faults = (call) => (chance() > 0.15 ? "none" : call === "write" && chance() < 0.5 ? "short" : "throw");
      let succeeded = false;
      // What is added depends on what was refused before.
      const before = state;
      try {
        apply(log, op);
        succeeded = true;
      } catch (error) {
        assert.equal(error.name, "QuotaExceededError");
        refused++;
      }
      power.faults = () => "none";
      if (succeeded) state = op.replaces ? [op.piece] : [...before, op.piece];
      assertOneOf(log.load(), [state], `run ${run}`);
      if (!succeeded) {
        apply(log, op);
        state = op.replaces ? [op.piece] : [...before, op.piece];
      }
      assertOneOf(new TwoFileLog(NAME, disksWith(disks.map((disk) => disk.durable))).load(), [state], `run ${run}, durable`);
    }
    assert.ok(run > 0 || refused > 0);
  }
});

test("a replacement counts when it has ended, and not when it was given up", () => {
  const disks = disksWith([new Uint8Array(), new Uint8Array()]);
  const log = new TwoFileLog(NAME, disks);
  log.append(Uint8Array.of(1));
  const first = log.begin();
  first.write(Uint8Array.of(2, 3));
  assert.deepEqual(piecesOf(NAME, disks.map((disk) => disk.now)), [Uint8Array.of(1)]);
  first.abandon();
  assert.throws(() => first.write(Uint8Array.of(4)), StorageError);
  assert.throws(() => first.end(), StorageError);
  const second = log.begin();
  second.write(Uint8Array.of(5));
  // What is added is behind what counts, and what was begun is not any more.
  log.append(Uint8Array.of(6));
  assert.throws(() => second.end(), StorageError);
  const third = log.begin();
  third.write(Uint8Array.of(7));
  third.write(Uint8Array.of(8, 9));
  third.end();
  third.abandon();
  const [piece] = log.open();
  const part = new Uint8Array(2);
  piece.read(1, part);
  assert.deepEqual([piece.length, ...part], [3, 8, 9]);
  assert.throws(() => piece.read(2, part), StorageError);
  assert.deepEqual(new TwoFileLog(NAME, disks).load(), [Uint8Array.of(7, 8, 9)]);
});

test("a byte that turned is told of, and no piece comes back changed", () => {
  const disks = disksWith([new Uint8Array(), new Uint8Array()]);
  const log = new TwoFileLog(NAME, disks);
  const pieces = [50, 0, 30, 20].map((length, number) => new Uint8Array(length).fill(number + 1));
  for (const piece of pieces) log.append(piece);
  const good = disks[0].now;
  let told = 0;
  for (let at = 0; at < good.length; at++) {
    const bad = good.slice();
    bad[at] ^= 0x41;
    try {
      const found = piecesOf(NAME, [bad, new Uint8Array()]);
      assertOneOf(found, [0, 1, 2, 3].map((count) => pieces.slice(0, count)), `byte ${at}`);
    } catch (error) {
      assert.ok(error instanceof StorageError || error instanceof StorageVersionError, String(error));
      told++;
    }
  }
  // Untold is what looks like a torn tail: the last frame.
  assert.equal(told, good.length - 20 - 12);
});

test("the header tells the name, and a version that is too new", () => {
  for (const name of ["a", "", "\ufeffmarked", "ключ/⛵".repeat(500)]) {
    assert.equal(nameIn(header(name, 3)), name);
    assert.equal(nameIn(header(name, 3).subarray(0, -1)), undefined);
  }
  const newer = header("a", 1);
  newer[8] = 2;
  assert.throws(() => nameIn(newer), StorageVersionError);
});

test("a frame of another generation does not pass", () => {
  const piece = Uint8Array.of(1, 2, 3);
  const head = (generation) => frameHead(piece.length, crc32(piece), generation);
  const file = (generation) => Buffer.concat([header("a", 5), head(5), piece, head(generation), piece]);
  assert.equal(piecesOf("a", [file(5), new Uint8Array()]).length, 2);
  assert.equal(piecesOf("a", [file(4), new Uint8Array()]).length, 1);
});
