//! The binary: one expression, run the command line and return its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    snowform::cli::run()
}
