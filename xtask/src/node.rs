//! `cargo xtask node`: the native engine as an addon for Node.

use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::env::consts;
use std::fs;

/// Builds the addon for this machine and leaves it in `web/native`, where the package's sources
/// look for it and from where it gets into the built package.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    let mut command = workspace.cargo();
    command.args(["rustc", "--quiet", "--release", "--package", "webnn-node", "--lib"]);
    // People download it: what only a debugger reads stays out.
    process::run(command.args(["--", "-C", "strip=symbols"]))?;

    let library = format!("{}webnn_node{}", consts::DLL_PREFIX, consts::DLL_SUFFIX);
    let library = workspace.metadata.target_directory.as_std_path().join("release").join(library);
    let folder = workspace.root().join("web/native");
    fs::create_dir_all(&folder)?;
    // Put in place by renaming: a process that runs the old one must not see it change.
    let (file, draft) = (folder.join(file_name()), folder.join("draft"));
    fs::copy(&library, &draft).with_context(|| format!("{} was not built", library.display()))?;
    fs::rename(&draft, &file)?;
    println!("{}", file.display());
    Ok(())
}

/// The name by which `web/src/node-addon.ts` finds it: Node's names of the system and processor.
fn file_name() -> String {
    let system = match consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let processor = match consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        "x86" => "ia32",
        other => other,
    };
    let library = match () {
        () if consts::OS != "linux" => "",
        () if cfg!(target_env = "musl") => "-musl",
        () => "-gnu",
    };
    format!("webnn.{system}-{processor}{library}.node")
}
