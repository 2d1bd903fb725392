//! `cargo xtask demo`: the digit recogniser on a picture.

use crate::process;
use crate::workspace::Workspace;
use anyhow::Result;
use std::path::Path;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A digit, for the sample of it, or a picture of one digit of your own (png, jpg, bmp).
    #[arg(default_value = "7")]
    picture: String,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    // Cargo runs the example in the repository's folder, which need not be the caller's.
    let picture = match Path::new(&arguments.picture) {
        path if path.exists() => std::path::absolute(path)?,
        other => other.to_owned(),
    };
    let mut command = workspace.cargo();
    command.args(["run", "--release", "--package", "webnn-cli", "--example", "digits", "--"]);
    process::run(command.arg(picture))
}
