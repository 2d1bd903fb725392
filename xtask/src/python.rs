//! Python environments in the build folder.

use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The interpreter of an environment that has these packages; it is made on first use.
pub(crate) fn environment(workspace: &Workspace, name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = workspace.cache(name);
    let python = interpreter(&folder);
    let stamp = folder.join("packages");
    let wanted = packages.join("\n");
    if python.is_file() && fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(python);
    }
    let Some(system) = ["python3", "python"].into_iter().find(|name| process::exists(name)) else {
        bail!("Python 3 is missing: install it from <https://www.python.org> or your system");
    };
    eprintln!("making a Python environment with {}", packages.join(", "));
    process::run(Command::new(system).args(["-m", "venv", "--clear"]).arg(&folder))
        .context("Python's `venv` module is needed (Debian: apt-get install python3-venv)")?;
    process::run(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(packages),
    )
    .context("pip could not install the packages; is the network there?")?;
    fs::write(&stamp, wanted)?;
    Ok(python)
}

fn interpreter(folder: &Path) -> PathBuf {
    if cfg!(windows) { folder.join("Scripts/python.exe") } else { folder.join("bin/python") }
}
