//! Signing in by way of others: the real binary, an account and an identity provider that follow a script, and a browser
//! that is a small HTTP client. Asserted are the requests that were made, what is said of failures, and that no secret
//! is in any output, at `--debug` either: every secret of these tests holds the word below.

#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

mod browser;
mod kept;
mod oauth;
mod okta;
mod proxy;
mod push;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each test program needs a part of it")]
mod support;
mod workload;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use support::scripted::{LOGIN, Reply, Scripted};

/// Every secret holds it.
const MARK: &str = "5ecret";

/// A run of the binary that is not over.
struct Running {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    said: String,
}

/// What a run came to.
#[derive(Debug)]
struct Ran {
    code: i32,
    output: String,
}

/// A person's desk: a home of its own, an account, and variables.
struct Desk {
    home: tempfile::TempDir,
    account: Scripted,
    variables: BTreeMap<String, String>,
}

impl Desk {
    async fn new(variables: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let account = Scripted::start().await;
        let own = [
            ("SNOWFLAKE_ACCOUNT", "myorg-acct"),
            ("SNOWFLAKE_USER", "me"),
            ("SNOWFLAKE_HOST", "127.0.0.1"),
            ("SNOWFLAKE_PROTOCOL", "http"),
            ("SNOWFLAKE_PORT", &account.port.to_string()),
            ("BROWSER", "none"),
        ];
        let variables = own.iter().chain(variables);
        let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { home, account, variables }
    }

    fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn home(&self) -> &Path {
        self.home.path()
    }

    /// Puts more settings than variables can say into the connection file.
    fn configure(&self, lines: &str) {
        let directory = self.home().join(".snowflake");
        std::fs::create_dir_all(&directory).unwrap();
        let file = directory.join("config.toml");
        std::fs::write(&file, format!("[connections.default]\n{lines}\n")).unwrap();
        std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }

    fn start(&self, arguments: &[&str]) -> Running {
        let mut child = Command::new(env!("CARGO_BIN_EXE_snowform"))
            .args(arguments)
            .arg("--debug")
            .current_dir(self.home())
            .env_clear()
            .env("HOME", self.home())
            .envs(&self.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Running { child, stderr, said: String::new() }
    }

    /// Signs in, without a person.
    fn sign_in(&self) -> Ran {
        self.start(&["connection", "test"]).end()
    }

    /// The data of the last login.
    fn login(&self) -> Value {
        self.account.seen(LOGIN).last().unwrap().body["data"].clone()
    }
}

impl Running {
    /// Reads what is said until an address stands alone on a line.
    fn address(&mut self) -> reqwest::Url {
        loop {
            let mut line = String::new();
            let read = self.stderr.read_line(&mut line).unwrap();
            self.said.push_str(&line);
            assert!(read > 0, "no address was said:\n{}", self.said);
            if line.starts_with("http") {
                return line.trim().parse().unwrap();
            }
        }
    }

    fn end(mut self) -> Ran {
        self.stderr.read_to_string(&mut self.said).unwrap();
        let output = self.child.wait_with_output().unwrap();
        let output = (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap());
        let ran = Ran { code: output.0, output: format!("{}{}", output.1, self.said) };
        assert!(!ran.output.contains(MARK), "a secret comes out:\n{}", ran.output);
        ran
    }
}

impl Ran {
    fn succeeded(&self) {
        assert_eq!(self.code, 0, "{}", self.output);
    }

    /// Refused, with these words in what is said.
    fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}", self.output);
        for word in words {
            assert!(self.output.contains(word), "{word:?} is not in {}", self.output);
        }
    }
}

/// The browser: it follows an address, as far as this machine.
struct Browser(reqwest::Client);

impl Browser {
    fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self(reqwest::Client::builder().no_proxy().build().unwrap())
    }

    async fn get(&self, url: &str, query: &[(&str, &str)]) -> (u16, String) {
        let answer = self.0.get(url).query(query).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// A parameter of an address.
fn parameter(url: &reqwest::Url, name: &str) -> String {
    let found = url.query_pairs().find(|(found, _)| found == name);
    found.unwrap_or_else(|| panic!("{name} is not in {url}")).1.into_owned()
}

fn json_reply(body: Value) -> Reply {
    Reply::json(body)
}

fn refusal(status: u16, error: &str, description: &str) -> Reply {
    Reply::status(status, json!({"error": error, "error_description": description}))
}
