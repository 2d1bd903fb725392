//! Recipes for images, recurrent networks and quantization, whose operands depend on each other.

use webnn_core::attrs::Args;
use webnn_core::limits::SlotTypes;
use webnn_core::{DataType, DataTypes, Method, Operand};

use super::{Attr, Call, Maker, Values, float, list, number, text};

impl Maker {
    fn window_options(&mut self, strides: u32) -> Args {
        let padding: [u32; 4] = std::array::from_fn(|_| self.rng.u32(..=2));
        let strides: [u32; 2] = std::array::from_fn(|_| self.rng.u32(1..=strides));
        let dilations: [u32; 2] = std::array::from_fn(|_| self.rng.u32(1..=2));
        let mut args = Args::new();
        for (name, values) in
            [("padding", &padding[..]), ("strides", &strides), ("dilations", &dilations)]
        {
            if self.chance(2) {
                args.push(name, list(values));
            }
        }
        args
    }

    /// Layout, channels, and the number of groups for them.
    fn grouped(&mut self, x: Operand) -> (&'static str, u32, u32) {
        let layout = self.one_of(&["nchw", "nhwc"]);
        let channels = x.shape()[if layout == "nchw" { 1 } else { 3 }];
        let divisors: Vec<u32> =
            (1..=channels).filter(|groups| channels.is_multiple_of(*groups)).collect();
        let groups = if self.chance(2) { 1 } else { self.one_of(&divisors) };
        (layout, channels, groups)
    }

    pub(super) fn conv2d(&mut self) -> Call {
        let x = self.floats((4, 4));
        let (layout, channels, groups) = self.grouped(x);
        let outputs = groups * self.rng.u32(1..=4);
        let (i, o) = (channels / groups, outputs);
        let (h, w) = (self.rng.u32(1..=3), self.rng.u32(1..=3));
        let (filter_layout, shape) = self.one_of(&[
            ("oihw", [o, i, h, w]),
            ("hwio", [h, w, i, o]),
            ("ohwi", [o, h, w, i]),
            ("ihwo", [i, h, w, o]),
        ]);
        let filter = self.fresh(x.data_type(), &shape, Values::Any);
        let bias = self.maybe(x.data_type(), &[outputs]);
        let args = self
            .window_options(3)
            .with("groups", number(groups))
            .with("inputLayout", text(layout))
            .with("filterLayout", text(filter_layout));
        (vec![Some(x), Some(filter), bias], args)
    }

    pub(super) fn conv_transpose2d(&mut self) -> Call {
        let x = self.floats((4, 4));
        let (layout, channels, groups) = self.grouped(x);
        let per_group = self.rng.u32(1..=3);
        let (i, o) = (channels, per_group);
        let (h, w) = (self.rng.u32(1..=3), self.rng.u32(1..=3));
        let (filter_layout, shape) =
            self.one_of(&[("iohw", [i, o, h, w]), ("hwoi", [h, w, o, i]), ("ohwi", [o, h, w, i])]);
        let filter = self.fresh(x.data_type(), &shape, Values::Any);
        let bias = self.maybe(x.data_type(), &[per_group * groups]);
        let args = self
            .window_options(3)
            .with("groups", number(groups))
            .with("inputLayout", text(layout))
            .with("filterLayout", text(filter_layout));
        (vec![Some(x), Some(filter), bias], args)
    }

    pub(super) fn pool2d(&mut self, method: &'static Method) -> Call {
        let SlotTypes::OneOf(types) = method.slots[0].types else {
            unreachable!("the first slot follows no other")
        };
        let x = self.operand(types, (4, 4));
        let layout = self.one_of(&["nchw", "nhwc"]);
        let mut args = self.window_options(2).with("layout", text(layout));
        if !self.chance(4) {
            args.push("windowDimensions", list(&[self.rng.u32(1..=3), self.rng.u32(1..=3)]));
        }
        args.push("outputShapeRounding", text(self.one_of(&["floor", "ceil"])));
        (vec![Some(x)], args)
    }

    pub(super) fn resample2d(&mut self, method: &'static Method) -> Call {
        let SlotTypes::OneOf(types) = method.slots[0].types else {
            unreachable!("the first slot follows no other")
        };
        let x = self.operand(types, (4, 4));
        let mut args = Args::new().with("mode", text(self.one_of(&["nearest-neighbor", "linear"])));
        if self.rng.bool() {
            args.push("sizes", list(&[self.rng.u32(1..=9), self.rng.u32(1..=9)]));
        } else {
            // Powers of two are exact in every arithmetic.
            let scale = |of: usize| [0.5, 1.0, 2.0, 4.0][of];
            let scales = [scale(self.rng.usize(..4)), scale(self.rng.usize(..4))];
            args.push("scales", Attr::List(scales.into_iter().map(float).collect()));
        }
        let axes = self.one_of(&[[2, 3], [1, 2], [0, 1], [3, 2]]);
        (vec![Some(x)], args.with("axes", list(&axes)))
    }

