//! What the steps do.

use super::{Counts, Done};
use crate::workspace::Workspace;
use crate::{onnx_suite, process};
use anyhow::{Context, Result, bail};
use std::process::Command;
use webnn_kernels::isa::Isa;

const WASM: &str = "wasm32-unknown-unknown";
/// The same instructions with an operating system, so that tests can run.
const WASI: &str = "wasm32-wasip1";
const LINTS: [&str; 3] = ["clippy", "--quiet", "--keep-going"];
pub(super) const SIMD128: &str = "-C target-feature=+simd128";
pub(super) const RELAXED_SIMD: &str = "-C target-feature=+simd128,+relaxed-simd";
const ARM: &str = "aarch64-unknown-linux-gnu";

const ARM_LINKER: &str = "aarch64-linux-gnu-gcc";
const EMULATOR: &str = "qemu-aarch64";

/// The crates that must also build for a browser.
const PORTABLE: [&str; 5] =
    ["webnn-core", "webnn-passes", "webnn-kernels", "webnn-cpu", "webnn-onnx"];

pub(super) fn format(workspace: &Workspace) -> Result<Done> {
    process::run(workspace.cargo().args(["fmt", "--all", "--check"]))?;
    Ok(Done::Passed)
}

pub(super) fn lints(workspace: &Workspace) -> Result<Done> {
    let mut command = workspace.cargo();
    command.args(["clippy", "--quiet", "--keep-going", "--workspace", "--all-targets"]);
    process::run(command.args(["--", "-D", "warnings"]))?;
    Ok(Done::Passed)
}

pub(super) fn documentation(workspace: &Workspace) -> Result<Done> {
    let mut command = workspace.cargo();
    command.args(["doc", "--quiet", "--keep-going", "--workspace", "--no-deps"]);
    process::run(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Done::Passed)
}

/// Writes ONNX's backend tests down, so that the tests find them.
pub(super) fn onnx_cases(workspace: &Workspace) -> Result<Done> {
    // No Python, or no network to fetch the package with, is no fault of the change under test.
    match onnx_suite::generate(workspace, false) {
        Ok(_) => Ok(Done::Passed),
        Err(error) => Ok(Done::Skipped(format!("{error:#}"))),
    }
}

/// The shared vectors and models are there, so the tests will not leave them out.
pub(super) fn shared(workspace: &Workspace) -> Result<Done> {
    match workspace.shared() {
        Some(_) => Ok(Done::Passed),
        None => Ok(Done::Skipped(
            "the conformance vectors and the real models are not at ../shared, and WEBNN_SHARED \
             does not say where"
                .into(),
        )),
    }
}

/// `cargo test` that knows where the data for it lies.
fn test_command(workspace: &Workspace) -> Command {
    let mut command = workspace.cargo();
    command.args(["test", "--no-fail-fast"]);
    if let Some(shared) = workspace.shared() {
        command.env("WEBNN_SHARED", shared);
    }
    if let Ok(cases) = onnx_suite::generate(workspace, false) {
        command.env(onnx_suite::FOLDER, cases);
    }
    command
}

/// All tests of all crates; cargo builds the examples on the way.
pub(super) fn tests(workspace: &Workspace, counts: &mut Counts) -> Result<Done> {
    count_tests(test_command(workspace).arg("--workspace"), counts)
}

/// The tests whose code depends on the instruction set, forced to one.
pub(super) fn weaker_isa(workspace: &Workspace, isa: Isa, counts: &mut Counts) -> Result<Done> {
    let mut command = test_command(workspace);
    command.args(["--lib", "--tests", "--package", "webnn-kernels", "--package", "webnn-cpu"]);
    command.args(["--package", "webnn-conformance"]).env("WEBNN_ISA", isa.name());
    count_tests(&mut command, counts)
}

pub(super) fn arm(workspace: &Workspace) -> Result<Done> {
    portable(workspace, ARM, &LINTS, &["--", "-D", "warnings"])
}

/// Runs `cargo test` and adds up what its summaries say.
fn count_tests(command: &mut Command, counts: &mut Counts) -> Result<Done> {
    let status = process::watch(command, |line| {
        if let Some(summary) = summary(line) {
            counts.passed += summary.passed;
            counts.failed += summary.failed;
            counts.skipped += summary.skipped;
        }
    })?;
    if !status.success() {
        bail!("`{}` failed", process::shown(command));
    }
    Ok(Done::Passed)
}

/// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; ..`.
fn summary(line: &str) -> Option<Counts> {
    let (_, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut counts = Counts::default();
    for part in numbers.split(';') {
        let Some((number, what)) = part.trim().split_once(' ') else { continue };
        match what {
            "passed" => counts.passed = number.parse().ok()?,
            "failed" => counts.failed = number.parse().ok()?,
            "ignored" => counts.skipped = number.parse().ok()?,
            _ => {}
        }
    }
    Some(counts)
}

pub(super) fn wasm(workspace: &Workspace) -> Result<Done> {
    match portable(workspace, WASM, &LINTS, &["--", "-D", "warnings"])? {
        Done::Passed => portable(workspace, WASM, &["build", "--quiet"], &[]),
        skipped @ Done::Skipped(_) => Ok(skipped),
    }
}

/// A command of cargo for the portable crates on another target.
fn portable(workspace: &Workspace, target: &str, words: &[&str], tail: &[&str]) -> Result<Done> {
    if !has_target(workspace, target)? && !process::exists("rustup") {
        let reason = format!("the standard library for {target} is missing, and rustup to add it");
        return Ok(Done::Skipped(reason));
    }
    install_target(workspace, target)?;
    let mut command = workspace.cargo();
    command.args(words).args(["--target", target]);
    for name in PORTABLE {
        command.args(["--package", name]);
    }
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", SIMD128);
    process::run(command.args(tail))?;
    Ok(Done::Passed)
}

/// The kernels' tests in Node, whose WASI is enough for them, compiled with some features.
pub(super) fn wasm_kernels(
    workspace: &Workspace,
    features: &str,
    counts: &mut Counts,
) -> Result<Done> {
    if !process::exists("node") {
        return Ok(Done::Skipped(
            "Node is missing: <https://nodejs.org>, version 20 or newer".into(),
        ));
    }
    if !has_target(workspace, WASI)? && !process::exists("rustup") {
        let reason = format!("the standard library for {WASI} is missing, and rustup to add it");
        return Ok(Done::Skipped(reason));
    }
    install_target(workspace, WASI)?;
    let mut command = workspace.cargo();
    command.args(["test", "--no-fail-fast", "--lib", "--tests", "--target", WASI]);
    command.args(["--package", "webnn-kernels"]);
    command.env("CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS", features);
    let runner = workspace.root().join("tools/wasi.mjs");
    let runner = format!("node --no-warnings {}", runner.display());
    count_tests(command.env("CARGO_TARGET_WASM32_WASIP1_RUNNER", runner), counts)
}

fn has_target(workspace: &Workspace, target: &str) -> Result<bool> {
    let mut rustc = workspace.command("rustc");
    let folder = process::output(rustc.args(["--print", "target-libdir", "--target", target]))?;
    Ok(std::path::Path::new(folder.trim()).is_dir())
}

/// Makes sure that the standard library for a target is there.
fn install_target(workspace: &Workspace, target: &str) -> Result<()> {
    if has_target(workspace, target)? {
        return Ok(());
    }
    process::run(workspace.command("rustup").args(["target", "add", target])).with_context(|| {
        format!("the standard library for {target} is missing: rustup target add {target}")
    })
}

/// The kernels' tests as an Arm machine would run them; without an emulator there are none.
pub(super) fn neon(workspace: &Workspace, counts: &mut Counts) -> Result<Done> {
    if let Err(missing) = emulator(workspace) {
        return Ok(Done::Skipped(format!("{missing:#}")));
    }
    install_target(workspace, ARM)?;
    // `max` has every extension that a kernel asks for; cortex-a76 lacks i8mm, so that the
    // choice between them is tested too.
    for model in ["max", "cortex-a76"] {
        println!("-- {EMULATOR} -cpu {model}");
        let mut command = workspace.cargo();
        command.args(["test", "--no-fail-fast", "--lib", "--tests"]);
        command.args(["--package", "webnn-kernels", "--target", ARM]);
        command.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", ARM_LINKER);
        command.env(
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER",
            format!("{EMULATOR} -cpu {model} -L /usr/aarch64-linux-gnu"),
        );
        count_tests(&mut command, counts)?;
    }
    Ok(Done::Passed)
}

/// Makes sure that Arm programs can be linked and run, or says what is missing.
pub(super) fn emulator(workspace: &Workspace) -> Result<()> {
    const PACKAGES: [&str; 3] = ["qemu-user", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"];
    let complete = || process::exists(ARM_LINKER) && process::exists(EMULATOR);
    if !complete() && may_install() {
        install_packages(workspace, &PACKAGES)?;
    }
    if !complete() {
        bail!(
            "{ARM_LINKER} and {EMULATOR} are needed; on Debian: apt-get install {}",
            PACKAGES.join(" ")
        );
    }
    Ok(())
}

/// Packages are installed only where nobody's machine is changed by surprise: by root, in CI.
pub(super) fn may_install() -> bool {
    let root = process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    root && std::env::var_os("CI").is_some() && process::exists("apt-get")
}

/// Installs packages as they are today: lists that came with a machine name old ones.
pub(super) fn install_packages(workspace: &Workspace, packages: &[&str]) -> Result<()> {
    process::run(workspace.command("apt-get").arg("update"))?;
    let mut install = workspace.command("apt-get");
    install.args(["install", "--yes", "--no-install-recommends"]);
    process::run(install.args(packages))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(counts: Counts) -> [u64; 3] {
        [counts.passed, counts.failed, counts.skipped]
    }

    #[test]
    fn a_summary_of_cargo_is_read() {
        let ok = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; \
                  finished in 0.01s";
        let failed = "test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; \
                      0 filtered out; finished in 0.00s";
        assert_eq!(summary(ok).map(numbers), Some([12, 0, 1]));
        assert_eq!(summary(failed).map(numbers), Some([5, 2, 0]));
        assert!(summary("test result_is_printed ... ok").is_none());
    }
}
