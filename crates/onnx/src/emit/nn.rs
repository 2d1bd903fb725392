//! Matrix products, convolutions, pooling, normalization, recurrent networks, quantization.

use webnn_core::ops;
use webnn_core::ops::pool2d::{PoolKind, PoolOptions};
use webnn_core::ops::resample2d::InterpolationMode;
use webnn_core::{DataType, DataTypes, Operand};

use super::{Emit, same_elem};
use crate::elem::ElemType;
use crate::error::{Outcome, fault, require};
use crate::known::Array;
use crate::tensor::{Tensor, broadcast};

impl Emit<'_> {
    /// A stack of matrix products; both have at least two dimensions.
    pub(crate) fn matmul(&mut self, a: &Tensor, b: &Tensor) -> Outcome<Tensor> {
        same_elem(a, b)?;
        let (m, n) = (a.rank(), b.rank());
        require!(m >= 2 && n >= 2, "{:?} times {:?} is no matrix product", a.dims(), b.dims());
        require!(
            a.dims()[m - 1] == b.dims()[n - 2],
            "{:?} times {:?}: columns and rows differ",
            a.dims(),
            b.dims()
        );
        if a.is_empty() || b.is_empty() {
            let mut dims = broadcast(&a.dims()[..m - 2], &b.dims()[..n - 2])?;
            dims.extend([a.dims()[m - 2], b.dims()[n - 1]]);
            return self.filled(a.elem(), &dims, 0.0);
        }
        if a.elem().is_float() {
            return self.push_one(ops::Matmul {}, &[a, b], a.elem());
        }
        self.integer_matmul(a, b)
    }

    /// A product of integers, exact by parts that float32 holds.
    fn integer_matmul(&mut self, a: &Tensor, b: &Tensor) -> Outcome<Tensor> {
        let is_small = |x: &Tensor| x.elem() == ElemType::Bool || x.elem().bits() <= 8;
        if !is_small(a) || !is_small(b) {
            // Row by column, multiplied and added in the type itself.
            let (m, n) = (a.rank(), b.rank());
            let left = self.reshape(a, &[a.dims(), &[1]].concat())?;
            let mut dims = b.dims()[..n - 2].to_vec();
            dims.extend([1, b.dims()[n - 2], b.dims()[n - 1]]);
            let right = self.reshape(b, &dims)?;
            let products = self.mul(&left, &right)?;
            let rank = m.max(n) + 1;
            let sums = self.reduce(super::ReduceKind::Sum, &products, &[rank - 2])?;
            let mut dims = sums.dims().to_vec();
            dims.remove(rank - 2);
            return self.reshape(&sums, &dims);
        }
        let sum = self.byte_matmul(a, b)?;
        self.cast(&sum, a.elem())
    }

    /// The int32 product of tensors whose elements have at most nine bits.
    pub(crate) fn byte_matmul(&mut self, a: &Tensor, b: &Tensor) -> Outcome<Tensor> {
        // 2⁸ products of numbers below 2⁸ in size stay below 2²⁴, where float32 is exact.
        const PART: u32 = 256;
        let (a, b) = (self.cast(a, ElemType::Float32)?, self.cast(b, ElemType::Float32)?);
        let (m, n) = (a.rank(), b.rank());
        require!(m >= 2 && n >= 2, "{:?} times {:?} is no matrix product", a.dims(), b.dims());
        let depth = a.dims()[m - 1];
        let mut total: Option<Tensor> = None;
        let mut start = 0;
        while start < depth || total.is_none() {
            let count = PART.min(depth - start);
            let left = self.narrow(&a, m - 1, start, count)?;
            let right = self.narrow(&b, n - 2, start, count)?;
            let part = self.matmul(&left, &right)?;
            let part = self.cast(&part, ElemType::Int32)?;
            total = Some(match total {
                Some(total) => self.add(&total, &part)?,
                None => part,
            });
            start += count;
        }
        match total {
            Some(total) => Ok(total),
            None => fault!(ZeroSize, "a product over no elements"),
        }
    }

    pub(crate) fn gemm(
        &mut self,
        a: &Tensor,
        b: &Tensor,
        c: Option<&Tensor>,
        op: ops::Gemm,
    ) -> Outcome<Tensor> {
        Ok(self.push(op, &[Some(a), Some(b), c], a.elem())?.remove(0))
    }

    pub(crate) fn conv2d(
        &mut self,
        x: &Tensor,
        filter: &Tensor,
        bias: Option<&Tensor>,
        op: ops::Conv2d,
    ) -> Outcome<Tensor> {
        Ok(self.push(op, &[Some(x), Some(filter), bias], x.elem())?.remove(0))
    }

    pub(crate) fn conv_transpose2d(
        &mut self,
        x: &Tensor,
        filter: &Tensor,
        bias: Option<&Tensor>,
        op: ops::ConvTranspose2d,
    ) -> Outcome<Tensor> {
        Ok(self.push(op, &[Some(x), Some(filter), bias], x.elem())?.remove(0))
    }

    pub(crate) fn pool2d(
        &mut self,
        kind: PoolKind,
        x: &Tensor,
        options: PoolOptions,
    ) -> Outcome<Tensor> {
        self.push_one(ops::Pool2d { kind, options }, &[x], x.elem())
    }

    pub(crate) fn resample2d(
        &mut self,
        x: &Tensor,
        mode: InterpolationMode,
        axes: [u32; 2],
        sizes: [u32; 2],
    ) -> Outcome<Tensor> {
        let op = ops::Resample2d { mode, axes, sizes: Some(sizes), ..ops::Resample2d::new() };
        self.push_one(op, &[x], x.elem())
    }

    pub(crate) fn batch_normalization(
        &mut self,
        x: &Tensor,
        [mean, variance, scale, bias]: [&Tensor; 4],
        axis: usize,
        epsilon: f64,
    ) -> Outcome<Tensor> {
        let op = ops::BatchNormalization { axis: axis as u32, epsilon };
        self.push_one(op, &[x, mean, variance, scale, bias], x.elem())
    }

    /// Over rows and columns of each channel; four dimensions, channels second.
    pub(crate) fn instance_normalization(
        &mut self,
        x: &Tensor,
        scale: Option<&Tensor>,
        bias: Option<&Tensor>,
        epsilon: f64,
    ) -> Outcome<Tensor> {
        let op = ops::InstanceNormalization { epsilon, ..ops::InstanceNormalization::new() };
        Ok(self.push(op, &[Some(x), scale, bias], x.elem())?.remove(0))
    }

    pub(crate) fn layer_normalization(
        &mut self,
        x: &Tensor,
        scale: Option<&Tensor>,
        bias: Option<&Tensor>,
        axes: &[usize],
        epsilon: f64,
    ) -> Outcome<Tensor> {
        if x.is_empty() {
            return Ok(x.clone());
        }
        let axes = Some(axes.iter().map(|&axis| axis as u32).collect());
        let op = ops::LayerNormalization { axes, epsilon };
        Ok(self.push(op, &[Some(x), scale, bias], x.elem())?.remove(0))
    }

    /// The last hidden state, the last cell state, and every step's hidden state.
    pub(crate) fn lstm(
        &mut self,
        operands: &[Option<&Tensor>],
        op: ops::Lstm,
    ) -> Outcome<Vec<Tensor>> {
        let elem = operands.first().copied().flatten().map_or(ElemType::Float32, Tensor::elem);
        self.push(op, operands, elem)
    }

    /// The last hidden state and every step's.
    pub(crate) fn gru(
        &mut self,
        operands: &[Option<&Tensor>],
        op: ops::Gru,
    ) -> Outcome<Vec<Tensor>> {
        let elem = operands.first().copied().flatten().map_or(ElemType::Float32, Tensor::elem);
        self.push(op, operands, elem)
    }

    /// `saturate(round(x / scale) + zero point)`; scale and zero point have x's rank.
    pub(crate) fn quantize_linear(
        &mut self,
        x: &Tensor,
        scale: &Tensor,
        zero_point: &Tensor,
    ) -> Outcome<Tensor> {
        if x.is_empty() {
            return Ok(Array::empty(zero_point.elem(), x.dims()).into());
        }
        self.push_one(ops::QuantizeLinear {}, &[x, scale, zero_point], zero_point.elem())
    }

    /// `(x − zero point) · scale`; scale and zero point have x's rank.
    pub(crate) fn dequantize_linear(
        &mut self,
        x: &Tensor,
        scale: &Tensor,
        zero_point: &Tensor,
    ) -> Outcome<Tensor> {
        if x.is_empty() {
            return Ok(Array::empty(scale.elem(), x.dims()).into());
        }
        // 4-bit weights stay packed where both come from the file, or where no zero point does.
        let is_packed = |operand: &Operand| DataTypes::NIBBLES.contains(operand.data_type());
        let packed = match x.as_operand().filter(is_packed) {
            Some(operand) => Some(operand),
            None => self.nibbles(x)?,
        };
        let packed = match packed {
            Some(weights) => {
                self.nibble_zero_point(x, zero_point)?.map(|zero_point| (weights, zero_point))
            }
            None => None,
        };
        let (weights, zero_point) = match packed {
            Some(pair) => pair,
            None => (self.operand(x)?, self.operand(zero_point)?),
        };
        let scale_operand = self.operand(scale)?;
        let operands = [weights, scale_operand, zero_point];
        let result = self.builder.push_one(ops::DequantizeLinear {}, &operands, &self.label)?;
        Ok(Tensor::operand(scale.elem(), result))
    }

    /// A known zero point of 4-bit weights in WebNN's own 4-bit type.
    fn nibble_zero_point(&mut self, x: &Tensor, zero_point: &Tensor) -> Outcome<Option<Operand>> {
        if let Some(operand) = self.nibbles(zero_point)? {
            return Ok(Some(operand));
        }
        let Some(array) = zero_point.array() else { return Ok(None) };
        let values = array.to_ints();
        let pack = |pair: &[i128]| {
            let code = |i: usize| pair.get(i).map_or(0, |&value| (value & 0xf) as u8);
            code(0) | (code(1) << 4)
        };
        let bytes: Vec<u8> = values.chunks(2).map(pack).collect();
        let is_signed = x.elem() == ElemType::Int4;
        let data_type = if is_signed { DataType::Int4 } else { DataType::Uint4 };
        Ok(Some(self.nibble_constant(data_type, zero_point.dims(), bytes)?))
    }
}
