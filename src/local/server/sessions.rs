//! Sessions and their tokens, in memory: they end with the server.

use super::super::account::Context;
use super::super::credentials;
use crate::host::clock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// A token's hash; the table holds no token.
type Hash = [u8; 32];

/// How long an expired token is still told from an unknown one, in milliseconds.
const REMEMBERED: u64 = 60 * 60 * 1000;

/// A session.
#[derive(Clone)]
pub(super) struct Session {
    /// Its number.
    pub(super) id: i64,
    /// Where it stands. Locked while a statement runs, so that statements of one session do not mix.
    pub(super) context: Arc<Mutex<Context>>,
}

/// What a token turned out to be.
pub(super) enum Lookup {
    /// Good.
    Good(Session),
    /// Once good.
    Expired,
    /// Of a session that was closed.
    Gone,
    /// Never given out, or for another purpose.
    Unknown,
}

/// A fresh token with its life in seconds.
pub(super) struct Issued {
    pub(super) token: String,
    pub(super) seconds: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// Statements.
    Session,
    /// New tokens.
    Master,
    /// Images.
    Registry,
}

struct Entry {
    session: i64,
    purpose: Purpose,
    /// Milliseconds since 1970-01-01 UTC.
    expires: u64,
}

/// Every session and every token of the server.
pub(super) struct Sessions {
    session_seconds: u64,
    master_seconds: u64,
    sessions: HashMap<i64, Session>,
    tokens: HashMap<Hash, Entry>,
}

impl Sessions {
    /// None yet. Lives in seconds.
    pub(super) fn new(session_seconds: u64, master_seconds: u64) -> Self {
        Self { session_seconds, master_seconds, sessions: HashMap::new(), tokens: HashMap::new() }
    }

    /// Opens a session; its session token and its master token.
    pub(super) fn open(&mut self, context: Context) -> (Session, Issued, Issued) {
        self.forget();
        let session = Session { id: credentials::random_number(), context: Arc::new(Mutex::new(context)) };
        self.sessions.insert(session.id, session.clone());
        let token = self.issue(session.id);
        let master = self.give_out(session.id, Purpose::Master, self.master_seconds);
        (session, token, master)
    }

    /// A further session token of a session.
    pub(super) fn issue(&mut self, session: i64) -> Issued {
        self.give_out(session, Purpose::Session, self.session_seconds)
    }

    /// Opens a session that the registry alone is used by; its token there, good for so many seconds.
    pub(super) fn open_for_registry(&mut self, context: Context, seconds: u64) -> Issued {
        self.forget();
        let session = Session { id: credentials::random_number(), context: Arc::new(Mutex::new(context)) };
        self.sessions.insert(session.id, session.clone());
        self.issue_for_registry(session.id, seconds)
    }

    /// A token for the registry of a session. It outlives the session tokens: a push may take longer than they do.
    pub(super) fn issue_for_registry(&mut self, session: i64, seconds: u64) -> Issued {
        self.give_out(session, Purpose::Registry, seconds)
    }

    /// New tokens in place of a session token that expired, or is about to. The old master token stays good
    /// for its time, so that a client that missed this answer can ask again.
    pub(super) fn renew(&mut self, session: i64, old_token: &str) -> (Issued, Issued) {
        if let Some(old) = self.tokens.get_mut(&credentials::token_hash(old_token))
            && old.session == session
            && old.purpose == Purpose::Session
        {
            old.expires = old.expires.min(clock::now_millis());
        }
        let token = self.issue(session);
        (token, self.give_out(session, Purpose::Master, self.master_seconds))
    }

    fn give_out(&mut self, session: i64, purpose: Purpose, seconds: u64) -> Issued {
        let token = credentials::random_secret();
        let expires = clock::now_millis().saturating_add(seconds.saturating_mul(1000));
        self.tokens.insert(credentials::token_hash(&token), Entry { session, purpose, expires });
        Issued { token, seconds }
    }

