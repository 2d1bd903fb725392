//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-convtranspose2d>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, bail, ensure};
use crate::limits::Slot;
use crate::ops::conv2d::InputLayout;
use crate::ops::shapes::{ensure_positive, ensure_shape, to_dimension};
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, coordinates, index_along, optional, required};
use crate::types::{DataTypes, Desc};

attrs! {
    /// The order of a transposed convolution filter's dimensions.
    pub enum TransposeFilterLayout {
        /// Input channels, output channels, rows, columns.
        Iohw = "iohw",
        /// Rows, columns, output channels, input channels.
        Hwoi = "hwoi",
        /// Output channels, rows, columns, input channels.
        Ohwi = "ohwi",
    }
}

impl TransposeFilterLayout {
    /// The axes of input channels, output channels, rows and columns.
    pub fn axes(self) -> (usize, usize, usize, usize) {
        match self {
            TransposeFilterLayout::Iohw => (0, 1, 2, 3),
            TransposeFilterLayout::Hwoi => (3, 2, 0, 1),
            TransposeFilterLayout::Ohwi => (3, 0, 1, 2),
        }
    }
}

attrs! {
    /// The gradient of [`super::Conv2d`] with respect to its input, plus a bias per output channel.
    ///
    /// Every element of the input is multiplied by every tap, and nothing else is: an output that an
    /// element does not reach has no part of an infinite tap, either.
    pub struct ConvTranspose2d() {
        /// Rows before, rows after, columns before, columns after; cut off the output.
        padding: [u32; 4] = [0; 4],
        /// Steps of the window over the output's rows and columns.
        strides: [u32; 2] = [1, 1],
        /// Steps between taps over rows and columns.
        dilations: [u32; 2] = [1, 1],
        /// Rows and columns added at the far edges of the output.
        output_padding: [u32; 2] = [0, 0],
        /// The output's rows and columns, instead of `output_padding`.
        output_sizes: Option<[u32; 2]> = None,
        /// How many parts the channels are divided into.
        groups: u32 = 1,
        /// The order of the input's and the output's dimensions.
        input_layout: InputLayout = InputLayout::Nchw,
        /// The order of the filter's dimensions.
        filter_layout: TransposeFilterLayout = TransposeFilterLayout::Iohw,
    }
}

impl ConvTranspose2d {
    /// The output's size along one spatial dimension: rows for 0, columns for 1.
    fn output(&self, spatial: usize, input: u32, window: u32) -> Result<u32> {
        let name = ["output height", "output width"][spatial];
        let (stride, dilation) = (self.strides[spatial], self.dilations[spatial]);
        let padding =
            u64::from(self.padding[2 * spatial]) + u64::from(self.padding[2 * spatial + 1]);
        let full = u64::from(input - 1)
            .checked_mul(stride.into())
            .and_then(|size| size.checked_add(u64::from(window - 1) * u64::from(dilation) + 1));
        let Some(size) = full.and_then(|full| full.checked_sub(padding)) else {
            bail!("{name} would be below 1: padding is {:?}", self.padding);
        };
        match self.output_sizes {
            None => to_dimension(name, size.saturating_add(self.output_padding[spatial].into())),
            Some(sizes) => {
                let wanted = sizes[spatial];
                ensure!(
                    size <= u64::from(wanted) && u64::from(wanted) < size + u64::from(stride),
                    "outputSizes {sizes:?}: {name} is {wanted}, expected {size} up to {}",
                    size + u64::from(stride) - 1
                );
                to_dimension(name, wanted.into())
            }
        }
    }
    /// Where a tap of the window at an input position writes; `None` in what is cut off.
    fn target(&self, spatial: usize, input: usize, tap: usize, size: u32) -> Option<usize> {
        let (stride, dilation) = (self.strides[spatial], self.dilations[spatial]);
        (input * stride as usize + tap * dilation as usize)
            .checked_sub(self.padding[2 * spatial] as usize)
            .filter(|&at| at < size as usize)
    }
}

impl Operator for ConvTranspose2d {
    const METHODS: &'static [Method] = &[Method {
        name: "convTranspose2d",
        slots: &[
            Slot::new("input", DataTypes::FLOATS).rank(4),
            Slot::same("filter", 0).rank(4),
            Slot::same("bias", 0).rank(1).optional(),
        ],
        outputs: &[Slot::same("output", 0).rank(4)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let (input, filter) = (inputs.get(0), inputs.get(1));
        ensure_positive("strides", &self.strides)?;
        ensure_positive("dilations", &self.dilations)?;
        ensure!(self.groups > 0, "groups is 0, expected at least 1");
        if self.output_sizes.is_none() {
            let smaller = |i: usize| self.output_padding[i] < self.strides[i];
            ensure!(
                smaller(0) && smaller(1),
                "outputPadding is {:?}, expected less than strides {:?}",
                self.output_padding,
                self.strides
            );
        }
        let (c, h, w) = self.input_layout.axes();
        let (i, o, kh, kw) = self.filter_layout.axes();
        let channels = input.shape[c];
        ensure!(
            filter.shape[i] == channels,
            "filter has {} input channels, expected {channels} as input has",
            filter.shape[i]
        );
        ensure!(
            channels % self.groups == 0,
            "input has {channels} channels, expected a multiple of {} groups",
            self.groups
        );
        let outputs = u64::from(filter.shape[o]) * u64::from(self.groups);
        let outputs = to_dimension("the number of output channels", outputs)?;
        if let Some(bias) = inputs.opt(2) {
            ensure_shape("bias", &bias.shape, &[outputs])?;
        }
        let shape = self.input_layout.shape(
            input.shape[0],
            outputs,
            self.output(0, input.shape[h], filter.shape[kh])?,
            self.output(1, input.shape[w], filter.shape[kw])?,
        );
        Ok(vec![Desc::new(input.data_type, shape)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let (input, filter) = (required(inputs, 0), required(inputs, 1));
        let (c, h, w) = self.input_layout.axes();
        let (i, o, kh, kw) = self.filter_layout.axes();
        let (in_shape, shape, taps) = (&input.desc.shape, &outputs[0].shape, &filter.desc.shape);
        let group_inputs = (in_shape[c] / self.groups) as usize;
        let group_outputs = taps[o] as usize;
        let mut data = vec![0.0; outputs[0].elements()];
        if let Some(bias) = optional(inputs, 2) {
            for (index, sum) in data.iter_mut().enumerate() {
                *sum = bias.floats()[coordinates(index, shape)[c]];
            }
        }
        for (index, element) in input.floats().iter().enumerate() {
            let at = coordinates(index, in_shape);
            for row in 0..taps[kh] as usize {
                let Some(y) = self.target(0, at[h], row, shape[h]) else { continue };
                for column in 0..taps[kw] as usize {
                    let Some(x) = self.target(1, at[w], column, shape[w]) else { continue };
                    for k in 0..group_outputs {
                        let channel = at[c] / group_inputs * group_outputs + k;
                        let tap = index_along(taps, [i, o, kh, kw], [at[c], k, row, column]);
                        data[index_along(shape, [0, c, h, w], [at[0], channel, y, x])] +=
                            element * filter.floats()[tap];
                    }
                }
            }
        }
        vec![Tensor::float(outputs[0], data)]
    }
}
