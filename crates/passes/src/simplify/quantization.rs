//! Moves conversions between floats and integers to where they meet or are cheapest.
//!
//! A dequantization with one scale moves behind operators that only move elements (or take the
//! greatest), a quantization before them; the two meet and cancel. All of it is exact: an integer
//! of 8 bits times a scale, divided by the same scale, rounds to itself.

use webnn_core::ops::pool2d::PoolKind;
use webnn_core::ops::resample2d::InterpolationMode;
use webnn_core::ops::{DequantizeLinear, Pool2d, QuantizeLinear, Reshape, Unary};
use webnn_core::{DataType, Desc, Number, Op, Result, Shape, ValueId};

use super::{Site, Values};
use crate::constants;

impl Site<'_, '_> {
    pub(super) fn quantization(&mut self) -> Result<Values> {
        if matches!(self.node.op, Op::QuantizeLinear(_)) {
            if let Some(source) = self.inverse() {
                return Ok(Some(vec![source]));
            }
            if let Some(source) = self.unbounded() {
                let operands = [source, self.operand(1), self.operand(2)];
                return self.push(QuantizeLinear {}, &operands);
            }
            return self.quantize_before();
        }
        if let Op::Gather(op) = &self.node.op {
            return self.dequantize_gathered(op.axis as usize);
        }
        self.dequantize_after()
    }

    /// Dequantizes the rows that are gathered, not the whole table.
    fn dequantize_gathered(&mut self, axis: usize) -> Result<Values> {
        let (table, indices) = (self.operand(0), self.operand(1));
        let Some(maker) = self.maker(table) else { return Ok(None) };
        let [Some(source), Some(scale), Some(zero_point)] = maker.inputs[..] else {
            return Ok(None);
        };
        let desc = self.desc(source);
        let is_table = matches!(maker.op, Op::DequantizeLinear(_))
            && desc.data_type.bits() == 8
            && desc.elements() > self.result().elements();
        if !is_table {
            return Ok(None);
        }
        let scale_shape = self.desc(scale).shape;
        let mut operands = vec![source, scale, zero_point];
        if scale_shape[axis] == 1 {
            // One scale for all indices.
            let ones = std::iter::repeat_n(1, self.desc(indices).rank());
            let (before, after) = (&scale_shape[..axis], &scale_shape[axis + 1..]);
            let shape: Vec<u32> =
                before.iter().copied().chain(ones).chain(after.iter().copied()).collect();
            for operand in &mut operands[1..] {
                *operand = self.rewrite.push_one(Reshape::new(shape.clone()), &[*operand], "")?;
            }
        } else if scale_shape[axis] != desc.shape[axis] {
            return Ok(None);
        }
        let gathered = if scale_shape[axis] == 1 { 1 } else { operands.len() };
        for operand in &mut operands[..gathered] {
            let (op, label) = (self.node.op.clone(), &self.node.label);
            *operand = self.rewrite.push_one(op, &[*operand, indices], label)?;
        }
        self.push(DequantizeLinear {}, &operands)
    }

    /// What a quantization by the same scale and zero point undoes.
    fn inverse(&self) -> Option<ValueId> {
        let maker = self.maker(self.operand(0))?;
        let source = maker.inputs[0]?;
        let has_same_parameters = matches!(maker.op, Op::DequantizeLinear(_))
            && maker.inputs[1..] == self.operands[1..]
            && self.desc(source) == self.result();
        let is_narrow = self.result().data_type.bits() <= 8;
        (has_same_parameters && is_narrow && self.has_normal_scale()).then_some(source)
    }

    /// What is bounded before this quantization, where the integers' range bounds it as well.
    fn unbounded(&self) -> Option<ValueId> {
        let maker = self.maker(self.operand(0))?;
        let (min, max) = if let Op::Clamp(op) = &maker.op {
            let (min, max) = op.bounds(DataType::Float32);
            (min.map(Number::to_f64), max.map(Number::to_f64))
        } else if maker.op == Op::Unary(Unary::Relu) {
            (Some(0.0), None)
        } else {
            return None;
        };
        let (least, greatest) = self.result().data_type.integer_range()?;
        let scale =
            constants::uniform(self.graph(), self.operand(1)).filter(|&scale| scale > 0.0)?;
        let zero_point = constants::uniform(self.graph(), self.operand(2))?;
        // The quotient is one of floats.
        let quantized =
            |bound: f64| f64::from((bound as f32) / (scale as f32)).round_ties_even() + zero_point;
        let is_wide = min.is_none_or(|min| quantized(min) <= least as f64)
            && max.is_none_or(|max| quantized(max) >= greatest as f64);
        if is_wide { maker.inputs[0] } else { None }
    }

    /// Whether every scale is far from overflow and underflow.
    fn has_normal_scale(&self) -> bool {
        let is_normal = |scale: &f64| (1e-30..1e30).contains(&scale.abs());
        let scale = self.operand(1);
        let is_wide = self.desc(scale).data_type == DataType::Float32;
        is_wide && constants::floats(self.graph(), scale).is_some_and(|s| s.iter().all(is_normal))
    }

