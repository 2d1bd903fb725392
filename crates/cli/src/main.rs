//! The `webnn` command.

#![allow(clippy::print_stdout, reason = "a command that people run prints")]

mod commands;
mod device;
mod failure;
mod input;
mod model;
mod output;
mod values;

use std::process::ExitCode;

use anstream::eprintln;
use clap::{CommandFactory, Parser, Subcommand};

use crate::commands::{bench, conformance, inspect, run, worker};

/// Runs neural networks with the W3C Web Neural Network API.
#[derive(Parser)]
#[command(name = "webnn", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compute a model's outputs from files.
    Run(run::Arguments),
    /// Say what a model is made of and what running it takes.
    Inspect(inspect::Arguments),
    /// Measure how fast a model runs, and where the time goes.
    Bench(bench::Arguments),
    /// Answer the benchmark harness, one line of JSON per line.
    BenchWorker,
    /// Run conformance vectors and count the results.
    Conformance(conformance::Arguments),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::BenchWorker => worker::run(),
        Command::Conformance(arguments) => conformance::run(&arguments),
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut Arguments::command(),
                "webnn",
                &mut std::io::stdout(),
            );
            Ok(())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if failure::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let red = output::ERROR;
            eprintln!("{red}error{red:#}: {error:#}");
            ExitCode::from(failure::exit_code(&error))
        }
    }
}
