//! Operators defined apart must agree where mathematics says so: layouts, adjoints, sequences and
//! their steps. This is how definitions with many attributes are tested without second ones.

use std::fmt::Write;

use webnn_core::Graph;
use webnn_core::reference::{Tensor, run};

/// A graph as text, line by line.
struct Program {
    text: String,
}

impl Program {
    /// Inputs of the given shapes, by name.
    fn new(inputs: &[(&str, &str)]) -> Program {
        let mut text = String::new();
        for (name, shape) in inputs {
            writeln!(text, "%{name} = input {name:?} float32{shape}").expect("a string");
        }
        Program { text }
    }

    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// The values of the given names, computed from inputs of small whole numbers over `scale`.
    fn run(mut self, names: &[&str], scale: f64) -> Vec<Tensor> {
        for name in names {
            self.line(format!("output {name:?} = %{name}"));
        }
        let graph: Graph = self.text.parse().expect(&self.text);
        let mut state = 1u32;
        let inputs: Vec<Tensor> = graph
            .inputs()
            .iter()
            .map(|port| {
                let desc = graph.desc(port.value);
                let mut next = || {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (f64::from(state >> 28) - 7.0) / scale
                };
                Tensor::float(desc, (0..desc.elements()).map(|_| next()).collect())
            })
            .collect();
        run(&graph, &inputs).expect("the inputs are those of the graph")
    }
}

/// Fails unless the tensors are equal but for single-precision rounding between steps.
#[track_caller]
fn assert_close(actual: &Tensor, expected: &Tensor, what: &str) {
    assert_eq!(actual.desc.shape, expected.desc.shape, "{what}");
    for (i, (a, e)) in actual.floats().iter().zip(expected.floats()).enumerate() {
        assert!((a - e).abs() <= 1e-5 * e.abs().max(1.0), "{what}: element {i} is {a}, not {e}");
    }
}

fn dot(a: &Tensor, b: &Tensor) -> f64 {
    a.floats().iter().zip(b.floats()).map(|(a, b)| a * b).sum()
}

/// Options of convolutions that both kinds have, over images of 7 × 6 pixels.
const WINDOWS: [&str; 4] = [
    "padding: [0, 0, 0, 0]",
    "padding: [1, 0, 2, 1], strides: [2, 1]",
    "padding: [1, 2, 0, 1], strides: [2, 3], dilations: [2, 1]",
    "padding: [3, 3, 2, 2], strides: [1, 2], dilations: [3, 2]",
];

#[test]
fn a_convolution_is_the_same_in_every_layout() {
    for window in WINDOWS {
        for groups in [1, 2] {
            let filter = format!("[6, {}, 3, 2]", 4 / groups);
            let mut program = Program::new(&[("x", "[2, 4, 7, 6]"), ("w", &filter), ("b", "[6]")]);
            let options = format!("{window}, groups: {groups}");
            program.line(format!("%y = conv2d(%x, %w, bias: %b) {{ {options} }}"));
            program.line("%last = transpose(%x) { permutation: [0, 2, 3, 1] }");
            for (layout, permutation) in [
                ("oihw", "[0, 1, 2, 3]"),
                ("hwio", "[2, 3, 1, 0]"),
                ("ohwi", "[0, 2, 3, 1]"),
                ("ihwo", "[1, 2, 3, 0]"),
            ] {
                program
                    .line(format!("%w_{layout} = transpose(%w) {{ permutation: {permutation} }}"));
                program.line(format!(
                    "%y_{layout} = conv2d(%last, %w_{layout}, bias: %b) {{ {options}, \
                     inputLayout: \"nhwc\", filterLayout: \"{layout}\" }}"
                ));
                program.line(format!(
                    "%{layout} = transpose(%y_{layout}) {{ permutation: [0, 3, 1, 2] }}"
                ));
            }
            let results = program.run(&["y", "oihw", "hwio", "ohwi", "ihwo"], 1.0);
            for other in &results[1..] {
                assert_eq!(other, &results[0], "{options}");
            }
        }
    }
}

