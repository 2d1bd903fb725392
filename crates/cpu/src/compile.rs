//! From a graph to a program: optimise, group, lower each group, place the values.

use std::collections::{HashMap, HashSet};

use webnn_core::{Bytes, Desc, Error, ErrorKind, Graph, Node, NodeId, Op, Result, ValueId};
use webnn_kernels::buffer::Buffer;
use webnn_passes::{Group, Pattern, Patterns, Rules, group, optimize, widen};

use crate::Engine;
use crate::alias::{Aliased, aliased, size_of};
use crate::chains;
use crate::cost::{flops, reads_a_part};
use crate::factors;
use crate::io::Places;
use crate::kernel::{Built, Cx, Kernel};
use crate::layout::{Layout, Site, Touched, place_values};
use crate::ops::{self, attention, chain, concat, copy, quantized};
use crate::program::{Arithmetic, Constant, Parts, Port, Program, Stats, Step, StepInfo};
use crate::rewrite;

/// What the engine likes, without constants being evaluated.
const RULES: Rules<'static> = Rules {
    evaluate: &|_, _, _| Err(Error::new(ErrorKind::Operation, "nothing is evaluated here")),
    channels_last: true,
    single_for_half: true,
    patterns: Patterns {
        pointwise: true,
        matrix: true,
        attention: true,
        weight_only: true,
        quantized: true,
        ..Patterns::NONE
    },
};

/// Compiles a graph after the passes have improved it.
pub(crate) fn compile(engine: &Engine, graph: Graph) -> Result<Program> {
    let evaluator = engine.clone();
    let evaluate = move |node: &Node, results: &[Desc], operands: &[Option<(Desc, &Bytes)>]| {
        evaluator.evaluate(node, results, operands)
    };
    let rules = Rules { evaluate: &evaluate, ..RULES };
    let graph = optimize(graph.with_options_cast(), &rules)?;
    let graph = rewrite::rewrite(&graph)?.unwrap_or(graph);
    let groups = group(&graph, &rules);
    Compiler::new(engine, &graph).compile(&groups)
}

/// Compiles a graph node by node, without improving it.
pub(crate) fn compile_as_is(engine: &Engine, graph: Graph) -> Result<Program> {
    let graph = widen(graph, &RULES)?;
    let rewritten = rewrite::rewrite(&graph)?;
    let graph = rewritten.as_ref().unwrap_or(&graph);
    let single = |i: usize| Group { pattern: Pattern::Single, nodes: vec![NodeId(i as u32)] };
    let groups: Vec<Group> = (0..graph.nodes().len()).map(single).collect();
    Compiler::new(engine, graph).compile(&groups)
}

/// A kernel, what it touches, and what it is called.
pub(crate) struct Lowered {
    pub(crate) kernel: Box<dyn Kernel>,
    pub(crate) touched: Touched,
    pub(crate) info: StepInfo,
    /// Whether of each operand it reads no more than it writes.
    pub(crate) reads_a_part: bool,
}

/// Columns of a concat's result.
#[derive(Clone, Copy)]
struct Columns {
    whole: ValueId,
    /// Which operand they are.
    operand: usize,
    /// The first of them.
    first: usize,
}

struct Compiler<'a> {
    engine: &'a Engine,
    graph: &'a Graph,
    layout: Layout<'a>,
    /// Nodes that need no step.
    skipped: HashSet<NodeId>,
    /// For the result of a concat: which operands are computed in its memory.
    joined: HashMap<ValueId, Vec<bool>>,
    /// Operands of a concat along the innermost dimension that nothing else takes: kernels that can
    /// write them there.
    columns: HashMap<ValueId, Columns>,
    /// Kernels that compute nodes of other groups as well, by the last nodes of their own, and the
    /// groups with those.
    ahead: HashMap<NodeId, (Built, Group)>,
    /// Values that must be copied to outputs.
    copies: Vec<(ValueId, usize)>,
    /// How many groups have yet to read each constant.
    uses: HashMap<ValueId, usize>,
}

