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
export async function compiledModule(simd: boolean | undefined): Promise<WebAssembly.Module | undefined> {
  // What else is given is refused there, too.
  if (typeof globalThis.WebAssembly?.compileStreaming !== "function" || (simd !== undefined && typeof simd !== "boolean")) return undefined;
  const wanted = simd ?? hasSimd();
  let module = compiling.get(wanted);
  if (!module) {
    const response = fetch(moduleUrl(wanted));
    // Where nothing may be compiled nobody waits for it.
    response.catch(() => undefined);
    module = WebAssembly.compileStreaming(response);
    compiling.set(wanted, module);
  }
  try {
    return await module;
  } catch {
    // What failed may work the next time: a network may be back.
    if (compiling.get(wanted) === module) compiling.delete(wanted);
    return undefined;
  }
}
