//! Diagnostics as SARIF 2.1.0, for code scanning (docs.oasis-open.org `sarif/v2.1.0`).

use super::json::{DiagnosticDocument, Range};
use crate::source::diagnostic::Rule;
use serde_json::{Value, json};

/// One run. Paths must be relative to the root of the repository; columns count code points.
pub fn document(found: &[DiagnosticDocument], rules: &[Described]) -> Value {
    let fingerprints = super::fingerprints(found);
    let results: Vec<Value> =
        found.iter().zip(fingerprints).map(|(found, id)| result(found, id, rules)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "snowform",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(described).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// A code and its meaning.
#[derive(Clone, Debug)]
pub struct Described {
    /// The code.
    pub code: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Why, and what to do.
    pub help: String,
}

impl From<&'static Rule> for Described {
    fn from(rule: &'static Rule) -> Self {
        let help = format!("{}\n\nWrong:\n{}\nRight:\n{}", rule.why, rule.bad, rule.good);
        Self { code: rule.code, summary: rule.summary, help }
    }
}

fn described(rule: &Described) -> Value {
    let Described { code, summary, help } = rule;
    json!({
        "id": code,
        "shortDescription": { "text": summary },
        "fullDescription": { "text": help.lines().next().unwrap_or(summary) },
        "help": { "text": help },
    })
}

fn result(found: &DiagnosticDocument, fingerprint: String, rules: &[Described]) -> Value {
    let help = found.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    let related: Vec<Value> = found
        .related
        .iter()
        .map(|related| json!({ "physicalLocation": place(&related.source), "message": { "text": related.message } }))
        .collect();
    let fixes: Vec<Value> = found.fix.iter().map(|fix| {
        json!({ "description": { "text": fix.title }, "artifactChanges": [{
            "artifactLocation": { "uri": uri(&fix.range.path) },
            "replacements": [{ "deletedRegion": region(&fix.range), "insertedContent": { "text": fix.replacement } }],
        }]})
    }).collect();
    json!({
        "ruleId": found.code,
        "ruleIndex": rules.iter().position(|rule| rule.code == found.code),
        "level": found.severity,
        "message": { "text": format!("{}{help}", found.message) },
        "locations": [{ "physicalLocation": place(&found.range) }],
        "relatedLocations": related,
        "partialFingerprints": { "snowform/v1": fingerprint },
        "fixes": fixes,
    })
}

fn place(range: &Range) -> Value {
    json!({ "artifactLocation": { "uri": uri(&range.path) }, "region": region(range) })
}

fn region(range: &Range) -> Value {
    json!({
        "startLine": range.line, "startColumn": range.column,
        "endLine": range.end_line, "endColumn": range.end_column,
    })
}

/// A path as a relative URI: what is no unreserved character is percent-encoded (RFC 3986).
pub(super) fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            uri.extend(
                [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])),
            );
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded() {
        assert_eq!(uri("a b/ä.yml"), "a%20b/%C3%A4.yml");
    }
}
