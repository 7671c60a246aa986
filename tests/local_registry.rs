//! The embedded account's image registry over HTTP: signing in, pushing, pulling, rights, and what a drop removes.
#![expect(clippy::unwrap_used, reason = "helpers of tests unwrap as the tests do")]

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use snowform::local::server::{ServerConfig, ServerHandle, serve};
use snowform::local::{Account, Context};
use snowform::object::name::Ident;
use std::path::Path;

const PASSWORD: &str = "correct horse battery staple";
const IMAGE_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// A served account with a repository R, and a client of it.
struct Served {
    account: Account,
    handle: ServerHandle,
    http: reqwest::Client,
    directory: tempfile::TempDir,
}

/// An answer: status, headers, body.
struct Answer {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The status and the code of a refusal.
    fn refusal(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["errors"][0]["code"].as_str().unwrap().to_owned())
    }
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

impl Served {
    async fn new(config: ServerConfig) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let directory = tempfile::tempdir().unwrap();
        let account = Account::open(directory.path()).unwrap();
        account.set_password(&Ident::exact("LOCAL"), PASSWORD).unwrap();
        account.execute(&mut Context::local(), "create image repository r").unwrap();
        let handle = serve(account.clone(), config).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { account, handle, http, directory }
    }

    fn admin(&self, sql: &str) {
        let mut context = Context::local();
        context.role = Ident::exact("ACCOUNTADMIN");
        self.account.execute(&mut context, sql).unwrap();
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        Answer { status, headers, body: answer.bytes().await.unwrap().to_vec() }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.handle.address()))
    }

    async fn login(&self, user: &str, password: &str) -> Answer {
        self.send(self.request(Method::GET, "/login").basic_auth(user, Some(password))).await
    }

    /// A client that signed in as this user.
    async fn client(&self, user: &str, password: &str) -> Client<'_> {
        let answer = self.login(user, password).await;
        assert_eq!(answer.status, 200);
        Client { served: self, token: answer.json()["token"].as_str().unwrap().to_owned() }
    }

    async fn local(&self) -> Client<'_> {
        self.client("LOCAL", PASSWORD).await
    }

    /// A user with this role alone; the password is its name.
    async fn user_with(&self, role: &str, grants: &[&str]) -> Client<'_> {
        for sql in [
            format!("create role {role}"),
            format!("create user {role} password = '{role}' default_role = {role}"),
            format!("grant role {role} to user {role}"),
            format!("grant usage on database local to role {role}"),
            format!("grant usage on schema local.public to role {role}"),
        ] {
            self.admin(&sql);
        }
        for privilege in grants {
            self.admin(&format!("grant {privilege} on image repository local.public.r to role {role}"));
        }
        self.client(role, role).await
    }

    /// How many blobs are on the disk.
    fn blobs(&self) -> usize {
        fn count(directory: &Path) -> usize {
            let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
            let paths = entries.map(|entry| entry.unwrap().path());
            paths.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
        }
        count(&self.directory.path().join("registry/blobs"))
    }
}

/// Somebody with a bearer token.
struct Client<'a> {
    served: &'a Served,
    token: String,
}

fn digest(content: &[u8]) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, content);
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn manifest(blobs: &[&[u8]]) -> Value {
    let descriptor = |blob: &&[u8]| json!({"mediaType": "x", "digest": digest(blob), "size": blob.len()});
    let layers: Vec<Value> = blobs[1..].iter().map(descriptor).collect();
    json!({"schemaVersion": 2, "mediaType": IMAGE_TYPE, "config": descriptor(&blobs[0]), "layers": layers})
}

