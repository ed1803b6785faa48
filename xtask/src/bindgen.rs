//! Makes the JavaScript beside a WebAssembly module: `bindgen MODULE.wasm FOLDER`. A program of its own, so that only `cargo xtask wasm` builds
//! what it needs.

use anyhow::{Context as _, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [module, folder] = &arguments[..] else { bail!("usage: bindgen MODULE.wasm FOLDER") };
    let mut bindgen = Bindgen::new();
    // Modules of JavaScript that browsers, workers, bundlers and Node can all load.
    bindgen.web(true)?.input_path(module).typescript(true).omit_default_module_path(false);
    // Names of functions are for debuggers, and half of the module.
    bindgen.remove_name_section(true).remove_producers_section(true);
    bindgen.generate(folder).with_context(|| format!("making the bindings of {module}"))
}
