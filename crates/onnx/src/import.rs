//! The walk over a model: values by name, node after node, through functions and bodies.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use webnn_core::{GraphBuilder, Operand};

use crate::cx::Cx;
use crate::elem::ElemType;
use crate::emit::Emit;
use crate::error::{Error, Fault, Outcome, Problem, Reason, Result, fault, require};
use crate::known::Known;
use crate::model::{Model, elem_of, name_of, versions};
use crate::table;
use crate::tensor::Tensor;
use crate::wire::{
    AttributeProto, FunctionProto, GraphProto, NodeProto, TypeValue, ValueInfoProto,
};

/// What a name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// A dense tensor.
    Tensor(Tensor),
    /// A list, of a length that is known.
    Sequence(Vec<Value>),
    /// An optional value that is not there.
    Nothing,
    /// The result of a node that could not be imported; the problem has been noted.
    Unknown,
}

impl From<Tensor> for Value {
    fn from(tensor: Tensor) -> Value {
        Value::Tensor(tensor)
    }
}

/// The names that a body can use, its own before those around it.
pub(crate) struct Scope<'m, 's> {
    pub(crate) values: HashMap<&'m str, Value>,
    pub(crate) outer: Option<&'s Scope<'m, 's>>,
    /// The version of each operator set.
    pub(crate) versions: &'s HashMap<&'m str, i64>,
    /// The attributes of the call, inside a function.
    pub(crate) attributes: Option<&'s HashMap<&'m str, &'m AttributeProto>>,
}

impl<'m> Scope<'m, '_> {
    pub(crate) fn find(&self, name: &str) -> Option<&Value> {
        self.values.get(name).or_else(|| self.outer?.find(name))
    }

    /// A scope for a body inside this one.
    pub(crate) fn inner<'i>(&'i self) -> Scope<'m, 'i> {
        Scope {
            values: HashMap::new(),
            outer: Some(self),
            versions: self.versions,
            attributes: self.attributes,
        }
    }
}

/// What the walk carries along beside the graph.
pub(crate) struct Walk<'m> {
    pub(crate) model: &'m Model,
    functions: HashMap<(&'m str, &'m str, &'m str), &'m FunctionProto>,
    problems: Vec<Problem>,
    nodes: u64,
    /// Elements that have been computed here instead of in the graph.
    known: u64,
    depth: u32,
}

/// ONNX's own domain has two names.
pub(crate) fn domain_of(domain: Option<&str>) -> &str {
    match domain {
        None | Some("ai.onnx") => "",
        Some(domain) => domain,
    }
}

/// The operator's name, with the domain where that is not ONNX's own.
pub(crate) fn operator_name(node: &NodeProto) -> String {
    let name = node.op_type.as_deref().unwrap_or("");
    match domain_of(node.domain.as_deref()) {
        "" => name.to_owned(),
        domain => format!("{domain}.{name}"),
    }
}

/// What a message calls the node.
fn label_of(node: &NodeProto) -> String {
    let name = node.name.as_deref().filter(|name| !name.is_empty());
    let first = || node.output.iter().find(|name| !name.is_empty()).map(String::as_str);
    name.or_else(first).unwrap_or("").to_owned()
}

/// Adds the model to the builder.
pub(crate) fn build(model: &Model, builder: &mut GraphBuilder) -> Result<Vec<(String, Operand)>> {
    let mut walk = Walk {
        model,
        functions: model.functions(),
        problems: Vec::new(),
        nodes: 0,
        known: 0,
        depth: 0,
    };
    let mut emit = Emit::new(builder);
    let versions = versions(&model.proto.opset_import);
    let mut scope =
        Scope { values: HashMap::new(), outer: None, versions: &versions, attributes: None };
    let graph = model.graph();
    walk.initializers(graph, &mut scope);
    for input in &graph.input {
        walk.input(&mut emit, input, &mut scope);
    }
    walk.nodes(&mut emit, &graph.node, &mut scope);
    let mut outputs = Vec::new();
    for output in &graph.output {
        let name = name_of(output);
        emit.label = name.to_owned();
        match output_operand(&mut emit, &scope, name) {
            Ok(Some(operand)) => outputs.push((name.to_owned(), operand)),
            Ok(None) => {}
            Err(fault) => walk.note("output", name, fault),
        }
    }
    if walk.problems.is_empty() { Ok(outputs) } else { Err(Error::Problems(walk.problems)) }
}

