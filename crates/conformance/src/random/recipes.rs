//! How to call each method so that its rules are kept.

use fastrand::Rng;
use webnn_core::attrs::{Args, Attr};
use webnn_core::limits::{Presence, SlotTypes};
use webnn_core::ops::{INDICES, methods};
use webnn_core::reference::Tensor;
use webnn_core::{
    DataType, DataTypes, Desc, GraphBuilder, Limits, MAX_RANK, Method, Number, Operand, Shape,
};

use super::Sample;

/// Larger results are not fed into further operators: graphs are to stay quick.
const MOST_ELEMENTS: u64 = 1 << 12;

/// Operands by slot, and attributes.
type Call = (Vec<Option<Operand>>, Args);

pub(super) fn sample(seed: u64) -> Sample {
    let mut maker = Maker {
        rng: Rng::with_seed(seed),
        builder: GraphBuilder::new(Limits::default()),
        pool: Vec::new(),
        inputs: Vec::new(),
    };
    let methods: Vec<&'static Method> = methods().collect();
    let nodes = maker.rng.usize(1..=40);
    let mut results = Vec::new();
    while results.len() < nodes {
        let method = methods[maker.rng.usize(..methods.len())];
        let (operands, args) = maker.call(method);
        // A recipe may miss a rule now and then; what the builder refuses is not in the graph.
        let Ok(made) = maker.builder.add(method.name, &operands, &args, "") else { continue };
        maker.pool.extend(made.iter().filter(|made| made.shape().elements() <= MOST_ELEMENTS));
        results.extend(made);
    }
    // The last result and some others: what is inside alone may be grouped.
    let last = results.len() - 1;
    let chosen = results.iter().enumerate().filter(|&(i, _)| i == last || maker.rng.u8(..4) == 0);
    let named: Vec<(String, Operand)> =
        chosen.map(|(i, &operand)| (format!("output{i}"), operand)).collect();
    let named: Vec<(&str, Operand)> =
        named.iter().map(|(name, operand)| (name.as_str(), *operand)).collect();
    let graph = maker.builder.build(&named).expect("results have names of their own");
    Sample { graph, inputs: maker.inputs }
}

struct Maker {
    rng: Rng,
    builder: GraphBuilder,
    pool: Vec<Operand>,
    inputs: Vec<(String, Tensor)>,
}

/// What the elements of a fresh tensor are.
#[derive(Clone, Copy)]
enum Values {
    Any,
    Positive,
    /// From -size to size - 1, and now and then outside.
    Index(u32),
    Logical,
}

fn number(value: u32) -> Attr {
    Attr::Number(Number::Int(value.into()))
}

fn float(value: f64) -> Attr {
    Attr::Number(Number::Float(value))
}

fn text(value: &str) -> Attr {
    Attr::Text(value.into())
}

fn list(values: &[u32]) -> Attr {
    Attr::List(values.iter().copied().map(number).collect())
}

impl Maker {
    fn call(&mut self, method: &'static Method) -> Call {
        match method.name {
            "argMin" | "argMax" => self.arg(),
            "batchNormalization" => self.batch_normalization(),
            "cast" => self.cast(),
            "clamp" => self.clamp(),
            "concat" => self.concat(),
            "conv2d" => self.conv2d(),
            "convTranspose2d" => self.conv_transpose2d(),
            "cumulativeSum" => self.cumulative_sum(),
            "elu" | "leakyRelu" | "hardSigmoid" | "linear" => self.activation(method),
            "expand" => self.expand(),
            "gather" => self.gather(),
            "gatherElements" => self.gather_elements(),
            "gatherND" => self.gather_nd(),
            "gemm" => self.gemm(),
            "gru" | "gruCell" | "lstm" | "lstmCell" => self.recurrent(method),
            "instanceNormalization" => self.instance_normalization(),
            "layerNormalization" => self.layer_normalization(),
            "matmul" => self.matmul(),
            "pad" => self.pad(),
            "averagePool2d" | "l2Pool2d" | "maxPool2d" => self.pool2d(method),
            "dequantizeLinear" => self.dequantize(),
            "quantizeLinear" => self.quantize(),
            "resample2d" => self.resample2d(method),
            "reshape" => self.reshape(),
            "reverse" => self.reverse(),
            "scatterElements" => self.scatter_elements(),
            "scatterND" => self.scatter_nd(),
            "slice" => self.slice(),
            "softmax" => self.softmax(),
            "split" => self.split(),
            "tile" => self.tile(),
            "transpose" => self.transpose(),
            "triangular" => self.triangular(),
            "where" => self.select(),
            name if name.starts_with("reduce") => self.reduce(method),
            _element_wise => self.element_wise(method),
        }
    }