    /// Quantizes before a reshape or transpose, whose elements are then smaller.
    fn quantize_before(&mut self) -> Result<Values> {
        let Some(maker) = self.maker(self.operand(0)) else { return Ok(None) };
        let is_movement = matches!(maker.op, Op::Reshape(_) | Op::Transpose(_));
        let is_narrow = self.result().data_type.bits() == 8;
        if !is_movement || !is_narrow || !self.is_only_use(0) {
            return Ok(None);
        }
        let (op, source) = (maker.op.clone(), maker.inputs[0].expect("it has an operand"));
        let (scale, zero_point) = (self.operand(1), self.operand(2));
        let rank = self.desc(source).rank();
        let Some(scale) = self.one_of_rank(scale, rank) else { return Ok(None) };
        let Some(zero_point) = self.one_of_rank(zero_point, rank) else { return Ok(None) };
        let label = &self.node.label;
        let operands = [source, scale, zero_point];
        let quantized = self.rewrite.push_one(QuantizeLinear {}, &operands, label)?;
        self.push(op, &[quantized])
    }

    /// Dequantizes what the node makes instead of what it takes.
    fn dequantize_after(&mut self) -> Result<Values> {
        let op = &self.node.op;
        let is_movement = matches!(
            op,
            Op::Reshape(_) | Op::Transpose(_) | Op::Slice(_) | Op::Split(_) | Op::Concat(_)
        ) || matches!(op, Op::Resample2d(op) if op.mode == InterpolationMode::NearestNeighbor);
        // The greatest stays the greatest if the scale is positive.
        let needs_positive = matches!(op, Op::Pool2d(op) if self.is_maximum(op));
        if !is_movement && !needs_positive {
            return Ok(None);
        }
        let mut sources = Vec::with_capacity(self.operands.len());
        let mut parameters = None;
        for operand in self.operands.iter().flatten() {
            let Some(maker) = self.maker(*operand) else { return Ok(None) };
            let [Some(source), Some(scale), Some(zero_point)] = maker.inputs[..] else {
                return Ok(None);
            };
            let is_first = parameters.is_none();
            let is_movable = matches!(maker.op, Op::DequantizeLinear(_))
                && self.desc(source).data_type.bits() == 8
                && self.graph().constant(source).is_none()
                && (is_first || parameters == Some((scale, zero_point)));
            if !is_movable {
                return Ok(None);
            }
            parameters = Some((scale, zero_point));
            sources.push(source);
        }
        let Some((scale, zero_point)) = parameters else { return Ok(None) };
        let is_positive = constants::uniform(self.graph(), scale).is_some_and(|scale| scale > 0.0);
        if needs_positive && !is_positive {
            return Ok(None);
        }
        let rank = self.result().rank();
        let Some(scale) = self.one_of_rank(scale, rank) else { return Ok(None) };
        let Some(zero_point) = self.one_of_rank(zero_point, rank) else { return Ok(None) };
        let Some(moved) = self.push(self.node.op.clone(), &sources)? else { return Ok(None) };
        let label = &self.node.label;
        let mut values = Vec::with_capacity(moved.len());
        for value in moved {
            let operands = [value, scale, zero_point];
            values.push(self.rewrite.push_one(DequantizeLinear {}, &operands, label)?);
        }
        Ok(Some(values))
    }

    /// Whether every window of a pool for maxima has an element to take, because what it makes of
    /// none depends on the data type.
    fn is_maximum(&self, op: &Pool2d) -> bool {
        let windows = op.options.windows(&self.desc(self.operand(0)));
        let (_, rows, columns) = op.options.layout.axes();
        let counts = [rows, columns].map(|axis| self.result().shape[axis]);
        op.kind == PoolKind::Max
            && windows.iter().zip(counts).all(|(window, count)| {
                let last = u64::from(count - 1) * u64::from(window.stride);
                let is_dense = window.dilation == 1 || window.padding == (0, 0);
                let end = u64::from(window.input) + u64::from(window.padding.0);
                is_dense && window.padding.0 < window.window && last < end
            })
    }

    /// A constant of one element as one of the given rank; `None` where it has more elements.
    fn one_of_rank(&mut self, value: ValueId, rank: usize) -> Option<ValueId> {
        let desc = self.desc(value);
        if desc.elements() != 1 {
            return None;
        }
        let bytes = self.graph().constant(value)?.clone();
        let shape: Shape = std::iter::repeat_n(1, rank).collect();
        Some(self.rewrite.constant(Desc::new(desc.data_type, shape), bytes))
    }
}

#[cfg(test)]
mod tests {
    use crate::simplify::simplify;
    use crate::testing::{RULES, assert_pass};

