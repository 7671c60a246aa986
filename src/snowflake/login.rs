//! Logging in: the request, and what each refusal means.
//!
//! Source: gosnowflake `auth.go`, snowflake-connector-python `auth/_auth.py` and `network.py` (codes).

use super::auth::desk::{Desk, Notice};
use super::auth::kept::{Kind, TokenStore};
use super::auth::{Credentials, ForNextTime, Obtained, Step, service_token};
use super::http::{Answer, Call, Purpose, Transport, Tries};
use super::reply;
use super::settings::{Environment, Key, Method, Settings};
use crate::host;
use crate::object::name::Ident;
use crate::session::SessionError;
use crate::wire::{self, Envelope, LoginAnswer, LoginData, LoginRequest};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use uuid::Uuid;

/// How many kept tokens one login forgets: an access token, and the one that renews it.
const MAX_FORGOTTEN: u32 = 2;

/// Everything that logins of one session share.
pub(super) struct Login {
    credentials: Credentials,
    method: Method,
    account: String,
    role: Option<String>,
    /// Database, schema and warehouse, as parameters of the address.
    place: Vec<(&'static str, String)>,
    client_app_id: String,
    secondary_roles: Option<String>,
    session_parameters: BTreeMap<String, serde_json::Value>,
    environment: Environment,
    desk: Desk,
}

/// What a login yields.
pub(super) struct LoggedIn {
    pub(super) session_token: SecretString,
    pub(super) master_token: Option<SecretString>,
    /// How long the tokens are good, in seconds, as far as the account says so.
    pub(super) seconds: [Option<i64>; 2],
    pub(super) user: Option<String>,
    pub(super) place: wire::SessionInfo,
}

impl Login {
    /// Puts together what logins need; reads the private key, sends nothing.
    pub(super) fn prepare(settings: &Settings, desk: Desk) -> Result<Self, SessionError> {
        let text = |key| settings.text(key).map(|text| text.into_owned());
        let place = [
            ("databaseName", text(Key::Database)),
            ("schemaName", text(Key::Schema)),
            ("warehouse", text(Key::Warehouse)),
        ];
        let client_app_id = text(Key::ClientAppId).unwrap_or_default();
        let credentials = Credentials::load(settings)?;
        let mut session_parameters = session_parameters(settings, &client_app_id);
        let own = credentials.parameters().into_iter();
        session_parameters.extend(own.map(|(name, value)| (name.to_owned(), value.into())));
        Ok(Self {
            credentials,
            method: settings.method(),
            account: settings.account_name().to_owned(),
            role: text(Key::Role),
            place: place.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            client_app_id,
            secondary_roles: text(Key::SecondaryRoles).map(|roles| roles.to_uppercase()),
            session_parameters,
            environment: settings.environment().clone(),
            desk,
        })
    }

    /// Forgets every token that was kept of earlier logins; whether there was one.
    pub(super) fn forget_tokens(&self) -> bool {
        let Some(store) = TokenStore::find(&self.environment) else { return false };
        self.credentials.forget_all(&store)
    }

    /// Logs in, under the given role where there is one, else under the connection's. What was kept from an earlier
    /// login and is refused now is forgotten, and the login made without it.
    pub(super) async fn run(
        &self,
        transport: &Transport,
        role: Option<&Ident>,
    ) -> Result<LoggedIn, SessionError> {
        let role = role.map(Ident::to_string).or_else(|| self.role.clone());
        let mut forgotten = 0;
        loop {
            let base = self.base();
            let step = Step {
                transport,
                environment: &self.environment,
                desk: &self.desk,
                base: &base,
                role: role.as_deref(),
            };
            let obtained = self.credentials.obtain(&step).await?;
            let (answer, sent) = self.steps(transport, role.as_deref(), &obtained).await?;
            match self.read(answer, &sent, role.clone()) {
                Ok((logged_in, given)) => {
                    self.credentials.keep(&obtained, &given, &self.desk);
                    return Ok(logged_in);
                }
                Err(refusal) => {
                    // A store that cannot be written gives the same token again.
                    let kept =
                        obtained.kept.filter(|kind| forgotten < MAX_FORGOTTEN && refusal.may_mean(*kind));
                    let Some(kind) = kept else { return Err(self.refused(refusal)) };
                    forgotten += 1;
                    tracing::info!(?kind, code = refusal.code, "a kept token is refused");
                    self.credentials.forget(kind, &self.desk);
                    // A wrong password counts against the user, so it is not tried again.
                    if kind == Kind::Mfa {
                        return Err(self.refused(refusal));
                    }
                }
            }
        }
    }

