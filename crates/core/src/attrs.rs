//! Attributes of operators: declared once by [`attrs!`], read from a call, printed, listed.

use std::fmt;

use crate::error::{Result, bail, ensure};
use crate::number::{Number, round_float};
use crate::types::DataType;

/// An attribute's value as a call carries it, before its type is known.
#[derive(Clone, Debug, PartialEq)]
pub enum Attr {
    /// A boolean.
    Bool(bool),
    /// Any number.
    Number(Number),
    /// The name of an enumeration's value.
    Text(String),
    /// A sequence.
    List(Vec<Attr>),
}

impl Attr {
    /// The boolean, where it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Attr::Bool(value) => Some(*value),
            Attr::Number(_) | Attr::Text(_) | Attr::List(_) => None,
        }
    }

    /// The number, where it is one.
    pub fn as_number(&self) -> Option<Number> {
        match self {
            Attr::Number(number) => Some(*number),
            Attr::Bool(_) | Attr::Text(_) | Attr::List(_) => None,
        }
    }

    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Attr::Text(text) => Some(text),
            Attr::Bool(_) | Attr::Number(_) | Attr::List(_) => None,
        }
    }

    /// The items, where it is a sequence.
    pub fn as_list(&self) -> Option<&[Attr]> {
        match self {
            Attr::List(items) => Some(items),
            Attr::Bool(_) | Attr::Number(_) | Attr::Text(_) => None,
        }
    }
}

/// What type an attribute has; for tables, documentation and generated code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `boolean`
    Bool,
    /// `[EnforceRange] unsigned long`
    U32,
    /// `[EnforceRange] long`
    I32,
    /// `float`
    F32,
    /// `double`
    F64,
    /// `MLNumber`
    Number,
    /// One of these names.
    Enum(&'static [&'static str]),
    /// A sequence of any length.
    List(&'static Kind),
    /// A sequence of exactly this length.
    Array(&'static Kind, usize),
    /// May be absent.
    Optional(&'static Kind),
    /// A number of parts, or their sizes.
    Splits,
}

/// A type that an attribute can have.
pub trait Attribute: Sized + PartialEq {
    /// The type, described.
    const KIND: Kind;
    /// Reads the value; the error says what was expected.
    fn read(attr: &Attr) -> Result<Self>;
    /// The value as a call would carry it; `None` where it is absent.
    fn write(&self) -> Option<Attr>;
    /// Rounds a double to what the data type can hold.
    fn round(&mut self, data_type: DataType) {
        let _ = data_type;
    }
}

/// One attribute of an operator.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name in Rust; [`camel_case`] gives the specification's.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// The type's name in Rust.
    pub rust_type: &'static str,
    /// Whether it is a parameter of the method rather than a member of its options.
    pub is_parameter: bool,
}

/// A set of attributes that [`attrs!`] declared.
pub trait FromArgs: Sized {
    /// The attributes in the order of their declaration.
    const FIELDS: &'static [Field];
    /// Reads all of them from a call.
    fn parse(args: &Args) -> Result<Self>;
}

/// Something with attributes that can be listed.
pub trait Attributes {
    /// Those that differ from their default, by their name in Rust.
    fn attributes(&self) -> Vec<(&'static str, Attr)>;
    /// Rounds the doubles among them to what the data type can hold.
    fn round_doubles(&mut self, data_type: DataType) {
        let _ = data_type;
    }
}

/// The attributes of a call by name, as the specification or as Rust spells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args(Vec<(String, Attr)>);

impl Args {
    /// No attributes.
    pub fn new() -> Args {
        Args::default()
    }

    /// The same with one more attribute.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, attr: Attr) -> Args {
        self.0.push((name.into(), attr));
        self
    }

    /// Adds an attribute.
    pub fn push(&mut self, name: impl Into<String>, attr: Attr) {
        self.0.push((name.into(), attr));
    }

    /// The value of the attribute whose name in Rust is given.
    pub fn get(&self, name: &str) -> Option<&Attr> {
        self.0.iter().find(|(key, _)| is_name(key, name)).map(|(_, attr)| attr)
    }

    /// The names in the order in which they were given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Reads a parameter.
    pub fn required<T: Attribute>(&self, name: &str) -> Result<T> {
        match self.get(name) {
            Some(attr) => T::read(attr).map_err(|error| error.at(camel_case(name))),
            None => bail!("{} is missing", camel_case(name)),
        }
    }

    /// Reads an option, or takes its default.
    pub fn optional<T: Attribute>(&self, name: &str, default: T) -> Result<T> {
        match self.get(name) {
            Some(attr) => T::read(attr).map_err(|error| error.at(camel_case(name))),
            None => Ok(default),
        }
    }
}

/// The specification's spelling of a name in Rust: `input_layout` is `inputLayout`.
pub fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else {
            camel.push(if upper { c.to_ascii_uppercase() } else { c });
            upper = false;
        }
    }
    camel
}

