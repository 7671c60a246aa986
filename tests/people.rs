//! People who sign in with a browser at the served local account: the real binary, and a browser that fills the form.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

use snowform::local::server::{self, ServerConfig, ServerHandle};
use snowform::local::{Account, Context};
use snowform::object::name::Ident;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

const PASSWORD: &str = "right-password-8842";
const DEFINITION: &str = "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    \
                          identifier: local.public.repo\n";

struct Place {
    home: tempfile::TempDir,
    server: ServerHandle,
    account: Account,
    variables: Vec<(&'static str, &'static str)>,
}

/// A run that may wait for a person.
struct Running {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
}

impl Place {
    async fn new(variables: &[(&'static str, &'static str)]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let account = Account::in_memory().unwrap();
        account.set_password(&Ident::exact("LOCAL"), PASSWORD).unwrap();
        let server = server::serve(account.clone(), ServerConfig::default()).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".cache")).unwrap();
        std::fs::write(home.path().join("snowflake.yml"), DEFINITION).unwrap();
        Self { home, server, account, variables: variables.to_vec() }
    }

    fn start(&self, arguments: &[&str]) -> Running {
        let mut child = Command::new(env!("CARGO_BIN_EXE_snowform"))
            .args(arguments)
            .args([
                "-x",
                "--account",
                "local",
                "--user",
                "LOCAL",
                "--host",
                "127.0.0.1",
                "--protocol",
                "http",
            ])
            .args(["--port", &self.server.address().port().to_string()])
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("BROWSER", "none")
            .envs(self.variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Running { child, stderr }
    }

    /// How often a path was asked for.
    fn asked(&self, path: &str) -> usize {
        self.server.requests().iter().filter(|request| request.path == path).count()
    }
}

impl Running {
    fn address(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.stderr.read_line(&mut line).unwrap() > 0, "no address was said");
            if line.starts_with("http") {
                return line.trim().to_owned();
            }
        }
    }

    fn succeeds(mut self) -> String {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        let output = self.child.wait_with_output().unwrap();
        assert!(output.status.success(), "{said}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Opens the page, fills its form, and goes where it leads.
async fn sign_in(page: &str, user: &str, password: &str) -> u16 {
    let browser = reqwest::Client::builder().no_proxy().build().unwrap();
    let text = browser.get(page).send().await.unwrap().text().await.unwrap();
    let id = text.split("name=\"request\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut form = reqwest::Url::parse("form:/").unwrap();
    form.query_pairs_mut().extend_pairs([("request", id), ("user", user), ("password", password)]);
    let form = form.query().unwrap().to_owned();
    let action = reqwest::Url::parse(page).unwrap().join("/sso").unwrap();
    browser.post(action).body(form).send().await.unwrap().status().as_u16()
}

async fn with_a_person(place: &Place) {
    let mut running = place.start(&["plan"]);
    let page = running.address();
    assert_eq!(sign_in(&page, "LOCAL", "wrong").await, 401);
    assert_eq!(sign_in(&page, "local", PASSWORD).await, 200);
    assert!(running.succeeds().contains("1 to create"));
}

const STORE: (&str, &str) = ("SNOWFLAKE_CLIENT_STORE_TEMPORARY_CREDENTIAL", "true");

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_signs_in_and_the_next_command_needs_none() {
    let place = Place::new(&[("SNOWFLAKE_AUTHENTICATOR", "externalbrowser"), STORE]).await;
    with_a_person(&place).await;
    assert!(place.start(&["plan"]).succeeds().contains("1 to create"), "by the session");
    place.start(&["connection", "test"]).succeeds();
    // A role that is not the person's is no reason to ask them to sign in.
    let mut other = place.start(&["connection", "test", "--role", "NOBODY"]);
    assert_eq!(other.child.wait().unwrap().code(), Some(4));
    place.start(&["connection", "test"]).succeeds();
    assert_eq!(place.asked("/session/authenticator-request"), 1, "by the id token");
    place.start(&["deploy"]).succeeds();
    let rows = place.account.execute(&mut Context::local(), "show image repositories in account").unwrap();
    assert!(rows.iter().any(|row| row.get("name") == Some("REPO")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_browser_is_good_once_and_with_its_key() {
    let place = Place::new(&[]).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = |path: &str| format!("http://{}{path}", place.server.address());
    let landing = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let query =
        format!("browser_mode_redirect_port={}&proof_key=my-key", landing.local_addr().unwrap().port());
    let page = url(&format!("/console/login?login_name=LOCAL&{query}"));
    let came = std::thread::spawn(move || {
        let mut line = String::new();
        let (stream, _) = landing.accept().unwrap();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        std::io::Write::write_all(&mut &stream, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        line.split("token=").nth(1).unwrap().split(' ').next().unwrap().to_owned()
    });
    assert_eq!(sign_in(&page, "LOCAL", PASSWORD).await, 200);
    let token = came.join().unwrap();
    let mut codes = Vec::new();
    for key in ["another", "my-key", "my-key"] {
        let data = serde_json::json!({"ACCOUNT_NAME": "local", "LOGIN_NAME": "LOCAL", "AUTHENTICATOR": "EXTERNALBROWSER",
            "TOKEN": token, "PROOF_KEY": key});
        let body = serde_json::json!({"data": data}).to_string();
        let answer = http.post(url("/session/v1/login-request")).body(body).send().await.unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        codes.push(answer["code"].as_str().unwrap_or("signed in").to_owned());
    }
    assert_eq!(codes, ["390190", "signed in", "390190"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn oauth_at_the_account_itself_is_renewed_without_a_person() {
    let place = Place::new(&[
        ("SNOWFLAKE_AUTHENTICATOR", "oauth_authorization_code"),
        ("SNOWFLAKE_OAUTH_SCOPE", "refresh_token session:role:SYSADMIN"),
        ("SNOWFLAKE_OAUTH_ENABLE_REFRESH_TOKENS", "true"),
        STORE,
    ])
    .await;
    with_a_person(&place).await;
    place.start(&["connection", "test"]).succeeds();
    assert_eq!((place.asked("/oauth/authorize"), place.asked("/oauth/token-request")), (2, 1), "kept");
    place.server.expire_access_tokens();
    place.start(&["connection", "test"]).succeeds();
    assert_eq!((place.asked("/oauth/authorize"), place.asked("/oauth/token-request")), (2, 2), "renewed");
    // The token is for one role.
    let mut other = place.start(&["connection", "test", "--role", "ACCOUNTADMIN"]);
    let mut said = String::new();
    other.stderr.read_to_string(&mut said).unwrap();
    assert!(!other.child.wait().unwrap().success() && said.contains("ACCOUNTADMIN"), "{said}");
}