impl Client<'_> {
    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.served.request(method, path).bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> Answer {
        self.served.send(self.request(Method::GET, path)).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.served.send(self.request(Method::DELETE, path)).await
    }

    async fn post(&self, path: &str) -> Answer {
        self.served.send(self.request(Method::POST, path)).await
    }

    /// A chunk that starts at this byte.
    async fn patch(&self, path: &str, start: usize, chunk: &[u8]) -> Answer {
        let range = format!("{start}-{}", start + chunk.len() - 1);
        let request = self.request(Method::PATCH, path).header("Content-Range", range);
        self.served.send(request.body(chunk.to_vec())).await
    }

    async fn put(&self, path: &str, body: Vec<u8>) -> Answer {
        self.served.send(self.request(Method::PUT, path).body(body)).await
    }

    async fn push_blob(&self, name: &str, blob: &[u8]) -> Answer {
        let path = format!("/v2/{name}/blobs/uploads/?digest={}", digest(blob));
        self.served.send(self.request(Method::POST, &path).body(blob.to_vec())).await
    }

    async fn put_manifest(&self, name: &str, reference: &str, manifest: &Value) -> Answer {
        let request = self.request(Method::PUT, &format!("/v2/{name}/manifests/{reference}"));
        let kind = manifest["mediaType"].as_str().unwrap();
        self.served.send(request.header("Content-Type", kind).body(manifest.to_string())).await
    }

    /// Pushes an image of these blobs; its digest.
    async fn push(&self, name: &str, tag: &str, blobs: &[&[u8]]) -> String {
        for blob in blobs {
            assert_eq!(self.push_blob(name, blob).await.status, 201);
        }
        let answer = self.put_manifest(name, tag, &manifest(blobs)).await;
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        answer.header("docker-content-digest").to_owned()
    }
}