/// Whether a key is the given name, as Rust or as the specification spells it.
pub fn is_name(key: &str, name: &str) -> bool {
    key == name || (key.len() < name.len() && name.contains('_') && key == camel_case(name))
}

impl Attribute for bool {
    const KIND: Kind = Kind::Bool;
    fn read(attr: &Attr) -> Result<bool> {
        match attr.as_bool() {
            Some(value) => Ok(value),
            None => bail!("{attr} is not a boolean"),
        }
    }
    fn write(&self) -> Option<Attr> {
        Some(Attr::Bool(*self))
    }
}

/// `[EnforceRange]`: a finite number, its fraction cut off, inside the type's range.
fn enforce_range(attr: &Attr, least: i64, greatest: i64) -> Result<i64> {
    let value = match attr.as_number() {
        Some(Number::Int(value)) => Some(value),
        Some(Number::Float(value)) => value.is_finite().then_some(value.trunc() as i128),
        None => None,
    };
    match value {
        Some(value) if (i128::from(least)..=i128::from(greatest)).contains(&value) => {
            Ok(value as i64)
        }
        _out_of_range => bail!("{attr} is not an integer of {least} to {greatest}"),
    }
}

impl Attribute for u32 {
    const KIND: Kind = Kind::U32;
    fn read(attr: &Attr) -> Result<u32> {
        Ok(enforce_range(attr, 0, u32::MAX.into())? as u32)
    }
    fn write(&self) -> Option<Attr> {
        Some(Attr::Number(Number::Int((*self).into())))
    }
}

impl Attribute for i32 {
    const KIND: Kind = Kind::I32;
    fn read(attr: &Attr) -> Result<i32> {
        Ok(enforce_range(attr, i32::MIN.into(), i32::MAX.into())? as i32)
    }
    fn write(&self) -> Option<Attr> {
        Some(Attr::Number(Number::Int((*self).into())))
    }
}

impl Attribute for f64 {
    const KIND: Kind = Kind::F64;
    fn read(attr: &Attr) -> Result<f64> {
        match attr.as_number().map(Number::to_f64) {
            Some(value) if value.is_finite() => Ok(value),
            _none_or_not_finite => bail!("{attr} is not a finite number"),
        }
    }
    fn write(&self) -> Option<Attr> {
        Some(Attr::Number(Number::Float(*self)))
    }
    fn round(&mut self, data_type: DataType) {
        *self = round_float(*self, data_type);
    }
}

impl Attribute for f32 {
    const KIND: Kind = Kind::F32;
    fn read(attr: &Attr) -> Result<f32> {
        let value = f64::read(attr)? as f32;
        ensure!(value.is_finite(), "{attr} is out of the range of a float");
        Ok(value)
    }
    fn write(&self) -> Option<Attr> {
        Some(Attr::Number(Number::Float(f64::from(*self))))
    }
}

impl Attribute for Number {
    const KIND: Kind = Kind::Number;
    fn read(attr: &Attr) -> Result<Number> {
        match attr.as_number() {
            Some(number) => Ok(number),
            None => bail!("{attr} is not a number"),
        }
    }
    fn write(&self) -> Option<Attr> {
        Some(Attr::Number(*self))
    }
}

impl<T: Attribute> Attribute for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);
    fn read(attr: &Attr) -> Result<Vec<T>> {
        match attr.as_list() {
            Some(items) => items.iter().map(T::read).collect(),
            None => bail!("{attr} is not a sequence"),
        }
    }
    fn write(&self) -> Option<Attr> {
        Some(Attr::List(self.iter().filter_map(T::write).collect()))
    }
}

impl<T: Attribute, const N: usize> Attribute for [T; N] {
    const KIND: Kind = Kind::Array(&T::KIND, N);
    fn read(attr: &Attr) -> Result<[T; N]> {
        let items = Vec::<T>::read(attr)?;
        let length = items.len();
        match items.try_into() {
            Ok(array) => Ok(array),
            Err(_) => bail!("has {length} items, expected {N}"),
        }
    }
    fn write(&self) -> Option<Attr> {
        Some(Attr::List(self.iter().filter_map(T::write).collect()))
    }
}

impl<T: Attribute> Attribute for Option<T> {
    const KIND: Kind = Kind::Optional(&T::KIND);
    fn read(attr: &Attr) -> Result<Option<T>> {
        Ok(Some(T::read(attr)?))
    }
    fn write(&self) -> Option<Attr> {
        self.as_ref().and_then(T::write)
    }
}

impl Attribute for DataType {
    const KIND: Kind = Kind::Enum(&[
        "float32", "float16", "int32", "uint32", "int64", "uint64", "int8", "uint8", "int4",
        "uint4",
    ]);
    fn read(attr: &Attr) -> Result<DataType> {
        match attr.as_text().and_then(DataType::from_name) {
            Some(data_type) => Ok(data_type),
            None => bail!("{attr} is not a data type"),
        }
    }
    fn write(&self) -> Option<Attr> {
        Some(Attr::Text(self.name().into()))
    }
}

