/**
 * Whose turn it is to write: one tab or worker of all that have a name open. By Web Locks, which end with whoever holds one, however
 * it ends. Where there are none (a page without https), everybody gets a turn, and what is below decides: IndexedDB by its fence, files by
 * their handles.
 */

import { lockManager } from "./browser.js";
import { patiently } from "./place.js";

/** The right to write, until it is given back. */
export interface Turn {
  release(): void;
}

/** Takes the turn, if nobody has it. `lost` is called when the browser gives it to another. */
export async function takeTurn(name: string, lost: (reason: string) => void): Promise<Turn | undefined> {
  const locks = lockManager();
  if (!locks) return { release: () => {} };
  return patiently(() => attempt(locks, name, lost));
}

/** Whether somebody has the turn; `undefined` where that is not known. */
export async function isTaken(name: string): Promise<boolean | undefined> {
  const { held } = (await lockManager()?.query()) ?? {};
  return held?.some((lock) => lock.name === lockOf(name));
}

function attempt(locks: LockManager, name: string, lost: (reason: string) => void): Promise<Turn | undefined> {
  return new Promise((resolve, reject) => {
    let isHeld = false;
    const over = locks.request(lockOf(name), { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(undefined);
      isHeld = true;
      // The lock is held until this promise comes true.
      return new Promise<void>((release) => resolve({ release }));
    });
    over.catch((error: unknown) => {
      if (isHeld) lost("the right to write was given to another tab");
      else reject(error);
    });
  });
}

function lockOf(name: string): string {
  return `cortexkg/${name}`;
}
