//! Takes what surrounds a convolution into it: padding, batch normalisation, bias.
//!
//! Padding and bias are exact. A batch normalisation scales the filters instead of the results,
//! which rounds once per weight rather than once per result: within a convolution's tolerance.

use webnn_core::ops::conv2d::InputLayout;
use webnn_core::ops::pad::PaddingMode;
use webnn_core::ops::pool2d::PoolKind;
use webnn_core::ops::{BatchNormalization, Binary, Conv2d};
use webnn_core::{DataType, Desc, Node, Op, Result, Shape, ValueId};

use super::{Site, Values};
use crate::constants;

impl Site<'_, '_> {
    pub(super) fn convolution(&mut self) -> Result<Values> {
        if let Op::Conv2d(op) = &self.node.op {
            let Some((source, padding)) = self.padding(op.input_layout, 0.0) else {
                return Ok(None);
            };
            let mut operands = self.operands.clone();
            operands[0] = Some(source);
            let op = Conv2d { padding: sum(op.padding, padding), ..op.clone() };
            self.rewrite.push(op, operands, &self.node.label).map(Some)
        } else if let Op::Pool2d(op) = &self.node.op
            && op.kind == PoolKind::Max
            && op.options.window_dimensions.is_some()
        {
            // Padding never wins a maximum, as −∞ does not.
            let found = self.padding(op.options.layout, f64::NEG_INFINITY);
            let Some((source, padding)) = found else { return Ok(None) };
            let mut op = op.clone();
            op.options.padding = sum(op.options.padding, padding);
            self.push(op, &[source])
        } else if let Op::BatchNormalization(op) = &self.node.op {
            self.batch_normalization(op)
        } else if self.node.op == Op::Binary(Binary::Add) {
            match self.bias(0, 1)? {
                Some(values) => Ok(Some(values)),
                None => self.bias(1, 0),
            }
        } else {
            Ok(None)
        }
    }

    /// What a pad put that value around, and how much on each side, where it left batch and
    /// channels alone.
    fn padding(&self, layout: InputLayout, value: f64) -> Option<(ValueId, [u32; 4])> {
        let maker = self.maker(self.operand(0))?;
        let Op::Pad(pad) = &maker.op else { return None };
        let (channels, rows, columns) = layout.axes();
        let (before, after) = (&pad.beginning_padding, &pad.ending_padding);
        let pads_images_alone = [0, channels].iter().all(|&a| before[a] == 0 && after[a] == 0);
        let is_value = pad.mode == PaddingMode::Constant
            && pad.value.cast(self.result().data_type).to_f64() == value;
        (pads_images_alone && is_value).then_some((
            maker.inputs[0]?,
            [before[rows], after[rows], before[columns], after[columns]],
        ))
    }

    /// The convolution that made a value for this node alone, all its weights constant.
    fn constant_conv2d(&self, slot: usize) -> Option<(&Conv2d, &Node)> {
        let maker = self.maker(self.operand(slot))?;
        let Op::Conv2d(conv) = &maker.op else { return None };
        let mut weights = maker.inputs[1..].iter().flatten();
        let is_constant = weights.all(|&id| self.graph().constant(id).is_some());
        (is_constant && self.is_only_use(slot)).then_some((conv, maker))
    }

    fn batch_normalization(&mut self, op: &BatchNormalization) -> Result<Values> {
        let Some((conv, maker)) = self.constant_conv2d(0) else { return Ok(None) };
        let conv = conv.clone();
        let operands = maker.inputs.clone();
        if self.result().data_type != DataType::Float32
            || op.axis as usize != conv.input_layout.axes().0
        {
            return Ok(None);
        }
        let vector = |value: Option<ValueId>, default: f64, count: usize| match value {
            Some(id) => constants::floats(self.graph(), id),
            None => Some(vec![default; count]),
        };
        let filter = operands[1].expect("a convolution has a filter");
        let filter_desc = self.desc(filter);
        let output_axis = conv.filter_layout.axes().0;
        let count = filter_desc.shape[output_axis] as usize;
        let slot = |slot: usize| self.operands.get(slot).copied().flatten();
        let (Some(mean), Some(variance), Some(scale), Some(shift), Some(bias), Some(weights)) = (
            vector(slot(1), 0.0, count),
            vector(slot(2), 1.0, count),
            vector(slot(3), 1.0, count),
            vector(slot(4), 0.0, count),
            vector(operands.get(2).copied().flatten(), 0.0, count),
            constants::floats(self.graph(), filter),
        ) else {
            return Ok(None);
        };
        let factors: Vec<f64> =
            scale.iter().zip(&variance).map(|(s, v)| s / (v + op.epsilon).sqrt()).collect();
        if factors.iter().any(|factor| !factor.is_finite()) {
            return Ok(None);
        }
        let stride = filter_desc.shape.strides()[output_axis];
        let scaled = weights.iter().enumerate();
        let scaled = scaled.map(|(i, weight)| weight * factors[i / stride % count]);
        let biases = (0..count).map(|i| (bias[i] - mean[i]) * factors[i] + shift[i]);
        let (scaled, biases) = (to_bytes(scaled), to_bytes(biases));
        let filter = self.rewrite.constant(filter_desc, scaled.into());
        let desc = Desc::new(DataType::Float32, Shape::from_iter([count as u32]));
        let bias = self.rewrite.constant(desc, biases.into());
        let input = operands[0].expect("a convolution has an input");
        self.push(conv, &[input, filter, bias])
    }

