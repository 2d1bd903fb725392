//! Memory for values: those that live at different times may lie in the same place.

use std::collections::BTreeSet;

/// Offsets are multiples of this, so that a value begins with a cache line.
pub const ALIGNMENT: usize = 64;

/// How large a value is and when it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// The size in bytes.
    pub bytes: usize,
    /// The step that writes the value.
    pub first: usize,
    /// The last step that reads it, not before `first`; both steps belong to the life.
    pub last: usize,
}

impl Life {
    /// Whether there is a step that belongs to both lives.
    fn meets(&self, other: &Life) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Offsets in one arena, and the arena's size in bytes, so that no two values that live at once
/// overlap.
///
/// Greedy by decreasing size: each value goes into the narrowest gap left by those already placed
/// that live at the same time, or behind all of them.
pub fn place(lives: &[Life]) -> (Vec<usize>, usize) {
    let mut order: Vec<usize> = (0..lives.len()).collect();
    order.sort_by_key(|&i| (std::cmp::Reverse(lives[i].bytes), lives[i].first, i));
    let mut offsets = vec![0; lives.len()];
    let mut timeline = Timeline::new(lives);
    let mut placed = BTreeSet::new();
    let mut arena = 0;
    for i in order {
        let size = align(lives[i].bytes);
        if size == 0 {
            continue;
        }
        let end = |other: usize| offsets[other] + align(lives[other].bytes);
        // Where much lives at once, a look at all that is placed, in order, is cheaper than sorting.
        let few = placed.len() / 8 + 64;
        let mut taken: Vec<(usize, usize)> = timeline
            .overlapping(lives[i])
            .map(|other| (offsets[other], end(other)))
            .take(few)
            .collect();
        if taken.len() < few {
            taken.sort_unstable();
        } else {
            let at_once = placed.iter().filter(|&&(_, other)| lives[i].meets(&lives[other]));
            taken = at_once.map(|&(offset, other)| (offset, end(other))).collect();
        }
        offsets[i] = narrowest_gap(&taken, size);
        placed.insert((offsets[i], i));
        arena = arena.max(offsets[i] + size);
        timeline.insert(i);
    }
    (offsets, arena)
}

fn align(bytes: usize) -> usize {
    bytes.next_multiple_of(ALIGNMENT)
}

/// The offset of the narrowest gap between the taken ranges that is wide enough, or their end.
fn narrowest_gap(taken: &[(usize, usize)], size: usize) -> usize {
    let mut best: Option<(usize, usize)> = None;
    let mut end = 0;
    for &(first, last) in taken {
        if let Some(gap) = first.checked_sub(end)
            && gap >= size
            && best.is_none_or(|(width, _)| gap < width)
        {
            best = Some((gap, end));
        }
        end = end.max(last);
    }
    best.map_or(end, |(_, offset)| offset)
}

/// Values already placed, found by the time when they live.
///
/// Steps are cut into slots of a power of two; a value is kept at the one level where at most two
/// slots cover it, so a query looks only at slots near its own life on each level.
struct Timeline<'a> {
    lives: &'a [Life],
    slots: BTreeSet<(u32, usize, usize)>,
}

impl<'a> Timeline<'a> {
    fn new(lives: &'a [Life]) -> Self {
        Timeline { lives, slots: BTreeSet::new() }
    }

    /// The level whose slots are at least as long as the life.
    fn level(life: Life) -> u32 {
        (life.last - life.first + 1).next_power_of_two().trailing_zeros()
    }

    fn insert(&mut self, value: usize) {
        let life = self.lives[value];
        let level = Self::level(life);
        self.slots.insert((level, life.first >> level, value));
    }

    /// Values that live at some step of the given life.
    fn overlapping(&self, life: Life) -> impl Iterator<Item = usize> {
        (0..usize::BITS).flat_map(move |level| {
            // A life of this level begins in the slot before the one that it may end in.
            let first = (life.first >> level).saturating_sub(1);
            let last = life.last >> level;
            self.slots
                .range((level, first, 0)..=(level, last, usize::MAX))
                .map(|&(_, _, value)| value)
                .filter(move |&value| self.lives[value].meets(&life))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(bytes: usize, first: usize, last: usize) -> Life {
        Life { bytes, first, last }
    }

    /// A small generator of numbers below a bound, the same on every run.
    fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
        move |below| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) as usize % below
        }
    }

    fn assert_disjoint(lives: &[Life], offsets: &[usize], arena: usize) {
        for (i, a) in lives.iter().enumerate() {
            assert_eq!(offsets[i] % ALIGNMENT, 0);
            assert!(offsets[i] + a.bytes <= arena);
            for (j, b) in lives.iter().enumerate().skip(i + 1) {
                let at_once = a.first <= b.last && b.first <= a.last;
                let apart =
                    offsets[i] + a.bytes <= offsets[j] || offsets[j] + b.bytes <= offsets[i];
                assert!(!at_once || apart || a.bytes == 0 || b.bytes == 0, "{a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn a_chain_needs_two_places() {
        let lives: Vec<Life> = (0..10).map(|i| life(100, i, i + 1)).collect();
        let (offsets, arena) = place(&lives);
        assert_disjoint(&lives, &offsets, arena);
        assert_eq!(arena, 2 * 128);
    }

    #[test]
    fn a_small_value_fills_the_narrowest_gap() {
        // Once the second and the fourth value are gone, gaps of 256 and of 128 are left.
        let lives = [
            life(1024, 0, 9),
            life(256, 0, 4),
            life(200, 0, 9),
            life(128, 0, 4),
            life(64, 0, 9),
            life(60, 5, 9),
        ];
        let (offsets, arena) = place(&lives);
        assert_disjoint(&lives, &offsets, arena);
        assert_eq!(offsets[5], offsets[3]);
    }

    #[test]
    fn values_of_no_bytes_need_no_place() {
        assert_eq!(place(&[life(0, 0, 3), life(0, 1, 2)]), (vec![0, 0], 0));
        assert_eq!(place(&[]), (vec![], 0));
    }

    #[test]
    fn values_that_live_at_once_never_overlap() {
        for seed in 0..200 {
            let mut next = numbers(seed);
            let count = 1 + next(if seed % 10 == 0 { 400 } else { 80 });
            let lives: Vec<Life> = (0..count)
                .map(|_| {
                    let first = next(60);
                    let longest = if next(4) == 0 { 60 } else { 4 };
                    life(next(5000), first, first + next(longest))
                })
                .collect();
            let (offsets, arena) = place(&lives);
            assert_disjoint(&lives, &offsets, arena);
            let at = |step: usize| -> usize {
                let alive = lives.iter().filter(|life| life.first <= step && step <= life.last);
                alive.map(|life| align(life.bytes)).sum()
            };
            let most = (0..120).map(at).max().unwrap_or(0);
            assert!(arena >= most && arena <= 2 * most, "seed {seed}: {arena} for {most}");
        }
    }
}
