//! The browser's host, for two places: [`front`] makes every check on the page's own thread and
//! keeps no bytes; [`engine`] computes in a worker, or on the calling thread where there can be no
//! worker. Both are exports of one WebAssembly module, which a page compiles once.
//!
//! Nothing here knows a rule of the specification: values are converted and handed on.

pub mod engine;
pub mod front;
mod value;

use wasm_bindgen::prelude::wasm_bindgen;

/// Makes a panic an exception whose message says what happened, instead of a trap that says
/// "unreachable". Whoever catches it must not call the same context's engine again.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(Box::new(|panic| wasm_bindgen::throw_str(&panic.to_string())));
}
