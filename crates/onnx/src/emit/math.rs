//! Operations that compute element by element, reduce, or convert.

use webnn_core::ops;
use webnn_core::ops::arg::{ArgKind, ArgOptions};
use webnn_core::ops::reduce::ReduceOptions;
use webnn_core::{DataType, Op};

use super::{Emit, same_elem};
use crate::elem::ElemType;
use crate::error::{Outcome, fault, require};
use crate::host;
use crate::known::Array;
use crate::tensor::{Tensor, broadcast};

pub(crate) use webnn_core::ops::reduce::ReduceKind;
pub(crate) use webnn_core::ops::{Binary, Compare, Unary};

/// Methods of one operand, each named as the operation it adds.
macro_rules! unary {
    ($($name:ident: $kind:ident),+ $(,)?) => {
        $(pub(crate) fn $name(&mut self, x: &Tensor) -> Outcome<Tensor> {
            self.unary(Unary::$kind, x)
        })+
    };
}

/// Methods of two operands, each named as the operation it adds.
macro_rules! binary {
    ($($name:ident: $kind:ident),+ $(,)?) => {
        $(pub(crate) fn $name(&mut self, a: &Tensor, b: &Tensor) -> Outcome<Tensor> {
            self.binary(Binary::$kind, a, b)
        })+
    };
}

/// Comparisons, each named as the operation it adds.
macro_rules! compare {
    ($($name:ident: $kind:ident),+ $(,)?) => {
        $(pub(crate) fn $name(&mut self, a: &Tensor, b: &Tensor) -> Outcome<Tensor> {
            self.compare(Compare::$kind, a, b)
        })+
    };
}

