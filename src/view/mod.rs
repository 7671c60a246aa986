//! Finished values to text. Views compute nothing and decide nothing; what they are given is what they draw.

pub mod boxes;
pub mod code_hosts;
pub mod definition;
pub mod diagnostics;
pub mod json;
pub mod listing;
pub mod outcome;
pub mod plan;
pub mod sarif;

use std::collections::HashMap;
use std::fmt::Write as _;

/// Text from a file or an account, made safe to print: control characters, and those that turn the direction of
/// text around, are written as escapes.
pub fn visible(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        match c {
            '\n' => safe.push_str("\\n"),
            '\t' => safe.push_str("\\t"),
            '\r' => safe.push_str("\\r"),
            c if c.is_control() || hidden => {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_printed_acts_on_a_terminal() {
        let hostile = "\u{1b}[2Jx\u{202e}y\r\n\u{9b}31m";
        let safe = visible(hostile);
        assert!(safe.chars().all(|c| !c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c)), "{safe}");
    }
}
