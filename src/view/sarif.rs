//! Diagnostics as SARIF 2.1.0, for code scanning (docs.oasis-open.org `sarif/v2.1.0`).

use super::json::{DiagnosticDocument, Range};
use crate::source::diagnostic::Rule;
use serde_json::{Value, json};

/// One run. Paths must be relative to the root of the repository; columns count code points.
pub fn document(found: &[DiagnosticDocument], rules: &[&'static Rule]) -> Value {
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
                "rules": rules.iter().map(|rule| described(rule)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.code,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": rule.why },
        "help": { "text": format!("{}\n\nWrong:\n{}\nRight:\n{}", rule.why, rule.bad, rule.good) },
    })
}

fn result(found: &DiagnosticDocument, fingerprint: String, rules: &[&'static Rule]) -> Value {
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
fn uri(path: &str) -> String {
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
