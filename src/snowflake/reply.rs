//! Answers read as Snowflake's envelope, and what to say of one that is none.

use super::http::Answer;
use crate::session::SessionError;
use crate::wire::Envelope;
use serde::de::DeserializeOwned;

/// The longest piece of a foreign page that a message shows, in characters.
const LONGEST_TITLE: usize = 60;

/// Reads an answer of `host`. Whatever its status, it is the account's if it is an envelope.
pub(super) fn read<T: DeserializeOwned>(answer: &Answer, host: &str) -> Result<Envelope<T>, SessionError> {
    match serde_json::from_slice::<Envelope<T>>(&answer.body) {
        Ok(envelope) if answer.status.is_success() || envelope.code.is_some() => Ok(envelope),
        Ok(_) => Err(not_an_account(answer, host, None)),
        Err(error) => Err(not_an_account(answer, host, Some(&error))),
    }
}

/// An answer without what it says: status, type, and the title of a page.
pub(super) fn description(answer: &Answer) -> String {
    let title = title(&answer.body).map(|title| format!(", titled {title:?}")).unwrap_or_default();
    format!("status {}, {}{title}", answer.status.as_u16(), content_type(answer))
}

fn content_type(answer: &Answer) -> &str {
    match answer.content_type.split(';').next().map(str::trim) {
        None | Some("") => "no content type",
        Some(content_type) => content_type,
    }
}

fn not_an_account(answer: &Answer, host: &str, error: Option<&serde_json::Error>) -> SessionError {
    let content_type = content_type(answer);
    let status = answer.status.as_u16();
    let details = match (title(&answer.body), error) {
        (Some(title), _) => format!(", titled {title:?}"),
        // The category and the position; the parser's words could quote the answer.
        (None, Some(error)) if content_type.ends_with("json") => {
            format!(", {} at line {}, column {}", category(error), error.line(), error.column())
        }
        (None, _) => String::new(),
    };
    let message =
        format!("{host} did not answer as a Snowflake account: status {status}, {content_type}{details}");
    let help = match status {
        403 => "a network policy of the account or a proxy may refuse this machine; check host and account",
        _ => "check host and account of the connection; a proxy or a login page may stand in between",
    };
    SessionError::Protocol { message, help: help.to_owned() }
}

fn category(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Io | serde_json::error::Category::Eof => "JSON that breaks off",
        serde_json::error::Category::Syntax => "broken JSON",
        serde_json::error::Category::Data => "JSON of an unexpected form",
    }
}

/// The title of an HTML page, short and printable.
fn title(body: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&body[..body.len().min(4096)]).into_owned();
    let lower = head.to_ascii_lowercase();
    let start = lower.find("<title")?;
    let start = start + lower[start..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let words: Vec<&str> = head[start..end].split_whitespace().collect();
    let printable =
        words.join(" ").chars().filter(|c| !c.is_control()).take(LONGEST_TITLE).collect::<String>();
    (!printable.is_empty()).then_some(printable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;

    fn message(status: u16, content_type: &str, body: &str) -> String {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = Answer { status, content_type: content_type.to_owned(), body: body.as_bytes().to_vec() };
        match read::<serde_json::Value>(&answer, "acct.example") {
            Ok(envelope) => format!("code {:?}", envelope.code),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_page_is_named_by_its_title_and_no_more() {
        let page = "<html><head>\n<TITLE lang=en>\n  Sign\u{7} in\n</TITLE></head><body>secret-body</body>";
        let text = message(200, "text/html; charset=utf-8", page);
        assert_eq!(
            text,
            "acct.example did not answer as a Snowflake account: status 200, text/html, titled \"Sign in\""
        );
        let endless = format!("<title>{}</title>", "x".repeat(1000));
        assert!(message(502, "text/html", &endless).len() < 200);
    }

    #[test]
    fn broken_json_is_placed_and_not_quoted() {
        let text = message(200, "application/json", "{\"data\": {\"token\": \"hunter2");
        assert!(text.ends_with("JSON that breaks off at line 1, column 27"), "{text}");
        let text = message(200, "application/json", "{\"success\": \"hunter2\"}");
        assert!(text.contains("JSON of an unexpected form") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn an_envelope_counts_with_any_status_that_has_a_code() {
        assert_eq!(
            message(401, "application/json", r#"{"code":"390104","success":false}"#),
            "code Some(\"390104\")"
        );
        assert_eq!(message(200, "", r#"{"success":true}"#), "code None");
        assert!(message(404, "application/json", r#"{"error":"no route"}"#).contains("status 404"));
    }
}
