//! `cargo xtask tidy`: the house rules that neither rustfmt nor clippy checks.

mod manifests;
mod text;

use crate::process;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::fmt;
use std::path::Path;

/// A broken rule, and where.
pub(crate) struct Finding {
    path: String,
    /// Counted from 1; 0 where the whole file is meant.
    line: usize,
    message: String,
    /// Said, but not a reason to fail.
    advice: bool,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into(), advice: false }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.advice { "advice" } else { "error" };
        match self.line {
            0 => write!(f, "{kind}: {}: {}", self.path, self.message),
            line => write!(f, "{kind}: {}:{line}: {}", self.path, self.message),
        }
    }
}

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let root = workspace.root();
    let mut findings = Vec::new();
    for path in files(workspace)? {
        // A deleted file stays listed until the deletion is committed.
        let Ok(bytes) = std::fs::read(root.join(&path)) else { continue };
        let Ok(content) = String::from_utf8(bytes) else { continue };
        if content.contains('\0') {
            continue;
        }
        findings.extend(text::check(&path, &content));
        if Path::new(&path).file_name().is_some_and(|name| name == "Cargo.toml") {
            findings.extend(manifests::check(&path, &content));
        }
    }
    findings.extend(manifests::arrows(&workspace.metadata));
    for needed in ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
    {
        if !root.join(needed).is_file() {
            findings.push(Finding::new(needed, 0, "is missing"));
        }
    }
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|finding| !finding.advice).count();
    if errors > 0 {
        bail!("{errors} broken house rules");
    }
    Ok(())
}

/// What is in version control, and what would be added to it.
fn files(workspace: &Workspace) -> Result<Vec<String>> {
    let mut git = workspace.command("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
    let list = process::output(&mut git).context("tidy asks git for the list of files")?;
    // The fuzzers' inputs are what they are, text or not.
    let is_ours = |path: &&str| !path.is_empty() && !path.starts_with("fuzz/corpus/");
    Ok(list.split('\0').filter(is_ours).map(String::from).collect())
}
