//! `MLGraphBuilder`: every check of the specification before anything is compiled.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::attrs::Args;
use crate::bytes::Bytes;
use crate::error::{Error, ErrorKind, Result, bail, ensure};
use crate::graph::{Graph, Source, ValueId};
use crate::limits::{Limits, Presence, Slot, SlotRanks, SlotTypes};
use crate::number::Number;
use crate::ops::{Inputs, Method, Op, method};
use crate::types::{DataType, Desc, Shape};

/// A graph may have so many values for each node that its limits allow; real ones have two or three.
const VALUES_PER_NODE: usize = 16;

/// A value of a graph under construction; it belongs to the builder that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operand {
    value: ValueId,
    builder: u64,
    desc: Desc,
}

impl Operand {
    /// Type and shape.
    pub fn desc(&self) -> Desc {
        self.desc
    }

    /// The type of the elements.
    pub fn data_type(&self) -> DataType {
        self.desc.data_type
    }

    pub(crate) fn value(&self) -> ValueId {
        self.value
    }

    /// The sizes of the dimensions.
    pub fn shape(&self) -> Shape {
        self.desc.shape
    }
}

/// Builds one graph.
#[derive(Debug)]
pub struct GraphBuilder {
    id: u64,
    limits: Limits,
    graph: Graph,
    names: HashSet<String>,
    has_built: bool,
}

impl GraphBuilder {
    /// A builder that accepts what the limits allow.
    pub fn new(limits: Limits) -> GraphBuilder {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        GraphBuilder {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            limits,
            graph: Graph::new(),
            names: HashSet::new(),
            has_built: false,
        }
    }

    /// The limits that calls are checked against.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// An input of the graph; the name is not empty and no other input's.
    pub fn input(&mut self, name: &str, data_type: DataType, shape: &[u32]) -> Result<Operand> {
        let place = || format!("input {name:?}");
        self.check_can_build().map_err(|error| error.at(place()))?;
        let desc = self.check_input(name, data_type, shape).map_err(|error| error.at(place()))?;
        self.names.insert(name.to_owned());
        let value = self.graph.push_input(name, desc);
        Ok(self.operand(value))
    }

    fn check_input(&self, name: &str, data_type: DataType, shape: &[u32]) -> Result<Desc> {
        ensure!(!name.is_empty(), "name is empty");
        ensure!(!self.names.contains(name), "name is already used by another input");
        self.check_desc(data_type, shape)
    }

    fn check_desc(&self, data_type: DataType, shape: &[u32]) -> Result<Desc> {
        self.check_room(1)?;
        let desc = Desc::new(data_type, Shape::new(shape)?);
        self.limits.check(&desc)?;
        Ok(desc)
    }

    /// A constant with the given elements, row-major and little-endian; the bytes are shared.
    pub fn constant(
        &mut self,
        data_type: DataType,
        shape: &[u32],
        bytes: impl Into<Bytes>,
    ) -> Result<Operand> {
        self.check_can_build().map_err(|error| error.at("constant"))?;
        let value = self
            .check_desc(data_type, shape)
            .and_then(|desc| self.graph.push_constant(desc, bytes.into()))
            .map_err(|error| error.at("constant"))?;
        Ok(self.operand(value))
    }

    /// A constant whose bytes, so many, lie in another place: see [`Bytes::external`].
    pub fn constant_external(
        &mut self,
        data_type: DataType,
        shape: &[u32],
        byte_length: usize,
        id: u32,
    ) -> Result<Operand> {
        self.check_can_build().map_err(|error| error.at("constant"))?;
        let desc = self.check_desc(data_type, shape).map_err(|error| error.at("constant"))?;
        if byte_length as u64 != desc.byte_length() {
            let expected = desc.byte_length();
            bail!("constant: {byte_length} bytes were given, expected {expected} for {desc}");
        }
        self.constant(data_type, shape, Bytes::external(id))
    }

    /// A constant of shape `[]`; the number is cast as the specification says of `MLNumber`.
    pub fn scalar(&mut self, data_type: DataType, value: impl Into<Number>) -> Result<Operand> {
        self.constant(data_type, &[], value.into().to_element(data_type))
    }

    /// Adds an operator by its method's name; operands by slot, then what it results in.
    ///
    /// `attributes` may hold unknown names, as a dictionary in JavaScript may.
    pub fn add(
        &mut self,
        name: &str,
        operands: &[Option<Operand>],
        attributes: &Args,
        label: &str,
    ) -> Result<Vec<Operand>> {
        let place = || place(name, label);
        self.check_can_build().map_err(|error| error.at(place()))?;
        let op = method(name)
            .and_then(|method| (method.parse)(attributes))
            .map_err(|error| error.at(place()))?;
        self.push(op, operands, label)
    }

