//! Values of secret-looking environment variables, taken out of everything that is shown. A template can read the
//! environment, so a definition that somebody else wrote could otherwise print a build machine's secrets into a comment.
//!
//! This stands between what is known and what is drawn: texts are redacted before any view escapes them, because an
//! escaped secret is still one and does not look like it any more.

use super::json::DiagnosticDocument;
use super::report::Report;
use super::visible;
use crate::source::diagnostic::Diagnostic;
use serde_json::Value;
use std::collections::BTreeMap;

/// A value with fewer characters is no secret that anybody should rely on, and stands in too many texts by chance.
const SHORTEST: usize = 8;

/// What the name of a variable says when its value is a secret.
const TELLING: [&str; 9] =
    ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "KEY", "CREDENTIAL", "JWT", "PRIVATE"];
/// Endings of names whose value says where the secret is, and not what.
const PLACES: [&str; 5] = ["_PATH", "_FILE", "_DIR", "_URL", "_URI"];

/// The secrets of this run. `Debug` shows none of them.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Every spelling that a secret can have in a text, the longest first, and what is shown in its place.
    spellings: Vec<(String, String)>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.spellings.len())
    }
}

impl Secrets {
    /// The secrets among these variables.
    pub fn among(variables: &BTreeMap<String, String>) -> Self {
        let mut spellings = BTreeMap::new();
        for (name, value) in variables.iter().filter(|(name, _)| is_telling(name)) {
            for text in spelled(value) {
                spellings.entry(text).or_insert_with(|| format!("***{name}***"));
            }
        }
        let mut spellings: Vec<(String, String)> = spellings.into_iter().collect();
        spellings.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        Self { spellings }
    }

    /// Puts the variable's name in the place of its value.
    pub fn redact(&self, text: &mut String) {
        for (secret, shown) in &self.spellings {
            if text.contains(secret.as_str()) {
                *text = text.replace(secret.as_str(), shown);
            }
        }
    }

    /// The same of a text that is not needed otherwise.
    pub fn redacted(&self, mut text: String) -> String {
        self.redact(&mut text);
        text
    }

    /// The same of every text of a document.
    pub fn json(&self, document: &mut Value) {
        match document {
            _ if self.spellings.is_empty() => {}
            Value::String(text) => self.redact(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.json(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The same of a plan in words.
    pub fn report(&self, report: &mut Report) {
        if !self.spellings.is_empty() {
            report.texts(&mut |text| self.redact(text));
        }
    }

    /// The same of mistakes, which quote values.
    pub fn diagnostics(&self, found: &mut [Diagnostic]) {
        for Diagnostic { rule: _, message, primary, related, help, fix } in found {
            self.redact(message);
            self.redact(&mut primary.text);
            related.iter_mut().for_each(|label| self.redact(&mut label.text));
            help.iter_mut().for_each(|help| self.redact(help));
            if let Some(fix) = fix {
                self.redact(&mut fix.title);
                self.redact(&mut fix.replacement);
            }
        }
    }

    /// The same of mistakes as machines read them.
    pub fn documents(&self, found: &mut [DiagnosticDocument]) {
        for found in found {
            let DiagnosticDocument { code: _, severity: _, message, label, help, range: _, related, fix } =
                found;
            self.redact(message);
            self.redact(label);
            help.iter_mut().for_each(|help| self.redact(help));
            related.iter_mut().for_each(|related| self.redact(&mut related.message));
            if let Some(fix) = fix {
                self.redact(&mut fix.title);
                self.redact(&mut fix.replacement);
            }
        }
    }
}

fn is_telling(name: &str) -> bool {
    let name = name.to_uppercase();
    let says = TELLING.iter().any(|word| name.contains(word)) || name.split('_').any(|word| word == "PAT");
    says && !PLACES.iter().any(|ending| name.ends_with(ending))
}

/// How a secret can stand in a text: as it is; in upper case, since names fold; with the escapes of SQL's literals and
/// names; and as a terminal sees it. Of a secret with several lines, also every line.
fn spelled(value: &str) -> Vec<String> {
    let value = value.trim();
    let mut spellings = Vec::new();
    let lines = value.lines().map(str::trim).filter(|line| !line.starts_with("-----"));
    for text in lines.chain([value]).filter(|text| text.chars().count() >= SHORTEST) {
        for cased in [text.to_owned(), text.to_uppercase()] {
            let literal = cased.replace('\\', "\\\\").replace('\'', "''");
            let name = cased.replace('"', "\"\"");
            for written in [cased, literal, name] {
                spellings.push(visible(&written));
                spellings.push(visible(&written).replace('"', "\\\""));
                spellings.push(written);
            }
        }
    }
    spellings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::statement::Sql;
    use proptest::prelude::*;

    fn secrets(name: &str, value: &str) -> Secrets {
        Secrets::among(&BTreeMap::from([(name.to_owned(), value.to_owned())]))
    }

    #[test]
    fn telling_names_are_told_from_others() {
        for name in
            ["GITHUB_TOKEN", "aws_secret_access_key", "SNOWFLAKE_PASSWORD", "MY_PAT", "DB_CREDENTIALS"]
        {
            assert_eq!(secrets(name, "abcdefgh").redacted("abcdefgh".into()), format!("***{name}***"));
        }
        for name in ["PATH", "HOME", "SNOWFLAKE_TOKEN_FILE_PATH", "PWD", "STAGE"] {
            assert_eq!(secrets(name, "abcdefgh").redacted("abcdefgh".into()), "abcdefgh", "{name}");
        }
        assert_eq!(secrets("TOKEN", "short").redacted("short".into()), "short");
    }

    #[test]
    fn one_secret_inside_another_leaves_no_rest() {
        let variables = [("A_TOKEN", "abcdefgh"), ("B_TOKEN", "abcdefghijkl")];
        let secrets = Secrets::among(&variables.map(|(a, b)| (a.to_owned(), b.to_owned())).into());
        assert_eq!(secrets.redacted("x abcdefghijkl y".into()), "x ***B_TOKEN*** y");
    }

    proptest! {
        #[test]
        fn no_spelling_of_a_secret_stays(value in r#"[a-z0-9"'\\/+=_-]{8,24}"#) {
            let secrets = secrets("API_KEY", &value);
            let literal = Sql::new("ALTER IMAGE REPOSITORY R SET COMMENT =").text(&value);
            for text in [value.clone(), value.to_uppercase(), literal.to_string(), visible(literal.as_str())] {
                let shown = secrets.redacted(format!("before {text} after"));
                prop_assert!(!shown.contains(&value) && shown.contains("***API_KEY***"), "{shown}");
            }
        }
    }
}
