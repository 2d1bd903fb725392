//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-pool2d>

use crate::attrs::{Attr, Attributes, FromArgs, attrs};
use crate::error::{Result, bail, ensure};
use crate::limits::Slot;
use crate::ops::conv2d::InputLayout;
use crate::ops::shapes::{Window, ensure_positive, to_dimension};
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Data, Tensor, coordinates, index_along, maximum, required};
use crate::types::{DataTypes, Desc};

attrs! {
    /// What a [`Pool2d`] computes of each window.
    pub enum PoolKind {
        /// The mean of the elements, padding not counted.
        Average = "averagePool2d",
        /// The square root of the sum of squares.
        L2 = "l2Pool2d",
        /// The greatest element; NaN wins, padding never.
        Max = "maxPool2d",
    }
}

attrs! {
    /// Whether windows that are not whole count.
    pub enum RoundingType {
        /// They do not.
        Floor = "floor",
        /// They do.
        Ceil = "ceil",
    }
}

attrs! {
    /// The attributes of [`Pool2d`].
    pub struct PoolOptions() {
        /// Rows and columns of the window; by default the whole image.
        window_dimensions: Option<[u32; 2]> = None,
        /// Rows before, rows after, columns before, columns after.
        padding: [u32; 4] = [0; 4],
        /// Steps of the window over rows and columns.
        strides: [u32; 2] = [1, 1],
        /// Steps between taps over rows and columns.
        dilations: [u32; 2] = [1, 1],
        /// The order of the dimensions.
        layout: InputLayout = InputLayout::Nchw,
        /// Whether windows that are not whole count.
        output_shape_rounding: RoundingType = RoundingType::Floor,
        /// The output's rows and columns, instead of the rounding.
        output_sizes: Option<[u32; 2]> = None,
    }
}

/// One number for each window that moves over an image, channel by channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool2d {
    /// Which number.
    pub kind: PoolKind,
    /// How the window moves.
    pub options: PoolOptions,
}

impl PoolOptions {
    /// The window over rows and over columns of an input.
    pub fn windows(&self, input: &Desc) -> [Window; 2] {
        let (_, h, w) = self.layout.axes();
        let sizes = [input.shape[h], input.shape[w]];
        let window = self.window_dimensions.unwrap_or(sizes);
        [0, 1].map(|i| Window {
            input: sizes[i],
            window: window[i],
            padding: (self.padding[2 * i], self.padding[2 * i + 1]),
            stride: self.strides[i],
            dilation: self.dilations[i],
        })
    }
}

const OUTPUTS: &[Slot] = &[Slot::same("output", 0).rank(4)];

const fn row(
    name: &'static str,
    slots: &'static [Slot],
    parse: fn(&crate::attrs::Args) -> Result<super::Op>,
) -> Method {
    Method {
        name,
        slots,
        outputs: OUTPUTS,
        fields: PoolOptions::FIELDS,
        parse,
    }
}

const FLOATS: &[Slot] = &[Slot::new("input", DataTypes::FLOATS).rank(4)];
const ANY: &[Slot] = &[Slot::new("input", DataTypes::ANY).rank(4)];

fn parse(kind: PoolKind, args: &crate::attrs::Args) -> Result<super::Op> {
    Ok(Pool2d { kind, options: PoolOptions::parse(args)? }.into())
}

impl Attributes for Pool2d {
    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        self.options.attributes()
    }
}

impl Operator for Pool2d {
    const METHODS: &'static [Method] = &[
        row("averagePool2d", FLOATS, |args| parse(PoolKind::Average, args)),
        row("l2Pool2d", FLOATS, |args| parse(PoolKind::L2, args)),
        row("maxPool2d", ANY, |args| parse(PoolKind::Max, args)),
    ];

    fn method(&self) -> &'static Method {
        &Self::METHODS[self.kind as usize]
    }

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        let options = &self.options;
        if let Some(window) = &options.window_dimensions {
            ensure_positive("windowDimensions", window)?;
        }
        ensure_positive("strides", &options.strides)?;
        ensure_positive("dilations", &options.dilations)?;
        let windows = options.windows(&input);
        let sizes = |count: fn(&Window) -> Option<u64>| {
            Some([count(&windows[0])?, count(&windows[1])?])
        };
        let (Some(floor), Some(ceil)) = (sizes(Window::floor), sizes(Window::ceil)) else {
            bail!(
                "a window of {} x {} with dilations {:?} does not fit into input {} padded by {:?}",
                windows[0].window,
                windows[1].window,
                options.dilations,
                input.shape,
                options.padding
            );
        };
        let [height, width] = match (options.output_sizes, options.output_shape_rounding) {
            (Some(sizes), _) => {
                let sizes = sizes.map(u64::from);
                ensure!(
                    sizes == floor || sizes == ceil,
                    "outputSizes are {sizes:?}, expected {floor:?} or {ceil:?}"
                );
                sizes
            }
            (None, RoundingType::Floor) => floor,
            (None, RoundingType::Ceil) => ceil,
        };
        let channels = input.shape[options.layout.axes().0];
        let shape = options.layout.shape(
            input.shape[0],
            channels,
            to_dimension("output height", height)?,
            to_dimension("output width", width)?,
        );
        Ok(vec![Desc::new(input.data_type, shape)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let (shape, (c, h, w)) = (&input.desc.shape, self.options.layout.axes());
        let [rows, columns] = self.options.windows(&input.desc);
        let elements = |i: usize| -> Vec<usize> {
            let at = coordinates(i, &outputs[0].shape);
            let pixels = rows
                .reads(at[h])
                .flat_map(|y| columns.reads(at[w]).map(move |x| (y, x)));
            pixels.map(|(y, x)| index_along(shape, [0, c, h, w], [at[0], at[c], y, x])).collect()
        };
        let windows = (0..outputs[0].elements()).map(elements);
        vec![match &input.data {
            Data::Float(data) => {
                let result = |window: Vec<usize>| self.result(window.iter().map(|&i| data[i]));
                Tensor::float(outputs[0], windows.map(result).collect())
            }
            Data::Int(data) => {
                let (least, _) = outputs[0].data_type.integer_range().expect("the data are integers");
                let max = |window: Vec<usize>| window.iter().map(|&i| data[i]).fold(least, i128::max);
                Tensor::int(outputs[0], windows.map(max).collect())
            }
        }]
    }
}

impl Pool2d {
    /// The number for a window's elements; for no elements 0, or of the maximum the least number.
    fn result(&self, elements: impl Iterator<Item = f64> + Clone) -> f64 {
        match self.kind {
            PoolKind::Average => {
                let count = elements.clone().count().max(1);
                elements.fold(0.0, |sum, x| sum + x) / count as f64
            }
            PoolKind::L2 => elements.fold(0.0, |sum, x| sum + x * x).sqrt(),
            PoolKind::Max => elements.fold(f64::NEG_INFINITY, maximum),
        }
    }
}