    /// The requests of one login: the first, and where a person has to agree on their telephone, what follows.
    async fn steps(
        &self,
        transport: &Transport,
        role: Option<&str>,
        obtained: &Obtained,
    ) -> Result<(Envelope<LoginAnswer>, LoginData), SessionError> {
        let mut sent = LoginData::default();
        let id = Uuid::new_v4();
        let mut tries = Tries::new();
        let answer = transport
            .send(Purpose::Login, &mut tries, |_| {
                sent = self.base();
                self.credentials.fill(&mut sent, obtained)?;
                Ok(self.call(transport, &LoginRequest { data: sent.clone(), in_flight: None }, role, id))
            })
            .await?;
        let first = envelope(&answer, transport)?;
        let Some(in_flight) = waits_for_a_person(&first) else { return Ok((first, sent)) };
        self.desk.person.tell(Notice::Push);
        let mut data = sent.clone();
        data.ext_authn_duo_method = Some("push".to_owned());
        let second = self.follow(transport, role, LoginRequest { data, in_flight }).await?;
        let data = second.data.as_ref();
        let agreed = data.filter(|data| data.next_action.as_deref() == Some("EXT_AUTHN_SUCCESS"));
        let Some(in_flight) = agreed.map(|data| data.in_flight_ctx.clone()) else {
            return Ok((second, sent));
        };
        let request = LoginRequest { data: self.base(), in_flight };
        Ok((self.follow(transport, role, request).await?, sent))
    }

    /// A request of a login that has begun. It is made once: another would ask the person again.
    async fn follow(
        &self,
        transport: &Transport,
        role: Option<&str>,
        request: LoginRequest,
    ) -> Result<Envelope<LoginAnswer>, SessionError> {
        let id = Uuid::new_v4();
        let call = |_: &Tries| Ok(self.call(transport, &request, role, id));
        let answer = transport.send(Purpose::Person, &mut Tries::new(), call).await?;
        envelope(&answer, transport)
    }

    /// What the last answer of a login says.
    fn read(
        &self,
        envelope: Envelope<LoginAnswer>,
        sent: &LoginData,
        role: Option<String>,
    ) -> Result<(LoggedIn, ForNextTime), Refusal> {
        let refusal = Refusal {
            code: envelope.code.as_deref().and_then(|code| code.parse().ok()),
            message: envelope.message.as_deref().map(|message| self.credentials.scrub(message, sent)),
            next_action: envelope.data.as_ref().and_then(|data| data.next_action.clone()),
            role,
        };
        let data = envelope.data.filter(|_| envelope.success).unwrap_or_default();
        let secret = |text: Option<String>| text.filter(|text| !text.is_empty()).map(SecretString::from);
        let Some(session_token) = secret(data.token) else { return Err(refusal) };
        let given = ForNextTime { id_token: secret(data.id_token), mfa_token: secret(data.mfa_token) };
        let logged_in = LoggedIn {
            session_token,
            master_token: secret(data.master_token),
            seconds: [data.validity_in_seconds, data.master_validity_in_seconds],
            user: data.display_user_name.filter(|user| !user.is_empty()),
            place: data.session_info,
        };
        Ok((logged_in, given))
    }

    /// A login without credentials.
    fn base(&self) -> LoginData {
        let facts = [("APPLICATION", "snowform"), ("OS", host::environment::operating_system())];
        let service = service_token(&self.environment);
        LoginData {
            account_name: self.account.clone(),
            login_name: self.credentials.user().map(ToOwned::to_owned),
            client_app_id: Some(self.client_app_id.clone()).filter(|id| !id.is_empty()),
            client_app_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            client_environment: facts.map(|(name, value)| (name.to_owned(), value.into())).into(),
            session_parameters: self.session_parameters.clone(),
            secondary_roles: self.secondary_roles.clone(),
            spcs_token: service.map(|token| token.expose_secret().to_owned()),
            ..LoginData::default()
        }
    }

    fn call(&self, transport: &Transport, request: &LoginRequest, role: Option<&str>, id: Uuid) -> Call {
        let request_id_text = id.to_string();
        let guid = Uuid::new_v4().to_string();
        let mut query: Vec<(&str, &str)> = vec![("requestId", &request_id_text), ("request_guid", &guid)];
        query.extend(self.place.iter().map(|(name, value)| (*name, value.as_str())));
        query.extend(role.map(|role| ("roleName", role)));
        let body = serde_json::to_vec(request);
        Call {
            method: reqwest::Method::POST,
            url: transport.url("/session/v1/login-request", &query),
            body: Some(body.expect("internal error: a login has text keys only")),
            token: None,
            request_id: Some(id),
        }
    }

    fn refused(&self, refusal: Refusal) -> SessionError {
        let Refusal { code, message, next_action, role } = refusal;
        let said = message.filter(|message| !message.trim().is_empty());
        let said = said.or_else(|| next_action.as_ref().map(|action| format!("it asks for {action}")));
        let said = said.unwrap_or_else(|| "no reason given".to_owned());
        let code_text = code.map_or_else(String::new, |code| format!(" ({code:06})"));
        let message = format!("the account refused the login{code_text}: {said}");
        SessionError::Authentication {
            code,
            message,
            help: self.help(code, next_action.as_deref(), role.as_deref()),
        }
    }