/// The operand of an output; `None` where a problem has been noted already.
fn output_operand(
    emit: &mut Emit<'_>,
    scope: &Scope<'_, '_>,
    name: &str,
) -> Outcome<Option<Operand>> {
    match scope.find(name) {
        Some(Value::Tensor(tensor)) => Ok(Some(emit.output(tensor)?)),
        Some(Value::Unknown) => Ok(None),
        Some(Value::Sequence(_) | Value::Nothing) => {
            fault!(SequenceOrOptional, "the value is a sequence or optional")
        }
        None => fault!(Invalid, "no node makes the value"),
    }
}

impl<'m> Walk<'m> {
    fn note(&mut self, operator: &str, node: &str, fault: Fault) {
        let needs = fault.unknown.map(|name| self.sources(&name)).unwrap_or_default();
        let problem = Problem {
            node: node.to_owned(),
            operator: operator.to_owned(),
            reason: fault.reason,
            message: fault.message,
            needs,
        };
        // A node of an unrolled body comes by once per round.
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// The inputs of the model that a value is computed from.
    fn sources(&self, name: &str) -> Vec<String> {
        let graph = self.model.graph();
        let inputs: HashSet<&str> = graph.input.iter().map(name_of).collect();
        let producers: HashMap<&str, &NodeProto> = graph
            .node
            .iter()
            .flat_map(|node| node.output.iter().map(move |name| (name.as_str(), node)))
            .collect();
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut open = vec![name];
        while let Some(name) = open.pop() {
            if !seen.insert(name) {
                continue;
            }
            if inputs.contains(name) {
                found.push(name.to_owned());
            } else if let Some(node) = producers.get(name) {
                open.extend(node.input.iter().map(String::as_str));
            }
        }
        found.sort_unstable();
        found
    }

    /// Enters a graph's constants.
    pub(crate) fn initializers(&mut self, graph: &'m GraphProto, scope: &mut Scope<'m, '_>) {
        let dense = graph.initializer.iter().map(|tensor| {
            (tensor.name.as_deref().unwrap_or(""), self.model.constants.tensor(tensor))
        });
        let sparse = graph.sparse_initializer.iter().map(|tensor| {
            let name = tensor.values.as_ref().and_then(|values| values.name.as_deref());
            (name.unwrap_or(""), self.model.constants.sparse(tensor))
        });
        for (name, known) in dense.chain(sparse).collect::<Vec<_>>() {
            let value = match known {
                Ok(known) => Value::Tensor(known.into()),
                Err(fault) => {
                    self.note("initializer", name, fault);
                    Value::Unknown
                }
            };
            if scope.values.insert(name, value).is_some() {
                let fault = Fault::new(Reason::Invalid, "the name is used twice");
                self.note("initializer", name, fault);
            }
        }
    }

    fn input(&mut self, emit: &mut Emit<'_>, input: &'m ValueInfoProto, scope: &mut Scope<'m, '_>) {
        let name = name_of(input);
        let fixed = self.model.options.fixed.get(name);
        if fixed.is_none() && scope.values.contains_key(name) {
            return;
        }
        let value = match fixed {
            Some(fixed) => Known::from_bytes(fixed.elem, &fixed.dims, fixed.bytes.clone())
                .map(|known| Value::Tensor(known.into())),
            None => match self.declared(input) {
                Ok(elem) => match self.model.input_dims(input) {
                    Ok(dims) => emit.input(name, elem, &dims).map(Value::Tensor),
                    Err(problem) => {
                        self.problems.push(problem);
                        Ok(Value::Unknown)
                    }
                },
                Err(fault) => Err(fault),
            },
        };
        let value = value.unwrap_or_else(|fault| {
            self.note("input", name, fault);
            Value::Unknown
        });
        scope.values.insert(name, value);
    }

    /// The element type of a dense input.
    fn declared(&self, input: &ValueInfoProto) -> Outcome<ElemType> {
        match input.r#type.as_ref().and_then(|t| t.value.as_ref()) {
            None => fault!(Invalid, "the input has no type"),
            Some(TypeValue::Tensor(_)) => match elem_of(input) {
                Some(ElemType::String) => fault!(String, "the input holds strings"),
                Some(elem) => Ok(elem),
                None => fault!(Invalid, "the input has no element type"),
            },
            Some(TypeValue::SparseTensor(_)) => fault!(UnsupportedType, "the input is sparse"),
            Some(TypeValue::Sequence(_) | TypeValue::Map(_) | TypeValue::Optional(_)) => {
                fault!(SequenceOrOptional, "the input is a sequence, optional or map")
            }
        }
    }

