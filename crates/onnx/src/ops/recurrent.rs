//! Recurrent networks: WebNN's own where they say the same, else step by step.

use webnn_core::ops;
use webnn_core::ops::lstm::{Activation, Direction};

use crate::cx::{Cx, all};
use crate::elem::ElemType;
use crate::emit::Emit;
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::tensor::{Tensor, size_of};

/// Which network.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Rnn,
    Gru,
    Lstm,
}

impl Kind {
    /// The number of gates.
    fn gates(self) -> u32 {
        match self {
            Kind::Rnn => 1,
            Kind::Gru => 3,
            Kind::Lstm => 4,
        }
    }

    /// The default activations of one direction.
    fn activations(self) -> &'static [&'static str] {
        match self {
            Kind::Rnn => &["Tanh"],
            Kind::Gru => &["Sigmoid", "Tanh"],
            Kind::Lstm => &["Sigmoid", "Tanh", "Tanh"],
        }
    }
}

/// An activation with its parameters.
#[derive(Clone, Debug, PartialEq)]
struct Function {
    name: String,
    alpha: Option<f64>,
    beta: Option<f64>,
}

impl Function {
    fn apply(&self, g: &mut Emit<'_>, x: &Tensor) -> Outcome<Tensor> {
        let alpha = |default: f64| self.alpha.unwrap_or(default);
        let beta = |default: f64| self.beta.unwrap_or(default);
        match self.name.as_str() {
            "relu" => g.relu(x),
            "tanh" => g.tanh(x),
            "sigmoid" => g.sigmoid(x),
            "affine" => g.linear(x, alpha(1.0), beta(0.0)),
            "leakyrelu" => g.leaky_relu(x, alpha(0.01)),
            "thresholdedrelu" => {
                let (bound, zero) = (g.scalar(x.elem(), alpha(1.0)), g.scalar(x.elem(), 0.0));
                let above = g.greater(x, &bound)?;
                g.select(&above, x, &zero)
            }
            "scaledtanh" => {
                let inner = g.linear(x, beta(1.0), 0.0)?;
                let y = g.tanh(&inner)?;
                g.linear(&y, alpha(1.0), 0.0)
            }
            "hardsigmoid" => g.hard_sigmoid(x, alpha(0.2), beta(0.5)),
            "elu" => g.elu(x, alpha(1.0)),
            "softsign" => g.softsign(x),
            "softplus" => g.softplus(x),
            other => fault!(Invalid, "there is no activation {other:?}"),
        }
    }

    fn webnn(&self) -> Option<Activation> {
        match self.name.as_str() {
            "relu" => Some(Activation::Relu),
            "sigmoid" => Some(Activation::Sigmoid),
            "tanh" => Some(Activation::Tanh),
            _other => None,
        }
    }
}

/// A node's inputs and attributes, time first.
struct Network {
    kind: Kind,
    x: Tensor,
    w: Tensor,
    r: Tensor,
    /// Of the input and of the recurrence.
    bias: Option<[Tensor; 2]>,
    lengths: Option<Tensor>,
    hidden: Option<Tensor>,
    cell: Option<Tensor>,
    peephole: Option<Tensor>,
    /// The activations of one direction after the other.
    functions: Vec<Vec<Function>>,
    /// Whether each direction runs backwards.
    backward: Vec<bool>,
    size: u32,
    clip: Option<f64>,
    input_forget: bool,
    reset_after: bool,
}

pub(crate) fn recurrent(cx: &mut Cx<'_, '_, '_>, kind: Kind) -> Outcome<Vec<Value>> {
    let batch_first = cx.int_or("layout", 0) == 1;
    let network = read(cx, kind, batch_first)?;
    let limit = cx.walk.model.options.max_rounds;
    let g = &mut *cx.g;
    let (y, hidden, cell) = match direct(g, &network)? {
        Some(results) => results,
        None => {
            let steps = u64::from(network.x.dims()[0]);
            if steps > limit {
                fault!(Limit, "{steps} steps one by one, expected at most {limit}");
            }
            stepwise(g, &network)?
        }
    };
    let (y, hidden, cell) = if batch_first {
        let flip = |g: &mut Emit<'_>, t: &Tensor| g.swap(t, 0, 1);
        let cell = cell.map(|cell| flip(g, &cell)).transpose()?;
        (g.transpose(&y, &[2, 0, 1, 3])?, flip(g, &hidden)?, cell)
    } else {
        (y, hidden, cell)
    };
    all([Some(y), Some(hidden), cell].into_iter().flatten().collect())
}

