//! Answers: in parts, incomplete, odd.

use super::*;

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
    server.on(QUERY, [without(), without()]);
    server.on(RESULT, [Reply::refusal("390112", "expired"), Reply::names(&["A"]), without()]);
    server.on(TOKEN, [Reply::renewed("SESSION-2", "MASTER-2")]);
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
