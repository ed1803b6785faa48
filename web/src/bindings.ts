/**
 * The bindings as Rust has them: `AllocationEngine` and `CortexKGWasm`, on the thread that loads them, with names in snake case.
 * `CortexKG` stands on these, in a worker.
 */

import { CortexError } from "./errors.js";
import { moduleUrl } from "./module.js";
import { hasSimd } from "./simd.js";

export type Bindings = typeof import("../wasm/simd128/cortexkg_wasm.js");
export type { AllocationEngine, CortexKGWasm } from "../wasm/simd128/cortexkg_wasm.js";

/** A module that is ready, and its memory. */
export interface Loaded {
  bindings: Bindings;
  memory: WebAssembly.Memory;
}

/** A module, or none where it could not be compiled. */
type Compiling = Promise<WebAssembly.Module | undefined>;

const loaded = new Map<boolean, Promise<Loaded>>();

/**
 * Loads a module and makes it ready; once for each of the two. `simd` is whether it may use SIMD: usually where the machine has it; `module` is that very module
 * where it is being compiled elsewhere. `initialize_with_storage(name)` opens the browser's storage of that name.
 */
export function loadBindings({ simd, module }: { simd?: boolean | undefined; module?: Compiling | undefined } = {}): Promise<Loaded> {
  if (typeof WebAssembly === "undefined") {
    return Promise.reject(new CortexError("this browser has no WebAssembly, or it is turned off; CortexKG needs it"));
  }
  simd ??= hasSimd();
  let loading = loaded.get(simd);
  if (!loading) {
    loading = load(simd, module);
    loaded.set(simd, loading);
    // What failed may work the next time: a network may be back.
    loading.catch(() => loaded.delete(simd));
  }
  return loading;
}

async function load(simd: boolean, module: Compiling | undefined): Promise<Loaded> {
  // Written out twice, so that bundlers find both modules.
  const loading: Promise<Bindings> = simd ? import("../wasm/simd128/cortexkg_wasm.js") : import("../wasm/scalar/cortexkg_wasm.js");
  const url = moduleUrl(simd);
  // Both at once: neither waits for the other.
  const compiled = (async () => (await module) ?? (url.protocol === "file:" ? read(url) : fetch(url)))();
  const [bindings, source] = await Promise.all([loading, compiled]);
  if (source instanceof Response && !source.ok) {
    throw new CortexError(`${url.href} could not be loaded (${source.status}); serve the folder wasm/ of the package beside dist/`);
  }
  const { memory } = await bindings.default({ module_or_path: source });
  bindings.set_storage_opener(async (name: string) => {
    const { openStorage } = await import("./storage/index.js");
    return openStorage({ name }, () => undefined);
  });
  return { bindings, memory };
}

/** A file, where files are not fetched: in Node. */
async function read(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  // Not a literal: bundlers for browsers would look for it.
  const files = "node:fs/promises";
  const { readFile } = (await import(/* @vite-ignore */ files)) as { readFile(url: URL): Promise<Uint8Array<ArrayBuffer>> };
  return readFile(url);
}
