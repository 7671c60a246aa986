//! Signing in with a browser: the account's own page, which asks for user and password, and what its visitors get: a
//! token for drivers (`externalbrowser`), or a code for OAuth that is exchanged for tokens. All of it is in memory and
//! ends with the server. There is no other identity provider, and one OAuth client, the one that every account knows.
//!
//! Source: snowflake-connector-python `auth/webbrowser.py`, `auth/oauth_code.py`; RFC 6749, RFC 7636.

use super::super::account::TokenLogin;
use super::super::credentials;
use super::answer::{self, Reply};
use super::registry::basic;
use super::{Shared, lock};
use crate::host::clock;
use crate::object::name::Ident;
use crate::wire::{AuthenticatorAnswer, LoginData, LoginRequest};
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The client that every account knows, and its secret.
const CLIENT: &str = "LOCAL_APPLICATION";
/// How long a person may take to sign in, in milliseconds; also how long what they get is waited for.
const PATIENCE: u64 = 5 * 60 * 1000;
/// How long access tokens are good, in seconds.
const ACCESS_SECONDS: u64 = 10 * 60;
/// How long id tokens and refresh tokens are good, in milliseconds.
const LONG: u64 = 4 * 60 * 60 * 1000;

type Fields = BTreeMap<String, String>;

/// What somebody came for.
#[derive(Clone)]
enum Wish {
    /// A token, sent to this port of this machine, that counts together with the key.
    Token {
        port: u16,
        proof_key: String,
    },
    Code(CodeWish),
}

#[derive(Clone)]
struct CodeWish {
    redirect: String,
    state: String,
    challenge: Option<String>,
    role: Option<Ident>,
    refreshes: bool,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// One login, with its proof key.
    Browser,
    /// Logins in the place of the browser.
    Id,
    Access,
    Refresh,
}

struct Given {
    of: Use,
    user: Ident,
    role: Option<Ident>,
    proof_key: Option<String>,
    /// Milliseconds since 1970-01-01 UTC.
    expires: u64,
}

/// Who is on their way, and what they were given; by hash.
#[derive(Default)]
pub(super) struct People {
    wishes: HashMap<[u8; 32], (Wish, u64)>,
    codes: HashMap<[u8; 32], (CodeWish, Ident, u64)>,
    given: HashMap<[u8; 32], Given>,
}

/// Why a token is refused.
pub(super) enum Refused {
    Unknown,
    Expired,
}

impl People {
    fn wish(&mut self, wish: Wish) -> String {
        let now = clock::now_millis();
        self.wishes.retain(|_, (_, expires)| *expires > now);
        self.codes.retain(|_, (_, _, expires)| *expires > now);
        self.given.retain(|_, given| given.expires.saturating_add(LONG) > now);
        let id = credentials::random_secret();
        self.wishes.insert(credentials::token_hash(&id), (wish, now + PATIENCE));
        id
    }

    fn give(&mut self, of: Use, user: &Ident, role: Option<&Ident>, proof_key: Option<String>) -> String {
        let life = match of {
            Use::Browser => PATIENCE,
            Use::Access => ACCESS_SECONDS * 1000,
            Use::Id | Use::Refresh => LONG,
        };
        let token = credentials::random_secret();
        let expires = clock::now_millis().saturating_add(life);
        let given = Given { of, user: user.clone(), role: role.cloned(), proof_key, expires };
        self.given.insert(credentials::token_hash(&token), given);
        token
    }

    /// Whom a token speaks for. One of a browser is good once, and with its proof key.
    pub(super) fn find(
        &mut self,
        of: Use,
        token: &str,
        proof_key: Option<&str>,
    ) -> Result<TokenLogin, Refused> {
        let hash = credentials::token_hash(token);
        let given = self.given.get(&hash).filter(|given| given.of == of).ok_or(Refused::Unknown)?;
        if given.expires <= clock::now_millis() {
            return Err(Refused::Expired);
        }
        if given.proof_key.as_deref().is_some_and(|key| Some(key) != proof_key) {
            return Err(Refused::Unknown);
        }
        let login = TokenLogin { user: given.user.clone(), only_role: given.role.clone() };
        if of == Use::Browser {
            self.given.remove(&hash);
        }
        Ok(login)
    }

