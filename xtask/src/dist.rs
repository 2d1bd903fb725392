//! `cargo xtask dist`: the npm package with its WebAssembly modules and the addon for this machine.

use crate::process;
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Builds `web/dist` from nothing but the sources.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    packages(workspace)?;
    crate::web::build(workspace)?;
    crate::node::build(workspace)?;
    process::run(npm(workspace).args(["run", "--silent", "build"]))
}

/// npm, in the package's folder.
pub(crate) fn npm(workspace: &Workspace) -> Command {
    let mut command = workspace.command(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.current_dir(workspace.root().join("web"));
    command
}

/// Installs the package's development dependencies, where they are not those of the lock file.
pub(crate) fn packages(workspace: &Workspace) -> Result<()> {
    if !process::exists("node") {
        bail!("Node is missing: <https://nodejs.org>, version 20 or newer");
    }
    let web = workspace.root().join("web");
    // npm writes what it has installed into this file.
    if is_newer(&web.join("node_modules/.package-lock.json"), &web.join("package-lock.json")) {
        return Ok(());
    }
    process::run(npm(workspace).args(["ci", "--no-audit", "--no-fund"]))
}

/// Whether a file is there and at least as new as another.
pub(crate) fn is_newer(file: &Path, other: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    time(file).is_some_and(|made| time(other).is_some_and(|source| made >= source))
}