    pub(super) fn recurrent(&mut self, method: &'static Method) -> Call {
        let is_cell = method.name.ends_with("Cell");
        let is_lstm = method.name.starts_with("lstm");
        let rank = if is_cell { 2 } else { 3 };
        let x = self.floats((rank, rank));
        let of = x.data_type();
        let hidden = self.rng.u32(1..=5);
        let gates = hidden * if is_lstm { 4 } else { 3 };
        let features = x.shape()[rank - 1];
        let batch = x.shape()[rank - 2];
        let direction = self.one_of(&["forward", "backward", "both"]);
        let directions = if direction == "both" { 2 } else { 1 };
        let with_directions = |sizes: &[u32]| -> Vec<u32> {
            if is_cell { sizes.to_vec() } else { [&[directions], sizes].concat() }
        };
        let weight = self.fresh(of, &with_directions(&[gates, features]), Values::Any);
        let recurrent = self.fresh(of, &with_directions(&[gates, hidden]), Values::Any);
        let mut operands = vec![Some(x), Some(weight), Some(recurrent)];
        let state = with_directions(&[batch, hidden]);
        if is_cell {
            operands.push(Some(self.fresh(of, &state, Values::Any)));
            if is_lstm {
                operands.push(Some(self.fresh(of, &state, Values::Any)));
            }
        }
        operands.push(self.maybe(of, &with_directions(&[gates])));
        operands.push(self.maybe(of, &with_directions(&[gates])));
        if is_lstm {
            operands.push(self.maybe(of, &with_directions(&[3 * hidden])));
        }
        if !is_cell {
            operands.push(self.maybe(of, &state));
            if is_lstm {
                operands.push(self.maybe(of, &state));
            }
        }
        let mut args = Args::new().with("hiddenSize", number(hidden));
        if !is_cell {
            args.push("steps", number(x.shape()[0]));
            args.push("direction", text(direction));
            args.push("returnSequence", Attr::Bool(self.rng.bool()));
        }
        if is_lstm {
            args.push("layout", text(self.one_of(&["iofg", "ifgo"])));
        } else {
            args.push("layout", text(self.one_of(&["zrn", "rzn"])));
            args.push("resetAfter", Attr::Bool(self.rng.bool()));
        }
        if self.rng.bool() {
            let count = if is_lstm { 3 } else { 2 };
            let names = (0..count).map(|_| text(self.one_of(&["relu", "sigmoid", "tanh"])));
            args.push("activations", Attr::List(names.collect()));
        }
        (operands, args)
    }

    /// The shape of scales in blocks that divide the given one.
    fn blocks(&mut self, shape: &[u32]) -> Vec<u32> {
        let block = |maker: &mut Maker, size: u32| {
            let divisors: Vec<u32> =
                (1..=size).filter(|blocks| size.is_multiple_of(*blocks)).collect();
            maker.one_of(&divisors)
        };
        shape.iter().map(|&size| block(self, size)).collect()
    }

    pub(super) fn quantize(&mut self) -> Call {
        let x = self.floats((0, 5));
        let shape = self.blocks(&x.shape());
        let scale = self.fresh(x.data_type(), &shape, Values::Positive);
        let of = self.one_of(&[DataType::Int8, DataType::Uint8, DataType::Int32]);
        let zero_point = self.fresh(of, &shape, Values::Any);
        (vec![Some(x), Some(scale), Some(zero_point)], Args::new())
    }

    pub(super) fn dequantize(&mut self) -> Call {
        let types = DataTypes::of(&[DataType::Int8, DataType::Uint8, DataType::Int32]);
        let mut x = self.operand(types, (0, 5));
        if self.chance(3) {
            let of = self.one_of(&[DataType::Int4, DataType::Uint4]);
            x = self.fresh(of, &x.shape(), Values::Any);
        }
        let shape = self.blocks(&x.shape());
        let of = self.one_of(&[DataType::Float32, DataType::Float16]);
        let scale = self.fresh(of, &shape, Values::Positive);
        let zero_point = self.fresh(x.data_type(), &shape, Values::Any);
        (vec![Some(x), Some(scale), Some(zero_point)], Args::new())
    }
}
