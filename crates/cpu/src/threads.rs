//! A pool of threads with low wake-up cost and a static partition of the work.
//!
//! Helpers spin for a moment after each job, so that the steps of one run follow each other
//! without system calls, and then park. A job is cut into one share for each thread before anything
//! starts, and kernels never let that change the order of a sum: results do not depend on the number
//! of threads. A helper that has not begun its share when the caller is done with its own, because
//! it has yet to wake up or another process has its core, is not waited for: the caller computes
//! that share as well.

use std::any::Any;
use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, TryLockError};
use std::thread::{self, JoinHandle, Thread};

/// The most threads of a pool, the caller included.
pub(crate) const MAX_THREADS: usize = 64;

/// Rounds of spinning between two looks at the clock.
const ROUNDS: usize = 64;

/// A job: called once for each part.
type Work<'a> = dyn Fn(usize) + Sync + 'a;

/// A pool of helpers beside the calling thread.
pub struct Threads {
    shared: Arc<Shared>,
    count: usize,
    started: Vec<JoinHandle<()>>,
    /// Held while a job runs: a second caller computes its job alone instead of waiting.
    turn: Mutex<()>,
}

/// A place in a pool, for a thread that the host starts.
pub struct Helper {
    shared: Arc<Shared>,
    index: usize,
}

struct Shared {
    places: Vec<Place>,
    caller: Mutex<Option<Thread>>,
    caller_sleeps: AtomicBool,
    /// Whether a helper has panicked in the current job.
    panicked: AtomicBool,
    /// The first such panic.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// Where a helper works, once it has come: all that passes between it and the caller, in one cache line
/// that nobody else writes to.
#[repr(align(128))]
struct Place {
    thread: OnceLock<Thread>,
    /// [`NOTHING`], [`OFFER`], [`TAKEN`] or [`STOP`]; whoever takes an offer away computes the share.
    state: AtomicU8,
    sleeps: AtomicBool,
    job: UnsafeCell<Job>,
}

/// There is nothing to do, or no more.
const NOTHING: u8 = 0;
/// A share of the current job waits for the helper, or for whoever comes first.
const OFFER: u8 = 1;
/// The helper computes it.
const TAKEN: u8 = 2;
/// The pool is gone.
const STOP: u8 = 3;

#[derive(Clone, Copy)]
struct Job {
    work: *const Work<'static>,
    parts: usize,
    /// How many threads share the parts.
    threads: usize,
}

// SAFETY: a place's `job` is written by the one caller that holds `turn`, before it offers a share
// there, and read by the helper once it has taken the offer; the next write comes after `state` has
// shown that the share is done, or the caller has taken the offer back.
unsafe impl Sync for Place {}
// SAFETY: the pointer in `job` is followed only while its caller waits in `run`.
unsafe impl Send for Place {}

impl Threads {
    /// A pool of `count` threads, the caller among them; fewer where no more can be started.
    pub fn new(count: usize) -> Threads {
        let (mut threads, helpers) = Threads::hosted(count);
        let start = |helper: Helper| {
            let name = format!("webnn-{}", helper.index + 1);
            thread::Builder::new().name(name).spawn(move || helper.work()).ok()
        };
        threads.started = helpers.into_iter().map_while(start).collect();
        for (place, helper) in threads.shared.places.iter().zip(&threads.started) {
            // The helper itself may have been faster, with the same value.
            let _ = place.thread.set(helper.thread().clone());
        }
        threads.count = threads.started.len() + 1;
        threads
    }

    /// A pool of `count` threads, for each of which but the caller the host is to start one that
    /// calls [`Helper::work`]. Until it does the others do its part.
    pub fn hosted(count: usize) -> (Threads, Vec<Helper>) {
        let count = count.clamp(1, MAX_THREADS);
        let shared = Arc::new(Shared {
            places: (1..count).map(|_| Place::new()).collect(),
            caller: Mutex::new(None),
            caller_sleeps: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
            panic: Mutex::new(None),
        });
        let helper = |index: usize| Helper { shared: Arc::clone(&shared), index };
        let helpers = (0..count - 1).map(helper).collect();
        (Threads { shared, count, started: Vec::new(), turn: Mutex::new(()) }, helpers)
    }

