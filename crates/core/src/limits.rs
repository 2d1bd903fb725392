//! What may be asked of an engine: slots of operators, and `opSupportLimits()` made from them.

use crate::error::{Result, ensure};
use crate::ops::Method;
use crate::types::{DataType, DataTypes, Desc, MAX_RANK};

/// An operand or a result of a method, with the types and ranks that it may have.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// The specification's name.
    pub name: &'static str,
    /// The data types.
    pub types: SlotTypes,
    /// The ranks.
    pub ranks: SlotRanks,
    /// How often it occurs.
    pub presence: Presence,
}

/// The data types of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotTypes {
    /// Any of the set.
    OneOf(DataTypes),
    /// That of the operand in the given slot.
    SameAs(usize),
}

/// The ranks of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotRanks {
    /// From the first to the second, both included.
    Between(usize, usize),
    /// That of the operand in the given slot.
    SameAs(usize),
}

/// How often a slot occurs in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Once.
    Required,
    /// At most once, as a member of the options.
    Optional,
    /// Any number of times, as a sequence.
    Repeated,
}

impl Slot {
    /// A required operand of any rank.
    pub const fn new(name: &'static str, types: DataTypes) -> Slot {
        Slot {
            name,
            types: SlotTypes::OneOf(types),
            ranks: SlotRanks::Between(0, MAX_RANK),
            presence: Presence::Required,
        }
    }

    /// A required operand with the data type of the operand in the given slot.
    pub const fn same(name: &'static str, slot: usize) -> Slot {
        Slot {
            name,
            types: SlotTypes::SameAs(slot),
            ranks: SlotRanks::Between(0, MAX_RANK),
            presence: Presence::Required,
        }
    }

    /// The same with ranks from `min` to `max`.
    pub const fn ranks(mut self, min: usize, max: usize) -> Slot {
        self.ranks = SlotRanks::Between(min, max);
        self
    }

    /// The same with exactly one rank.
    pub const fn rank(self, rank: usize) -> Slot {
        self.ranks(rank, rank)
    }

    /// The same with the rank of the operand in the given slot.
    pub const fn rank_of(mut self, slot: usize) -> Slot {
        self.ranks = SlotRanks::SameAs(slot);
        self
    }

    /// The same as a member of the options.
    pub const fn optional(mut self) -> Slot {
        self.presence = Presence::Optional;
        self
    }

    /// The same as a sequence.
    pub const fn repeated(mut self) -> Slot {
        self.presence = Presence::Repeated;
        self
    }
}

/// The data types and ranks of one operand, as `MLTensorLimits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorLimits {
    /// The data types.
    pub data_types: DataTypes,
    /// The least and the greatest rank.
    pub rank_range: (usize, usize),
}

/// The layout of images that an engine computes fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreferredLayout {
    /// Channels before rows and columns.
    Nchw,
    /// Channels last.
    Nhwc,
}

/// What an engine takes; the tables of the operators say the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A hint to callers.
    pub preferred_input_layout: PreferredLayout,
    /// The greatest size of a tensor in bytes.
    pub max_tensor_byte_length: u64,
    /// The most nodes of one graph.
    pub max_nodes: usize,
    /// The data types that the engine computes with.
    pub data_types: DataTypes,
}

impl Default for Limits {
    /// All that the specification allows.
    fn default() -> Limits {
        Limits {
            preferred_input_layout: PreferredLayout::Nhwc,
            max_tensor_byte_length: i32::MAX as u64,
            max_nodes: 1 << 20,
            data_types: DataTypes::ANY.or(DataTypes::NIBBLES),
        }
    }
}

impl Limits {
    /// The limits of graph inputs, constants and outputs.
    pub fn tensors(&self) -> TensorLimits {
        TensorLimits { data_types: self.data_types, rank_range: (0, MAX_RANK) }
    }

    /// The limits of each operand and result of a method, by name.
    pub fn method(&self, method: &Method) -> Vec<(&'static str, TensorLimits)> {
        let slots = method.slots.iter().chain(method.outputs);
        slots.map(|slot| (slot.name, self.slot(method, slot))).collect()
    }

    /// The limits of one slot, those that follow another slot looked up there.
    pub fn slot(&self, method: &Method, slot: &Slot) -> TensorLimits {
        let data_types = match slot.types {
            SlotTypes::OneOf(types) => types.iter().filter(|&t| self.data_types.contains(t)),
            SlotTypes::SameAs(other) => {
                return TensorLimits {
                    data_types: self.slot(method, &method.slots[other]).data_types,
                    rank_range: self.rank_range(method, slot),
                };
            }
        };
        TensorLimits {
            data_types: DataTypes::of(&data_types.collect::<Vec<DataType>>()),
            rank_range: self.rank_range(method, slot),
        }
    }

    /// The specification's `MLOpSupportLimits` dictionary as JSON, its members in the order in
    /// which a script sees them.
    pub fn to_json(&self) -> String {
        let tensor = |limits: TensorLimits| {
            let types: Vec<String> =
                limits.data_types.iter().map(|t| format!("\"{}\"", t.name())).collect();
            let (min, max) = limits.rank_range;
            format!(
                r#"{{"dataTypes":[{}],"rankRange":{{"max":{max},"min":{min}}}}}"#,
                types.join(",")
            )
        };
        let object = |mut members: Vec<(&str, String)>| {
            members.sort_unstable();
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        };
        let layout = match self.preferred_input_layout {
            PreferredLayout::Nchw => "\"nchw\"",
            PreferredLayout::Nhwc => "\"nhwc\"",
        };
        let mut members = vec![
            ("preferredInputLayout", layout.to_owned()),
            ("maxTensorByteLength", self.max_tensor_byte_length.to_string()),
        ];
        members.extend(["input", "constant", "output"].map(|name| (name, tensor(self.tensors()))));
        members.extend(crate::ops::methods().map(|method| {
            let slots = self.method(method).into_iter();
            (method.name, object(slots.map(|(name, limits)| (name, tensor(limits))).collect()))
        }));
        object(members)
    }

    fn rank_range(&self, method: &Method, slot: &Slot) -> (usize, usize) {
        match slot.ranks {
            SlotRanks::Between(min, max) => (min, max),
            SlotRanks::SameAs(other) => self.rank_range(method, &method.slots[other]),
        }
    }

    /// Fails unless the descriptor's sizes, bytes and type are within the limits.
    pub fn check(&self, desc: &Desc) -> Result<()> {
        desc.check()?;
        ensure!(
            self.data_types.contains(desc.data_type),
            "data type {} is not supported, expected one of {}",
            desc.data_type,
            self.data_types
        );
        ensure!(
            desc.byte_length() <= self.max_tensor_byte_length,
            "{desc} takes {} bytes, expected at most {}",
            desc.byte_length(),
            self.max_tensor_byte_length
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_lists_its_members_in_lexicographic_order() {
        let json = Limits::default().to_json();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let members = value.as_object().unwrap();
        assert_eq!(members.len(), 5 + crate::ops::methods().count());
        let places: Vec<usize> =
            members.keys().map(|name| json.find(&format!("\"{name}\":")).unwrap()).collect();
        assert!(members.keys().is_sorted() && places[..3].is_sorted());
        assert_eq!(value["softmax"]["input"]["dataTypes"][0], "float32");
        assert_eq!(value["conv2d"]["bias"]["rankRange"]["max"], 1);
        assert_eq!(value["maxTensorByteLength"], i32::MAX);
        assert_eq!(value["preferredInputLayout"], "nhwc");
    }
}