    /// Adds an operator by its method's name; operands by the names of their slots, several for a
    /// slot that is a sequence.
    pub fn add_named(
        &mut self,
        name: &str,
        operands: &[(&str, Vec<Operand>)],
        attributes: &Args,
        label: &str,
    ) -> Result<Vec<Operand>> {
        let place = || place(name, label);
        self.check_can_build().map_err(|error| error.at(place()))?;
        let operands = method(name)
            .and_then(|method| by_slot(method, operands))
            .map_err(|error| error.at(place()))?;
        self.add(name, &operands, attributes, label)
    }

    /// Adds an operator; operands by slot, `None` for absent options.
    pub fn push(
        &mut self,
        op: impl Into<Op>,
        operands: &[Option<Operand>],
        label: &str,
    ) -> Result<Vec<Operand>> {
        let op = op.into();
        let method = op.method();
        self.try_push(op, method, operands, label)
            .map_err(|error| error.at(place(method.name, label)))
    }

    /// Adds an operator with one result.
    pub fn push_one(
        &mut self,
        op: impl Into<Op>,
        operands: &[Operand],
        label: &str,
    ) -> Result<Operand> {
        let operands: Vec<Option<Operand>> = operands.iter().copied().map(Some).collect();
        Ok(self.push(op, &operands, label)?[0])
    }

    fn try_push(
        &mut self,
        op: Op,
        method: &'static Method,
        operands: &[Option<Operand>],
        label: &str,
    ) -> Result<Vec<Operand>> {
        self.check_can_build()?;
        for operand in operands.iter().flatten() {
            ensure!(operand.builder == self.id, "an operand belongs to another builder");
        }
        let descs: Vec<Option<Desc>> =
            operands.iter().map(|operand| operand.map(|operand| operand.desc)).collect();
        self.check_slots(method, &descs)?;
        let results = op.infer(&Inputs(&descs))?;
        for (i, result) in results.iter().enumerate() {
            let slot = method.outputs.get(i).or(method.outputs.last());
            let name = slot.map_or("output", |slot| slot.name);
            self.limits.check(result).map_err(|error| error.at(name))?;
        }
        if self.graph.nodes().len() >= self.limits.max_nodes {
            bail!("the graph has {} nodes, expected no more", self.limits.max_nodes);
        }
        self.check_room(results.len())?;
        let inputs = operands.iter().map(|operand| operand.map(|operand| operand.value)).collect();
        let outputs = self.graph.push_inferred(op, inputs, &results, label);
        Ok(outputs.into_iter().map(|value| self.operand(value)).collect())
    }

    /// Checks presence, data types and ranks against the method's table and the limits.
    fn check_slots(&self, method: &Method, descs: &[Option<Desc>]) -> Result<()> {
        if let [slot] = method.slots
            && slot.presence == Presence::Repeated
        {
            for desc in descs {
                let Some(desc) = desc else { bail!("{} has an empty item", slot.name) };
                self.check_slot(method, slot, *desc, descs)?;
            }
            return Ok(());
        }
        ensure!(
            descs.len() <= method.slots.len(),
            "{} operands were given, expected at most {}",
            descs.len(),
            method.slots.len()
        );
        for (i, slot) in method.slots.iter().enumerate() {
            match descs.get(i).copied().flatten() {
                Some(desc) => self.check_slot(method, slot, desc, descs)?,
                None => ensure!(slot.presence != Presence::Required, "{} is missing", slot.name),
            }
        }
        Ok(())
    }

    fn check_slot(
        &self,
        method: &Method,
        slot: &Slot,
        desc: Desc,
        descs: &[Option<Desc>],
    ) -> Result<()> {
        let limits = self.limits.slot(method, slot);
        ensure!(
            limits.data_types.contains(desc.data_type),
            "{} has data type {}, expected one of {}",
            slot.name,
            desc.data_type,
            limits.data_types
        );
        let (min, max) = limits.rank_range;
        ensure!(
            (min..=max).contains(&desc.rank()),
            "{} has shape {} of rank {}, expected {}",
            slot.name,
            desc.shape,
            desc.rank(),
            if min == max { format!("rank {min}") } else { format!("a rank of {min} to {max}") }
        );
        if let SlotTypes::SameAs(other) = slot.types
            && let Some(Some(first)) = descs.get(other)
        {
            ensure!(
                desc.data_type == first.data_type,
                "{} has data type {}, expected {} as {} has",
                slot.name,
                desc.data_type,
                first.data_type,
                method.slots[other].name
            );
        }
        if let SlotRanks::SameAs(other) = slot.ranks
            && let Some(Some(first)) = descs.get(other)
        {
            ensure!(
                desc.rank() == first.rank(),
                "{} has rank {}, expected {} as {} has",
                slot.name,
                desc.rank(),
                first.rank(),
                method.slots[other].name
            );
        }
        Ok(())
    }

