//! Element-wise operators on integers, choices between elements of any type, and casts.

use webnn_core::ops::{Binary, Cast, Clamp, Compare, Unary};
use webnn_core::{DataType, Number};
use webnn_kernels::Isa;
use webnn_kernels::buffer::{Plain, Scratch};
use webnn_kernels::convert::{CastTo, cast};
use webnn_kernels::integer::{self, Integer, IntegerBinary, IntegerUnary, Test};
use webnn_kernels::nibble::{self, Signed};
use webnn_kernels::strided::Space;

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::threads::Threads;

/// Fewer elements are computed by one thread.
const LEAST: usize = 1 << 14;

/// Calls a generic function with the integer type that a data type stands for.
macro_rules! with_integer {
    ($data_type:expr, $T:ident => $body:expr) => {
        match $data_type {
            DataType::Int8 => {
                type $T = i8;
                $body
            }
            DataType::Uint8 => {
                type $T = u8;
                $body
            }
            DataType::Int32 => {
                type $T = i32;
                $body
            }
            DataType::Uint32 => {
                type $T = u32;
                $body
            }
            DataType::Int64 => {
                type $T = i64;
                $body
            }
            DataType::Uint64 => {
                type $T = u64;
                $body
            }
            DataType::Float32 | DataType::Float16 | DataType::Int4 | DataType::Uint4 => {
                unreachable!("the builder checked that the type is an integer of whole bytes")
            }
        }
    };
}

/// The space of a node's result with the operands of so many slots broadcast to it.
fn space(cx: &Cx<'_>, slots: usize) -> Space {
    let operands: Vec<Vec<usize>> = (0..slots).map(|slot| sizes(&cx.input(slot))).collect();
    let operands: Vec<&[usize]> = operands.iter().map(Vec::as_slice).collect();
    Space::broadcast(&sizes(&cx.output(0)), &operands)
}

struct UnaryKernel<T>(IntegerUnary<T>);

impl<T: Integer + Plain> Kernel for UnaryKernel<T> {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let x = io.read::<T>(0);
        threads.rows(io.write(0), 1, LEAST, |range, out| integer::unary(self.0, &x[range], out));
    }
}

/// An operator of one integer operand.
pub(crate) fn unary(op: Unary, cx: &Cx<'_>) -> Built {
    with_integer!(cx.input(0).data_type, T => {
        let op: IntegerUnary<T> = match op {
            Unary::Abs => IntegerUnary::Abs,
            Unary::Neg => IntegerUnary::Neg,
            Unary::Relu => IntegerUnary::Relu,
            Unary::Sign => IntegerUnary::Sign,
            Unary::Identity | Unary::LogicalNot | Unary::Ceil | Unary::Cos | Unary::Erf
            | Unary::Exp | Unary::Floor | Unary::Gelu | Unary::HardSwish | Unary::IsInfinite
            | Unary::IsNan | Unary::Log | Unary::Reciprocal | Unary::RoundEven | Unary::Sigmoid
            | Unary::Sin | Unary::Softplus | Unary::Softsign | Unary::Sqrt | Unary::Tan
            | Unary::Tanh => unreachable!("these are aliases, or on floats and truth values"),
        };
        Built::new(UnaryKernel(op), cx, &[0])
    })
}

/// A clamp of integers.
pub(crate) fn clamp(op: &Clamp, cx: &Cx<'_>) -> Built {
    let data_type = cx.input(0).data_type;
    let (min, max) = op.bounds(data_type);
    with_integer!(data_type, T => {
        let bound = |bound: Option<Number>, none: T| match bound {
            Some(Number::Int(bound)) => T::try_from(bound).unwrap_or(none),
            Some(Number::Float(_)) | None => none,
        };
        let op = IntegerUnary::Clamp { min: bound(min, T::MIN), max: bound(max, T::MAX) };
        Built::new(UnaryKernel(op), cx, &[0])
    })
}

struct BinaryKernel<T> {
    op: IntegerBinary,
    space: Space,
    element: std::marker::PhantomData<T>,
}

impl<T: Integer + Plain> Kernel for BinaryKernel<T> {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let (a, b) = (io.read::<T>(0), io.read(1));
        threads.rows(io.write(0), 1, LEAST, |range, out| {
            integer::binary(self.op, &self.space, range, a, b, out);
        });
    }
}

fn lower_binary(op: IntegerBinary, cx: &Cx<'_>) -> Built {
    let space = space(cx, 2);
    with_integer!(cx.input(0).data_type, T => {
        let element = std::marker::PhantomData::<T>;
        Built::new(BinaryKernel { op, space, element }, cx, &[0, 1])
    })
}

/// An operator of two integer operands.
pub(crate) fn binary(op: Binary, cx: &Cx<'_>) -> Built {
    let op = match op {
        Binary::Add => IntegerBinary::Add,
        Binary::Sub => IntegerBinary::Sub,
        Binary::Mul => IntegerBinary::Mul,
        Binary::Div => IntegerBinary::Div,
        Binary::Max => IntegerBinary::Max,
        Binary::Min => IntegerBinary::Min,
        Binary::Pow => IntegerBinary::Pow,
    };
    lower_binary(op, cx)
}

/// A parametric rectifier of integers.
pub(crate) fn prelu(cx: &Cx<'_>) -> Built {
    lower_binary(IntegerBinary::Prelu, cx)
}

struct CompareKernel<T> {
    test: Test,
    space: Space,
    element: std::marker::PhantomData<T>,
}