fn read(cx: &mut Cx<'_, '_, '_>, kind: Kind, batch_first: bool) -> Outcome<Network> {
    let (x, w, r) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    require!(
        x.rank() == 3 && w.rank() == 3 && r.rank() == 3,
        "{:?} with weights {:?} and {:?}",
        x.dims(),
        w.dims(),
        r.dims()
    );
    let size = r.dims()[2];
    let backward = match cx.text_or("direction", "forward").as_str() {
        "forward" => vec![false],
        "reverse" => vec![true],
        "bidirectional" => vec![false, true],
        other => fault!(Invalid, "direction is {other:?}"),
    };
    let (lengths, hidden, cell, peephole) = (cx.opt(4)?, cx.opt(5)?, cx.opt(6)?, cx.opt(7)?);
    let bias = cx.opt(3)?;
    let functions = functions(cx, kind, backward.len())?;
    let clip = cx.float("clip").filter(|&clip| clip > 0.0);
    let (input_forget, reset_after) =
        (cx.flag("input_forget", false), cx.flag("linear_before_reset", false));
    let g = &mut *cx.g;
    let time_first = |g: &mut Emit<'_>, t: Option<Tensor>| match t {
        Some(t) if batch_first && t.rank() == 3 => g.swap(&t, 0, 1).map(Some),
        other => Ok(other),
    };
    let x = if batch_first { g.swap(&x, 0, 1)? } else { x };
    let hidden = time_first(g, hidden)?;
    let cell = time_first(g, cell)?;
    let gates = kind.gates() * size;
    require!(
        w.dims()[1] == gates && r.dims()[1] == gates && w.dims()[0] as usize == backward.len(),
        "weights {:?} and {:?}, expected {} directions of {gates} rows",
        w.dims(),
        r.dims(),
        backward.len()
    );
    let bias = match bias {
        Some(bias) => {
            let parts = g.split(&bias, 1, &[gates, gates])?;
            let [own, recurrent] = &parts[..] else { fault!(Invalid, "the bias has no halves") };
            Some([own.clone(), recurrent.clone()])
        }
        None => None,
    };
    let is_lstm = kind == Kind::Lstm;
    // Sequences that are all as long as the input are none that end early.
    let steps = i128::from(x.dims()[0]);
    let whole = |t: &Tensor| t.array().is_some_and(|a| a.to_ints().iter().all(|&n| n >= steps));
    Ok(Network {
        kind,
        w,
        r,
        bias,
        lengths: lengths.filter(|lengths| !whole(lengths)),
        hidden,
        cell: cell.filter(|_| is_lstm),
        peephole: peephole.filter(|_| is_lstm),
        functions,
        backward,
        size,
        clip,
        input_forget,
        reset_after,
        x,
    })
}

fn functions(cx: &Cx<'_, '_, '_>, kind: Kind, directions: usize) -> Outcome<Vec<Vec<Function>>> {
    let count = kind.activations().len();
    let default = || {
        (0..directions).flat_map(|_| kind.activations()).map(|name| (*name).to_owned()).collect()
    };
    let names: Vec<String> =
        cx.texts("activations").filter(|list| !list.is_empty()).unwrap_or_else(default);
    require!(
        names.len() == count * directions,
        "{} activations, expected {}",
        names.len(),
        count * directions
    );
    let mut alphas = cx.float_list("activation_alpha").unwrap_or_default().into_iter();
    let mut betas = cx.float_list("activation_beta").unwrap_or_default().into_iter();
    let mut list = names.into_iter().map(|name| {
        let name = name.to_lowercase();
        // The parameters are listed for those activations only that have one.
        let takes_alpha = matches!(
            name.as_str(),
            "affine" | "leakyrelu" | "thresholdedrelu" | "scaledtanh" | "hardsigmoid" | "elu"
        );
        let takes_beta = matches!(name.as_str(), "affine" | "scaledtanh" | "hardsigmoid");
        Function {
            alpha: if takes_alpha { alphas.next() } else { None },
            beta: if takes_beta { betas.next() } else { None },
            name,
        }
    });
    Ok((0..directions).map(|_| list.by_ref().take(count).collect()).collect())
}

