//! `cargo xtask test`: everything that must hold before a change goes in.

use crate::workspace::Workspace;
use crate::{codegen, process, tidy};
use anyhow::{Context, Result, bail};
use std::process::Command;
use std::time::Instant;
use webnn_kernels::isa::Isa;

const WASM: &str = "wasm32-unknown-unknown";
/// The same instructions with an operating system, so that tests can run.
const WASI: &str = "wasm32-wasip1";
const SIMD128: &str = "-C target-feature=+simd128";
const ARM: &str = "aarch64-unknown-linux-gnu";

/// The crates that must also build for a browser.
const PORTABLE: [&str; 5] =
    ["webnn-core", "webnn-passes", "webnn-kernels", "webnn-cpu", "webnn-onnx"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only the kernels' tests for 64-bit Arm, under qemu-user.
    #[arg(long)]
    neon: bool,
}

/// The outcome of a step that did not fail.
enum Done {
    Passed,
    /// Nothing was tested; the reason says what is missing and how to get it.
    Skipped(String),
}

#[derive(Clone, Copy, Default)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

#[derive(Default)]
struct Report {
    counts: Counts,
    failures: Vec<String>,
    skips: Vec<String>,
}

impl Report {
    /// Runs one step and goes on whatever its outcome, so that one run tells all.
    fn step(&mut self, name: &str, work: impl FnOnce(&mut Counts) -> Result<Done>) {
        println!("\n== {name}");
        let start = Instant::now();
        let mut counts = Counts::default();
        let outcome = work(&mut counts);
        let seconds = start.elapsed().as_secs_f32();
        match outcome {
            Ok(Done::Passed) => println!("== {name}: passed in {seconds:.1} s"),
            Ok(Done::Skipped(reason)) => {
                println!("== {name}: skipped: {reason}");
                counts.skipped += 1;
                self.skips.push(format!("{name}: {reason}"));
            }
            Err(error) => {
                println!("== {name}: failed: {error:#}");
                // A step that broke before any test could fail is a failure of its own.
                counts.failed = counts.failed.max(1);
                self.failures.push(format!("{name}: {error:#}"));
            }
        }
        self.counts.passed += counts.passed;
        self.counts.failed += counts.failed;
        self.counts.skipped += counts.skipped;
    }

    fn finish(self) -> Result<()> {
        println!();
        for skip in &self.skips {
            println!("skipped: {skip}");
        }
        for failure in &self.failures {
            println!("failed: {failure}");
        }
        let Counts { passed, failed, skipped } = self.counts;
        println!("{passed} passed, {failed} failed, {skipped} skipped");
        if !self.failures.is_empty() {
            std::process::exit(1);
        }
        Ok(())
    }
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let mut report = Report::default();
    if arguments.neon {
        report.step("kernels on NEON", |counts| neon(workspace, counts));
        return report.finish();
    }
    quick_steps(workspace, &mut report);
    report.step("documentation", |_| {
        let mut command = workspace.cargo();
        command.args(["doc", "--quiet", "--keep-going", "--workspace", "--no-deps"]);
        process::run(command.env("RUSTDOCFLAGS", "-D warnings"))?;
        Ok(Done::Passed)
    });
    report.step("tests", |counts| {
        tests(workspace.cargo().args(["test", "--workspace", "--no-fail-fast"]), counts)
    });
    let best = Isa::best();
    for isa in Isa::available().filter(|isa| *isa != best) {
        report.step(&format!("kernels and engine on {}", isa.name()), |counts| {
            let mut command = workspace.cargo();
            command.args(["test", "--no-fail-fast", "--lib", "--tests"]);
            command.args(["--package", "webnn-kernels", "--package", "webnn-cpu"]);
            tests(command.env("WEBNN_ISA", isa.name()), counts)
        });
    }
    report.step("build for wasm with simd128", |_| wasm(workspace));
    report.step("kernels on wasm simd128", |counts| wasm_kernels(workspace, counts));
    report.finish()
}

/// `cargo xtask check`.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut report = Report::default();
    quick_steps(workspace, &mut report);
    report.finish()
}

