//! The binary: one expression, run the command line and return its exit code.
fn main() {}