type Results = (Tensor, Tensor, Option<Tensor>);

/// The network as one operation, where WebNN has it.
fn direct(g: &mut Emit<'_>, n: &Network) -> Outcome<Option<Results>> {
    let activations: Option<Vec<Activation>> = n.functions[0].iter().map(Function::webnn).collect();
    let plain = n.clip.is_none()
        && n.lengths.is_none()
        && !n.input_forget
        && n.peephole.is_none()
        && n.functions.iter().all(|list| *list == n.functions[0])
        && !n.x.is_empty();
    let Some(activations) = activations.filter(|_| plain) else { return Ok(None) };
    let direction = match n.backward.as_slice() {
        [false] => Direction::Forward,
        [true] => Direction::Backward,
        _both => Direction::Both,
    };
    let steps = n.x.dims()[0];
    let [own, recurrent] = match &n.bias {
        Some([own, recurrent]) => [Some(own), Some(recurrent)],
        None => [None, None],
    };
    let hidden = n.hidden.as_ref();
    match n.kind {
        Kind::Rnn => Ok(None),
        Kind::Gru => {
            let op = ops::Gru {
                reset_after: n.reset_after,
                return_sequence: true,
                direction,
                activations: Some(activations),
                ..ops::Gru::new(steps, n.size)
            };
            let operands = [Some(&n.x), Some(&n.w), Some(&n.r), own, recurrent, hidden];
            let results = g.gru(&operands, op)?;
            let [last, every] = &results[..] else { fault!(Invalid, "gru has two results") };
            Ok(Some((every.clone(), last.clone(), None)))
        }
        Kind::Lstm => {
            let op = ops::Lstm {
                return_sequence: true,
                direction,
                activations: Some(activations),
                ..ops::Lstm::new(steps, n.size)
            };
            let cell = n.cell.as_ref();
            let operands = [Some(&n.x), Some(&n.w), Some(&n.r), own, recurrent, None, hidden, cell];
            let results = g.lstm(&operands, op)?;
            let [last, cell, every] = &results[..] else {
                fault!(Invalid, "lstm has three results")
            };
            Ok(Some((every.clone(), last.clone(), Some(cell.clone()))))
        }
    }
}

fn stepwise(g: &mut Emit<'_>, n: &Network) -> Outcome<Results> {
    let (mut every, mut hiddens, mut cells) = (Vec::new(), Vec::new(), Vec::new());
    for direction in 0..n.backward.len() {
        let (y, hidden, cell) = one_direction(g, n, direction as u32)?;
        every.push(y);
        hiddens.push(hidden);
        cells.extend(cell);
    }
    let cell = if cells.is_empty() { None } else { Some(g.concat(&cells, 0)?) };
    Ok((g.concat(&every, 1)?, g.concat(&hiddens, 0)?, cell))
}

/// One direction's part of a tensor, that dimension dropped.
fn part(g: &mut Emit<'_>, t: &Tensor, direction: u32) -> Outcome<Tensor> {
    let one = g.narrow(t, 0, direction, 1)?;
    let dims = one.dims()[1..].to_vec();
    g.reshape(&one, &dims)
}

/// What a step of one direction needs, weights turned to be multiplied from the right.
struct Step<'n> {
    n: &'n Network,
    functions: &'n [Function],
    r: Tensor,
    recurrent_bias: Option<Tensor>,
    peephole: Option<Vec<Tensor>>,
}

