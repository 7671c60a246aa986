//! What was given for next time: kept in memory for the further logins of this process, and in a file for the next ones,
//! where the connection says that it may.
//!
//! Source: snowflake-connector-python `auth/_auth.py` (`read_temporary_credentials`), `connection.py`.

use super::desk::{Desk, Notice};
use super::kept::{Kind, Owner};
use super::oauth::{self, CodeFlow, Tokens};
use super::{Obtained, Step};
use crate::host::lock::LockedFile;
use crate::session::SessionError;
use crate::snowflake::settings::{Key, Method, Settings};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

const CODE: &str = "oauth_authorization_code";

/// Tokens of one connection.
pub(super) struct Recall {
    owner: Option<Owner>,
    method: Method,
    /// Whether tokens that stand for a person's sign-in are kept in a file.
    stores: bool,
    /// The same of those that stand for the second factor.
    stores_mfa: bool,
    remembered: Mutex<Remembered>,
}

#[derive(Default)]
struct Remembered {
    id: Option<SecretString>,
    mfa: Option<SecretString>,
    refresh: Option<SecretString>,
    /// By role: a token is good for one.
    access: BTreeMap<Option<String>, SecretString>,
}

impl Recall {
    pub(super) fn new(settings: &Settings) -> Self {
        let user = settings.text(Key::User).map(|user| user.into_owned());
        let host = settings.host().to_owned();
        let method = settings.method();
        // `snow` asks for MFA tokens by itself, whatever the connection says of other tokens.
        let stores_mfa =
            method == Method::PasswordMfa && settings.truth(Key::ClientRequestMfaToken) != Some(false);
        Self {
            owner: user.map(|user| Owner { host, user }),
            method,
            stores: settings.is_true(Key::ClientStoreTemporaryCredential),
            stores_mfa,
            remembered: Mutex::default(),
        }
    }

    /// Whose id and MFA tokens they are.
    pub(super) fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    fn memory(&self) -> MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The parameters that ask the account for such tokens.
    pub(super) fn parameters(&self) -> Vec<(&'static str, bool)> {
        match self.method {
            Method::Browser => vec![("CLIENT_STORE_TEMPORARY_CREDENTIAL", self.stores)],
            Method::PasswordMfa => vec![("CLIENT_REQUEST_MFA_TOKEN", self.stores_mfa)],
            _ => Vec::new(),
        }
    }

    fn is_stored(&self, kind: Kind) -> bool {
        match kind {
            Kind::Mfa => self.stores_mfa,
            Kind::Id | Kind::OauthAccess | Kind::OauthRefresh => self.stores,
        }
    }

    /// An id or MFA token.
    pub(super) fn get(&self, kind: Kind, desk: &Desk) -> Option<SecretString> {
        let remembered = match kind {
            Kind::Id => self.memory().id.clone(),
            Kind::Mfa => self.memory().mfa.clone(),
            Kind::OauthAccess | Kind::OauthRefresh => None,
        };
        remembered.or_else(|| self.stored(self.owner.as_ref(), kind, desk))
    }

    fn stored(&self, owner: Option<&Owner>, kind: Kind, desk: &Desk) -> Option<SecretString> {
        let store = desk.tokens.as_ref().filter(|_| self.is_stored(kind))?;
        store.get(owner?, kind)
    }

    /// A token, and else the turn to sign in: of several processes that need a person, one asks, and the others find
    /// what it was given.
    pub(super) async fn in_turn(
        &self,
        kind: Kind,
        desk: &Desk,
    ) -> (Option<SecretString>, Option<LockedFile>) {
        if let Some(token) = self.get(kind, desk) {
            return (Some(token), None);
        }
        let turn = self.turn(kind, desk).await;
        let token = self.get(kind, desk);
        (token, turn)
    }

    async fn turn(&self, kind: Kind, desk: &Desk) -> Option<LockedFile> {
        let path = match (&desk.tokens, &self.owner) {
            (Some(store), Some(owner)) if self.is_stored(kind) => store.turn_file(owner, kind),
            _ => return None,
        };
        match LockedFile::attempt(&path) {
            Ok(Some(turn)) => return Some(turn),
            Ok(None) => desk.person.tell(Notice::Waiting),
            Err(_) => return None,
        }
        tokio::task::spawn_blocking(move || LockedFile::wait(&path).ok()).await.ok().flatten()
    }

