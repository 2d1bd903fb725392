//! What an operator's importer sees of its node: inputs, attributes, version.

use std::rc::Rc;

use crate::elem::ElemType;
use crate::emit::Emit;
use crate::error::{Fault, Outcome, Reason, fault, require};
use crate::import::{Scope, Value, Walk};
use crate::known::{Array, Known};
use crate::tensor::{Tensor, axes_of};
use crate::wire::{AttributeProto, GraphProto, NodeProto};

/// Imports one node of an operator.
pub(crate) type Handler = for<'c, 'm, 'b> fn(&mut Cx<'c, 'm, 'b>) -> Outcome<Vec<Value>>;

/// One node, its inputs looked up.
pub(crate) struct Cx<'c, 'm, 'b> {
    /// The graph that is being built.
    pub(crate) g: &'c mut Emit<'b>,
    pub(crate) walk: &'c mut Walk<'m>,
    pub(crate) node: &'m NodeProto,
    pub(crate) inputs: Vec<Option<Value>>,
    pub(crate) scope: &'c Scope<'m, 'c>,
    /// The version of the operator set that the node is from.
    pub(crate) version: i64,
}

/// The one result of a node.
pub(crate) fn one(tensor: Tensor) -> Outcome<Vec<Value>> {
    Ok(vec![tensor.into()])
}

/// The results of a node.
pub(crate) fn all(tensors: Vec<Tensor>) -> Outcome<Vec<Value>> {
    Ok(tensors.into_iter().map(Value::Tensor).collect())
}

impl<'m> Cx<'_, 'm, '_> {
    /// The value of an input, if there is one.
    pub(crate) fn value(&self, index: usize) -> Option<&Value> {
        self.inputs.get(index).and_then(Option::as_ref)
    }

    /// An optional dense input.
    pub(crate) fn opt(&self, index: usize) -> Outcome<Option<Tensor>> {
        match self.value(index) {
            None | Some(Value::Nothing) => Ok(None),
            Some(Value::Tensor(tensor)) => Ok(Some(tensor.clone())),
            Some(Value::Sequence(_)) => {
                fault!(SequenceOrOptional, "input {index} is a sequence")
            }
            Some(Value::Unknown) => fault!(Invalid, "input {index} is not known"),
        }
    }

    /// A required dense input.
    pub(crate) fn x(&self, index: usize) -> Outcome<Tensor> {
        match self.opt(index)? {
            Some(tensor) => Ok(tensor),
            None => fault!(Invalid, "input {index} is missing"),
        }
    }

    /// All dense inputs from the given one on.
    pub(crate) fn rest(&self, from: usize) -> Outcome<Vec<Tensor>> {
        (from..self.inputs.len()).map(|index| self.x(index)).collect()
    }

    /// Whether the node's output of this index is used.
    pub(crate) fn wants(&self, output: usize) -> bool {
        self.node.output.get(output).is_some_and(|name| !name.is_empty())
    }

    /// The elements of an input that has to be known now.
    pub(crate) fn known(&self, index: usize) -> Outcome<Rc<Array>> {
        let tensor = self.x(index)?;
        if let Some(known) = tensor.known() {
            return known.array();
        }
        let name = self.node.input.get(index).cloned().unwrap_or_default();
        Err(Fault {
            reason: Reason::RuntimeParameter,
            message: format!("input {index}, {name:?}, must be known when the graph is built"),
            unknown: Some(name),
        })
    }

    /// Integers of an input that has to be known now.
    pub(crate) fn ints(&self, index: usize) -> Outcome<Vec<i64>> {
        let values = self.known(index)?.to_ints();
        // Ends of slices are often the greatest integer there is.
        let narrow = |value: i128| value.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        Ok(values.into_iter().map(narrow).collect())
    }

    /// Integers of an optional input that has to be known now.
    pub(crate) fn opt_ints(&self, index: usize) -> Outcome<Option<Vec<i64>>> {
        self.opt(index)?.map(|_| self.ints(index)).transpose()
    }

    /// The one element of an input that has to be known now.
    pub(crate) fn scalar(&self, index: usize) -> Outcome<f64> {
        let values = self.known(index)?.to_floats();
        match values.as_slice() {
            [value] => Ok(*value),
            _more => fault!(Invalid, "input {index} has {} elements, expected one", values.len()),
        }
    }