    /// The number of threads, the caller included. Work is cut for so many, however many of them
    /// are there yet.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Calls `work` with each of `0..parts`, and returns when all are done. Of the threads that
    /// are there, number `i` computes the parts `i`, `i + threads`, and so on, the caller being
    /// the first thread; the caller also those of threads that have not begun by then.
    ///
    /// # Panics
    ///
    /// When `work` panics, after all threads are done.
    pub fn run(&self, parts: usize, work: &Work<'_>) {
        let alone = || (0..parts).for_each(work);
        if parts <= 1 || self.count == 1 {
            return alone();
        }
        let _turn = match self.turn.try_lock() {
            Ok(turn) => turn,
            // A panic in an earlier job leaves nothing behind in the pool.
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => return alone(),
        };
        let helpers = self.shared.places.iter().take(self.count - 1);
        let helpers = helpers.take_while(|place| place.thread.get().is_some()).count();
        if helpers == 0 {
            return alone();
        }
        // SAFETY: only the lifetime changes. `run` does not return, nor unwind, before `wait` has
        // seen every share done, so nobody follows the pointer after the borrow has ended.
        let work = unsafe { std::mem::transmute::<&Work<'_>, &Work<'static>>(work) };
        let job = Job { work, parts, threads: helpers + 1 };
        let places = &self.shared.places[..helpers];
        places.iter().for_each(|place| place.offer(job));
        let mut mine = job.compute(0);
        for (index, place) in places.iter().enumerate() {
            if place.take_offer(NOTHING) {
                mine = mine.and(job.compute(index + 1));
            }
        }
        self.shared.wait(places);
        // Written only after a panic: the helpers read its cache line.
        if self.shared.panicked.load(Ordering::Relaxed) {
            self.shared.panicked.store(false, Ordering::Relaxed);
            mine = mine.and(lock(&self.shared.panic).take().map_or(Ok(()), Err));
        }
        if let Err(panic) = mine {
            resume_unwind(panic);
        }
    }

    /// How many equal parts to cut `count` items into, so that each thread gets at most one and
    /// no part has fewer than `least` items.
    pub fn parts(&self, count: usize, least: usize) -> usize {
        (count / least.max(1)).clamp(1, self.count())
    }

    /// Calls `work` with ranges that make up `0..count`, at least `least` items each.
    pub fn ranges(&self, count: usize, least: usize, work: impl Fn(Range<usize>) + Sync) {
        let parts = self.parts(count, least);
        self.run(parts, &|part| work(share(count, parts, part)));
    }

    /// Calls `work` with ranges of the rows of `data`, `row` elements each and at least `least`
    /// rows at a time, and with these rows' elements.
    pub fn rows<T: Send>(
        &self,
        data: &mut [T],
        row: usize,
        least: usize,
        work: impl Fn(Range<usize>, &mut [T]) + Sync,
    ) {
        let count = data.len() / row.max(1);
        let parts = self.parts(count, least);
        let pieces = Pieces::new(data, row, parts);
        self.run(parts, &|part| {
            let (rows, piece) = pieces.take(part);
            work(rows, piece);
        });
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.places.iter().for_each(|place| place.tell(STOP));
        for helper in self.started.drain(..) {
            // A helper catches the panics of its jobs, so there is nothing to pass on.
            let _ = helper.join();
        }
    }
}

impl Helper {
    /// Computes shares of the pool's jobs, waiting in between, until the pool is dropped.
    pub fn work(self) {
        let shared = &*self.shared;
        let place = &shared.places[self.index];
        // In a pool that starts its own threads the value is there already.
        let _ = place.thread.set(thread::current());
        while place.wait() != STOP {
            if place.take_offer(TAKEN) {
                shared.help(self.index);
            }
        }
    }
}

impl Place {
    fn new() -> Place {
        fn nothing(_part: usize) {}
        Place {
            thread: OnceLock::new(),
            state: AtomicU8::new(NOTHING),
            sleeps: AtomicBool::new(false),
            job: UnsafeCell::new(Job { work: &nothing, parts: 0, threads: 1 }),
        }
    }