    /// A token that stands for the browser next time.
    pub(super) fn id_token(&mut self, user: &Ident) -> String {
        self.give(Use::Id, user, None, None)
    }

    /// Lets every access token expire now.
    pub(super) fn expire_access(&mut self) {
        let now = clock::now_millis();
        for given in self.given.values_mut().filter(|given| given.of == Use::Access) {
            given.expires = now;
        }
    }
}

/// `POST /session/authenticator-request`: where the person signs in.
pub(super) async fn authenticator_request(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    let LoginRequest { data, in_flight: _ } = match answer::read_json(&headers, &body) {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    let LoginData { authenticator, browser_mode_redirect_port, .. } = data;
    let is_browser = authenticator.is_some_and(|name| name.eq_ignore_ascii_case("EXTERNALBROWSER"));
    let port = browser_mode_redirect_port.and_then(|port| port.parse().ok()).filter(|_| is_browser);
    let Some(port) = port else {
        let message =
            "The local account's people sign in with EXTERNALBROWSER; it has no other identity provider.";
        return Reply::failure("390190", message);
    };
    let proof_key = credentials::random_secret();
    let id = lock(&shared.people).wish(Wish::Token { port, proof_key: proof_key.clone() });
    let sso_url = format!("http://{}/sso?request={id}", shared.address);
    Reply::success(AuthenticatorAnswer {
        sso_url: Some(sso_url),
        proof_key: Some(proof_key),
        token_url: None,
    })
}

/// The parameters of an address, or the fields of a form.
fn fields(text: &str) -> Fields {
    let uri = format!("/?{text}").parse::<Uri>().ok();
    let pairs = uri.and_then(|uri| Query::<Fields>::try_from_uri(&uri).ok());
    pairs.map(|Query(pairs)| pairs).unwrap_or_default()
}

/// `GET /console/login`: the same page, with a proof key of the driver's own.
pub(super) async fn console(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let asked = fields(uri.query().unwrap_or_default());
    let port = asked.get("browser_mode_redirect_port").and_then(|port| port.parse().ok());
    let (Some(port), Some(proof_key)) = (port, asked.get("proof_key").filter(|key| !key.is_empty())) else {
        return (StatusCode::BAD_REQUEST, "a port and a proof key are needed").into_response();
    };
    let id = lock(&shared.people).wish(Wish::Token { port, proof_key: proof_key.clone() });
    page(&id, None)
}

/// `GET /oauth/authorize`: the same page for OAuth. Browsers are sent back to this machine alone.
pub(super) async fn authorize(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    let asked = fields(uri.query().unwrap_or_default());
    let field = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let redirect = field("redirect_uri");
    let here = ["http://127.0.0.1", "http://localhost"].iter().any(|origin| {
        redirect.strip_prefix(origin).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
    });
    if field("client_id") != CLIENT || !here || field("response_type") != "code" {
        let message =
            "the local account knows the client LOCAL_APPLICATION, which comes back to this machine";
        return (StatusCode::BAD_REQUEST, message).into_response();
    }
    let scope = field("scope");
    let role = scope.split(' ').find_map(|word| word.strip_prefix("session:role:"));
    let wish = CodeWish {
        redirect,
        state: field("state"),
        challenge: asked.get("code_challenge").cloned(),
        role: role.map(|role| Ident::parse(role).unwrap_or_else(|_| Ident::exact(role))),
        refreshes: scope.split(' ').any(|word| word == "refresh_token"),
    };
    let id = lock(&shared.people).wish(Wish::Code(wish));
    page(&id, None)
}

/// `GET /sso`.
pub(super) async fn visit(uri: Uri) -> Response {
    page(fields(uri.query().unwrap_or_default()).get("request").map_or("", String::as_str), None)
}

fn page(id: &str, problem: Option<&str>) -> Response {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let id: String = id.chars().filter(|c| is_plain(*c)).collect();
    let problem = problem.map(|text| format!("<p>{text}</p>")).unwrap_or_default();
    let status = if problem.is_empty() { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
    let text = format!(
        "<!DOCTYPE html><html><head><meta charset=\"UTF-8\"><title>Local account</title></head><body>\
         <h1>Sign in to the local account</h1>{problem}<form method=\"post\" action=\"/sso\">\
         <input type=\"hidden\" name=\"request\" value=\"{id}\">\
         <label>User <input name=\"user\"></label> \
         <label>Password <input name=\"password\" type=\"password\"></label> <button>Sign in</button></form></body></html>"
    );
    (status, Html(text)).into_response()
}

/// `POST /sso`: the filled form. The browser is sent back with what the person came for.
pub(super) async fn enter(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let form = fields(&String::from_utf8_lossy(&body));
    // Hashing a password is work for a thread of its own.
    let work = tokio::task::spawn_blocking(move || sign_in(&shared, &form)).await;
    work.unwrap_or_else(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response())
}

fn sign_in(shared: &Shared, form: &Fields) -> Response {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let id = field("request");
    let hash = credentials::token_hash(id);
    let wished = lock(&shared.people).wishes.get(&hash).cloned();
    let Some((wish, _)) = wished.filter(|(_, expires)| *expires > clock::now_millis()) else {
        return (StatusCode::BAD_REQUEST, "this page is too old; begin again").into_response();
    };
    let user = Ident::exact(field("user").to_uppercase());
    match shared.account.verify_password(&user, field("password")) {
        Ok(true) => {}
        Ok(false) => return page(id, Some("User or password is wrong.")),
        Err(error) => return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
    let mut people = lock(&shared.people);
    people.wishes.remove(&hash);
    let to = match wish {
        Wish::Token { port, proof_key } => {
            let token = people.give(Use::Browser, &user, None, Some(proof_key));
            format!("http://localhost:{port}/?token={token}")
        }
        Wish::Code(wish) => {
            let code = credentials::random_secret();
            let (redirect, state) = (wish.redirect.clone(), wish.state.clone());
            let until = clock::now_millis() + PATIENCE;
            people.codes.insert(credentials::token_hash(&code), (wish, user, until));
            format!("{redirect}?code={code}&state={state}")
        }
    };
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}

/// `POST /oauth/token-request`.
pub(super) async fn token_request(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = fields(&String::from_utf8_lossy(&body));
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let own = (field("client_id").to_owned(), field("client_secret").to_owned());
    let (client, secret) = basic(&headers).unwrap_or(own);
    if (client.as_str(), secret.as_str()) != (CLIENT, CLIENT) {
        return refused("invalid_client", "the local account knows the client LOCAL_APPLICATION");
    }
    let mut people = lock(&shared.people);
    match field("grant_type") {
        "authorization_code" => {
            let Some((wish, user, expires)) = people.codes.remove(&credentials::token_hash(field("code")))
            else {
                return refused("invalid_grant", "the code is unknown or was used before");
            };
            let CodeWish { redirect, state: _, challenge, role, refreshes } = wish;
            let verifier = ring::digest::digest(&ring::digest::SHA256, field("code_verifier").as_bytes());
            let proven = challenge.is_none_or(|challenge| challenge == URL_SAFE_NO_PAD.encode(verifier));
            if expires <= clock::now_millis() || redirect != field("redirect_uri") || !proven {
                return refused("invalid_grant", "the code has expired, or is not for you");
            }
            tokens(&mut people, &user, role.as_ref(), refreshes)
        }
        "refresh_token" => match people.find(Use::Refresh, field("refresh_token"), None) {
            Ok(TokenLogin { user, only_role }) => tokens(&mut people, &user, only_role.as_ref(), true),
            Err(_) => refused("invalid_grant", "the refresh token is unknown or has expired"),
        },
        _ => refused("unsupported_grant_type", "authorization_code and refresh_token are"),
    }
}

fn tokens(people: &mut People, user: &Ident, role: Option<&Ident>, refreshes: bool) -> Response {
    let access = people.give(Use::Access, user, role, None);
    let refresh = refreshes.then(|| people.give(Use::Refresh, user, role, None));
    let document = json!({"access_token": access, "refresh_token": refresh, "token_type": "Bearer",
        "expires_in": ACCESS_SECONDS, "username": user.as_str()});
    axum::Json(document).into_response()
}

fn refused(error: &str, description: &str) -> Response {
    let document = json!({"error": error, "error_description": description});
    (StatusCode::BAD_REQUEST, axum::Json(document)).into_response()
}
