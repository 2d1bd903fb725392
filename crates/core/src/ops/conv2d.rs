//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-conv2d>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::shapes::{Window, ensure_positive, ensure_shape};
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, coordinates, index_along, optional, required};
use crate::types::{DataTypes, Desc, Shape};

attrs! {
    /// The order of an image tensor's dimensions.
    pub enum InputLayout {
        /// Batch, channels, rows, columns.
        Nchw = "nchw",
        /// Batch, rows, columns, channels.
        Nhwc = "nhwc",
    }
}

impl InputLayout {
    /// The axes of channels, rows and columns.
    pub fn axes(self) -> (usize, usize, usize) {
        match self {
            InputLayout::Nchw => (1, 2, 3),
            InputLayout::Nhwc => (3, 1, 2),
        }
    }

    /// A shape of the given sizes in this layout.
    pub fn shape(self, batch: u32, channels: u32, height: u32, width: u32) -> Shape {
        match self {
            InputLayout::Nchw => [batch, channels, height, width],
            InputLayout::Nhwc => [batch, height, width, channels],
        }
        .into_iter()
        .collect()
    }
}

attrs! {
    /// The order of a convolution filter's dimensions: o output and i input channels.
    pub enum FilterLayout {
        /// Output channels, input channels, rows, columns.
        Oihw = "oihw",
        /// Rows, columns, input channels, output channels.
        Hwio = "hwio",
        /// Output channels, rows, columns, input channels.
        Ohwi = "ohwi",
        /// Input channels, rows, columns, output channels.
        Ihwo = "ihwo",
    }
}

impl FilterLayout {
    /// The axes of output channels, input channels, rows and columns.
    pub fn axes(self) -> (usize, usize, usize, usize) {
        match self {
            FilterLayout::Oihw => (0, 1, 2, 3),
            FilterLayout::Hwio => (3, 2, 0, 1),
            FilterLayout::Ohwi => (0, 3, 1, 2),
            FilterLayout::Ihwo => (3, 0, 1, 2),
        }
    }
}

attrs! {
    /// The cross-correlation of images with filters, in groups, plus a bias per output channel.
    ///
    /// The rows and columns that padding adds are zeros, elements like any others: what an infinite
    /// tap makes of them is NaN.
    pub struct Conv2d() {
        /// Rows before, rows after, columns before, columns after.
        padding: [u32; 4] = [0; 4],
        /// Steps of the window over rows and columns.
        strides: [u32; 2] = [1, 1],
        /// Steps between taps over rows and columns.
        dilations: [u32; 2] = [1, 1],
        /// How many parts the channels are divided into.
        groups: u32 = 1,
        /// The order of the input's and the output's dimensions.
        input_layout: InputLayout = InputLayout::Nchw,
        /// The order of the filter's dimensions.
        filter_layout: FilterLayout = FilterLayout::Oihw,
    }
}

impl Conv2d {
    /// The window over rows and over columns.
    pub fn windows(&self, input: &Desc, filter: &Desc) -> [Window; 2] {
        let (_, h, w) = self.input_layout.axes();
        let (_, _, kh, kw) = self.filter_layout.axes();
        let sizes = [(input.shape[h], filter.shape[kh]), (input.shape[w], filter.shape[kw])];
        [0, 1].map(|i| Window {
            input: sizes[i].0,
            window: sizes[i].1,
            padding: (self.padding[2 * i], self.padding[2 * i + 1]),
            stride: self.strides[i],
            dilation: self.dilations[i],
        })
    }
}

impl Operator for Conv2d {
    const METHODS: &'static [Method] = &[Method {
        name: "conv2d",
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
        let (c, ..) = self.input_layout.axes();
        let (o, i, ..) = self.filter_layout.axes();
        let (channels, outputs) = (input.shape[c], filter.shape[o]);
        ensure!(
            channels % self.groups == 0 && channels / self.groups == filter.shape[i],
            "filter has {} input channels, expected {} ({channels} channels in {} groups)",
            filter.shape[i],
            f64::from(channels) / f64::from(self.groups),
            self.groups
        );
        ensure!(
            outputs % self.groups == 0,
            "filter has {outputs} output channels, expected a multiple of {} groups",
            self.groups
        );
        if let Some(bias) = inputs.opt(2) {
            ensure_shape("bias", &bias.shape, &[outputs])?;
        }
        let [height, width] = self.windows(&input, &filter);
        let shape = self.input_layout.shape(
            input.shape[0],
            outputs,
            height.output("output height")?,
            width.output("output width")?,
        );
        Ok(vec![Desc::new(input.data_type, shape)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let (input, filter) = (required(inputs, 0), required(inputs, 1));
        let bias = optional(inputs, 2);
        let (c, h, w) = self.input_layout.axes();
        let (o, i, kh, kw) = self.filter_layout.axes();
        let (in_shape, shape) = (&input.desc.shape, &outputs[0].shape);
        let taps = &filter.desc.shape;
        let [rows, columns] = self.windows(&input.desc, &filter.desc);
        let group_inputs = taps[i] as usize;
        let group_outputs = (taps[o] / self.groups) as usize;
        let mut data = vec![0.0; outputs[0].elements()];
        for (index, output) in data.iter_mut().enumerate() {
            let at = coordinates(index, shape);
            let channel = at[c];
            let mut sum = bias.map_or(0.0, |bias| bias.floats()[channel]);
            for (row, column) in (0..taps[kh] as usize)
                .flat_map(|row| (0..taps[kw] as usize).map(move |column| (row, column)))
            {
                let pixel = rows.source(at[h], row).zip(columns.source(at[w], column));
                for k in 0..group_inputs {
                    let source = channel / group_outputs * group_inputs + k;
                    let element = pixel.map_or(0.0, |(y, x)| {
                        input.floats()[index_along(in_shape, [0, c, h, w], [at[0], source, y, x])]
                    });
                    let tap = index_along(taps, [o, i, kh, kw], [channel, k, row, column]);
                    sum += element * filter.floats()[tap];
                }
            }
            *output = sum;
        }
        vec![Tensor::float(outputs[0], data)]
    }
}
