//! A second factor that a person approves on their telephone.

use super::*;

fn waits() -> Reply {
    json_reply(json!({"data": {"nextAction": "EXT_AUTHN_DUO_ALL", "inFlightCtx": "context-1"},
        "code": "390120", "message": "EXT_AUTHN_DUO_ALL", "success": false}))
}

fn agreed() -> Reply {
    json_reply(
        json!({"data": {"nextAction": "EXT_AUTHN_SUCCESS", "inFlightCtx": "context-2"}, "success": true}),
    )
}

async fn desk() -> Desk {
    let variables =
        [("SNOWFLAKE_AUTHENTICATOR", "username_password_mfa"), ("SNOWFLAKE_PASSWORD", "password-5ecret")];
    Desk::new(&variables).await
}

fn signed_in(mfa: &str) -> Reply {
    let data = json!({"token": "session-5ecret", "masterToken": "master-5ecret", "mfaToken": mfa});
    json_reply(json!({"data": data, "success": true}))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_is_told_and_waited_for() {
    let desk = desk().await;
    desk.account.on(LOGIN, [waits(), agreed(), signed_in("")]);
    let ran = desk.start(&["connection", "test", "-q"]).end();
    ran.succeeded();
    assert!(ran.output.contains("Approve the sign-in on your telephone"), "{}", ran.output);
    let [first, second, third] = &desk.account.seen(LOGIN)[..] else { panic!("three steps") };
    assert_eq!(first.body["data"]["SESSION_PARAMETERS"]["CLIENT_REQUEST_MFA_TOKEN"], true);
    assert!(first.body.get("inFlightCtx").is_none() && first.body["data"].get("AUTHENTICATOR").is_none());
    assert_eq!(second.body["inFlightCtx"], "context-1");
    assert_eq!(second.body["data"]["EXT_AUTHN_DUO_METHOD"], "push");
    assert_eq!(second.body["data"]["PASSWORD"], "password-5ecret");
    assert_eq!(third.body["inFlightCtx"], "context-2");
    assert!(third.body["data"].get("PASSWORD").is_none(), "it has been shown");
    assert_eq!(third.body["data"]["LOGIN_NAME"], "me");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_may_answer_with_the_session_at_once() {
    let desk = desk().await;
    desk.account.on(LOGIN, [waits(), signed_in("")]);
    desk.sign_in().succeeded();
    assert_eq!(desk.account.seen(LOGIN).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_does_not_agree_is_not_asked_again() {
    let denied = Reply::refusal("390127", "Duo Security: the login request was denied.");
    let busy = Reply::raw(503, "text/plain", "busy");
    for (reply, code, words) in
        [(denied, 4, "was denied"), (busy, 1, "status 503"), (Reply::HangUp, 1, "broke off")]
    {
        let desk = desk().await;
        desk.account.on(LOGIN, [waits(), reply]);
        desk.sign_in().refused(code, &[words]);
        assert_eq!(desk.account.seen(LOGIN).len(), 2, "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_stands_for_the_telephone_next_time() {
    let desk = desk().await;
    std::fs::create_dir(desk.home().join(".cache")).unwrap();
    desk.account.on(LOGIN, [waits(), signed_in("mfa-5ecret"), signed_in("")]);
    desk.sign_in().succeeded();
    desk.sign_in().succeeded();
    let login = desk.login();
    assert_eq!((&login["TOKEN"], &login["PASSWORD"]), (&json!("mfa-5ecret"), &json!("password-5ecret")));
    assert!(login.get("AUTHENTICATOR").is_none());
    // A login that is refused forgets it, as the connector does; it is not made again, because it counts.
    desk.account.on(LOGIN, [Reply::refusal("390100", "Incorrect username or password was specified.")]);
    desk.sign_in().refused(4, &["Incorrect username or password"]);
    desk.sign_in().succeeded();
    assert!(desk.login().get("TOKEN").is_none());
    assert_eq!(desk.account.seen(LOGIN).len(), 5);
}
