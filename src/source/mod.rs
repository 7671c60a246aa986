//! World one: what an author wrote. Texts, places in them, and what is wrong there. It forgives: reading
//! always yields something, plus diagnostics. No I/O; texts are handed in.

pub mod diagnostic;
pub mod files;
pub mod format;
pub mod lines;
pub mod mend;
pub mod span;
pub mod yaml;
