//! `webnn conformance`: the vectors of a folder, and random graphs.

use std::path::PathBuf;
use std::time::Instant;

use anstream::println;
use anyhow::{Result, bail};
use regex_lite::Regex;
use serde_json::json;
use webnn_conformance::random;
use webnn_conformance::run::{Outcome, known_failures, run_case};
use webnn_conformance::vectors::{Suite, read_folder};

use crate::device::DeviceArguments;
use crate::failure::misuse;
use crate::output::{self, BOLD, DIM, ERROR};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder with the vectors; may be left out when only random graphs are asked for.
    #[arg(required_unless_present = "random")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArguments,
    /// Only cases whose `FILE/NAME` the expression matches.
    #[arg(long, value_name = "RE")]
    filter: Option<String>,
    /// Write every outcome to a file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Compare so many random graphs with the definitions.
    #[arg(long, value_name = "COUNT")]
    random: Option<u64>,
    /// The seed of the first random graph; the next has the next number.
    #[arg(long, default_value_t = 0, requires = "random")]
    seed: u64,
}

/// A case by name, and how it ended.
type Row = (String, Outcome);

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let filter = match &arguments.filter {
        Some(text) => Some(Regex::new(text).map_err(|error| misuse(format!("--filter: {error}")))?),
        None => None,
    };
    let wanted = |name: &str| filter.as_ref().is_none_or(|filter| filter.is_match(name));
    let start = Instant::now();
    let mut rows = Vec::new();
    if let Some(folder) = &arguments.folder {
        let suites = read_folder(folder).map_err(|error| anyhow::anyhow!("{}", error.message()))?;
        vectors(arguments, &suites, wanted, &mut rows)?;
    }
    if let Some(count) = arguments.random {
        random_graphs(arguments, count, wanted, &mut rows)?;
    }
    report(&rows);
    if let Some(path) = &arguments.json {
        output::write_whole(path, &serde_json::to_vec_pretty(&as_json(&rows))?)?;
    }
    let count = |is: fn(&Outcome) -> bool| rows.iter().filter(|(_, outcome)| is(outcome)).count();
    let passed = count(|outcome| matches!(outcome, Outcome::Passed));
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    println!("{DIM}{:.1} seconds{DIM:#}", start.elapsed().as_secs_f64());
    let colour = if failed == 0 { BOLD } else { ERROR };
    println!("{colour}{passed} passed, {failed} failed, {skipped} skipped{colour:#}");
    match (failed, passed) {
        (0, 0) => Err(misuse("no case was run")),
        (0, _) => Ok(()),
        _ => bail!("{failed} of {} cases failed", rows.len()),
    }
}

fn vectors(
    arguments: &Arguments,
    suites: &[Suite],
    wanted: impl Fn(&str) -> bool,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let count = suites.iter().map(|suite| suite.cases.len()).sum::<usize>() as u64;
    let progress = output::progress(count, "vectors");
    let mut context = arguments.device.context()?;
    let known = known_failures(context.device().kind)?;
    for suite in suites {
        for case in &suite.cases {
            progress.inc(1);
            let name = format!("{}/{}", suite.name, case.name);
            if wanted(&name) {
                rows.push((name, run_case(&context, &suite.name, case, &known)));
            }
            // A case that lost the context must not fail the ones after it.
            if context.lost().now().is_some() {
                context = arguments.device.context()?;
            }
        }
    }
    progress.finish_and_clear();
    Ok(())
}

fn random_graphs(
    arguments: &Arguments,
    count: u64,
    wanted: impl Fn(&str) -> bool,
    rows: &mut Vec<Row>,
) -> Result<()> {
    let progress = output::progress(count, "random graphs");
    let mut context = arguments.device.context()?;
    for seed in arguments.seed..arguments.seed.saturating_add(count) {
        progress.inc(1);
        let name = format!("random/{seed}");
        if wanted(&name) {
            let outcome = match random::check(&context, seed) {
                Ok(_) => Outcome::Passed,
                Err(difference) => Outcome::Failed(difference),
            };
            rows.push((name, outcome));
        }
        if context.lost().now().is_some() {
            context = arguments.device.context()?;
        }
    }
    progress.finish_and_clear();
    Ok(())
}

fn report(rows: &[Row]) {
    for (name, outcome) in rows {
        match outcome {
            Outcome::Passed => {}
            Outcome::Failed(why) => println!("{ERROR}failed{ERROR:#}  {name}\n        {why}"),
            Outcome::Skipped(why) => println!("{DIM}skipped{DIM:#} {name}: {why}"),
            Outcome::Known(why) => println!("{DIM}known to fail{DIM:#} {name}: {why}"),
        }
    }
}

fn as_json(rows: &[Row]) -> serde_json::Value {
    let row = |(name, outcome): &Row| {
        let (outcome, reason) = match outcome {
            Outcome::Passed => ("passed", None),
            Outcome::Failed(why) => ("failed", Some(why)),
            Outcome::Skipped(why) => ("skipped", Some(why)),
            Outcome::Known(why) => ("known to fail", Some(why)),
        };
        json!({ "case": name, "outcome": outcome, "reason": reason })
    };
    rows.iter().map(row).collect()
}
