//! ONNX Runtime's product with weights of few bits, which share scales in groups of their rows.

use std::ops::Range;

use webnn_core::DataType;

use crate::cx::{Cx, one};
use crate::elem::ElemType;
use crate::emit::Emit;
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::known::Array;
use crate::tensor::{Tensor, size_of};

/// How the weights lie: rows of the transposed factor, and the groups of each.
struct Layout {
    rows: u32,
    depth: u32,
    bits: u32,
    /// The elements of a group, and the groups of a row.
    block: u32,
    blocks: u32,
}

impl Layout {
    /// The elements of a row.
    fn padded(&self) -> u32 {
        self.block * self.blocks
    }
}

pub(crate) fn matmul_nbits(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (mut x, weights, scales) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    let (zeros, groups, bias) = (cx.opt(3)?, cx.opt(4)?, cx.opt(5)?);
    let size = |name: &str| size_of(cx.int_or(name, 0).into());
    let (depth, rows, block) = (size("K")?, size("N")?, size("block_size")?);
    let bits = match cx.int_or("bits", 4) {
        bits @ (2 | 4 | 8) => bits as u32,
        other => fault!(NotExpressible, "weights of {other} bits"),
    };
    require!(depth > 0 && rows > 0 && block > 0, "K is {depth}, N {rows}, block_size {block}");
    require!((block % 8 * bits).is_multiple_of(8), "groups of {block} elements of {bits} bits");
    let blocks = depth.div_ceil(block);
    size_of(i128::from(blocks) * i128::from(block))?;
    let mut layout = Layout { rows, depth, bits, block, blocks };
    let g = &mut *cx.g;
    let mut scales = g.reshape(&scales, &[rows, blocks])?;
    let Some(bytes) = weights.known().and_then(|known| known.bytes()) else {
        fault!(RuntimeParameter, "the weights must be known when the graph is built");
    };
    let expected = [rows, layout.padded(), bits].map(u128::from).iter().product::<u128>() / 8;
    require!(
        bytes.len() as u128 == expected,
        "{} bytes of weights for {rows} rows of {blocks} groups of {block}",
        bytes.len()
    );
    // Now that there are as many weights, the groups are no more than the file has bytes.
    let mut zeros = Zeros::new(g, zeros, &layout)?;
    let (elem, data_type) = match bits {
        8 => (ElemType::Uint8, DataType::Uint8),
        _fewer => (ElemType::Uint4, DataType::Uint4),
    };
    let mut order = None;
    if let Some(groups) = groups {
        match Groups::new(&groups, &layout)? {
            Groups::InOrder => {}
            // The product is the same when both factors' elements are put into the groups' order.
            Groups::Whole(places) => {
                let axis = x.rank().saturating_sub(1);
                x = g.gather(&x, &index(g, &places)?, axis)?;
                order = Some(places);
            }
            // Each element has a scale and a zero point of its own.
            Groups::Uneven(group) => {
                layout = Layout { block: 1, blocks: layout.padded(), ..layout };
                scales = g.gather(&scales, &index(g, &group)?, 1)?;
                zeros = zeros.gather(g, &group, &layout)?;
            }
        }
    }
    let dims = [rows, layout.padded()];
    let operand = if order.is_none() && bits != 2 {
        g.nibble_constant(data_type, &dims, bytes.clone())?
    } else {
        let bytes = repacked(bytes, &layout, order.as_deref());
        g.nibble_constant(data_type, &dims, bytes)?
    };
    let packed = Tensor::operand(elem, operand);
    let turned = zeros.dequantize(g, &packed, &scales, &layout)?;
    let turned = g.narrow(&turned, 1, 0, depth)?;
    let turned = g.swap(&turned, 0, 1)?;
    let turned = g.cast(&turned, x.elem())?;
    let mut y = super::matrix::product(g, &x, &turned)?;
    if let Some(bias) = bias {
        y = g.add(&y, &bias)?;
    }
    one(y)
}

fn index(g: &Emit<'_>, places: &[u32]) -> Outcome<Tensor> {
    let values = places.iter().map(|&place| place.into()).collect();
    Ok(g.int_list(ElemType::Int32, &[size_of(places.len() as i128)?], values))
}

/// Which group each row of the second factor belongs to.
enum Groups {
    /// They lie one after the other.
    InOrder,
    /// All are whole: the rows in the groups' order.
    Whole(Vec<u32>),
    /// A group for each row.
    Uneven(Vec<u32>),
}

impl Groups {
    fn new(groups: &Tensor, layout: &Layout) -> Outcome<Groups> {
        let Some(array) = groups.known().map(|known| known.array()).transpose()? else {
            fault!(RuntimeParameter, "the groups must be known when the graph is built");
        };
        let (given, depth) = (array.to_ints(), layout.depth as usize);
        require!(given.len() >= depth, "{} groups of {depth} elements", given.len());
        let mut group = Vec::with_capacity(layout.padded() as usize);
        for &index in &given[..depth] {
            match u32::try_from(index) {
                Ok(index) if index < layout.blocks => group.push(index),
                _outside => fault!(Invalid, "group {index} of {}", layout.blocks),
            }
        }
        if (0..).zip(&group).all(|(place, &group): (u32, _)| group == place / layout.block) {
            return Ok(Groups::InOrder);
        }
        let mut places: Vec<u32> = (0..layout.depth).collect();
        places.sort_by_key(|&place| group[place as usize]);
        let is_whole = (0..)
            .zip(&places)
            .all(|(at, &place): (u32, _)| group[place as usize] == at / layout.block);
        if is_whole && layout.padded() == layout.depth {
            return Ok(Groups::Whole(places));
        }
        group.resize(layout.padded() as usize, 0);
        Ok(Groups::Uneven(group))
    }
}

