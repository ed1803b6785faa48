/// <reference types="node" />
/** A graph in files of this machine, for Node. */

import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

import { StorageError, StorageLockedError } from "./errors.js";
import { type LogFile, TwoFileLog } from "./storage/log.js";
import type { Storage } from "./types.js";

const LOCK = "lock";
const FILES = ["0.log", "1.log"] as const;

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
  locked(lock);
  const opened: LogFile[] = [];
  try {
    const [first, second] = FILES.map((name) => file(join(folder, name), opened));
    // As a header has the name of what it belongs to: here a folder may be moved.
    const log = new TwoFileLog("", [first!, second!]);
    return {
      load: async () => log.load(),
      append: async (piece) => log.append(piece),
      replace: async (piece) => log.replace(piece),
      close: async () => {
        log.close();
        rmSync(lock, { force: true });
      },
    };
  } catch (error) {
    for (const file of opened) file.close();
    rmSync(lock, { force: true });
    throw failed(folder, error);
  }
}

/** A file as the log takes it. */
function file(path: string, opened: LogFile[]): LogFile {
  // Made if it is not there, and never emptied by opening.
  const descriptor = openSync(path, "a+");
  closeSync(descriptor);
  const open = openSync(path, "r+");
  const made: LogFile = {
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

/** Takes the lock, also from a process that is no more. */
function locked(lock: string): void {
  for (let attempt = 0; ; attempt++) {
    try {
      const descriptor = openSync(lock, "wx");
      writeSync(descriptor, `${process.pid}`);
      closeSync(descriptor);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw failed(lock, error);
    }
    const holder = holderOf(lock);
    if (attempt > 0 || isAlive(holder)) {
      throw new StorageLockedError(`process ${holder ?? "?"} has this graph; end it, or if it is no CortexKG, remove ${lock}`);
    }
    rmSync(lock, { force: true });
  }
}

function holderOf(lock: string): number | undefined {
  try {
    const holder = Number(readFileSync(lock, "utf8"));
    return Number.isInteger(holder) && holder > 0 ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a process runs; one that cannot be told is taken for one. */
function isAlive(process_: number | undefined): boolean {
  if (process_ === undefined) return true;
  try {
    process.kill(process_, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function failed(place: string, error: unknown): Error {
  if (error instanceof StorageError || error instanceof StorageLockedError) return error;
  return new StorageError(`${place} cannot be used: ${error instanceof Error ? error.message : String(error)}`);
}
