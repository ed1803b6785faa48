/// <reference types="node" />
/** A graph in files of this machine, for Node. */

import { randomUUID } from "node:crypto";
import {
  closeSync, fdatasyncSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, readSync, readdirSync, rmSync, statSync, writeFileSync, writeSync,
} from "node:fs";
import { join } from "node:path";

import { CortexError, StorageError, StorageLockedError, StorageQuotaError } from "./errors.js";
import { TwoFileLog } from "./storage/log.js";
import { type SyncFile, fill } from "./storage/sync_file.js";
import type { Scratch, Storage } from "./types.js";

const LOCK = "lock";
const FILES = ["0.log", "1.log"] as const;
/** Files for as long as a graph is open, with names that no other has. */
const SCRATCH = ["scratch", "swap"] as const;
const LEFT_BEHIND = /^(scratch|swap)\.[0-9a-f-]{36}$/;

/**
 * Keeps a graph in a folder, which is made if it is not there; for `CortexKG.open({ storage: fileStorage("people") })`. What `save` acknowledges is
 * on the disk, and one process at a time has it.
 *
 * Throws `StorageLockedError` where another process has it, `StorageError` where it cannot be opened.
 */
export function fileStorage(folder: string): Storage {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw failed(folder, error);
  }
  const lock = join(folder, LOCK);
  const mine = locked(lock);
  const opened: SyncFile[] = [];
  try {
    const [first, second] = FILES.map((name) => file(join(folder, name), opened));
    // As a header has the name of what it belongs to: here a folder may be moved.
    const log = new TwoFileLog("", [first!, second!]);
    rooted(folder);
    for (const name of readdirSync(folder)) if (LEFT_BEHIND.test(name)) rmSync(join(folder, name), { force: true });
    const paths = SCRATCH.map((name) => join(folder, `${name}.${randomUUID()}`));
    const [scratch, swap] = paths.map((path) => file(path, opened));
    const unlinked = (): void => paths.forEach((path) => rmSync(path, { force: true }));
    // Nobody else finds them then, and they go with the process. Windows keeps what is open.
    if (process.platform !== "win32") unlinked();
    let isOpen = true;
    const now = <T>(what: () => T): T => {
      // Its descriptors may be those of other files by now.
      if (!isOpen) throw new StorageError(`${folder} was closed; open it again`);
      try {
        return what();
      } catch (error) {
        throw failed(folder, error);
      }
    };
    const atOnce = (file: SyncFile): Scratch => ({
      read: (at, into) => now(() => fill(file, at, into)),
      write: (at, bytes) => void now(() => file.write(bytes, { at })),
    });
    const held = <T>(what: () => T): T =>
      now(() => {
        const holder = said(lock);
        if (holder !== undefined && holder !== mine) throw new StorageLockedError(`${told(holder)} has taken ${folder} over; end it, and open the graph again`);
        return what();
      });
    const use = async <T>(what: () => T): Promise<T> => held(what);
    return {
      load: () => use(() => log.load()),
      open: () => use(() => log.open()),
      append: (piece) => use(() => log.append(piece)),
      replace: (piece) => use(() => log.replace(piece)),
      begin: () => {
        const { write, end, abandon } = held(() => log.begin());
        return { write: (bytes) => held(() => write(bytes)), end: () => use(end), abandon: () => held(abandon) };
      },
      scratch: atOnce(scratch!),
      swap: atOnce(swap!),
      close: async () => {
        if (!isOpen) return;
        isOpen = false;
        try {
          log.close();
          for (const file of [scratch!, swap!]) file.close();
          unlinked();
        } finally {
          release(lock, mine);
        }
      },
    };
  } catch (error) {
    for (const file of opened) file.close();
    release(lock, mine);
    throw failed(folder, error);
  }
}

/** Makes the names of new files durable, where a folder can be asked to. */
function rooted(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A file as the log takes it. */
function file(path: string, opened: SyncFile[]): SyncFile {
  // Made if it is not there, and never emptied by opening.
  const descriptor = openSync(path, "a+");
  closeSync(descriptor);
  const open = openSync(path, "r+");
  const made: SyncFile = {
    getSize: () => fstatSync(open).size,
    read: (into, { at }) => readSync(open, into, 0, into.length, at),
    write: (bytes, { at }) => {
      let written = 0;
      while (written < bytes.length) written += writeSync(open, bytes, written, bytes.length - written, at + written);
      return written;
    },
    truncate: (size) => ftruncateSync(open, size),
    flush: () => fdatasyncSync(open),
    close: () => closeSync(open),
  };
  opened.push(made);
  return made;
}

/** How often it is tried to put a lock aside whose process is no more; each time another process was quicker. */
const ATTEMPTS_MAX = 10;
/** What putting it aside takes at the very most. */
const ASIDE_MAX_MS = 10_000;

/** Takes the lock, also from a process that is no more. What stands in it from now on. */
function locked(lock: string): string {
  // Process, when that began, and what no other lock has.
  const mine = `${process.pid} ${startOf(process.pid) ?? "?"} ${randomUUID()}`;
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(lock, mine, { flag: "wx" });
      return mine;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw failed(lock, error);
    }
    const holder = said(lock);
    // It has just been given back.
    if (holder === undefined && attempt < ATTEMPTS_MAX) continue;
    if (holder === undefined || attempt === ATTEMPTS_MAX || isAlive(holder)) {
      throw new StorageLockedError(`${told(holder ?? "")} has this graph; end it, or if it is no CortexKG, remove ${lock}`);
    }
    putAside(lock, holder);
  }
}

/**
 * Removes a lock if it still says what `left` says. One process at a time may, so that none removes what another has just written: nobody else
 * removes a lock but who wrote it, and that one is no more.
 */
function putAside(lock: string, left: string): void {
  const guard = `${lock}.aside`;
  try {
    closeSync(openSync(guard, "wx"));
  } catch {
    // Another one is at it, or was killed at it.
    const since = statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - since > ASIDE_MAX_MS) rmSync(guard, { force: true });
    return;
  }
  try {
    if (said(lock) === left) rmSync(lock, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

function release(lock: string, mine: string): void {
  if (said(lock) === mine) rmSync(lock, { force: true });
}

/** What stands in a lock; none if it is not there. */
function said(lock: string): string | undefined {
  try {
    return readFileSync(lock, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw failed(lock, error);
  }
}

function told(holder: string): string {
  return `process ${/^\d+/.exec(holder)?.[0] ?? "?"}`;
}

/** Whether a process runs; one that cannot be told is taken for one. */
function isAlive(holder: string): boolean {
  const [id, start] = holder.split(" ");
  const holding = Number(id);
  if (!Number.isInteger(holding) || holding <= 0) return true;
  try {
    process.kill(holding, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  // Numbers are given again, in a container always the same ones.
  const now = startOf(holding);
  return start === undefined || start === "?" || now === undefined || start === now;
}

/** When a process began, in ticks since the system did; none where the system does not say. */
function startOf(id: number): string | undefined {
  try {
    // Its name, in parentheses, may hold anything.
    return readFileSync(`/proc/${id}/stat`, "utf8").replace(/^.*\)/s, "").trim().split(" ")[19];
  } catch {
    return undefined;
  }
}

function failed(place: string, error: unknown): Error {
  if (error instanceof CortexError) return error;
  const { code, message, name } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT" || name === "QuotaExceededError") {
    return new StorageQuotaError(
      `${place} takes no more: ${message}. What was saved before is intact, and what is in memory can be saved again: make room on the disk`,
    );
  }
  return new StorageError(`${place} cannot be used: ${error instanceof Error ? message : String(error)}`);
}
