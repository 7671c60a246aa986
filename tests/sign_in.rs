//! Signing in to a registry: what is said of registries that refuse, and that no token is shown or left readable.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

use secrecy::SecretString;
use snowform::local::server::{self, ServerConfig};
use snowform::local::{Account, Context, write_connection_file};
use snowform::registry::{Client, RegistryError, Scheme};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A registry on this machine that answers everything with this.
fn answers_with(response: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 65536]);
            let _ = stream.write_all(response.as_bytes());
        }
    });
    address
}

async fn refusal(status: &str, body: &str) -> RegistryError {
    let length = body.len();
    let response =
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    let client = Client::new(Scheme::Http, &answers_with(response)).unwrap();
    let error = client.sign_in(&SecretString::from("secret-6617")).await.unwrap_err();
    assert!(!format!("{error} {error:?} {}", error.help()).contains("secret-6617"));
    error
}

#[tokio::test]
async fn what_registries_say_becomes_advice() {
    let denied = r#"{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized: Authentication Failure"}]}"#;
    let error = refusal("401 Unauthorized", denied).await;
    assert!(matches!(error, RegistryError::Refused { .. }), "{error}");
    assert!(error.to_string().ends_with("unauthorized: Authentication Failure"), "{error}");
    assert!(
        error.help().contains("change of role") && error.help().contains("client_app_id"),
        "{}",
        error.help()
    );

    let other = "unknown: Failure: Failed to perform repository operation.";
    let error = refusal("500 Internal Server Error", other).await;
    assert!(error.to_string().contains(other) && error.help().contains("another account"), "{error}");

    let error = refusal("403 Forbidden", "<html><b>no</b></html>").await;
    assert!(error.help().contains("GRANT READ") && !error.to_string().contains("<b>"), "{error}");

    let error = refusal("200 OK", "{\"something\": 1}").await;
    assert!(error.to_string().contains("holds no token"), "{error}");

    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let client = Client::new(Scheme::Http, &nobody).unwrap();
    let error = client.check(&SecretString::from("secret-6617")).await.unwrap_err();
    assert!(
        matches!(error, RegistryError::Unreachable { .. }) && error.to_string().contains(&nobody),
        "{error}"
    );
}

/// Runs the binary, with every word that it has to say, on an account and with a home in this directory.
fn snowform(directory: &Path, arguments: &[&str]) -> Output {
    let config = directory.join("account/config.toml");
    Command::new(env!("CARGO_BIN_EXE_snowform"))
        .args(arguments)
        .args(["--debug", "--config-file", config.to_str().unwrap()])
        .env_clear()
        .env("HOME", directory.join("home"))
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_printed_where_it_is_asked_for_and_nowhere_else() {
    let directory = tempfile::tempdir().unwrap();
    let account_directory = directory.path().join("account");
    let account = Account::open(&account_directory).unwrap();
    let handle = server::serve(account.clone(), ServerConfig::default()).await.unwrap();
    write_connection_file(&account, &account_directory, handle.address()).unwrap();
    let host = handle.address().to_string();

    let none = snowform(directory.path(), &["image-registry", "login"]);
    assert!(text(&none.stderr).contains("No image repository found."), "{none:?}");
    account.execute(&mut Context::local(), "create image repository r").unwrap();

    let asked = snowform(directory.path(), &["image-registry", "token", "--format", "csv"]);
    let printed = text(&asked.stdout);
    let token = printed.lines().nth(1).unwrap().split(',').next().unwrap();
    assert!(token.len() > 30 && !text(&asked.stderr).contains(token), "{asked:?}");

    // A job of GitHub Actions says first that it is to be hidden, and where the token itself does not go.
    let config = account_directory.join("config.toml");
    let job = Command::new(env!("CARGO_BIN_EXE_snowform"))
        .args(["image-registry", "token", "--format", "csv", "--config-file", config.to_str().unwrap()])
        .env_clear()
        .env("HOME", directory.path().join("home"))
        .env("GITHUB_ACTIONS", "true")
        .output()
        .unwrap();
    let printed = text(&job.stdout);
    let token = printed.lines().nth(1).unwrap().split(',').next().unwrap();
    assert_eq!(text(&job.stderr), format!("::add-mask::{token}\n"));

    let signed_in = snowform(directory.path(), &["image-registry", "login"]);
    assert_eq!((signed_in.status.code(), text(&signed_in.stdout)), (Some(0), "Login Succeeded\n".to_owned()));
    let file = fs::read_to_string(directory.path().join("home/.docker/config.json")).unwrap();
    let file: serde_json::Value = serde_json::from_str(&file).unwrap();
    let auth = file["auths"][&host]["auth"].as_str().unwrap();
    let decoded = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, auth).unwrap();
    let password = text(&decoded);
    let password: serde_json::Value =
        serde_json::from_str(password.strip_prefix("0sessiontoken:").unwrap()).unwrap();
    let secret = password["token"].as_str().unwrap();
    let said = text(&signed_in.stderr);
    assert!(said.contains("registry") && !said.contains(secret) && !said.contains(auth), "{said}");

    // The embedded account has a registry only while it is served.
    let local = Command::new(env!("CARGO_BIN_EXE_snowform"))
        .args(["spcs", "image-registry", "token", "--local"])
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert_eq!(local.status.code(), Some(2), "{local:?}");
    assert!(text(&local.stderr).contains("snowform local serve"), "{local:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_helpers_at_once_sign_in_once() {
    let directory = tempfile::tempdir().unwrap();
    let account_directory = directory.path().join("account");
    let account = Account::open(&account_directory).unwrap();
    let handle = server::serve(account.clone(), ServerConfig::default()).await.unwrap();
    write_connection_file(&account, &account_directory, handle.address()).unwrap();
    account.execute(&mut Context::local(), "create image repository r").unwrap();
    let helpers = directory.path().join("helpers");
    fs::create_dir(&helpers).unwrap();
    let install = ["image-registry", "install-helper", "--bin-dir", helpers.to_str().unwrap()];
    let installed = snowform(directory.path(), &install);
    assert!(installed.status.success(), "{installed:?}");

    let get = || {
        let mut child = Command::new(helpers.join("docker-credential-snowform"))
            .arg("get")
            .env_clear()
            .env("HOME", directory.path().join("home"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(handle.address().to_string().as_bytes()).unwrap();
        child
    };
    let logins =
        || handle.requests().iter().filter(|request| request.path.ends_with("/login-request")).count();
    let at_once = || {
        let children: Vec<_> = (0..8).map(|_| get()).collect();
        let outputs = children.into_iter().map(|child| child.wait_with_output().unwrap());
        let secrets: std::collections::BTreeSet<String> = outputs
            .map(|output| {
                assert!(output.status.success(), "{output:?}");
                let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
                found["Secret"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(secrets.len(), 1, "all have the same token");
    };
    let before = logins();
    at_once();
    assert_eq!(logins() - before, 1);
    at_once();
    assert_eq!(logins() - before, 1, "the token is kept");
    // A token that is refused is replaced once as well.
    let cache = directory.path().join("home/.cache/snowform/registry-tokens.json");
    let mut document: serde_json::Value = serde_json::from_slice(&fs::read(&cache).unwrap()).unwrap();
    for entry in document["tokens"].as_object_mut().unwrap().values_mut() {
        entry["token"] = "refused".into();
    }
    fs::write(&cache, document.to_string()).unwrap();
    at_once();
    assert_eq!(logins() - before, 2);
}
