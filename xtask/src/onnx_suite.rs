//! `cargo xtask onnx-suite`: ONNX's backend tests, written down as files and run on our engine.

use crate::workspace::Workspace;
use crate::{process, python};
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// Where the tests of `webnn-conformance` look for the cases.
pub(crate) const FOLDER: &str = "WEBNN_ONNX_SUITE";
const FILTER: &str = "WEBNN_ONNX_FILTER";

/// What the generator imports. The pin keeps the number of cases the same everywhere.
const PACKAGES: &[&str] = &["onnx==1.23.2", "numpy"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only cases whose name contains this; names each one that is skipped.
    #[arg(long)]
    filter: Option<String>,
    /// Write the cases anew even if they are there.
    #[arg(long)]
    again: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let folder = generate(workspace, arguments.again)?;
    let mut command = workspace.cargo();
    command.args(["test", "--quiet", "--package", "webnn-conformance", "--test", "onnx_suite"]);
    command.args(["--", "--nocapture"]).env(FOLDER, folder);
    if let Some(filter) = &arguments.filter {
        command.env(FILTER, filter);
    }
    process::run(&mut command)
}

/// The folder with the cases; they are written on first use.
pub(crate) fn generate(workspace: &Workspace, again: bool) -> Result<PathBuf> {
    let folder = workspace.cache("onnx-suite");
    let stamp = folder.join("made-with");
    let generator = workspace.root().join("tools/onnx_suite.py");
    // A changed generator writes other files.
    let wanted = PACKAGES.join("\n") + &fs::read_to_string(&generator)?;
    if !again && fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(folder);
    }
    let python = python::environment(workspace, "onnx-venv", PACKAGES)?;
    process::run(workspace.command(python).arg(generator).arg(&folder))
        .context("the cases could not be written")?;
    fs::write(&stamp, wanted)?;
    Ok(folder)
}
