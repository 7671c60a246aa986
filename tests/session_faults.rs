//! The session protocol when things go wrong: a scripted server plays an account that is slow, busy, expired
//! or not there, and the requests it saw are what is asserted.

#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod support;

use futures_util::future::join_all;
use serde_json::{Value, json};
use snowform::object::name::Ident;
use snowform::object::statement::{Operation, Sql};
use snowform::session::{Rows, Session as _, SessionError};
use snowform::snowflake::client::{ClientOptions, SnowflakeSession, connect};
use snowform::snowflake::retry::Retry;
use snowform::snowflake::settings::{Flags, Located, Settings, Sources, resolve};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use support::scripted::{ABORT, CLOSE, LOGIN, QUERY, Reply, Request, Scripted, TOKEN};

const PASSWORD: &str = "hunter2-the-password";

fn settings(port: u16, more: &[(&str, &str)]) -> Settings {
    let own = [
        ("ACCOUNT", "myorg-acct"),
        ("USER", "deployer"),
        ("PASSWORD", PASSWORD),
        ("HOST", "127.0.0.1"),
        ("PROTOCOL", "http"),
        ("DATABASE", "db"),
    ];
    let mut environment: BTreeMap<String, String> = own
        .iter()
        .chain(more)
        .map(|(name, value)| (format!("SNOWFLAKE_{name}"), (*value).to_owned()))
        .collect();
    environment.insert("SNOWFLAKE_PORT".to_owned(), port.to_string());
    let located = Located { config: PathBuf::new(), connections: PathBuf::new(), is_custom: false };
    let flags = Flags { temporary_connection: true, ..Flags::default() };
    resolve(&Sources { located, files: Vec::new(), environment, flags }).unwrap()
}

/// As patient as ever in tries, and hasty in pauses.
fn options() -> ClientOptions {
    let millis = Duration::from_millis;
    let retry = Retry { tries: 5, base: millis(2), max: millis(8), longest_asked: millis(150) };
    ClientOptions { retry, max_in_flight: 4, request_timeout: Duration::from_secs(5) }
}

async fn session(server: &Scripted) -> SnowflakeSession {
    connect(&settings(server.port, &[]), options()).await.unwrap()
}

fn show() -> Sql {
    Sql::new("SHOW IMAGE REPOSITORIES")
}

fn create() -> Operation {
    Operation::Sql(Sql::new("CREATE IMAGE REPOSITORY").ident(&Ident::exact("R")))
}

fn names(rows: &Rows) -> Vec<&str> {
    rows.iter().filter_map(|row| row.get("name")).collect()
}

/// The distinct values of a query parameter over some requests.
fn distinct<'r>(requests: &'r [Request], parameter: &str) -> BTreeSet<&'r str> {
    requests.iter().filter_map(|request| request.query.get(parameter)).map(String::as_str).collect()
}

fn unavailable() -> Reply {
    Reply::raw(503, "text/html", "<html>busy</html>")
}

#[tokio::test]
async fn a_login_says_who_where_and_how() {
    let server = Scripted::start().await;
    let settings = settings(server.port, &[("ROLE", "deployer"), ("WAREHOUSE", "wh"), ("SCHEMA", "public")]);
    let session = connect(&settings, options()).await.unwrap();
    let [login] = &server.all()[..] else { panic!("one request, no more") };
    assert_eq!((login.method.as_str(), login.path.as_str()), ("POST", LOGIN));
    let query =
        ["roleName", "warehouse", "databaseName", "schemaName"].map(|name| login.query[name].as_str());
    assert_eq!(query, ["deployer", "wh", "db", "public"]);
    assert!(uuid::Uuid::parse_str(&login.query["requestId"]).is_ok());
    assert!(!login.headers.contains_key("authorization"));
    assert!(login.headers["user-agent"].starts_with("snowform/"));
    let data = &login.body["data"];
    assert_eq!(data["ACCOUNT_NAME"], "MYORG-ACCT");
    assert_eq!(data["LOGIN_NAME"], "deployer");
    assert_eq!(data["PASSWORD"], PASSWORD);
    assert_eq!(data["CLIENT_APP_ID"], "snowform");
    assert_eq!(data["CLIENT_ENVIRONMENT"]["APPLICATION"], "snowform");
    let parameters = json!({"PYTHON_CONNECTOR_QUERY_RESULT_FORMAT": "JSON", "QUERY_TAG": "snowform"});
    assert_eq!(data["SESSION_PARAMETERS"], parameters);
    assert!(data.get("AUTHENTICATOR").is_none());

    let identity = session.identity();
    assert_eq!(identity.account, "MYORG-ACCT");
    assert_eq!(identity.host, format!("127.0.0.1:{}", server.port));
    assert_eq!(identity.user, "DEPLOY_USER");
    assert_eq!(identity.role, Some(Ident::exact("DEPLOYER")));
    assert_eq!(identity.database, Some(Ident::exact("DB")));
}

