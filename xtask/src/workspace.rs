//! Where things are: the repository, its build folder, the shared test data.

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository that this program was built from.
pub(crate) struct Workspace {
    pub(crate) metadata: Metadata,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
        let metadata = MetadataCommand::new()
            .manifest_path(manifest)
            .exec()
            .context("cargo could not describe the workspace")?;
        Ok(Self { metadata })
    }

    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// A place of our own in the build folder, for what is made once and kept.
    pub(crate) fn cache(&self, name: &str) -> PathBuf {
        self.metadata.target_directory.as_std_path().join("xtask").join(name)
    }

    /// A program that a release build has made.
    pub(crate) fn release_program(&self, name: &str) -> PathBuf {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        self.metadata.target_directory.as_std_path().join("release").join(file)
    }

    /// The conformance vectors, benchmark scripts and real models, which lie beside the
    /// repository: the folder that `WEBNN_SHARED` names, or `../shared`.
    pub(crate) fn shared(&self) -> Option<PathBuf> {
        let folder = match std::env::var_os("WEBNN_SHARED") {
            Some(folder) => PathBuf::from(folder),
            None => self.root().parent()?.join("shared"),
        };
        folder.is_dir().then_some(folder)
    }

    /// The same cargo that runs this program, at the root of the repository.
    pub(crate) fn cargo(&self) -> Command {
        self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.root());
        command
    }
}