impl Emit<'_> {
    unary! {
        abs: Abs, exp: Exp, floor: Floor, log: Log, neg: Neg,
        reciprocal: Reciprocal, round_even: RoundEven, sign: Sign, sqrt: Sqrt,
        relu: Relu, sigmoid: Sigmoid, softplus: Softplus, softsign: Softsign, tanh: Tanh,
        gelu: Gelu,
    }

    binary! {
        add: Add, sub: Sub, mul: Mul, div: Div, max: Max, min: Min, pow: Pow,
    }

    compare! {
        equal: Equal, greater: Greater, greater_or_equal: GreaterOrEqual, lesser: Lesser,
        lesser_or_equal: LesserOrEqual, logical_and: LogicalAnd, logical_or: LogicalOr,
        logical_xor: LogicalXor,
    }

    pub(crate) fn unary(&mut self, kind: Unary, x: &Tensor) -> Outcome<Tensor> {
        if x.is_empty() {
            return Ok(x.clone());
        }
        if let Some(array) = x.array()
            && let Some((ints, floats)) = known_unary(kind)
        {
            return Ok(host::map(&array, ints, floats).into());
        }
        let result = self.push_one(kind, &[x], x.elem())?;
        self.wrapped(result)
    }

    pub(crate) fn binary(&mut self, kind: Binary, a: &Tensor, b: &Tensor) -> Outcome<Tensor> {
        same_elem(a, b)?;
        let dims = broadcast(a.dims(), b.dims())?;
        if dims.contains(&0) {
            return Ok(Array::empty(a.elem(), &dims).into());
        }
        if let (Some(x), Some(y)) = (a.array(), b.array()) {
            let elem = a.elem();
            let result = match kind {
                Binary::Add => host::zip(elem, &x, &y, |a, b| a + b, |a, b| a + b),
                Binary::Sub => host::zip(elem, &x, &y, |a, b| a - b, |a, b| a - b),
                Binary::Mul => host::zip(elem, &x, &y, i128::wrapping_mul, |a, b| a * b),
                Binary::Div => {
                    host::zip(elem, &x, &y, |a, b| a.checked_div(b).unwrap_or(0), |a, b| a / b)
                }
                Binary::Max => {
                    let nan = |a: f64, b: f64| if a.is_nan() || a > b { a } else { b };
                    host::zip(elem, &x, &y, i128::max, nan)
                }
                Binary::Min => {
                    let nan = |a: f64, b: f64| if a.is_nan() || a < b { a } else { b };
                    host::zip(elem, &x, &y, i128::min, nan)
                }
                Binary::Pow => host::zip(elem, &x, &y, host::int_pow, f64::powf),
            };
            return Ok(result?.into());
        }
        let result = self.push_one(kind, &[a, b], a.elem())?;
        match kind {
            Binary::Max | Binary::Min => Ok(result),
            Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Pow => {
                self.wrapped(result)
            }
        }
    }

    /// Wraps what a wider type carries into the range of its own.
    pub(crate) fn wrapped(&mut self, x: Tensor) -> Outcome<Tensor> {
        if !matches!(x.elem(), ElemType::Int16 | ElemType::Uint16) {
            return Ok(x);
        }
        // Times and divided by 2¹⁶: the upper bits are pushed out of the 32 and the sign, if
        // there is one, comes back.
        let operand = self.operand(&x)?;
        let wide = Tensor::operand(
            if x.elem() == ElemType::Int16 { ElemType::Int32 } else { ElemType::Uint32 },
            operand,
        );
        let factor = self.scalar(wide.elem(), 65536.0);
        let high = self.mul(&wide, &factor)?;
        Ok(self.div(&high, &factor)?.retyped(x.elem()))
    }

    pub(crate) fn compare(&mut self, kind: Compare, a: &Tensor, b: &Tensor) -> Outcome<Tensor> {
        same_elem(a, b)?;
        let dims = broadcast(a.dims(), b.dims())?;
        if dims.contains(&0) {
            return Ok(Array::empty(ElemType::Bool, &dims).into());
        }
        if let (Some(x), Some(y)) = (a.array(), b.array()) {
            let truth = |value: &i128| *value != 0;
            let never = |_: &f64, _: &f64| false;
            let result = match kind {
                Compare::Equal => host::compare(&x, &y, i128::eq, f64::eq),
                Compare::NotEqual => host::compare(&x, &y, i128::ne, f64::ne),
                Compare::Greater => host::compare(&x, &y, i128::gt, f64::gt),
                Compare::GreaterOrEqual => host::compare(&x, &y, i128::ge, f64::ge),
                Compare::Lesser => host::compare(&x, &y, i128::lt, f64::lt),
                Compare::LesserOrEqual => host::compare(&x, &y, i128::le, f64::le),
                Compare::LogicalAnd => host::compare(&x, &y, |a, b| truth(a) && truth(b), never),
                Compare::LogicalOr => host::compare(&x, &y, |a, b| truth(a) || truth(b), never),
                Compare::LogicalXor => host::compare(&x, &y, |a, b| truth(a) != truth(b), never),
            };
            return Ok(result?.into());
        }
        self.push_one(kind, &[a, b], ElemType::Bool)
    }

    pub(crate) fn logical_not(&mut self, x: &Tensor) -> Outcome<Tensor> {
        if let Some(array) = x.array() {
            return Ok(host::map(&array, |value| i128::from(value == 0), |value| value).into());
        }
        if x.is_empty() {
            return Ok(x.clone());
        }
        self.push_one(Unary::LogicalNot, &[x], ElemType::Bool)
    }

    pub(crate) fn is_nan(&mut self, x: &Tensor) -> Outcome<Tensor> {
        if x.is_empty() {
            return Ok(Array::empty(ElemType::Bool, x.dims()).into());
        }
        self.push_one(Unary::IsNan, &[x], ElemType::Bool)
    }

    pub(crate) fn is_infinite(&mut self, x: &Tensor) -> Outcome<Tensor> {
        if x.is_empty() {
            return Ok(Array::empty(ElemType::Bool, x.dims()).into());
        }
        self.push_one(Unary::IsInfinite, &[x], ElemType::Bool)
    }

    /// Elements of `a` where the condition holds, of `b` elsewhere.
    pub(crate) fn select(&mut self, condition: &Tensor, a: &Tensor, b: &Tensor) -> Outcome<Tensor> {
        same_elem(a, b)?;
        let dims = broadcast(condition.dims(), &broadcast(a.dims(), b.dims())?)?;
        if dims.contains(&0) {
            return Ok(Array::empty(a.elem(), &dims).into());
        }
        if let (Some(c), Some(x), Some(y)) = (condition.array(), a.array(), b.array()) {
            return Ok(host::select(&c, &x, &y)?.into());
        }
        self.push_one(ops::Where {}, &[condition, a, b], a.elem())
    }

    /// Converts as ONNX's Cast does: to bool what is not zero, to integers with the fraction cut.
    pub(crate) fn cast(&mut self, x: &Tensor, to: ElemType) -> Outcome<Tensor> {
        let from = x.elem();
        if from == to {
            return Ok(x.clone());
        }
        let Some(carrier) = to.carrier() else { fault!(UnsupportedType, "casting to {to}") };
        if x.is_empty() {
            return Ok(Array::empty(to, x.dims()).into());
        }
        if let Some(array) = x.array() {
            return Ok(array.cast(to)?.into());
        }
        if to == ElemType::Bool {
            let zero = self.scalar(from, 0.0);
            return self.compare(Compare::NotEqual, x, &zero);
        }
        if to.is_narrow() {
            // What is out of range keeps its low bits, as between WebNN's integers.
            let (_, greatest) = to.integer_range().unwrap_or((0, 0));
            let wide = self.cast(x, ElemType::Int32)?;
            return self.low_bits(&wide, to, greatest);
        }
        if !to.is_exact() {
            fault!(UnsupportedType, "casting {from} to {to}");
        }
        if to == ElemType::Bfloat16
            && !matches!(from, ElemType::Bool | ElemType::Int8 | ElemType::Uint8)
        {
            return self.rounded_to_bfloat16(x);
        }
        let operand = self.operand(x)?;
        let result = if from.carrier() == Some(carrier) {
            Tensor::operand(to, operand)
        } else {
            self.push_one(ops::Cast::new(carrier), &[x], to)?
        };
        // Neighbours that share a carrier and a range need no wrapping.
        if from == ElemType::Bool { Ok(result) } else { self.wrapped(result) }
    }

    /// int32 values wrapped into the range of a type of at most four bits.
    fn low_bits(&mut self, x: &Tensor, to: ElemType, greatest: i128) -> Outcome<Tensor> {
        let shift = (1i128 << 31) / (1i128 << (to.bits() - 1));
        let factor = self.int_list(ElemType::Int32, &[], vec![shift]);
        let high = self.mul(x, &factor)?;
        let signed = self.div(&high, &factor)?;
        let (least, _) = to.integer_range().unwrap_or((0, 0));
        if least < 0 {
            return self.narrowed(&signed, to);
        }
        // Negative codes of an unsigned type are its upper half.
        let (zero, period) = (
            self.scalar(ElemType::Int32, 0.0),
            self.scalar(ElemType::Int32, greatest as f64 + 1.0),
        );
        let below = self.lesser(&signed, &zero)?;
        let moved = self.add(&signed, &period)?;
        let unsigned = self.select(&below, &moved, &signed)?;
        self.narrowed(&unsigned, to)
    }

    /// int32 values that are in the range of a narrower type, in that type's carrier.
    pub(crate) fn narrowed(&mut self, x: &Tensor, elem: ElemType) -> Outcome<Tensor> {
        let Some(carrier) = elem.carrier() else { fault!(UnsupportedType, "casting to {elem}") };
        if x.elem().carrier() == Some(carrier) {
            return Ok(x.clone().retyped(elem));
        }
        self.push_one(ops::Cast::new(carrier), &[x], elem)
    }

    /// float32 values rounded to bfloat16's eight digits, halves to even.
    fn rounded_to_bfloat16(&mut self, x: &Tensor) -> Outcome<Tensor> {
        let x = self.cast(x, ElemType::Float32)?;
        // Dekker's splitting: the product and the two differences leave the upper digits. It
        // overflows near the greatest values, and infinities and NaN are kept as they are.
        let factor = self.scalar(ElemType::Float32, 65537.0);
        let wide = self.mul(&x, &factor)?;
        let low = self.sub(&wide, &x)?;
        let high = self.sub(&wide, &low)?;
        let finite = self.scalar(ElemType::Float32, 5.0e33);
        let size = self.abs(&x)?;
        let small = self.lesser(&size, &finite)?;
        Ok(self.select(&small, &high, &x)?.retyped(ElemType::Bfloat16))
    }

    /// Reduces the axes, which stay with size 1.
    pub(crate) fn reduce(
        &mut self,
        kind: ReduceKind,
        x: &Tensor,
        axes: &[usize],
    ) -> Outcome<Tensor> {
        let mut dims = x.dims().to_vec();
        for &axis in axes {
            require!(axis < dims.len(), "axis {axis} is out of range for rank {}", dims.len());
            dims[axis] = 1;
        }
        if dims.contains(&0) {
            return Ok(Array::empty(x.elem(), &dims).into());
        }
        if (x.is_empty() || x.array().is_some())
            && let Some(array) = self.reduce_known(kind, x, axes)?
        {
            return Ok(array);
        }
        let elem = x.elem();
        // Sums and products have no 8-bit form; as the result wraps, the wider one may be cut.
        let sums = !matches!(kind, ReduceKind::Max | ReduceKind::Min);
        let wide = if sums && matches!(elem, ElemType::Int8 | ElemType::Uint8 | ElemType::Bool) {
            self.cast(x, ElemType::Int32)?
        } else {
            x.clone()
        };
        let options = ReduceOptions {
            axes: Some(axes.iter().map(|&axis| axis as u32).collect()),
            keep_dimensions: true,
        };
        let op = ops::Reduce { kind, options };
        let result = self.push_one(op, &[&wide], wide.elem())?;
        let result = self.wrapped(result)?;
        self.cast(&result, elem)
    }

    fn reduce_known(
        &mut self,
        kind: ReduceKind,
        x: &Tensor,
        axes: &[usize],
    ) -> Outcome<Option<Tensor>> {
        let array = match x.array() {
            Some(array) => array,
            None => return Ok(None),
        };
        let sum = |values: &[f64]| values.iter().sum::<f64>();
        let int_sum = |values: &[i128]| values.iter().sum::<i128>();
        let (least, greatest) = x.elem().integer_range().unwrap_or((0, 0));
        let max = |values: &[f64]| values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let min = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
        let result = match kind {
            ReduceKind::Sum => host::reduce(&array, axes, int_sum, sum)?,
            ReduceKind::Product => host::reduce(
                &array,
                axes,
                |v| v.iter().fold(1i128, |product, &value| product.wrapping_mul(value)),
                |v| v.iter().product(),
            )?,
            ReduceKind::Max => {
                host::reduce(&array, axes, |v| v.iter().copied().max().unwrap_or(least), max)?
            }
            ReduceKind::Min => {
                host::reduce(&array, axes, |v| v.iter().copied().min().unwrap_or(greatest), min)?
            }
            ReduceKind::Mean if x.elem().is_float() => {
                host::reduce(&array, axes, int_sum, |v| sum(v) / v.len() as f64)?
            }
            ReduceKind::L1 => host::reduce(
                &array,
                axes,
                |v| v.iter().map(|value| value.abs()).sum(),
                |v| v.iter().map(|value| value.abs()).sum(),
            )?,
            ReduceKind::SumSquare => host::reduce(
                &array,
                axes,
                |v| v.iter().fold(0i128, |s, &x| s.wrapping_add(x.wrapping_mul(x))),
                |v| v.iter().map(|value| value * value).sum(),
            )?,
            ReduceKind::L2 => host::reduce(&array, axes, int_sum, |v| {
                v.iter().map(|value| value * value).sum::<f64>().sqrt()
            })?,
            ReduceKind::LogSum => host::reduce(&array, axes, int_sum, |v| sum(v).ln())?,
            ReduceKind::LogSumExp => host::reduce(&array, axes, int_sum, |v| {
                let top = v.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                if top.is_infinite() {
                    return top;
                }
                top + v.iter().map(|value| (value - top).exp()).sum::<f64>().ln()
            })?,
            ReduceKind::Mean => return Ok(None),
        };
        Ok(Some(result.into()))
    }

    pub(crate) fn cumulative_sum(
        &mut self,
        x: &Tensor,
        axis: usize,
        exclusive: bool,
        reversed: bool,
    ) -> Outcome<Tensor> {
        if x.is_empty() {
            return Ok(x.clone());
        }
        let op = ops::CumulativeSum { exclusive, reversed, ..ops::CumulativeSum::new(axis as u32) };
        let result = self.push_one(op, &[x], x.elem())?;
        self.wrapped(result)
    }

    pub(crate) fn arg(
        &mut self,
        x: &Tensor,
        axis: usize,
        greatest: bool,
        keep: bool,
    ) -> Outcome<Tensor> {
        require!(x.dim(axis) > 0, "axis {axis} has no elements");
        if x.is_empty() {
            fault!(ZeroSize, "{:?} has no elements", x.dims());
        }
        let options = ArgOptions {
            axis: axis as u32,
            keep_dimensions: keep,
            output_data_type: DataType::Int64,
        };
        let kind = if greatest { ArgKind::Max } else { ArgKind::Min };
        let op = ops::ArgMinMax { kind, options };
        self.push_one(op, &[x], ElemType::Int64)
    }

    /// `alpha · x + beta`
    pub(crate) fn linear(&mut self, x: &Tensor, alpha: f64, beta: f64) -> Outcome<Tensor> {
        self.activation(ops::Linear { alpha, beta }, x)
    }

    pub(crate) fn elu(&mut self, x: &Tensor, alpha: f64) -> Outcome<Tensor> {
        self.activation(ops::Elu { alpha }, x)
    }

    pub(crate) fn hard_sigmoid(&mut self, x: &Tensor, alpha: f64, beta: f64) -> Outcome<Tensor> {
        self.activation(ops::HardSigmoid { alpha, beta }, x)
    }

    pub(crate) fn leaky_relu(&mut self, x: &Tensor, alpha: f64) -> Outcome<Tensor> {
        self.activation(ops::LeakyRelu { alpha }, x)
    }

    /// Bounds, each one absent for none.
    pub(crate) fn clamp(
        &mut self,
        x: &Tensor,
        min: Option<f64>,
        max: Option<f64>,
    ) -> Outcome<Tensor> {
        let op = ops::Clamp { min_value: min.map(Into::into), max_value: max.map(Into::into) };
        self.activation(op, x)
    }

    fn activation(&mut self, op: impl Into<Op>, x: &Tensor) -> Outcome<Tensor> {
        if x.is_empty() {
            return Ok(x.clone());
        }
        self.push_one(op, &[x], x.elem())
    }

    pub(crate) fn prelu(&mut self, x: &Tensor, slope: &Tensor) -> Outcome<Tensor> {
        same_elem(x, slope)?;
        if x.is_empty() {
            return Ok(x.clone());
        }
        self.push_one(ops::Prelu {}, &[x, slope], x.elem())
    }

    pub(crate) fn softmax(&mut self, x: &Tensor, axis: usize) -> Outcome<Tensor> {
        if x.is_empty() {
            return Ok(x.clone());
        }
        self.push_one(ops::Softmax::new(axis as u32), &[x], x.elem())
    }
}