    /// Offers a share of a job to the helper, waking it if it sleeps.
    fn offer(&self, job: Job) {
        // SAFETY: `turn` is held, and there is no offer nor a share that is not done: nobody else
        // reads or writes the cell.
        unsafe { *self.job.get() = job };
        self.tell(OFFER);
    }

    /// Tells the helper what to do, waking it if it sleeps.
    fn tell(&self, state: u8) {
        self.state.store(state, Ordering::SeqCst);
        if self.sleeps.load(Ordering::SeqCst)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    /// Waits until there is something to do, or was: the caller may have taken the offer back.
    fn wait(&self) -> u8 {
        if !spin_until(|| self.state.load(Ordering::Acquire) != NOTHING) {
            self.sleeps.store(true, Ordering::SeqCst);
            if self.state.load(Ordering::SeqCst) == NOTHING {
                // Whoever is woken spins again: more is to come.
                thread::park();
            }
            self.sleeps.store(false, Ordering::Relaxed);
        }
        self.state.load(Ordering::Acquire)
    }

    /// Whether there was an offer, which now is nobody else's.
    fn take_offer(&self, state: u8) -> bool {
        let taken = self.state.compare_exchange(OFFER, state, Ordering::AcqRel, Ordering::Relaxed);
        taken.is_ok()
    }
}

impl Shared {
    /// Computes the helper's share of the current job, whose offer it has taken.
    fn help(&self, index: usize) {
        let place = &self.places[index];
        // SAFETY: the offer was taken with acquire ordering, and the cell is not written before
        // this helper has said that it is done.
        let job = unsafe { *place.job.get() };
        if let Err(panic) = job.compute(index + 1) {
            lock(&self.panic).get_or_insert(panic);
            self.panicked.store(true, Ordering::Relaxed);
        }
        place.state.store(NOTHING, Ordering::SeqCst);
        if self.caller_sleeps.load(Ordering::SeqCst)
            && let Some(caller) = &*lock(&self.caller)
        {
            caller.unpark();
        }
    }

    /// Waits until the helpers have done their shares.
    fn wait(&self, places: &[Place]) {
        let is_done = |place: &Place| place.state.load(Ordering::SeqCst) == NOTHING;
        if places.iter().all(|place| spin_until(|| is_done(place))) {
            return;
        }
        *lock(&self.caller) = Some(thread::current());
        self.caller_sleeps.store(true, Ordering::SeqCst);
        while !places.iter().all(is_done) {
            thread::park();
        }
        self.caller_sleeps.store(false, Ordering::Relaxed);
    }
}

impl Job {
    /// Computes the parts of one of its threads.
    ///
    /// Never a part of the helpers' endless loop: browsers optimise a function when it is called
    /// again, and what belongs to a call that does not end stays slow.
    #[inline(never)]
    fn compute(self, thread: usize) -> thread::Result<()> {
        // SAFETY: the caller waits in `run` until all shares are done, so what it borrowed is alive.
        let work = unsafe { &*self.work };
        let parts = (thread..self.parts).step_by(self.threads);
        catch_unwind(AssertUnwindSafe(|| parts.for_each(work)))
    }
}

/// Spins until the condition holds or the time for it is over; gives whether it holds.
fn spin_until(condition: impl Fn() -> bool) -> bool {
    let mut patience = Patience::default();
    loop {
        for _ in 0..ROUNDS {
            if condition() {
                return true;
            }
            std::hint::spin_loop();
        }
        if patience.is_over() {
            return false;
        }
    }
}

/// How long a thread spins before it parks: longer than the gap between two steps, far shorter
/// than what anybody would notice as load.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Default)]
struct Patience(Option<std::time::Instant>);

#[cfg(not(target_arch = "wasm32"))]
impl Patience {
    const MOST: std::time::Duration = std::time::Duration::from_micros(50);

