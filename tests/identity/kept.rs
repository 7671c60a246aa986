//! OAuth tokens that are kept, and renewed without a person.

use super::*;

const TOKEN_PATH: &str = "/idp/token";

fn tokens(access: &str, refresh: &str) -> Reply {
    json_reply(json!({"access_token": access, "refresh_token": refresh}))
}

async fn desk() -> Desk {
    let mut desk = Desk::new(&[
        ("SNOWFLAKE_AUTHENTICATOR", "oauth_authorization_code"),
        ("SNOWFLAKE_OAUTH_CLIENT_ID", "the-client"),
        ("SNOWFLAKE_OAUTH_CLIENT_SECRET", "client-5ecret"),
        ("SNOWFLAKE_OAUTH_AUTHORIZATION_URL", "https://idp.example/authorize"),
        ("SNOWFLAKE_OAUTH_SCOPE", "sf"),
        ("SNOWFLAKE_OAUTH_ENABLE_REFRESH_TOKENS", "true"),
        ("SNOWFLAKE_CLIENT_STORE_TEMPORARY_CREDENTIAL", "true"),
    ])
    .await;
    let url = desk.account.url(TOKEN_PATH).replace("127.0.0.1", "localhost");
    desk.set("SNOWFLAKE_OAUTH_TOKEN_REQUEST_URL", &url);
    std::fs::create_dir(desk.home().join(".cache")).unwrap();
    desk
}

async fn with_a_person(desk: &Desk) -> reqwest::Url {
    let mut running = desk.start(&["connection", "test"]);
    let url = running.address();
    let answer = [("code", "code-5ecret"), ("state", &parameter(&url, "state"))];
    Browser::new().get(&parameter(&url, "redirect_uri"), &answer).await;
    running.end().succeeded();
    url
}

fn grants(desk: &Desk) -> Vec<String> {
    let asked = desk.account.seen(TOKEN_PATH);
    asked.iter().map(|request| request.body["grant_type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_asked_once_while_tokens_are_good_or_can_be_renewed() {
    let desk = desk().await;
    desk.account.on(TOKEN_PATH, [tokens("access-5ecret-1", "refresh-5ecret-1")]);
    let url = with_a_person(&desk).await;
    assert_eq!(parameter(&url, "scope"), "sf offline_access");

    desk.sign_in().succeeded();
    assert_eq!(desk.login()["TOKEN"], "access-5ecret-1");
    assert_eq!(grants(&desk), ["authorization_code"], "nobody was asked");

    // Expired: renewed, and the login made again.
    desk.account.on(LOGIN, [Reply::refusal("390318", "OAuth access token expired.")]);
    desk.account.on(TOKEN_PATH, [tokens("access-5ecret-2", "refresh-5ecret-2")]);
    desk.sign_in().succeeded();
    assert_eq!(desk.login()["TOKEN"], "access-5ecret-2");
    assert_eq!(grants(&desk), ["authorization_code", "refresh_token"]);
    let renewal = &desk.account.seen(TOKEN_PATH)[1].body;
    assert_eq!(
        (&renewal["refresh_token"], &renewal["scope"]),
        (&json!("refresh-5ecret-1"), &json!("sf offline_access"))
    );

    // The renewal is refused: the person is asked, and what was refused is forgotten.
    desk.account.on(LOGIN, [Reply::refusal("390318", "OAuth access token expired.")]);
    desk.account
        .on(TOKEN_PATH, [refusal(400, "invalid_grant", ""), tokens("access-5ecret-3", "refresh-5ecret-3")]);
    with_a_person(&desk).await;
    assert_eq!(desk.login()["TOKEN"], "access-5ecret-3");
    assert_eq!(desk.account.seen(TOKEN_PATH)[2].body["refresh_token"], "refresh-5ecret-2");
    assert_eq!(grants(&desk).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_processes_one_asks_the_person() {
    let desk = desk().await;
    desk.account.on(TOKEN_PATH, [tokens("access-5ecret-1", "refresh-5ecret-1")]);
    let mut first = desk.start(&["connection", "test"]);
    let url = first.address();
    let second = desk.start(&["connection", "test"]);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let answer = [("code", "code-5ecret"), ("state", &parameter(&url, "state"))];
    Browser::new().get(&parameter(&url, "redirect_uri"), &answer).await;
    first.end().succeeded();
    let second = second.end();
    second.succeeded();
    assert!(second.output.contains("Another process is signing in"), "{}", second.output);
    assert_eq!(grants(&desk), ["authorization_code"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_where_nobody_said_so() {
    let mut desk = desk().await;
    desk.variables.remove("SNOWFLAKE_CLIENT_STORE_TEMPORARY_CREDENTIAL");
    for number in 1..=2 {
        desk.account.on(TOKEN_PATH, [tokens(&format!("access-5ecret-{number}"), "refresh-5ecret")]);
        with_a_person(&desk).await;
    }
    assert_eq!(grants(&desk), ["authorization_code", "authorization_code"]);
    assert!(!desk.home().join(".cache/snowflake/credential_cache_v1.json").exists());
}
