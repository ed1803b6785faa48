/** What a client and its worker say to each other. */

import type { Engine, Opened } from "./engine.js";
import type { ErrorMessage } from "./errors.js";
import type { StorageEvent } from "./storage/index.js";
import type { OpenOptions } from "./types.js";

/** What can be asked of an engine. */
export type Method = { [Name in keyof Engine]: Engine[Name] extends (...parameters: never[]) => unknown ? Name : never }[keyof Engine];
export type Parameters_<Name extends Method> = Parameters<Engine[Name]>;
export type Answer<Name extends Method> = Awaited<ReturnType<Engine[Name]>>;

/** To the worker. The first is `open`, the second the module if the page could compile it. */
export type Request = { id: number; open: OpenOptions } | { module: WebAssembly.Module | undefined } | { id: number; method: Method; parameters: unknown[] };

/** From the worker. */
export type Reply = { id: number; value: unknown } | { id: number; error: ErrorMessage } | { event: StorageEvent };

/** Where an engine is: in a worker, or here. */
export interface Transport {
  open(options: OpenOptions): Promise<Opened>;
  call<Name extends Method>(method: Name, ...parameters: Parameters_<Name>): Promise<Answer<Name>>;
  /** Ends it, whatever it does. */
  end(): void;
}

/** The buffers of a value that can change hands instead of being copied: its own, and those of the arrays in it. */
export function buffersOf(value: unknown): ArrayBuffer[] {
  const items = ArrayBuffer.isView(value) ? [value] : typeof value === "object" && value !== null && !Array.isArray(value) ? Object.values(value) : [];
  return items.flatMap((item) => (ArrayBuffer.isView(item) && item.buffer instanceof ArrayBuffer ? [item.buffer] : []));
}