impl fmt::Display for Attr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attr::Bool(value) => write!(f, "{value}"),
            Attr::Number(number) => write!(f, "{number}"),
            Attr::Text(text) => write!(f, "{text:?}"),
            Attr::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("]")
            }
        }
    }
}

/// Declares a set of attributes or an enumeration that one can have.
///
/// As in the specification's signatures, parameters stand in parentheses and options, which have
/// defaults, in braces.
#[macro_export]
macro_rules! attrs {
    ($(#[$doc:meta])* $vis:vis struct $name:ident(
        $($(#[$pdoc:meta])* $param:ident: $ptype:ty),* $(,)?
    ) {
        $($(#[$odoc:meta])* $option:ident: $otype:ty = $default:expr),* $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            $($(#[$pdoc])* pub $param: $ptype,)*
            $($(#[$odoc])* pub $option: $otype,)*
        }

        impl $name {
            /// The given parameters, and every option at its default.
            #[allow(clippy::new_without_default, reason = "a default would hide the parameters")]
            $vis fn new($($param: $ptype),*) -> Self {
                Self { $($param,)* $($option: $default,)* }
            }
        }

        impl $crate::attrs::FromArgs for $name {
            const FIELDS: &'static [$crate::attrs::Field] = &[
                $($crate::attrs::Field {
                    name: stringify!($param),
                    kind: <$ptype as $crate::attrs::Attribute>::KIND,
                    rust_type: stringify!($ptype),
                    is_parameter: true,
                },)*
                $($crate::attrs::Field {
                    name: stringify!($option),
                    kind: <$otype as $crate::attrs::Attribute>::KIND,
                    rust_type: stringify!($otype),
                    is_parameter: false,
                },)*
            ];

            #[allow(unused_variables, reason = "an operator may have no attributes")]
            fn parse(args: &$crate::attrs::Args) -> $crate::error::Result<Self> {
                Ok(Self {
                    $($param: args.required(stringify!($param))?,)*
                    $($option: args.optional(stringify!($option), $default)?,)*
                })
            }
        }

        impl $crate::attrs::Attributes for $name {
            #[allow(unused_variables, reason = "an operator may have no options")]
            fn round_doubles(&mut self, data_type: $crate::types::DataType) {
                $($crate::attrs::Attribute::round(&mut self.$option, data_type);)*
            }

            #[allow(unused_mut, clippy::vec_init_then_push, reason = "it may have no attributes")]
            fn attributes(&self) -> Vec<(&'static str, $crate::attrs::Attr)> {
                let mut list = Vec::new();
                $(if let Some(attr) = $crate::attrs::Attribute::write(&self.$param) {
                    list.push((stringify!($param), attr));
                })*
                $(
                    let default: $otype = $default;
                    if self.$option != default
                        && let Some(attr) = $crate::attrs::Attribute::write(&self.$option)
                    {
                        list.push((stringify!($option), attr));
                    }
                )*
                list
            }
        }
    };
    ($(#[$doc:meta])* pub enum $name:ident {
        $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// All values, in the specification's order.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The specification's name.
            pub fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)*
                }
            }
        }

        impl $crate::attrs::Attribute for $name {
            const KIND: $crate::attrs::Kind = $crate::attrs::Kind::Enum(&[$($text),*]);
            fn read(attr: &$crate::attrs::Attr) -> $crate::error::Result<Self> {
                match attr.as_text() {
                    $(Some($text) => Ok($name::$variant),)*
                    _unknown => $crate::error::bail!(
                        "{attr} is not one of {}",
                        [$($text),*].join(", ")
                    ),
                }
            }
            fn write(&self) -> Option<$crate::attrs::Attr> {
                Some($crate::attrs::Attr::Text(self.name().into()))
            }
        }
    };
}

pub use crate::attrs;

#[cfg(test)]
mod tests {
    use super::*;

    attrs! {
        /// For the tests.
        struct Sample(axis: u32) { padding: [u32; 2] = [0, 0], scale: Option<f64> = None }
    }

    fn number(value: f64) -> Attr {
        Attr::Number(Number::Float(value))
    }

    #[test]
    fn attributes_are_read_by_either_spelling_and_range() {
        assert!(is_name("inputLayout", "input_layout") && is_name("input_layout", "input_layout"));
        for (axis, ok) in [(1.0, true), (1.9, true), (-1.0, false), (f64::NAN, false), (4e9, true)]
        {
            let args = Args::new().with("axis", number(axis));
            assert_eq!(Sample::parse(&args).is_ok(), ok, "{axis}");
        }
        assert!(Sample::parse(&Args::new()).is_err_and(|e| e.message() == "axis is missing"));
    }

    #[test]
    fn what_is_written_reads_back() {
        let sample = Sample { padding: [1, 2], scale: Some(0.5), ..Sample::new(3) };
        let args = sample
            .attributes()
            .into_iter()
            .fold(Args::new(), |args, (name, attr)| args.with(name, attr));
        assert_eq!(Sample::parse(&args).unwrap(), sample);
        assert_eq!(Sample::new(3).attributes().len(), 1);
    }
}