    /// What a token that should run statements is.
    pub(super) fn find(&self, token: &str) -> Lookup {
        self.lookup(token, Purpose::Session)
    }

    /// What a token that should give new tokens is.
    pub(super) fn find_master(&self, token: &str) -> Lookup {
        self.lookup(token, Purpose::Master)
    }

    /// What a token that should pull and push images is.
    pub(super) fn find_for_registry(&self, token: &str) -> Lookup {
        self.lookup(token, Purpose::Registry)
    }

    fn lookup(&self, token: &str, purpose: Purpose) -> Lookup {
        let Some(entry) = self.tokens.get(&credentials::token_hash(token)) else { return Lookup::Unknown };
        if entry.purpose != purpose {
            return Lookup::Unknown;
        }
        match self.sessions.get(&entry.session) {
            None => Lookup::Gone,
            Some(_) if entry.expires <= clock::now_millis() => Lookup::Expired,
            Some(session) => Lookup::Good(session.clone()),
        }
    }

    /// Closes a session.
    pub(super) fn close(&mut self, session: i64) {
        self.sessions.remove(&session);
    }

    /// Lets every session token expire.
    pub(super) fn expire_all(&mut self) {
        self.expire(Purpose::Session);
    }

    /// Lets every token for the registry expire.
    pub(super) fn expire_for_registry(&mut self) {
        self.expire(Purpose::Registry);
    }

    fn expire(&mut self, purpose: Purpose) {
        let now = clock::now_millis();
        for entry in self.tokens.values_mut().filter(|entry| entry.purpose == purpose) {
            entry.expires = entry.expires.min(now);
        }
    }

    /// Forgets tokens that expired long ago, and sessions without any token left.
    fn forget(&mut self) {
        let now = clock::now_millis();
        self.tokens.retain(|_, entry| entry.expires.saturating_add(REMEMBERED) > now);
        let alive: std::collections::HashSet<i64> = self.tokens.values().map(|entry| entry.session).collect();
        self.sessions.retain(|id, _| alive.contains(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(lookup: &Lookup) -> bool {
        matches!(lookup, Lookup::Good(_))
    }

    #[test]
    fn tokens_serve_their_purpose_alone() {
        let mut sessions = Sessions::new(60, 60);
        let (_, token, master) = sessions.open(Context::local());
        assert!(good(&sessions.find(&token.token)));
        assert!(good(&sessions.find_master(&master.token)));
        assert!(matches!(sessions.find(&master.token), Lookup::Unknown));
        assert!(matches!(sessions.find_master(&token.token), Lookup::Unknown));
        assert!(matches!(sessions.find("invented"), Lookup::Unknown));
    }

    #[test]
    fn expiry_renewal_and_closing() {
        let mut sessions = Sessions::new(60, 60);
        let (session, token, master) = sessions.open(Context::local());
        sessions.expire_all();
        assert!(matches!(sessions.find(&token.token), Lookup::Expired));
        assert!(good(&sessions.find_master(&master.token)));
        let (second, second_master) = sessions.renew(session.id, &token.token);
        assert!(good(&sessions.find(&second.token)) && good(&sessions.find_master(&second_master.token)));
        let (third, _) = sessions.renew(session.id, &second.token);
        assert!(matches!(sessions.find(&second.token), Lookup::Expired), "replaced");
        sessions.close(session.id);
        assert!(matches!(sessions.find(&third.token), Lookup::Gone));
        assert!(matches!(sessions.find_master(&master.token), Lookup::Gone));
    }

    #[test]
    fn a_life_of_no_seconds_is_over_at_once() {
        let mut sessions = Sessions::new(0, 0);
        let (_, token, master) = sessions.open(Context::local());
        assert!(matches!(sessions.find(&token.token), Lookup::Expired));
        assert!(matches!(sessions.find_master(&master.token), Lookup::Expired));
    }
}
