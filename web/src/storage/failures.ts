/** What browsers say when they keep nothing, said so that one knows what to do. */

import { CortexError, StorageError, StorageQuotaError } from "../errors.js";
import { storageManager } from "./browser.js";

/** The error as the caller gets it. `doing` is what did not work: `storage "a" could not be saved`. */
export async function explained(error: unknown, doing: string): Promise<CortexError> {
  if (error instanceof CortexError) return error;
  if (isQuota(error)) return new StorageQuotaError(`${doing}: the browser gives no more room${await usage()}. ${QUOTA_ADVICE}`);
  // Pages in a sandbox may not even lock.
  if (error instanceof Error && error.name === "SecurityError") return new Unavailable("storage of the browser", said(error));
  return new StorageError(`${doing}: ${said(error)}`);
}

/** A kind of storage that is not to be had here at all. */
export class Unavailable extends StorageError {
  constructor(kind: string, why: string) {
    super(
      `${kind} cannot be used here (${why}). Allow this site to keep data (cookies and site data), leave private browsing, serve the page by ` +
        `https, or open without storage and keep what export() gives; in Node, take fileStorage of cortexkg/node`,
    );
  }
}

/** An error in its own words. */
export function said(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

const QUOTA_ADVICE =
  "What was saved before is intact, and what is in memory can be saved again: remove graphs with removeStorage, free disk space, or call askToPersist";

/** By name, since the error has been a `DOMException` of that name, and is a class of its own in newer browsers. */
function isQuota(error: unknown): boolean {
  return error instanceof Error && (error.name === "QuotaExceededError" || error.constructor.name === "QuotaExceededError");
}

/** How much of what is used. */
async function usage(): Promise<string> {
  try {
    const { usage, quota } = (await storageManager()?.estimate()) ?? {};
    return usage === undefined || quota === undefined ? "" : ` (this site uses ${megabytes(usage)}; the browser says that its limit is ${megabytes(quota)}, but the disk may have less)`;
  } catch {
    // The advice is the same without it.
    return "";
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
