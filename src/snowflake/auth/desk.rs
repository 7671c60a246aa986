//! What signing in may use beside the account: a person, and files for tokens and sessions.

use super::kept::TokenStore;
use crate::snowflake::retry::Retry;
use crate::snowflake::sessions::SessionStore;
use crate::snowflake::settings::Settings;
use std::fmt;
use std::sync::Arc;

/// What a person should know while a login waits for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice<'a> {
    /// This address is to be opened in a browser.
    Browser {
        /// The address. It holds no secret that counts without the answer to it.
        url: &'a str,
        /// Whether a browser was asked to show it.
        opened: bool,
    },
    /// What was pasted is not the address that the browser was led to.
    OtherAddress,
    /// A request waits to be approved on the person's telephone.
    Push,
    /// Another process is signing in as the same person.
    Waiting,
}

/// Who is told.
pub trait Person: Send + Sync {
    /// Tells it.
    fn tell(&self, notice: Notice<'_>);
}

/// Nobody: for machines.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Person for Nobody {
    fn tell(&self, _: Notice<'_>) {}
}

/// What signing in may use.
#[derive(Clone)]
pub struct Desk {
    pub(in crate::snowflake) person: Arc<dyn Person>,
    /// Tokens that outlive this process; none without a place for them.
    pub(in crate::snowflake) tokens: Option<TokenStore>,
    /// The same of sessions.
    pub(in crate::snowflake) sessions: Option<SessionStore>,
    /// How patient to be with others than the account.
    pub(in crate::snowflake) retry: Retry,
}

impl Desk {
    /// A desk with the files of this user on this machine, as far as the connection says that they may be used.
    pub fn of(settings: &Settings, person: Arc<dyn Person>) -> Self {
        let environment = Some(settings.environment()).filter(|_| settings.keeps());
        let (tokens, sessions) =
            (environment.and_then(TokenStore::find), environment.and_then(SessionStore::here));
        Self { person, tokens, sessions, ..Self::default() }
    }

    /// A desk that goes on with no session and keeps none; tokens stay.
    #[must_use]
    pub fn without_sessions(self) -> Self {
        Self { sessions: None, ..self }
    }
}

impl Default for Desk {
    /// Nobody is told, and nothing is kept.
    fn default() -> Self {
        Self { person: Arc::new(Nobody), tokens: None, sessions: None, retry: Retry::default() }
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk")
            .field("tokens", &self.tokens)
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}
