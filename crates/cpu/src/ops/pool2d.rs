//! Pooling over windows of images, in both layouts.

use std::marker::PhantomData;

use webnn_core::DataType;
use webnn_core::ops::Pool2d;
use webnn_core::ops::conv2d::InputLayout;
use webnn_core::ops::pool2d::PoolKind;
use webnn_kernels::Isa;
use webnn_kernels::buffer::Plain;
use webnn_kernels::integer::Integer;
use webnn_kernels::pool::{
    Pooling, Windows, max_pool_integers, pool_channels_first, pool_channels_last,
};
use webnn_kernels::reduce::FloatReduction;

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::ops::reduce;
use crate::threads::Threads;

/// Fewer elements of windows are folded by one thread.
const LEAST: usize = 1 << 14;

struct Pool {
    pooling: Pooling,
    windows: Windows,
    /// Interleaved channels: 1 where they are first.
    channels: usize,
    layout: InputLayout,
    isa: Isa,
}

struct IntegerPool<T>(Pool, PhantomData<T>);

pub(crate) fn lower(op: &Pool2d, cx: &Cx<'_>) -> Built {
    let (input, output) = (sizes(&cx.input(0)), sizes(&cx.output(0)));
    let options = &op.options;
    let (c, h, w) = options.layout.axes();
    let size = [input[h], input[w]];
    let windows = Windows {
        input: size,
        output: [output[h], output[w]],
        window: options.window_dimensions.map_or(size, |window| window.map(|n| n as usize)),
        strides: options.strides.map(|n| n as usize),
        dilations: options.dilations.map(|n| n as usize),
        padding: [options.padding[0] as usize, options.padding[2] as usize],
    };
    let (pooling, reduction) = match op.kind {
        PoolKind::Average => (Pooling::Average, FloatReduction::Mean),
        PoolKind::L2 => (Pooling::L2, FloatReduction::L2),
        PoolKind::Max => (Pooling::Max, FloatReduction::Max),
    };
    let is_whole = windows.window == size
        && windows.output == [1, 1]
        && windows.padding == [0, 0]
        && windows.dilations == [1, 1];
    if is_whole
        && options.layout == InputLayout::Nhwc
        && cx.input(0).data_type == DataType::Float32
        && let Some(built) =
            reduce::lower_images(reduction, [input[0], size[0], size[1], input[c]], cx)
    {
        return built;
    }
    let channels = match options.layout {
        InputLayout::Nchw => 1,
        InputLayout::Nhwc => input[c],
    };
    let pool = Pool { pooling, windows, channels, layout: options.layout, isa: cx.isa };
    macro_rules! integer {
        ($T:ty) => {
            Built::new(IntegerPool(pool, PhantomData::<$T>), cx, &[0])
        };
    }
    match cx.input(0).data_type {
        DataType::Float32 => Built::new(pool, cx, &[0]),
        DataType::Int8 => integer!(i8),
        DataType::Uint8 => integer!(u8),
        DataType::Int32 => integer!(i32),
        DataType::Uint32 => integer!(u32),
        DataType::Int64 => integer!(i64),
        DataType::Uint64 => integer!(u64),
        DataType::Float16 => unreachable!("half precision is computed in single"),
        DataType::Int4 | DataType::Uint4 => {
            unreachable!("the builder checked that the type is of whole bytes")
        }
    }
}

impl Pool {
    /// The elements of a row of the result, and the least rows that one thread computes.
    fn row(&self) -> (usize, usize) {
        let row = self.windows.output[1] * self.channels;
        let [height, width] = self.windows.window;
        (row, LEAST.div_ceil(row * height * width))
    }
}

impl Kernel for Pool {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let (out, x) = (io.write::<f32>(0), io.read::<f32>(0));
        let (isa, pooling, windows) = (self.isa, self.pooling, &self.windows);
        let (row, least) = self.row();
        match self.layout {
            InputLayout::Nchw => threads.rows(out, row, least, |rows, out| {
                pool_channels_first(isa, pooling, windows, x, rows, out);
            }),
            InputLayout::Nhwc => threads.rows(out, row, least, |rows, out| {
                pool_channels_last(isa, pooling, windows, self.channels, x, rows, out);
            }),
        }
    }
}

impl<T: Integer + Plain> Kernel for IntegerPool<T> {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let pool = &self.0;
        let x = io.read::<T>(0);
        let (row, least) = pool.row();
        threads.rows(io.write::<T>(0), row, least, |rows, out| {
            max_pool_integers(&pool.windows, pool.channels, x, rows, out);
        });
    }
}
