//! Files mapped into memory, as shared constant storage.
