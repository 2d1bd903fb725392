//! The project's own commands: `cargo xtask COMMAND`.

#![allow(clippy::print_stdout, reason = "a command that people run prints")]

mod bench;
mod codegen;
mod demo;
mod dist;
mod node;
mod onnx_suite;
mod process;
mod python;
mod test;
mod tidy;
mod web;
mod workspace;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use workspace::Workspace;

/// The project's own commands.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Recognise a handwritten digit with the model in the repository, offline.
    Demo(demo::Arguments),
    /// Build the WebAssembly modules of the npm package.
    Web(web::Arguments),
    /// Build the native engine as an addon for Node.
    Node,
    /// Build the npm package with its WebAssembly modules and the addon for this machine.
    Dist,
    /// Everything that must hold before a change goes in; ends with the counts.
    Test(test::Arguments),
    /// The quick part of `test`: format, house rules, lints.
    Check,
    /// The house rules that no other tool checks.
    Tidy,
    /// Write what is derived from the list of operators.
    Codegen(codegen::Arguments),
    /// Compare speed with ONNX Runtime's and write the tables of BENCHMARKS.md.
    Bench(bench::Arguments),
    /// Run ONNX's own backend tests, made with the Python package `onnx`.
    OnnxSuite(onnx_suite::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    let workspace = Workspace::find()?;
    match command {
        Command::Demo(arguments) => demo::run(&workspace, &arguments),
        Command::Web(arguments) => web::run(&workspace, &arguments),
        Command::Node => node::build(&workspace),
        Command::Dist => dist::run(&workspace),
        Command::Test(arguments) => test::run(&workspace, &arguments),
        Command::Check => test::check(&workspace),
        Command::Tidy => tidy::run(&workspace),
        Command::Codegen(arguments) => codegen::run(&workspace, &arguments),
        Command::Bench(arguments) => bench::run(&workspace, &arguments),
        Command::OnnxSuite(arguments) => onnx_suite::run(&workspace, &arguments),
    }
}
