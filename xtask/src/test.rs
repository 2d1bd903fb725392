//! `cargo xtask test`: everything that must hold before a change goes in.

mod steps;
mod web;

use crate::workspace::Workspace;
use crate::{codegen, tidy};
use anyhow::Result;
use std::time::Instant;
use webnn_kernels::isa::Isa;

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
        // Who asks for these tests alone wants to know that they cannot run.
        steps::emulator(workspace)?;
        report.step("kernels on NEON", |counts| steps::neon(workspace, counts));
        return report.finish();
    }
    quick_steps(workspace, &mut report);
    report.step("documentation", |_| steps::documentation(workspace));
    report.step("shared vectors and models", |_| steps::shared(workspace));
    report.step("cases of ONNX's backend suite", |_| steps::onnx_cases(workspace));
    report.step("tests", |counts| steps::tests(workspace, counts));
    for isa in Isa::available().filter(|isa| *isa != Isa::best()) {
        let name = format!("kernels, engine and vectors on {}", isa.name());
        report.step(&name, |counts| steps::weaker_isa(workspace, isa, counts));
    }
    report.step("build for wasm with simd128", |_| steps::wasm(workspace));
    let kernels = [("simd128", steps::SIMD128), ("relaxed-simd", steps::RELAXED_SIMD)];
    for (name, features) in kernels {
        report.step(&format!("kernels on wasm {name}"), |counts| {
            steps::wasm_kernels(workspace, features, counts)
        });
    }
    for step in web::STEPS {
        report.step(step.name, |counts| step.run(workspace, counts));
    }
    report.step("lints for 64-bit Arm", |_| steps::arm(workspace));
    report.step("kernels on NEON", |counts| steps::neon(workspace, counts));
    report.finish()
}

/// `cargo xtask check`.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut report = Report::default();
    quick_steps(workspace, &mut report);
    report.finish()
}

fn quick_steps(workspace: &Workspace, report: &mut Report) {
    report.step("format", |_| steps::format(workspace));
    report.step("tidy", |_| tidy::run(workspace).map(|()| Done::Passed));
    report.step("generated files", |_| codegen::check(workspace).map(|()| Done::Passed));
    report.step("lints", |_| steps::lints(workspace));
}
