//! Exit codes: 1 where the work failed, 2 where the command was used in a wrong way.

use std::fmt;

use anyhow::Error;

/// Marks an error as wrong use.
#[derive(Debug)]
struct Misuse(String);

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

/// An error in how the command was called.
pub(crate) fn misuse(message: impl Into<String>) -> Error {
    Error::new(Misuse(message.into()))
}

pub(crate) fn exit_code(error: &Error) -> u8 {
    if error.downcast_ref::<Misuse>().is_some() { 2 } else { 1 }
}

/// Whether the reader of our output has gone, as `head` does.
pub(crate) fn is_broken_pipe(error: &Error) -> bool {
    let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    kind == Some(std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn wrong_use_stays_so_with_context() {
        let wrong: anyhow::Result<()> = Err(misuse("no such input"));
        assert_eq!(exit_code(&wrong.context("x.npy").unwrap_err()), 2);
        assert_eq!(exit_code(&anyhow::anyhow!("no such file")), 1);
    }
}
