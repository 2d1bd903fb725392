//! Operators that move elements without computing with them.

use webnn_core::ops::{Cast, Concat, Gather, Pad, Reduce, Reshape, Slice, Transpose};
use webnn_core::ops::{Inputs, reduce::ReduceKind};
use webnn_core::{DataType, Desc, Op, Result, Shape, ValueId};

use super::{Site, Values};
use crate::constants;
use crate::elementwise::{is_elementwise_form, is_matrix};
use crate::order::Order;

/// Concats are joined up to so many operands: a long chain of them would take quadratic memory.
const MOST_PARTS: usize = 64;

impl Site<'_, '_> {
    pub(super) fn movement(&mut self) -> Result<Values> {
        let node = self.node;
        if self.is_copy() {
            return Ok(Some(vec![self.operand(0)]));
        }
        if let Some(values) = self.before_reshape()? {
            return Ok(Some(values));
        }
        match &node.op {
            Op::Reshape(op) => self.reshape(op),
            Op::Transpose(op) => self.transpose(op),
            Op::Slice(op) => self.slice(op),
            Op::Concat(op) => self.concat(op),
            Op::Split(op) => self.split(op.axis),
            Op::Gather(op) => self.gather(op),
            Op::Cast(op) => self.cast(op),
            Op::Reduce(op) => self.reduce(op),
            Op::Binary(_) | Op::Compare(_) | Op::Matmul(_) | Op::Prelu(_) | Op::Where(_) => {
                self.without_expand()
            }
            Op::ArgMinMax(_)
            | Op::BatchNormalization(_)
            | Op::Clamp(_)
            | Op::Conv2d(_)
            | Op::ConvTranspose2d(_)
            | Op::CumulativeSum(_)
            | Op::DequantizeLinear(_)
            | Op::Elu(_)
            | Op::Expand(_)
            | Op::GatherElements(_)
            | Op::GatherNd(_)
            | Op::Gemm(_)
            | Op::Gru(_)
            | Op::GruCell(_)
            | Op::HardSigmoid(_)
            | Op::InstanceNormalization(_)
            | Op::LayerNormalization(_)
            | Op::LeakyRelu(_)
            | Op::Linear(_)
            | Op::Lstm(_)
            | Op::LstmCell(_)
            | Op::Pad(_)
            | Op::Pool2d(_)
            | Op::QuantizeLinear(_)
            | Op::Resample2d(_)
            | Op::Reverse(_)
            | Op::ScatterElements(_)
            | Op::ScatterNd(_)
            | Op::Softmax(_)
            | Op::Tile(_)
            | Op::Triangular(_)
            | Op::Unary(_) => Ok(None),
        }
    }

    /// Whether the only result is the first operand, element by element.
    fn is_copy(&self) -> bool {
        let Some(Some(input)) = self.node.inputs.first().map(|_| self.operands[0]) else {
            return false;
        };
        let input = self.desc(input);
        if self.results[..] != [input] {
            return false;
        }
        let shape = &input.shape;
        match &self.node.op {
            Op::Reshape(_) | Op::Expand(_) | Op::Tile(_) | Op::Split(_) | Op::Cast(_) => true,
            Op::Transpose(op) => Order::from_permutation(&op.permutation(input.rank()))
                .is_same_memory(Order::identity(input.rank()), shape),
            // A window as large as the input is all of it; a stride would make it smaller.
            Op::Slice(_) => true,
            Op::Concat(_) => self.operands.len() == 1,
            Op::Pad(Pad { beginning_padding, ending_padding, .. }) => {
                beginning_padding.iter().chain(ending_padding).all(|&count| count == 0)
            }
            // Every sample falls on the centre of an element.
            Op::Resample2d(_) => true,
            Op::Reverse(op) => op.axes(input.rank()).iter().all(|&axis| shape[axis as usize] == 1),
            Op::ArgMinMax(_)
            | Op::BatchNormalization(_)
            | Op::Binary(_)
            | Op::Clamp(_)
            | Op::Compare(_)
            | Op::Conv2d(_)
            | Op::ConvTranspose2d(_)
            | Op::CumulativeSum(_)
            | Op::DequantizeLinear(_)
            | Op::Elu(_)
            | Op::Gather(_)
            | Op::GatherElements(_)
            | Op::GatherNd(_)
            | Op::Gemm(_)
            | Op::Gru(_)
            | Op::GruCell(_)
            | Op::HardSigmoid(_)
            | Op::InstanceNormalization(_)
            | Op::LayerNormalization(_)
            | Op::LeakyRelu(_)
            | Op::Linear(_)
            | Op::Lstm(_)
            | Op::LstmCell(_)
            | Op::Matmul(_)
            | Op::Pool2d(_)
            | Op::Prelu(_)
            | Op::QuantizeLinear(_)
            | Op::Reduce(_)
            | Op::ScatterElements(_)
            | Op::ScatterNd(_)
            | Op::Softmax(_)
            | Op::Triangular(_)
            | Op::Unary(_)
            | Op::Where(_) => false,
        }
    }

