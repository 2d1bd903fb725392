//! `cargo xtask demo`: the digit recogniser on a picture; with `--web` the pages of `web/demo`.

use crate::process;
use crate::workspace::Workspace;
use anyhow::Result;
use std::path::Path;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A digit, for the sample of it, or a picture of one digit of your own (png, jpg, bmp).
    #[arg(default_value = "7", conflicts_with = "web")]
    picture: String,
    /// Build the npm package and its three pages, and serve them on 127.0.0.1.
    #[arg(long)]
    web: bool,
    /// Where to serve the pages; by default any free port.
    #[arg(long, default_value_t = 0, requires = "web")]
    port: u16,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    if arguments.web {
        build_pages(workspace)?;
        return serve_pages(workspace, arguments.port);
    }
    // Cargo runs the example in the repository's folder, which need not be the caller's.
    let picture = match Path::new(&arguments.picture) {
        path if path.exists() => std::path::absolute(path)?,
        other => other.to_owned(),
    };
    let mut command = workspace.cargo();
    command.args(["run", "--release", "--package", "webnn-cli", "--example", "digits", "--"]);
    process::run(command.arg(picture))
}

/// Builds `web/demo/dist`, and before it the package that the pages use.
fn build_pages(workspace: &Workspace) -> Result<()> {
    crate::dist::run(workspace)?;
    process::run(crate::dist::npm(workspace).args(["run", "--silent", "build:demo"]))
}

/// Serves the pages until the program is stopped. They are cross-origin isolated, which is what
/// lets the engine use threads.
fn serve_pages(workspace: &Workspace, port: u16) -> Result<()> {
    println!("the pages of the demo, until you press Ctrl+C:");
    let mut command = workspace.command("node");
    command.args(["web/tools/serve.mjs", "--isolated", "--port", &port.to_string()]);
    process::run(command.arg("/=web/demo/dist"))
}
