//! Signing in with a browser at the account's identity provider, and at the account's own page.

use super::*;
use support::scripted::Request;

const ASK: &str = "/session/authenticator-request";

fn offer(desk: &Desk) {
    let data = json!({"ssoUrl": "https://idp.example/sso?SAMLRequest=x", "proofKey": "proof-5ecret"});
    desk.account.on(ASK, [json_reply(json!({"data": data, "code": null, "message": null, "success": true}))]);
}

async fn desk() -> Desk {
    let desk = Desk::new(&[("SNOWFLAKE_AUTHENTICATOR", "externalbrowser")]).await;
    offer(&desk);
    desk
}

fn port(asked: &Request) -> String {
    asked.body["data"]["BROWSER_MODE_REDIRECT_PORT"].as_str().unwrap().to_owned()
}

/// Where the browser is to come back to.
fn back(desk: &Desk) -> String {
    format!("http://localhost:{}/", port(desk.account.seen(ASK).last().unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_accounts_provider_is_asked_for_and_its_token_is_used() {
    let desk = desk().await;
    let mut running = desk.start(&["connection", "test"]);
    assert_eq!(running.address().as_str(), "https://idp.example/sso?SAMLRequest=x");
    let [asked] = &desk.account.seen(ASK)[..] else { panic!("asked once") };
    let data = &asked.body["data"];
    assert_eq!((&data["AUTHENTICATOR"], &data["LOGIN_NAME"]), (&json!("EXTERNALBROWSER"), &json!("me")));
    assert_eq!(data["ACCOUNT_NAME"], "MYORG-ACCT");
    let (status, _) = Browser::new().get(&back(&desk), &[("token", "saml+5ecret/=")]).await;
    assert_eq!(status, 200);
    running.end().succeeded();
    let login = desk.login();
    assert_eq!(login["AUTHENTICATOR"], "EXTERNALBROWSER");
    assert_eq!((&login["TOKEN"], &login["PROOF_KEY"]), (&json!("saml+5ecret/="), &json!("proof-5ecret")));
    assert_eq!(login["SESSION_PARAMETERS"]["CLIENT_STORE_TEMPORARY_CREDENTIAL"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_accounts_own_page_is_bound_to_a_secret_of_ours() {
    let desk = desk().await;
    desk.configure("disable_console_login = false");
    let mut running = desk.start(&["connection", "test"]);
    let url = running.address();
    assert_eq!(url.as_str().split('?').next(), Some(desk.account.url("/console/login").as_str()));
    assert_eq!(parameter(&url, "login_name"), "me");
    let back = format!("http://localhost:{}/", parameter(&url, "browser_mode_redirect_port"));
    assert_eq!(Browser::new().get(&back, &[("token", "saml-5ecret")]).await.0, 200);
    running.end().succeeded();
    assert!(desk.account.seen(ASK).is_empty(), "nobody has to be asked");
    assert_eq!(desk.login()["PROOF_KEY"], parameter(&url, "proof_key").as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_of_the_accounts_page_may_send_the_token_and_no_other() {
    let desk = desk().await;
    let mut running = desk.start(&["connection", "test"]);
    running.address();
    let browser = Browser::new().0;
    let account = format!("http://127.0.0.1:{}", desk.account.port);
    for (origin, allowed) in [("https://evil.example", false), (account.as_str(), true)] {
        let asked = browser
            .request(reqwest::Method::OPTIONS, back(&desk))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type");
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status().is_success(), allowed, "{origin}");
        let named = answer.headers().get("access-control-allow-origin");
        assert_eq!(named.map(|value| value.to_str().unwrap()), allowed.then_some(origin));
        let body = json!({"token": format!("saml-5ecret-of-{allowed}"), "consent": true}).to_string();
        let answer = browser.post(back(&desk)).header("origin", origin).body(body).send().await.unwrap();
        assert_eq!(answer.status().is_success(), allowed, "{origin}");
    }
    running.end().succeeded();
    assert_eq!(desk.login()["TOKEN"], "saml-5ecret-of-true");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_a_provider_says_so() {
    let cases: [(Reply, &[&str]); 3] = [
        (
            Reply::refusal("390190", "There was an error."),
            &["There was an error.", "OAUTH_AUTHORIZATION_CODE"],
        ),
        (
            json_reply(json!({"data": {}, "success": true})),
            &["did not say where", "OAUTH_AUTHORIZATION_CODE"],
        ),
        (
            json_reply(
                json!({"data": {"ssoUrl": "file:///etc/passwd", "proofKey": "5ecret"}, "success": true}),
            ),
            &["the address to sign in at is no address"],
        ),
    ];
    for (reply, words) in cases {
        let desk = Desk::new(&[("SNOWFLAKE_AUTHENTICATOR", "externalbrowser")]).await;
        desk.account.on(ASK, [reply]);
        let ran = desk.sign_in();
        assert!(ran.code == 4 || ran.code == 1, "{}", ran.output);
        ran.refused(ran.code, words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_of_the_persons_choice_is_started() {
    let mut desk = desk().await;
    let (script, seen) = (desk.home().join("browse"), desk.home().join("seen"));
    std::fs::write(&script, format!("#!/bin/sh\necho \"$1\" > {}.new; mv {0}.new {0}\n", seen.display()))
        .unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    desk.set("BROWSER", script.to_str().unwrap()).set("PATH", &std::env::var("PATH").unwrap());
    let mut running = desk.start(&["connection", "test", "-q"]);
    let url = running.address();
    while !seen.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(std::fs::read_to_string(seen).unwrap().trim(), url.as_str());
    Browser::new().get(&back(&desk), &[("token", "saml-5ecret")]).await;
    let ran = running.end();
    ran.succeeded();
    assert!(ran.output.contains("the browser window that was opened"), "{}", ran.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_token_stands_for_the_browser_next_time() {
    let mut desk = desk().await;
    desk.set("SNOWFLAKE_CLIENT_STORE_TEMPORARY_CREDENTIAL", "true");
    let mut login =
        json!({"token": "session-5ecret", "masterToken": "master-5ecret", "idToken": "id-5ecret"});
    let reply = |data: &Value| json_reply(json!({"data": data, "success": true}));
    std::fs::create_dir(desk.home().join(".cache")).unwrap();
    desk.account.on(LOGIN, [reply(&login)]);
    let mut running = desk.start(&["connection", "test"]);
    running.address();
    Browser::new().get(&back(&desk), &[("token", "saml-5ecret")]).await;
    running.end().succeeded();
    assert_eq!(desk.login()["SESSION_PARAMETERS"]["CLIENT_STORE_TEMPORARY_CREDENTIAL"], true);
    let file = desk.home().join(".cache/snowflake/credential_cache_v1.json");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);

    desk.sign_in().succeeded();
    let second = desk.login();
    assert_eq!((&second["AUTHENTICATOR"], &second["TOKEN"]), (&json!("ID_TOKEN"), &json!("id-5ecret")));

    // One that is refused is forgotten, and the person asked.
    login["idToken"] = json!("newer-5ecret");
    desk.account.on(LOGIN, [Reply::refusal("390195", "The provided ID Token is invalid."), reply(&login)]);
    offer(&desk);
    let mut running = desk.start(&["connection", "test"]);
    running.address();
    Browser::new().get(&back(&desk), &[("token", "saml-5ecret-2")]).await;
    running.end().succeeded();
    desk.sign_in().succeeded();
    assert_eq!(desk.login()["TOKEN"], "newer-5ecret");

    // Forgotten on demand.
    desk.start(&["connection", "forget"]).end().succeeded();
    offer(&desk);
    desk.configure("external_browser_timeout = 1");
    desk.sign_in().refused(4, &["nobody signed in"]);
}