impl<T: Integer + Plain> Kernel for CompareKernel<T> {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let (a, b) = (io.read::<T>(0), io.read(1));
        threads.rows(io.write(0), 1, LEAST, |range, out| {
            integer::test(self.test, &self.space, range, a, b, out);
        });
    }
}

/// A comparison of integers.
pub(crate) fn compare(op: Compare, cx: &Cx<'_>) -> Built {
    let test = match op {
        Compare::Equal => Test::Equal,
        Compare::NotEqual => Test::NotEqual,
        Compare::Greater => Test::Greater,
        Compare::GreaterOrEqual => Test::GreaterOrEqual,
        Compare::Lesser => Test::Lesser,
        Compare::LesserOrEqual => Test::LesserOrEqual,
        Compare::LogicalAnd | Compare::LogicalOr | Compare::LogicalXor => {
            unreachable!("logical operators take truth values only")
        }
    };
    let space = space(cx, 2);
    with_integer!(cx.input(0).data_type, T => {
        let element = std::marker::PhantomData::<T>;
        Built::new(CompareKernel { test, space, element }, cx, &[0, 1])
    })
}

struct SelectKernel<T> {
    space: Space,
    element: std::marker::PhantomData<T>,
}

impl<T: Plain + Default + Send + Sync> Kernel for SelectKernel<T> {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let (condition, yes, no) = (io.read(0), io.read::<T>(1), io.read(2));
        threads.rows(io.write(0), 1, LEAST, |range, out| {
            integer::select(&self.space, range, condition, yes, no, out);
        });
    }
}

/// A choice between elements, by their width.
pub(crate) fn select(cx: &Cx<'_>) -> Built {
    let space = space(cx, 3);
    fn kernel<T: Plain + Default + Send + Sync>(space: Space, cx: &Cx<'_>) -> Built {
        let element = std::marker::PhantomData::<T>;
        Built::new(SelectKernel { space, element }, cx, &[0, 1, 2])
    }
    match cx.output(0).data_type.bits() {
        64 => kernel::<u64>(space, cx),
        32 => kernel::<u32>(space, cx),
        16 => kernel::<u16>(space, cx),
        _byte => kernel::<u8>(space, cx),
    }
}

/// Calls a generic function with the element type that a data type stands for.
macro_rules! with_element {
    ($data_type:expr, $T:ident => $body:expr, nibble => $nibble:expr) => {
        match $data_type {
            DataType::Float32 => {
                type $T = f32;
                $body
            }
            DataType::Float16 => {
                type $T = half::f16;
                $body
            }
            DataType::Int8 => {
                type $T = i8;
                $body
            }
            DataType::Uint8 => {
                type $T = u8;
                $body
            }
            DataType::Int32 => {
                type $T = i32;
                $body
            }
            DataType::Uint32 => {
                type $T = u32;
                $body
            }
            DataType::Int64 => {
                type $T = i64;
                $body
            }
            DataType::Uint64 => {
                type $T = u64;
                $body
            }
            DataType::Int4 | DataType::Uint4 => $nibble,
        }
    };
}

struct CastKernel<T, U>(Isa, std::marker::PhantomData<(T, U)>);

impl<T, U> Kernel for CastKernel<T, U>
where
    T: CastTo<U> + Plain + Send + Sync,
    U: Plain + Send + Sync,
{
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let x = io.read::<T>(0);
        threads.rows(io.write(0), 1, LEAST, |range, out: &mut [U]| {
            cast(self.0, &x[range], out);
        });
    }
}

/// A cast to or from 4-bit integers: by way of bytes.
struct NibbleCast {
    from: DataType,
    to: DataType,
    elements: usize,
    isa: Isa,
}

/// A cast; to the same type it is an alias.
pub(crate) fn lower_cast(op: &Cast, cx: &Cx<'_>) -> Built {
    let (from, to) = (cx.input(0).data_type, op.data_type);
    let nibble = || {
        let elements = cx.input(0).elements();
        Built::new(NibbleCast { from, to, elements, isa: cx.isa }, cx, &[0])
    };
    with_element!(from, T => with_element!(
        to,
        U => Built::new(CastKernel::<T, U>(cx.isa, std::marker::PhantomData), cx, &[0]),
        nibble => nibble()
    ), nibble => nibble())
}

impl Kernel for NibbleCast {
    fn scratch_bytes(&self, _threads: usize) -> usize {
        Scratch::bytes_for::<i8>(self.elements)
    }

    fn run(&self, io: &mut Io<'_>, _threads: &Threads) {
        let bytes = Scratch::new(io.scratch()).take::<i8>(self.elements);
        let signed = |data_type| match data_type {
            DataType::Int4 => Signed::Yes,
            _unsigned => Signed::No,
        };
        with_element!(self.from, T => {
            // Floats saturate at the 4-bit type's range, integers keep their low bits.
            let (least, greatest) = self.to.integer_range().expect("4-bit types are integers");
            let x = io.read::<T>(0);
            for (byte, &x) in bytes.iter_mut().zip(x) {
                *byte = if self.from.is_float() {
                    let wide: i64 = x.cast();
                    wide.clamp(least as i64, greatest as i64) as i8
                } else {
                    x.cast()
                };
            }
        }, nibble => nibble::unpack(signed(self.from), io.read(0), 0, bytes));
        with_element!(
            self.to,
            U => cast::<i8, U>(self.isa, bytes, io.write(0)),
            nibble => nibble::pack(bytes, io.write(0))
        );
    }
}
