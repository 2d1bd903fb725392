//! Einstein's summation, by matrix products.

use crate::cx::{Cx, one};
use crate::elem::ElemType;
use crate::emit::{Emit, ReduceKind};
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::known::{count, small_count};
use crate::tensor::{Tensor, size_of};

/// A tensor with a name for each dimension.
struct Term {
    tensor: Tensor,
    labels: Vec<char>,
}

pub(crate) fn einsum(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let equation: String = cx.text_or("equation", "").split_whitespace().collect();
    let tensors = cx.rest(0)?;
    let (left, right) = match equation.split_once("->") {
        Some((left, right)) => (left.to_owned(), Some(right.to_owned())),
        None => (equation.clone(), None),
    };
    let inputs: Vec<&str> = left.split(',').collect();
    require!(
        inputs.len() == tensors.len() && !tensors.is_empty(),
        "equation {equation:?} has {} terms for {} inputs",
        inputs.len(),
        tensors.len()
    );
    let mut dots = 0;
    let mut terms = Vec::new();
    for (text, tensor) in inputs.iter().zip(tensors) {
        let named = text.replace("...", "").chars().count();
        let more = tensor.rank().checked_sub(named).filter(|&n| n == 0 || text.contains("..."));
        let Some(more) = more else {
            fault!(Invalid, "term {text:?} of {equation:?} does not fit {:?}", tensor.dims());
        };
        dots = dots.max(more);
        terms.push(Term { tensor, labels: Vec::new() });
    }
    for (text, term) in inputs.iter().zip(&mut terms) {
        let named = text.replace("...", "").chars().count();
        term.labels = labels(text, term.tensor.rank() - named);
    }
    let output = match &right {
        Some(text) => labels(text, dots),
        None => implied(&terms, dots),
    };
    for term in &mut terms {
        diagonal(cx.g, term)?;
    }
    let mut rest = terms.into_iter();
    let Some(mut result) = rest.next() else { fault!(Invalid, "there are no inputs") };
    let mut rest: Vec<Term> = rest.collect();
    while !rest.is_empty() {
        let next = rest.remove(0);
        let kept: Vec<char> = output
            .iter()
            .copied()
            .chain(rest.iter().flat_map(|term| term.labels.clone()))
            .collect();
        result = pair(cx.g, result, next, &kept)?;
    }
    sum_out(cx.g, &mut result, &output)?;
    let mut order = Vec::new();
    for label in &output {
        match result.labels.iter().position(|other| other == label) {
            Some(axis) if !order.contains(&axis) => order.push(axis),
            _missing => fault!(Invalid, "equation {equation:?} has {label:?} wrong on its right"),
        }
    }
    one(cx.g.transpose(&result.tensor, &order)?)
}

/// The names of a term; those that the dots stand for count from the last, as they broadcast.
fn labels(text: &str, dots: usize) -> Vec<char> {
    let dot = |i: usize| char::from_u32(0xe000 + (dots - 1 - i) as u32).unwrap_or('\u{e000}');
    match text.split_once("...") {
        Some((front, back)) => {
            front.chars().chain((0..dots).map(dot)).chain(back.chars()).collect()
        }
        None => text.chars().collect(),
    }
}

/// Without an arrow: the dots, then every name that occurs once, in order.
fn implied(terms: &[Term], dots: usize) -> Vec<char> {
    let mut all: Vec<char> = terms.iter().flat_map(|term| term.labels.clone()).collect();
    all.retain(|label| !('\u{e000}'..'\u{f000}').contains(label));
    let mut once: Vec<char> = all
        .iter()
        .copied()
        .filter(|label| all.iter().filter(|other| *other == label).count() == 1)
        .collect();
    once.sort_unstable();
    labels("...", dots).into_iter().chain(once).collect()
}

/// Leaves the diagonal where a name occurs twice in a term.
fn diagonal(g: &mut Emit<'_>, term: &mut Term) -> Outcome<()> {
    let mut axis = 0;
    while axis < term.labels.len() {
        let label = term.labels[axis];
        let Some(first) = term.labels[..axis].iter().position(|&other| other == label) else {
            axis += 1;
            continue;
        };
        let size = term.tensor.dims()[axis];
        require!(term.tensor.dims()[first] == size, "{label:?} has two sizes");
        small_count(&[size, size])?;
        let mut dims = vec![1; term.labels.len()];
        (dims[first], dims[axis]) = (size, size);
        let on = (0..size).flat_map(|i| (0..size).map(move |j| i128::from(i == j))).collect();
        let mask = g.int_list(ElemType::Bool, &dims, on);
        let zero = g.scalar(term.tensor.elem(), 0.0);
        let kept = g.select(&mask, &term.tensor, &zero)?;
        let sum = g.reduce(ReduceKind::Sum, &kept, &[axis])?;
        let mut dims = sum.dims().to_vec();
        dims.remove(axis);
        term.tensor = g.reshape(&sum, &dims)?;
        term.labels.remove(axis);
    }
    Ok(())
}

