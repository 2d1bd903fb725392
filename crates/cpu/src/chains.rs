//! Which steps are computed together, strip by strip, because the image between them is too large
//! for the cache.

use std::collections::HashMap;

use webnn_core::{Graph, ValueId};

use crate::compile::Lowered;
use crate::layout::{Layout, Site, Touched};
use crate::ops::strips::{MOST, chain};
use crate::program::StepInfo;

/// Images of which a thread has fewer bytes stay in its second-level cache from one step to the next.
const LEAST_IMAGE: usize = 3 << 17;

/// Constants of more bytes are not read again for every strip.
const MOST_CONSTANTS: usize = 1 << 17;

/// Where the rows of two threads meet both compute what lies between: each thread has so many rows.
const LEAST_ROWS: usize = 8;

/// The same steps, some of them joined to chains, each where its last step was.
pub(crate) fn join(
    steps: Vec<Lowered>,
    graph: &Graph,
    layout: &Layout<'_>,
    threads: usize,
) -> Vec<Lowered> {
    let followers = followers(&steps, graph, layout, threads);
    let mut waiting: Vec<Option<Lowered>> = steps.into_iter().map(Some).collect();
    let mut chains: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut is_taken = vec![false; waiting.len()];
    for first in 0..waiting.len() {
        if is_taken[first] {
            continue;
        }
        let mut links = vec![first];
        if let Some(Follower { is_large: true, .. }) = followers[first] {
            let next = |step: &usize| followers[*step].as_ref().map(|follower| follower.step);
            links = std::iter::successors(Some(first), next).take(MOST).collect();
        }
        links.iter().for_each(|&step| is_taken[step] = true);
        chains.insert(links[links.len() - 1], links);
    }
    let mut joined = Vec::with_capacity(chains.len());
    for last in 0..waiting.len() {
        let Some(links) = chains.remove(&last) else { continue };
        let links = links.iter().map(|&step| waiting[step].take().expect("chains are apart"));
        joined.push(one_step(links.collect(), graph, threads));
    }
    joined
}

/// A step that can take another one's image strip by strip.
struct Follower {
    step: usize,
    /// Whether the image is too large for the cache. One that is not is as well not stored, but no
    /// reason to begin.
    is_large: bool,
}

/// For each step the one that can take its result strip by strip, if there is one.
fn followers(
    steps: &[Lowered],
    graph: &Graph,
    layout: &Layout<'_>,
    threads: usize,
) -> Vec<Option<Follower>> {
    // The steps that touch each value's memory, by the value that it belongs to.
    let mut touching: HashMap<ValueId, Vec<usize>> = HashMap::new();
    for (at, Lowered { touched, .. }) in steps.iter().enumerate() {
        for site in touched.reads.iter().chain(&touched.writes) {
            if let Site::Value(value) = site {
                touching.entry(layout.root(*value).0).or_default().push(at);
            }
        }
    }
    let follower = |at: usize| {
        let step = &steps[at];
        let [Site::Value(image)] = step.touched.writes[..] else { return None };
        if !layout.is_apart(image) {
            return None;
        }
        let [first, next] = touching[&image][..] else { return None };
        let makes = step.kernel.by_rows()?;
        let takes = steps[next].kernel.by_rows()?;
        let [rows, width] = rows_and_width(graph, &steps[next])?;
        let is_passed_on = first == at
            && makes.inside() == [makes.columns(), 0]
            && steps[next].touched.reads.first() == Some(&Site::Value(image))
            && takes.takes(0..0).is_some()
            && rows_and_width(graph, step).is_some();
        let is_light = |step: &Lowered| step.kernel.packed_bytes() <= MOST_CONSTANTS;
        // A single row's sums of products are cut otherwise than those of many.
        let is_shared_out = rows >= LEAST_ROWS * threads && width > 1;
        let is_large = graph.desc(image).byte_length() as usize >= LEAST_IMAGE * threads;
        (is_passed_on && is_shared_out && is_light(step) && is_light(&steps[next]))
            .then_some(Follower { step: next, is_large })
    };
    (0..steps.len()).map(follower).collect()
}

/// The rows of pixels of the images that a step makes, and their width.
fn rows_and_width(graph: &Graph, step: &Lowered) -> Option<[usize; 2]> {
    let [Site::Value(image)] = step.touched.writes[..] else { return None };
    let [images, height, width, _channels] = graph.desc(image).shape[..] else { return None };
    Some([(images * height) as usize, width as usize])
}

/// Several steps as one.
fn one_step(mut links: Vec<Lowered>, graph: &Graph, threads: usize) -> Lowered {
    if links.len() == 1 {
        return links.remove(0);
    }
    let last = &links[links.len() - 1];
    let size = rows_and_width(graph, last).expect("chains make images");
    let writes = last.touched.writes.clone();
    let mut kernels = Vec::with_capacity(links.len());
    let mut reads = Vec::new();
    let mut info: Option<StepInfo> = None;
    for Lowered { kernel, touched, info: link, .. } in links {
        kernels.push((kernel, touched.reads.len()));
        reads.extend(touched.reads.into_iter().skip(usize::from(info.is_some())));
        info = Some(match info {
            None => link,
            Some(before) => StepInfo {
                ops: before.ops + "+" + &link.ops,
                flops: before.flops + link.flops,
                ..before
            },
        });
    }
    let kernel = chain(kernels, size, threads);
    let touched = Touched { reads, writes, scratch_bytes: kernel.scratch_bytes(threads) };
    let info = info.expect("a chain has steps");
    Lowered { kernel, touched, info, reads_a_part: false }
}