    /// What to do about a refusal, by its code.
    fn help(&self, code: Option<u32>, next_action: Option<&str>, role: Option<&str>) -> String {
        match (code, next_action) {
            (Some(390_100 | 390_422), _) => format!(
                "check user and {} of the connection",
                self.method.noun()
            ),
            (Some(390_189), _) => format!(
                "the role {} does not exist or is not granted to the user; as a security administrator:\n\
                 GRANT ROLE … TO USER …",
                role.unwrap_or("(default)")
            ),
            (Some(390_201), _) => {
                "the database, schema or warehouse of the connection does not exist, or the role may not use it"
                    .to_owned()
            }
            (Some(394_301..=394_303), _) => {
                "the clock of this machine and the account's differ by too much; set the clock".to_owned()
            }
            (Some(390_144 | 390_401 | 394_300..=394_306), _) if self.method == Method::KeyPair => format!(
                "the user must have this public key, compare RSA_PUBLIC_KEY_FP and RSA_PUBLIC_KEY_2_FP of\n\
                 DESCRIBE USER …\nwith {}; account and user must be right, and the clock of this machine as well",
                self.credentials.fingerprint().unwrap_or_default()
            ),
            (Some(394_400), _) => {
                "the programmatic access token may be expired, disabled or of another user, \
                 or the user has no network policy; make a new one:\nALTER USER … ADD PROGRAMMATIC ACCESS TOKEN …"
                    .to_owned()
            }
            (Some(390_303 | 390_318), _) if self.method == Method::Oauth => {
                "the OAuth token is invalid or expired; obtain a new one where this one came from".to_owned()
            }
            (Some(390_303 | 390_318), _) => {
                "the account does not take the identity provider's token; its security integration names issuer, \
                 audience and the claim that finds the user:\nSHOW SECURITY INTEGRATIONS"
                    .to_owned()
            }
            (Some(394_508), _) | (_, Some("EXT_AUTHN_DUO_ALL" | "EXT_AUTHN_DUO_PUSH_N_PASSCODE")) => {
                "the account asks for a second factor: give the code that your authenticator app shows with \
                 --mfa-passcode; for machines, use a key pair or a programmatic access token"
                    .to_owned()
            }
            (_, Some("PWD_CHANGE")) => "sign in to Snowsight and change the password".to_owned(),
            _ if matches!(self.method, Method::Workload(_)) => {
                "the account must know who vouches for this workload, and for which user:\n\
                 ALTER USER … SET WORKLOAD_IDENTITY = (TYPE = … …)"
                    .to_owned()
            }
            _ => "check account, user and credentials of the connection".to_owned(),
        }
    }
}

/// What a failed login told.
struct Refusal {
    code: Option<u32>,
    message: Option<String>,
    next_action: Option<String>,
    role: Option<String>,
}

impl Refusal {
    /// Whether it may be the kept token that is refused. An id token says who somebody is and no more, and its refusal
    /// has codes of its own; an access token may be for another role.
    fn may_mean(&self, kind: Kind) -> bool {
        kind != Kind::Id || matches!(self.code, Some(390_110 | 390_195))
    }
}

fn envelope(answer: &Answer, transport: &Transport) -> Result<Envelope<LoginAnswer>, SessionError> {
    let host = transport.endpoint().authority();
    if answer.status == reqwest::StatusCode::FORBIDDEN {
        return Err(forbidden(&host));
    }
    let envelope: Envelope<LoginAnswer> = reply::read(answer, &host)?;
    tracing::debug!(code = envelope.code, success = envelope.success, "login");
    Ok(envelope)
}

/// What to go on from where the account has asked a person to agree.
fn waits_for_a_person(envelope: &Envelope<LoginAnswer>) -> Option<Option<serde_json::Value>> {
    let data = envelope.data.as_ref()?;
    let asks = ["EXT_AUTHN_DUO_ALL", "EXT_AUTHN_DUO_PUSH_N_PASSCODE"];
    let waits = data.next_action.as_deref().is_some_and(|action| asks.contains(&action));
    waits.then(|| data.in_flight_ctx.clone())
}

fn forbidden(host: &str) -> SessionError {
    SessionError::Authentication {
        code: None,
        message: format!("{host} refuses to talk to us (status 403)"),
        help: "the account part of the host is probably wrong, or a network policy blocks this machine"
            .to_owned(),
    }
}

/// The parameters of the session: the connection's own, a query tag, and JSON results. Which parameter
/// forces JSON depends on who the account takes us for.
fn session_parameters(settings: &Settings, client_app_id: &str) -> BTreeMap<String, serde_json::Value> {
    let mut parameters = BTreeMap::new();
    if let Some(tag) = settings.text(Key::QueryTag) {
        parameters.insert("QUERY_TAG".to_owned(), tag.into());
    }
    parameters.extend(settings.session_parameters().clone());
    let client = match client_app_id.to_ascii_lowercase().as_str() {
        "go" => Some("GO"),
        "jdbc" => Some("JDBC"),
        "odbc" => Some("ODBC"),
        _ => None,
    };
    for client in std::iter::once("PYTHON_CONNECTOR").chain(client) {
        parameters.insert(format!("{client}_QUERY_RESULT_FORMAT"), "JSON".into());
    }
    parameters
}