    /// An element-wise operator on reshaped results computes before the reshape, where it can join
    /// what made them.
    fn before_reshape(&mut self) -> Result<Values> {
        if !is_elementwise_form(&self.node.op) {
            return Ok(None);
        }
        let mut shape = None;
        let mut operands = Vec::with_capacity(self.operands.len());
        for &operand in self.operands.iter().flatten() {
            let desc = self.desc(operand);
            if let Some(bytes) = self.graph().constant(operand) {
                if desc.elements() != 1 {
                    return Ok(None);
                }
                let (desc, bytes) = (Desc::new(desc.data_type, Shape::SCALAR), bytes.clone());
                operands.push(self.rewrite.constant(desc, bytes));
                continue;
            }
            let Some(maker) = self.maker(operand) else { return Ok(None) };
            let source = maker.inputs[0].expect("the first slot is required");
            let computes = |op: &Op| is_elementwise_form(op) || is_matrix(op);
            let is_ready = matches!(maker.op, Op::Reshape(_))
                && self.maker(source).is_some_and(|maker| computes(&maker.op))
                && desc.shape == self.result().shape
                && shape.is_none_or(|shape| shape == self.desc(source).shape);
            if !is_ready {
                return Ok(None);
            }
            shape = Some(self.desc(source).shape);
            operands.push(source);
        }
        if shape.is_none() {
            return Ok(None);
        }
        let operands = operands.into_iter().map(Some).collect();
        let node = self.node;
        let result = self.rewrite.push(node.op.clone(), operands, &node.label)?[0];
        self.push(Reshape::new(self.result().shape.to_vec()), &[result])
    }

    fn reshape(&mut self, op: &Reshape) -> Result<Values> {
        let input = self.operand(0);
        if let Some(bytes) = self.graph().constant(input) {
            let bytes = bytes.clone();
            return Ok(Some(vec![self.rewrite.constant(self.results[0], bytes)]));
        }
        match self.maker(input) {
            Some(maker) if matches!(maker.op, Op::Reshape(_)) => {
                let source = maker.inputs[0].expect("reshape has an operand");
                self.push(op.clone(), &[source])
            }
            _other => Ok(None),
        }
    }

    fn transpose(&mut self, op: &Transpose) -> Result<Values> {
        let input = self.operand(0);
        let shape = self.desc(input).shape;
        let order = Order::from_permutation(&op.permutation(shape.rank()));
        if let Some(maker) = self.maker(input)
            && let Op::Transpose(earlier) = &maker.op
        {
            let both = order.arrange(&earlier.permutation(shape.rank()));
            let source = maker.inputs[0].expect("transpose has an operand");
            return self.push(Transpose { permutation: Some(both) }, &[source]);
        }
        if order.is_same_memory(Order::identity(shape.rank()), &shape) {
            return self.push(Reshape::new(self.result().shape.to_vec()), &[input]);
        }
        Ok(None)
    }

    /// A slice of a slice, or of one operand of a concat.
    fn slice(&mut self, op: &Slice) -> Result<Values> {
        let rank = self.result().rank();
        let Some(maker) = self.maker(self.operand(0)) else { return Ok(None) };
        if let Op::Slice(earlier) = &maker.op {
            if (0..rank).any(|axis| earlier.stride(axis) != 1) {
                return Ok(None);
            }
            let starts = earlier.starts.iter().zip(&op.starts).map(|(a, b)| a + b).collect();
            let source = maker.inputs[0].expect("slice has an operand");
            return self.push(Slice { starts, ..op.clone() }, &[source]);
        }
        let Op::Concat(concat) = &maker.op else { return Ok(None) };
        let axis = concat.axis as usize;
        let (first, size) = (op.starts[axis], op.sizes[axis]);
        let mut start = 0;
        for part in maker.inputs.iter().flatten().copied() {
            let end = start + self.desc(part).shape[axis];
            if start <= first && first + size <= end {
                let mut op = op.clone();
                op.starts[axis] -= start;
                return self.push(op, &[part]);
            }
            start = end;
        }
        Ok(None)
    }

