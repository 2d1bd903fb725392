//! `cargo xtask codegen`: what is derived from the one list of operators in `webnn-core`.

mod methods;
mod table;

use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use webnn_core::limits::{Limits, Presence, Slot, SlotRanks, SlotTypes};
use webnn_core::ops::Method;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing; fail if a file differs from what would be written.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    write(workspace, arguments.check)
}

/// Fails if a generated file differs from what would be written.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    write(workspace, true)
}

fn write(workspace: &Workspace, only_check: bool) -> Result<()> {
    let methods: Vec<&Method> = webnn_core::ops::methods().collect();
    let files = [
        ("docs/operators.md", table::page(&methods)),
        ("crates/runtime/src/methods.gen.rs", formatted(&methods::module(&methods))?),
    ];
    let mut stale = Vec::new();
    for (path, content) in files {
        let place = workspace.root().join(path);
        if fs::read_to_string(&place).is_ok_and(|old| old == content) {
            continue;
        }
        stale.push(path);
        if !only_check {
            fs::create_dir_all(place.parent().context("every file has a folder")?)?;
            fs::write(&place, content).with_context(|| format!("cannot write {path}"))?;
            println!("wrote {path}");
        }
    }
    if only_check && !stale.is_empty() {
        bail!("{} differ from the list of operators: cargo xtask codegen", stale.join(", "));
    }
    Ok(())
}

/// Rust source as rustfmt leaves it.
fn formatted(source: &str) -> Result<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config", "max_width=100,use_small_heuristics=Max"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start rustfmt")?;
    rustfmt.stdin.take().expect("stdin is piped above").write_all(source.as_bytes())?;
    let output = rustfmt.wait_with_output()?;
    if !output.status.success() {
        bail!("rustfmt does not take the generated code");
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// A slot's data types and ranks in words: `float32, float16; rank 4`.
fn slot_in_words(method: &Method, slot: &Slot) -> String {
    let of = |other: usize| method.slots[other].name;
    let types = match slot.types {
        SlotTypes::OneOf(_) => Limits::default().slot(method, slot).data_types.to_string(),
        SlotTypes::SameAs(other) => format!("type of `{}`", of(other)),
    };
    let ranks = match slot.ranks {
        SlotRanks::Between(0, webnn_core::MAX_RANK) => return types,
        SlotRanks::Between(min, max) if min == max => format!("rank {min}"),
        SlotRanks::Between(min, max) => format!("rank {min} to {max}"),
        SlotRanks::SameAs(other) => format!("rank of `{}`", of(other)),
    };
    format!("{types}; {ranks}")
}

/// Whether a slot is a member of the method's options.
fn is_option(slot: &Slot) -> bool {
    match slot.presence {
        Presence::Optional => true,
        Presence::Required | Presence::Repeated => false,
    }
}