    /// Ends the building: what the outputs need becomes the graph. A failed check leaves the
    /// builder usable.
    pub fn build(&mut self, outputs: &[(&str, Operand)]) -> Result<Graph> {
        self.check_can_build().map_err(|error| error.at("build"))?;
        self.check_outputs(outputs).map_err(|error| error.at("build"))?;
        self.has_built = true;
        let mut graph = std::mem::take(&mut self.graph);
        for (name, operand) in outputs {
            graph.push_output(*name, operand.value);
        }
        Ok(graph.reachable())
    }

    fn check_outputs(&self, outputs: &[(&str, Operand)]) -> Result<()> {
        ensure!(!outputs.is_empty(), "there are no outputs");
        let mut names = HashSet::new();
        for (name, operand) in outputs {
            ensure!(!name.is_empty(), "an output's name is empty");
            ensure!(names.insert(name), "output {name:?} is named twice");
            ensure!(operand.builder == self.id, "output {name:?} belongs to another builder");
            match self.graph.value(operand.value).source {
                Source::Node(..) => {}
                Source::Input(_) => bail!("output {name:?} is an input, expected a result"),
                Source::Constant(_) => bail!("output {name:?} is a constant, expected a result"),
            }
        }
        Ok(())
    }

    /// All that was built, whether an output needs it or not.
    pub(crate) fn into_graph(self) -> Graph {
        self.graph
    }

    /// Whether [`GraphBuilder::build`] has succeeded.
    pub fn has_built(&self) -> bool {
        self.has_built
    }

    /// Whether an operand is, or is computed from, another one of this builder.
    pub fn depends_on(&self, operand: Operand, other: Operand) -> bool {
        let is_ours = |operand: Operand| operand.builder == self.id && !self.has_built;
        if !is_ours(operand) || !is_ours(other) {
            return false;
        }
        let mut seen = HashSet::from([operand.value]);
        let mut open = vec![operand.value];
        while let Some(value) = open.pop() {
            if value == other.value {
                return true;
            }
            if let Some(node) = self.graph.producer(value) {
                let inputs = self.graph.node(node).inputs.iter().flatten();
                open.extend(inputs.copied().filter(|&input| seen.insert(input)));
            }
        }
        false
    }

    /// A constant operand's bytes, shared; `None` for inputs and results.
    pub fn constant_bytes(&self, operand: Operand) -> Option<Bytes> {
        (operand.builder == self.id && !self.has_built)
            .then(|| self.graph.constant(operand.value).cloned())
            .flatten()
    }

    /// Fails where more values would be too many: a node can have thousands of results.
    fn check_room(&self, more: usize) -> Result<()> {
        let most = self.limits.max_nodes.saturating_mul(VALUES_PER_NODE);
        ensure!(
            self.graph.values().len().saturating_add(more) <= most,
            "the graph would have more than {most} values"
        );
        Ok(())
    }

    fn check_can_build(&self) -> Result<()> {
        if self.has_built {
            return Err(Error::new(ErrorKind::InvalidState, "the builder has already built"));
        }
        Ok(())
    }

    fn operand(&self, value: ValueId) -> Operand {
        Operand { value, builder: self.id, desc: self.graph.desc(value) }
    }
}

/// Operands that were given by name, by slot.
fn by_slot(method: &Method, named: &[(&str, Vec<Operand>)]) -> Result<Vec<Option<Operand>>> {
    let is_sequence = method.slots.iter().any(|slot| slot.presence == Presence::Repeated);
    let mut slots = vec![None; if is_sequence { 0 } else { method.slots.len() }];
    for (name, operands) in named {
        let Some(slot) = method.slots.iter().position(|slot| slot.name == *name) else {
            bail!("there is no operand {name:?}");
        };
        if is_sequence {
            slots.extend(operands.iter().copied().map(Some));
        } else {
            ensure!(operands.len() == 1, "{name} is a sequence, expected one operand");
            slots[slot] = operands.first().copied();
        }
    }
    Ok(slots)
}

/// The place that a message names: the method, and the label where there is one.
fn place(name: &str, label: &str) -> String {
    if label.is_empty() { name.to_owned() } else { format!("{name} [{}]", shown(label)) }
}

/// A caller's text without what would change how a message looks: control characters and those
/// that turn the direction of writing are escaped.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\'' | '\\' => shown.push(c),
            other => shown.extend(other.escape_debug()),
        }
    }
    shown
}
