//! `webnn bench --roofline`: how near each step comes to what the machine can do.
//!
//! A step takes at least as long as its arithmetic at the peak rate, and as long as reading and
//! writing its bytes: constants from where the whole graph fits, since all of it was touched since
//! they were last read, and the rest from where the step's own values fit.

use std::collections::BTreeMap;
use std::time::Duration;

use anstream::println;
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use webnn::{Arithmetic, Context, Graph, Peaks, StepInfo};

use crate::commands::bench::Profile;
use crate::output::{self, BOLD, DIM};

/// The machine's peaks, and how much memory the graph touches in a run.
pub(crate) struct Roofline {
    peaks: Peaks,
    footprint: usize,
}

/// What some steps compute and take together.
#[derive(Clone, Copy, Default)]
struct Sum {
    count: usize,
    flops: u64,
    bytes: u64,
    time: Duration,
    least: Duration,
}

impl Sum {
    fn add(&mut self, other: Sum) {
        self.count += other.count;
        self.flops += other.flops;
        self.bytes += other.bytes;
        self.time += other.time;
        self.least += other.least;
    }

    /// The least time in per cent of the time that was taken.
    fn percent(&self) -> f64 {
        100.0 * self.least.as_secs_f64() / self.time.as_secs_f64().max(1e-12)
    }

    fn lost(&self) -> Duration {
        self.time.saturating_sub(self.least)
    }

    fn row(&self) -> String {
        format!(
            "{:>9} {:>9} {:>6.0} % {:>9} {:>9}",
            output::duration(self.time),
            output::duration(self.lost()),
            self.percent(),
            output::count(self.flops),
            output::bytes(self.bytes)
        )
    }
}

/// The head of [`Sum::row`].
fn head() -> String {
    format!("{:>9} {:>9} {:>8} {:>9} {:>9}", "time", "lost", "of peak", "FLOPs", "bytes")
}

impl Roofline {
    /// Measures the machine with the context's threads.
    pub(crate) fn measure(context: &Context, graph: &Graph) -> Result<Roofline> {
        let peaks = context.measure_peaks();
        let peaks = peaks.context("--roofline is for the CPU: of this device no peak is known")?;
        Ok(Roofline { peaks, footprint: graph.memory().peak_bytes() })
    }

    /// The least times that a step's arithmetic and its memory take.
    fn limits(&self, step: &StepInfo) -> [Duration; 2] {
        let operations = match step.arithmetic {
            Arithmetic::Float => self.peaks.float_ops,
            Arithmetic::Int8 => self.peaks.int8_ops,
        };
        let others = step.bytes.saturating_sub(step.constant_bytes);
        let memory = step.constant_bytes as f64 / self.peaks.read_rate(self.footprint)
            + others as f64 / self.peaks.read_rate(others as usize);
        [step.flops as f64 / operations, memory].map(Duration::from_secs_f64)
    }

    fn sum(&self, (step, time): &(StepInfo, Duration)) -> Sum {
        let [arithmetic, memory] = self.limits(step);
        Sum {
            count: 1,
            flops: step.flops,
            bytes: step.bytes,
            time: *time,
            least: arithmetic.max(memory),
        }
    }

    fn total(&self, profile: &Profile) -> Sum {
        let mut total = Sum::default();
        profile.iter().for_each(|step| total.add(self.sum(step)));
        total
    }

