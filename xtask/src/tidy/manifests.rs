//! Rules about the crates: what they depend on, and what their manifests say.

use super::Finding;
use cargo_metadata::{DependencyKind, Metadata};

/// Each crate and all it may depend on of ours. An arrow more is a change to ARCHITECTURE.md.
const ARROWS: &[(&str, &[&str])] = &[
    ("webnn-core", &[]),
    ("webnn-kernels", &[]),
    ("webnn-passes", &["webnn-core"]),
    ("webnn-file", &["webnn-core"]),
    ("webnn-onnx", &["webnn-core", "webnn-file"]),
    ("webnn-cpu", &["webnn-core", "webnn-passes", "webnn-kernels"]),
    ("webnn", &["webnn-core", "webnn-cpu"]),
    ("webnn-wasm", &["webnn"]),
    ("webnn-node", &["webnn"]),
    ("webnn-onnx-wasm", &["webnn-core", "webnn-onnx"]),
    ("webnn-conformance", &["webnn-core", "webnn", "webnn-onnx"]),
    ("webnn-cli", &["webnn-core", "webnn", "webnn-onnx", "webnn-conformance"]),
    ("webnn-fuzz-targets", &["webnn-core", "webnn-passes", "webnn-onnx"]),
    ("xtask", &["webnn-core", "webnn-kernels"]),
];

/// Every dependency of ours on ours is in the table. Tests may look further.
pub(super) fn arrows(metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ours: Vec<_> = metadata.workspace_packages();
    for package in &ours {
        let path = package.manifest_path.strip_prefix(&metadata.workspace_root);
        let path = path.unwrap_or(&package.manifest_path).as_str();
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == package.name.as_str())
        else {
            let message = "a crate that the table of arrows in xtask/src/tidy lacks";
            findings.push(Finding::new(path, 0, message));
            continue;
        };
        for dependency in &package.dependencies {
            let is_ours = ours.iter().any(|other| other.name.as_str() == dependency.name);
            let counts = dependency.kind != DependencyKind::Development;
            if is_ours && counts && !allowed.contains(&dependency.name.as_str()) {
                let message = format!("{} may not depend on {}", package.name, dependency.name);
                findings.push(Finding::new(path, 0, message));
            }
        }
    }
    findings
}

pub(super) fn check(path: &str, content: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if content.lines().any(|line| line == "[package]") {
        if !content.contains("license.workspace = true")
            && !content.contains("license = \"MIT OR Apache-2.0\"")
        {
            findings.push(Finding::new(path, 0, "states no licence"));
        }
        // A package that is a workspace of its own has no table to inherit.
        let inherits = content.contains("[lints]\nworkspace = true\n");
        if !inherits && !content.lines().any(|line| line == "[workspace]") {
            findings.push(Finding::new(path, 0, "does not inherit the workspace's lints"));
        }
    }
    findings.extend(reasons(path, content));
    findings
}

/// A dependency on somebody else's crate says why, on its line or above it. Where the version is
/// the workspace's, so is the reason.
fn reasons(path: &str, content: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_dependencies = false;
    let mut reason_above = false;
    for (index, line) in content.lines().enumerate() {
        if line.starts_with('[') {
            in_dependencies = line.contains("dependencies");
        }
        let is_entry = in_dependencies && line.starts_with(|c: char| c.is_ascii_alphabetic());
        let inherited = line.contains(".workspace = true") || line.contains("workspace = true,");
        let needs_reason = is_entry && !inherited && !line.contains("path = ");
        if needs_reason && !reason_above && !line.contains('#') {
            let name = line.split([' ', '=', '.']).next().unwrap_or(line);
            findings.push(Finding::new(path, index + 1, format!("no reason beside `{name}`")));
        }
        // A reason holds for the lines below it until an empty one.
        reason_above = line.starts_with('#') || (reason_above && !line.is_empty());
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_needs_a_reason() {
        let cases = [
            ("[dependencies]\nserde = \"1\"\n", 1),
            ("[dependencies]\n# Reads what the tests compare with.\nserde = \"1\"\n", 0),
            ("[dependencies]\nserde = \"1\" # reads JSON\n", 0),
            ("[dependencies]\nhalf.workspace = true\nwebnn = { path = \"x\" }\n", 0),
            ("[dev-dependencies]\nserde = { version = \"1\" }\n", 1),
            ("[dependencies]\n# One reason for two.\na = \"1\"\nb = \"1\"\n\nc = \"1\"\n", 1),
            ("[profile.dev]\ndebug = 1\n", 0),
        ];
        for (content, expected) in cases {
            assert_eq!(reasons("Cargo.toml", content).len(), expected, "{content}");
        }
    }

    #[test]
    fn a_manifest_states_licence_and_lints() {
        let good = "[package]\nlicense.workspace = true\n\n[lints]\nworkspace = true\n";
        assert!(check("Cargo.toml", good).is_empty());
        assert_eq!(check("Cargo.toml", "[package]\nname = \"x\"\n").len(), 2);
    }
}