    /// A constant per channel, added to a convolution without bias.
    fn bias(&mut self, product: usize, addend: usize) -> Result<Values> {
        let addend = self.operand(addend);
        let Some(bytes) = self.graph().constant(addend).cloned() else { return Ok(None) };
        let Some((conv, maker)) = self.constant_conv2d(product) else { return Ok(None) };
        let [Some(input), Some(filter), ..] = maker.inputs[..] else { return Ok(None) };
        if maker.inputs.get(2).is_some_and(|bias| bias.is_some()) {
            return Ok(None);
        }
        let conv = conv.clone();
        let channels = self.result().shape[conv.input_layout.axes().0];
        let desc = self.desc(addend);
        // Right-aligned with the result, only the channels' dimension is wide.
        let place =
            desc.rank().checked_add(conv.input_layout.axes().0).and_then(|a| a.checked_sub(4));
        let lies_along_channels = desc.elements() as u64 == u64::from(channels)
            && place.is_some_and(|place| desc.shape[place] == channels)
            && self.desc(self.operand(product)) == self.result();
        if !lies_along_channels {
            return Ok(None);
        }
        let desc = Desc::new(desc.data_type, Shape::from_iter([channels]));
        let bias = self.rewrite.constant(desc, bytes);
        self.push(conv, &[input, filter, bias])
    }
}

fn sum(a: [u32; 4], b: [u32; 4]) -> [u32; 4] {
    std::array::from_fn(|i| a[i].saturating_add(b[i]))
}

fn to_bytes(numbers: impl Iterator<Item = f64>) -> Vec<u8> {
    numbers.flat_map(|number| (number as f32).to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use crate::simplify::simplify;
    use crate::testing::{RULES, assert_pass};

    fn assert_simplified(body: &str, after: &str) {
        let head = "%x = input \"x\" float32[1, 2, 3, 3]";
        let before = format!("{head}\n{body}\noutput \"y\" = %y");
        let after = format!("{head}\n{after}\noutput \"y\" = %y");
        assert_pass(|graph| simplify(graph, &RULES), &before, &after);
    }

    #[test]
    fn zeros_around_the_image_become_padding() {
        assert_simplified(
            "%w = constant float32[1, 2, 2, 2] splat 0.5\n\
             %p = pad(%x) { beginningPadding: [0, 0, 1, 0], endingPadding: [0, 0, 0, 2] }\n\
             %y = conv2d(%p, %w) { padding: [0, 1, 0, 0] }",
            "%w = constant float32[1, 2, 2, 2] splat 0.5\n\
             %y = conv2d(%x, %w) { padding: [1, 1, 0, 2] }",
        );
    }

    #[test]
    fn other_padding_stays() {
        for pad in [
            "{ beginningPadding: [0, 0, 1, 0], endingPadding: [0, 0, 0, 0], value: 1.0 }",
            "{ beginningPadding: [0, 0, 1, 0], endingPadding: [0, 0, 0, 0], mode: \"edge\" }",
            "{ beginningPadding: [0, 1, 0, 0], endingPadding: [0, 1, 0, 0] }",
        ] {
            let channels = if pad.contains("[0, 1, 0, 0]") { 4 } else { 2 };
            let body = format!(
                "%w = constant float32[1, {channels}, 2, 2] splat 0.5\n%p = pad(%x) {pad}\n%y = conv2d(%p, %w)"
            );
            assert_simplified(&body, &body);
        }
    }

    #[test]
    fn a_constant_per_channel_becomes_the_bias() {
        assert_simplified(
            "%w = constant float32[2, 2, 1, 1] splat 0.5\n\
             %b = constant float32[2, 1, 1] {1, 2}\n\
             %c = conv2d(%x, %w)\n%y = add(%b, %c)",
            "%w = constant float32[2, 2, 1, 1] splat 0.5\n\
             %b = constant float32[2] {1, 2}\n\
             %y = conv2d(%x, %w, bias: %b)",
        );
    }

    #[test]
    fn batch_normalization_scales_filters_and_bias() {
        assert_simplified(
            "%w = constant float32[2, 2, 1, 1] {1, 2, 3, 4}\n\
             %b = constant float32[2] {1, 2}\n\
             %mean = constant float32[2] {1, 4}\n\
             %variance = constant float32[2] {3, 15}\n\
             %scale = constant float32[2] {2, 4}\n\
             %c = conv2d(%x, %w, bias: %b)\n\
             %y = batchNormalization(%c, %mean, %variance, scale: %scale) { epsilon: 1.0 }",
            "%w = constant float32[2, 2, 1, 1] {1, 2, 3, 4}\n\
             %b = constant float32[2] {0, -2}\n\
             %y = conv2d(%x, %w, bias: %b)",
        );
    }

    #[test]
    fn a_convolution_that_others_take_keeps_its_filters() {
        let body = "%w = constant float32[2, 2, 1, 1] {1, 2, 3, 4}\n\
                    %v = constant float32[2] {3, 15}\n\
                    %c = conv2d(%x, %w)\n\
                    %n = batchNormalization(%c, %v, %v)\n%y = mul(%c, %n)";
        assert_simplified(body, body);
    }
}
