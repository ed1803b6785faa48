/** The database of IndexedDB: opened, brought to this version, watched. Its layout is in docs/format.md, "In a browser". */

import { StorageError, StorageLockedError, StorageVersionError } from "../errors.js";
import { Unavailable, said } from "./failures.js";

/**
 * One for all names: that something exists can be asked without making it, a name is removed in one transaction and never waits for
 * connections of others, and there is one version to bring forward.
 */
const DATABASE = "cortexkg";

/** What brings version n to n + 1. Each runs in the one transaction of the upgrade: all of it happens, or nothing. */
const STEPS: readonly ((database: IDBDatabase, transaction: IDBTransaction) => Promise<void>)[] = [
  // 1: a whole state under its name.
  async (database) => {
    database.createObjectStore("states");
  },
  // 2: pieces under name, writer and number. The state of before is the first piece, of the writer 0 that there never is.
  async (database, transaction) => {
    const pieces = database.createObjectStore("pieces");
    database.createObjectStore("meta");
    const states = transaction.objectStore("states");
    for (const name of await done(states.getAllKeys())) {
      // One after the other: all together may be more than fits in memory.
      await done(pieces.put(await done(states.get(name)), [name, 0, 0]));
    }
    database.deleteObjectStore("states");
  },
];
const VERSION = STEPS.length;

/** How long a tab with an older version may take to close its connection, after it was told to. */
const BLOCKED_MS = 2_000;
/** How long opening may take, on a slow machine too. Behind a request of another tab that waits, ours gets no event at all. */
const OPENING_MS = 10_000;

/** Opens it. `lost` is called when a newer version, or the user, wants it closed. */
export function openDatabase(lost: (reason: string) => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = requested();
    let failed: unknown;
    let isLate = false;
    let thrownAway: string | undefined;
    const within = (milliseconds: number, what: string): ReturnType<typeof setTimeout> =>
      setTimeout(() => {
        isLate = true;
        reject(new StorageLockedError(`${what}; close or reload the other tabs of this site, and try again`));
      }, milliseconds);
    let patience = within(OPENING_MS, `IndexedDB did not open within ${OPENING_MS / 1_000} s: another tab may have an older version of CortexKG open`);
    request.onupgradeneeded = (event) => {
      // Nobody is in the way, and it takes as long as it takes.
      clearTimeout(patience);
      thrownAway = whyThrownAway(event);
      const transaction = request.transaction!;
      upgraded(request.result, transaction, event.oldVersion).catch((error: unknown) => {
        failed = error;
        transaction.abort();
      });
    };
    request.onblocked = () => {
      clearTimeout(patience);
      // Who was told may still be finishing a transaction.
      patience = within(BLOCKED_MS, "another tab has an older version of CortexKG open, and does not let go of IndexedDB");
    };
    request.onerror = () => {
      clearTimeout(patience);
      reject(failed ?? refused(request.error));
    };
    request.onsuccess = () => {
      clearTimeout(patience);
      const database = request.result;
      if (isLate) return database.close();
      if (thrownAway !== undefined) {
        database.close();
        reject(
          new StorageError(
            `the browser found the IndexedDB of this site broken, and has thrown away every graph in it (${thrownAway}). Open it again to begin anew, and import a copy that was exported`,
          ),
        );
        return;
      }
      watched(database, lost);
      resolve(database);
    };
  });
}

/** What a request comes to. */
export function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** That all of a transaction is durable, or why nothing of it happened. Room may be refused as late as at its end. */
export function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new StorageError("the transaction was ended"));
  });
}

function requested(): IDBOpenDBRequest {
  try {
    // Not even named in Node and in some private modes, and an access that throws where cookies are forbidden.
    return indexedDB.open(DATABASE, VERSION);
  } catch (error) {
    throw new Unavailable("IndexedDB", said(error));
  }
}

/**
 * Chromium removes a database that it finds broken and makes an empty one. That happens, rarely, when it was killed in the middle of a write (google/leveldb#202).
 * It says so once, in a field of its own. Without a word from us, a graph would seem never to have been there.
 */
function whyThrownAway(event: IDBVersionChangeEvent & { dataLoss?: string; dataLossMessage?: string }): string | undefined {
  return event.dataLoss === "total" ? (event.dataLossMessage ?? "no reason given") : undefined;
}

async function upgraded(database: IDBDatabase, transaction: IDBTransaction, from: number): Promise<void> {
  for (const step of STEPS.slice(from)) await step(database, transaction);
}

function refused(error: DOMException | null): unknown {
  if (error?.name === "VersionError") {
    return new StorageVersionError(
      `a newer CortexKG wrote to the storages of this site (this one knows version ${VERSION}); reload the page, or update the package cortexkg`,
    );
  }
  // How browsers refuse it in private windows, and where the user keeps sites from storing anything. The rest may pass.
  const forbidden = ["SecurityError", "InvalidStateError", "NotSupportedError", "NotAllowedError"];
  return error && forbidden.includes(error.name) ? new Unavailable("IndexedDB", said(error)) : error;
}

function watched(database: IDBDatabase, lost: (reason: string) => void): void {
  database.onversionchange = (event) => {
    // Kept open, it would block the other one.
    database.close();
    const why = event.newVersion === null ? "the storages of this site are being deleted" : "a newer version of CortexKG in another tab takes it over";
    lost(`${why}; reload this page`);
  };
  database.onclose = () => lost("the browser closed it, perhaps because the data of this site was cleared; reload this page");
}
