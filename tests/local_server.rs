//! The embedded account over HTTP: logins, statements, tokens, chunks, as a driver sees them.
#![expect(clippy::unwrap_used, reason = "helpers of tests unwrap as the tests do")]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use snowform::host::clock;
use snowform::local::server::{ServerConfig, ServerHandle, serve};
use snowform::local::{Account, Context};
use snowform::object::name::Ident;
use std::io::Write as _;

const PASSWORD: &str = "correct horse battery staple";

/// A served account and a client of it.
struct Served {
    account: Account,
    handle: ServerHandle,
    http: reqwest::Client,
}

/// The tokens of a session.
struct Tokens {
    session: String,
    master: String,
}

impl Served {
    async fn new(config: ServerConfig) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let account = Account::in_memory().unwrap();
        account.set_password(&Ident::exact("LOCAL"), PASSWORD).unwrap();
        let handle = serve(account.clone(), config).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { account, handle, http }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.handle.address())
    }

    /// Posts JSON under a token; HTTP status and answer.
    async fn post(&self, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let request = self.http.post(self.url(path)).json(body);
        let request = request.header("Authorization", format!("Snowflake Token=\"{token}\""));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn get(&self, path: &str, token: &str) -> Value {
        let request = self.http.get(self.url(path));
        let request = request.header("Authorization", format!("Snowflake Token=\"{token}\""));
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Logs in with these members beside the account; `query` as in `?roleName=X`.
    async fn login(&self, query: &str, credentials: Value) -> Value {
        let mut data = json!({"ACCOUNT_NAME": "local"});
        for (name, value) in credentials.as_object().unwrap() {
            data[name] = value.clone();
        }
        let path = format!("/session/v1/login-request{query}");
        let (status, answer) = self.post(&path, "", &json!({"data": data})).await;
        assert_eq!(status, 200, "refused logins come with HTTP 200, too");
        answer
    }

    async fn session(&self) -> Tokens {
        let query = "?databaseName=LOCAL&schemaName=PUBLIC";
        let answer = self.login(query, json!({"LOGIN_NAME": "LOCAL", "PASSWORD": PASSWORD})).await;
        assert_eq!(answer["success"], true, "{answer}");
        let text = |name: &str| answer["data"][name].as_str().unwrap().to_owned();
        Tokens { session: text("token"), master: text("masterToken") }
    }

    async fn query_with(&self, token: &str, request_id: &str, body: &Value) -> Value {
        let path = format!("/queries/v1/query-request?requestId={request_id}");
        self.post(&path, token, body).await.1
    }

    async fn query(&self, token: &str, sql: &str) -> Value {
        let id = uuid::Uuid::new_v4().to_string();
        self.query_with(token, &id, &json!({"sqlText": sql})).await
    }
}

fn code(answer: &Value) -> &str {
    assert_eq!(answer["success"], false, "{answer}");
    answer["code"].as_str().unwrap()
}

#[tokio::test]
async fn a_session_from_login_to_close() {
    let served = Served::new(ServerConfig::default()).await;
    let query = "?databaseName=LOCAL&schemaName=PUBLIC&warehouse=WH&roleName=sysadmin&request_id=1";
    let body = json!({
        "LOGIN_NAME": "local", "PASSWORD": PASSWORD,
        "SESSION_PARAMETERS": {"QUERY_TAG": "t", "CLIENT_PREFETCH_THREADS": 7},
    });
    let answer = served.login(query, body).await;
    let data = &answer["data"];
    assert_eq!(data["sessionInfo"]["databaseName"], "LOCAL");
    assert_eq!(data["sessionInfo"]["schemaName"], "PUBLIC");
    assert_eq!(data["sessionInfo"]["warehouseName"], "WH");
    assert_eq!(data["sessionInfo"]["roleName"], "SYSADMIN");
    assert_eq!((&data["validityInSeconds"], &data["masterValidityInSeconds"]), (&json!(3600), &json!(14400)));
    // Drivers calculate with these: a number must come back as one.
    let parameters = data["parameters"].as_array().unwrap();
    let value = |name: &str| &parameters.iter().find(|p| p["name"] == name).unwrap()["value"];
    assert_eq!(value("CLIENT_PREFETCH_THREADS"), 7);
    assert_eq!(value("QUERY_TAG"), "t");
    assert_eq!(value("CLIENT_TELEMETRY_ENABLED"), false);

    let token = data["token"].as_str().unwrap();
    let created = served.query(token, "create image repository r;").await;
    assert_eq!(created["data"]["rowset"], json!([["Image Repository R successfully created."]]));
    let shown = served.query(token, "show image repositories").await;
    let columns: Vec<_> =
        shown["data"]["rowtype"].as_array().unwrap().iter().map(|column| &column["name"]).collect();
    let url = columns.iter().position(|name| **name == "repository_url").unwrap();
    let address = served.handle.address();
    assert_eq!(shown["data"]["rowset"][0][url], format!("{address}/local/public/r"));
    assert_eq!(shown["data"]["rowtype"][0]["type"], "timestamp_ltz");
    let refused = served.query(token, "drop image repository nope").await;
    assert_eq!(code(&refused), "002003");
    assert_eq!(refused["data"]["sqlState"], "02000");
    assert!(refused["data"]["queryId"].is_string());
    let used = served.query(token, "use role accountadmin").await;
    assert_eq!(used["data"]["finalRoleName"], "ACCOUNTADMIN");

    assert_eq!(served.post("/session/heartbeat", token, &json!(null)).await.1["success"], true);
    assert_eq!(served.post("/session?delete=true", token, &json!({})).await.1["success"], true);
    assert_eq!(code(&served.query(token, "select 1").await), "390111");
}

#[tokio::test]
async fn every_method_of_login_refuses_with_its_code() {
    let served = Served::new(ServerConfig::default()).await;
    let user = |name: &str, value: &str| json!({"LOGIN_NAME": "LOCAL", name: value});
    let with = |authenticator: &str, token: &str| json!({"LOGIN_NAME": "LOCAL", "AUTHENTICATOR": authenticator, "TOKEN": token});
    let cases = [
        (user("PASSWORD", "wrong"), "390100"),
        (user("PASSWORD", ""), "390100"),
        (json!({"LOGIN_NAME": "NOBODY", "PASSWORD": PASSWORD}), "390100"),
        (json!({"PASSWORD": PASSWORD}), "390100"),
        (with("PROGRAMMATIC_ACCESS_TOKEN", "x"), "394400"),
        (with("OAUTH", "x"), "390303"),
        (with("SNOWFLAKE_JWT", "x"), "394306"),
        (with("EXTERNALBROWSER", "x"), "390190"),
    ];
    for (credentials, expected) in cases {
        let answer = served.login("", credentials.clone()).await;
        assert_eq!(code(&answer), expected, "{credentials}");
        assert!(!answer.to_string().contains(PASSWORD));
    }
    let refused = served.login("?roleName=NOBODY", user("PASSWORD", PASSWORD)).await;
    assert_eq!(code(&refused), "390189");
    let (_, answer) = served.post("/session/v1/login-request", "", &json!({"data": 1})).await;
    assert_eq!(code(&answer), "390400");
}

#[tokio::test]
async fn a_database_or_schema_that_is_not_there_leaves_the_session_without() {
    let served = Served::new(ServerConfig::default()).await;
    let credentials = json!({"LOGIN_NAME": "LOCAL", "PASSWORD": PASSWORD});
    let cases = [
        ("?databaseName=NOPE&schemaName=PUBLIC", json!(null), json!(null)),
        ("?databaseName=LOCAL&schemaName=NOPE", json!("LOCAL"), json!(null)),
        ("?databaseName=local", json!("LOCAL"), json!("PUBLIC")),
        ("", json!(null), json!(null)),
    ];
    for (query, database, schema) in cases {
        let answer = served.login(query, credentials.clone()).await;
        let info = &answer["data"]["sessionInfo"];
        assert_eq!((&info["databaseName"], &info["schemaName"]), (&database, &schema), "{query}");
    }
}

/// A token for the user LOCAL, signed with the key in `keys/`, which was made for tests and opens nothing.
fn jwt(public_der: &[u8], now: i64) -> String {
    let key: String = include_str!("keys/login.p8.base64").split_whitespace().collect();
    let key = ring::signature::RsaKeyPair::from_pkcs8(&STANDARD.decode(key).unwrap()).unwrap();
    let fingerprint = STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, public_der));
    let claims = json!({
        "iss": format!("LOCAL.LOCAL.SHA256:{fingerprint}"), "sub": "LOCAL.LOCAL", "iat": now, "exp": now + 60,
    });
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(json!({"alg": "RS256", "typ": "JWT"})), part(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    let random = ring::rand::SystemRandom::new();
    key.sign(&ring::signature::RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn a_key_pair_logs_in_once_it_is_registered() {
    let served = Served::new(ServerConfig::default()).await;
    let pem = include_str!("keys/login.pub");
    let inner: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(&inner).unwrap();
    let now = i64::try_from(clock::now_seconds()).unwrap();
    let login = |token: String| {
        served.login("", json!({"AUTHENTICATOR": "SNOWFLAKE_JWT", "TOKEN": token, "LOGIN_NAME": "local"}))
    };
    assert_eq!(code(&login(jwt(&der, now)).await), "394304", "no key yet");

    let mut admin = Context::new(Ident::exact("LOCAL"), Ident::exact("ACCOUNTADMIN"));
    let set = |property: &str| format!("alter user local set {property} = '{inner}'");
    served.account.execute(&mut admin, &set("rsa_public_key_2")).unwrap();
    assert_eq!(login(jwt(&der, now)).await["data"]["displayUserName"], "LOCAL");
    assert_eq!(code(&login(jwt(&der, now - 600)).await), "394301", "expired");
    assert_eq!(code(&login(jwt(&der, now + 600)).await), "394302", "not yet");
    let mut forged = jwt(&der, now);
    forged.truncate(forged.len() - 4);
    forged.push_str("AAAA");
    assert_eq!(code(&login(forged).await), "390144", "forged");
    let other = json!({"AUTHENTICATOR": "SNOWFLAKE_JWT", "TOKEN": jwt(&der, now), "LOGIN_NAME": "OTHER"});
    assert_eq!(code(&served.login("", other).await), "390144", "somebody else's name");

    served.account.execute(&mut admin, "alter user local unset rsa_public_key_2").unwrap();
    assert_eq!(code(&login(jwt(&der, now)).await), "394304", "taken back");
}

#[tokio::test]
async fn access_tokens_log_in_and_keep_to_their_role() {
    let served = Served::new(ServerConfig::default()).await;
    let mut context = Context::local();
    let mut add = |sql: &str| {
        let rows = served.account.execute(&mut context, sql).unwrap();
        rows.iter().next().unwrap().get("token_secret").unwrap().to_owned()
    };
    let free = add("alter user add programmatic access token free");
    let bound = add("alter user local add pat bound role_restriction = 'PUBLIC' days_to_expiry = 1");
    let pat = |token: &str| json!({"AUTHENTICATOR": "PROGRAMMATIC_ACCESS_TOKEN", "TOKEN": token});
    let role = |answer: &Value| answer["data"]["sessionInfo"]["roleName"].clone();
    assert_eq!(role(&served.login("", pat(&free)).await), "SYSADMIN");
    assert_eq!(role(&served.login("?roleName=ACCOUNTADMIN", pat(&free)).await), "ACCOUNTADMIN");
    let as_password = json!({"LOGIN_NAME": "LOCAL", "PASSWORD": free});
    assert_eq!(role(&served.login("", as_password).await), "SYSADMIN");
    let not_mine = json!({"LOGIN_NAME": "OTHER", "PASSWORD": free});
    assert_eq!(code(&served.login("", not_mine).await), "390100");

    let answer = served.login("", pat(&bound)).await;
    assert_eq!(role(&answer), "PUBLIC");
    assert_eq!(code(&served.login("?roleName=SYSADMIN", pat(&bound)).await), "390189");
    let token = answer["data"]["token"].as_str().unwrap();
    assert_eq!(code(&served.query(token, "use role sysadmin").await), "003013");

    served.account.execute(&mut context, "alter user remove programmatic access token free").unwrap();
    assert_eq!(code(&served.login("", pat(&free)).await), "394400");

    let user = Ident::exact("LOCAL");
    let oauth = served.account.add_oauth_token(&user, &Ident::exact("GOOD"), 60).unwrap();
    let expired = served.account.add_oauth_token(&user, &Ident::exact("EXPIRED"), 0).unwrap();
    let with = |token: &str| json!({"AUTHENTICATOR": "OAUTH", "TOKEN": token});
    assert_eq!(served.login("", with(&oauth)).await["success"], true);
    assert_eq!(code(&served.login("", with(&expired)).await), "390303");
    assert_eq!(code(&served.login("", pat(&oauth)).await), "394400", "of another kind");
}

#[tokio::test]
async fn tokens_expire_are_renewed_and_are_told_from_invented_ones() {
    let served = Served::new(ServerConfig::default()).await;
    let Tokens { session, master } = served.session().await;
    let body = json!({"sqlText": "select 1"});
    let (status, answer) = served.post("/queries/v1/query-request", "invented", &body).await;
    assert_eq!((status, code(&answer)), (401, "390104"));
    let (status, answer) = served.post("/queries/v1/query-request", &master, &body).await;
    assert_eq!((status, code(&answer)), (401, "390104"), "a master token runs no statement");

    served.query(&session, "use role accountadmin").await;
    served.handle.expire_sessions();
    assert_eq!(code(&served.query(&session, "select 1").await), "390112");
    let renew = json!({"oldSessionToken": session, "requestType": "RENEW"});
    let (_, renewed) = served.post("/session/token-request?requestId=1", &master, &renew).await;
    let second = renewed["data"]["sessionToken"].as_str().unwrap();
    assert_eq!(renewed["data"]["validityInSecondsST"], 3600);
    assert!(renewed["data"]["masterToken"].is_string());
    let role = served.query(second, "select current_role()").await;
    assert_eq!(role["data"]["rowset"], json!([["ACCOUNTADMIN"]]), "the same session");

    let issue = json!({"oldSessionToken": second, "requestType": "ISSUE"});
    let (_, issued) = served.post("/session/token-request", &master, &issue).await;
    let third = issued["data"]["sessionToken"].as_str().unwrap();
    assert_ne!(third, second);
    assert_eq!(served.query(third, "select 1").await["success"], true);
    assert_eq!(served.query(second, "select 1").await["success"], true, "the old one stays good");

    let (_, refused) = served.post("/session/token-request", "invented", &renew).await;
    assert_eq!(code(&refused), "390113");
    let (_, refused) = served.post("/session/token-request", second, &renew).await;
    assert_eq!(code(&refused), "390113", "a session token renews nothing");
}

#[tokio::test]
async fn a_master_token_expires_too() {
    let config = ServerConfig { session_seconds: 0, master_seconds: 0, ..ServerConfig::default() };
    let served = Served::new(config).await;
    let Tokens { session, master } = served.session().await;
    assert_eq!(code(&served.query(&session, "select 1").await), "390112");
    let renew = json!({"oldSessionToken": session, "requestType": "RENEW"});
    assert_eq!(code(&served.post("/session/token-request", &master, &renew).await.1), "390114");
}

#[tokio::test]
async fn a_request_that_is_repeated_is_carried_out_once() {
    let served = Served::new(ServerConfig::default()).await;
    let Tokens { session, .. } = served.session().await;
    let body = json!({"sqlText": "create image repository r"});
    let repeated: Vec<_> = (0..8).map(|_| served.query_with(&session, "one-id", &body)).collect();
    let answers = futures_util::future::join_all(repeated).await;
    assert!(answers.iter().all(|answer| answer["success"] == true), "{answers:?}");
    assert!(answers.iter().all(|answer| answer == &answers[0]), "one statement, one answer");
    assert_eq!(code(&served.query_with(&session, "another-id", &body).await), "002002");

    // The id belongs to the session: another session's request of the same id is another request.
    let other = served.session().await;
    assert_eq!(code(&served.query_with(&other.session, "one-id", &body).await), "002002");
    // Failures are remembered, too.
    served.query(&session, "drop image repository r").await;
    assert_eq!(code(&served.query_with(&session, "another-id", &body).await), "002002");
    assert_eq!(served.account.summary().unwrap().image_repositories, 0);
}

#[tokio::test]
async fn rows_beyond_the_inline_ones_come_in_chunks() {
    let served = Served::new(ServerConfig { inline_rows: 10, ..ServerConfig::default() }).await;
    let Tokens { session, .. } = served.session().await;
    let mut context = Context::local();
    for n in 0..2_345 {
        served.account.execute(&mut context, &format!("create image repository r{n:05}")).unwrap();
    }
    let answer = served.query(&session, "show image repositories in account").await;
    let data = &answer["data"];
    assert_eq!((&data["total"], &data["returned"]), (&json!(2_345), &json!(2_345)));
    let mut rows = data["rowset"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 10);
    assert_eq!(data["chunkHeaders"], json!({}));
    let chunks = data["chunks"].as_array().unwrap();
    assert_eq!(chunks.iter().map(|chunk| chunk["rowCount"].as_i64().unwrap()).sum::<i64>(), 2_335);
    for chunk in chunks {
        // No token: whoever has the address may fetch it. The client unpacks what is marked as packed.
        let body = served.http.get(chunk["url"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(body.status(), 200);
        let body = body.text().await.unwrap();
        assert_eq!(body.len() as u64, chunk["uncompressedSize"].as_u64().unwrap());
        let part: Vec<Value> = serde_json::from_str(&format!("[{body}]")).unwrap();
        assert_eq!(part.len() as u64, chunk["rowCount"].as_u64().unwrap());
        rows.extend(part);
    }
    let names: Vec<_> = rows.iter().map(|row| row[1].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, (0..2_345).map(|n| format!("R{n:05}")).collect::<Vec<_>>());
    let guess = served.http.get(served.url("/chunks/guess")).send().await.unwrap();
    assert_eq!(guess.status(), 404);
}

#[tokio::test]
async fn detached_statements_are_asked_about_later() {
    let served = Served::new(ServerConfig::default()).await;
    let Tokens { session, .. } = served.session().await;
    let body = json!({"sqlText": "create image repository r", "asyncExec": true});
    let answer = served.query_with(&session, "a", &body).await;
    assert_eq!((&answer["success"], &answer["code"]), (&json!(true), &json!("333334")));
    let id = answer["data"]["queryId"].as_str().unwrap();
    let url = answer["data"]["getResultUrl"].as_str().unwrap();
    let result = served.get(url, &session).await;
    assert_eq!(result["data"]["rowset"], json!([["Image Repository R successfully created."]]));
    let monitored = served.get(&format!("/monitoring/queries/{id}"), &session).await;
    assert_eq!(monitored["data"]["queries"][0]["status"], "SUCCESS");
    let scan = served.query(&session, &format!("select * from table(result_scan('{id}'))")).await;
    assert_eq!(scan["data"]["rowset"], result["data"]["rowset"]);

    let failed = served.query_with(&session, "b", &body).await;
    let id = failed["data"]["queryId"].as_str().unwrap();
    assert_eq!(code(&served.get(&format!("/queries/{id}/result"), &session).await), "002002");
    let monitored = served.get(&format!("/monitoring/queries/{id}"), &session).await;
    assert_eq!(monitored["data"]["queries"][0]["status"], "FAILED_WITH_ERROR");
    assert_eq!(monitored["data"]["queries"][0]["errorCode"], "002002");

    // What one session asked for is no other session's business.
    let other = served.session().await;
    assert_eq!(code(&served.get(&format!("/queries/{id}/result"), &other.session).await), "000709");
    let monitored = served.get(&format!("/monitoring/queries/{id}"), &other.session).await;
    assert_eq!(monitored["data"]["queries"], json!([]));

    let abort = json!({"requestId": "a"});
    assert_eq!(code(&served.post("/queries/v1/abort-request", &session, &abort).await.1), "000605");
}

#[tokio::test]
async fn several_statements_go_together_only_when_announced() {
    let served = Served::new(ServerConfig::default()).await;
    let Tokens { session, .. } = served.session().await;
    let script = "create image repository a; show image repositories; select 'x;y'";
    assert_eq!(code(&served.query(&session, script).await), "000008");
    let announced = |count: Value| json!({"sqlText": script, "parameters": {"MULTI_STATEMENT_COUNT": count}});
    assert_eq!(code(&served.query_with(&session, "1", &announced(json!(2))).await), "000008");
    assert_eq!(served.account.summary().unwrap().image_repositories, 0, "nothing ran");

    let answer = served.query_with(&session, "2", &announced(json!(3))).await;
    let ids: Vec<_> = answer["data"]["resultIds"].as_str().unwrap().split(',').collect();
    assert_eq!(ids.len(), 3);
    let result = served.get(&format!("/queries/{}/result", ids[2]), &session).await;
    assert_eq!(result["data"]["rowset"], json!([["x;y"]]));
    let result = served.get(&format!("/queries/{}/result", ids[1]), &session).await;
    assert_eq!(result["data"]["total"], 1);

    // The first that fails ends it; those before it stay done. 0 stands for any number.
    let script = "create image repository b; create image repository a; create image repository c";
    let body = json!({"sqlText": script, "parameters": {"MULTI_STATEMENT_COUNT": "0"}});
    assert_eq!(code(&served.query_with(&session, "3", &body).await), "002002");
    assert_eq!(served.account.summary().unwrap().image_repositories, 2);
}

#[tokio::test]
async fn describing_a_statement_does_not_carry_it_out() {
    let served = Served::new(ServerConfig::default()).await;
    let Tokens { session, .. } = served.session().await;
    let describe = |sql: &str| json!({"sqlText": sql, "describeOnly": true});
    let answer = served.query_with(&session, "1", &describe("create image repository a")).await;
    assert_eq!(answer["data"]["rowtype"][0]["name"], "status");
    assert_eq!(served.account.summary().unwrap().image_repositories, 0);
    let answer = served.query_with(&session, "2", &describe("use role accountadmin")).await;
    assert_eq!(answer["data"]["finalRoleName"], "SYSADMIN");
    let answer = served.query_with(&session, "3", &describe("select 1 as one")).await;
    assert_eq!((&answer["data"]["rowtype"][0]["name"], &answer["data"]["total"]), (&json!("ONE"), &json!(0)));
}

#[tokio::test]
async fn packed_requests_are_read_and_telemetry_is_thanked_for() {
    let served = Served::new(ServerConfig::default()).await;
    let Tokens { session, .. } = served.session().await;
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(br#"{"sqlText": "select 'packed'"}"#).unwrap();
    let request = served.http.post(served.url("/queries/v1/query-request?requestId=p"));
    let request = request.header("Authorization", format!("Snowflake Token=\"{session}\""));
    let request = request.header("Content-Encoding", "gzip").body(packed.finish().unwrap());
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["rowset"], json!([["packed"]]));
    assert_eq!(served.post("/telemetry/send", &session, &json!({"logs": []})).await.1["success"], true);
    assert_eq!(served.post("/api/v2/nothing", &session, &json!({})).await.0, 404);
}

#[tokio::test]
async fn the_log_holds_statements_and_no_secrets() {
    let served = Served::new(ServerConfig { inline_rows: 0, ..ServerConfig::default() }).await;
    let Tokens { session, .. } = served.session().await;
    served.query(&session, "alter user local set password = 'hunter2'").await;
    let answer = served.query(&session, "select 1").await;
    served.http.get(answer["data"]["chunks"][0]["url"].as_str().unwrap()).send().await.unwrap();
    let log = served.handle.requests();
    let paths: Vec<_> = log.iter().map(|request| request.path.as_str()).collect();
    let query = "/queries/v1/query-request";
    assert_eq!(paths, ["/session/v1/login-request", query, query, "/chunks"]);
    assert_eq!(log[1].sql.as_deref(), Some("alter user local set password = '***'"));
    assert_eq!(log[2].sql.as_deref(), Some("select 1"));
    let all = format!("{log:?}");
    assert!(![PASSWORD, "hunter2", session.as_str()].iter().any(|secret| all.contains(secret)), "{all}");
}

#[tokio::test]
async fn a_server_stops_when_asked_and_listens_on_loopback_alone() {
    let served = Served::new(ServerConfig::default()).await;
    let Tokens { session, .. } = served.session().await;
    let (url, http) = (served.url("/telemetry/send"), served.http.clone());
    served.handle.shutdown();
    served.handle.stopped().await;
    assert!(http.post(url).header("Authorization", session).send().await.is_err());

    let config = ServerConfig { address: "0.0.0.0:0".parse().unwrap(), ..ServerConfig::default() };
    let refused = serve(Account::in_memory().unwrap(), config).await.err().unwrap();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
}
