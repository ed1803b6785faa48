// The module that `cargo xtask wasm` has built, ready to use.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.env.CORTEXKG_WASM;
if (!folder) throw new Error("CORTEXKG_WASM names no folder: run `cargo xtask wasm`");
const bindings = await import(pathToFileURL(join(folder, "cortexkg_wasm.js")));
bindings.initSync({ module: readFileSync(join(folder, "cortexkg_wasm_bg.wasm")) });

export const { AllocationEngine, CortexKGWasm, set_storage_opener } = bindings;
/** `simd128` or `scalar`. */
export const level = process.env.CORTEXKG_WASM_LEVEL;

/** Columns of a graph that is ready. */
export async function ready(configuration) {
  const kg = new CortexKGWasm(configuration);
  await kg.initialize();
  return kg;
}

/** Whether an error says that something was refused; a trap of the module is an error as well, and no refusal. */
export const refused = (error) => error instanceof Error && !(error instanceof WebAssembly.RuntimeError);
