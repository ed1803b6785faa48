/** CortexKG decides where knowledge belongs: facts find their nodes, in the browser and in Node. */

export { CortexKG } from "./client.js";
export * from "./errors.js";
export { type StorageEvent, askToPersist, removeStorage, storedNames } from "./storage/index.js";
export type * from "./types.js";