#[tokio::test]
async fn a_statement_is_sent_under_the_session_token() {
    let server = Scripted::start().await;
    server.on(QUERY, [Reply::names(&["A", "B"])]);
    let session = session(&server).await;
    let rows = session.query(&show(), None).await.unwrap();
    assert_eq!(names(&rows), ["A", "B"]);
    assert_eq!(rows.query_id.as_deref(), Some("01-q"));
    assert_eq!(rows.columns[0].kind, "text");
    let [request] = &server.seen(QUERY)[..] else { panic!("one request") };
    assert_eq!(request.headers["authorization"], "Snowflake Token=\"SESSION-1\"");
    assert_eq!(request.headers["accept"], "application/snowflake");
    assert_eq!(request.body["sqlText"], "SHOW IMAGE REPOSITORIES");
    assert_eq!(request.body["sequenceId"], 1);
    assert_eq!(request.body["asyncExec"], false);
    let parameters: Vec<_> = request.query.keys().map(String::as_str).collect();
    assert_eq!(parameters, ["requestId", "request_guid"], "a first try counts no retries");
}

#[tokio::test]
async fn a_busy_account_is_asked_again_in_a_way_it_recognises() {
    let server = Scripted::start().await;
    server.on(QUERY, [unavailable(), unavailable(), unavailable(), Reply::names(&["A"])]);
    let session = session(&server).await;
    let rows = session.query(&show(), None).await.unwrap();
    assert_eq!(names(&rows), ["A"]);
    let requests = server.seen(QUERY);
    assert_eq!(requests.len(), 4);
    assert_eq!(distinct(&requests, "requestId").len(), 1, "one statement");
    assert_eq!(distinct(&requests, "request_guid").len(), 4, "four tries");
    let counts: Vec<_> =
        requests.iter().map(|request| request.query.get("retryCount").map(String::as_str)).collect();
    assert_eq!(counts, [None, Some("1"), Some("2"), Some("3")]);
    assert_eq!(distinct(&requests, "retryReason"), BTreeSet::from(["503"]));
    assert_eq!(distinct(&requests, "clientStartTime").len(), 1);
    let bodies: BTreeSet<_> = requests.iter().map(|request| request.body.to_string()).collect();
    assert_eq!(bodies.len(), 1);
}

#[tokio::test]
async fn retry_after_is_honoured_up_to_a_bound() {
    let server = Scripted::start().await;
    let too_many = Reply::raw(429, "text/plain", "").with_header("retry-after", "3600");
    server.on(QUERY, [too_many, Reply::names(&[])]);
    let session = session(&server).await;
    let started = Instant::now();
    session.query(&show(), None).await.unwrap();
    let waited = started.elapsed();
    assert!(waited >= Duration::from_millis(150), "asked for an hour, granted 150 ms, waited {waited:?}");
    assert_eq!(server.seen(QUERY)[1].query["retryReason"], "429");
}

#[tokio::test]
async fn a_connection_that_closes_without_an_answer_is_tried_again() {
    for fault in [Reply::HangUp, Reply::BreakOff] {
        let server = Scripted::start().await;
        server.on(QUERY, [fault, Reply::names(&["A"])]);
        let session = session(&server).await;
        let rows = session.query(&show(), None).await.unwrap();
        assert_eq!(names(&rows), ["A"]);
        let requests = server.seen(QUERY);
        assert_eq!(distinct(&requests, "requestId").len(), 1);
        let last = requests.last().unwrap();
        assert_eq!((last.query["retryCount"].as_str(), last.query["retryReason"].as_str()), ("1", "0"));
    }
}

