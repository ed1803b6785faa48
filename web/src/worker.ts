/** The worker: an engine, and what its client asks of it, one after the other. */

import { Engine } from "./engine.js";
import { CortexError, packed } from "./errors.js";
import { type Reply, type Request, buffersOf } from "./protocol.js";
import type { OpenOptions } from "./types.js";
// What those need in their turn, so that a browser fetches all at once.
import "./bindings.js";
import "./durations.js";
import "./module.js";
import "./scratch.js";
import "./simd.js";
import "./storage/browser.js";
import "./storage/sync_file.js";

const scope = self as unknown as DedicatedWorkerGlobalScope;
let engine: Engine | undefined;
let compiled: (module: WebAssembly.Module | undefined) => void;
const module = new Promise<WebAssembly.Module | undefined>((resolve) => (compiled = resolve));

scope.onmessage = async ({ data }: MessageEvent<Request>) => {
  if ("module" in data) return compiled(data.module);
  try {
    const value = "open" in data ? await opened(data.open) : await called(data.method, data.parameters);
    post({ id: data.id, value }, buffersOf(value));
  } catch (error) {
    post({ id: data.id, error: packed(error) });
  }
};

async function opened(options: OpenOptions): Promise<unknown> {
  const [made, told] = await Engine.open(options, (event) => post({ event }), module);
  engine = made;
  return told;
}

function called(method: keyof Engine, parameters: unknown[]): unknown {
  if (!engine) throw new CortexError("this worker is for CortexKG.open(), which speaks first");
  // The client's types say that they fit.
  return (engine[method] as (...parameters: unknown[]) => unknown).apply(engine, parameters);
}

function post(reply: Reply, transfer: ArrayBuffer[] = []): void {
  scope.postMessage(reply, transfer);
}