fn quick_steps(workspace: &Workspace, report: &mut Report) {
    report.step("format", |_| {
        process::run(workspace.cargo().args(["fmt", "--all", "--check"]))?;
        Ok(Done::Passed)
    });
    report.step("tidy", |_| {
        tidy::run(workspace)?;
        Ok(Done::Passed)
    });
    report.step("generated files", |_| {
        codegen::check(workspace)?;
        Ok(Done::Passed)
    });
    report.step("lints", |_| {
        let mut command = workspace.cargo();
        command.args(["clippy", "--quiet", "--keep-going", "--workspace", "--all-targets"]);
        process::run(command.args(["--", "-D", "warnings"]))?;
        Ok(Done::Passed)
    });
}

/// Runs `cargo test` and adds up what its summaries say.
fn tests(command: &mut Command, counts: &mut Counts) -> Result<Done> {
    let status = process::watch(command, |line| {
        if let Some(summary) = cargo_summary(line) {
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
fn cargo_summary(line: &str) -> Option<Counts> {
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

fn wasm(workspace: &Workspace) -> Result<Done> {
    if !has_target(workspace, WASM)? && !process::exists("rustup") {
        let reason = format!("the standard library for {WASM} is missing, and rustup to add it");
        return Ok(Done::Skipped(reason));
    }
    install_target(workspace, WASM)?;
    let mut command = workspace.cargo();
    command.args(["build", "--quiet", "--target", WASM]);
    for name in PORTABLE {
        command.args(["--package", name]);
    }
    process::run(command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", SIMD128))?;
    Ok(Done::Passed)
}

/// The kernels' tests in Node, whose WASI is enough for them.
fn wasm_kernels(workspace: &Workspace, counts: &mut Counts) -> Result<Done> {
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
    command.env("CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS", SIMD128);
    let runner = workspace.root().join("tools/wasi.mjs");
    let runner = format!("node --no-warnings {}", runner.display());
    tests(command.env("CARGO_TARGET_WASM32_WASIP1_RUNNER", runner), counts)
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

/// The kernels' tests as an Arm machine would run them.
fn neon(workspace: &Workspace, counts: &mut Counts) -> Result<Done> {
    const LINKER: &str = "aarch64-linux-gnu-gcc";
    const EMULATOR: &str = "qemu-aarch64";
    const INSTALL: [&str; 6] = [
        "install",
        "--yes",
        "--no-install-recommends",
        "qemu-user",
        "gcc-aarch64-linux-gnu",
        "libc6-dev-arm64-cross",
    ];
    let complete = || process::exists(LINKER) && process::exists(EMULATOR);
    if !complete() && may_install() {
        process::run(workspace.command("apt-get").args(INSTALL))?;
    }
    if !complete() {
        bail!("{LINKER} and {EMULATOR} are needed; on Debian: apt-get {}", INSTALL.join(" "));
    }
    install_target(workspace, ARM)?;
    // `max` has every extension that a kernel asks for; cortex-a76 lacks i8mm, so that the
    // choice between them is tested too.
    for model in ["max", "cortex-a76"] {
        println!("-- qemu-aarch64 -cpu {model}");
        let mut command = workspace.cargo();
        command.args(["test", "--no-fail-fast", "--lib", "--tests"]);
        command.args(["--package", "webnn-kernels", "--target", ARM]);
        command.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER);
        command.env(
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER",
            format!("{EMULATOR} -cpu {model} -L /usr/aarch64-linux-gnu"),
        );
        tests(&mut command, counts)?;
    }
    Ok(Done::Passed)
}

/// Packages are installed only where nobody's machine is changed by surprise: by root, in CI.
fn may_install() -> bool {
    let root = process::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    root && std::env::var_os("CI").is_some() && process::exists("apt-get")
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
        assert_eq!(cargo_summary(ok).map(numbers), Some([12, 0, 1]));
        assert_eq!(cargo_summary(failed).map(numbers), Some([5, 2, 0]));
        assert!(cargo_summary("test result_is_printed ... ok").is_none());
    }
}
