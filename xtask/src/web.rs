//! `cargo xtask web`: the WebAssembly modules of the npm package, into `web/wasm`.

use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";

/// What threads need: memory that can be shared and grows to 4 GiB, and what an instance that
/// joins it must be able to call.
const SHARED_MEMORY: &[&str] = &[
    "-Ctarget-feature=+atomics,+bulk-memory,+mutable-globals",
    "-Clink-arg=--shared-memory",
    "-Clink-arg=--import-memory",
    "-Clink-arg=--max-memory=4294967296",
    "-Clink-arg=--export=__wasm_init_tls",
    "-Clink-arg=--export=__tls_size",
    "-Clink-arg=--export=__tls_align",
    "-Clink-arg=--export=__tls_base",
];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only these; all by default.
    #[arg(long, value_enum)]
    variant: Vec<Variant>,
}

/// A build of the module for browsers that have so much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Variant {
    /// Vectors of 128 bits, one thread.
    Simd,
    /// The same with relaxed vector instructions.
    Relaxed,
    /// Vectors of 128 bits and threads.
    Threads,
    /// Both.
    ThreadsRelaxed,
    /// No engine, but what `webnn/onnx` reads files with.
    Onnx,
}

/// Keeps instructions in the order of the source, in which kernels need few registers. LLVM's own order
/// knows no limit, since WebAssembly has none: a browser's compiler then moves sums to memory and back.
const SOURCE_ORDER: &str = "-Cllvm-args=-pre-RA-sched=source";

impl Variant {
    fn name(self) -> &'static str {
        match self {
            Variant::Simd => "simd",
            Variant::Relaxed => "relaxed",
            Variant::Threads => "threads",
            Variant::ThreadsRelaxed => "threads-relaxed",
            Variant::Onnx => "onnx",
        }
    }

    fn package(self) -> &'static str {
        if self == Variant::Onnx { "webnn-onnx-wasm" } else { "webnn-wasm" }
    }

    /// The build profile, in the workspace's manifest.
    fn profile(self) -> &'static str {
        if self == Variant::Onnx { "reader" } else { "wasm" }
    }

    /// What the JavaScript side is called.
    fn glue(self) -> &'static str {
        if self == Variant::Onnx { "webnn_onnx" } else { "webnn" }
    }

    fn has_threads(self) -> bool {
        match self {
            Variant::Simd | Variant::Relaxed | Variant::Onnx => false,
            Variant::Threads | Variant::ThreadsRelaxed => true,
        }
    }

    fn has_relaxed_simd(self) -> bool {
        match self {
            Variant::Simd | Variant::Threads | Variant::Onnx => false,
            Variant::Relaxed | Variant::ThreadsRelaxed => true,
        }
    }

    fn flags(self) -> Vec<String> {
        let vectors = if self.has_relaxed_simd() {
            "-Ctarget-feature=+simd128,+relaxed-simd"
        } else {
            "-Ctarget-feature=+simd128"
        };
        let shared_memory = if self.has_threads() { SHARED_MEMORY } else { &[] };
        [vectors, SOURCE_ORDER].iter().chain(shared_memory).map(|&flag| flag.to_owned()).collect()
    }
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    crate::dist::packages(workspace)?;
    install(workspace)?;
    let all = Variant::value_variants();
    let chosen = if arguments.variant.is_empty() { all } else { &arguments.variant };
    // Most of a build is its link-time optimisation, which keeps one processor busy: so many at once.
    let at_once = thread::available_parallelism().map_or(1, usize::from);
    for some in chosen.chunks(at_once) {
        let compiled: Vec<Result<PathBuf>> = thread::scope(|scope| {
            let build = |&variant| scope.spawn(move || compile(workspace, variant));
            let builds: Vec<_> = some.iter().map(build).collect();
            builds.into_iter().map(|build| build.join().expect("a build does not panic")).collect()
        });
        for (&variant, compiled) in some.iter().zip(compiled) {
            finish(workspace, variant, &compiled?)?;
        }
    }
    Ok(())
}

/// Builds every variant.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    run(workspace, &Arguments { variant: Vec::new() })
}