#[test]
fn a_transposed_convolution_is_the_same_in_every_layout() {
    for window in WINDOWS {
        for groups in [1, 2] {
            let mut program = Program::new(&[
                ("x", "[2, 4, 7, 6]"),
                ("w", "[4, 3, 3, 2]"),
                ("b", &format!("[{}]", 3 * groups)),
            ]);
            let options = format!("{window}, groups: {groups}");
            program.line(format!("%y = convTranspose2d(%x, %w, bias: %b) {{ {options} }}"));
            program.line("%last = transpose(%x) { permutation: [0, 2, 3, 1] }");
            for (layout, permutation) in
                [("iohw", "[0, 1, 2, 3]"), ("hwoi", "[2, 3, 1, 0]"), ("ohwi", "[1, 2, 3, 0]")]
            {
                program
                    .line(format!("%w_{layout} = transpose(%w) {{ permutation: {permutation} }}"));
                program.line(format!(
                    "%y_{layout} = convTranspose2d(%last, %w_{layout}, bias: %b) {{ {options}, \
                     inputLayout: \"nhwc\", filterLayout: \"{layout}\" }}"
                ));
                program.line(format!(
                    "%{layout} = transpose(%y_{layout}) {{ permutation: [0, 3, 1, 2] }}"
                ));
            }
            let results = program.run(&["y", "iohw", "hwoi", "ohwi"], 1.0);
            for other in &results[1..] {
                assert_eq!(other, &results[0], "{options}");
            }
        }
    }
}

/// ⟨conv(x), z⟩ = ⟨x, convT(z)⟩ with the same filter; whole numbers make both sides exact.
#[test]
fn a_transposed_convolution_is_the_adjoint_of_a_convolution() {
    for window in WINDOWS {
        for groups in [1, 2] {
            let filter = format!("[6, {}, 3, 2]", 4 / groups);
            let inputs = [("x", "[2, 4, 7, 6]"), ("w", filter.as_str())];
            let options = format!("{window}, groups: {groups}");
            let conv = format!("%y = conv2d(%x, %w) {{ {options} }}");
            let mut program = Program::new(&inputs);
            program.line(&conv);
            let shape = program.run(&["y"], 1.0)[0].desc.shape.to_string();
            let mut program = Program::new(&[inputs[0], inputs[1], ("z", &shape)]);
            program.line(&conv);
            program
                .line(format!("%t = convTranspose2d(%z, %w) {{ {options}, outputSizes: [7, 6] }}"));
            for name in ["x", "z"] {
                program.line(format!("%copy_{name} = identity(%{name})"));
            }
            let results = program.run(&["y", "copy_z", "copy_x", "t"], 1.0);
            let [y, z, x, t] = &results[..] else { panic!("four results") };
            assert_eq!(dot(y, z), dot(x, t), "{options}");
            assert_ne!(dot(y, z), 0.0, "{options}");
        }
    }
}

#[test]
fn pooling_is_the_same_in_both_layouts() {
    for name in ["averagePool2d", "l2Pool2d", "maxPool2d"] {
        for window in WINDOWS {
            let options =
                format!("windowDimensions: [3, 2], {window}, outputShapeRounding: \"ceil\"");
            let mut program = Program::new(&[("x", "[2, 3, 7, 6]")]);
            program.line(format!("%y = {name}(%x) {{ {options} }}"));
            program.line("%last = transpose(%x) { permutation: [0, 2, 3, 1] }");
            program.line(format!("%z = {name}(%last) {{ {options}, layout: \"nhwc\" }}"));
            program.line("%back = transpose(%z) { permutation: [0, 3, 1, 2] }");
            let results = program.run(&["y", "back"], 1.0);
            assert_eq!(results[0], results[1], "{name} {options}");
        }
    }
}

