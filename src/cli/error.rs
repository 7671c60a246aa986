//! How a command ends: the exit codes, and the error that a person or a machine reads.

use crate::session::SessionError;
use std::process::ExitCode;

/// The exit codes; the same for every command and format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done, and nothing to say.
    Done = 0,
    /// The definition is wrong, or something failed.
    Failed = 1,
    /// Changes are present (only with `--detailed-exitcode`).
    Changes = 2,
    /// A hazard was not allowed.
    Refused = 3,
    /// The account did not accept who we are, or did not authorise what was asked.
    Unauthorised = 4,
    /// The saved plan is stale.
    Stale = 5,
    /// The command line is wrong.
    Usage = 64,
    /// Interrupted.
    Interrupted = 130,
}

impl Exit {
    /// Every code with what it means, for help and documentation.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::Done, "done, nothing to say"),
        (Self::Failed, "the definition is wrong, or something failed"),
        (Self::Changes, "changes are present (only with --detailed-exitcode, and drift)"),
        (Self::Refused, "refused: a hazard was not allowed"),
        (Self::Unauthorised, "could not authenticate, or not authorised"),
        (Self::Stale, "the saved plan is stale: what it was made from has moved"),
        (Self::Usage, "the command line is wrong"),
        (Self::Interrupted, "interrupted"),
    ];
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command failed.
#[derive(Debug)]
pub struct CommandError {
    /// The exit code.
    pub exit: Exit,
    /// A stable word, or the account's six-digit code.
    pub code: String,
    /// What went wrong, in a sentence. Never holds a secret.
    pub message: String,
    /// What to do. Commands to copy stand alone on a line.
    pub help: String,
    /// The account's id of the statement, where there is one.
    pub query_id: Option<String>,
    /// The definition's mistakes, already in order, where those are the reason.
    pub diagnostics: Vec<crate::source::diagnostic::Diagnostic>,
}

impl CommandError {
    /// An error with a code of our own.
    pub fn new(exit: Exit, code: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        debug_assert!(super::codes::is_known(code), "internal error: {code} is not declared in codes.rs");
        Self {
            exit,
            code: code.to_owned(),
            message: message.into(),
            help: help.into(),
            query_id: None,
            diagnostics: Vec::new(),
        }
    }

    /// What machines read of it.
    pub(super) fn document(&self) -> crate::view::json::ErrorDocument {
        let Self { exit: _, code, message, help, query_id, diagnostics: _ } = self;
        let (code, message, help) = (code.clone(), message.clone(), help.clone());
        crate::view::json::ErrorDocument { code, message, help, query_id: query_id.clone() }
    }
}

impl From<SessionError> for CommandError {
    fn from(error: SessionError) -> Self {
        let code = error.code();
        let message = error.to_string();
        let numbered = |word: &str| code.map_or_else(|| word.to_owned(), |code| format!("{code:06}"));
        match error {
            SessionError::Sql { query_id, .. } => {
                let denied = code == Some(crate::session::code::INSUFFICIENT_PRIVILEGES);
                let (exit, help) = if denied {
                    (Exit::Unauthorised, "use a role that has the privilege, or ask its owner to grant it")
                } else {
                    (Exit::Failed, "these are the account's own words; the code is documented by Snowflake")
                };
                Self { query_id, ..Self::new(exit, &numbered("sql"), message, help) }
            }
            SessionError::Authentication { help, .. } => {
                Self::new(Exit::Unauthorised, &numbered("authentication"), message, help)
            }
            SessionError::Unreachable { help, .. } => Self::new(Exit::Failed, "unreachable", message, help),
            SessionError::Protocol { help, .. } => Self::new(Exit::Failed, "protocol", message, help),
        }
    }
}
