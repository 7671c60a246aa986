//! OAuth: a client's own credentials, and the code that a browser brings.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

const TOKEN_PATH: &str = "/idp/token";

fn tokens(access: &str) -> Reply {
    json_reply(json!({"access_token": access, "token_type": "Bearer", "expires_in": 600, "scope": "x"}))
}

async fn client_desk() -> Desk {
    let mut desk = Desk::new(&[
        ("SNOWFLAKE_AUTHENTICATOR", "oauth_client_credentials"),
        ("SNOWFLAKE_OAUTH_CLIENT_ID", "the-client"),
        ("SNOWFLAKE_OAUTH_CLIENT_SECRET", "client-5ecret"),
        ("SNOWFLAKE_ROLE", "deployer"),
    ])
    .await;
    let url = desk.account.url(TOKEN_PATH);
    desk.set("SNOWFLAKE_OAUTH_TOKEN_REQUEST_URL", &url);
    desk
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clients_own_credentials_become_a_token() {
    let desk = client_desk().await;
    desk.account.on(TOKEN_PATH, [tokens("access-5ecret")]);
    desk.sign_in().succeeded();
    let [asked] = &desk.account.seen(TOKEN_PATH)[..] else { panic!("asked once") };
    assert_eq!(asked.body, json!({"grant_type": "client_credentials", "scope": "session:role:deployer"}));
    let basic = format!("Basic {}", STANDARD.encode("the-client:client-5ecret"));
    assert_eq!(asked.headers["authorization"], basic);
    let login = desk.login();
    assert_eq!((&login["AUTHENTICATOR"], &login["TOKEN"]), (&json!("OAUTH"), &json!("access-5ecret")));
    assert_eq!(login["CLIENT_ENVIRONMENT"]["OAUTH_TYPE"], "oauth_client_credentials");
    assert!(login.get("PASSWORD").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_name_itself_in_the_body_and_its_scope() {
    let mut desk = client_desk().await;
    desk.configure("oauth_credentials_in_body = true");
    desk.set("SNOWFLAKE_OAUTH_SCOPE", "everything");
    desk.account.on(TOKEN_PATH, [tokens("access-5ecret")]);
    desk.sign_in().succeeded();
    let [asked] = &desk.account.seen(TOKEN_PATH)[..] else { panic!("asked once") };
    let expected = json!({"grant_type": "client_credentials", "scope": "everything", "client_id": "the-client",
        "client_secret": "client-5ecret"});
    assert_eq!(asked.body, expected);
    assert!(!asked.headers.contains_key("authorization"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_refuses_is_said_with_what_to_do() {
    let page = Reply::raw(200, "text/html", "<title>Sign in, please</title>5ecret");
    let cases: Vec<(Vec<Reply>, i32, &[&str])> = vec![
        (
            vec![refusal(400, "invalid_client", "no client with client-5ecret")],
            4,
            &["invalid_client: no client with ****", "check oauth_client_id"],
        ),
        (vec![refusal(401, "invalid_client", "")], 4, &["invalid_client", "oauth_client_secret"]),
        (vec![refusal(400, "invalid_scope", "")], 4, &["check oauth_scope"]),
        (vec![refusal(400, "server_says_no", "because")], 4, &["server_says_no: because"]),
        (vec![page], 1, &["status 200, text/html, titled \"Sign in, please\"", "oauth_token_request_url"]),
        (vec![json_reply(json!({"token": "access-5ecret"}))], 1, &["oauth_token_request_url"]),
        (vec![Reply::status(404, json!({}))], 1, &["status 404", "oauth_token_request_url"]),
        (vec![Reply::HangUp, Reply::HangUp, Reply::HangUp], 1, &["cannot be reached"]),
    ];
    for (replies, code, words) in cases {
        let desk = client_desk().await;
        desk.account.on(TOKEN_PATH, replies);
        desk.sign_in().refused(code, words);
        desk.account.assert_finished();
        assert!(desk.account.seen(LOGIN).is_empty(), "nothing to log in with");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_busy_is_asked_again() {
    let desk = client_desk().await;
    desk.account.on(TOKEN_PATH, [Reply::raw(503, "text/plain", "busy"), tokens("access-5ecret")]);
    desk.sign_in().succeeded();
    assert_eq!(desk.account.seen(TOKEN_PATH).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_does_not_take_the_token_is_named() {
    let desk = client_desk().await;
    desk.account.on(TOKEN_PATH, [tokens("access-5ecret")]);
    desk.account.on(LOGIN, [Reply::refusal("390303", "Invalid OAuth access token access-5ecret.")]);
    desk.sign_in().refused(4, &["Invalid OAuth access token ****", "SHOW SECURITY INTEGRATIONS"]);
}

async fn code_desk() -> Desk {
    let mut desk = Desk::new(&[
        ("SNOWFLAKE_AUTHENTICATOR", "oauth_authorization_code"),
        ("SNOWFLAKE_OAUTH_CLIENT_ID", "the-client"),
        ("SNOWFLAKE_OAUTH_CLIENT_SECRET", "client-5ecret"),
        ("SNOWFLAKE_OAUTH_AUTHORIZATION_URL", "https://idp.example/authorize?tenant=7"),
        ("SNOWFLAKE_ROLE", "deployer"),
    ])
    .await;
    let url = desk.account.url(TOKEN_PATH);
    desk.set("SNOWFLAKE_OAUTH_TOKEN_REQUEST_URL", &url);
    desk
}

/// Signs in, the browser bringing this; `STATE` stands for the state that it was given.
async fn bring(desk: &Desk, answer: &[(&str, &str)]) -> (Ran, reqwest::Url) {
    let mut running = desk.start(&["connection", "test"]);
    let url = running.address();
    let (back, state) = (parameter(&url, "redirect_uri"), parameter(&url, "state"));
    let answer: Vec<(&str, &str)> = answer
        .iter()
        .map(|(name, value)| (*name, if *value == "STATE" { state.as_str() } else { *value }))
        .collect();
    let browser = Browser::new();
    assert_eq!(browser.get(&format!("{back}/favicon.ico"), &[]).await.0, 404);
    let (status, page) = browser.get(&back, &answer).await;
    assert_eq!((status, page.contains("close this window")), (200, true), "{page}");
    (running.end(), url)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_of_a_browser_becomes_a_token() {
    let desk = code_desk().await;
    desk.account.on(TOKEN_PATH, [tokens("access-5ecret")]);
    let (ran, url) = bring(&desk, &[("code", "code-5ecret"), ("state", "STATE")]).await;
    ran.succeeded();
    assert_eq!(url.host_str(), Some("idp.example"));
    let expected = [
        ("tenant", "7"),
        ("response_type", "code"),
        ("client_id", "the-client"),
        ("scope", "session:role:deployer"),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in expected {
        assert_eq!(parameter(&url, name), value);
    }
    let [asked] = &desk.account.seen(TOKEN_PATH)[..] else { panic!("asked once") };
    let member = |name: &str| asked.body[name].as_str().unwrap();
    assert_eq!((member("grant_type"), member("code")), ("authorization_code", "code-5ecret"));
    assert_eq!(member("redirect_uri"), parameter(&url, "redirect_uri"));
    let hash = ring::digest::digest(&ring::digest::SHA256, member("code_verifier").as_bytes());
    assert_eq!(URL_SAFE_NO_PAD.encode(hash), parameter(&url, "code_challenge"));
    let login = desk.login();
    assert_eq!((&login["AUTHENTICATOR"], &login["TOKEN"]), (&json!("OAUTH"), &json!("access-5ecret")));
    assert_eq!(login["CLIENT_ENVIRONMENT"]["OAUTH_TYPE"], "oauth_authorization_code");
    // Not even the address of the next one is the same.
    desk.account.on(TOKEN_PATH, [tokens("access-5ecret")]);
    let (_, next) = bring(&desk, &[("code", "code-5ecret"), ("state", "STATE")]).await;
    for name in ["state", "code_challenge"] {
        assert_ne!(parameter(&next, name), parameter(&url, name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_brings_something_else_is_told() {
    let expired = refusal(400, "invalid_grant", "code-5ecret has expired");
    type Brought<'a> = (&'a [(&'a str, &'a str)], Vec<Reply>, &'a [&'a str]);
    let cases: Vec<Brought<'_>> = vec![
        (&[("code", "code-5ecret"), ("state", "another")], vec![], &["its state differs", "sign in again"]),
        (&[("code", "code-5ecret")], vec![], &["its state differs"]),
        (
            &[("error", "access_denied"), ("error_description", "Not today"), ("state", "STATE")],
            vec![],
            &["the identity provider idp.example refuses: access_denied: Not today", "as somebody who may"],
        ),
        (
            &[("code", "code-5ecret"), ("state", "STATE")],
            vec![expired],
            &["invalid_grant: **** has expired", "sign in again"],
        ),
    ];
    for (answer, replies, words) in cases {
        let desk = code_desk().await;
        desk.account.on(TOKEN_PATH, replies);
        let (ran, _) = bring(&desk, answer).await;
        ran.refused(4, words);
        desk.account.assert_finished();
        assert!(desk.account.seen(LOGIN).is_empty(), "nothing to log in with");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_waited_for_for_ever() {
    let desk = code_desk().await;
    desk.configure("external_browser_timeout = 1");
    desk.sign_in()
        .refused(4, &["nobody signed in with a browser within 1 seconds", "external_browser_timeout"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_at_snowflake_itself_where_nobody_says_otherwise() {
    let desk = Desk::new(&[("SNOWFLAKE_AUTHENTICATOR", "oauth_authorization_code")]).await;
    desk.account.on("/oauth/token-request", [tokens("access-5ecret")]);
    let (ran, url) = bring(&desk, &[("code", "code-5ecret"), ("state", "STATE")]).await;
    ran.succeeded();
    assert_eq!(url.as_str().split('?').next(), Some(desk.account.url("/oauth/authorize").as_str()));
    assert_eq!(parameter(&url, "client_id"), "LOCAL_APPLICATION");
    assert!(!url.as_str().contains("scope="), "without a role there is none");
}