fn one_direction(g: &mut Emit<'_>, n: &Network, direction: u32) -> Outcome<Results> {
    let (steps, batch) = (n.x.dims()[0], n.x.dims()[1]);
    let w = part(g, &n.w, direction)?;
    let w = g.swap(&w, 0, 1)?;
    let r = part(g, &n.r, direction)?;
    let r = g.swap(&r, 0, 1)?;
    // All steps' products with the input at once.
    let flat = g.reshape(&n.x, &[steps * batch, n.x.dims()[2]])?;
    let mut inputs = g.matmul(&flat, &w)?;
    let mut recurrent_bias = None;
    if let Some([own, recurrent]) = &n.bias {
        let own = part(g, own, direction)?;
        inputs = g.add(&inputs, &own)?;
        recurrent_bias = Some(part(g, recurrent, direction)?);
    }
    let inputs = g.reshape(&inputs, &[steps, batch, n.kind.gates() * n.size])?;
    let state = |g: &mut Emit<'_>, given: &Option<Tensor>| match given {
        Some(given) => part(g, given, direction),
        None => g.filled(n.x.elem(), &[batch, n.size], 0.0),
    };
    let (mut hidden, mut cell) = (state(g, &n.hidden)?, state(g, &n.cell)?);
    let peephole = match &n.peephole {
        Some(peephole) => {
            let own = part(g, peephole, direction)?;
            Some(g.split(&own, 0, &[n.size; 3])?)
        }
        None => None,
    };
    let step = Step { n, functions: &n.functions[direction as usize], r, recurrent_bias, peephole };
    let zero = g.scalar(n.x.elem(), 0.0);
    let lengths = match &n.lengths {
        Some(lengths) => {
            let lengths = g.cast(lengths, ElemType::Int32)?;
            Some(g.reshape(&lengths, &[batch, 1])?)
        }
        None => None,
    };
    let mut outputs = Vec::new();
    let order: Vec<u32> = if n.backward[direction as usize] {
        (0..steps).rev().collect()
    } else {
        (0..steps).collect()
    };
    for t in order {
        let input = part(g, &inputs, t)?;
        let (new_hidden, new_cell) = step.run(g, &input, &hidden, &cell)?;
        let mut output = new_hidden.clone();
        match &lengths {
            // Behind its end a sequence keeps its state and gives zeros.
            Some(lengths) => {
                let now = g.scalar(ElemType::Int32, f64::from(t));
                let alive = g.greater(lengths, &now)?;
                hidden = g.select(&alive, &new_hidden, &hidden)?;
                cell = g.select(&alive, &new_cell, &cell)?;
                output = g.select(&alive, &output, &zero)?;
            }
            None => (hidden, cell) = (new_hidden, new_cell),
        }
        outputs.push(g.reshape(&output, &[1, 1, batch, n.size])?);
    }
    if n.backward[direction as usize] {
        outputs.reverse();
    }
    let every = g.concat(&outputs, 0)?;
    let state = |g: &mut Emit<'_>, t: &Tensor| g.reshape(t, &[1, batch, n.size]);
    let cell = if n.kind == Kind::Lstm { Some(state(g, &cell)?) } else { None };
    Ok((every, state(g, &hidden)?, cell))
}