    pub(crate) fn print(&self, profile: &Profile) {
        let mut kinds: BTreeMap<&str, Sum> = BTreeMap::new();
        for step in profile {
            kinds.entry(&step.0.ops).or_default().add(self.sum(step));
        }
        let mut kinds: Vec<_> = kinds.into_iter().collect();
        kinds.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.lost()));
        println!("\n{BOLD}peak{BOLD:#}     {}", self.words());
        println!("\n{BOLD}{} {:>6}  kinds of steps{BOLD:#}", head(), "count");
        for (ops, sum) in kinds {
            println!("{} {:>6}  {ops}", sum.row(), sum.count);
        }
        let total = self.total(profile);
        println!("{BOLD}{} {:>6}  in all{BOLD:#}", total.row(), total.count);
        println!("\n{BOLD}{} {:>10}  steps in order{BOLD:#}", head(), "limit");
        for step in profile {
            let (info, _) = step;
            println!(
                "{} {:>10}  {} {DIM}{}{DIM:#}",
                self.sum(step).row(),
                self.limit(info),
                info.ops,
                info.label
            );
        }
    }

    /// What keeps a step from being faster than its least time.
    fn limit(&self, step: &StepInfo) -> &'static str {
        let [arithmetic, memory] = self.limits(step);
        if arithmetic < memory { "memory" } else { "arithmetic" }
    }

    fn words(&self) -> String {
        let giga = |rate: f64| format!("{:.1} G", rate / 1e9);
        let reads = self.peaks.reads.iter().map(|&(size, rate)| {
            let size = if size < 1 << 20 {
                format!("{} KiB", size >> 10)
            } else {
                format!("{} MiB", size >> 20)
            };
            format!("{}B/s of {size}", giga(rate))
        });
        let line = self.peaks.line.map_or(String::new(), |line| {
            format!("; a line passes between threads in {} ns", line.as_nanos())
        });
        format!(
            "{}FLOP/s; {}OP/s of 8-bit integers; reads {}{line}",
            giga(self.peaks.float_ops),
            giga(self.peaks.int8_ops),
            reads.collect::<Vec<_>>().join(", ")
        )
    }

    /// The peaks and the total.
    pub(crate) fn as_json(&self, profile: &Profile) -> Value {
        let total = self.total(profile);
        let read = |&(size, rate): &(usize, f64)| json!({ "bytes": size, "bytesPerSecond": rate });
        json!({
            "floatOpsPerSecond": self.peaks.float_ops,
            "int8OpsPerSecond": self.peaks.int8_ops,
            "reads": self.peaks.reads.iter().map(read).collect::<Vec<_>>(),
            "lineNs": self.peaks.line.map(|line| line.as_nanos() as u64),
            "ns": total.time.as_nanos() as u64,
            "leastNs": total.least.as_nanos() as u64,
            "percentOfPeak": total.percent(),
        })
    }

    /// One step's fields beside those that every profile has.
    pub(crate) fn step_as_json(&self, step: &(StepInfo, Duration)) -> Value {
        let sum = self.sum(step);
        json!({ "leastNs": sum.least.as_nanos() as u64, "percentOfPeak": sum.percent(),
                "limit": self.limit(&step.0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(flops: u64, bytes: u64, constant_bytes: u64, arithmetic: Arithmetic) -> StepInfo {
        StepInfo {
            ops: "matmul".into(),
            label: String::new(),
            pattern: "single",
            flops,
            arithmetic,
            bytes,
            constant_bytes,
        }
    }

    fn roofline(footprint: usize) -> Roofline {
        let reads = vec![(100, 1000.0), (1000, 100.0)];
        let peaks = Peaks { float_ops: 1000.0, int8_ops: 4000.0, reads, line: None };
        Roofline { peaks, footprint }
    }

    #[test]
    fn a_step_takes_as_long_as_its_arithmetic_and_as_its_memory() {
        let step = |flops, bytes, constant, arithmetic| step(flops, bytes, constant, arithmetic);
        for (step, footprint, arithmetic, memory) in [
            (step(2000, 0, 0, Arithmetic::Float), 0, 2000, 0),
            (step(2000, 0, 0, Arithmetic::Int8), 0, 500, 0),
            // 100 bytes lie in the cache; 200 do not.
            (step(0, 100, 0, Arithmetic::Float), 5000, 0, 100),
            (step(0, 200, 0, Arithmetic::Float), 0, 0, 2000),
            // Constants lie where the whole graph does.
            (step(0, 150, 100, Arithmetic::Float), 50, 0, 150),
            (step(0, 150, 100, Arithmetic::Float), 5000, 0, 1050),
        ] {
            let expected = [arithmetic, memory].map(Duration::from_millis);
            assert_eq!(roofline(footprint).limits(&step), expected, "{step:?}");
        }
    }

    #[test]
    fn a_sum_is_held_against_the_least_times_of_its_steps() {
        let roofline = roofline(0);
        let profile = vec![
            (step(1000, 0, 0, Arithmetic::Float), Duration::from_secs(2)),
            (step(0, 1000, 0, Arithmetic::Float), Duration::from_secs(18)),
        ];
        let total = roofline.total(&profile);
        assert_eq!((total.count, total.flops, total.bytes), (2, 1000, 1000));
        assert_eq!(total.lost(), Duration::from_secs(9));
        assert!((total.percent() - 55.0).abs() < 1e-9);
        assert_eq!(roofline.limit(&profile[0].0), "arithmetic");
        assert_eq!(roofline.limit(&profile[1].0), "memory");
    }
}
