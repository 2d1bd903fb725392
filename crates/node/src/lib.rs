//! The native engine for Node: what the npm package calls, over the crate `webnn`.
//!
//! Nothing is decided here. The package's Web IDL layer has converted the arguments, and the
//! runtime checks them; this crate carries values from one to the other, and results back without
//! holding up Node's event loop. Errors have the specification's kind as their `code`.

// Written by the macros of Node-API's bindings alone; the crate itself has none.
#![allow(unsafe_code, reason = "what `#[napi]` expands to registers functions with Node")]

mod builder;
mod context;
mod convert;
mod later;
mod memory;
