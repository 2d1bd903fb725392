//! `cargo xtask bench`: our engine against its peers, and the tables in BENCHMARKS.md.

use crate::workspace::Workspace;
use crate::{process, python};
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// What the harness and ONNX Runtime's worker import. The pin is part of the measurement.
const PACKAGES: &[&str] = &["onnxruntime==1.31.1", "onnx", "numpy"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Models to time, by name; all by default. Only a run of all rewrites BENCHMARKS.md.
    models: Vec<String>,
    /// Numbers of threads.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<u32>,
    /// Rounds, in each of which every engine gets one burst of runs.
    #[arg(long, default_value_t = 9)]
    rounds: u32,
    /// Beside ONNX Runtime also OpenVINO, tract and rten, and LiteRT where its models are;
    /// builds and installs them on first use.
    #[arg(long)]
    peers: bool,
    /// With the peers: convert the models for LiteRT first, which installs TensorFlow.
    #[arg(long, requires = "peers")]
    litert: bool,
}

/// Where the peers and the models are: the folders that `BENCH_HOME` and `BENCH_MODELS` name, or
/// ones of our own.
struct Folders {
    scripts: PathBuf,
    home: PathBuf,
    models: PathBuf,
}

impl Folders {
    fn new(workspace: &Workspace) -> Result<Folders> {
        let Some(shared) = workspace.shared() else {
            bail!(
                "the benchmark scripts are not at ../shared/bench; WEBNN_SHARED names their parent"
            );
        };
        let named = |variable: &str, name: &str| {
            std::env::var_os(variable).map_or_else(|| workspace.cache(name), PathBuf::from)
        };
        Ok(Folders {
            scripts: shared.join("bench"),
            home: named("BENCH_HOME", "bench-home"),
            models: named("BENCH_MODELS", "bench-models"),
        })
    }

    /// Whether models have been converted for LiteRT.
    fn has_tflite(&self) -> bool {
        let is_model = |path: &Path| path.extension() == Some(OsStr::new("tflite"));
        fs::read_dir(self.models.join("tflite"))
            .is_ok_and(|files| files.flatten().any(|file| is_model(&file.path())))
    }

    /// Installs those of the peers that are missing, and gives the interpreter that has them.
    fn install_peers(&self, workspace: &Workspace) -> Result<PathBuf> {
        let python = self.home.join("venv/bin/python");
        let parts = [
            ("py", python.clone()),
            ("rust", self.home.join("target/release/bench-peers")),
            ("peak", self.home.join("peak")),
        ];
        let missing: Vec<&str> =
            parts.iter().filter(|(_, file)| !file.is_file()).map(|&(part, _)| part).collect();
        if !missing.is_empty() {
            self.set_up(workspace, &missing)?;
        }
        Ok(python)
    }

    /// Runs parts of the harness's own installation.
    fn set_up(&self, workspace: &Workspace, parts: &[&str]) -> Result<()> {
        let mut setup = workspace.command("sh");
        setup.arg(self.scripts.join("setup.sh")).args(parts);
        setup.env("BENCH_HOME", &self.home).env("BENCH_MODELS", &self.models);
        // The peers have a build folder of their own.
        process::run(setup.env_remove("CARGO_TARGET_DIR"))
            .context("the peers could not be installed")
    }
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let folders = Folders::new(workspace)?;
    let mut build = workspace.cargo();
    process::run(build.args(["build", "--release", "--package", "webnn-cli", "--bin", "webnn"]))?;
    let mut engines = vec!["ort"];
    let python = if arguments.peers {
        let python = folders.install_peers(workspace)?;
        if arguments.litert && !folders.has_tflite() {
            folders.set_up(workspace, &["tflite"])?;
        }
        engines.push("openvino");
        if folders.has_tflite() {
            engines.push("litert");
        }
        engines.extend(["tract", "rten"]);
        python
    } else {
        python::environment(workspace, "bench-venv", PACKAGES)?
    };
    engines.push("ours");

    let profiles = workspace.cache("bench-profiles");
    if profiles.is_dir() {
        // Those of an earlier build, or of another machine.
        fs::remove_dir_all(&profiles)?;
    }
    fs::create_dir_all(&profiles)?;
    let results = workspace.cache("bench.json");
    measure(workspace, &folders, arguments, &python, &engines, &results)?;
    for &threads in &arguments.threads {
        profile(workspace, &folders, &results, threads, &profiles)?;
    }
    let mut table = workspace.command(&python);
    table.arg("tools/bench_table.py").arg(&results);
    if arguments.models.is_empty() {
        table.arg("BENCHMARKS.md");
    }
    table.arg("--profiles").arg(&profiles).arg("--models").arg(&folders.models);
    process::run(&mut table)
}

/// Runs the harness.
fn measure(
    workspace: &Workspace,
    folders: &Folders,
    arguments: &Arguments,
    python: &Path,
    engines: &[&str],
    results: &Path,
) -> Result<()> {
    let models = match arguments.models.as_slice() {
        [] => "all".into(),
        some => some.join(","),
    };
    let threads: Vec<String> = arguments.threads.iter().map(u32::to_string).collect();
    let worker = workspace.release_program("webnn");
    let worker = worker.to_str().context("the build folder's path is not UTF-8")?;
    let mut harness = workspace.command(python);
    harness.arg(folders.scripts.join("bench.py"));
    harness.args(["--models", &models, "--engines", &engines.join(",")]);
    harness.args(["--threads", &threads.join(","), "--rounds", &arguments.rounds.to_string()]);
    harness.arg("--json").arg(results);
    harness.env("BENCH_PY", python);
    harness.env("BENCH_HOME", &folders.home).env("BENCH_MODELS", &folders.models);
    harness.env("OURS_CMD", format!("'{worker}' bench-worker"));
    process::run(&mut harness)
}

/// How often every model is held against the machine: what other guests leave of its memory's speed
/// changes from second to second.
const PROFILES: usize = 3;

/// Holds every model of the results against what the machine can do, for the tables to say how near
/// it comes and where the time goes.
fn profile(
    workspace: &Workspace,
    folders: &Folders,
    results: &Path,
    threads: u32,
    into: &Path,
) -> Result<()> {
    let results: serde_json::Value = serde_json::from_slice(&fs::read(results)?)?;
    let rows = results["results"].as_array().context("the harness's results have no rows")?;
    let is_ours = |row: &&serde_json::Value| {
        row["engine"] == "ours" && row["threads"] == threads && row["failed"].is_null()
    };
    let models = rows.iter().filter(is_ours).filter_map(|row| row["model"].as_str());
    for (round, model) in (0..PROFILES).flat_map(|i| models.clone().map(move |model| (i, model))) {
        eprintln!("profiling {model}, threads: {threads}");
        let mut bench = workspace.command(workspace.release_program("webnn"));
        bench.arg("bench").arg(folders.models.join(format!("{model}.onnx")));
        bench.arg("--threads").arg(threads.to_string());
        bench.args(["--time", "1", "--profile", "--roofline", "--json"]);
        let profile = process::output(&mut bench)?;
        fs::write(into.join(format!("{model}.{threads}.{round}.json")), profile)?;
    }
    Ok(())
}
