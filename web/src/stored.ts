/** What a page asks of storages as wholes; they are loaded when it does, since most pages never do. */

/** Names of the graphs that are kept here, of both kinds, in order. */
export async function storedNames(): Promise<string[]> {
  return (await import("./storage/index.js")).storedNames();
}

/** Removes what is kept under a name, of either kind. Rejects with `StorageLockedError` where it is open. */
export async function removeStorage(name: string): Promise<void> {
  return (await import("./storage/index.js")).removeStorage(name);
}

/** Asks the browser to keep what is stored even when the disk gets full. Some browsers ask the user. Whether it does. */
export async function askToPersist(): Promise<boolean> {
  return (await import("./storage/index.js")).askToPersist();
}
