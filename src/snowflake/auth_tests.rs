//! Tests of what each method puts into a login.

use super::*;
use crate::snowflake::settings::{Flags, Located, Sources, resolve};
use std::collections::BTreeMap;

const PASSPHRASE: &str = "test-only-passphrase";

fn credentials(variables: &[(&str, &str)]) -> Result<Credentials, SessionError> {
    let mut environment: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    environment.insert("SNOWFLAKE_ACCOUNT".to_owned(), "myorg-acct".to_owned());
    environment.insert("SNOWFLAKE_USER".to_owned(), "deployer".to_owned());
    let located = Located { config: PathBuf::new(), connections: PathBuf::new(), is_custom: false };
    let passcode = environment.remove("PASSCODE").map(SecretString::from);
    let flags = Flags { temporary_connection: true, mfa_passcode: passcode, ..Flags::default() };
    let sources = Sources { located, files: Vec::new(), environment, service_token: None, flags };
    Credentials::load(&resolve(&sources).unwrap_or_else(|error| panic!("{error}")))
}

/// The login as JSON, without what does not concern the method.
fn login(credentials: &Credentials) -> serde_json::Value {
    let mut data = LoginData::default();
    credentials.fill(&mut data, &Obtained::default()).unwrap();
    let mut json = serde_json::to_value(data).unwrap();
    json.as_object_mut().unwrap().shift_remove("ACCOUNT_NAME");
    json
}

fn key(name: &str) -> String {
    format!("{}/tests/data/keys/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_password_is_sent_alone_or_with_a_code() {
    let plain = credentials(&[("SNOWFLAKE_PASSWORD", "hunter2")]).unwrap();
    assert_eq!(login(&plain), serde_json::json!({"LOGIN_NAME": "deployer", "PASSWORD": "hunter2"}));
    let with_code = credentials(&[("SNOWFLAKE_PASSWORD", "hunter2"), ("PASSCODE", "123456")]).unwrap();
    let expected = serde_json::json!({"LOGIN_NAME": "deployer", "PASSWORD": "hunter2",
        "EXT_AUTHN_DUO_METHOD": "passcode", "PASSCODE": "123456"});
    assert_eq!(login(&with_code), expected);
}

#[test]
fn tokens_come_without_a_password() {
    let pat = credentials(&[
        ("SNOWFLAKE_AUTHENTICATOR", "programmatic_access_token"),
        ("SNOWFLAKE_TOKEN", "the-pat"),
        ("SNOWFLAKE_PASSWORD", "hunter2"),
    ]);
    let expected = serde_json::json!({"LOGIN_NAME": "deployer", "AUTHENTICATOR": "PROGRAMMATIC_ACCESS_TOKEN",
        "TOKEN": "the-pat"});
    assert_eq!(login(&pat.unwrap()), expected);
}

#[test]
fn a_token_file_is_read_at_every_login_without_its_line_break() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    let variables = [
        ("SNOWFLAKE_AUTHENTICATOR", "oauth"),
        ("SNOWFLAKE_TOKEN", "weaker"),
        ("SNOWFLAKE_TOKEN_FILE_PATH", path.to_str().unwrap()),
    ];
    let credentials = credentials(&variables).unwrap();
    for (content, token) in
        [("first\n", "first"), ("second\r\n", "second"), ("third", "third"), (" x \n\n", " x \n")]
    {
        host::files::write_private(&path, content.as_bytes()).unwrap();
        assert_eq!(login(&credentials)["TOKEN"], token);
    }
    host::files::write_private(&path, b"\n").unwrap();
    let error = credentials.fill(&mut LoginData::default(), &Obtained::default()).unwrap_err();
    assert!(matches!(error, AuthError::EmptyTokenFile { .. }), "{error}");
    drop(directory);
    let error = credentials.fill(&mut LoginData::default(), &Obtained::default()).unwrap_err();
    assert!(matches!(error, AuthError::TokenFile { .. }), "{error}");
}

#[test]
fn a_key_signs_for_the_account_and_the_user_in_upper_case() {
    let path = key("aes256.p8");
    let credentials = credentials(&[
        ("SNOWFLAKE_AUTHENTICATOR", "SNOWFLAKE_JWT"),
        ("SNOWFLAKE_PRIVATE_KEY_PATH", &path),
        ("PRIVATE_KEY_PASSPHRASE", PASSPHRASE),
    ])
    .unwrap();
    let login = login(&credentials);
    assert_eq!(login["AUTHENTICATOR"], "SNOWFLAKE_JWT");
    assert_eq!(login["LOGIN_NAME"], "deployer");
    let token = login["TOKEN"].as_str().unwrap();
    let claims = token.split('.').nth(1).unwrap();
    let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["sub"], "MYORG-ACCT.DEPLOYER");
    let now = host::clock::now_seconds();
    assert!(claims["iat"].as_u64().is_some_and(|at| now - at < 60), "{claims}");
}

#[test]
fn a_key_can_be_given_as_text() {
    let pem = host::files::read_to_string(Path::new(&key("plain.p8"))).unwrap();
    let with_text =
        credentials(&[("SNOWFLAKE_AUTHENTICATOR", "SNOWFLAKE_JWT"), ("SNOWFLAKE_PRIVATE_KEY_RAW", &pem)]);
    assert_eq!(login(&with_text.unwrap())["AUTHENTICATOR"], "SNOWFLAKE_JWT");
}

#[test]
fn no_error_and_no_debug_text_holds_a_secret() {
    let secrets = [PASSPHRASE, "hunter2", "MII", "the-pat"];
    let jwt = ("SNOWFLAKE_AUTHENTICATOR", "SNOWFLAKE_JWT");
    let keys: Vec<String> =
        ["aes256.p8", "pbes1.p8", "pkcs1.pem", "public.pem", "ec.p8", "README.md", "none"].map(key).into();
    for path in &keys {
        for passphrase in ["hunter2", ""] {
            let outcome = credentials(&[
                jwt,
                ("SNOWFLAKE_PRIVATE_KEY_FILE", path),
                ("PRIVATE_KEY_PASSPHRASE", passphrase),
            ]);
            let error = outcome.err().unwrap_or_else(|| panic!("{path} was accepted"));
            let SessionError::Authentication { help, .. } = &error else { panic!("{error}") };
            let printed = format!("{error} {error:?} {help}");
            assert!(!secrets.iter().any(|secret| printed.contains(secret)), "{printed}");
            assert!(!help.is_empty());
        }
    }
    let password = credentials(&[("SNOWFLAKE_PASSWORD", "hunter2"), ("PASSCODE", "hunter2")]).unwrap();
    let mut data = LoginData::default();
    password.fill(&mut data, &Obtained::default()).unwrap();
    let printed = format!("{password:?} {data:?}");
    assert!(!printed.contains("hunter2"), "{printed}");
    assert_eq!(password.scrub("user said hunter2", &data), "user said ****");
}
