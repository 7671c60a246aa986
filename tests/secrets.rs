//! The real binary against servers, with every kind of credential: what it says of refusals and of servers that are none,
//! its exit codes, and that no secret is in any output, at `--debug` either.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

use snowform::local::Account;
use snowform::local::server::{self, ServerConfig, ServerHandle};
use snowform::object::name::Ident;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

const RIGHT: &str = "right-password-8842";
const WRONG: &str = "wrong-password-1177";
const TOKEN: &str = "token-that-nobody-may-see-5521";
const PASSPHRASE: &str = "passphrase-9931";

struct Ran {
    code: i32,
    output: String,
}

/// Runs the binary in a project against a port of this machine; asserts that no secret comes out.
fn run(project: &Path, port: u16, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snowform"));
    command.args(arguments).args(["-x", "--account", "local", "--user", "LOCAL", "--host", "127.0.0.1"]);
    command
        .args(["--port", &port.to_string(), "--protocol", "http", "--debug"])
        .current_dir(project)
        .env_clear();
    let output = command.envs(environment.iter().copied()).env("HOME", project).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let output = Ran {
        code: output.status.code().unwrap(),
        output: format!("{}{}", text(&output.stdout), text(&output.stderr)),
    };
    for secret in [RIGHT, WRONG, TOKEN, PASSPHRASE, "BEGIN PRIVATE", "eyJ"] {
        assert!(!output.output.contains(secret), "{arguments:?} shows a secret:\n{}", output.output);
    }
    output
}

fn project() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let definition = "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: local.public.repo\n";
    fs::write(directory.path().join("snowflake.yml"), definition).unwrap();
    directory
}

async fn serve() -> (Account, ServerHandle) {
    let account = Account::in_memory().unwrap();
    account.set_password(&Ident::exact("LOCAL"), RIGHT).unwrap();
    let server = server::serve(account.clone(), ServerConfig::default()).await.unwrap();
    (account, server)
}

/// A server that answers everything with this.
fn answers_with(response: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 65536]);
            let _ = stream.write_all(response.as_bytes());
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_password_plans_and_the_wrong_one_is_refused() {
    let (project, (_account, server)) = (project(), serve().await);
    let port = server.address().port();
    let planned = run(project.path(), port, &["plan"], &[("SNOWFLAKE_PASSWORD", RIGHT)]);
    assert_eq!(planned.code, 0, "{}", planned.output);
    assert!(planned.output.contains("1 to create"), "{}", planned.output);
    let refused = run(project.path(), port, &["plan"], &[("SNOWFLAKE_PASSWORD", WRONG)]);
    assert_eq!(refused.code, 4, "{}", refused.output);
    assert!(refused.output.contains("Incorrect username or password"), "{}", refused.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_refused_are_not_shown() {
    let (project, (_account, server)) = (project(), serve().await);
    let port = server.address().port();
    let file = project.path().join("token");
    fs::write(&file, TOKEN).unwrap();
    for authenticator in ["oauth", "programmatic_access_token"] {
        let by_flag = ["plan", "--authenticator", authenticator, "--token", TOKEN];
        let by_file = ["plan", "--authenticator", authenticator, "--token-file-path", file.to_str().unwrap()];
        for arguments in [&by_flag[..], &by_file[..]] {
            let refused = run(project.path(), port, arguments, &[]);
            assert_eq!(refused.code, 4, "{}", refused.output);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_not_granted_is_named() {
    let (project, (_account, server)) = (project(), serve().await);
    let arguments = ["plan", "--role", "NOBODY"];
    let refused = run(project.path(), server.address().port(), &arguments, &[("SNOWFLAKE_PASSWORD", RIGHT)]);
    assert_eq!(refused.code, 4, "{}", refused.output);
    assert!(refused.output.contains("NOBODY"), "{}", refused.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_signs_in_and_its_passphrase_stays_secret() {
    let (project, (account, server)) = (project(), serve().await);
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys");
    let public = fs::read_to_string(keys.join("public.pem")).unwrap();
    let public: String = public.lines().filter(|line| !line.starts_with('-')).collect();
    let mut admin = snowform::local::Context::local();
    account.execute(&mut admin, "USE ROLE ACCOUNTADMIN").unwrap();
    account.execute(&mut admin, &format!("ALTER USER LOCAL SET RSA_PUBLIC_KEY = '{public}'")).unwrap();
    let port = server.address().port();
    let key = keys.join("aes256.p8");
    let arguments = ["plan", "--authenticator", "snowflake_jwt", "--private-key-file", key.to_str().unwrap()];
    let signed = run(project.path(), port, &arguments, &[("PRIVATE_KEY_PASSPHRASE", "test-only-passphrase")]);
    assert_eq!(signed.code, 0, "{}", signed.output);
    let wrong = run(project.path(), port, &arguments, &[("PRIVATE_KEY_PASSPHRASE", PASSPHRASE)]);
    assert_eq!(wrong.code, 4, "{}", wrong.output);
}

#[test]
fn a_server_that_is_no_account_is_said_to_be_none() {
    let project = project();
    let html =
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 27\r\n\r\n<html><b>Sign in</b></html>";
    let answered = run(project.path(), answers_with(html), &["plan"], &[("SNOWFLAKE_PASSWORD", RIGHT)]);
    assert_eq!(answered.code, 1, "{}", answered.output);
    assert!(answered.output.contains("text/html") && !answered.output.contains("<b>"), "{}", answered.output);
}

#[test]
fn errors_are_json_where_json_is_asked_for() {
    let project = project();
    let forbidden = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
    let arguments = ["plan", "--format", "json"];
    let answered = run(project.path(), answers_with(forbidden), &arguments, &[("SNOWFLAKE_PASSWORD", RIGHT)]);
    let start = answered.output.find("{\n  \"error\"").expect("an error document");
    let mut documents =
        serde_json::Deserializer::from_str(&answered.output[start..]).into_iter::<serde_json::Value>();
    let document = documents.next().unwrap().unwrap();
    assert!(document["error"]["message"].is_string() && document["error"]["help"].is_string());
    assert_eq!(answered.code, 4, "{}", answered.output);
}