/// The zero points of the groups.
enum Zeros {
    /// Of the weights' type.
    Integers(Vec<u8>),
    /// Numbers that are subtracted after the conversion.
    Floats(Tensor),
}

impl Zeros {
    fn new(g: &mut Emit<'_>, zeros: Option<Tensor>, layout: &Layout) -> Outcome<Zeros> {
        let Layout { rows, bits, blocks, .. } = *layout;
        let count = rows as usize * blocks as usize;
        let Some(zeros) = zeros else {
            return Ok(Zeros::Integers(vec![1 << (bits - 1); count]));
        };
        if zeros.elem().is_float() {
            return Ok(Zeros::Floats(g.reshape(&zeros, &[rows, blocks])?));
        }
        let Some(array) = zeros.known().map(|known| known.array()).transpose()? else {
            fault!(RuntimeParameter, "the zero points must be known when the graph is built");
        };
        // Each row is whole bytes.
        let row_bytes = (blocks as usize * bits as usize).div_ceil(8);
        let bytes: Vec<u8> = array.to_ints().iter().map(|&byte| byte as u8).collect();
        require!(bytes.len() == rows as usize * row_bytes, "{} bytes of zero points", bytes.len());
        let row = |bytes| fields(bytes, bits, 0..blocks as usize);
        Ok(Zeros::Integers(bytes.chunks(row_bytes.max(1)).flat_map(row).collect()))
    }

    /// Those of other groups, for each row.
    fn gather(self, g: &mut Emit<'_>, groups: &[u32], layout: &Layout) -> Outcome<Zeros> {
        Ok(match self {
            Zeros::Integers(values) => {
                let row = |row: &[u8]| -> Vec<u8> {
                    groups.iter().map(|&group| row[group as usize]).collect()
                };
                let blocks = values.len() / layout.rows as usize;
                Zeros::Integers(values.chunks(blocks.max(1)).flat_map(row).collect())
            }
            Zeros::Floats(zeros) => Zeros::Floats(g.gather(&zeros, &index(g, groups)?, 1)?),
        })
    }

    /// The weights as floats.
    fn dequantize(
        &self,
        g: &mut Emit<'_>,
        packed: &Tensor,
        scales: &Tensor,
        layout: &Layout,
    ) -> Outcome<Tensor> {
        let Layout { rows, block, blocks, .. } = *layout;
        match self {
            Zeros::Integers(values) => {
                let values = values.iter().map(|&zero| zero.into()).collect();
                let zeros = Array::ints(packed.elem(), &[rows, blocks], values).into();
                g.dequantize_linear(packed, scales, &zeros)
            }
            Zeros::Floats(zeros) => {
                let none = Array::filled(packed.elem(), &[rows, blocks], 0.0)?.into();
                let units: Tensor = Array::filled(scales.elem(), &[rows, blocks], 1.0)?.into();
                let plain = g.dequantize_linear(packed, &units, &none)?;
                let parts = g.reshape(&plain, &[rows, blocks, block])?;
                let zeros = g.cast(zeros, scales.elem())?;
                let zeros = g.reshape(&zeros, &[rows, blocks, 1])?;
                let scales = g.reshape(scales, &[rows, blocks, 1])?;
                let moved = g.sub(&parts, &zeros)?;
                let scaled = g.mul(&moved, &scales)?;
                g.reshape(&scaled, &[rows, layout.padded()])
            }
        }
    }
}

/// Elements of so many bits, the first in the lowest bits of a byte.
fn fields(bytes: &[u8], bits: u32, range: Range<usize>) -> impl Iterator<Item = u8> {
    let per_byte = (8 / bits) as usize;
    let mask = (u16::MAX >> (16 - bits)) as u8;
    range.map(move |i| (bytes[i / per_byte] >> ((i % per_byte) as u32 * bits)) & mask)
}

/// The weights with the elements of each row in another order, at least 4 bits each.
fn repacked(bytes: &[u8], layout: &Layout, order: Option<&[u32]>) -> Vec<u8> {
    let elements = layout.padded() as usize;
    let mut all = Vec::with_capacity(layout.rows as usize * elements);
    let row_bytes = bytes.len() / layout.rows as usize;
    for row in bytes.chunks(row_bytes.max(1)) {
        let start = all.len();
        all.extend(fields(row, layout.bits, 0..elements));
        if let Some(order) = order {
            let row = all.split_off(start);
            all.extend(order.iter().map(|&place| row[place as usize]));
        }
    }
    if layout.bits == 8 {
        return all;
    }
    all.chunks(2).map(|pair| pair[0] | pair.get(1).map_or(0, |high| high << 4)).collect()
}
