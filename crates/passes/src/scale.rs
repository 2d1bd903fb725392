//! Scales filters instead of images: a factor per channel that multiplies a convolution's input, as
//! squeeze-and-excitation has it, may as well multiply the filter, where that has fewer elements.
//! The image then is not read and written once more.
//!
//! Products are rounded in another order, which is as exact.

use webnn_core::ops::conv2d::{FilterLayout, InputLayout};
use webnn_core::ops::{Binary, Conv2d, Reshape, Transpose};
use webnn_core::{DataType, Graph, Op, Result, ValueId};

use crate::Rules;
use crate::simplify::{Site, Values, apply};

/// So many times fewer elements than the image the filter has to have: it is packed in each run.
const FEWER: u64 = 3;

/// The graph with such factors moved, where engines want images with their channels last.
pub(crate) fn fold(graph: Graph, rules: &Rules<'_>) -> Result<Graph> {
    if !rules.channels_last {
        return Ok(graph);
    }
    apply(graph, rules, &[|site| site.scaled_image()])
}

impl Site<'_, '_> {
    fn scaled_image(&mut self) -> Result<Values> {
        let Op::Conv2d(op) = &self.node.op else { return Ok(None) };
        let filter = self.operand(1);
        let desc = self.desc(filter);
        let is_plain = op.groups == 1
            && op.input_layout == InputLayout::Nhwc
            && desc.data_type == DataType::Float32
            && self.graph().constant(filter).is_some()
            && self.is_only_use(0);
        if !is_plain
            || desc.elements() as u64 * FEWER > self.desc(self.operand(0)).elements() as u64
        {
            return Ok(None);
        }
        let Some((image, factors)) = self.factors() else { return Ok(None) };
        let (o, i, h, w) = op.filter_layout.axes();
        let op = Conv2d { filter_layout: FilterLayout::Hwio, ..op.clone() };
        let label = &self.node.label;
        let mut filter = filter;
        if [h, w, i, o] != [0, 1, 2, 3] {
            let permutation = Some([h, w, i, o].map(|axis| axis as u32).to_vec());
            filter = self.rewrite.push_one(Transpose { permutation }, &[filter], label)?;
        }
        let column = Reshape::new(vec![desc.shape[i], 1]);
        let factors = self.rewrite.push_one(column, &[factors], label)?;
        let filter = self.rewrite.push_one(Binary::Mul, &[filter, factors], label)?;
        let mut operands = self.operands.clone();
        (operands[0], operands[1]) = (Some(image), Some(filter));
        self.rewrite.push(op, operands, label).map(Some)
    }

    /// The image and the factors, one per channel and not known before the run, whose product the
    /// convolution's input is.
    fn factors(&self) -> Option<(ValueId, ValueId)> {
        let maker = self.maker(self.operand(0))?;
        let Op::Binary(Binary::Mul) = &maker.op else { return None };
        let image = self.desc(self.operand(0)).shape;
        let is_pair = |&(x, factors): &(ValueId, ValueId)| {
            let shape = self.desc(factors).shape;
            let is_per_channel = shape.last() == image.last()
                && shape.elements() == u64::from(image[3])
                && self.graph().constant(factors).is_none();
            self.desc(x).shape == image && is_per_channel && image[1] * image[2] > 1
        };
        let (a, b) = (maker.inputs[0]?, maker.inputs[1]?);
        [(a, b), (b, a)].into_iter().find(is_pair)
    }
}

#[cfg(test)]
mod tests {
    use super::fold;
    use crate::testing::{RULES, assert_pass};

    fn assert_folded(before: &str, after: &str) {
        assert_pass(|graph| fold(graph, &RULES), before, after);
    }

    #[test]
    fn a_factor_per_channel_scales_the_smaller_filter() {
        assert_folded(
            r#"
            %x = input "x" float32[1, 4, 4, 3]
            %s = input "s" float32[1, 1, 1, 3]
            %w = constant float32[2, 3, 1, 1] {1, 2, 3, 4, 5, 6}
            %b = constant float32[2] {1, 2}
            %m = mul(%s, %x)
            %y = conv2d(%m, %w, bias: %b) { inputLayout: "nhwc" }
            output "y" = %y
            "#,
            r#"
            %x = input "x" float32[1, 4, 4, 3]
            %s = input "s" float32[1, 1, 1, 3]
            %w = constant float32[1, 1, 3, 2] {1, 4, 2, 5, 3, 6}
            %b = constant float32[2] {1, 2}
            %c = reshape(%s) { newShape: [3, 1] }
            %f = mul(%w, %c)
            %y = conv2d(%x, %f, bias: %b) { inputLayout: "nhwc", filterLayout: "hwio" }
            output "y" = %y
            "#,
        );
    }

    #[test]
    fn other_products_stay() {
        for (factors, shape, then) in [
            // One per pixel, one per image of several, and too few pixels.
            ("[1, 4, 4, 1]", "[1, 4, 4, 3]", ""),
            ("[2, 1, 1, 3]", "[2, 4, 4, 3]", ""),
            ("[1, 1, 1, 3]", "[1, 2, 2, 3]", ""),
            // Something else takes the product.
            ("[1, 1, 1, 3]", "[1, 4, 4, 3]", "output \"m\" = %m"),
        ] {
            let text = format!(
                "%x = input \"x\" float32{shape}\n\
                 %s = input \"s\" float32{factors}\n\
                 %w = constant float32[2, 3, 1, 1] {{1, 2, 3, 4, 5, 6}}\n\
                 %m = mul(%x, %s)\n\
                 %y = conv2d(%m, %w) {{ inputLayout: \"nhwc\" }}\n\
                 output \"y\" = %y\n{then}"
            );
            assert_folded(&text, &text);
        }
    }
}
