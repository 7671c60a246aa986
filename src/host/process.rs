//! Other programs, and this process's own standard input.

use std::io::{self, Read as _, Write as _};
use std::process::{Command, Stdio};

/// What a program left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// What it wrote on standard output, as far as it is text.
    pub stdout: String,
    /// The same of standard error.
    pub stderr: String,
}

/// Runs a program with this on its standard input, and waits for it.
pub fn run(program: &str, arguments: &[&str], input: &str) -> io::Result<Ran> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(input.as_bytes()) {
            // A program that does not want its input says why by its exit code.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
    }
    let output = child.wait_with_output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) })
}

/// Everything on standard input, up to `limit` bytes.
pub fn input(limit: u64) -> io::Result<String> {
    let mut text = String::new();
    io::stdin().take(limit).read_to_string(&mut text)?;
    Ok(text)
}
