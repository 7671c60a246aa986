//! Name and password at the identity provider Okta.

use super::*;
use support::scripted::Request;

const ASK: &str = "/session/authenticator-request";

async fn desk() -> Desk {
    Desk::new(&[
        ("SNOWFLAKE_AUTHENTICATOR", "https://acme.okta.com"),
        ("SNOWFLAKE_PASSWORD", "password-5ecret"),
    ])
    .await
}

fn asked(desk: &Desk) -> Vec<Request> {
    desk.account.seen(ASK)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_goes_to_the_named_organisation_alone() {
    let desk = desk().await;
    for other in
        ["https://evil.example/token", "http://acme.okta.com/token", "https://acme.okta.com:8443/token"]
    {
        let data = json!({"tokenUrl": other, "ssoUrl": "https://acme.okta.com/sso"});
        desk.account.on(ASK, [json_reply(json!({"data": data, "success": true}))]);
        desk.sign_in().refused(4, &["the account does not sign in at https://acme.okta.com/"]);
    }
    assert_eq!(asked(&desk)[0].body["data"]["AUTHENTICATOR"], "https://acme.okta.com/");
    assert!(desk.account.seen(LOGIN).is_empty());
}