    /// Imports nodes, each after those whose results it takes.
    pub(crate) fn nodes(
        &mut self,
        emit: &mut Emit<'_>,
        nodes: &'m [NodeProto],
        scope: &mut Scope<'m, '_>,
    ) {
        let order = match order(nodes) {
            Ok(order) => order,
            Err(node) => {
                let fault = Fault::new(Reason::Invalid, "the node takes part in a cycle");
                self.note(&operator_name(node), &label_of(node), fault);
                return;
            }
        };
        for node in order {
            self.nodes += 1;
            if self.nodes > self.model.options.max_nodes {
                let fault = Fault::new(
                    Reason::Limit,
                    format!("expected at most {} nodes", self.model.options.max_nodes),
                );
                self.note(&operator_name(node), &label_of(node), fault);
                return;
            }
            emit.label = label_of(node);
            let values = match self.node(emit, node, scope) {
                Ok(values) => values,
                Err(fault) => {
                    self.note(&operator_name(node), &label_of(node), fault);
                    Vec::new()
                }
            };
            self.known += values.iter().map(computed).sum::<u64>();
            if self.known > self.model.options.max_known {
                let most = self.model.options.max_known;
                let message = format!("expected at most {most} elements of known values");
                let fault = Fault::new(Reason::Limit, message);
                self.note(&operator_name(node), &label_of(node), fault);
                return;
            }
            let mut values = values.into_iter();
            for name in &node.output {
                let value = values.next().unwrap_or(Value::Unknown);
                if !name.is_empty() && scope.values.insert(name, value).is_some() {
                    let fault = Fault::new(Reason::Invalid, format!("{name:?} is made twice"));
                    self.note(&operator_name(node), &label_of(node), fault);
                }
            }
        }
    }

    /// The results of one node; fewer than it names where the rest is not known.
    fn node(
        &mut self,
        emit: &mut Emit<'_>,
        node: &'m NodeProto,
        scope: &Scope<'m, '_>,
    ) -> Outcome<Vec<Value>> {
        let domain = domain_of(node.domain.as_deref());
        let name = node.op_type.as_deref().unwrap_or("");
        let overload = node.overload.as_deref().unwrap_or("");
        let mut inputs = Vec::with_capacity(node.input.len());
        for name in &node.input {
            inputs.push(match scope.find(name) {
                _absent if name.is_empty() => None,
                Some(Value::Nothing) => Some(Value::Nothing),
                Some(value) => Some(value.clone()),
                None => fault!(Invalid, "input {name:?} is not defined"),
            });
        }
        let function = self.functions.get(&(domain, name, overload)).copied();
        let handler = table::handler(domain, name);
        if function.is_none() && handler.is_none() {
            fault!(UnknownOperator, "the operator is not known");
        }
        if inputs.iter().flatten().any(|value| matches!(value, Value::Unknown)) {
            return Ok(Vec::new());
        }
        // A model's own definition comes before ours: it says what its nodes mean.
        if let Some(function) = function {
            return self.call(emit, function, node, inputs, scope);
        }
        let Some(handler) = handler else {
            fault!(UnknownOperator, "the operator is not known");
        };
        let version = match scope.versions.get(domain) {
            Some(version) => *version,
            // Contributed operators are often used without their set being declared.
            None if !domain.is_empty() => 1,
            None => fault!(Invalid, "the model declares no version of the operator set"),
        };
        let mut cx = Cx { g: emit, walk: self, node, inputs, scope, version };
        handler(&mut cx)
    }

