//! A node as the call of an `MLGraphBuilder` that makes it.

use webnn_core::attrs::{Attr, camel_case};
use webnn_core::limits::Presence;
use webnn_core::{Node, ValueId};

/// A call as the specification writes it: operands, then other parameters, then options.
#[derive(Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    /// Required operands in order.
    pub(crate) operands: Vec<Operands>,
    /// The parameters behind them.
    pub(crate) parameters: Vec<Attr>,
    /// Members of the options that differ from their default.
    pub(crate) options: Vec<(String, Attr)>,
    /// Members of the options that are operands.
    pub(crate) optional: Vec<(&'static str, ValueId)>,
    pub(crate) label: String,
    pub(crate) outputs: Vec<ValueId>,
    /// Whether the method gives a sequence, be it of one item.
    pub(crate) gives_sequence: bool,
}

/// What stands for one parameter.
#[derive(Debug, PartialEq)]
pub(crate) enum Operands {
    One(ValueId),
    Sequence(Vec<ValueId>),
}

impl Call {
    pub(crate) fn of(node: &Node) -> Call {
        let method = node.op.method();
        let mut operands = Vec::new();
        let mut optional = Vec::new();
        for (i, slot) in method.slots.iter().enumerate() {
            let operand = node.inputs.get(i).copied().flatten();
            match slot.presence {
                Presence::Required => operands.extend(operand.map(Operands::One)),
                Presence::Optional => optional.extend(operand.map(|id| (slot.name, id))),
                Presence::Repeated => {
                    operands
                        .push(Operands::Sequence(node.inputs.iter().flatten().copied().collect()));
                }
            }
        }
        let (mut parameters, mut options) = (Vec::new(), Vec::new());
        for (name, attr) in node.op.attributes() {
            match method.fields.iter().find(|field| field.name == name) {
                Some(field) if field.is_parameter => parameters.push(attr),
                _option => options.push((camel_case(name), attr)),
            }
        }
        Call {
            method: method.name,
            operands,
            parameters,
            options,
            optional,
            label: node.label.to_string(),
            outputs: node.outputs.clone(),
            gives_sequence: !matches!(
                method.outputs,
                [slot] if slot.presence == Presence::Required
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use webnn_core::{Graph, Number};

    fn calls(text: &str) -> Vec<Call> {
        let graph: Graph = text.parse().expect("the text is a graph");
        graph.nodes().iter().map(Call::of).collect()
    }

    fn number(value: i64) -> Attr {
        Attr::Number(Number::from(value))
    }

    #[test]
    fn parameters_come_in_order_and_options_by_name() {
        let calls = calls(
            "%0 = input \"x\" float32[1, 4, 4, 3]\n\
             %1 = constant float32[2, 1, 1, 3] splat 1\n\
             %2 = constant float32[2] splat 1\n\
             %3 = conv2d(%0, %1, bias: %2) { inputLayout: \"nhwc\", filterLayout: \"ohwi\", label: \"stem\" }\n\
             %4 = slice(%3) { starts: [0, 0, 0, 0], sizes: [1, 4, 4, 1] }\n\
             output \"y\" = %4\n",
        );
        let [conv2d, slice] = &calls[..] else { panic!("there are two nodes") };
        assert_eq!(conv2d.operands, [Operands::One(ValueId(0)), Operands::One(ValueId(1))]);
        assert_eq!(conv2d.optional, [("bias", ValueId(2))]);
        assert_eq!(conv2d.label, "stem");
        let names: Vec<&str> = conv2d.options.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["inputLayout", "filterLayout"]);
        assert!(conv2d.parameters.is_empty() && !conv2d.gives_sequence);
        let list = |values: [i64; 4]| Attr::List(values.map(number).to_vec());
        assert_eq!(slice.parameters, [list([0, 0, 0, 0]), list([1, 4, 4, 1])]);
    }

    #[test]
    fn sequences_stay_sequences() {
        let calls = calls(
            "%0 = input \"x\" float32[4]\n\
             %1 = concat(%0, %0) { axis: 0 }\n\
             %2 = split(%1) { splits: 1 }\n\
             output \"y\" = %2\n",
        );
        let twice = Operands::Sequence(vec![ValueId(0), ValueId(0)]);
        assert_eq!((&calls[0].operands, &calls[0].parameters), (&vec![twice], &vec![number(0)]));
        assert!(calls[1].gives_sequence && !calls[0].gives_sequence);
    }

    #[test]
    fn every_parameter_of_every_method_stands_behind_its_operands() {
        for method in webnn_core::ops::methods() {
            let optional = method.slots.iter().position(|slot| slot.presence == Presence::Optional);
            let last = method.slots.iter().rposition(|slot| slot.presence != Presence::Optional);
            assert!(
                optional.is_none_or(|first| last.is_some_and(|last| last < first)),
                "{}",
                method.name
            );
        }
    }
}