    /// Parts that a split made, joined again; or a concat in a concat.
    fn concat(&mut self, op: &Concat) -> Result<Values> {
        let parts: Vec<ValueId> = self.operands.iter().flatten().copied().collect();
        let mut flat = Vec::with_capacity(parts.len());
        let mut slot = 0;
        while slot < parts.len() {
            let maker = self.maker(parts[slot]);
            let all = maker.map_or(&[][..], |maker| &maker.outputs);
            match maker {
                Some(maker)
                    if matches!(&maker.op, Op::Concat(inner) if inner.axis == op.axis)
                        && self.is_only_use(slot) =>
                {
                    flat.extend(maker.inputs.iter().flatten().copied());
                    slot += 1;
                }
                Some(maker)
                    if matches!(&maker.op, Op::Split(split) if split.axis == op.axis)
                        && all.len() > 1
                        && parts[slot..].starts_with(all) =>
                {
                    flat.extend(maker.inputs[0]);
                    slot += all.len();
                }
                _other => {
                    flat.push(parts[slot]);
                    slot += 1;
                }
            }
        }
        if flat == parts || flat.len() > MOST_PARTS {
            return Ok(None);
        }
        self.push(op.clone(), &flat)
    }

    /// A split that takes a concat apart again.
    fn split(&mut self, axis: u32) -> Result<Values> {
        let Some(maker) = self.maker(self.operand(0)) else { return Ok(None) };
        let Op::Concat(concat) = &maker.op else { return Ok(None) };
        let parts: Vec<ValueId> = maker.inputs.iter().flatten().copied().collect();
        let are_same = concat.axis == axis
            && parts.len() == self.results.len()
            && parts.iter().zip(&self.results).all(|(&part, &result)| self.desc(part) == result);
        Ok(are_same.then_some(parts))
    }

    /// Constant indices that follow one another take a slice.
    fn gather(&mut self, op: &Gather) -> Result<Values> {
        let (input, indices) = (self.operand(0), self.operand(1));
        if self.desc(indices).elements() > 65536 {
            return Ok(None);
        }
        let Some(numbers) = constants::integers(self.graph(), indices) else { return Ok(None) };
        let shape = self.desc(input).shape;
        let axis = op.axis as usize;
        let size = i128::from(shape[axis]);
        let first = if numbers[0] < 0 { numbers[0] + size } else { numbers[0] };
        let last = first + numbers.len() as i128;
        let is_run = numbers.iter().zip(numbers[0]..).all(|(&number, expected)| number == expected)
            && (numbers[0] >= 0) == (numbers[numbers.len() - 1] >= 0);
        if !is_run || first < 0 || last > size {
            return Ok(None);
        }
        let mut starts = vec![0; shape.rank()];
        starts[axis] = first as u32;
        let sizes = shape.with(axis, numbers.len() as u32).to_vec();
        let slice = self.rewrite.push_one(Slice::new(starts, sizes), &[input], &self.node.label)?;
        self.push(Reshape::new(self.result().shape.to_vec()), &[slice])
    }

    /// A cast after one that lost nothing.
    fn cast(&mut self, op: &Cast) -> Result<Values> {
        let Some(maker) = self.maker(self.operand(0)) else { return Ok(None) };
        let Op::Cast(Cast { data_type: middle }) = maker.op else { return Ok(None) };
        let source = maker.inputs[0].expect("cast has an operand");
        let from = self.desc(source).data_type;
        let is_exact = match (from.integer_range(), middle.integer_range()) {
            (Some(from), Some(middle)) => middle.0 <= from.0 && from.1 <= middle.1,
            (None, None) => middle == DataType::Float32,
            // Integers of 8 bits are floats of any kind, but then casts treat them otherwise.
            (Some(_), None) => from.bits() <= 8 && op.data_type == from,
            (None, Some(_)) => false,
        };
        if !is_exact {
            return Ok(None);
        }
        if op.data_type == from {
            return Ok(Some(vec![source]));
        }
        self.push(op.clone(), &[source])
    }

