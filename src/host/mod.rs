//! The machine: the only place that touches files, environment, clock and terminal by the standard library.

pub mod clock;
pub mod environment;
pub mod files;
pub mod stream;
pub mod terminal;
