// That the types say what is meant; it is only compiled.

import { openStorage, type StorageEvent } from "../../src/storage/index.js";
import type { Storage } from "../../src/types.js";

/** What is opened is a storage like one of the caller's own. */
export async function fits(tell: (event: StorageEvent) => void): Promise<Storage> {
  return openStorage({ name: "graph" }, tell);
}

/** A kind is one of three. */
export function refused(): void {
  // @ts-expect-error: no such kind
  void openStorage({ name: "graph", kind: "cookies" }, () => {});
}
