//! What stands at the other end of the standard streams.

use std::io::IsTerminal as _;

/// Whether standard output is a terminal.
pub fn stdout_is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether standard error is a terminal.
pub fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Whether a person can answer a question: standard input and standard error are terminals.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && stderr_is_terminal()
}

/// The line that a person types; nothing where the input ends.
pub fn answer() -> Option<String> {
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(1..) => Some(line),
        Ok(0) | Err(_) => None,
    }
}

/// Columns of the terminal that one of the standard streams is, where one is.
pub fn columns() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

/// The next line that a person types, without its end. Waits until `given_up` says that nobody wants it any more; what
/// was not read by then is left for others. Nothing where standard input is no terminal, and on systems that cannot
/// wait like this.
pub fn typed_line(given_up: &std::sync::atomic::AtomicBool) -> Option<String> {
    #[cfg(unix)]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        use std::sync::atomic::Ordering;
        /// How often to look whether it is still wanted.
        const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            return None;
        }
        while !given_up.load(Ordering::Relaxed) {
            let ready = poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&LOOK));
            match ready {
                Ok(0) => {}
                Ok(_) => {
                    let mut line = String::new();
                    let read = stdin.read_line(&mut line).ok()?;
                    return (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned());
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return None,
            }
        }
        None
    }
    #[cfg(not(unix))]
    {
        let _ = given_up;
        None
    }
}
