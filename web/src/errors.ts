/** What can go wrong, by name: errors come from a worker, where classes get lost, so `name` tells them apart as well. */

/** Any error of CortexKG's; its message says what was wrong and what to do next. */
export class CortexError extends Error {
  override name = "CortexError";
}
/** Another tab (or worker) writes to this storage. */
export class StorageLockedError extends CortexError {
  override name = "StorageLockedError";
}
/** The storage was opened to read, or another tab has taken it over. */
export class StorageReadOnlyError extends CortexError {
  override name = "StorageReadOnlyError";
}
/** The browser gives no more room. What was saved before is intact, and what was not saved is still in memory. */
export class StorageQuotaError extends CortexError {
  override name = "StorageQuotaError";
}
/** A newer version of CortexKG wrote this storage. */
export class StorageVersionError extends CortexError {
  override name = "StorageVersionError";
}
/** There is no such storage here, or it failed. */
export class StorageError extends CortexError {
  override name = "StorageError";
}

const CLASSES = { CortexError, StorageLockedError, StorageReadOnlyError, StorageQuotaError, StorageVersionError, StorageError };

/** An error as a message carries it. */
export interface ErrorMessage {
  name: string;
  message: string;
}

/** What a message can carry of an error. */
export function packed(error: unknown): ErrorMessage {
  if (error instanceof WebAssembly.RuntimeError) {
    // What it held is not to be relied on any more.
    const what = `the module of CortexKG failed (${error.message}), most likely for want of memory`;
    return { name: "CortexError", message: `${what}; close this graph and open it again, as it was saved last` };
  }
  if (error instanceof Error) return { name: error.name, message: error.message };
  return { name: "CortexError", message: String(error) };
}

/** The error that a message carried. */
export function unpacked({ name, message }: ErrorMessage): Error {
  const Class = CLASSES[name as keyof typeof CLASSES] ?? CortexError;
  return new Class(message);
}