    fn is_over(&mut self) -> bool {
        self.0.get_or_insert_with(std::time::Instant::now).elapsed() > Self::MOST
    }
}

/// The same where there is no clock: so many times [`ROUNDS`] take about as long.
#[cfg(target_arch = "wasm32")]
#[derive(Default)]
struct Patience(u32);

#[cfg(target_arch = "wasm32")]
impl Patience {
    const MOST: u32 = 1000;

    fn is_over(&mut self) -> bool {
        self.0 += 1;
        self.0 > Self::MOST
    }
}

/// Locks, whether or not another holder has panicked: the contents are single values.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The range of `count` items that belongs to one of `parts` parts, all as equal as can be.
pub(crate) fn share(count: usize, parts: usize, part: usize) -> Range<usize> {
    let at = |part: usize| part * (count / parts) + part.min(count % parts);
    at(part)..at(part + 1)
}

/// Equal pieces of a slice, each handed out once, to whichever thread asks for it.
pub(crate) struct Pieces<'a, T> {
    start: AtomicPtr<T>,
    rows: usize,
    row: usize,
    parts: usize,
    taken: AtomicU64,
    borrow: PhantomData<&'a ()>,
}

impl<'a, T: Send + 'a> Pieces<'a, T> {
    /// `data` as rows of `row` elements, in as many parts of whole rows; what is left over after
    /// the last whole row belongs to none.
    ///
    /// # Panics
    ///
    /// When there are more parts than [`MAX_THREADS`].
    pub(crate) fn new(data: &'a mut [T], row: usize, parts: usize) -> Pieces<'a, T> {
        assert!(parts <= MAX_THREADS, "{parts} parts, expected at most {MAX_THREADS}");
        Pieces {
            rows: data.len() / row.max(1),
            row,
            start: AtomicPtr::new(data.as_mut_ptr()),
            parts,
            taken: AtomicU64::new(0),
            borrow: PhantomData,
        }
    }

    /// The rows of one part.
    ///
    /// # Panics
    ///
    /// When there is no such part, or it has been taken before.
    pub(crate) fn take(&self, part: usize) -> (Range<usize>, &'a mut [T]) {
        assert!(part < self.parts, "piece {part} of {}", self.parts);
        let before = self.taken.fetch_or(1 << part, Ordering::Relaxed);
        assert!(before & (1 << part) == 0, "piece {part} is taken twice");
        let rows = share(self.rows, self.parts, part);
        let start = self.start.load(Ordering::Relaxed);
        // SAFETY: the rows lie inside the slice that is borrowed for 'a.
        let start = unsafe { start.add(rows.start * self.row) };
        // SAFETY: shares do not overlap, and each is handed out once: the access is the only one.
        let piece = unsafe { std::slice::from_raw_parts_mut(start, rows.len() * self.row) };
        (rows, piece)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn every_part_is_computed_once() {
        for count in [1, 2, 3, 5] {
            let threads = Threads::new(count);
            for parts in [0, 1, 2, 3, 7, 64] {
                let calls: Vec<AtomicUsize> = (0..parts).map(|_| AtomicUsize::new(0)).collect();
                for _ in 0..50 {
                    threads.run(parts, &|part| {
                        calls[part].fetch_add(1, Ordering::Relaxed);
                    });
                }
                assert!(
                    calls.iter().all(|calls| calls.load(Ordering::Relaxed) == 50),
                    "{parts} parts on {count} threads"
                );
            }
        }
    }

    #[test]
    fn helpers_wake_up_after_they_have_parked() {
        let threads = Threads::new(2);
        for _ in 0..3 {
            let sum = AtomicUsize::new(0);
            threads.run(2, &|part| {
                sum.fetch_add(part + 1, Ordering::Relaxed);
            });
            assert_eq!(sum.into_inner(), 3);
            thread::sleep(Patience::MOST * 100);
        }
    }

    #[test]
    fn a_panic_in_any_part_reaches_the_caller_and_spares_the_pool() {
        let threads = Threads::new(3);
        for bad in 0..3 {
            let result = catch_unwind(AssertUnwindSafe(|| {
                threads.run(3, &|part| assert!(part != bad, "part {part}"));
            }));
            assert!(result.is_err(), "part {bad} panics");
            let calls = AtomicUsize::new(0);
            threads.run(3, &|_| {
                calls.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(calls.into_inner(), 3);
        }
    }

    #[test]
    fn a_job_inside_a_job_runs_on_its_caller() {
        let threads = Threads::new(2);
        let calls = AtomicUsize::new(0);
        threads.run(2, &|_| {
            threads.run(4, &|_| {
                calls.fetch_add(1, Ordering::Relaxed);
            });
        });
        assert_eq!(calls.into_inner(), 8);
    }

    #[test]
    fn helpers_that_come_late_or_never_are_not_waited_for() {
        let (threads, mut helpers) = Threads::hosted(4);
        let _never = helpers.pop();
        let all_parts_once = || {
            let calls: [AtomicUsize; 9] = Default::default();
            threads.run(calls.len(), &|part| {
                calls[part].fetch_add(1, Ordering::Relaxed);
            });
            calls.iter().all(|calls| calls.load(Ordering::Relaxed) == 1)
        };
        assert_eq!(threads.count(), 4);
        assert!(all_parts_once());
        // The last comes first: who is alone behind a gap does not take part.
        for helper in helpers.into_iter().rev() {
            let thread = thread::spawn(move || helper.work());
            for _ in 0..1000 {
                assert!(all_parts_once());
            }
            assert!(!thread.is_finished());
        }
    }

    #[test]
    fn a_share_that_its_helper_does_not_begin_is_the_callers() {
        let (threads, _never) = Threads::hosted(3);
        for place in &threads.shared.places {
            place.thread.set(thread::current()).unwrap();
        }
        let caller = thread::current().id();
        let calls: [AtomicUsize; 7] = Default::default();
        threads.run(calls.len(), &|part| {
            assert_eq!(thread::current().id(), caller);
            calls[part].fetch_add(1, Ordering::Relaxed);
        });
        assert!(calls.iter().all(|calls| calls.load(Ordering::Relaxed) == 1));
    }

    #[test]
    fn callers_share_the_pool() {
        let threads = Threads::new(2);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..100 {
                        let mut rows = vec![0; 96];
                        threads.rows(&mut rows, 3, 1, |range, rows| {
                            rows.fill(1);
                            assert_eq!(rows.len(), range.len() * 3);
                        });
                        assert_eq!(rows, vec![1; 96]);
                    }
                });
            }
        });
    }

    #[test]
    #[should_panic(expected = "taken twice")]
    fn a_piece_is_handed_out_once() {
        let mut data = [0; 4];
        let pieces = Pieces::new(&mut data, 1, 2);
        pieces.take(1);
        pieces.take(1);
    }

    #[test]
    fn shares_are_equal_and_cover_all() {
        for (count, parts) in [(10, 3), (2, 4), (0, 2), (64, 64)] {
            let shares: Vec<_> = (0..parts).map(|part| share(count, parts, part)).collect();
            assert_eq!(shares[0].start, 0);
            assert_eq!(shares[parts - 1].end, count);
            assert!(shares.windows(2).all(|pair| pair[0].end == pair[1].start));
            let lengths = || shares.iter().map(Range::len);
            assert!(lengths().max().unwrap() - lengths().min().unwrap() <= 1);
        }
    }
}
