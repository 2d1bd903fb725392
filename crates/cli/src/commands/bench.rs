//! `webnn bench`: how fast a model runs, and where the time goes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anstream::println;
use anyhow::Result;
use serde_json::{Value, json};
use webnn::{Context, Graph, StepInfo, Tensor, TensorDescriptor};

use crate::commands::roofline::Roofline;
use crate::device::DeviceArguments;
use crate::input::synthetic;
use crate::model::{Built, ModelArguments, by_name};
use crate::output::{self, BOLD, DIM};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    device: DeviceArguments,
    /// Runs that are not counted.
    #[arg(long, default_value_t = 3)]
    warmup: u32,
    /// Runs that are counted; by default as many as the seconds allow.
    #[arg(long)]
    runs: Option<u32>,
    /// For how long to measure.
    #[arg(long, default_value_t = 3.0, value_name = "SECONDS", conflicts_with = "runs")]
    time: f64,
    /// Show where the time goes, by kind of step and by single steps.
    #[arg(long)]
    profile: bool,
    /// With the profile: what this CPU can do, measured first, and how near every step comes to it.
    #[arg(long, requires = "profile")]
    roofline: bool,
    /// Write one profiled run as a trace that Perfetto and Chromium's tracing open.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The steps of one run, as the median over several.
pub(crate) type Profile = Vec<(StepInfo, Duration)>;

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let context = arguments.device.context()?;
    let start = Instant::now();
    let (_, built) = arguments.model.build(&context)?;
    let ready = start.elapsed();
    let roofline = match arguments.roofline {
        true => Some(Roofline::measure(&context, &built.graph)?),
        false => None,
    };
    let bench = Bench::new(&context, &built.graph)?;
    let times = bench.times(arguments)?;
    let profile =
        if arguments.profile || arguments.trace.is_some() { Some(bench.profile()?) } else { None };
    if let (Some(path), Some(profile)) = (&arguments.trace, &profile) {
        output::write_whole(path, &serde_json::to_vec(&trace(&built, profile))?)?;
    }
    let shown = profile.filter(|_| arguments.profile);
    if arguments.json {
        let json = as_json(&context, &built, ready, &times, shown.as_ref(), roofline.as_ref());
        println!("{}", serde_json::to_string_pretty(&json)?);
        return Ok(());
    }
    println!("{BOLD}device{BOLD:#}   {}", context.device());
    println!("{BOLD}ready{BOLD:#}    {} from file to first run", output::duration(ready));
    println!("{BOLD}median{BOLD:#}   {}", output::duration(percentile(&times, 50)));
    for (name, of) in [("least", 0), ("90 %", 90), ("99 %", 99)] {
        println!("{BOLD}{name:<8}{BOLD:#} {}", output::duration(percentile(&times, of)));
    }
    let flops: u64 = built.graph.steps().iter().map(|step| step.flops).sum();
    let rate = flops as f64 / percentile(&times, 50).as_secs_f64();
    println!("{BOLD}rate{BOLD:#}     {}FLOP/s", spaced(output::count(rate as u64)));
    println!("{DIM}{} runs{DIM:#}", times.len());
    match (&shown, &roofline) {
        (Some(profile), Some(roofline)) => roofline.print(profile),
        (Some(profile), None) => print_profile(profile),
        (None, _) => {}
    }
    Ok(())
}

/// A prefix stands next to its unit.
fn spaced(count: String) -> String {
    if count.contains(' ') { count } else { format!("{count} ") }
}

struct Bench<'a> {
    context: &'a Context,
    graph: &'a Graph,
    inputs: Vec<(&'a str, Tensor)>,
    outputs: Vec<(&'a str, Tensor)>,
}

impl<'a> Bench<'a> {
    fn new(context: &'a Context, graph: &'a Graph) -> Result<Bench<'a>> {
        let mut inputs = Vec::new();
        for (name, desc) in graph.inputs() {
            let tensor = context.create_tensor(&TensorDescriptor::from(*desc).writable())?;
            context.write_tensor(&tensor, &synthetic(*desc))?;
            inputs.push((name.as_str(), tensor));
        }
        let mut outputs = Vec::new();
        for (name, desc) in graph.outputs() {
            outputs.push((name.as_str(), context.create_tensor(&TensorDescriptor::from(*desc))?));
        }
        Ok(Bench { context, graph, inputs, outputs })
    }

    /// The times of the counted runs, sorted.
    fn times(&self, arguments: &Arguments) -> Result<Vec<Duration>> {
        let progress = match arguments.runs {
            Some(runs) => output::progress(runs.into(), "runs"),
            None => output::spinner("measuring".into()),
        };
        let (inputs, outputs) = (by_name(&self.inputs), by_name(&self.outputs));
        let run = || -> Result<Duration> {
            let start = Instant::now();
            self.context.dispatch_blocking(self.graph, &inputs, &outputs)?;
            Ok(start.elapsed())
        };
        for _ in 0..arguments.warmup {
            run()?;
        }
        let start = Instant::now();
        let mut times = Vec::new();
        loop {
            times.push(run()?);
            progress.inc(1);
            let is_enough = match arguments.runs {
                Some(runs) => times.len() >= runs as usize,
                None => start.elapsed().as_secs_f64() >= arguments.time,
            };
            if is_enough {
                break;
            }
        }
        progress.finish_and_clear();
        times.sort_unstable();
        Ok(times)
    }

    fn profile(&self) -> Result<Profile> {
        const RUNS: usize = 11;
        let (inputs, outputs) = (by_name(&self.inputs), by_name(&self.outputs));
        let mut runs: Vec<Vec<Duration>> = Vec::new();
        for _ in 0..RUNS {
            runs.push(self.context.dispatch_profiled(self.graph, &inputs, &outputs)?);
        }
        let median = |step: usize| {
            let mut times: Vec<Duration> =
                runs.iter().filter_map(|run| run.get(step).copied()).collect();
            times.sort_unstable();
            times.get(times.len() / 2).copied().unwrap_or_default()
        };
        Ok(self.graph.steps().into_iter().enumerate().map(|(i, step)| (step, median(i))).collect())
    }
}