    fn assert_simplified(body: &str, after: &str) {
        let head = "%x = input \"x\" uint8[1, 2, 4, 4]\n\
                    %s4 = constant float32[1, 1, 1, 1] {0.5}\n\
                    %z4 = constant uint8[1, 1, 1, 1] {7}\n\
                    %s2 = constant float32[1, 1] {0.5}\n\
                    %z2 = constant uint8[1, 1] {7}\n";
        let text = |body: &str| format!("{head}\n{body}\noutput \"y\" = %y");
        assert_pass(|graph| simplify(graph, &RULES), &text(body), &text(after));
    }

    #[test]
    fn conversions_meet_and_cancel() {
        for (moved, after) in [
            (
                "%m = reshape(%d) { newShape: [8, 4] }\n%y = quantizeLinear(%m, %s2, %z2)",
                "%y = reshape(%x) { newShape: [8, 4] }",
            ),
            ("%m = transpose(%d)\n%y = quantizeLinear(%m, %s4, %z4)", "%y = transpose(%x)"),
            (
                "%m = maxPool2d(%d) { windowDimensions: [2, 2] }\n%y = quantizeLinear(%m, %s4, %z4)",
                "%y = maxPool2d(%x) { windowDimensions: [2, 2] }",
            ),
            (
                "%m = concat(%d, %d) { axis: 3 }\n%y = quantizeLinear(%m, %s4, %z4)",
                "%y = concat(%x, %x) { axis: 3 }",
            ),
        ] {
            assert_simplified(&format!("%d = dequantizeLinear(%x, %s4, %z4)\n{moved}"), after);
        }
    }

    #[test]
    fn another_scale_is_another_value() {
        let body = "%t = constant float32[1, 1, 1, 1] {0.25}\n\
                    %d = dequantizeLinear(%x, %s4, %z4)\n%y = quantizeLinear(%d, %t, %z4)";
        assert_simplified(body, body);
    }

    #[test]
    fn results_are_quantized_before_they_move() {
        assert_simplified(
            "%d = dequantizeLinear(%x, %s4, %z4)\n%e = exp(%d)\n\
             %m = reshape(%e) { newShape: [8, 4] }\n%y = quantizeLinear(%m, %s2, %z2)",
            "%d = dequantizeLinear(%x, %s4, %z4)\n%e = exp(%d)\n\
             %q = quantizeLinear(%e, %s4, %z4)\n%y = reshape(%q) { newShape: [8, 4] }",
        );
    }

    #[test]
    fn bounds_that_the_integers_have_vanish() {
        let text = |bounds: &str| {
            format!(
                "%d = dequantizeLinear(%x, %s4, %z4)\n%e = exp(%d)\n{bounds}\n\
                 %y = quantizeLinear(%c, %s4, %z4)"
            )
        };
        // Integers of 0 to 255 are numbers of -3.5 to 124.
        for bounds in ["minValue: -3.5, maxValue: 124", "minValue: -4", "maxValue: 200"] {
            let after = "%d = dequantizeLinear(%x, %s4, %z4)\n%e = exp(%d)\n\
                         %y = quantizeLinear(%e, %s4, %z4)";
            assert_simplified(&text(&format!("%c = clamp(%e) {{ {bounds} }}")), after);
        }
        for tighter in ["clamp(%e) { minValue: -3.0 }", "clamp(%e) { maxValue: 123.0 }", "relu(%e)"]
        {
            let body = text(&format!("%c = {tighter}"));
            assert_simplified(&body, &body);
        }
    }

    #[test]
    fn gathered_rows_are_dequantized_alone() {
        let table = "%t = constant int8[6, 2] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}\n\
                     %i = cast(%x) { dataType: \"int32\" }\n\
                     %j = slice(%i) { starts: [0, 0, 0, 0], sizes: [1, 1, 1, 2] }\n";
        for (parameters, after) in [
            (
                "%s = constant float32[1, 1] {0.5}\n%z = constant int8[1, 1] {3}\n",
                "%s = constant float32[1, 1, 1, 1, 1] {0.5}\n\
                 %z = constant int8[1, 1, 1, 1, 1] {3}\n%g = gather(%t, %j)\n\
                 %y = dequantizeLinear(%g, %s, %z)",
            ),
            (
                "%s = constant float32[6, 1] {1, 2, 3, 4, 5, 6}\n\
                 %z = constant int8[6, 1] {1, 1, 1, 2, 2, 2}\n",
                "%s = constant float32[6, 1] {1, 2, 3, 4, 5, 6}\n\
                 %z = constant int8[6, 1] {1, 1, 1, 2, 2, 2}\n\
                 %g = gather(%t, %j)\n%gs = gather(%s, %j)\n%gz = gather(%z, %j)\n\
                 %y = dequantizeLinear(%g, %gs, %gz)",
            ),
        ] {
            let body = format!(
                "{table}{parameters}%d = dequantizeLinear(%t, %s, %z)\n%y = gather(%d, %j)"
            );
            assert_simplified(&body, &format!("{table}{after}"));
        }
    }
}
