//! Finished values to text. Views compute nothing and decide nothing; what they are given is what they draw.

pub mod boxes;
pub mod code_hosts;
pub mod definition;
pub mod diagnostics;
pub mod difference;
pub mod escape;
pub mod findings;
pub mod html;
pub mod json;
pub mod listing;
pub mod markdown;
pub mod outcome;
pub mod plan;
pub mod redact;
pub mod report;
pub mod sarif;
pub mod script;

pub use escape::visible;

use std::collections::HashMap;
use std::fmt::Write as _;

/// What stays the same of each diagnostic while lines move: its file, its code, its words, and which of several equal
/// ones it is. Readers drop what they take for seen.
fn fingerprints(found: &[json::DiagnosticDocument]) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut fingerprint = |found: &json::DiagnosticDocument| {
        let identity = format!("{}\u{0}{}\u{0}{}", found.range.path, found.code, found.message);
        let nth = seen.entry(identity.clone()).or_default();
        *nth += 1;
        let digest = ring::digest::digest(&ring::digest::SHA256, format!("{identity}\u{0}{nth}").as_bytes());
        digest.as_ref().iter().take(16).fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    };
    found.iter().map(&mut fingerprint).collect()
}

/// A number and its noun: `1 image`, `2 images`, `2 repositories`.
pub fn counted(number: usize, noun: &str) -> String {
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {noun}s"),
    }
}
