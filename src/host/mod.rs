//! The machine: the only place that touches files, environment, clock, terminal and other programs by the standard library.

pub mod browser;
pub mod clock;
pub mod environment;
pub mod files;
pub mod git;
pub mod lock;
pub mod process;
pub mod random;
pub mod stream;
pub mod terminal;