impl<'a> Compiler<'a> {
    /// Decides which values share memory.
    fn new(engine: &'a Engine, graph: &'a Graph) -> Compiler<'a> {
        let mut layout = Layout::new(graph);
        let mut skipped = HashSet::new();
        let mut joins = Vec::new();
        for (i, node) in graph.nodes().iter().enumerate() {
            match aliased(graph, node) {
                Aliased::Results(offsets) => {
                    let operand = node.inputs[0].expect("aliased operators have an operand");
                    for (&result, offset) in node.outputs.iter().zip(offsets) {
                        layout.alias(result, operand, offset);
                    }
                    skipped.insert(NodeId(i as u32));
                }
                Aliased::Operands(offsets) => joins.push((node, offsets)),
                Aliased::Nothing => {}
            }
        }
        let mut copies = Vec::new();
        for (index, port) in graph.outputs().iter().enumerate() {
            if !layout.bind_output(port.value, index) {
                copies.push((port.value, index));
            }
        }
        let mut joined = HashMap::new();
        for (node, offsets) in joins {
            let parts: Vec<ValueId> = node.inputs.iter().flatten().copied().collect();
            let whole = node.outputs[0];
            // A part that others of the same concat lie in as well is copied with them: a step does
            // not read what it writes.
            let alone = layout.are_alone(&parts);
            let placed: Vec<bool> = parts
                .into_iter()
                .zip(offsets)
                .zip(alone)
                .map(|((part, offset), alone)| alone && layout.join(part, whole, offset))
                .collect();
            joined.insert(whole, placed);
        }
        let mut uses = HashMap::new();
        for node in graph.nodes() {
            for &id in node.inputs.iter().flatten().filter(|id| graph.constant(**id).is_some()) {
                *uses.entry(id).or_insert(0) += 1;
            }
        }
        let columns = columns(graph, &joined);
        let ahead = HashMap::new();
        Compiler { engine, graph, layout, skipped, joined, columns, ahead, copies, uses }
    }

    fn compile(mut self, groups: &[Group]) -> Result<Program> {
        let mut steps = Vec::new();
        let mut kept: HashSet<ValueId> = HashSet::new();
        let uses = uses_by_nodes(self.graph);
        self.find_joins(groups, &uses);
        self.find_scaled(groups, &uses);
        for group in groups {
            for lowered in self.lower_steps(group)? {
                kept.extend(lowered.touched.reads.iter().filter_map(|site| match site {
                    Site::Value(id) => Some(*id),
                    Site::Output(_) => None,
                }));
                steps.push(lowered);
            }
            self.release_constants(group, &kept);
        }
        for (value, index) in std::mem::take(&mut self.copies) {
            steps.push(Lowered {
                kernel: Box::new(copy::Copy),
                touched: Touched {
                    reads: vec![Site::Value(value)],
                    writes: vec![Site::Output(index)],
                    scratch_bytes: 0,
                },
                info: StepInfo {
                    ops: "copy".into(),
                    label: self.graph.outputs()[index].name.clone(),
                    pattern: "output",
                    flops: 0,
                    arithmetic: Arithmetic::Float,
                    bytes: 0,
                    constant_bytes: 0,
                },
                reads_a_part: false,
            });
        }
        let steps = chains::join(steps, self.graph, &self.layout, self.engine.threads());
        self.finish(steps)
    }

    /// Leaves concats of keys and of values to the attentions that take them.
    fn find_joins(&mut self, groups: &[Group], uses: &[usize]) {
        let is_stream = attention::is_stream(self.graph);
        for group in groups {
            let Pattern::Attention(attention) = &group.pattern else { continue };
            let Some(joins) = attention::joins(self.graph, attention, &group.nodes, uses) else {
                continue;
            };
            let last = group.nodes[group.nodes.len() - 1];
            // What the group would be computed with otherwise comes after the concats.
            if let Some(built) =
                attention::lower(attention, Some((&joins, is_stream)), &self.cx(last))
            {
                let concats = joins.map(|join| join.node);
                self.skipped.extend(concats);
                let nodes = [&group.nodes, &concats[..]].concat();
                self.ahead.insert(last, (built, Group { pattern: group.pattern.clone(), nodes }));
            }
        }
    }

    /// Leaves the scaling of images to the convolutions that take them.
    fn find_scaled(&mut self, groups: &[Group], uses: &[usize]) {
        let scaled = factors::find(self.graph, groups, uses);
        for group in groups {
            let Some(root) = factors::root(group) else { continue };
            let Some(&image) = scaled.get(&root) else { continue };
            let cx = Cx { scaled: Some(image), ..self.cx(root) };
            let (_, product) = divide(group);
            if let Some(built) = ops::lower_matrix(&cx, &product[1..]) {
                let last = group.nodes[group.nodes.len() - 1];
                self.skipped.insert(image.node);
                let nodes = [&[image.node], &group.nodes[..]].concat();
                self.ahead
                    .insert(last, (built, Group { pattern: Pattern::Matrix { root }, nodes }));
            }
        }
    }

    /// The steps for a group: one, or one for each node where no kernel takes the whole.
    fn lower_steps(&mut self, group: &Group) -> Result<Vec<Lowered>> {
        if group.nodes.iter().all(|id| self.skipped.contains(id)) {
            return Ok(Vec::new());
        }
        let last = group.nodes[group.nodes.len() - 1];
        let (weights, rest) = divide(group);
        let mut steps = if let Some((built, group)) = self.ahead.remove(&last) {
            vec![self.step(built, &group)]
        } else if let Some(built) = self.lower_whole(group) {
            vec![self.step(built, group)]
        } else {
            self.lower_each(rest)?
        };
        let is_read = |id: NodeId| {
            let made = Site::Value(self.graph.node(id).outputs[0]);
            steps.iter().any(|step| step.touched.reads.contains(&made))
        };
        let read: Vec<NodeId> = weights.iter().copied().filter(|&id| is_read(id)).collect();
        let mut all = self.lower_each(&read)?;
        all.append(&mut steps);
        Ok(all)
    }

    /// The kernel for all of a group, if there is one.
    fn lower_whole(&self, group: &Group) -> Option<Built> {
        match &group.pattern {
            Pattern::Single | Pattern::Normalize { .. } => None,
            Pattern::Pointwise => chain::lower(self.graph, &group.nodes, self.engine.isa()),
            Pattern::Matrix { root } => {
                let (_, product) = divide(group);
                ops::lower_matrix(&self.cx(*root), &product[1..])
            }
            Pattern::Attention(attention) => {
                let last = group.nodes[group.nodes.len() - 1];
                attention::lower(attention, None, &self.cx(last))
            }
            Pattern::WeightOnly { root } => ops::lower_weight_only(&self.cx(*root), &group.nodes),
            Pattern::Quantized { root } => quantized::lower(&self.cx(*root), &group.nodes),
        }
    }

    /// A step for each node that needs one.
    fn lower_each(&mut self, nodes: &[NodeId]) -> Result<Vec<Lowered>> {
        let mut steps = Vec::with_capacity(nodes.len());
        for &id in nodes {
            if self.skipped.contains(&id) {
                continue;
            }
            if let Some(built) = self.lower_single(id)? {
                let group = Group { pattern: Pattern::Single, nodes: vec![id] };
                steps.push(self.step(built, &group));
            }
        }
        Ok(steps)
    }

    fn lower_single(&self, id: NodeId) -> Result<Option<Built>> {
        let cx = self.cx(id);
        if let Op::Concat(op) = &cx.node.op {
            let placed = self.joined.get(&cx.node.outputs[0]).map_or(&[][..], Vec::as_slice);
            return concat::lower(op, &cx, placed);
        }
        let at = |error: webnn_core::Error| error.at(cx.node.op.method().name);
        Ok(Some(ops::lower(&cx).map_err(at)?))
    }

    fn cx(&self, id: NodeId) -> Cx<'_> {
        Cx {
            graph: self.graph,
            node: self.graph.node(id),
            node_id: id,
            isa: self.engine.isa(),
            threads: &self.engine.threads,
            scaled: None,
        }
    }

    fn step(&mut self, mut built: Built, group: &Group) -> Lowered {
        self.write_columns(&mut built);
        let Built { kernel, reads, writes } = built;
        let values = |ids: Vec<ValueId>| ids.into_iter().map(Site::Value).collect();
        let touched = Touched {
            reads: values(reads),
            writes: values(writes),
            scratch_bytes: kernel.scratch_bytes(self.engine.threads()),
        };
        let reads_a_part =
            matches!(group.nodes[..], [node] if reads_a_part(&self.graph.node(node).op));
        Lowered { kernel, touched, info: self.info(group), reads_a_part }
    }

    /// Lets a kernel write its result where it is joined with others, if it can.
    fn write_columns(&mut self, built: &mut Built) {
        let [part] = built.writes[..] else { return };
        let Some(&Columns { whole, operand, first }) = self.columns.get(&part) else { return };
        let shape = self.graph.desc(whole).shape;
        if built.kernel.write_inside(shape[shape.rank() - 1] as usize, first) {
            built.writes[0] = whole;
            let placed = self.joined.entry(whole).or_default();
            placed.resize(placed.len().max(operand + 1), false);
            placed[operand] = true;
        }
    }

    fn info(&self, group: &Group) -> StepInfo {
        let nodes = || group.nodes.iter().map(|&id| self.graph.node(id));
        let (root, pattern) = match group.pattern {
            Pattern::Single => (None, "single"),
            Pattern::Pointwise => (None, "pointwise"),
            Pattern::Matrix { root } => (Some(root), "matrix"),
            Pattern::Normalize { root } => (Some(root), "normalize"),
            Pattern::Attention(_) => (None, "attention"),
            Pattern::Quantized { root } => (Some(root), "quantized"),
            Pattern::WeightOnly { root } => (Some(root), "weight-only"),
        };
        let root = root.unwrap_or(group.nodes[0]);
        let (_, computed) = divide(group);
        let names: Vec<&str> = nodes().map(|node| node.op.method().name).collect();
        StepInfo {
            ops: names.join("+"),
            label: self.graph.node(root).label.to_string(),
            pattern,
            flops: computed.iter().map(|&id| flops(self.graph, self.graph.node(id))).sum(),
            arithmetic: match group.pattern {
                Pattern::Quantized { .. } => Arithmetic::Int8,
                Pattern::Single
                | Pattern::Pointwise
                | Pattern::Matrix { .. }
                | Pattern::Normalize { .. }
                | Pattern::Attention(_)
                | Pattern::WeightOnly { .. } => Arithmetic::Float,
            },
            // Known when everything has its place.
            bytes: 0,
            constant_bytes: 0,
        }
    }

    /// Lets go of constants that no further group needs and no step reads: they are packed.
    fn release_constants(&mut self, group: &Group, kept: &HashSet<ValueId>) {
        for &id in &group.nodes {
            for value in self.graph.node(id).inputs.iter().flatten() {
                let Some(uses) = self.uses.get_mut(value) else { continue };
                *uses -= 1;
                if *uses == 0
                    && !kept.contains(value)
                    && let Some(bytes) = self.graph.constant(*value)
                {
                    bytes.release();
                }
            }
        }
    }

    /// Gives every value its place.
    fn finish(mut self, steps: Vec<Lowered>) -> Result<Program> {
        let (kernels, touched): (Vec<_>, Vec<_>) = steps
            .into_iter()
            .map(|step| ((step.kernel, step.info, step.reads_a_part), step.touched))
            .unzip();
        let placed = place_values(&mut self.layout, &touched);
        check_memory(placed.arena_bytes)?;
        let mut stats = Stats { arena_bytes: placed.arena_bytes, ..Stats::default() };
        let ports = |ports: &[webnn_core::graph::Port]| -> Vec<Port> {
            let port = |port: &webnn_core::graph::Port| Port {
                name: port.name.clone(),
                desc: self.graph.desc(port.value),
            };
            ports.iter().map(port).collect()
        };
        let (inputs, outputs) = (ports(self.graph.inputs()), ports(self.graph.outputs()));
        let mut bases = vec![placed.arena_bytes];
        let first_constant = 1 + inputs.len() + outputs.len();
        bases.extend(inputs.iter().chain(&outputs).map(|port| port.desc.byte_length() as usize));
        bases.extend(placed.constants.iter().map(|&id| self.graph.desc(id).byte_length() as usize));
        let mut read_as_elements = vec![false; bases.len()];
        for ((kernel, ..), (reads, ..)) in kernels.iter().zip(&placed.steps) {
            for (read, place) in reads.iter().enumerate() {
                read_as_elements[place.base] |= !kernel.reads_bytes(read);
            }
        }
        let mut constants = Vec::new();
        for (&id, &as_elements) in placed.constants.iter().zip(&read_as_elements[first_constant..])
        {
            let bytes = self.graph.constant(id).expect("these values are constants");
            let alignment = if as_elements { size_of(&self.graph.desc(id)) } else { 1 };
            constants.push(keep(bytes, alignment, &mut stats));
        }
        let mut steps = Vec::with_capacity(kernels.len());
        let mut infos = Vec::with_capacity(kernels.len());
        for ((kernel, mut info, reads_a_part), (reads, writes, scratch)) in
            kernels.into_iter().zip(placed.steps)
        {
            let places = Places::new(reads, writes, scratch, &bases)?;
            let packed = kernel.packed_bytes();
            stats.packed_bytes += packed;
            let written = places.written_bytes();
            let most = if reads_a_part { written } else { usize::MAX };
            let read = |is_counted: &dyn Fn(usize) -> bool| places.read_bytes(is_counted).min(most);
            info.bytes = (read(&|_| true) + written + packed) as u64;
            info.constant_bytes = (read(&|base| base >= first_constant) + packed) as u64;
            infos.push(info);
            steps.push(Step { kernel, places });
        }
        let threads = self.engine.threads.clone();
        Ok(Program::new(Parts { inputs, outputs, steps, infos, constants, stats, threads }))
    }
}