#[tokio::test]
async fn every_way_to_sign_in_and_what_is_refused() {
    let served = Served::new(ServerConfig::default()).await;
    let address = served.handle.address();
    let challenged = served.send(served.request(Method::GET, "/v2/local/public/r/app/tags/list")).await;
    assert_eq!(challenged.refusal(), refused(401, "UNAUTHORIZED"));
    let expected = format!(
        "Bearer realm=\"http://{address}/login\",service=\"{address}\",scope=\"repository:local/public/r/app:pull\""
    );
    assert_eq!(challenged.header("www-authenticate"), expected);

    let data =
        json!({"data": {"ACCOUNT_NAME": "local", "LOGIN_NAME": "LOCAL", "PASSWORD": PASSWORD}}).to_string();
    let login = served.request(Method::POST, "/session/v1/login-request").body(data);
    let session = served.send(login).await.json()["data"]["token"].as_str().unwrap().to_owned();
    let mut context = Context::local();
    let rows = served.account.execute(&mut context, "alter user add programmatic access token t").unwrap();
    let pat = rows.iter().next().unwrap().get("token_secret").unwrap().to_owned();
    let as_json = json!({"token": session, "expires_in": 3600}).to_string();
    for (user, password) in [("local", PASSWORD), ("LOCAL", &pat), ("0sessiontoken", &as_json)] {
        let client = served.client(user, password).await;
        assert_eq!(client.get("/v2/").await.status, 200, "{user}");
    }
    let other = json!({"token": "other"}).to_string();
    let wrong = [("local", "x"), ("other", PASSWORD), ("sessiontoken", &as_json), ("0sessiontoken", &other)];
    for (user, password) in wrong.into_iter().chain([("0sessiontoken", session.as_str())]) {
        let answer = served.login(user, password).await;
        assert_eq!(answer.refusal(), refused(401, "UNAUTHORIZED"), "{user}");
        assert!(!String::from_utf8_lossy(&answer.body).contains(password), "{user}");
    }
    // Each token opens its own door and no other.
    let with_session = Client { served: &served, token: session };
    assert_eq!(with_session.get("/v2/").await.refusal(), refused(401, "UNAUTHORIZED"));
    let bearer = served.local().await.token;
    let query = served.request(Method::POST, "/queries/v1/query-request").body(r#"{"sqlText": "select 1"}"#);
    let query = query.header("Authorization", format!("Snowflake Token=\"{bearer}\""));
    assert_eq!(served.send(query).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sign_of_a_name_that_addresses_do_not_have_is_read_in_both_spellings() {
    let served = Served::new(ServerConfig::default()).await;
    let mut context = Context::local();
    served.account.execute(&mut context, "create image repository re$po").unwrap();
    let config = snowform::local::write_connection_file(
        &served.account,
        served.directory.path(),
        served.handle.address(),
    );
    let config = config.unwrap();
    let url = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_snowform"))
            .args(["image-repository"])
            .args(arguments)
            .args(["--config-file", config.to_str().unwrap()])
            .env_clear()
            .env("HOME", served.directory.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let found = url(&["url", "re$po"]);
    assert_eq!(found.trim(), format!("{}/local/public/re%24po", served.handle.address()));
    let (_, path) = found.trim().split_once('/').unwrap();
    let password = std::fs::read_to_string(&config).unwrap();
    let password =
        password.lines().find_map(|line| line.strip_prefix("password = ")).unwrap().trim_matches('"');
    let client = served.client("LOCAL", password).await;
    client.push(&format!("{path}/app"), "v1", &[b"{}"]).await;
    assert_eq!(client.get("/v2/local/public/re$po/app/tags/list").await.json()["tags"], json!(["v1"]));
    for image in ["local/public/re$po/app", "local/public/re%24po/app", "app"] {
        let tags = url(&["list-tags", "re$po", "-i", image, "--format", "json"]);
        assert!(tags.contains(":v1\""), "{image}: {tags}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_drops_a_repository_that_holds_images_with_consent_alone() {
    let served = Served::new(ServerConfig::default()).await;
    served.local().await.push("local/public/r/app", "v1", &[b"{}"]).await;
    let config = snowform::local::write_connection_file(
        &served.account,
        served.directory.path(),
        served.handle.address(),
    );
    let config = config.unwrap();
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_snowform"))
            .args(arguments)
            .args(["--config-file", config.to_str().unwrap()])
            .env_clear()
            .env("HOME", served.directory.path())
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for command in
        [&["image-repository", "drop", "r"][..], &["spcs", "image-repository", "create", "r", "--replace"]]
    {
        let (code, said) = run(command);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("holds 1 image") && said.contains("--allow drops-images"), "{said}");
    }
    assert_eq!(run(&["image-repository", "drop", "r", "--allow", "drops-images"]).0, Some(0));
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_of_a_push_costs_nothing_of_it() {
    let served = Served::new(ServerConfig::default()).await;
    let name = "local/public/r/app";
    let first = served.local().await;
    let begun = first.post(&format!("/v2/{name}/blobs/uploads/")).await;
    assert_eq!(begun.status, 202);
    let place = begun.header("location").to_owned();
    let sent = first.patch(&place, 0, b"hello ").await;
    assert_eq!((sent.status.as_u16(), sent.header("range")), (202, "0-5"));

    served.handle.expire_registry_tokens();
    let expired = first.patch(&place, 6, b"world").await;
    assert_eq!(expired.refusal(), refused(401, "UNAUTHORIZED"));
    assert!(expired.header("www-authenticate").contains("repository:local/public/r/app:pull,push"));

    // The same credentials give a new token, and the upload goes on where it stopped.
    let second = served.local().await;
    let status = second.get(&place).await;
    assert_eq!((status.status.as_u16(), status.header("range")), (204, "0-5"));
    let early = second.patch(&place, 3, b"world").await;
    assert_eq!((early.status.as_u16(), early.header("range")), (416, "0-5"));
    assert_eq!(second.patch(&place, 6, b"world").await.header("range"), "0-10");
    // Session tokens may expire, too: the registry's own token is good for itself.
    served.handle.expire_sessions();
    let finished = second.put(&format!("{place}?digest={}", digest(b"hello world")), Vec::new()).await;
    assert_eq!(finished.status, 201);
    let pulled = second.get(finished.header("location")).await;
    assert_eq!(pulled.body, b"hello world");
    assert_eq!(second.get(&place).await.refusal(), refused(404, "BLOB_UPLOAD_UNKNOWN"));
}

#[tokio::test]
async fn what_is_not_what_its_digest_says_is_not_kept() {
    let served = Served::new(ServerConfig::default()).await;
    let (client, name) = (served.local().await, "local/public/r/app");
    let wrong = digest(b"something else");
    let path = format!("/v2/{name}/blobs/uploads/?digest={wrong}");
    let answer = served.send(client.request(Method::POST, &path).body("content")).await;
    assert_eq!(answer.refusal(), refused(400, "DIGEST_INVALID"));
    assert_eq!(
        client.put_manifest(name, &wrong, &manifest(&[b"c"])).await.refusal(),
        refused(400, "DIGEST_INVALID")
    );
    let lonely = client.put_manifest(name, "v1", &manifest(&[b"never pushed"])).await;
    assert_eq!(lonely.refusal(), refused(400, "MANIFEST_BLOB_UNKNOWN"));
    assert_eq!(lonely.json()["errors"][0]["detail"]["digest"], digest(b"never pushed"));
    let text = json!({"mediaType": IMAGE_TYPE});
    assert_eq!(client.put_manifest(name, "v1", &text).await.refusal(), refused(400, "MANIFEST_INVALID"));
    assert_eq!(served.blobs(), 0);
    let uploads = std::fs::read_dir(served.directory.path().join("registry/uploads")).unwrap();
    assert_eq!(uploads.count(), 0, "nothing unfinished is left behind");
}

#[tokio::test]
async fn a_blob_is_pulled_whole_and_in_parts_and_taken_over_by_other_names() {
    let served = Served::new(ServerConfig::default()).await;
    let (client, name) = (served.local().await, "local/public/r/app");
    let blob: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    assert_eq!(client.push_blob(name, &blob).await.status, 201);
    let path = format!("/v2/{name}/blobs/{}", digest(&blob));
    assert!(client.get(&path).await.body == blob, "four megabytes come back as they went");
    let head = served.send(client.request(Method::HEAD, &path)).await;
    assert_eq!((head.header("content-length"), head.body.len()), ("4000000", 0));
    let part = served.send(client.request(Method::GET, &path).header("Range", "bytes=4-7")).await;
    assert_eq!((part.status.as_u16(), part.body), (206, 1_u32.to_le_bytes().to_vec()));

    let mount = |from: &str| format!("/v2/local/public/r/b/blobs/uploads/?mount={}{from}", digest(&blob));
    assert_eq!(client.post(&mount("&from=local/public/r/nobody")).await.status, 202, "an upload instead");
    let mounted = client.post(&mount(&format!("&from={name}"))).await;
    assert_eq!(mounted.status, 201);
    assert!(client.get(mounted.header("location")).await.body == blob);
    assert_eq!(served.blobs(), 1, "kept once");
}

#[tokio::test]
async fn roles_pull_with_read_and_push_with_write_alone() {
    let served = Served::new(ServerConfig::default()).await;
    let owner = served.local().await;
    owner.push("local/public/r/app", "v1", &[b"config", b"layer"]).await;
    let reader = served.user_with("reader", &["read"]).await;
    let writer = served.user_with("writer", &["write"]).await;
    let stranger = served.user_with("stranger", &[]).await;

    let (manifest, uploads) =
        ("/v2/local/public/r/app/manifests/v1", "/v2/local/public/r/app/blobs/uploads/");
    assert_eq!(reader.get(manifest).await.status, 200);
    assert_eq!(reader.post(uploads).await.refusal(), refused(403, "DENIED"));
    assert_eq!(writer.get(manifest).await.status, 200);
    assert_eq!(writer.post(uploads).await.status, 202);
    assert_eq!(stranger.get(manifest).await.refusal(), refused(404, "NAME_UNKNOWN"));
    assert_eq!(stranger.post(uploads).await.refusal(), refused(404, "NAME_UNKNOWN"));
    // What may not be pulled may not be taken over either, by whatever name it is asked for.
    served.admin("create schema local.own");
    served.admin("grant usage, create image repository on schema local.own to role stranger");
    let mut context = Context::new(Ident::exact("STRANGER"), Ident::exact("STRANGER"));
    served.account.execute(&mut context, "create image repository local.own.mine").unwrap();
    for from in ["", "&from=local/public/r/app"] {
        let path = format!("/v2/local/own/mine/app/blobs/uploads/?mount={}{from}", digest(b"layer"));
        assert_eq!(stranger.post(&path).await.status, 202, "{from}");
    }
    // Revoking counts at once, also for whoever has a token already.
    served.admin("revoke read on image repository local.public.r from role reader");
    assert_eq!(reader.get(manifest).await.refusal(), refused(404, "NAME_UNKNOWN"));
}

#[tokio::test]
async fn tags_come_in_pages_and_referrers_by_their_type() {
    let served = Served::new(ServerConfig::default()).await;
    let (client, name) = (served.local().await, "local/public/r/app");
    let subject = client.push(name, "c", &[b"config"]).await;
    for tag in ["a", "B", "b"] {
        client.push(name, tag, &[b"config"]).await;
    }
    let page = client.get(&format!("/v2/{name}/tags/list?n=2")).await;
    assert_eq!(page.json(), json!({"name": name, "tags": ["B", "a"]}));
    let next = page.header("link").strip_prefix('<').unwrap().split_once('>').unwrap().0.to_owned();
    let last = client.get(&next).await;
    assert_eq!((last.json()["tags"].clone(), last.headers.get("link")), (json!(["b", "c"]), None));
    assert_eq!(client.get(&format!("/v2/{name}/tags/list?n=0")).await.json()["tags"], json!([]));
    let unread = client.get(&format!("/v2/{name}/tags/list?n=many")).await;
    assert_eq!(unread.refusal(), refused(400, "PAGINATION_NUMBER_INVALID"));
    let missing = client.get("/v2/local/public/r/other/tags/list").await;
    assert_eq!(missing.refusal(), refused(404, "NAME_UNKNOWN"));

    let mut signature = manifest(&[b"config"]);
    signature["subject"] = json!({"mediaType": IMAGE_TYPE, "digest": subject, "size": 1});
    signature["artifactType"] = json!("signature");
    signature["annotations"] = json!({"by": "me"});
    let put = client.put_manifest(name, &digest(signature.to_string().as_bytes()), &signature).await;
    assert_eq!(put.header("oci-subject"), subject);
    let found = client.get(&format!("/v2/{name}/referrers/{subject}?artifactType=signature")).await;
    assert_eq!(found.header("oci-filters-applied"), "artifactType");
    let described = &found.json()["manifests"][0];
    assert_eq!(
        (&described["artifactType"], &described["annotations"]["by"]),
        (&json!("signature"), &json!("me"))
    );
    let none = client.get(&format!("/v2/{name}/referrers/{subject}?artifactType=sbom")).await;
    assert_eq!(none.json()["manifests"], json!([]));
}

#[tokio::test]
async fn images_are_deleted_with_their_repository_alone_unless_the_server_says_otherwise() {
    let served = Served::new(ServerConfig::default()).await;
    let client = served.local().await;
    let pushed = client.push("local/public/r/app", "v1", &[b"config", b"shared"]).await;
    for path in ["manifests/v1", &format!("manifests/{pushed}"), &format!("blobs/{}", digest(b"shared"))] {
        let answer = client.delete(&format!("/v2/local/public/r/app/{path}")).await;
        assert_eq!(answer.refusal(), refused(405, "UNSUPPORTED"), "{path}");
    }
    let mut context = Context::local();
    let mut run = |sql: &str| served.account.execute(&mut context, sql).unwrap();
    let shown = run("show images in image repository r");
    let row = shown.iter().next().unwrap();
    assert_eq!((row.get("tags"), row.get("digest")), (Some("v1"), Some(pushed.as_str())));
    run("create image repository other");
    client.push("local/public/other/app", "v1", &[b"config 2", b"shared"]).await;
    assert_eq!(served.blobs(), 5, "two configs, one layer, two manifests");
    run("create or replace image repository r");
    assert_eq!(
        client.get("/v2/local/public/r/app/manifests/v1").await.refusal(),
        refused(404, "NAME_UNKNOWN")
    );
    assert_eq!(served.blobs(), 3, "what the other repository has stays");
    run("drop schema public");
    assert_eq!(served.blobs(), 0);
    Account::reset(served.directory.path()).unwrap();
    assert!(!served.directory.path().join("registry").exists());

    let allowing = Served::new(ServerConfig { registry_deletes: true, ..ServerConfig::default() }).await;
    let client = allowing.local().await;
    let pushed = client.push("local/public/r/app", "v1", &[b"config"]).await;
    assert_eq!(client.delete("/v2/local/public/r/app/manifests/v1").await.status, 202);
    assert_eq!(client.get(&format!("/v2/local/public/r/app/manifests/{pushed}")).await.status, 200);
    assert_eq!(client.delete(&format!("/v2/local/public/r/app/manifests/{pushed}")).await.status, 202);
    assert_eq!(allowing.blobs(), 1, "the config stays until it is deleted, too");
}

#[tokio::test]
async fn an_account_in_memory_keeps_no_images_and_says_so() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let account = Account::in_memory().unwrap();
    account.set_password(&Ident::exact("LOCAL"), PASSWORD).unwrap();
    let handle = serve(account.clone(), ServerConfig::default()).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let served = Served { account, handle, http, directory: tempfile::tempdir().unwrap() };
    let refusal = served.local().await.post("/v2/local/public/r/app/blobs/uploads/").await;
    assert_eq!(refusal.refusal(), refused(405, "UNSUPPORTED"));
}