    /// Goes one level deeper for the time of `work`.
    pub(crate) fn nested<T>(&mut self, work: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        if self.depth >= self.model.options.max_depth {
            fault!(Limit, "nested deeper than {} levels", self.model.options.max_depth);
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        result
    }

    fn call(
        &mut self,
        emit: &mut Emit<'_>,
        function: &'m FunctionProto,
        node: &'m NodeProto,
        inputs: Vec<Option<Value>>,
        caller: &Scope<'m, '_>,
    ) -> Outcome<Vec<Value>> {
        require!(
            inputs.len() <= function.input.len(),
            "{} inputs for a function of {}",
            inputs.len(),
            function.input.len()
        );
        let mut attributes: HashMap<&str, &AttributeProto> = HashMap::new();
        for attribute in &function.attribute_proto {
            attributes.insert(attribute.name.as_deref().unwrap_or(""), attribute);
        }
        for attribute in &node.attribute {
            let given = match attribute.ref_attr_name.as_deref().filter(|name| !name.is_empty()) {
                Some(name) => caller.attributes.and_then(|outer| outer.get(name)).copied(),
                None => Some(attribute),
            };
            if let Some(given) = given {
                attributes.insert(attribute.name.as_deref().unwrap_or(""), given);
            }
        }
        let versions = versions(&function.opset_import);
        let mut scope = Scope {
            values: HashMap::new(),
            outer: None,
            versions: &versions,
            attributes: Some(&attributes),
        };
        let mut inputs = inputs.into_iter();
        for name in &function.input {
            // What the call leaves out is nothing inside too.
            let value = inputs.next().flatten().unwrap_or(Value::Nothing);
            scope.values.insert(name, value);
        }
        self.nested(|walk| {
            walk.nodes(emit, &function.node, &mut scope);
            let output = |name: &String| scope.values.get(name.as_str()).cloned();
            Ok(function.output.iter().map(|name| output(name).unwrap_or(Value::Unknown)).collect())
        })
    }

    /// The outputs of a body whose inputs have been entered into the scope.
    pub(crate) fn body(
        &mut self,
        emit: &mut Emit<'_>,
        graph: &'m GraphProto,
        mut scope: Scope<'m, '_>,
    ) -> Outcome<Vec<Value>> {
        self.nested(|walk| {
            walk.initializers(graph, &mut scope);
            walk.nodes(emit, &graph.node, &mut scope);
            let output = |value: &ValueInfoProto| match scope.find(name_of(value)) {
                Some(value) => Ok(value.clone()),
                None => fault!(Invalid, "the body's output {:?} is not made", name_of(value)),
            };
            graph.output.iter().map(output).collect()
        })
    }
}

/// How many elements of a result the importer has computed and holds.
fn computed(value: &Value) -> u64 {
    match value {
        Value::Tensor(tensor) => match tensor.known() {
            Some(known) if known.bytes().is_none() => tensor.elements(),
            _in_the_file_or_the_graph => 0,
        },
        Value::Sequence(list) => list.iter().map(computed).sum(),
        Value::Nothing | Value::Unknown => 0,
    }
}

/// The nodes, each after those whose results it takes; a node of a cycle where there is one.
fn order(nodes: &[NodeProto]) -> std::result::Result<Vec<&NodeProto>, &NodeProto> {
    let mut producer: HashMap<&str, usize> = HashMap::new();
    for (i, node) in nodes.iter().enumerate() {
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            producer.entry(name).or_insert(i);
        }
    }
    // What a body reads from around it is an input of the node, too.
    let reads: Vec<Vec<usize>> = nodes
        .iter()
        .map(|node| {
            let mut names = Vec::new();
            reads_of(node, 0, &mut names);
            names.into_iter().filter_map(|name| producer.get(name).copied()).collect()
        })
        .collect();
    if reads.iter().enumerate().all(|(i, before)| before.iter().all(|&j| j < i)) {
        return Ok(nodes.iter().collect());
    }
    let mut waits: Vec<usize> = reads.iter().map(Vec::len).collect();
    let mut readers = vec![Vec::new(); nodes.len()];
    for (i, before) in reads.iter().enumerate() {
        before.iter().for_each(|&j| readers[j].push(i));
    }
    let ready = |(i, &count): (usize, &usize)| (count == 0).then_some(Reverse(i));
    let mut ready: BinaryHeap<Reverse<usize>> =
        waits.iter().enumerate().filter_map(ready).collect();
    let mut sorted = Vec::with_capacity(nodes.len());
    while let Some(Reverse(i)) = ready.pop() {
        sorted.push(&nodes[i]);
        for &reader in &readers[i] {
            waits[reader] -= 1;
            if waits[reader] == 0 {
                ready.push(Reverse(reader));
            }
        }
    }
    match waits.iter().position(|&count| count > 0) {
        Some(i) => Err(&nodes[i]),
        None => Ok(sorted),
    }
}

/// The names that a node reads, those inside its bodies included.
fn reads_of<'m>(node: &'m NodeProto, depth: u32, names: &mut Vec<&'m str>) {
    // Decoding has bounded the depth; the limit says so to a reader.
    if depth > 64 {
        return;
    }
    names.extend(node.input.iter().map(String::as_str));
    for graph in node.attribute.iter().filter_map(|attribute| attribute.g.as_ref()) {
        let mut inside = Vec::new();
        graph.node.iter().for_each(|node| reads_of(node, depth + 1, &mut inside));
        inside.extend(graph.output.iter().map(name_of));
        // What the body itself makes hides what has the same name around it.
        let made = graph.node.iter().flat_map(|node| &node.output).map(String::as_str);
        let constants = graph.initializer.iter().filter_map(|tensor| tensor.name.as_deref());
        let own: HashSet<&str> =
            made.chain(constants).chain(graph.input.iter().map(name_of)).collect();
        names.extend(inside.into_iter().filter(|name| !own.contains(name)));
    }
}