    /// Keeps an id or MFA token.
    pub(super) fn put(&self, kind: Kind, token: &SecretString, desk: &Desk) {
        match kind {
            Kind::Id => self.memory().id = Some(token.clone()),
            Kind::Mfa => self.memory().mfa = Some(token.clone()),
            Kind::OauthAccess | Kind::OauthRefresh => {}
        }
        self.store(self.owner.as_ref(), kind, token, desk);
    }

    fn store(&self, owner: Option<&Owner>, kind: Kind, token: &SecretString, desk: &Desk) {
        if let (Some(store), Some(owner), true) = (&desk.tokens, owner, self.is_stored(kind)) {
            store.put(owner, kind, token);
        }
    }

    /// Forgets an id or MFA token.
    pub(super) fn forget(&self, kind: Kind, desk: &Desk) {
        {
            let mut memory = self.memory();
            let Remembered { id, mfa, refresh: _, access: _ } = &mut *memory;
            match kind {
                Kind::Id => *id = None,
                Kind::Mfa => *mfa = None,
                Kind::OauthAccess | Kind::OauthRefresh => {}
            }
        }
        if let (Some(store), Some(owner), true) = (&desk.tokens, &self.owner, self.is_stored(kind)) {
            store.forget(owner, kind);
        }
    }

    /// Forgets an OAuth token.
    pub(super) fn forget_oauth(&self, flow: &CodeFlow, user: Option<&str>, kind: Kind, desk: &Desk) {
        {
            let mut memory = self.memory();
            match kind {
                Kind::OauthAccess => memory.access.clear(),
                Kind::OauthRefresh => memory.refresh = None,
                Kind::Id | Kind::Mfa => {}
            }
        }
        if let (Some(store), Some(owner), true) = (&desk.tokens, flow.client.owner(user), self.stores) {
            store.forget(&owner, kind);
        }
    }

    /// An OAuth access token: kept, renewed, or new by way of a person.
    pub(super) async fn oauth(
        &self,
        flow: &CodeFlow,
        user: Option<&str>,
        step: &Step<'_>,
    ) -> Result<Obtained, SessionError> {
        let owner = flow.client.owner(user);
        if let Some(obtained) = self.oauth_without_a_person(flow, owner.as_ref(), step).await {
            return Ok(obtained);
        }
        let turn = self.turn(Kind::OauthAccess, step.desk).await;
        if turn.is_some()
            && let Some(obtained) = self.oauth_without_a_person(flow, owner.as_ref(), step).await
        {
            return Ok(obtained);
        }
        let tokens = flow.sign_in(step).await?;
        Ok(self.settle(flow, owner.as_ref(), tokens, step))
    }

    async fn oauth_without_a_person(
        &self,
        flow: &CodeFlow,
        owner: Option<&Owner>,
        step: &Step<'_>,
    ) -> Option<Obtained> {
        let role = step.role.map(ToOwned::to_owned);
        let access = self.memory().access.get(&role).cloned();
        let access = access.or_else(|| self.stored(owner, Kind::OauthAccess, step.desk));
        if let Some(access) = access {
            return Some(oauth::obtained(access, CODE, Some(Kind::OauthAccess)));
        }
        let refresh = self.memory().refresh.clone();
        let refresh = refresh.or_else(|| self.stored(owner, Kind::OauthRefresh, step.desk));
        let refresh = refresh.filter(|_| flow.refreshes)?;
        match flow.client.renew(&refresh, step).await {
            Ok(tokens) => Some(self.settle(flow, owner, tokens, step)),
            Err(error) => {
                tracing::info!(%error, "the sign-in cannot be renewed");
                if matches!(error, SessionError::Authentication { .. }) {
                    self.forget_oauth(
                        flow,
                        owner.map(|owner| owner.user.as_str()),
                        Kind::OauthRefresh,
                        step.desk,
                    );
                }
                None
            }
        }
    }

    /// Keeps new tokens.
    fn settle(&self, flow: &CodeFlow, owner: Option<&Owner>, tokens: Tokens, step: &Step<'_>) -> Obtained {
        let Tokens { access, refresh } = tokens;
        self.store(owner, Kind::OauthAccess, &access, step.desk);
        self.memory().access.insert(step.role.map(ToOwned::to_owned), access.clone());
        if let Some(refresh) = refresh.filter(|_| flow.refreshes) {
            self.store(owner, Kind::OauthRefresh, &refresh, step.desk);
            self.memory().refresh = Some(refresh);
        }
        oauth::obtained(access, CODE, None)
    }
}