/// Fails where there is no memory for the values of a run: to find out when it is needed would end
/// the process, or the module in a browser.
fn check_memory(bytes: usize) -> Result<()> {
    Vec::<u8>::new().try_reserve_exact(bytes).map_err(|_| {
        let message = format!("a run takes {bytes} bytes, more memory than there is");
        Error::new(ErrorKind::Operation, message)
    })
}

/// The nodes of a group, after the casts of weights that its product takes as they were, if it does.
fn divide(group: &Group) -> (&[NodeId], &[NodeId]) {
    let first = match group.pattern {
        Pattern::Matrix { root } => group.nodes.partition_point(|&id| id < root),
        Pattern::Single
        | Pattern::Pointwise
        | Pattern::Normalize { .. }
        | Pattern::Attention(_)
        | Pattern::Quantized { .. }
        | Pattern::WeightOnly { .. } => 0,
    };
    group.nodes.split_at(first)
}

/// How often nodes take each value.
fn uses_by_nodes(graph: &Graph) -> Vec<usize> {
    let mut uses = vec![0; graph.values().len()];
    let taken = graph.nodes().iter().flat_map(|node| node.inputs.iter().flatten());
    taken.for_each(|id| uses[id.index()] += 1);
    uses
}

/// The operands of concats along the innermost dimension, but for the concats in `joined`, that
/// nothing else takes.
fn columns(graph: &Graph, joined: &HashMap<ValueId, Vec<bool>>) -> HashMap<ValueId, Columns> {
    let mut uses = uses_by_nodes(graph);
    graph.outputs().iter().for_each(|port| uses[port.value.index()] += 1);
    let mut columns = HashMap::new();
    for node in graph.nodes() {
        let whole = node.outputs[0];
        let Op::Concat(op) = &node.op else { continue };
        if op.axis as usize + 1 != graph.desc(whole).rank() || joined.contains_key(&whole) {
            continue;
        }
        let mut first = 0;
        for (operand, &part) in node.inputs.iter().flatten().enumerate() {
            if uses[part.index()] == 1 {
                columns.insert(part, Columns { whole, operand, first });
            }
            first += graph.desc(part).shape[op.axis as usize] as usize;
        }
    }
    columns
}

/// A constant in memory that is aligned as the steps that read it ask.
fn keep(bytes: &Bytes, alignment: usize, stats: &mut Stats) -> Constant {
    if (bytes.as_ptr() as usize).is_multiple_of(alignment) {
        stats.shared_bytes += bytes.len();
        return Constant::Shared(bytes.clone());
    }
    stats.copied_bytes += bytes.len();
    let mut copy = Buffer::zeroed(bytes.len());
    copy.copy_from_slice(bytes);
    bytes.release();
    Constant::Copied(copy)
}