#[test]
fn normalisations_are_cases_of_each_other() {
    let mut program = Program::new(&[("x", "[2, 3, 4, 5]"), ("s", "[3]"), ("b", "[3]")]);
    program.line("%instance = instanceNormalization(%x, scale: %s, bias: %b)");
    program.line("%plain = layerNormalization(%x) { axes: [2, 3] }");
    program.line("%s4 = reshape(%s) { newShape: [3, 1, 1] }");
    program.line("%b4 = reshape(%b) { newShape: [3, 1, 1] }");
    program.line("%scaled = mul(%plain, %s4)");
    program.line("%layer = add(%scaled, %b4)");
    program.line("%one = slice(%x) { starts: [0, 0, 0, 0], sizes: [1, 3, 4, 5] }");
    program.line("%kept = reduceMean(%one) { axes: [0, 2, 3], keepDimensions: true }");
    program.line("%centred = sub(%one, %kept)");
    program.line("%squares = mul(%centred, %centred)");
    program.line("%mean = reduceMean(%one) { axes: [0, 2, 3] }");
    program.line("%variance = reduceMean(%squares) { axes: [0, 2, 3] }");
    program.line("%batch = batchNormalization(%one, %mean, %variance, scale: %s, bias: %b)");
    program.line("%first = slice(%instance) { starts: [0, 0, 0, 0], sizes: [1, 3, 4, 5] }");
    let results = program.run(&["instance", "layer", "batch", "first"], 4.0);
    assert_close(&results[0], &results[1], "instance and layer normalisation");
    assert_close(&results[2], &results[3], "batch and instance normalisation");
}

/// Lines that make `%name_p` of part `p` of two along the first dimension of each value.
fn directions(program: &mut Program, values: &[(&str, &str)]) {
    for (name, shape) in values {
        program.line(format!("%{name}_a, %{name}_b = split(%{name}) {{ splits: 2 }}"));
        for part in ["a", "b"] {
            program
                .line(format!("%{name}_{part}0 = reshape(%{name}_{part}) {{ newShape: {shape} }}"));
        }
    }
}

#[test]
fn an_lstm_is_its_steps() {
    for activations in ["", ", activations: [\"tanh\", \"relu\", \"sigmoid\"]"] {
        let mut program = Program::new(&[
            ("x", "[3, 2, 4]"),
            ("w", "[2, 8, 4]"),
            ("r", "[2, 8, 2]"),
            ("b", "[2, 8]"),
            ("q", "[2, 8]"),
            ("p", "[2, 6]"),
            ("h", "[2, 2, 2]"),
            ("c", "[2, 2, 2]"),
        ]);
        program.line(format!(
            "%hidden, %cell, %all = lstm(%x, %w, %r, bias: %b, recurrentBias: %q, \
             peepholeWeight: %p, initialHiddenState: %h, initialCellState: %c) {{ steps: 3, \
             hiddenSize: 2, returnSequence: true, direction: \"both\"{activations} }}"
        ));
        let parts = [
            ("w", "[8, 4]"),
            ("r", "[8, 2]"),
            ("b", "[8]"),
            ("q", "[8]"),
            ("p", "[6]"),
            ("h", "[2, 2]"),
            ("c", "[2, 2]"),
        ];
        directions(&mut program, &parts);
        program.line("%x0, %x1, %x2 = split(%x) { splits: 3 }");
        for step in 0..3 {
            program.line(format!("%s{step} = reshape(%x{step}) {{ newShape: [2, 4] }}"));
        }
        for (part, order) in [("a", [0, 1, 2]), ("b", [2, 1, 0])] {
            for (i, step) in order.into_iter().enumerate() {
                program.line(format!(
                    "%h_{part}{next}, %c_{part}{next} = lstmCell(%s{step}, %w_{part}0, %r_{part}0, \
                     %h_{part}{i}, %c_{part}{i}, bias: %b_{part}0, recurrentBias: %q_{part}0, \
                     peepholeWeight: %p_{part}0) {{ hiddenSize: 2{activations} }}",
                    next = i + 1
                ));
            }
        }
        for state in ["h", "c"] {
            program.line(format!("%{state}_flat = concat(%{state}_a3, %{state}_b3) {{ axis: 0 }}"));
            program
                .line(format!("%{state}_end = reshape(%{state}_flat) {{ newShape: [2, 2, 2] }}"));
        }
        program.line("%h_flat_all = concat(%h_a1, %h_b3, %h_a2, %h_b2, %h_a3, %h_b1) { axis: 0 }");
        program.line("%h_all = reshape(%h_flat_all) { newShape: [3, 2, 2, 2] }");
        let results = program.run(&["hidden", "h_end", "cell", "c_end", "all", "h_all"], 8.0);
        for pair in results.chunks(2) {
            assert_close(&pair[0], &pair[1], activations);
        }
    }
}

