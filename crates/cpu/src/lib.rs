//! The CPU engine: graphs compiled to steps over an arena.
