//! The npm package: built, checked and tested in Node and in a browser.

use super::steps::{install_packages, may_install};
use super::{Counts, Done};
use crate::process;
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use std::process::Command;

/// What runs, in the order in which each needs what the ones before it made.
pub(super) const STEPS: &[Step] = &[
    Step { name: "npm packages and a browser", work: Work::Prepare },
    Step {
        name: "types and lints of the npm package",
        work: Work::Scripts(&["typecheck", "lint"]),
    },
    Step { name: "generated files of the npm package", work: Work::Scripts(&["codegen:check"]) },
    Step { name: "build of the npm package", work: Work::Build },
    Step { name: "npm package: logic", work: Work::Tests("test") },
    Step { name: "npm package in Node", work: Work::Tests("test:node") },
    Step { name: "npm package in a browser", work: Work::Tests("test:browser") },
    Step { name: "real clients and bundlers", work: Work::Tests("test:clients") },
    Step { name: "demo pages", work: Work::Tests("test:demo") },
];

/// A step with its name in the report.
pub(super) struct Step {
    pub(super) name: &'static str,
    work: Work,
}

enum Work {
    /// Installs what is missing, where that is allowed.
    Prepare,
    /// The WebAssembly modules, the addon, and the package around them.
    Build,
    /// Scripts of the package's manifest that only pass or fail.
    Scripts(&'static [&'static str]),
    /// A script of the package's manifest that runs tests and counts them.
    Tests(&'static str),
}

impl Step {
    pub(super) fn run(&self, workspace: &Workspace, counts: &mut Counts) -> Result<Done> {
        match self.work {
            Work::Prepare => prepare(workspace)?,
            Work::Build => crate::dist::run(workspace)?,
            Work::Scripts(names) => {
                for name in names {
                    process::run(&mut script(workspace, name))?;
                }
            }
            Work::Tests(name) => count_tests(&mut script(workspace, name), counts)?,
        }
        Ok(Done::Passed)
    }
}

fn prepare(workspace: &Workspace) -> Result<()> {
    crate::dist::packages(workspace)?;
    if browser().is_none() && may_install() {
        install_packages(workspace, &["chromium"])?;
    }
    match browser() {
        Some(_) => Ok(()),
        None => bail!(
            "Chromium is missing: install it (on Debian: apt-get install chromium), or name one \
             by the environment variable CHROMIUM"
        ),
    }
}

/// The program that the tests will drive.
fn browser() -> Option<String> {
    let named = std::env::var("CHROMIUM").ok();
    let usual = ["chromium", "chromium-browser", "google-chrome"].map(String::from);
    named.into_iter().chain(usual).find(|program| process::exists(program))
}

fn script(workspace: &Workspace, name: &str) -> Command {
    let mut command = crate::dist::npm(workspace);
    // Colours would hide the counts; Vitest takes CI for a terminal.
    command.args(["run", "--silent", name]).env("NO_COLOR", "1");
    if let Some(shared) = workspace.shared() {
        command.env("WEBNN_SHARED", shared);
    }
    command
}

/// Runs tests and adds up what their summary says.
fn count_tests(command: &mut Command, counts: &mut Counts) -> Result<()> {
    let mut seen = false;
    let status = process::watch(command, |line| {
        if let Some(summary) = summary(line) {
            seen = true;
            counts.passed += summary.passed;
            counts.failed += summary.failed;
            counts.skipped += summary.skipped;
        }
    })?;
    if !status.success() {
        bail!("`{}` failed", process::shown(command));
    }
    if !seen {
        bail!("`{}` ran no tests", process::shown(command));
    }
    Ok(())
}

/// Reads Vitest's `Tests  1 failed | 12 passed | 2 skipped (15)`.
fn summary(line: &str) -> Option<Counts> {
    let (parts, _total) = line.trim_start().strip_prefix("Tests  ")?.rsplit_once(" (")?;
    let mut counts = Counts::default();
    for part in parts.split(" | ") {
        let (number, what) = part.trim().split_once(' ')?;
        let number = number.parse().ok()?;
        match what {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            "skipped" | "todo" => counts.skipped += number,
            _other => return None,
        }
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_of_vitest_is_read() {
        let numbers = |line| summary(line).map(|c| [c.passed, c.failed, c.skipped]);
        assert_eq!(numbers("      Tests  3 passed (3)"), Some([3, 0, 0]));
        let line = "Tests  1 failed | 12 passed | 2 skipped (15)";
        assert_eq!(numbers(line), Some([12, 1, 2]));
        assert_eq!(numbers(" Test Files  1 passed (1)"), None);
    }
}