#[test]
fn a_gru_is_its_steps() {
    for options in
        ["", ", resetAfter: false", ", resetAfter: false, activations: [\"tanh\", \"relu\"]"]
    {
        let mut program = Program::new(&[
            ("x", "[3, 2, 4]"),
            ("w", "[2, 6, 4]"),
            ("r", "[2, 6, 2]"),
            ("b", "[2, 6]"),
            ("q", "[2, 6]"),
            ("h", "[2, 2, 2]"),
        ]);
        program.line(format!(
            "%hidden, %all = gru(%x, %w, %r, bias: %b, recurrentBias: %q, initialHiddenState: %h) \
             {{ steps: 3, hiddenSize: 2, returnSequence: true, direction: \"both\"{options} }}"
        ));
        let parts = [("w", "[6, 4]"), ("r", "[6, 2]"), ("b", "[6]"), ("q", "[6]"), ("h", "[2, 2]")];
        directions(&mut program, &parts);
        program.line("%x0, %x1, %x2 = split(%x) { splits: 3 }");
        for step in 0..3 {
            program.line(format!("%s{step} = reshape(%x{step}) {{ newShape: [2, 4] }}"));
        }
        for (part, order) in [("a", [0, 1, 2]), ("b", [2, 1, 0])] {
            for (i, step) in order.into_iter().enumerate() {
                program.line(format!(
                    "%h_{part}{next} = gruCell(%s{step}, %w_{part}0, %r_{part}0, %h_{part}{i}, \
                     bias: %b_{part}0, recurrentBias: %q_{part}0) {{ hiddenSize: 2{options} }}",
                    next = i + 1
                ));
            }
        }
        program.line("%flat = concat(%h_a3, %h_b3) { axis: 0 }");
        program.line("%end = reshape(%flat) { newShape: [2, 2, 2] }");
        program.line("%flat_all = concat(%h_a1, %h_b3, %h_a2, %h_b2, %h_a3, %h_b1) { axis: 0 }");
        program.line("%h_all = reshape(%flat_all) { newShape: [3, 2, 2, 2] }");
        let results = program.run(&["hidden", "end", "all", "h_all"], 8.0);
        for pair in results.chunks(2) {
            assert_close(&pair[0], &pair[1], options);
        }
    }
}

