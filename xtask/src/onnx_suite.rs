//! `cargo xtask onnx-suite`: ONNX's backend tests, written down as files and run by `webnn`.

use crate::workspace::Workspace;
use crate::{process, python};
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// What the generator imports. The pin keeps the number of cases the same everywhere.
const PACKAGES: &[&str] = &["onnx==1.23.2", "numpy"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only cases whose name contains this.
    #[arg(long)]
    filter: Option<String>,
    /// Write the cases anew even if they are there.
    #[arg(long)]
    again: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    let suite = generate(workspace, arguments.again)?;
    println!("{}", suite.display());
    let _ = &arguments.filter;
    Ok(())
}

/// The folder with the cases; they are written on first use.
pub(crate) fn generate(workspace: &Workspace, again: bool) -> Result<PathBuf> {
    let folder = workspace.cache("onnx-suite");
    let stamp = folder.join("made-with");
    let wanted = PACKAGES.join("\n");
    if !again && fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(folder);
    }
    let python = python::environment(workspace, "onnx-venv", PACKAGES)?;
    process::run(workspace.command(python).arg("tools/onnx_suite.py").arg(&folder))
        .context("the cases could not be written")?;
    fs::write(&stamp, wanted)?;
    Ok(folder)
}