    fn chance(&mut self, of: u8) -> bool {
        self.rng.u8(..of) == 0
    }

    fn size(&mut self) -> u32 {
        // Sizes around the widths of vectors are where kernels change their ways.
        if self.chance(8) { self.rng.u32(7..=33) } else { self.rng.u32(1..=6) }
    }

    fn shape(&mut self, rank: usize) -> Shape {
        loop {
            let shape: Shape = (0..rank).map(|_| self.size()).collect();
            if shape.elements() <= MOST_ELEMENTS {
                return shape;
            }
        }
    }

    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.rng.usize(..items.len())]
    }

    fn one_type(&mut self, types: DataTypes) -> DataType {
        let types: Vec<DataType> = types.iter().collect();
        // Most graphs are of floats.
        if types.contains(&DataType::Float32) && self.chance(2) {
            return DataType::Float32;
        }
        self.one_of(&types)
    }

    /// A new input or constant.
    fn fresh(&mut self, data_type: DataType, shape: &[u32], values: Values) -> Operand {
        let desc = Desc::new(data_type, Shape::new(shape).expect("recipes keep to the ranks"));
        let tensor = self.tensor(desc, values);
        if self.chance(2) {
            let bytes = tensor.to_bytes();
            self.builder.constant(data_type, shape, bytes).expect("the bytes fit")
        } else {
            let name = format!("input{}", self.inputs.len());
            self.inputs.push((name.clone(), tensor));
            self.builder.input(&name, data_type, shape).expect("the name is new")
        }
    }

    fn tensor(&mut self, desc: Desc, values: Values) -> Tensor {
        let count = desc.elements();
        let special = self.chance(16);
        let Some((least, greatest)) = desc.data_type.integer_range() else {
            let element = |rng: &mut Rng| {
                let x = rng.f64() * 4.0 - 2.0;
                match values {
                    Values::Positive => x.abs() + 0.1,
                    Values::Any | Values::Index(_) | Values::Logical => {
                        if special && rng.u8(..8) == 0 {
                            [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN][rng.usize(..5)]
                        } else {
                            x
                        }
                    }
                }
            };
            let data = (0..count).map(|_| element(&mut self.rng)).collect();
            return Tensor::float(desc, data).rounded();
        };
        let small = (least.max(-9), greatest.min(9));
        let range = match values {
            Values::Any if special => (least, greatest),
            Values::Any => small,
            Values::Positive => (1, small.1),
            Values::Logical => (0, 1),
            Values::Index(size) => {
                let size = i128::from(size);
                let beyond = i128::from(self.rng.u8(..2));
                (least.max(-size - beyond), size - 1 + beyond)
            }
        };
        let data = (0..count).map(|_| self.rng.i128(range.0..=range.1)).collect();
        Tensor::int(desc, data)
    }

    /// An operand that is there already where one fits, else a new one.
    fn operand(&mut self, types: DataTypes, ranks: (usize, usize)) -> Operand {
        let fits = |operand: &&Operand| {
            types.contains(operand.data_type())
                && (ranks.0..=ranks.1).contains(&operand.shape().rank())
        };
        let candidates: Vec<Operand> = self.pool.iter().filter(fits).copied().collect();
        if !candidates.is_empty() && !self.chance(5) {
            // Recent results more often than old ones, so that graphs are deep.
            let recent = candidates.len().saturating_sub(4);
            let start = if self.chance(3) { 0 } else { recent };
            return candidates[self.rng.usize(start..candidates.len())];
        }
        let data_type = self.one_type(types);
        let most = if self.chance(12) { ranks.1 } else { ranks.1.min(4).max(ranks.0) };
        let rank = self.rng.usize(ranks.0..=most);
        let shape = self.shape(rank);
        let operand = self.fresh(data_type, &shape, Values::Any);
        self.pool.push(operand);
        operand
    }

    fn any(&mut self, least_rank: usize) -> Operand {
        self.operand(DataTypes::ANY, (least_rank, MAX_RANK))
    }

    fn floats(&mut self, ranks: (usize, usize)) -> Operand {
        self.operand(DataTypes::FLOATS, ranks)
    }

    fn maybe(&mut self, data_type: DataType, shape: &[u32]) -> Option<Operand> {
        (!self.chance(3)).then(|| self.fresh(data_type, shape, Values::Any))
    }

    fn axis(&mut self, operand: Operand) -> u32 {
        self.rng.u32(..operand.shape().rank() as u32)
    }

    fn axes(&mut self, operand: Operand) -> Vec<u32> {
        let mut axes: Vec<u32> = (0..operand.shape().rank() as u32).collect();
        self.rng.shuffle(&mut axes);
        axes.truncate(self.rng.usize(..=axes.len()));
        axes
    }

    /// A shape that broadcasts to the given one.
    fn narrower(&mut self, shape: &[u32]) -> Vec<u32> {
        let skipped = if self.chance(2) { 0 } else { self.rng.usize(..=shape.len()) };
        shape[skipped..].iter().map(|&size| if self.chance(4) { 1 } else { size }).collect()
    }

    fn element_wise(&mut self, method: &'static Method) -> Call {
        let SlotTypes::OneOf(types) = method.slots[0].types else {
            unreachable!("the first slot follows no other")
        };
        let a = self.operand(types, (0, MAX_RANK));
        let mut operands = vec![Some(a)];
        for slot in &method.slots[1..] {
            debug_assert!(slot.presence == Presence::Required, "{} needs a recipe", method.name);
            let shape = self.narrower(&a.shape());
            operands.push(Some(if self.chance(3) {
                a
            } else {
                self.fresh(a.data_type(), &shape, Values::Any)
            }));
        }
        if operands.len() == 2 && self.chance(2) && method.name != "prelu" {
            operands.swap(0, 1);
        }
        (operands, Args::new())
    }

    fn activation(&mut self, method: &'static Method) -> Call {
        let x = self.floats((0, MAX_RANK));
        let mut args = Args::new();
        for field in method.fields {
            if self.chance(2) {
                args.push(field.name, float(self.rng.f64() * 2.0));
            }
        }
        (vec![Some(x)], args)
    }

    fn arg(&mut self) -> Call {
        let x = self.any(1);
        let args = Args::new()
            .with("axis", number(self.axis(x)))
            .with("keepDimensions", Attr::Bool(self.rng.bool()))
            .with("outputDataType", text(self.one_of(&["int32", "int64"])));
        (vec![Some(x)], args)
    }

    fn batch_normalization(&mut self) -> Call {
        let x = self.floats((1, MAX_RANK));
        let axis = self.axis(x);
        let (of, shape) = (x.data_type(), [x.shape()[axis as usize]]);
        let mean = self.fresh(of, &shape, Values::Any);
        let variance = self.fresh(of, &shape, Values::Positive);
        let (scale, bias) = (self.maybe(of, &shape), self.maybe(of, &shape));
        let args = Args::new().with("axis", number(axis)).with("epsilon", float(1e-3));
        (vec![Some(x), Some(mean), Some(variance), scale, bias], args)
    }

    fn cast(&mut self) -> Call {
        let x = self.any(0);
        let to = self.one_type(DataTypes::ANY);
        (vec![Some(x)], Args::new().with("dataType", text(to.name())))
    }

    fn clamp(&mut self) -> Call {
        let x = self.any(0);
        let low = self.rng.f64() * 2.0 - 1.5;
        let mut args = Args::new();
        if !self.chance(4) {
            args.push("minValue", float(low));
        }
        if !self.chance(4) {
            args.push("maxValue", float(low + self.rng.f64() * 2.0));
        }
        (vec![Some(x)], args)
    }

    fn concat(&mut self) -> Call {
        let first = self.any(1);
        let axis = self.axis(first);
        let mut operands = vec![Some(first)];
        for _ in 0..self.rng.usize(..4) {
            let shape = first.shape().with(axis as usize, self.rng.u32(1..=5));
            operands.push(Some(if self.chance(3) {
                first
            } else {
                self.fresh(first.data_type(), &shape, Values::Any)
            }));
        }
        (operands, Args::new().with("axis", number(axis)))
    }

    fn cumulative_sum(&mut self) -> Call {
        let types = [
            DataType::Float32,
            DataType::Float16,
            DataType::Int32,
            DataType::Uint32,
            DataType::Int64,
            DataType::Uint64,
        ];
        let x = self.operand(DataTypes::of(&types), (1, MAX_RANK));
        let args = Args::new()
            .with("axis", number(self.axis(x)))
            .with("exclusive", Attr::Bool(self.rng.bool()))
            .with("reversed", Attr::Bool(self.rng.bool()));
        (vec![Some(x)], args)
    }

    fn expand(&mut self) -> Call {
        let x = self.operand(DataTypes::ANY, (0, 4));
        let mut shape: Vec<u32> =
            x.shape().iter().map(|&size| if size == 1 { self.size() } else { size }).collect();
        for _ in 0..self.rng.usize(..3) {
            shape.insert(0, self.rng.u32(1..=4));
        }
        (vec![Some(x)], Args::new().with("newShape", list(&shape)))
    }

    fn indices(&mut self, shape: &[u32], size: u32) -> Operand {
        let of = self.one_type(INDICES);
        self.fresh(of, shape, Values::Index(size))
    }

    fn gather(&mut self) -> Call {
        let x = self.operand(DataTypes::ANY, (1, 5));
        let axis = self.axis(x);
        let rank = self.rng.usize(..=2);
        let shape = self.shape(rank);
        let indices = self.indices(&shape, x.shape()[axis as usize]);
        (vec![Some(x), Some(indices)], Args::new().with("axis", number(axis)))
    }

    fn gather_elements(&mut self) -> Call {
        let x = self.any(1);
        let axis = self.axis(x) as usize;
        let shape = x.shape().with(axis, self.rng.u32(1..=6));
        let indices = self.indices(&shape, x.shape()[axis]);
        (vec![Some(x), Some(indices)], Args::new().with("axis", number(axis as u32)))
    }

    /// Indices of points of a tensor, and the shape of what lies there.
    fn points(&mut self, x: Operand) -> (Operand, Vec<u32>) {
        let depth = self.rng.usize(1..=x.shape().rank());
        let count = self.rng.u32(1..=5);
        let least = x.shape()[..depth].iter().copied().min().unwrap_or(1);
        let indices = self.indices(&[count, depth as u32], least);
        (indices, [&[count], &x.shape()[depth..]].concat())
    }

    fn gather_nd(&mut self) -> Call {
        let x = self.any(1);
        let (indices, _) = self.points(x);
        (vec![Some(x), Some(indices)], Args::new())
    }

    fn scatter_nd(&mut self) -> Call {
        let x = self.any(1);
        let (indices, shape) = self.points(x);
        let updates = self.fresh(x.data_type(), &shape, Values::Any);
        (vec![Some(x), Some(indices), Some(updates)], Args::new())
    }

    fn scatter_elements(&mut self) -> Call {
        let x = self.any(1);
        let axis = self.axis(x) as usize;
        let shape = x.shape().with(axis, self.rng.u32(1..=4));
        let indices = self.indices(&shape, x.shape()[axis]);
        let updates = self.fresh(x.data_type(), &shape, Values::Any);
        let args = Args::new().with("axis", number(axis as u32));
        (vec![Some(x), Some(indices), Some(updates)], args)
    }

    fn layer_normalization(&mut self) -> Call {
        let x = self.floats((1, MAX_RANK));
        let axes = self.axes(x);
        let shape: Vec<u32> = axes.iter().map(|&axis| x.shape()[axis as usize]).collect();
        let (scale, bias) = (self.maybe(x.data_type(), &shape), self.maybe(x.data_type(), &shape));
        let args = Args::new().with("axes", list(&axes)).with("epsilon", float(1e-2));
        (vec![Some(x), scale, bias], args)
    }

    fn instance_normalization(&mut self) -> Call {
        let x = self.floats((4, 4));
        let layout = self.one_of(&["nchw", "nhwc"]);
        let shape = [x.shape()[if layout == "nchw" { 1 } else { 3 }]];
        let (scale, bias) = (self.maybe(x.data_type(), &shape), self.maybe(x.data_type(), &shape));
        let args = Args::new().with("layout", text(layout)).with("epsilon", float(1e-2));
        (vec![Some(x), scale, bias], args)
    }

    fn gemm(&mut self) -> Call {
        let a = self.floats((2, 2));
        let (a_transpose, b_transpose) = (self.rng.bool(), self.rng.bool());
        let (m, k) =
            if a_transpose { (a.shape()[1], a.shape()[0]) } else { (a.shape()[0], a.shape()[1]) };
        let n = self.size();
        let b = self.fresh(a.data_type(), &if b_transpose { [n, k] } else { [k, n] }, Values::Any);
        let c_shape = self.narrower(&[m, n]);
        let c = self.maybe(a.data_type(), &c_shape);
        let mut args = Args::new()
            .with("aTranspose", Attr::Bool(a_transpose))
            .with("bTranspose", Attr::Bool(b_transpose));
        if self.chance(2) {
            args.push("alpha", float(self.rng.f64() * 2.0));
            args.push("beta", float(self.rng.f64() * 2.0));
        }
        (vec![Some(a), Some(b), c], args)
    }

    fn matmul(&mut self) -> Call {
        let a = self.floats((2, 5));
        let rank = a.shape().rank();
        let mut shape: Vec<u32> = self.narrower(&a.shape()[..rank - 2]);
        shape.extend([a.shape()[rank - 1], self.size()]);
        let b = self.fresh(a.data_type(), &shape, Values::Any);
        (vec![Some(a), Some(b)], Args::new())
    }

    fn pad(&mut self) -> Call {
        let x = self.any(0);
        let mode = self.one_of(&["constant", "edge", "reflection"]);
        let mut sides = || -> Vec<u32> {
            let most = |size: u32| if mode == "reflection" { (size - 1).min(3) } else { 3 };
            x.shape().iter().map(|&size| self.rng.u32(..=most(size))).collect()
        };
        let (before, after) = (sides(), sides());
        let args = Args::new()
            .with("beginningPadding", list(&before))
            .with("endingPadding", list(&after))
            .with("mode", text(mode))
            .with("value", float(self.rng.f64() * 4.0 - 2.0));
        (vec![Some(x)], args)
    }

    fn reduce(&mut self, method: &'static Method) -> Call {
        let SlotTypes::OneOf(types) = method.slots[0].types else {
            unreachable!("the first slot follows no other")
        };
        let x = self.operand(types, (0, MAX_RANK));
        let mut args = Args::new().with("keepDimensions", Attr::Bool(self.rng.bool()));
        if !self.chance(3) {
            args.push("axes", list(&self.axes(x)));
        }
        (vec![Some(x)], args)
    }

    fn reshape(&mut self) -> Call {
        let x = self.any(0);
        let mut shape: Vec<u32> = x.shape().to_vec();
        self.rng.shuffle(&mut shape);
        while shape.len() > 1 && self.chance(2) {
            let last = shape.pop().expect("there are two at least");
            *shape.last_mut().expect("one is left") *= last;
        }
        if shape.len() < MAX_RANK && self.chance(2) {
            shape.insert(self.rng.usize(..=shape.len()), 1);
        }
        (vec![Some(x)], Args::new().with("newShape", list(&shape)))
    }

    fn reverse(&mut self) -> Call {
        let x = self.any(0);
        let axes = self.axes(x);
        (vec![Some(x)], Args::new().with("axes", list(&axes)))
    }

    fn slice(&mut self) -> Call {
        let x = self.any(1);
        let (mut starts, mut sizes, mut strides) = (Vec::new(), Vec::new(), Vec::new());
        for &size in x.shape().iter() {
            let start = self.rng.u32(..size);
            starts.push(start);
            sizes.push(self.rng.u32(1..=size - start));
            strides.push(self.rng.u32(1..=3));
        }
        let mut args = Args::new().with("starts", list(&starts)).with("sizes", list(&sizes));
        if self.chance(2) {
            args.push("strides", list(&strides));
        }
        (vec![Some(x)], args)
    }

    fn softmax(&mut self) -> Call {
        let x = self.floats((1, MAX_RANK));
        (vec![Some(x)], Args::new().with("axis", number(self.axis(x))))
    }

    fn split(&mut self) -> Call {
        let x = self.any(1);
        let axis = self.axis(x);
        let size = x.shape()[axis as usize];
        let parts = if self.chance(2) {
            let divisors: Vec<u32> =
                (1..=size).filter(|parts| size.is_multiple_of(*parts)).collect();
            number(self.one_of(&divisors))
        } else {
            let mut left = size;
            let mut sizes = Vec::new();
            while left > 0 {
                let part = self.rng.u32(1..=left);
                sizes.push(part);
                left -= part;
            }
            list(&sizes)
        };
        (vec![Some(x)], Args::new().with("splits", parts).with("axis", number(axis)))
    }

    fn tile(&mut self) -> Call {
        let x = self.any(0);
        let repetitions: Vec<u32> = x.shape().iter().map(|_| self.rng.u32(1..=2)).collect();
        (vec![Some(x)], Args::new().with("repetitions", list(&repetitions)))
    }

    fn transpose(&mut self) -> Call {
        let x = self.any(0);
        let mut order: Vec<u32> = (0..x.shape().rank() as u32).collect();
        self.rng.shuffle(&mut order);
        let mut args = Args::new();
        if !self.chance(4) {
            args.push("permutation", list(&order));
        }
        (vec![Some(x)], args)
    }

    fn triangular(&mut self) -> Call {
        let x = self.any(2);
        let diagonal = Attr::Number(Number::Int(self.rng.i128(-3..=3)));
        let args =
            Args::new().with("upper", Attr::Bool(self.rng.bool())).with("diagonal", diagonal);
        (vec![Some(x)], args)
    }

    fn select(&mut self) -> Call {
        let a = self.any(0);
        let (condition, other) = (self.narrower(&a.shape()), self.narrower(&a.shape()));
        let condition = self.fresh(DataType::Uint8, &condition, Values::Logical);
        let other = self.fresh(a.data_type(), &other, Values::Any);
        let (yes, no) = if self.rng.bool() { (a, other) } else { (other, a) };
        (vec![Some(condition), Some(yes), Some(no)], Args::new())
    }
}

mod windows;
