//! One module per command.

pub(crate) mod bench;
pub(crate) mod conformance;
pub(crate) mod inspect;
pub(crate) mod roofline;
pub(crate) mod run;
pub(crate) mod worker;
