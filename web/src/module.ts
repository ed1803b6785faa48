/** Where the compiled engine lies, and how it gets compiled on a page while its worker is still starting. */

import { hasSimd } from "./simd.js";

/** The module, which may use SIMD or may not. Written out twice, so that bundlers find both. */
export function moduleUrl(simd: boolean): URL {
  return simd
    ? new URL("../wasm/simd128/cortexkg_wasm_bg.wasm", import.meta.url)
    : new URL("../wasm/scalar/cortexkg_wasm_bg.wasm", import.meta.url);
}

const compiling = new Map<boolean, Promise<WebAssembly.Module>>();

/** The module, compiled once for all workers of a page. None where that fails: the worker tries by itself then, and tells why. */
export async function compiledModule(simd?: boolean): Promise<WebAssembly.Module | undefined> {
  try {
    const wanted = simd === undefined ? hasSimd() : simd;
    let module = compiling.get(wanted);
    if (!module) {
      module = WebAssembly.compileStreaming(fetch(moduleUrl(wanted)));
      compiling.set(wanted, module);
    }
    return await module;
  } catch {
    // What failed may work the next time: a network may be back.
    compiling.clear();
    return undefined;
  }
}
