//! What the machine can do at most with an engine's threads: the yardstick of a profile.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use webnn_kernels::buffer::Buffer;
use webnn_kernels::{Isa, peak};

use crate::threads::Threads;

/// What a CPU reaches at most with some threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Peaks {
    /// Multiplications and additions of floats in a second.
    pub float_ops: f64,
    /// Multiplications and additions of 8-bit integers in a second.
    pub int8_ops: f64,
    /// Sizes in bytes, in ascending order, and how many bytes in a second are read of memory of
    /// that size that is read again and again: of the caches first, of the main memory last.
    pub reads: Vec<(usize, f64)>,
    /// How long a line that one thread wrote takes to the core of another one: whether their cores
    /// share a cache. `None` where there is no other thread.
    pub line: Option<Duration>,
}

/// What caches of the usual sizes hold whole, and what none does.
const SIZES: [usize; 4] = [16 << 10, 256 << 10, 4 << 20, 256 << 20];

/// How often each rate is measured; the best is least disturbed.
const TRIALS: usize = 10;

/// How long a trial takes, about.
const TRIAL: Duration = Duration::from_millis(4);

/// Bytes that a trial reads at least.
const READ: usize = 32 << 20;

impl Peaks {
    /// The bytes that can be read in a second of memory of a size.
    pub fn read_rate(&self, bytes: usize) -> f64 {
        let fits = self.reads.iter().find(|(size, _)| bytes <= *size);
        fits.or(self.reads.last()).map_or(f64::INFINITY, |&(_, rate)| rate)
    }

    pub(crate) fn measure(isa: Isa, threads: &Threads) -> Peaks {
        Peaks {
            float_ops: operations(threads, |rounds| peak::multiply_add(isa, rounds)),
            int8_ops: operations(threads, |rounds| peak::dot(isa, rounds)),
            reads: read_rates(isa, threads),
            line: (0..TRIALS).filter_map(|_| line(threads, 2000, 1 << 18)).min(),
        }
    }
}

/// The rate of a loop on all threads at once.
fn operations(threads: &Threads, work: impl Fn(usize) -> u64 + Sync) -> f64 {
    // As many rounds as take about the time of a trial.
    let mut rounds = 1 << 12;
    while time(|| _ = work(rounds)) < TRIAL / 2 && rounds < 1 << 30 {
        rounds *= 2;
    }
    let count = threads.count();
    let operations = work(1) as f64 * rounds as f64 * count as f64;
    operations / best(|| threads.run(count, &|_part| _ = work(rounds))).as_secs_f64()
}

fn read_rates(isa: Isa, threads: &Threads) -> Vec<(usize, f64)> {
    let most = SIZES[SIZES.len() - 1];
    let mut data = Buffer::<f32>::zeroed(most / size_of::<f32>());
    // Memory that was never written may be one page of zeros again and again.
    data.fill(1.0);
    let rate = |size: usize| {
        let passes = (READ / size).max(1);
        let data = &data[..size / size_of::<f32>()];
        let pass = |range: std::ops::Range<usize>| {
            (0..passes).for_each(|_| peak::read(isa, &data[range.clone()]));
        };
        (passes * size) as f64 / best(|| threads.ranges(data.len(), 1, pass)).as_secs_f64()
    };
    SIZES.iter().map(|&size| (size, rate(size))).collect()
}

/// The time that a line takes from one thread to another, which pass it to and fro: each has it `turns`
/// times. `None` where the other one does not come, so that after `patience` looks at the line a thread
/// waits no longer.
pub(crate) fn line(threads: &Threads, turns: usize, patience: usize) -> Option<Duration> {
    if threads.count() < 2 {
        return None;
    }
    let turn = AtomicUsize::new(0);
    let took = Mutex::new(None);
    threads.run(2, &|part| {
        let mut start = None;
        for mine in (part..2 * turns).step_by(2) {
            let mut looks = 0..patience;
            while turn.load(Ordering::Acquire) != mine {
                if looks.next().is_none() {
                    return;
                }
                std::hint::spin_loop();
            }
            // Until the first turn a thread may have waited for the other one to wake up.
            start.get_or_insert_with(Instant::now);
            turn.store(mine + 1, Ordering::Release);
        }
        let passes = (2 * turns - 2) as u32;
        let mut took = took.lock().unwrap_or_else(PoisonError::into_inner);
        *took = start.map(|start| start.elapsed() / passes);
    });
    took.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn best(mut work: impl FnMut()) -> Duration {
    (0..TRIALS).map(|_| time(&mut work)).min().unwrap_or_default()
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_pass_between_threads_if_there_are_any() {
        assert_eq!(line(&Threads::new(1), 10, 1 << 18), None);
        let (lonely, _helpers) = Threads::hosted(2);
        assert_eq!(line(&lonely, 10, 1 << 18), None);
        if std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
            let threads = Threads::new(2);
            // Another process may have one of the cores for a while.
            assert!((0..1000).find_map(|_| line(&threads, 10, 1 << 18)).is_some());
        }
    }

    #[test]
    fn memory_is_as_fast_as_the_cache_that_it_fits_in() {
        let peaks =
            Peaks { float_ops: 1.0, int8_ops: 1.0, reads: vec![(10, 9.0), (100, 4.0)], line: None };
        for (bytes, rate) in [(0, 9.0), (10, 9.0), (11, 4.0), (100, 4.0), (1000, 4.0)] {
            assert_eq!(peaks.read_rate(bytes), rate, "{bytes} bytes");
        }
    }
}
