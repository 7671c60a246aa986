//! The protocol of credential helpers: one word as argument, text on standard input, JSON on standard output.
//!
//! Source: docker/docker-credential-helpers `credentials/credentials.go`, `credentials/error.go`. Clients compare the
//! words of [`NOT_FOUND`] exactly: then they go on without credentials, with any other text they stop.

use super::{SESSION_TOKEN_USER, SessionToken};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

/// The name that the program is called by as a helper, and the name that files of credentials know it by.
pub const PROGRAM: &str = "docker-credential-snowform";
/// What stands for [`PROGRAM`] in those files.
pub const NAME: &str = "snowform";
/// The words for a host that the helper does not know.
pub const NOT_FOUND: &str = "credentials not found in native keychain";
/// The words for an input without a host.
pub const NO_SERVER: &str = "no credentials server URL";

/// Whether the program was called as a helper.
pub fn is_called(program: &str) -> bool {
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default();
    name.strip_suffix(".exe").unwrap_or(name) == PROGRAM
}

/// The host of what stands on standard input: a host, or an address (`https://host/v1/`).
pub fn host(input: &str) -> Option<&str> {
    let text = input.trim();
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = text.split('/').next().unwrap_or_default();
    (!host.is_empty()).then_some(host)
}

/// The answer to `get`.
pub fn credentials(server: &str, token: &SessionToken) -> SecretString {
    let password = token.password();
    let answer = json!({
        "ServerURL": server.trim(), "Username": SESSION_TOKEN_USER, "Secret": password.expose_secret(),
    });
    SecretString::from(answer.to_string())
}

/// The answer to `list`.
pub fn list<'a>(hosts: impl Iterator<Item = &'a str>) -> String {
    let entries: Map<String, Value> =
        hosts.map(|host| (host.to_owned(), SESSION_TOKEN_USER.into())).collect();
    Value::Object(entries).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_it_is_called_by_decides() {
        for name in [
            "docker-credential-snowform",
            "/usr/bin/docker-credential-snowform",
            r"C:\x\docker-credential-snowform.exe",
        ] {
            assert!(is_called(name), "{name}");
        }
        assert!(!is_called("snowform") && !is_called("/docker-credential-snowform/snowform"));
    }

    #[test]
    fn hosts_come_in_several_forms() {
        for text in ["h:1", "h:1\n", "https://h:1", " http://h:1/v1/ "] {
            assert_eq!(host(text), Some("h:1"), "{text}");
        }
        assert_eq!((host(""), host("https://")), (None, None));
    }

    #[test]
    fn the_secret_is_the_text_that_the_registry_takes_as_password() {
        let token = SessionToken::new(SecretString::from("t\"1"), None);
        let answer: Value = serde_json::from_str(credentials("h\n", &token).expose_secret()).unwrap();
        assert_eq!(
            (answer["ServerURL"].as_str(), answer["Username"].as_str()),
            (Some("h"), Some("0sessiontoken"))
        );
        let secret: Value = serde_json::from_str(answer["Secret"].as_str().unwrap()).unwrap();
        assert_eq!(secret, json!({"token": "t\"1", "expires_in": 3600}));
        assert!(!format!("{token:?}").contains("t\\\"1"));
    }
}