    /// A reduction over dimensions of size 1.
    fn reduce(&mut self, op: &Reduce) -> Result<Values> {
        let input = self.operand(0);
        let shape = self.desc(input).shape;
        let is_trivial = match op.kind {
            ReduceKind::Max
            | ReduceKind::Mean
            | ReduceKind::Min
            | ReduceKind::Product
            | ReduceKind::Sum => {
                op.options.axes(shape.rank()).iter().all(|&axis| shape[axis as usize] == 1)
            }
            ReduceKind::L1
            | ReduceKind::L2
            | ReduceKind::LogSum
            | ReduceKind::LogSumExp
            | ReduceKind::SumSquare => false,
        };
        if !is_trivial {
            return Ok(None);
        }
        self.push(Reshape::new(self.result().shape.to_vec()), &[input])
    }

    /// Operators that broadcast need no operand expanded for them.
    fn without_expand(&mut self) -> Result<Values> {
        for slot in 0..self.operands.len() {
            let Some(operand) = self.operands[slot] else { continue };
            let Some(maker) = self.maker(operand) else { continue };
            if !matches!(maker.op, Op::Expand(_)) {
                continue;
            }
            let source = maker.inputs[0];
            let mut operands = self.operands.clone();
            operands[slot] = source;
            let descs: Vec<Option<Desc>> =
                operands.iter().map(|id| id.map(|id| self.desc(id))).collect();
            let has_rank = !matches!(self.node.op, Op::Matmul(_))
                || descs.iter().flatten().all(|desc| desc.rank() >= 2);
            if has_rank && self.node.op.infer(&Inputs(&descs)).is_ok_and(|r| r == self.results) {
                let label = &self.node.label;
                return self.rewrite.push(self.node.op.clone(), operands, label).map(Some);
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use crate::simplify::simplify;
    use crate::testing::{RULES, assert_pass};

    fn assert_simplified(body: &str, after: &str) {
        let head = "%x = input \"x\" float32[2, 1, 4]";
        let before = format!("{head}\n{body}\noutput \"y\" = %y");
        let after = format!("{head}\n{after}\noutput \"y\" = %y");
        assert_pass(|graph| simplify(graph, &RULES), &before, &after);
    }

    #[test]
    fn what_copies_vanishes() {
        for copy in [
            "%y = reshape(%x) { newShape: [2, 1, 4] }",
            "%y = expand(%x) { newShape: [2, 1, 4] }",
            "%y = transpose(%x) { permutation: [0, 1, 2] }",
            "%y = slice(%x) { starts: [0, 0, 0], sizes: [2, 1, 4] }",
            "%y = concat(%x) { axis: 1 }",
            "%y = split(%x) { splits: 1 }",
            "%y = pad(%x) { beginningPadding: [0, 0, 0], endingPadding: [0, 0, 0] }",
            "%y = tile(%x) { repetitions: [1, 1, 1] }",
            "%y = reverse(%x) { axes: [1] }",
            "%y = cast(%x) { dataType: \"float32\" }",
            "%a, %b = split(%x) { splits: 2, axis: 2 }\n %y = concat(%a, %b) { axis: 2 }",
            "%a = transpose(%x)\n %y = transpose(%a)",
            "%a = reshape(%x) { newShape: [8] }\n %y = reshape(%a) { newShape: [2, 1, 4] }",
        ] {
            assert_simplified(copy, "%y = identity(%x)");
        }
    }

    #[test]
    fn movements_join() {
        for (body, after) in [
            (
                "%y = transpose(%x) { permutation: [1, 0, 2] }",
                "%y = reshape(%x) { newShape: [1, 2, 4] }",
            ),
            (
                "%a = reshape(%x) { newShape: [8] }\n %y = reshape(%a) { newShape: [4, 2] }",
                "%y = reshape(%x) { newShape: [4, 2] }",
            ),
            (
                "%a = transpose(%x) { permutation: [2, 0, 1] }\n \
                 %y = transpose(%a) { permutation: [2, 0, 1] }",
                "%y = transpose(%x) { permutation: [1, 2, 0] }",
            ),
            (
                "%a = slice(%x) { starts: [0, 0, 1], sizes: [2, 1, 3] }\n \
                 %y = slice(%a) { starts: [1, 0, 1], sizes: [1, 1, 2], strides: [1, 1, 2] }",
                "%y = slice(%x) { starts: [1, 0, 2], sizes: [1, 1, 2], strides: [1, 1, 2] }",
            ),
            (
                "%a = neg(%x)\n %b = concat(%x, %a) { axis: 1 }\n %c = concat(%b, %x) { axis: 1 }\n \
                 %y = exp(%c)",
                "%a = neg(%x)\n %c = concat(%x, %a, %x) { axis: 1 }\n %y = exp(%c)",
            ),
            (
                "%a, %b = split(%x) { splits: 2, axis: 2 }\n %y = concat(%b, %a, %b) { axis: 2 }",
                "%a, %b = split(%x) { splits: 2, axis: 2 }\n %y = concat(%b, %x) { axis: 2 }",
            ),
            (
                "%e = exp(%x)\n %r = reshape(%e) { newShape: [4, 2] }\n %s = sigmoid(%r)\n \
                 %m = mul(%r, %s)\n %c = constant float32[1, 1] {2}\n %y = add(%m, %c)",
                "%e = exp(%x)\n %s = sigmoid(%e)\n %m = mul(%e, %s)\n %c = constant float32[] {2}\n \
                 %a = add(%m, %c)\n %y = reshape(%a) { newShape: [4, 2] }",
            ),
            (
                "%a = neg(%x)\n %b = concat(%x, %a) { axis: 0 }\n \
                 %y = slice(%b) { starts: [2, 0, 0], sizes: [2, 1, 4] }",
                "%y = neg(%x)",
            ),
            (
                "%i = constant int32[2] {1, 2}\n %y = gather(%x, %i) { axis: 2 }",
                "%y = slice(%x) { starts: [0, 0, 1], sizes: [2, 1, 2] }",
            ),
            (
                "%i = constant int64[] {-1}\n %y = gather(%x, %i) { axis: 0 }",
                "%a = slice(%x) { starts: [1, 0, 0], sizes: [1, 1, 4] }\n \
                 %y = reshape(%a) { newShape: [1, 4] }",
            ),
            (
                "%e = expand(%x) { newShape: [2, 3, 4] }\n %w = constant float32[3, 4] splat 2\n \
                 %y = add(%e, %w)",
                "%w = constant float32[3, 4] splat 2\n %y = add(%x, %w)",
            ),
            ("%y = reduceMean(%x) { axes: [1] }", "%y = reshape(%x) { newShape: [2, 4] }"),
        ] {
            assert_simplified(body, after);
        }
    }

    #[test]
    fn casts_join_where_nothing_is_lost() {
        for (body, after) in [
            (
                "%a = cast(%x) { dataType: \"int8\" }\n %b = cast(%a) { dataType: \"int32\" }\n \
                 %y = cast(%b) { dataType: \"uint8\" }",
                "%a = cast(%x) { dataType: \"int8\" }\n %y = cast(%a) { dataType: \"uint8\" }",
            ),
            (
                "%a = cast(%x) { dataType: \"float16\" }\n %b = cast(%a) { dataType: \"float32\" }\n \
                 %y = cast(%b) { dataType: \"float16\" }",
                "%y = cast(%x) { dataType: \"float16\" }",
            ),
        ] {
            assert_simplified(body, after);
        }
        let lossy =
            "%a = cast(%x) { dataType: \"float16\" }\n %y = cast(%a) { dataType: \"float32\" }";
        assert_simplified(lossy, lossy);
    }

    #[test]
    fn constants_fold_unless_they_grow() {
        assert_simplified(
            "%a = constant float32[2] {1, 4}\n %b = sqrt(%a)\n %c = reshape(%b) { newShape: [2, 1, 1] }\n \
             %y = mul(%x, %c)",
            "%c = constant float32[2, 1, 1] {1, 2}\n %y = mul(%x, %c)",
        );
        let large = "%a = constant float32[] {2}\n %b = expand(%a) { newShape: [512, 1, 64] }\n \
                     %c = gelu(%b)\n %d = concat(%c, %c) { axis: 1 }\n \
                     %y = slice(%d) { starts: [0, 1, 0], sizes: [512, 1, 64] }";
        let text = format!("%x = input \"x\" float32[2, 1, 4]\n{large}\noutput \"y\" = %y");
        let graph = simplify(crate::testing::parse(&text), &RULES).unwrap();
        let constants = graph.values().iter().filter_map(|value| match &value.source {
            webnn_core::Source::Constant(bytes) => Some(bytes.len()),
            webnn_core::Source::Input(_) | webnn_core::Source::Node(..) => None,
        });
        assert_eq!(constants.collect::<Vec<_>>(), [4]);
    }
}
