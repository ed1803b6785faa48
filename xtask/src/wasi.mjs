// Runs a WebAssembly program (WASI preview 1) in Node: `node wasi.mjs PROGRAM.wasm [ARGUMENT...]`.
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const [program, ...args] = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", args: [program, ...args], env: process.env });
const imports = wasi.getImportObject();
// Called straight from optimised WebAssembly, these functions of Node 20 crash now and then (V8's fast calls, in programs whose memory
// grows; `--no-turbo-fast-api-calls` helps as well). A function of JavaScript in between is called the ordinary way.
const { wasi_snapshot_preview1: functions } = imports;
for (const [name, call] of Object.entries(functions)) functions[name] = (...values) => call(...values);
const { instance } = await WebAssembly.instantiate(await readFile(program), imports);
process.exitCode = wasi.start(instance);