#[tokio::test]
async fn silence_is_a_time_out_and_is_tried_again() {
    let server = Scripted::start().await;
    let late = Reply::Late(Duration::from_secs(30), Box::new(Reply::names(&[])));
    server.on(QUERY, [late, Reply::names(&["A"])]);
    let options = ClientOptions { request_timeout: Duration::from_millis(200), ..options() };
    let session = connect(&settings(server.port, &[]), options).await.unwrap();
    let rows = session.query(&show(), None).await.unwrap();
    assert_eq!(names(&rows), ["A"]);
    assert_eq!(server.seen(QUERY).len(), 2);
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_says_so_when_the_name_is_taken() {
    let server = Scripted::start().await;
    let taken = || Reply::refusal("002002", "SQL compilation error:\nObject 'R' already exists.");
    server.on(QUERY, [Reply::HangUp, taken(), taken(), unavailable(), taken(), throttled(), taken()]);
    let session = session(&server).await;
    let mut after_retry = Vec::new();
    for _ in 0..4 {
        let error = session.perform(&create(), None).await.unwrap_err();
        assert!(error.is_taken(), "{error}");
        after_retry.push(error.is_after_retry());
    }
    let why = "after a lost answer, never asked before, after a 503, after a 429 that ran nothing";
    assert_eq!(after_retry, [true, false, true, false], "{why}");
    server.assert_finished();
}

fn throttled() -> Reply {
    Reply::raw(429, "text/plain", "")
}

#[tokio::test]
async fn an_account_that_stays_away_is_unreachable_and_the_outcome_unknown() {
    let server = Scripted::start().await;
    server.on(QUERY, vec![unavailable(); 5]);
    let session = session(&server).await;
    let error = session.perform(&create(), None).await.unwrap_err();
    let SessionError::Unreachable { message, help } = &error else { panic!("{error:?}") };
    assert!(message.contains("status 503, through 5 tries"), "{message}");
    assert!(message.contains("whether the statement was carried out is not known"), "{message}");
    assert!(help.contains("plan again"), "{help}");
    assert_eq!(server.seen(QUERY).len(), 5);
}

#[tokio::test]
async fn an_expired_session_is_renewed_and_the_same_request_replayed() {
    let server = Scripted::start().await;
    server.on(QUERY, [Reply::refusal("390112", "expired"), Reply::names(&["A"]), Reply::names(&["B"])]);
    server.on(TOKEN, [Reply::renewed("SESSION-2", "MASTER-2")]);
    let session = session(&server).await;
    assert_eq!(names(&session.query(&show(), None).await.unwrap()), ["A"]);
    assert_eq!(names(&session.query(&show(), None).await.unwrap()), ["B"]);
    let [renewal] = &server.seen(TOKEN)[..] else { panic!("one renewal") };
    assert_eq!(renewal.headers["authorization"], "Snowflake Token=\"MASTER-1\"");
    assert_eq!(renewal.body, json!({"oldSessionToken": "SESSION-1", "requestType": "RENEW"}));
    let requests = server.seen(QUERY);
    assert_eq!(requests[0].query["requestId"], requests[1].query["requestId"]);
    assert_ne!(requests[0].query["request_guid"], requests[1].query["request_guid"]);
    assert!(!requests[1].query.contains_key("retryCount"), "the account refused, so nothing was tried twice");
    let tokens: Vec<_> = requests.iter().map(|request| request.headers["authorization"].as_str()).collect();
    let [old, new] = ["Snowflake Token=\"SESSION-1\"", "Snowflake Token=\"SESSION-2\""];
    assert_eq!(tokens, [old, new, new]);
}

#[tokio::test]
async fn statements_that_expire_together_renew_once() {
    let server = Scripted::start().await;
    let slowly = |reply| Reply::Late(Duration::from_millis(30), Box::new(reply));
    server.on(QUERY, (0..3).map(|_| slowly(Reply::refusal("390112", "expired"))));
    server.on(QUERY, (0..3).map(|_| Reply::names(&["A"])));
    server.on(TOKEN, [slowly(Reply::renewed("SESSION-2", "MASTER-2"))]);
    let session = session(&server).await;
    let sql = show();
    let answers = join_all((0..3).map(|_| session.query(&sql, None))).await;
    assert!(answers.into_iter().all(|rows| names(&rows.unwrap()) == ["A"]));
    assert_eq!(server.seen(TOKEN).len(), 1);
    assert_eq!(server.seen(LOGIN).len(), 1);
    assert_eq!(distinct(&server.seen(QUERY), "requestId").len(), 3);
    server.assert_finished();
}

#[tokio::test]
async fn a_session_that_is_gone_is_opened_anew_once() {
    let unauthorised =
        Reply::status(401, json!({"data": null, "code": "390104", "message": "x", "success": false}));
    let lost = ["390104", "390111", "390113", "390114", "390115"].map(|code| Reply::refusal(code, "gone"));
    for refusal in lost.into_iter().chain([unauthorised]) {
        let server = Scripted::start().await;
        server.on(LOGIN, [Reply::login("SESSION-1", "MASTER-1"), Reply::login("SESSION-2", "MASTER-2")]);
        server.on(QUERY, [refusal.clone(), Reply::names(&["A"]), refusal.clone(), refusal]);
        let session = session(&server).await;
        assert_eq!(names(&session.query(&show(), None).await.unwrap()), ["A"]);
        let requests = server.seen(QUERY);
        assert_eq!(requests[0].query["requestId"], requests[1].query["requestId"]);
        assert_eq!(requests[1].headers["authorization"], "Snowflake Token=\"SESSION-2\"");
        assert_eq!(server.seen(LOGIN).len(), 2);

        let error = session.query(&show(), None).await.unwrap_err();
        assert!(
            matches!(error, SessionError::Authentication { .. }),
            "twice in a row is too often: {error:?}"
        );
        assert_eq!(server.seen(QUERY).len(), 4);
    }
}

#[tokio::test]
async fn a_renewal_that_is_refused_leads_to_a_new_login() {
    let server = Scripted::start().await;
    server.on(LOGIN, [Reply::login("SESSION-1", "MASTER-1"), Reply::login("SESSION-2", "MASTER-2")]);
    server.on(QUERY, [Reply::refusal("390112", "expired"), Reply::names(&["A"])]);
    server.on(TOKEN, [Reply::refusal("390114", "the master token has expired")]);
    let session = session(&server).await;
    assert_eq!(names(&session.query(&show(), None).await.unwrap()), ["A"]);
    assert_eq!(server.seen(QUERY)[1].headers["authorization"], "Snowflake Token=\"SESSION-2\"");
    server.assert_finished();
}

fn in_progress(code: &str, address: Option<&str>) -> Reply {
    let data = json!({"getResultUrl": address, "progressDesc": null, "queryAbortsAfterSecs": 300, "queryId": "01bf"});
    Reply::json(
        json!({"code": code, "data": data, "message": "Query execution in progress", "success": true}),
    )
}

const RESULT: &str = "/queries/01bf/result";

#[tokio::test]
async fn a_long_statement_is_asked_about_until_it_is_done_even_across_a_renewal() {
    let server = Scripted::start().await;
    server.on(QUERY, [in_progress("333334", Some(RESULT))]);
    let answers = [
        in_progress("333334", Some(RESULT)),
        unavailable(),
        Reply::refusal("390112", "expired"),
        in_progress("333333", None),
        Reply::names(&["A"]),
    ];
    server.on(RESULT, answers).on(TOKEN, [Reply::renewed("SESSION-2", "MASTER-2")]);
    let session = session(&server).await;
    assert_eq!(names(&session.query(&show(), None).await.unwrap()), ["A"]);
    server.assert_finished();
    assert_eq!(server.seen(QUERY).len(), 1, "the statement itself is sent once");
    let polls = server.seen(RESULT);
    assert!(polls.iter().all(|poll| poll.method == "GET" && poll.body == Value::Null));
    let last = polls.last().unwrap();
    assert_eq!(last.headers["authorization"], "Snowflake Token=\"SESSION-2\"");
}

#[tokio::test]
async fn a_token_never_follows_an_address_elsewhere() {
    let elsewhere = Scripted::start().await;
    let foreign = elsewhere.url(RESULT);
    let relative_scheme = foreign.trim_start_matches("http:").to_owned();
    for address in [foreign.as_str(), relative_scheme.as_str(), "https://127.0.0.1/x", "http://[bad"] {
        let server = Scripted::start().await;
        server.on(QUERY, [in_progress("333334", Some(address))]);
        let session = session(&server).await;
        let error = session.query(&show(), None).await.unwrap_err();
        assert!(matches!(&error, SessionError::Protocol { .. }), "{address}: {error:?}");
    }
    let server = Scripted::start().await;
    let away = Reply::raw(307, "text/plain", "").with_header("location", &elsewhere.url(LOGIN));
    server.on(LOGIN, [away]);
    let error = failed_login(&server, &[]).await;
    assert!(
        matches!(&error, SessionError::Protocol { message, .. } if message.contains("redirects")),
        "{error:?}"
    );
    assert_eq!(elsewhere.all().len(), 0, "nothing was sent there");
}

#[tokio::test]
async fn redirections_on_the_same_host_keep_method_and_body() {
    let server = Scripted::start().await;
    let moved = |status| Reply::raw(status, "text/plain", "").with_header("location", "/moved?x=1");
    server.on(QUERY, [moved(307), moved(308), moved(302)]);
    server.on("/moved", [Reply::names(&["A"]), Reply::names(&["B"])]);
    let session = session(&server).await;
    assert_eq!(names(&session.query(&show(), None).await.unwrap()), ["A"]);
    assert_eq!(names(&session.query(&show(), None).await.unwrap()), ["B"]);
    let moved = server.seen("/moved");
    assert!(moved.iter().all(|request| request.method == "POST"));
    assert!(moved.iter().all(|request| request.body["sqlText"] == "SHOW IMAGE REPOSITORIES"));
    let error = session.query(&show(), None).await.unwrap_err();
    assert!(matches!(&error, SessionError::Protocol { .. }), "302 would turn a POST into a GET: {error:?}");
    let circle = || Reply::raw(307, "text/plain", "").with_header("location", QUERY);
    server.on(QUERY, (0..20).map(|_| circle()));
    let error = session.query(&show(), None).await.unwrap_err();
    assert!(error.to_string().contains("in circles"), "{error}");
}

fn chunked(server: &Scripted, more: Value) -> Reply {
    let chunk = |path: &str| json!({"url": server.url(path), "rowCount": 1, "uncompressedSize": 9, "compressedSize": 9});
    let mut data = json!({"rowtype": [{"name": "name", "type": "text"}, {"name": "n", "type": "fixed"}],
        "rowset": [["inline", "1"]], "total": 6, "returned": 6, "queryId": "01", "queryResultFormat": "json",
        "chunks": [chunk("/one"), chunk("/two"), chunk("/three")]});
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Reply::json(json!({"data": data, "code": null, "message": null, "success": true}))
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_result_in_parts_keeps_its_order_and_its_tokens() {
    let server = Scripted::start().await;
    server.on(QUERY, [chunked(&server, json!({"chunkHeaders": {"x-key": "KEY"}, "qrmk": "unused"}))]);
    // The first part is the slowest, and once unavailable.
    let slow = Reply::Late(
        Duration::from_millis(40),
        Box::new(Reply::raw(200, "", gzip("[\"a\",\"2\"],[\"b\",null]"))),
    );
    server.on("/one", [unavailable(), slow]);
    server.on("/two", [Reply::raw(200, "", gzip("[\"c\",\"3\"]")).with_header("content-encoding", "gzip")]);
    server.on("/three", [Reply::HangUp, Reply::raw(200, "text/plain", "[\"d\",\"4\"],\n[\"e\",\"5\"]")]);
    let session = session(&server).await;
    let rows = session.query(&show(), None).await.unwrap();
    assert_eq!(names(&rows), ["inline", "a", "b", "c", "d", "e"]);
    let numbers: Vec<_> = rows.iter().map(|row| row.get("N")).collect();
    assert_eq!(numbers, [Some("1"), Some("2"), None, Some("3"), Some("4"), Some("5")]);
    for path in ["/one", "/two", "/three"] {
        for request in server.seen(path) {
            assert!(!request.headers.contains_key("authorization"), "{path}");
            assert_eq!(request.headers["x-key"], "KEY");
            assert!(!request.headers.contains_key("x-amz-server-side-encryption-customer-key"));
        }
    }
    server.assert_finished();
}

#[tokio::test]
async fn a_result_with_a_missing_part_is_an_error_and_never_a_shorter_list() {
    let parts = || [Reply::raw(200, "", "[\"c\",\"3\"]"), Reply::raw(200, "", "[\"d\",\"4\"]")];
    for first in [
        Reply::raw(403, "application/xml", "<Error/>"),
        Reply::raw(200, "", "[\"a\""),
        Reply::raw(200, "", ""),
    ] {
        let server = Scripted::start().await;
        server.on(QUERY, [chunked(&server, json!({"qrmk": "KEY"}))]);
        let [two, three] = parts();
        server.on("/one", [first]).on("/two", [two]).on("/three", [three]);
        let session = session(&server).await;
        let error = session.query(&show(), None).await.unwrap_err();
        assert!(matches!(error, SessionError::Protocol { .. }), "{error:?}");
        assert_eq!(server.seen("/one")[0].headers["x-amz-server-side-encryption-customer-key"], "KEY");
    }
}

#[tokio::test]
async fn rows_that_were_left_out_are_asked_for_once_more() {
    let without = || {
        Reply::json(
            json!({"data": {"rowtype": [], "rowset": null, "total": 1, "returned": 1, "queryId": "01bf"},
            "success": true}),
        )
    };
    let server = Scripted::start().await;
    server.on(QUERY, [without(), without()]).on(RESULT, [Reply::names(&["A"]), without()]);
    let session = session(&server).await;
    assert_eq!(names(&session.query(&show(), None).await.unwrap()), ["A"]);
    let error = session.query(&show(), None).await.unwrap_err();
    assert!(error.to_string().contains("promised 1 rows and sent 0"), "{error}");
    server.on(QUERY, [without()]);
    let performed = session.perform(&create(), None).await.unwrap();
    assert_eq!(performed.query_id.as_deref(), Some("01bf"), "an operation needs no rows");
}

#[tokio::test]
async fn an_answer_in_arrow_is_refused() {
    let arrow =
        Reply::json(json!({"data": {"rowtype": [{"name": "x", "type": "text"}], "rowsetBase64": "QVJST1cx",
        "total": 1, "queryResultFormat": "arrow"}, "success": true}));
    let server = Scripted::start().await;
    server.on(QUERY, [arrow]);
    let error = session(&server).await.query(&show(), None).await.unwrap_err();
    assert!(
        matches!(&error, SessionError::Protocol { message, .. } if message.contains("Arrow")),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_is_no_account_is_named_and_not_quoted() {
    let cases = [
        (
            Reply::raw(200, "text/html", "<title>Sign in</title>body-secret"),
            "status 200, text/html, titled \"Sign in\"",
        ),
        (Reply::raw(404, "text/plain", "body-secret"), "status 404, text/plain"),
        (Reply::raw(200, "application/json", "{\"data\": {\"token\": \"body-secret"), "JSON that breaks off"),
        (Reply::raw(200, "application/json", "{\"success\": \"body-secret\"}"), "JSON of an unexpected form"),
        (Reply::raw(200, "", ""), "status 200, no content type"),
    ];
    for (reply, expected) in cases {
        let server = Scripted::start().await;
        server.on(LOGIN, [reply.clone()]);
        let error = failed_login(&server, &[]).await;
        let SessionError::Protocol { message, .. } = &error else { panic!("{error:?}") };
        assert!(message.contains(expected), "{message}");
        assert!(!format!("{error:?}").contains("body-secret"), "{error:?}");
        server.on(QUERY, [reply]);
        let error = session(&server).await.query(&show(), None).await.unwrap_err();
        assert!(
            matches!(&error, SessionError::Protocol { message, .. } if message.contains(expected)),
            "{error:?}"
        );
    }
}

async fn failed_login(server: &Scripted, more: &[(&str, &str)]) -> SessionError {
    match connect(&settings(server.port, more), options()).await {
        Ok(_) => panic!("the login succeeded"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_refused_statement_keeps_the_accounts_words() {
    let refusal = Reply::json(
        json!({"data": {"errorCode": "002003", "sqlState": "02000", "queryId": "01e", "line": -1},
        "code": "002003", "message": "SQL compilation error:\nX does not exist or not authorized.", "success": false}),
    );
    let server = Scripted::start().await;
    server.on(QUERY, [refusal, Reply::json(json!({"data": null, "success": false}))]);
    let session = session(&server).await;
    let error = session.query(&show(), None).await.unwrap_err();
    assert!(error.is_absence());
    let SessionError::Sql { code, sql_state, message, query_id, after_retry } = error else {
        panic!("{error:?}")
    };
    assert_eq!((code, sql_state.as_deref(), query_id.as_deref()), (2003, Some("02000"), Some("01e")));
    assert_eq!(message, "SQL compilation error:\nX does not exist or not authorized.");
    assert!(!after_retry);
    let error = session.query(&show(), None).await.unwrap_err();
    assert_eq!(error.to_string(), "the account refused the statement and gave no reason");
}

/// A code, the settings of the login, and a piece of the help.
type RefusedLogin = (&'static str, &'static [(&'static str, &'static str)], &'static str);

#[tokio::test]
async fn refused_logins_say_what_to_do() {
    const JWT: &[(&str, &str)] = &[
        ("AUTHENTICATOR", "SNOWFLAKE_JWT"),
        ("PRIVATE_KEY_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/keys/plain.p8")),
    ];
    let cases: &[RefusedLogin] = &[
        ("390100", &[], "check user and password"),
        ("390422", &[], "check user and password"),
        ("390189", &[("ROLE", "nobody")], "the role nobody does not exist or is not granted"),
        ("390201", &[], "database, schema or warehouse"),
        ("394302", JWT, "the clock of this machine"),
        ("394304", JWT, "RSA_PUBLIC_KEY_FP"),
        ("390144", JWT, "with SHA256:"),
        ("394400", &[("AUTHENTICATOR", "PROGRAMMATIC_ACCESS_TOKEN"), ("TOKEN", "t0ken")], "make a new one"),
        (
            "390318",
            &[("AUTHENTICATOR", "OAUTH"), ("TOKEN", "t0ken")],
            "the OAuth token is invalid or expired",
        ),
        ("394508", &[], "--mfa-passcode"),
        ("399999", &[], "check account, user and credentials"),
    ];
    for (code, more, expected) in cases {
        let server = Scripted::start().await;
        server.on(LOGIN, [Reply::refusal(code, &format!("no: {PASSWORD} t0ken"))]);
        let error = failed_login(&server, more).await;
        let SessionError::Authentication { code: given, message, help } = &error else { panic!("{error:?}") };
        assert_eq!(given.map(|code| format!("{code:06}")).as_deref(), Some(*code));
        assert!(help.contains(expected), "{code}: {help}");
        assert!(message.contains(code), "{message}");
        let sent = if more.iter().any(|(name, _)| *name == "TOKEN") { "t0ken" } else { PASSWORD };
        let is_sent = more.iter().all(|(name, _)| *name != "PRIVATE_KEY_FILE");
        assert!(!is_sent || message.contains("****") && !message.contains(sent), "{message}");
        assert_eq!(server.seen(LOGIN).len(), 1, "a refusal is not retried: accounts lock users out");
    }
    let server = Scripted::start().await;
    server.on(LOGIN, [Reply::raw(403, "text/html", "<title>403 Forbidden</title>")]);
    let error = failed_login(&server, &[]).await;
    let SessionError::Authentication { code: None, help, .. } = &error else { panic!("{error:?}") };
    assert!(help.contains("the account part of the host is probably wrong, or a network policy"), "{help}");
}

#[tokio::test]
async fn every_try_of_a_key_pair_login_signs_a_new_token_under_one_request_id() {
    let key = format!("{}/tests/data/keys/plain.p8", env!("CARGO_MANIFEST_DIR"));
    let settings = |port| settings(port, &[("AUTHENTICATOR", "SNOWFLAKE_JWT"), ("PRIVATE_KEY_FILE", &key)]);
    let server = Scripted::start().await;
    let late = Reply::Late(Duration::from_millis(1100), Box::new(unavailable()));
    server.on(LOGIN, [late, Reply::login("S", "M")]);
    connect(&settings(server.port), options()).await.unwrap();
    let logins = server.seen(LOGIN);
    assert_eq!(distinct(&logins, "requestId").len(), 1);
    assert_eq!(distinct(&logins, "request_guid").len(), 2);
    let tokens: BTreeSet<_> = logins.iter().map(|login| login.body["data"]["TOKEN"].to_string()).collect();
    assert_eq!(tokens.len(), 2, "a second later the token says so");
    assert!(logins.iter().all(|login| login.body["data"].get("PASSWORD").is_none()));
}

#[tokio::test]
async fn what_cannot_be_reached_is_told_apart() {
    let unused = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let error = connect(&settings(unused, &[]), options()).await.err().unwrap();
    let SessionError::Unreachable { message, help } = &error else { panic!("{error:?}") };
    assert!(
        message.contains("no connection to 127.0.0.1") && message.contains("through 3 tries"),
        "{message}"
    );
    assert!(help.contains("port"), "{help}");

    let error = connect(&settings(443, &[("HOST", "nosuch.invalid")]), options()).await.err().unwrap();
    let SessionError::Unreachable { message, help } = &error else { panic!("{error:?}") };
    assert!(message.contains("nosuch.invalid") && message.contains("cannot be found"), "{message}");
    assert!(help.contains("check the account"), "{help}");
}

#[tokio::test]
async fn certificates_and_plain_servers_are_told_apart_and_tried_once() {
    for (answer, expected, help_word) in [
        (tls::self_signed as fn(std::net::TcpStream), "certificate of 127.0.0.1", "SSL_CERT_FILE"),
        (tls::plain_http, "does not agree on an encrypted connection", "protocol = http"),
    ] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let accepted = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let counter = std::sync::Arc::clone(&accepted);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                answer(stream.unwrap());
            }
        });
        let error = connect(&settings(port, &[("PROTOCOL", "https")]), options()).await.err().unwrap();
        let SessionError::Unreachable { message, help } = &error else { panic!("{error:?}") };
        assert!(message.contains(expected), "{message}");
        assert!(help.contains(help_word), "{help}");
        assert_eq!(accepted.load(std::sync::atomic::Ordering::SeqCst), 1);
    }
}

/// Servers that an encrypted login meets.
mod tls {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;
    use std::sync::Arc;

    /// Presents a certificate that nobody vouches for.
    pub(super) fn self_signed(mut stream: TcpStream) {
        let data = |name: &str| format!("{}/tests/data/keys/{name}", env!("CARGO_MANIFEST_DIR"));
        let certificate = CertificateDer::from_pem_file(data("self_signed.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(data("plain.p8")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let mut connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        // The client is expected to turn away.
        let _ = rustls::Stream::new(&mut connection, &mut stream).read(&mut [0; 64]);
    }

    /// Answers in plain text, whatever comes.
    pub(super) fn plain_http(mut stream: TcpStream) {
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    }
}

#[tokio::test]
async fn another_role_gets_a_session_of_its_own_once() {
    let server = Scripted::start().await;
    server.on(LOGIN, [Reply::login("SESSION-1", "MASTER-1"), Reply::login("SESSION-R", "MASTER-R")]);
    server.on(QUERY, (0..5).map(|_| Reply::names(&["A"])));
    let session = session(&server).await;
    let sql = show();
    let role = Ident::exact("My Role");
    let own = Ident::exact("DEPLOYER");
    for answer in join_all((0..3).map(|_| session.query(&sql, Some(&role)))).await {
        answer.unwrap();
    }
    session.query(&sql, Some(&own)).await.unwrap();
    session.query(&sql, None).await.unwrap();
    let logins = server.seen(LOGIN);
    assert_eq!(logins.len(), 2);
    assert_eq!(logins[1].query["roleName"], "\"My Role\"");
    let tokens: Vec<_> =
        server.seen(QUERY).iter().map(|query| query.headers["authorization"].clone()).collect();
    let [primary, other] = ["Snowflake Token=\"SESSION-1\"", "Snowflake Token=\"SESSION-R\""];
    assert_eq!(tokens, [other, other, other, primary, primary]);
    session.close().await;
    let closed: BTreeSet<_> =
        server.seen(CLOSE).iter().map(|close| close.headers["authorization"].clone()).collect();
    assert_eq!(closed, BTreeSet::from([primary.to_owned(), other.to_owned()]));
    assert!(server.seen(CLOSE).iter().all(|close| close.query["delete"] == "true"));
}

#[tokio::test]
async fn closing_sends_and_does_not_wait() {
    let server = Scripted::start().await;
    server.on(CLOSE, [Reply::Late(Duration::from_secs(30), Box::new(Reply::HangUp))]);
    let session = session(&server).await;
    let started = Instant::now();
    session.close().await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(server.seen(CLOSE).len(), 1);
}

#[tokio::test]
async fn statements_on_their_way_can_be_given_up() {
    let server = Scripted::start().await;
    let endless = || Reply::Late(Duration::from_secs(30), Box::new(Reply::HangUp));
    server.on(QUERY, [endless(), endless()]);
    let session = session(&server).await;
    let sql = show();
    let statements = join_all([session.query(&sql, None), session.query(&sql, None)]);
    let cancelled = async {
        while server.seen(QUERY).len() < 2 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        session.cancel_all().await;
    };
    tokio::select! {
        _ = statements => panic!("nothing answers"),
        () = cancelled => {}
    }
    let sent: BTreeSet<_> = server.seen(QUERY).iter().map(|query| query.query["requestId"].clone()).collect();
    let given_up: BTreeSet<_> =
        server.seen(ABORT).iter().map(|abort| abort.body["requestId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(sent, given_up);
    assert!(
        distinct(&server.seen(ABORT), "requestId").iter().all(|id| !sent.contains(*id)),
        "an id of their own"
    );
    session.cancel_all().await;
    assert_eq!(server.seen(ABORT).len(), 2, "what was dropped is not on its way any more");
}

#[tokio::test]
async fn no_more_requests_are_on_their_way_than_allowed() {
    let server = Scripted::start().await;
    let slowly = || Reply::Late(Duration::from_millis(50), Box::new(Reply::names(&["A"])));
    server.on(QUERY, (0..8).map(|_| slowly()));
    let session = session(&server).await;
    let sql = show();
    let started = Instant::now();
    let answers = join_all((0..8).map(|_| session.query(&sql, None))).await;
    let took = started.elapsed();
    assert!(answers.iter().all(Result::is_ok));
    assert!(took >= Duration::from_millis(100), "8 requests of 50 ms, 4 at once: {took:?}");
    assert!(took < Duration::from_millis(350), "and not one after the other: {took:?}");
}

#[tokio::test]
async fn a_token_for_the_registry_keeps_the_session_open() {
    let server = Scripted::start().await;
    let issued = Reply::json(
        json!({"data": {"sessionToken": "REGISTRY", "validityInSecondsST": 3600}, "success": true}),
    );
    server.on(TOKEN, [Reply::refusal("390195", "no"), issued]);
    let session = session(&server).await;
    assert!(matches!(session.issue_token().await.err(), Some(SessionError::Authentication { .. })));
    let token = session.issue_token().await.unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&token.token), "REGISTRY");
    assert_eq!(token.valid_for, Some(Duration::from_secs(3600)));
    let request = &server.seen(TOKEN)[1];
    assert_eq!(request.body, json!({"oldSessionToken": "SESSION-1", "requestType": "ISSUE"}));
    session.close().await;
    assert_eq!(server.seen(CLOSE).len(), 0, "the token would die with the session");
}

#[tokio::test]
async fn odd_numbers_and_missing_members_are_survived() {
    let server = Scripted::start().await;
    let login = json!({"data": {"token": "S", "masterToken": null, "sessionId": 1e30, "validityInSeconds": -1,
        "parameters": null, "sessionInfo": null, "new": {"deep": [1]}}, "success": true});
    let digits = "9".repeat(38);
    let answer = json!({"data": {"rowtype": [{"name": "name", "type": "text", "nullable": null, "length": 1e30},
        {"name": "size", "type": "fixed", "precision": 38}], "rowset": [["A", digits], ["B"]],
        "total": 2, "returned": 2, "statementTypeId": 99999999999999999999.0}, "success": true});
    server.on(LOGIN, [Reply::json(login)]).on(QUERY, [Reply::json(answer)]);
    let session = session(&server).await;
    assert_eq!(session.identity().role, None);
    assert_eq!(session.identity().user, "deployer");
    let rows = session.query(&show(), None).await.unwrap();
    let cells: Vec<_> =
        rows.iter().map(|row| (row.get("name"), row.get("size"), row.get("comment"))).collect();
    assert_eq!(cells, [(Some("A"), Some(digits.as_str()), None), (Some("B"), None, None)]);
}

#[tokio::test]
async fn no_error_holds_a_secret_of_the_session() {
    let secrets = [PASSWORD, "SESSION-1", "MASTER-1", "KEY-SECRET", "SIGNATURE"];
    let faults = [
        Reply::HangUp,
        unavailable(),
        Reply::raw(200, "text/html", "<title>x</title>SESSION-1"),
        Reply::raw(200, "application/json", "{\"data\": \"SESSION-1\"}"),
        in_progress("333334", Some("https://elsewhere.example/x?SIGNATURE")),
        in_progress("333334", None),
        Reply::refusal("390111", "gone"),
    ];
    for fault in faults {
        let server = Scripted::start().await;
        server.on(QUERY, vec![fault; 10]);
        let error = session(&server).await.query(&show(), None).await.unwrap_err();
        let printed = format!("{error} {error:?}");
        assert!(!secrets.iter().any(|secret| printed.contains(secret)), "{printed}");
    }
    for broken in
        [Reply::HangUp, Reply::raw(403, "text/plain", "SIGNATURE"), Reply::raw(200, "", "KEY-SECRET")]
    {
        let server = Scripted::start().await;
        let chunk = json!({"url": server.url("/part?SIGNATURE"), "rowCount": 1});
        server.on(QUERY, [chunked(&server, json!({"chunks": [chunk], "qrmk": "KEY-SECRET"}))]);
        server.on("/part", vec![broken; 10]);
        let error = session(&server).await.query(&show(), None).await.unwrap_err();
        let printed = format!("{error} {error:?}");
        assert!(!secrets.iter().any(|secret| printed.contains(secret)), "{printed}");
    }
}