/// The time that so many percent of the runs do not exceed.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last * percent).div_ceil(100)).copied().unwrap_or_default()
}

fn print_profile(profile: &Profile) {
    let total: Duration = profile.iter().map(|(_, time)| time).sum();
    let share = |time: Duration| 100.0 * time.as_secs_f64() / total.as_secs_f64().max(1e-12);
    let mut kinds: BTreeMap<&str, (usize, Duration, u64)> = BTreeMap::new();
    for (step, time) in profile {
        let kind = kinds.entry(&step.ops).or_default();
        *kind = (kind.0 + 1, kind.1 + *time, kind.2 + step.flops);
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, (_, time, _))| std::cmp::Reverse(*time));
    println!(
        "\n{BOLD}{:>9} {:>6}  {:>5}  {:>9}  steps{BOLD:#}",
        "time", "share", "count", "GFLOP/s"
    );
    for (ops, (count, time, flops)) in kinds {
        println!(
            "{:>9} {:>5.1}%  {count:>5}  {:>9.1}  {ops}",
            output::duration(time),
            share(time),
            flops as f64 / time.as_secs_f64().max(1e-12) / 1e9
        );
    }
    let mut steps: Vec<&(StepInfo, Duration)> = profile.iter().collect();
    steps.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    println!("\n{BOLD}{:>9} {:>6}  {:>9}  slowest{BOLD:#}", "time", "share", "GFLOP/s");
    for (step, time) in steps.into_iter().take(10) {
        println!(
            "{:>9} {:>5.1}%  {:>9.1}  {} {DIM}{}{DIM:#}",
            output::duration(*time),
            share(*time),
            step.flops as f64 / time.as_secs_f64().max(1e-12) / 1e9,
            step.ops,
            step.label
        );
    }
}

/// One run, in the trace event format.
fn trace(built: &Built, profile: &Profile) -> Value {
    let event = |name: &str, category: &str, start: Duration, length: Duration, args: Value| {
        json!({ "name": name, "cat": category, "ph": "X", "pid": 1, "tid": 1,
                "ts": start.as_secs_f64() * 1e6, "dur": length.as_secs_f64() * 1e6, "args": args })
    };
    let mut now = Duration::ZERO;
    let mut events = Vec::new();
    for (name, length) in [("import", built.import), ("compile", built.compile)] {
        events.push(event(name, "build", now, length, json!({})));
        now += length;
    }
    for (step, length) in profile {
        let args = json!({ "label": step.label, "pattern": step.pattern, "flops": step.flops,
                           "bytes": step.bytes });
        events.push(event(&step.ops, "run", now, *length, args));
        now += *length;
    }
    json!({ "displayTimeUnit": "ms", "traceEvents": events })
}

fn as_json(
    context: &Context,
    built: &Built,
    ready: Duration,
    times: &[Duration],
    profile: Option<&Profile>,
    roofline: Option<&Roofline>,
) -> Value {
    let ns = |duration: Duration| duration.as_nanos() as u64;
    let steps = profile.map(|profile| {
        let step = |entry: &(StepInfo, Duration)| {
            let (step, time) = entry;
            let mut json = json!({ "ops": step.ops, "label": step.label, "pattern": step.pattern,
                                   "flops": step.flops, "bytes": step.bytes, "ns": ns(*time) });
            if let Some(roofline) = roofline {
                json["roofline"] = roofline.step_as_json(entry);
            }
            json
        };
        profile.iter().map(step).collect::<Vec<_>>()
    });
    json!({
        "device": context.device().to_string(),
        "readyNs": ns(ready), "importNs": ns(built.import), "compileNs": ns(built.compile),
        "runs": times.len(),
        "leastNs": ns(percentile(times, 0)), "medianNs": ns(percentile(times, 50)),
        "p90Ns": ns(percentile(times, 90)), "p99Ns": ns(percentile(times, 99)),
        "peakBytes": built.graph.memory().peak_bytes(),
        "steps": steps,
        "roofline": profile.zip(roofline).map(|(profile, roofline)| roofline.as_json(profile)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_runs_that_happened() {
        let times: Vec<Duration> = (1..=10).map(Duration::from_millis).collect();
        for (percent, expected) in [(0, 1), (50, 6), (90, 10), (99, 10)] {
            assert_eq!(percentile(&times, percent).as_millis(), expected, "{percent} %");
        }
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }
}