/// Adds what the toolchain lacks: the target, and the standard library's source for threads.
fn install(workspace: &Workspace) -> Result<()> {
    let lib = sysroot(workspace)?.join("lib/rustlib");
    let missing = [
        (lib.join(TARGET), ["target", "add", TARGET]),
        (lib.join("src/rust/library/std"), ["component", "add", "rust-src"]),
    ];
    for (place, words) in missing {
        if place.is_dir() {
            continue;
        }
        if !process::exists("rustup") {
            bail!("{} is missing, and rustup to add it", words[2]);
        }
        process::run(workspace.command("rustup").args(words))?;
    }
    Ok(())
}

fn sysroot(workspace: &Workspace) -> Result<PathBuf> {
    let printed = process::output(workspace.command("rustc").args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(printed.trim()))
}

/// What keeps the builder's own folders out of the modules, where messages name source files.
fn nameless(workspace: &Workspace) -> Result<Vec<String>> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let folders = [
        (Some(sysroot(workspace)?.join("lib/rustlib/src/rust")), "rust"),
        (home.map(|home| home.join("registry/src")), "crates"),
        (Some(workspace.root().to_owned()), "webnn"),
    ];
    let known = folders.iter().filter_map(|(folder, name)| Some((folder.as_ref()?, name)));
    Ok(known.map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect())
}

fn finish(workspace: &Workspace, variant: Variant, compiled: &Path) -> Result<()> {
    let name = variant.name();
    let folder = workspace.root().join("web/wasm");
    let finished = folder.join(format!("{name}.wasm"));
    if crate::dist::is_newer(&finished, compiled) {
        return Ok(());
    }
    fs::create_dir_all(&folder)?;
    let bound = compiled.with_file_name("bound");
    bind(compiled, &bound, variant.glue()).with_context(|| format!("the bindings of {name}"))?;
    // What joins shared memory also takes memory of its own, so one glue serves all engines.
    if variant.has_threads() || variant == Variant::Onnx {
        let glue = format!("{}.js", variant.glue());
        fs::copy(bound.join(&glue), folder.join(&glue))?;
    }
    let module = bound.join(format!("{}_bg.wasm", variant.glue()));
    strip(workspace, &module, &finished)?;
    println!("web/wasm/{name}.wasm: {} kB", fs::metadata(&finished)?.len() / 1000);
    Ok(())
}

fn compile(workspace: &Workspace, variant: Variant) -> Result<PathBuf> {
    // A folder for each, as other flags would build everything again.
    let folder = workspace.metadata.target_directory.as_std_path().join("web").join(variant.name());
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--package", variant.package(), "--target", TARGET]);
    cargo.args(["--profile", variant.profile()]);
    cargo.arg("--target-dir").arg(&folder);
    let flags = [variant.flags(), nameless(workspace)?].concat();
    // Encoded, because folders may have blanks in their names.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    if variant.has_threads() {
        // The standard library that comes with the toolchain has no atomics.
        cargo.arg("-Zbuild-std=std,panic_abort").env("RUSTC_BOOTSTRAP", "1");
    }
    process::run(&mut cargo)?;
    let file = format!("{}.wasm", variant.package().replace('-', "_"));
    Ok(folder.join(TARGET).join(variant.profile()).join(file))
}

fn bind(module: &Path, folder: &Path, glue: &str) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name(glue).web(true)?;
    // Who loads the module says where it is.
    bindgen.omit_default_module_path(true).typescript(false).generate(folder)
}

/// Writes the module without names and other sections that only people read.
///
/// No pass of wasm-opt runs: the compiler has done its work, more of it makes no module faster and
/// every compressed module larger, and with threads helpers read outside of the memory afterwards.
fn strip(workspace: &Workspace, module: &Path, stripped: &Path) -> Result<()> {
    let mut command = workspace.command("node");
    command.arg(workspace.root().join("web/node_modules/binaryen/bin/wasm-opt"));
    command.args(FEATURES).args(["--strip-debug", "--strip-producers", "--strip-target-features"]);
    process::run(command.arg(module).arg("-o").arg(stripped))
}

/// What the modules use. Not all that wasm-opt knows: it would write what few browsers read.
const FEATURES: &[&str] = &[
    "--enable-simd",
    "--enable-relaxed-simd",
    "--enable-threads",
    "--enable-bulk-memory",
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-multivalue",
];
