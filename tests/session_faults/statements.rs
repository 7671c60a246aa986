//! Statements that are retried, renewed, waited for, redirected or given up.

use super::*;

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
async fn statements_that_lose_their_session_together_log_in_once() {
    let server = Scripted::start().await;
    let slowly = |reply| Reply::Late(Duration::from_millis(30), Box::new(reply));
    server.on(LOGIN, [Reply::login("SESSION-1", "MASTER-1"), slowly(Reply::login("SESSION-2", "MASTER-2"))]);
    server.on(QUERY, (0..3).map(|_| slowly(Reply::refusal("390111", "gone"))));
    server.on(QUERY, (0..3).map(|_| Reply::names(&["A"])));
    let session = session(&server).await;
    let sql = show();
    let answers = join_all((0..3).map(|_| session.query(&sql, None))).await;
    assert!(answers.into_iter().all(|rows| names(&rows.unwrap()) == ["A"]));
    assert_eq!(server.seen(LOGIN).len(), 2);
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