/// The formulas of one step, written with the elementary operators.
#[test]
fn cells_are_their_formulas() {
    let mut program = Program::new(&[
        ("x", "[2, 4]"),
        ("w", "[12, 4]"),
        ("r", "[12, 3]"),
        ("h", "[2, 3]"),
        ("c", "[2, 3]"),
        ("peep", "[9]"),
    ]);
    program.line("%p_i, %p_o, %p_f = split(%peep) { splits: 3 }");
    program.line("%xw = gemm(%x, %w) { bTranspose: true }");
    program.line("%sum = gemm(%h, %r, c: %xw) { bTranspose: true }");
    program.line("%i, %o, %f, %g = split(%sum) { splits: 4, axis: 1 }");
    for gate in ["i", "o", "f"] {
        program.line(format!("%peep_{gate} = mul(%p_{gate}, %c)"));
        program.line(format!("%sum_{gate} = add(%{gate}, %peep_{gate})"));
        program.line(format!("%act_{gate} = sigmoid(%sum_{gate})"));
    }
    program.line("%act_g = tanh(%g)");
    program.line("%kept = mul(%act_f, %c)");
    program.line("%taken = mul(%act_i, %act_g)");
    program.line("%cell = add(%kept, %taken)");
    program.line("%filtered = tanh(%cell)");
    program.line("%hidden = mul(%act_o, %filtered)");
    program.line(
        "%lstm_h, %lstm_c = lstmCell(%x, %w, %r, %h, %c, peepholeWeight: %peep) { hiddenSize: 3 }",
    );
    // The same with the gates in the other order.
    for weight in ["w", "r"] {
        program.line(format!(
            "%{weight}i, %{weight}o, %{weight}f, %{weight}g = split(%{weight}) {{ splits: 4 }}"
        ));
        program.line(format!(
            "%{weight}_ifgo = concat(%{weight}i, %{weight}f, %{weight}g, %{weight}o) {{ axis: 0 }}"
        ));
    }
    program.line(
        "%ifgo_h, %ifgo_c = lstmCell(%x, %w_ifgo, %r_ifgo, %h, %c, peepholeWeight: %peep) \
         { hiddenSize: 3, layout: \"ifgo\" }",
    );
    let names = ["hidden", "lstm_h", "ifgo_h", "cell", "lstm_c", "ifgo_c"];
    let results = program.run(&names, 8.0);
    for triple in results.chunks(3) {
        assert_close(&triple[1], &triple[0], "lstmCell");
        assert_eq!(triple[2], triple[1], "the order of the gates");
    }
}

#[test]
fn gru_cells_are_their_formulas() {
    let mut program = Program::new(&[
        ("x", "[2, 4]"),
        ("w", "[9, 4]"),
        ("r", "[9, 3]"),
        ("h", "[2, 3]"),
        ("b", "[9]"),
        ("q", "[9]"),
    ]);
    program.line("%xw = gemm(%x, %w, c: %b) { bTranspose: true }");
    program.line("%hr = gemm(%h, %r, c: %q) { bTranspose: true }");
    program.line("%xz, %xr, %xn = split(%xw) { splits: 3, axis: 1 }");
    program.line("%hz, %hr1, %hn = split(%hr) { splits: 3, axis: 1 }");
    for (gate, h) in [("z", "hz"), ("r", "hr1")] {
        program.line(format!("%sum_{gate} = add(%x{gate}, %{h})"));
        program.line(format!("%act_{gate} = sigmoid(%sum_{gate})"));
    }
    program.line("%rz1, %rr1, %rn1 = split(%r) { splits: 3 }");
    program.line("%qz1, %qr1, %qn1 = split(%q) { splits: 3 }");
    program.line("%after = mul(%act_r, %hn)");
    program.line("%reset = mul(%act_r, %h)");
    program.line("%before = gemm(%reset, %rn1, c: %qn1) { bTranspose: true }");
    program.line("%one = constant float32[] {1}");
    program.line("%rest = sub(%one, %act_z)");
    program.line("%kept = mul(%act_z, %h)");
    for when in ["after", "before"] {
        program.line(format!("%n_{when} = add(%xn, %{when})"));
        program.line(format!("%new_{when} = tanh(%n_{when})"));
        program.line(format!("%taken_{when} = mul(%rest, %new_{when})"));
        program.line(format!("%state_{when} = add(%kept, %taken_{when})"));
    }
    for value in ["w", "r", "b", "q"] {
        program
            .line(format!("%{value}_z, %{value}_r, %{value}_n = split(%{value}) {{ splits: 3 }}"));
        program.line(format!(
            "%{value}_rzn = concat(%{value}_r, %{value}_z, %{value}_n) {{ axis: 0 }}"
        ));
    }
    for (when, option) in [("after", "true"), ("before", "false")] {
        for (layout, suffix) in [("zrn", ""), ("rzn", "_rzn")] {
            program.line(format!(
                "%{layout}_{when} = gruCell(%x, %w{suffix}, %r{suffix}, %h, bias: %b{suffix}, \
                 recurrentBias: %q{suffix}) {{ hiddenSize: 3, resetAfter: {option}, layout: \
                 \"{layout}\" }}"
            ));
        }
    }
    let names =
        ["state_after", "zrn_after", "rzn_after", "state_before", "zrn_before", "rzn_before"];
    let results = program.run(&names, 8.0);
    for triple in results.chunks(3) {
        assert_close(&triple[1], &triple[0], "gruCell");
        assert_eq!(triple[2], triple[1], "the order of the gates");
    }
    assert_ne!(results[0], results[3], "when r applies matters");
}