impl Step<'_> {
    /// The next hidden and cell state.
    fn run(
        &self,
        g: &mut Emit<'_>,
        input: &Tensor,
        hidden: &Tensor,
        cell: &Tensor,
    ) -> Outcome<(Tensor, Tensor)> {
        match self.n.kind {
            Kind::Rnn => {
                let sum = self.gates(g, input, hidden)?;
                Ok((self.activated(g, 0, &sum)?, cell.clone()))
            }
            Kind::Gru => Ok((self.gru(g, input, hidden)?, cell.clone())),
            Kind::Lstm => self.lstm(g, input, hidden, cell),
        }
    }

    /// Input, recurrence and bias of all gates.
    fn gates(&self, g: &mut Emit<'_>, input: &Tensor, hidden: &Tensor) -> Outcome<Tensor> {
        let product = g.matmul(hidden, &self.r)?;
        let sum = g.add(input, &product)?;
        match &self.recurrent_bias {
            Some(bias) => g.add(&sum, bias),
            None => Ok(sum),
        }
    }

    fn activated(&self, g: &mut Emit<'_>, function: usize, x: &Tensor) -> Outcome<Tensor> {
        let x = match self.n.clip {
            Some(clip) => g.clamp(x, Some(-clip), Some(clip))?,
            None => x.clone(),
        };
        self.functions[function].apply(g, &x)
    }

    fn gru(&self, g: &mut Emit<'_>, input: &Tensor, hidden: &Tensor) -> Outcome<Tensor> {
        let size = self.n.size;
        let columns = |g: &mut Emit<'_>, t: &Tensor| g.split(t, t.rank() - 1, &[size; 3]);
        let (x, r) = (columns(g, input)?, columns(g, &self.r)?);
        let b = match &self.recurrent_bias {
            Some(bias) => Some(columns(g, bias)?),
            None => None,
        };
        let recur = |g: &mut Emit<'_>, state: &Tensor, gate: usize| {
            let product = g.matmul(state, &r[gate])?;
            match &b {
                Some(b) => g.add(&product, &b[gate]),
                None => Ok(product),
            }
        };
        let update = recur(g, hidden, 0)?;
        let update = g.add(&x[0], &update)?;
        let update = self.activated(g, 0, &update)?;
        let reset = recur(g, hidden, 1)?;
        let reset = g.add(&x[1], &reset)?;
        let reset = self.activated(g, 0, &reset)?;
        let past = if self.n.reset_after {
            let past = recur(g, hidden, 2)?;
            g.mul(&reset, &past)?
        } else {
            let left = g.mul(&reset, hidden)?;
            recur(g, &left, 2)?
        };
        let new = g.add(&x[2], &past)?;
        let new = self.activated(g, 1, &new)?;
        let rest = g.linear(&update, -1.0, 1.0)?;
        let (kept, new) = (g.mul(&update, hidden)?, g.mul(&rest, &new)?);
        g.add(&new, &kept)
    }

    fn lstm(
        &self,
        g: &mut Emit<'_>,
        input: &Tensor,
        hidden: &Tensor,
        cell: &Tensor,
    ) -> Outcome<(Tensor, Tensor)> {
        let sum = self.gates(g, input, hidden)?;
        let gates = g.split(&sum, 1, &[self.n.size; 4])?;
        // Peepholes are packed input, output, forget; the output's sees the new state.
        let look =
            |g: &mut Emit<'_>, gate: &Tensor, state: &Tensor, which: usize| match &self.peephole {
                Some(peephole) => {
                    let seen = g.mul(&peephole[which], state)?;
                    g.add(gate, &seen)
                }
                None => Ok(gate.clone()),
            };
        let i = look(g, &gates[0], cell, 0)?;
        let i = self.activated(g, 0, &i)?;
        let f = if self.n.input_forget {
            g.linear(&i, -1.0, 1.0)?
        } else {
            let f = look(g, &gates[2], cell, 2)?;
            self.activated(g, 0, &f)?
        };
        let new = self.activated(g, 1, &gates[3])?;
        let (kept, new) = (g.mul(&f, cell)?, g.mul(&i, &new)?);
        let cell = g.add(&kept, &new)?;
        let o = look(g, &gates[1], &cell, 1)?;
        let o = self.activated(g, 0, &o)?;
        // The state itself is not clipped.
        let shown = self.functions[2].apply(g, &cell)?;
        Ok((g.mul(&o, &shown)?, cell))
    }
}

/// A convolution along the last dimension that sees the past alone, and the past that it leaves.
pub(crate) fn causal_conv(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, filter, bias, past) = (cx.x(0)?, cx.x(1)?, cx.opt(2)?, cx.opt(3)?);
    require!(
        x.rank() == 3 && filter.rank() == 3 && filter.dims()[2] > 0,
        "a filter of {:?} for {:?}",
        filter.dims(),
        x.dims()
    );
    let activation = cx.text_or("activation", "none");
    let (batch, channels, kernel) = (x.dims()[0], x.dims()[1], filter.dims()[2]);
    let g = &mut *cx.g;
    let past = match past {
        Some(past) => past,
        None => g.filled(x.elem(), &[batch, channels, kernel - 1], 0.0)?,
    };
    let whole = g.concat(&[past, x.clone()], 2)?;
    let dims = [batch, channels, 1, whole.dims()[2]];
    let image = g.reshape(&whole, &dims)?;
    let taps = g.reshape(&filter, &[filter.dims()[0], filter.dims()[1], 1, kernel])?;
    let groups = channels.checked_div(filter.dims()[1]).unwrap_or(1);
    let op = ops::Conv2d { groups, ..ops::Conv2d::new() };
    let y = g.conv2d(&image, &taps, bias.as_ref(), op)?;
    let dims = [y.dim(0), y.dim(1), y.dim(3)];
    let y = g.reshape(&y, &dims)?;
    let y = match activation.as_str() {
        "none" | "" => y,
        "silu" | "swish" => super::activation::swish(g, &y, 1.0)?,
        other => fault!(Invalid, "activation is {other:?}"),
    };
    let start = size_of((i64::from(whole.dims()[2]) - i64::from(kernel) + 1).into())?;
    let present = g.narrow(&whole, 2, start, kernel - 1)?;
    all(vec![y, present])
}
