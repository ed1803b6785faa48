/** Pieces in IndexedDB: one transaction for each change, durable when it is over. */

import { StorageError } from "../errors.js";
import { completed, done, openDatabase } from "./database.js";
import { Fenced, type Kind, type Place } from "./place.js";

export const indexeddb: Kind = {
  kind: "indexeddb",

  has: (name) => withDatabase(async (database) => {
    const key = await done(database.transaction("pieces").objectStore("pieces").getKey(piecesOf(name)));
    return key !== undefined;
  }),

  names: () => withDatabase(async (database) => {
    const names: string[] = [];
    const request = database.transaction("pieces").objectStore("pieces").openKeyCursor();
    for (let cursor = await done(request); cursor; cursor = await done(request)) {
      const [name] = cursor.key as [string];
      names.push(name);
      // To the next name: an array is behind every number.
      cursor.continue([name, []]);
    }
    return names;
  }),

  openToRead: async (name, lost) => new Pieces(name, await openDatabase(lost), undefined),

  openToWrite: async (name, lost) => {
    const database = await openDatabase(lost);
    try {
      return new Pieces(name, database, await newWriter(database, name));
    } catch (error) {
      database.close();
      throw error;
    }
  },

  remove: (name) => withDatabase(async (database) => {
    const transaction = writing(database);
    transaction.objectStore("pieces").delete(piecesOf(name));
    // Whoever may still think that it writes has a number that no other will ever have.
    transaction.objectStore("meta").delete(writerOf(name));
    await completed(transaction);
  }),
};

class Pieces implements Place {
  readonly #name: string;
  readonly #database: IDBDatabase;
  /** Its number, if it may write. */
  readonly #writer: number | undefined;
  /** Pieces that it tried to write. */
  #count = 0;

  constructor(name: string, database: IDBDatabase, writer: number | undefined) {
    this.#name = name;
    this.#database = database;
    this.#writer = writer;
  }

  async load(): Promise<Uint8Array[]> {
    const store = this.#database.transaction("pieces").objectStore("pieces");
    const pieces: unknown[] = await done(store.getAll(piecesOf(this.#name)));
    return pieces.map((piece) => {
      if (piece instanceof Uint8Array) return piece;
      // Version 1 did not care.
      if (piece instanceof ArrayBuffer) return new Uint8Array(piece);
      throw new StorageError(`storage ${JSON.stringify(this.#name)} holds something that is not bytes; another program wrote to the database "cortexkg"`);
    });
  }

  append(piece: Uint8Array): Promise<void> {
    return this.#change((pieces, key) => pieces.put(alone(piece), key));
  }

  replace(piece: Uint8Array): Promise<void> {
    return this.#change((pieces, key) => {
      pieces.delete(piecesOf(this.#name));
      pieces.put(alone(piece), key);
    });
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  /** The change is asked for at once, so that the piece is copied before the caller goes on, and rolled back if another writes by now. */
  async #change(change: (pieces: IDBObjectStore, key: IDBValidKey) => void): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined) throw new Fenced("it was opened to read");
    const transaction = writing(this.#database);
    let isFenced = false;
    const current = transaction.objectStore("meta").get(writerOf(this.#name));
    current.onsuccess = () => {
      if (current.result === writer) return;
      isFenced = true;
      transaction.abort();
    };
    try {
      change(transaction.objectStore("pieces"), [this.#name, writer, this.#count++]);
    } catch (error) {
      transaction.abort();
      throw error;
    }
    try {
      await completed(transaction);
    } catch (error) {
      throw isFenced ? new Fenced("another tab writes to it by now") : error;
    }
  }
}

/** Makes whoever asks the writer of a name. Numbers rise over all names, so that pieces of later writers are behind those of earlier ones. */
async function newWriter(database: IDBDatabase, name: string): Promise<number> {
  const transaction = writing(database);
  const meta = transaction.objectStore("meta");
  const last: unknown = await done(meta.get(LAST_WRITER));
  const writer = (typeof last === "number" ? last : 0) + 1;
  meta.put(writer, LAST_WRITER);
  meta.put(writer, writerOf(name));
  await completed(transaction);
  return writer;
}

const LAST_WRITER = "last writer";

function writerOf(name: string): IDBValidKey {
  return ["writer", name];
}

/** Keys are name, number of the writer, number of the piece. */
function piecesOf(name: string): IDBKeyRange {
  return IDBKeyRange.bound([name], [name, []]);
}

function writing(database: IDBDatabase): IDBTransaction {
  return database.transaction(["pieces", "meta"], "readwrite", { durability: "strict" });
}

/** A view would take all of its buffer along, which may be the memory of a module. */
function alone(piece: Uint8Array): Uint8Array {
  return piece.byteLength === piece.buffer.byteLength && piece.buffer instanceof ArrayBuffer ? piece : piece.slice();
}

async function withDatabase<T>(use: (database: IDBDatabase) => Promise<T>): Promise<T> {
  const database = await openDatabase(() => {});
  try {
    return await use(database);
  } finally {
    database.close();
  }
}
