//! Random graphs of everything that the passes look at.

#![allow(clippy::unwrap_used, reason = "only tests call this, and what it makes is valid")]

use webnn_core::ops::conv2d::InputLayout;
use webnn_core::ops::pad::PaddingMode;
use webnn_core::ops::pool2d::{Pool2d, PoolKind, PoolOptions};
use webnn_core::ops::reduce::{Reduce, ReduceKind, ReduceOptions};
use webnn_core::ops::split::Splits;
use webnn_core::ops::{
    BatchNormalization, Binary, Cast, Clamp, Compare, Concat, Conv2d, DequantizeLinear, Expand,
    Gather, InstanceNormalization, LayerNormalization, Matmul, Op, Pad, Prelu, QuantizeLinear,
    Resample2d, Reshape, Reverse, Slice, Softmax, Split, Tile, Transpose, Unary, Where,
};
use webnn_core::reference::Tensor;
use webnn_core::{Bytes, DataType, Desc, Graph, Node, Number, Result, Shape, ValueId};
use webnn_passes::{Patterns, Rules};

/// Numbers that are the same on every run.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Numbers {
        Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1))
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % bound
    }

    pub(crate) fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    fn float(&mut self) -> f32 {
        (self.below(2001) as f32 - 1000.0) / 500.0
    }
}

fn evaluate(
    node: &Node,
    results: &[Desc],
    operands: &[Option<(Desc, &Bytes)>],
) -> Result<Vec<Bytes>> {
    let tensors: Result<Vec<Option<Tensor>>> = operands
        .iter()
        .map(|operand| operand.map(|(desc, bytes)| Tensor::from_bytes(desc, bytes)).transpose())
        .collect();
    let tensors = tensors?;
    let tensors: Vec<Option<&Tensor>> = tensors.iter().map(Option::as_ref).collect();
    Ok(node.op.reference(&tensors, results).iter().map(Bytes::from).collect())
}

pub(crate) fn rules(channels_last: bool) -> Rules<'static> {
    Rules { evaluate: &evaluate, channels_last, single_for_half: true, patterns: Patterns::ALL }
}

pub(crate) fn random_inputs(graph: &Graph, numbers: &mut Numbers) -> Vec<Tensor> {
    let tensor = |value: ValueId, numbers: &mut Numbers| {
        let desc = graph.desc(value);
        Tensor::from_bytes(desc, &elements(desc, numbers)).unwrap()
    };
    graph.inputs().iter().map(|port| tensor(port.value, numbers)).collect()
}

fn elements(desc: Desc, numbers: &mut Numbers) -> Vec<u8> {
    if desc.data_type == DataType::Float32 {
        (0..desc.elements()).flat_map(|_| numbers.float().to_le_bytes()).collect()
    } else {
        (0..desc.byte_length()).map(|_| numbers.below(256) as u8).collect()
    }
}

/// A graph under construction, and the values to go on with.
struct Maker<'n> {
    graph: Graph,
    values: Vec<ValueId>,
    numbers: &'n mut Numbers,
}

/// A graph of up to 30 nodes, most of them on images.
pub(crate) fn random_graph(numbers: &mut Numbers) -> Graph {
    let mut maker = Maker { graph: Graph::new(), values: Vec::new(), numbers };
    for i in 0..1 + maker.numbers.below(2) {
        let rank = if maker.numbers.chance(4) { 1 + maker.numbers.below(5) } else { 4 };
        let shape: Shape = (0..rank).map(|_| 1 + maker.numbers.below(4) as u32).collect();
        let desc = Desc::new(DataType::Float32, shape);
        let value = maker.graph.push_input(format!("x{i}"), desc);
        maker.values.push(value);
    }
    let mut tries = 4 + maker.numbers.below(27);
    while tries > 0 {
        maker.step();
        tries -= 1;
    }
    let made: Vec<ValueId> = (0..maker.graph.values().len() as u32)
        .map(ValueId)
        .filter(|&id| maker.graph.producer(id).is_some())
        .collect();
    if made.is_empty() {
        let value = maker.values[0];
        let copy = maker.graph.push_node(Unary::Identity, vec![Some(value)], "").unwrap()[0];
        maker.graph.push_output("y", copy);
        return maker.graph;
    }
    maker.graph.push_output("y", *made.last().unwrap());
    for i in 0..maker.numbers.below(3) {
        let value = maker.numbers.pick(&made);
        maker.graph.push_output(format!("y{i}"), value);
    }
    maker.graph
}

