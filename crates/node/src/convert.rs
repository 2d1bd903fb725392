//! Values and errors on their way between JavaScript and the runtime.

use napi::bindgen_prelude::{Array, BigInt, Either, Unknown};
use napi::{Env, JsError, ValueType};
use webnn::core::attrs::{Args, Attr};
use webnn::{DataType, Error, ErrorKind, Number};

/// What a function of the addon results in; the error's `code` is the kind's name.
pub(crate) type Result<T> = napi::Result<T, Code>;

/// How a script sees a failure, such as `TypeError`.
pub struct Code(ErrorKind);

impl AsRef<str> for Code {
    fn as_ref(&self) -> &str {
        self.0.name()
    }
}

/// An error of the runtime, to be thrown.
pub(crate) fn thrown(error: Error) -> napi::Error<Code> {
    napi::Error::new(Code(error.kind()), error.message())
}

/// An error of the bindings, to be thrown: an argument was not what the caller should pass.
pub(crate) fn refused(error: napi::Error) -> napi::Error<Code> {
    thrown(Error::type_error(error.reason.clone()))
}

/// An error of the runtime, to reject a promise with.
pub(crate) fn rejected(env: Env, error: Error) -> napi::Error {
    napi::Error::from(JsError::from(thrown(error)).into_unknown(env))
}

pub(crate) fn data_type(name: &str) -> Result<DataType> {
    DataType::from_name(name)
        .ok_or_else(|| thrown(Error::type_error(format!("{name:?} is no data type"))))
}

/// A number without loss; what is beyond every data type is told apart by its sign alone.
pub(crate) fn number(value: Either<f64, BigInt>) -> Number {
    let big = match value {
        Either::A(value) => return Number::Float(value),
        Either::B(big) => big,
    };
    let magnitude = match big.words[..] {
        [] => 0,
        [low] => u128::from(low),
        [low, high] => u128::from(low) | u128::from(high) << 64,
        [..] => u128::MAX,
    };
    match i128::try_from(magnitude) {
        Ok(value) => Number::Int(if big.sign_bit { -value } else { value }),
        Err(_) if big.sign_bit => Number::Float(f64::NEG_INFINITY),
        Err(_) => Number::Float(f64::INFINITY),
    }
}

/// Attributes from pairs of name and value.
pub(crate) fn attributes(pairs: &Array<'_>) -> Result<Args> {
    let mut args = Args::new();
    for index in 0..pairs.len() {
        let pair: Array<'_> = item(pairs, index)?;
        args.push(item::<String>(&pair, 0)?, attribute(&pair, 1)?);
    }
    Ok(args)
}

fn attribute(list: &Array<'_>, index: u32) -> Result<Attr> {
    let kind = item::<Unknown<'_>>(list, index)?.get_type().map_err(refused)?;
    Ok(match kind {
        ValueType::Boolean => Attr::Bool(item(list, index)?),
        ValueType::Number => Attr::Number(Number::Float(item(list, index)?)),
        ValueType::BigInt => Attr::Number(number(Either::B(item(list, index)?))),
        ValueType::String => Attr::Text(item(list, index)?),
        ValueType::Object => {
            let items: Array<'_> = item(list, index)?;
            Attr::List((0..items.len()).map(|i| attribute(&items, i)).collect::<Result<_>>()?)
        }
        ValueType::Undefined
        | ValueType::Null
        | ValueType::Symbol
        | ValueType::Function
        | ValueType::External
        | ValueType::Unknown => {
            return Err(thrown(Error::type_error(format!("{kind} is no attribute's value"))));
        }
    })
}

/// An item of an array, converted.
pub(crate) fn item<T: napi::bindgen_prelude::FromNapiValue>(
    list: &Array<'_>,
    index: u32,
) -> Result<T> {
    let missing = || Error::type_error(format!("an array has no item {index}"));
    list.get(index).map_err(refused)?.ok_or_else(|| thrown(missing()))
}
