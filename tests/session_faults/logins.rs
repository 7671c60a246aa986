//! Logging in, being refused, not arriving at all; roles, and the end of sessions.

use super::*;

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
