//! JavaScript's values as Rust's, and errors the other way.

use js_sys::{Array, BigInt, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use webnn::core::attrs::{Args, Attr};
use webnn::{DataType, Error, Number, TensorDescriptor};

/// A failure that JavaScript sees as an `Error` with a `code`.
pub(crate) type Result<T> = std::result::Result<T, JsValue>;

/// The `HostError` of `web/src/host.ts`.
pub(crate) fn failure(error: Error) -> JsValue {
    let exception = js_sys::Error::new(error.message());
    let code = JsValue::from_str(error.kind().name());
    // Setting a member of a fresh object cannot fail.
    let _ = Reflect::set(&exception, &JsValue::from_str("code"), &code);
    exception.into()
}

/// A call that does not follow the contract between the two languages.
pub(crate) fn misuse(message: &str) -> JsValue {
    failure(Error::type_error(message))
}

pub(crate) fn data_type(name: &str) -> Result<DataType> {
    DataType::from_name(name).ok_or_else(|| misuse(&format!("{name:?} is not a data type")))
}

pub(crate) fn descriptor(data_type_name: &str, shape: &[u32]) -> Result<TensorDescriptor> {
    Ok(TensorDescriptor::new(data_type(data_type_name)?, shape))
}

pub(crate) fn text(value: &JsValue) -> Result<String> {
    value.as_string().ok_or_else(|| misuse("expected a string"))
}

/// A number that names an object of ours, or a size.
pub(crate) fn id(value: &JsValue) -> Result<u32> {
    value.as_f64().map(|id| id as u32).ok_or_else(|| misuse("expected a number"))
}

/// An array whose items are name and value by turns.
pub(crate) fn pairs<T>(
    array: &Array,
    value: impl Fn(&JsValue) -> Result<T>,
) -> Result<Vec<(String, T)>> {
    let pair = |i: u32| Ok((text(&array.get(2 * i))?, value(&array.get(2 * i + 1))?));
    (0..array.length() / 2).map(pair).collect()
}

/// An array whose items are name, data type and shape by turns.
pub(crate) fn ports(array: &Array) -> Result<Vec<(String, TensorDescriptor)>> {
    let port = |i: u32| {
        let shape = array.get(3 * i + 2);
        let shape = shape.dyn_ref::<Array>().ok_or_else(|| misuse("expected a shape"))?;
        let shape: Vec<u32> = shape.iter().map(|size| id(&size)).collect::<Result<_>>()?;
        let data_type = text(&array.get(3 * i + 1))?;
        Ok((text(&array.get(3 * i))?, descriptor(&data_type, &shape)?))
    };
    (0..array.length() / 3).map(port).collect()
}

pub(crate) fn args(array: &Array) -> Result<Args> {
    let mut args = Args::new();
    for (name, attr) in pairs(array, attr)? {
        args.push(name, attr);
    }
    Ok(args)
}

fn attr(value: &JsValue) -> Result<Attr> {
    if let Some(value) = value.as_bool() {
        return Ok(Attr::Bool(value));
    }
    if let Some(value) = value.as_string() {
        return Ok(Attr::Text(value));
    }
    if let Some(items) = value.dyn_ref::<Array>() {
        return Ok(Attr::List(items.iter().map(|item| attr(&item)).collect::<Result<_>>()?));
    }
    number(value).map(Attr::Number)
}

pub(crate) fn number(value: &JsValue) -> Result<Number> {
    if let Some(value) = value.as_f64() {
        return Ok(Number::Float(value));
    }
    let Some(value) = value.dyn_ref::<BigInt>() else {
        return Err(misuse("expected a boolean, a number, a bigint, a string or an array"));
    };
    // What 128 bits cannot hold is clamped like all that is out of the data type's range.
    let clamped = || if value.lt(&JsValue::from(0).into()) { i128::MIN } else { i128::MAX };
    Ok(Number::Int(i128::try_from(value.clone()).unwrap_or_else(|_| clamped())))
}
