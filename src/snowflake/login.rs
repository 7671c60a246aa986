//! Logging in: the request, and what each refusal means.
//!
//! Source: gosnowflake `auth.go`, snowflake-connector-python `auth/_auth.py` and `network.py` (codes).

use super::auth::Credentials;
use super::http::{Call, Purpose, Transport, Tries};
use super::reply;
use super::settings::{Key, Method, Settings};
use crate::host;
use crate::object::name::Ident;
use crate::session::SessionError;
use crate::wire::{self, Envelope, LoginAnswer, LoginData, LoginRequest};
use secrecy::SecretString;
use std::collections::BTreeMap;
use uuid::Uuid;

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
}

/// What a login yields.
pub(super) struct LoggedIn {
    pub(super) session_token: SecretString,
    pub(super) master_token: Option<SecretString>,
    pub(super) user: Option<String>,
    pub(super) place: wire::SessionInfo,
}

impl Login {
    /// Puts together what logins need; reads the private key, sends nothing.
    pub(super) fn prepare(settings: &Settings) -> Result<Self, SessionError> {
        let text = |key| settings.text(key).map(|text| text.into_owned());
        let place = [
            ("databaseName", text(Key::Database)),
            ("schemaName", text(Key::Schema)),
            ("warehouse", text(Key::Warehouse)),
        ];
        let client_app_id = text(Key::ClientAppId).unwrap_or_default();
        let session_parameters = session_parameters(settings, &client_app_id);
        Ok(Self {
            credentials: Credentials::load(settings)?,
            method: settings.method(),
            account: settings.account_name().to_owned(),
            role: text(Key::Role),
            place: place.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            client_app_id,
            secondary_roles: text(Key::SecondaryRoles).map(|roles| roles.to_uppercase()),
            session_parameters,
        })
    }

    /// Logs in, under the given role where there is one, else under the connection's.
    pub(super) async fn run(
        &self,
        transport: &Transport,
        role: Option<&Ident>,
    ) -> Result<LoggedIn, SessionError> {
        let host = transport.endpoint().authority();
        let role = role.map(Ident::to_string).or_else(|| self.role.clone());
        let request_id = Uuid::new_v4();
        let mut sent = LoginData::default();
        let mut tries = Tries::new();
        let answer = transport
            .send(Purpose::Login, &mut tries, |_| {
                sent = self.data()?;
                Ok(self.call(transport, &sent, role.as_deref(), request_id))
            })
            .await?;
        if answer.status == reqwest::StatusCode::FORBIDDEN {
            return Err(forbidden(&host));
        }
        let envelope: Envelope<LoginAnswer> = reply::read(&answer, &host)?;
        tracing::debug!(code = envelope.code, success = envelope.success, "login");
        let refusal = Refusal {
            code: envelope.code.as_deref().and_then(|code| code.parse().ok()),
            message: envelope.message.as_deref().map(|message| self.credentials.scrub(message, &sent)),
            next_action: envelope.data.as_ref().and_then(|data| data.next_action.clone()),
            role,
        };
        let data = envelope.data.filter(|_| envelope.success).unwrap_or_default();
        let Some(token) = data.token.filter(|token| !token.is_empty()) else {
            return Err(self.refused(refusal));
        };
        Ok(LoggedIn {
            session_token: SecretString::from(token),
            master_token: data.master_token.map(SecretString::from),
            user: data.display_user_name.filter(|user| !user.is_empty()),
            place: data.session_info,
        })
    }

    fn data(&self) -> Result<LoginData, SessionError> {
        let facts = [("APPLICATION", "snowform"), ("OS", host::environment::operating_system())];
        let mut data = LoginData {
            account_name: self.account.clone(),
            client_app_id: Some(self.client_app_id.clone()).filter(|id| !id.is_empty()),
            client_app_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            client_environment: facts.map(|(name, value)| (name.to_owned(), value.into())).into(),
            session_parameters: self.session_parameters.clone(),
            secondary_roles: self.secondary_roles.clone(),
            ..LoginData::default()
        };
        self.credentials.fill(&mut data)?;
        Ok(data)
    }

    fn call(&self, transport: &Transport, data: &LoginData, role: Option<&str>, request_id: Uuid) -> Call {
        let request_id_text = request_id.to_string();
        let guid = Uuid::new_v4().to_string();
        let mut query: Vec<(&str, &str)> = vec![("requestId", &request_id_text), ("request_guid", &guid)];
        query.extend(self.place.iter().map(|(name, value)| (*name, value.as_str())));
        query.extend(role.map(|role| ("roleName", role)));
        let body = serde_json::to_vec(&LoginRequest { data: data.clone() });
        Call {
            method: reqwest::Method::POST,
            url: transport.url("/session/v1/login-request", &query),
            body: Some(body.expect("internal error: a login has text keys only")),
            token: None,
            request_id: Some(request_id),
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
                if self.method == Method::Password { "password" } else { self.method.noun() }
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
            (Some(390_303 | 390_318), _) => {
                "the OAuth token is invalid or expired; obtain a new one where this one came from".to_owned()
            }
            (Some(394_508), _) | (_, Some("EXT_AUTHN_DUO_ALL" | "EXT_AUTHN_DUO_PUSH_N_PASSCODE")) => {
                "the account asks for a second factor: give the code that your authenticator app shows with \
                 --mfa-passcode; for machines, use a key pair or a programmatic access token"
                    .to_owned()
            }
            (_, Some("PWD_CHANGE")) => "sign in to Snowsight and change the password".to_owned(),
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
