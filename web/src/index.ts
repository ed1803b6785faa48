/** CortexKG decides where knowledge belongs: facts find their nodes, in the browser and in Node. */

export { CortexKG } from "./client.js";
export * from "./errors.js";
export { askToPersist, removeStorage, storedNames } from "./stored.js";
export type { StorageEvent } from "./storage/index.js";
export type * from "./types.js";
// What the client needs in its turn, so that a browser fetches all at once.
import "./module.js";
import "./simd.js";
import "./transport.js";