/// How an integer and how a float is computed.
type Functions = (fn(i128) -> i128, fn(f64) -> f64);

/// How known values are computed; `None` for what shape arithmetic does not use.
fn known_unary(kind: Unary) -> Option<Functions> {
    let same: fn(i128) -> i128 = |value| value;
    match kind {
        Unary::Abs => Some((i128::abs, f64::abs)),
        Unary::Ceil => Some((same, f64::ceil)),
        Unary::Cos => Some((same, f64::cos)),
        Unary::Exp => Some((same, f64::exp)),
        Unary::Floor => Some((same, f64::floor)),
        Unary::Log => Some((same, f64::ln)),
        Unary::Neg => Some((|value| -value, |value| -value)),
        Unary::Reciprocal => Some((same, f64::recip)),
        Unary::Relu => Some((|value| value.max(0), |value| if value < 0.0 { 0.0 } else { value })),
        Unary::RoundEven => Some((same, f64::round_ties_even)),
        Unary::Sin => Some((same, f64::sin)),
        Unary::Sqrt => Some((same, f64::sqrt)),
        Unary::Erf
        | Unary::Gelu
        | Unary::HardSwish
        | Unary::Identity
        | Unary::IsInfinite
        | Unary::IsNan
        | Unary::LogicalNot
        | Unary::Sigmoid
        | Unary::Sign
        | Unary::Softplus
        | Unary::Softsign
        | Unary::Tan
        | Unary::Tanh => None,
    }
}