#[test]
fn decompositions_of_the_specification_agree() {
    let mut program = Program::new(&[("x", "[3, 5]"), ("y", "[3, 5]")]);
    for (name, lines) in [
        (
            "softmax",
            "%e = exp(%x)\n%es = reduceSum(%e) { axes: [1], keepDimensions: true }\n%a_softmax = div(%e, %es)\n%b_softmax = softmax(%x) { axis: 1 }",
        ),
        (
            "logsumexp",
            "%se = reduceSum(%e) { axes: [1] }\n%a_logsumexp = log(%se)\n%b_logsumexp = reduceLogSumExp(%x) { axes: [1] }",
        ),
        (
            "softplus",
            "%one = constant float32[] {1}\n%e1 = add(%e, %one)\n%a_softplus = log(%e1)\n%b_softplus = softplus(%x)",
        ),
        ("sigmoid", "%d1 = div(%e, %e1)\n%a_sigmoid = identity(%d1)\n%b_sigmoid = sigmoid(%x)"),
        (
            "l2",
            "%xx = mul(%x, %x)\n%sxx = reduceSum(%xx) { axes: [0] }\n%a_l2 = sqrt(%sxx)\n%b_l2 = reduceL2(%x) { axes: [0] }",
        ),
        (
            "gelu",
            "%k = constant float32[] {0.70710677}\n%xk = mul(%x, %k)\n%er = erf(%xk)\n%er1 = add(%er, %one)\n%half = linear(%x) { alpha: 0.5 }\n%a_gelu = mul(%half, %er1)\n%b_gelu = gelu(%x)",
        ),
        (
            "hardswish",
            "%hs = hardSigmoid(%x) { alpha: 0.16666667, beta: 0.5 }\n%a_hardswish = mul(%x, %hs)\n%b_hardswish = hardSwish(%x)",
        ),
        (
            "prelu",
            "%no = constant float32[] {0}\n%neg = lesser(%x, %no)\n%xy = mul(%x, %y)\n%a_prelu = where(%neg, %xy, %x)\n%b_prelu = prelu(%x, %y)",
        ),
        (
            "gemm",
            "%yt = transpose(%y)\n%mm = matmul(%x, %yt)\n%a_gemm = linear(%mm) { alpha: 0.25 }\n%b_gemm = gemm(%x, %y) { alpha: 0.25, bTranspose: true }",
        ),
        (
            "running",
            "%u = constant float32[5, 5] splat 1\n%tri = triangular(%u)\n%a_running = matmul(%x, %tri)\n%b_running = cumulativeSum(%x) { axis: 1 }",
        ),
        (
            "reversed",
            "%lower = triangular(%u) { upper: false, diagonal: -1 }\n%a_reversed = matmul(%x, %lower)\n%b_reversed = cumulativeSum(%x) { axis: 1, exclusive: true, reversed: true }",
        ),
        ("tan", "%sx = sin(%x)\n%cx = cos(%x)\n%a_tan = div(%sx, %cx)\n%b_tan = tan(%x)"),
    ] {
        program.line(lines);
        program.line(format!("output \"{name} a\" = %a_{name}\noutput \"{name} b\" = %b_{name}"));
    }
    let results = program.run(&[], 4.0);
    assert_eq!(results.len(), 24);
    for (i, pair) in results.chunks(2).enumerate() {
        assert_close(&pair[0], &pair[1], &format!("pair {i}"));
    }
}
