//! `cargo xtask bench`: our engine against its peers, and the tables in BENCHMARKS.md.

use crate::workspace::Workspace;
use crate::{process, python};
use anyhow::{Context, Result, bail};
use std::path::Path;

/// What the harness and ONNX Runtime's worker import. The pin is part of the measurement.
const PACKAGES: &[&str] = &["onnxruntime==1.31.1", "onnx", "numpy"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Models to time, by name; all by default. Only a run of all rewrites BENCHMARKS.md.
    models: Vec<String>,
    /// Numbers of threads, separated by commas.
    #[arg(long, default_value = "1,2")]
    threads: String,
    /// Rounds, in each of which every engine gets one burst of runs.
    #[arg(long, default_value_t = 9)]
    rounds: u32,
    /// Beside ONNX Runtime also OpenVINO, tract and rten; builds and installs them on first use.
    #[arg(long)]
    peers: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let Some(shared) = workspace.shared() else {
        bail!("the benchmark scripts are not at ../shared/bench; WEBNN_SHARED names their parent");
    };
    let scripts = shared.join("bench");
    let mut build = workspace.cargo();
    process::run(build.args(["build", "--release", "--package", "webnn-cli", "--bin", "webnn"]))?;
    let python = python::environment(workspace, "bench-venv", PACKAGES)?;
    let home = workspace.cache("bench-home");
    if arguments.peers {
        install_peers(workspace, &scripts, &home)?;
    }

    let results = workspace.cache("bench.json");
    let models = match arguments.models.as_slice() {
        [] => "all".into(),
        some => some.join(","),
    };
    let engines = if arguments.peers { "ort,openvino,tract,rten,ours" } else { "ort,ours" };
    let worker = workspace.release_program("webnn");
    let worker = worker.to_str().context("the build folder's path is not UTF-8")?;
    let mut harness = workspace.command(&python);
    harness.arg(scripts.join("bench.py"));
    harness.args(["--models", &models, "--engines", engines, "--threads", &arguments.threads]);
    harness.args(["--rounds", &arguments.rounds.to_string()]);
    harness.arg("--json").arg(&results);
    // With the peers the harness's interpreter is the one that has them all.
    if !arguments.peers {
        harness.env("BENCH_PY", &python);
    }
    harness.env("BENCH_HOME", &home).env("BENCH_MODELS", workspace.cache("bench-models"));
    harness.env("OURS_CMD", format!("'{worker}' bench-worker"));
    process::run(&mut harness)?;

    let mut table = workspace.command(&python);
    table.arg("tools/bench_table.py").arg(&results);
    if arguments.models.is_empty() {
        table.arg("BENCHMARKS.md");
    }
    process::run(&mut table)
}

fn install_peers(workspace: &Workspace, scripts: &Path, home: &Path) -> Result<()> {
    if home.join("peak").is_file() {
        return Ok(());
    }
    let mut setup = workspace.command("sh");
    setup.arg(scripts.join("setup.sh")).args(["py", "rust", "peak"]).env("BENCH_HOME", home);
    // The peers have a build folder of their own.
    process::run(setup.env_remove("CARGO_TARGET_DIR")).context("the peers could not be installed")
}