    /// An attribute, in a function that of the call.
    pub(crate) fn attribute(&self, name: &str) -> Option<&'m AttributeProto> {
        let own = self.node.attribute.iter().find(|a| a.name.as_deref() == Some(name))?;
        match own.ref_attr_name.as_deref().filter(|name| !name.is_empty()) {
            Some(outer) => self.scope.attributes.and_then(|a| a.get(outer)).copied(),
            None => Some(own),
        }
    }

    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        self.attribute(name).map(|attribute| attribute.i.unwrap_or(0))
    }

    pub(crate) fn int_or(&self, name: &str, default: i64) -> i64 {
        self.int(name).unwrap_or(default)
    }

    pub(crate) fn flag(&self, name: &str, default: bool) -> bool {
        self.int(name).map_or(default, |value| value != 0)
    }

    pub(crate) fn float(&self, name: &str) -> Option<f64> {
        self.attribute(name).map(|attribute| f64::from(attribute.f.unwrap_or(0.0)))
    }

    pub(crate) fn float_or(&self, name: &str, default: f64) -> f64 {
        self.float(name).unwrap_or(default)
    }

    pub(crate) fn int_list(&self, name: &str) -> Option<Vec<i64>> {
        self.attribute(name).map(|attribute| attribute.ints.clone())
    }

    pub(crate) fn float_list(&self, name: &str) -> Option<Vec<f64>> {
        let list = |a: &AttributeProto| a.floats.iter().map(|&value| f64::from(value)).collect();
        self.attribute(name).map(list)
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let text = self.attribute(name)?.s.as_ref()?;
        Some(String::from_utf8_lossy(text).into_owned())
    }

    pub(crate) fn text_or(&self, name: &str, default: &str) -> String {
        self.text(name).unwrap_or_else(|| default.to_owned())
    }

    pub(crate) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let text = |text: &bytes::Bytes| String::from_utf8_lossy(text).into_owned();
        self.attribute(name).map(|attribute| attribute.strings.iter().map(text).collect())
    }

    /// A body.
    pub(crate) fn body(&self, name: &str) -> Outcome<&'m GraphProto> {
        match self.attribute(name).and_then(|attribute| attribute.g.as_ref()) {
            Some(graph) => Ok(graph),
            None => fault!(Invalid, "attribute {name:?} is missing, expected a graph"),
        }
    }

    /// A constant in an attribute.
    pub(crate) fn tensor(&self, name: &str) -> Outcome<Option<Known>> {
        let tensor = self.attribute(name).and_then(|attribute| attribute.t.as_ref());
        tensor.map(|tensor| self.walk.model.constants.tensor(tensor)).transpose()
    }

    /// An element type in an attribute.
    pub(crate) fn elem(&self, name: &str) -> Outcome<Option<ElemType>> {
        let number = self.int(name).map(|number| i32::try_from(number).unwrap_or(0));
        number.map(ElemType::from_wire).transpose()
    }

    /// Axes, which newer versions take as an input and older ones as an attribute.
    pub(crate) fn axes(&self, input: usize, rank: usize) -> Outcome<Option<Vec<usize>>> {
        let axes = match self.opt_ints(input)? {
            Some(axes) => Some(axes),
            None => self.int_list("axes"),
        };
        axes.map(|axes| axes_of(&axes, rank)).transpose()
    }

    /// A list attribute of exactly this many items, none below the least.
    pub(crate) fn sizes(
        &self,
        name: &str,
        count: usize,
        default: u32,
        least: i64,
    ) -> Outcome<Vec<u32>> {
        let Some(list) = self.int_list(name).filter(|list| !list.is_empty()) else {
            return Ok(vec![default; count]);
        };
        require!(list.len() == count, "{name} has {} items, expected {count}", list.len());
        require!(
            list.iter().all(|&value| (least..=i64::from(i32::MAX)).contains(&value)),
            "{name} is {list:?}, expected no item below {least}"
        );
        Ok(list.into_iter().map(|value| value as u32).collect())
    }
}