impl Maker<'_> {
    fn shape(&self, value: ValueId) -> Shape {
        self.graph.desc(value).shape
    }

    fn constant(&mut self, data_type: DataType, sizes: &[u32]) -> ValueId {
        let desc = Desc::checked(data_type, sizes).unwrap();
        let bytes = if self.numbers.chance(5) && data_type == DataType::Float32 {
            let number = self.numbers.pick(&[0.0f32, 1.0, -0.0, 2.0, 0.5, 4.0]);
            number.to_le_bytes().repeat(desc.elements())
        } else {
            elements(desc, self.numbers)
        };
        self.graph.push_constant(desc, bytes.into()).unwrap()
    }

    /// Adds a node if its operands allow it, and goes on with small results alone.
    fn add(&mut self, op: impl Into<Op>, operands: &[ValueId]) -> Option<ValueId> {
        let operands = operands.iter().copied().map(Some).collect();
        let outputs = self.graph.push_node(op, operands, "").ok()?;
        for &id in &outputs {
            let desc = self.graph.desc(id);
            if desc.elements() <= 2000 && desc.data_type == DataType::Float32 {
                self.values.push(id);
            }
        }
        Some(outputs[0])
    }

    fn recent(&mut self) -> ValueId {
        let count = self.values.len();
        let back = self.numbers.below(count.min(4));
        self.values[count - 1 - back]
    }

    /// A value or a constant that can be broadcast with the given one.
    fn partner(&mut self, value: ValueId) -> ValueId {
        let shape = self.shape(value);
        let same: Vec<ValueId> =
            self.values.iter().copied().filter(|&id| self.shape(id) == shape).collect();
        if !self.numbers.chance(3) {
            return self.numbers.pick(&same);
        }
        let skipped = self.numbers.below(shape.rank() + 1);
        let sizes: Vec<u32> = shape[skipped..]
            .iter()
            .map(|&size| if self.numbers.chance(2) { size } else { 1 })
            .collect();
        self.constant(DataType::Float32, &sizes)
    }

    fn step(&mut self) {
        let x = self.recent();
        let shape = self.shape(x);
        let rank = shape.rank();
        match self.numbers.below(24) {
            0 | 1 => self.convolution(x),
            2 => self.pool(x),
            3..=6 => {
                let y = self.partner(x);
                let op = self.numbers.pick(&[
                    Binary::Add,
                    Binary::Add,
                    Binary::Sub,
                    Binary::Mul,
                    Binary::Mul,
                    Binary::Div,
                    Binary::Max,
                    Binary::Min,
                    Binary::Pow,
                ]);
                let (a, b) = if self.numbers.chance(2) { (x, y) } else { (y, x) };
                self.add(op, &[a, b]);
            }
            7 | 8 => {
                let op = self.numbers.pick(&[
                    Unary::Relu,
                    Unary::Sigmoid,
                    Unary::Neg,
                    Unary::Abs,
                    Unary::Identity,
                    Unary::Tanh,
                    Unary::Gelu,
                    Unary::Erf,
                    Unary::HardSwish,
                    Unary::Floor,
                ]);
                self.add(op, &[x]);
            }
            9 | 10 if rank > 0 => {
                let permutation = if rank == 4 && !self.numbers.chance(3) {
                    let known: [&[u32]; 4] =
                        [&[0, 2, 3, 1], &[0, 3, 1, 2], &[0, 2, 1, 3], &[0, 1, 3, 2]];
                    self.numbers.pick(&known).to_vec()
                } else {
                    let mut axes: Vec<u32> = (0..rank as u32).collect();
                    for i in (1..rank).rev() {
                        axes.swap(i, self.numbers.below(i + 1));
                    }
                    axes
                };
                self.add(Transpose { permutation: Some(permutation) }, &[x]);
            }
            11 | 12 => self.reshape(x),
            13 if rank > 0 => {
                let axis = self.numbers.below(rank);
                let y = self.numbers.pick(&self.values.clone());
                let fits = self.shape(y).rank() == rank
                    && self.shape(y).with(axis, 1) == shape.with(axis, 1);
                let parts: &[ValueId] = if fits { &[x, y] } else { &[x, x] };
                self.add(Concat::new(axis as u32), parts);
            }
            14 if rank > 0 => {
                let axis = self.numbers.below(rank) as u32;
                let size = shape[axis as usize];
                let splits =
                    if size.is_multiple_of(2) { Splits::Count(2) } else { Splits::Count(1) };
                self.add(Split { axis, splits }, &[x]);
            }
            15 if rank > 0 => {
                let starts: Vec<u32> =
                    shape.iter().map(|&size| self.numbers.below(size as usize) as u32).collect();
                let sizes = shape.iter().zip(&starts).map(|(size, start)| size - start).collect();
                let strides = self.numbers.chance(2).then(|| vec![2; rank]);
                self.add(Slice { starts, sizes, strides }, &[x]);
            }
            16 => {
                let mut count = || -> Vec<u32> {
                    (0..rank)
                        .map(|i| if i < 2 { 0 } else { self.numbers.below(2) as u32 })
                        .collect()
                };
                let (before, after) = (count(), count());
                let mode = self.numbers.pick(&[PaddingMode::Constant, PaddingMode::Edge]);
                self.add(Pad { mode, ..Pad::new(before, after) }, &[x]);
            }
            17 | 18 if rank > 0 => self.reduction(x),
            19 if rank > 0 => {
                let axis = self.numbers.below(rank) as u32;
                self.add(Softmax { axis }, &[x]);
            }
            20 => self.normalization(x),
            21 => self.quantization(x),
            22 => self.selection(x),
            _ => self.movement(x),
        }
    }

    fn convolution(&mut self, x: ValueId) {
        let shape = self.shape(x);
        if shape.rank() != 4 {
            return;
        }
        let input_layout =
            self.numbers.pick(&[InputLayout::Nchw, InputLayout::Nchw, InputLayout::Nhwc]);
        let channels = shape[input_layout.axes().0];
        let size = self.numbers.pick(&[1, 1, 2, 3]);
        let groups = if self.numbers.chance(4) { channels } else { 1 };
        let outputs = groups * (1 + self.numbers.below(3) as u32);
        let filter = self.constant(DataType::Float32, &[outputs, channels / groups, size, size]);
        let padding = if size == 1 { [0; 4] } else { [1, 1, 0, 1] };
        let strides = self.numbers.pick(&[[1, 1], [1, 1], [2, 1]]);
        let op = Conv2d { padding, strides, groups, input_layout, ..Conv2d::new() };
        if self.numbers.chance(2) {
            let bias = self.constant(DataType::Float32, &[outputs]);
            self.add(op, &[x, filter, bias]);
        } else {
            self.add(op, &[x, filter]);
        }
    }

    fn pool(&mut self, x: ValueId) {
        if self.shape(x).rank() != 4 {
            return;
        }
        let kind = self.numbers.pick(&[PoolKind::Average, PoolKind::Max, PoolKind::L2]);
        let layout = self.numbers.pick(&[InputLayout::Nchw, InputLayout::Nchw, InputLayout::Nhwc]);
        let window_dimensions = self.numbers.pick(&[None, Some([2, 2]), Some([1, 3])]);
        let padding = if window_dimensions.is_some() { [0, 1, 1, 0] } else { [0; 4] };
        let options = PoolOptions { window_dimensions, padding, layout, ..PoolOptions::new() };
        self.add(Pool2d { kind, options }, &[x]);
    }

    fn reshape(&mut self, x: ValueId) {
        let shape = self.shape(x);
        let mut sizes = shape.to_vec();
        for _ in 0..1 + self.numbers.below(2) {
            let i = self.numbers.below(sizes.len() + 1);
            match self.numbers.below(3) {
                0 if i + 1 < sizes.len() => {
                    let size = sizes.remove(i);
                    sizes[i] *= size;
                }
                1 if sizes.len() < 6 => sizes.insert(i, 1),
                _ => {
                    if let Some(size) = sizes.get_mut(i)
                        && size.is_multiple_of(2)
                    {
                        *size /= 2;
                        sizes.insert(i, 2);
                    }
                }
            }
        }
        self.add(Reshape::new(sizes), &[x]);
    }

    fn reduction(&mut self, x: ValueId) {
        let rank = self.shape(x).rank();
        let kind = self.numbers.pick(&[
            ReduceKind::Mean,
            ReduceKind::Sum,
            ReduceKind::Max,
            ReduceKind::L2,
            ReduceKind::Product,
        ]);
        let mut axes: Vec<u32> = (0..rank as u32).collect();
        axes.retain(|_| self.numbers.chance(2));
        let options = ReduceOptions { axes: Some(axes), keep_dimensions: !self.numbers.chance(3) };
        self.add(Reduce { kind, options }, &[x]);
    }

    fn normalization(&mut self, x: ValueId) {
        let shape = self.shape(x);
        let rank = shape.rank();
        match self.numbers.below(3) {
            0 if rank == 4 => {
                let layout = self.numbers.pick(&[InputLayout::Nchw, InputLayout::Nhwc]);
                let op = InstanceNormalization { layout, ..InstanceNormalization::new() };
                self.add(op, &[x]);
            }
            1 if rank > 0 => {
                let axis = self.numbers.below(rank);
                let size = [shape[axis]];
                let mean = self.constant(DataType::Float32, &size);
                let variance = self.constant(DataType::Float32, &size);
                let variance = self.add(Unary::Abs, &[variance]).unwrap();
                let epsilon = 0.5;
                self.add(BatchNormalization { axis: axis as u32, epsilon }, &[x, mean, variance]);
            }
            _ => {
                let mut axes: Vec<u32> = (0..rank as u32).rev().collect();
                axes.retain(|_| self.numbers.chance(2));
                let sizes: Vec<u32> = axes.iter().map(|&axis| shape[axis as usize]).collect();
                let scale = self.constant(DataType::Float32, &sizes);
                let op = LayerNormalization { axes: Some(axes), ..LayerNormalization::new() };
                self.add(op, &[x, scale]);
            }
        }
    }

    /// To integers and back, perhaps with something between that does not mind.
    fn quantization(&mut self, x: ValueId) {
        let ones = |rank: usize| vec![1; rank];
        let rank = self.shape(x).rank();
        let parameters = |maker: &mut Self, rank: usize| {
            let desc = Desc::checked(DataType::Float32, &ones(rank)).unwrap();
            let scale = 0.05f32.to_le_bytes().to_vec();
            let scale = maker.graph.push_constant(desc, scale.into()).unwrap();
            let desc = Desc::checked(DataType::Uint8, &ones(rank)).unwrap();
            let zero_point = maker.graph.push_constant(desc, vec![128].into()).unwrap();
            (scale, zero_point)
        };
        let (scale, zero_point) = parameters(self, rank);
        let Some(q) = self.add(QuantizeLinear {}, &[x, scale, zero_point]) else { return };
        let Some(d) = self.add(DequantizeLinear {}, &[q, scale, zero_point]) else { return };
        match self.numbers.below(4) {
            0 => self.reshape(d),
            1 => self.pool(d),
            2 => {
                self.add(Unary::Relu, &[d]);
            }
            _ => {
                self.add(Transpose { permutation: None }, &[d]);
            }
        }
        let y = self.recent();
        let (scale, zero_point) = parameters(self, self.shape(y).rank());
        if let Some(q) = self.add(QuantizeLinear {}, &[y, scale, zero_point]) {
            self.add(DequantizeLinear {}, &[q, scale, zero_point]);
        }
    }

    fn selection(&mut self, x: ValueId) {
        let y = self.partner(x);
        let z = self.partner(x);
        match self.numbers.below(4) {
            0 => {
                self.add(Prelu {}, &[x, y]);
            }
            1 => {
                if let Some(half) = self.add(Cast::new(DataType::Float16), &[x]) {
                    self.add(Cast::new(DataType::Float32), &[half]);
                }
            }
            2 => {
                let bound = Number::Float(self.numbers.pick(&[0.0, 0.5, f64::NEG_INFINITY]));
                self.add(Clamp { min_value: Some(bound), max_value: None }, &[x]);
                let x = self.recent();
                let bound = Number::Float(self.numbers.pick(&[1.0, 6.0, f64::INFINITY]));
                self.add(Clamp { min_value: None, max_value: Some(bound) }, &[x]);
            }
            _ => {
                let op = self.numbers.pick(&[Compare::Greater, Compare::LesserOrEqual]);
                if let Some(condition) = self.add(op, &[x, y]) {
                    self.add(Where {}, &[condition, x, z]);
                }
            }
        }
    }

    fn movement(&mut self, x: ValueId) {
        let shape = self.shape(x);
        let rank = shape.rank();
        match self.numbers.below(6) {
            0 => {
                let sizes: Vec<u32> =
                    shape.iter().map(|&size| if size == 1 { 3 } else { size }).collect();
                self.add(Expand::new(sizes), &[x]);
            }
            1 => {
                let counts = (0..rank).map(|_| 1 + self.numbers.below(2) as u32).collect();
                self.add(Tile::new(counts), &[x]);
            }
            2 => {
                self.add(Reverse { axes: None }, &[x]);
            }
            3 if rank == 4 => {
                let op = Resample2d { sizes: Some([4, 3]), ..Resample2d::new() };
                self.add(op, &[x]);
            }
            4 if rank >= 2 => {
                let columns = self.numbers.pick(&[1, 3]);
                let b = self.constant(DataType::Float32, &[shape[rank - 1], columns]);
                self.add(Matmul {}, &[x, b]);
            }
            _ if rank > 0 => {
                let axis = self.numbers.below(rank);
                let desc = Desc::checked(DataType::Int32, &[1]).unwrap();
                let index = self.numbers.below(shape[axis] as usize) as i32;
                let bytes = index.to_le_bytes().to_vec();
                let index = self.graph.push_constant(desc, bytes.into()).unwrap();
                self.add(Gather { axis: axis as u32 }, &[x, index]);
            }
            _ => {}
        }
    }
}