/// Sums over the dimensions that are not kept.
fn sum_out(g: &mut Emit<'_>, term: &mut Term, kept: &[char]) -> Outcome<()> {
    let axes: Vec<usize> =
        (0..term.labels.len()).filter(|&axis| !kept.contains(&term.labels[axis])).collect();
    if axes.is_empty() {
        return Ok(());
    }
    let sum = g.reduce(ReduceKind::Sum, &term.tensor, &axes)?;
    let left: Vec<usize> = (0..term.labels.len()).filter(|axis| !axes.contains(axis)).collect();
    let dims: Vec<u32> = left.iter().map(|&axis| sum.dims()[axis]).collect();
    term.tensor = g.reshape(&sum, &dims)?;
    term.labels = left.iter().map(|&axis| term.labels[axis]).collect();
    Ok(())
}

/// The product of two terms, summed over what both have and nobody needs.
fn pair(g: &mut Emit<'_>, mut a: Term, mut b: Term, kept: &[char]) -> Outcome<Term> {
    let needed = |other: &Term| {
        kept.iter().copied().chain(other.labels.iter().copied()).collect::<Vec<char>>()
    };
    let (by_a, by_b) = (needed(&b), needed(&a));
    sum_out(g, &mut a, &by_a)?;
    sum_out(g, &mut b, &by_b)?;
    // A size of 1 broadcasts: it stays out of the product's way as a dimension of its own side.
    let size = |term: &Term, label: char| {
        term.labels.iter().position(|&other| other == label).map(|axis| term.tensor.dims()[axis])
    };
    let both: Vec<char> = a.labels.iter().copied().filter(|l| b.labels.contains(l)).collect();
    for &label in &both {
        let (x, y) = (size(&a, label), size(&b, label));
        require!(x == y || x == Some(1) || y == Some(1), "{label:?} has sizes {x:?} and {y:?}");
        for (term, own, other) in [(&mut a, x, y), (&mut b, y, x)] {
            if own == Some(1) && other != Some(1) {
                let axis = term.labels.iter().position(|&other| other == label);
                let mut dims = term.tensor.dims().to_vec();
                if let (Some(axis), Some(other)) = (axis, other) {
                    dims[axis] = other;
                }
                term.tensor = g.expand(&term.tensor, &dims)?;
            }
        }
    }
    let batch: Vec<char> = both.iter().copied().filter(|l| kept.contains(l)).collect();
    let inner: Vec<char> = both.iter().copied().filter(|l| !kept.contains(l)).collect();
    let rows: Vec<char> = a.labels.iter().copied().filter(|l| !both.contains(l)).collect();
    let columns: Vec<char> = b.labels.iter().copied().filter(|l| !both.contains(l)).collect();
    let left = arranged(g, &a, [&batch, &rows, &inner])?;
    let right = arranged(g, &b, [&batch, &inner, &columns])?;
    let product = g.matmul(&left, &right)?;
    let mut dims = Vec::new();
    for label in batch.iter().chain(&rows) {
        dims.extend(size(&a, *label));
    }
    for label in &columns {
        dims.extend(size(&b, *label));
    }
    let labels = [batch, rows, columns].concat();
    Ok(Term { tensor: g.reshape(&product, &dims)?, labels })
}

/// The tensor with three dimensions, each of the given names in a row.
fn arranged(g: &mut Emit<'_>, term: &Term, parts: [&[char]; 3]) -> Outcome<Tensor> {
    let mut order = Vec::new();
    let mut dims = Vec::new();
    for part in parts {
        let mut sizes = Vec::new();
        for label in part {
            if let Some(axis) = term.labels.iter().position(|other| other == label) {
                order.push(axis);
                sizes.push(term.tensor.dims()[axis]);
            }
        }
        dims.push(size_of(count(&sizes)?.into())?);
    }
    let moved = g.transpose(&term.tensor, &order)?;
    g.reshape(&moved, &dims)
}
