//! ONNX Runtime's `MatMulNBits` against what its documentation says.

use std::error::Error;

use webnn::{ContextOptions, Ml};
use webnn_conformance::run::compute;
use webnn_core::reference::Tensor;
use webnn_core::{DataType, Desc, GraphBuilder};
use webnn_onnx::wire::*;
use webnn_onnx::{Model, Options};

const FLOAT: i32 = 1;
const UINT8: i32 = 2;
const INT32: i32 = 6;

/// Rows of the weights, their elements, and the elements of a group.
const ROWS: usize = 21;
const DEPTH: usize = 96;
const BLOCK: usize = 16;
const GROUPS: usize = DEPTH / BLOCK;

/// Numbers without a pattern, below 256.
fn bytes(count: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..count).map(|_| next()).collect()
}

fn constant(name: &str, elem: i32, raw: Vec<u8>) -> TensorProto {
    let size = if elem == UINT8 { 1 } else { 4 };
    TensorProto {
        name: Some(name.into()),
        dims: vec![(raw.len() / size) as i64],
        data_type: Some(elem),
        raw_data: Some(raw.into()),
        ..TensorProto::default()
    }
}

fn port(name: &str, dims: [usize; 2]) -> ValueInfoProto {
    let size = |size: usize| DimensionProto { value: Some(DimensionValue::Size(size as i64)) };
    let shape = TensorShapeProto { dim: dims.map(size).into() };
    let tensor = TensorTypeProto { elem_type: Some(FLOAT), shape: Some(shape) };
    ValueInfoProto {
        name: Some(name.into()),
        r#type: Some(TypeProto { value: Some(TypeValue::Tensor(tensor)) }),
    }
}

/// A node's zero points: packed like the weights, floats, or the middle of the range.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Zeros {
    Middle,
    Packed,
    Floats,
}

fn check(rows: usize, bits: usize, zeros: Zeros, groups: Option<&[usize]>) {
    let name = format!("{rows} rows by weights of {bits} bits, zeros {zeros:?}, groups {groups:?}");
    let per_byte = 8 / bits;
    let field = |bytes: &[u8], i: usize| {
        f64::from(bytes[i / per_byte] >> (i % per_byte * bits) & ((1u16 << bits) - 1) as u8)
    };
    let weights = bytes(ROWS * DEPTH / per_byte, 1);
    let scales: Vec<f32> =
        bytes(ROWS * GROUPS, 2).iter().map(|&x| 0.5 + f32::from(x) / 256.0).collect();
    let row_bytes = GROUPS.div_ceil(per_byte);
    let packed = bytes(ROWS * row_bytes, 3);
    let floats: Vec<f32> = bytes(ROWS * GROUPS, 4).iter().map(|&x| f32::from(x) / 30.0).collect();
    let raw = |x: &[f32]| x.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();

    let mut constants =
        vec![constant("w", UINT8, weights.clone()), constant("s", FLOAT, raw(&scales))];
    let mut inputs = vec!["x", "w", "s", "", ""];
    match zeros {
        Zeros::Middle => {}
        Zeros::Packed => constants.push(constant("z", UINT8, packed.clone())),
        Zeros::Floats => constants.push(constant("z", FLOAT, raw(&floats))),
    }
    if zeros != Zeros::Middle {
        inputs[3] = "z";
    }
    if let Some(groups) = groups {
        let raw = groups.iter().flat_map(|&group| (group as i32).to_le_bytes()).collect();
        constants.push(constant("g", INT32, raw));
        inputs[4] = "g";
    }
    let attribute = |name: &str, value: usize| AttributeProto {
        name: Some(name.into()),
        i: Some(value as i64),
        ..AttributeProto::default()
    };
    let node = NodeProto {
        op_type: Some("MatMulNBits".into()),
        domain: Some("com.microsoft".into()),
        input: inputs.into_iter().map(Into::into).collect(),
        output: vec!["y".into()],
        attribute: vec![
            attribute("K", DEPTH),
            attribute("N", ROWS),
            attribute("bits", bits),
            attribute("block_size", BLOCK),
        ],
        ..NodeProto::default()
    };
    let set = |domain: &str, version| OperatorSetIdProto {
        domain: Some(domain.into()),
        version: Some(version),
    };
    let proto = ModelProto {
        ir_version: Some(9),
        opset_import: vec![set("", 18), set("com.microsoft", 1)],
        graph: Some(GraphProto {
            node: vec![node],
            initializer: constants,
            input: vec![port("x", [rows, DEPTH])],
            output: vec![port("y", [rows, ROWS])],
            ..GraphProto::default()
        }),
        ..ModelProto::default()
    };
    let x: Vec<f64> = bytes(rows * DEPTH, 5).iter().map(|&x| f64::from(x) / 64.0 - 2.0).collect();
    let desc = Desc::new(DataType::Float32, [rows as u32, DEPTH as u32].into_iter().collect());
    let y = run(proto, &Tensor::float(desc, x.clone()))
        .unwrap_or_else(|error| panic!("{name}: {error}"));

    for i in 0..rows {
        for j in 0..ROWS {
            let (mut sum, mut size) = (0.0, 0.0);
            for k in 0..DEPTH {
                let group = groups.map_or(k / BLOCK, |groups| groups[k]);
                let zero = match zeros {
                    Zeros::Middle => f64::from(1 << (bits - 1)),
                    Zeros::Packed => field(&packed[j * row_bytes..], group),
                    Zeros::Floats => f64::from(floats[j * GROUPS + group]),
                };
                let weight = field(&weights[j * DEPTH / per_byte..], k) - zero;
                let term = x[i * DEPTH + k] * weight * f64::from(scales[j * GROUPS + group]);
                sum += term;
                size += term.abs();
            }
            let error = (y[i * ROWS + j] - sum).abs();
            assert!(error <= 1e-6 * size, "{name}: {} at {i}, {j}, not {sum}", y[i * ROWS + j]);
        }
    }
}

/// The one output of a model.
fn run(proto: ModelProto, x: &Tensor) -> Result<Vec<f64>, Box<dyn Error>> {
    let context = Ml::new().create_context(&ContextOptions::default())?;
    let mut builder = GraphBuilder::new(context.op_support_limits().clone());
    let outputs = Model::from_proto(proto, &Options::default())?.build(&mut builder)?;
    let outputs: Vec<_> = outputs.iter().map(|(name, operand)| (name.as_str(), *operand)).collect();
    let graph = context.compile(builder.build(&outputs)?)?;
    let results = compute(&context, &graph, &[("x", x)])?;
    Ok(results[0].1.floats().to_vec())
}

#[test]
fn weights_of_few_bits_match() {
    // Each group has its elements anywhere, or it has more or fewer of them than another.
    let spread: Vec<usize> = (0..DEPTH).map(|k| k * 5 % GROUPS).collect();
    let uneven: Vec<usize> = (0..DEPTH).map(|k| k * k % GROUPS).collect();
    let in_order: Vec<usize> = (0..DEPTH).map(|k| k / BLOCK).collect();
    for bits in [2, 4, 8] {
        for zeros in [Zeros::Middle, Zeros::Packed, Zeros::Floats] {
            for groups in [None, Some(&in_order), Some(&spread), Some(&uneven)] {
                check(1, bits, zeros, groups.map(Vec::as_slice));
                check(7, bits, zeros, groups.map(Vec::as_slice));
            }
        }
    }
}
