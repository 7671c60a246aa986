//! A broken text made readable, for features that must work while somebody types.
//!
//! The parser stops at the first mistake, so the line that is to blame is replaced by spaces and the text read again.
//! Every byte keeps its place; what is wrong is still said of the text as it was written, by whoever read that.

use super::lines::Lines;
use super::span::FileId;
use super::yaml::{self, Broken};

/// How many lines may be blanked. Somebody types in one; more are broken where text was pasted or two branches met.
const MOST: usize = 12;

/// The text with the lines blanked that keep it from being YAML; nothing where it is YAML already.
pub fn mend(file: FileId, text: &str) -> Option<String> {
    let mut broken = yaml::parse(file, text).broken?;
    let lines = Lines::of(text);
    let mut mended = text.as_bytes().to_vec();
    for _ in 0..MOST {
        let Some(line) = blamed(&broken, text, &mended, &lines) else { break };
        blank(&mut mended, text, &lines, line);
        let read = std::str::from_utf8(&mended).expect("internal error: whole lines are blanked");
        match yaml::parse(file, read).broken {
            Some(next) => broken = next,
            None => break,
        }
    }
    String::from_utf8(mended).ok()
}

/// The line to blank: where an unclosed bracket or quote opened, else where the parser stumbled, else the nearest line
/// above that still says something.
fn blamed(broken: &Broken, text: &str, mended: &[u8], lines: &Lines) -> Option<usize> {
    let says_something = |line: &usize| {
        lines.range(text, *line).is_some_and(|range| mended[range].iter().any(|byte| *byte != b' '))
    };
    let at_end = mended[broken.at.min(mended.len())..].trim_ascii().is_empty();
    let opened = match broken.flow {
        Some(opened) => Some(opened),
        // An unclosed quote is noticed on a later line; it opened behind what could still be read.
        None => {
            let next = next_content(text, broken.read);
            let begins_quote = text[next..].trim_start_matches([' ', ':', '-']).starts_with(['"', '\'']);
            (at_end || begins_quote).then_some(next)
        }
    };
    let stumbled = lines.line(broken.at.min(text.len()));
    // A tab in front of a line is noticed at the value above, which it seems to go on with.
    let begins_with_tab =
        |line: &usize| lines.range(text, *line).is_some_and(|range| mended[range].starts_with(b"\t"));
    if let Some(tab) = (stumbled..=stumbled + 1).find(begins_with_tab) {
        return Some(tab);
    }
    let opened = opened.map(|at| lines.line(at)).filter(says_something);
    opened.or_else(|| (0..=stumbled).rev().find(says_something))
}

/// Where something stands next that is neither space nor comment.
fn next_content(text: &str, from: usize) -> usize {
    let mut at = from.min(text.len());
    loop {
        let rest = text.get(at..).unwrap_or("");
        at += rest.len() - rest.trim_start().len();
        match text.get(at..) {
            Some(rest) if rest.starts_with('#') => at += rest.find('\n').unwrap_or(rest.len()),
            _ => return at,
        }
    }
}

fn blank(mended: &mut [u8], text: &str, lines: &Lines, line: usize) {
    if let Some(range) = lines.range(text, line) {
        mended[range].fill(b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::Files;
    use super::*;
    use proptest::prelude::*;

    fn mended(text: &str) -> Option<String> {
        let mut files = Files::default();
        let id = files.add("t.yml", text);
        mend(id, text)
    }

    /// The keys at the top and below `b`, after mending.
    fn keys(text: &str) -> Vec<String> {
        let mut files = Files::default();
        let id = files.add("t.yml", text);
        let read = mend(id, text).unwrap_or_else(|| text.to_owned());
        let root = yaml::parse(id, &read).root.unwrap();
        root.as_mapping().unwrap().iter().map(|entry| entry.key.value.clone()).collect()
    }

    #[test]
    fn a_sound_text_is_left_alone() {
        assert_eq!(mended("a: 1\n"), None);
        assert_eq!(mended(""), None);
    }

    #[test]
    fn what_stands_behind_a_mistake_is_read() {
        for text in [
            "a: 1\nb: [x\nc: 2\n",
            "a: 1\nb: 'x\nc: 2\n",
            "a: 1\nb: {x: [1\nc: 2\n",
            "a: 1\nb: x: y\nc: 2\n",
            "a: 1\n]\nc: 2\n",
            "a: 1\nunfinished\nc: 2\n",
            "a: 1\n\tb: 2\nc: 2\n",
            "a: 1\nb: \"x\\q\"\nc: 2\n",
        ] {
            let found = keys(text);
            assert!(found.contains(&"a".to_owned()) && found.contains(&"c".to_owned()), "{text}: {found:?}");
        }
    }

    #[test]
    fn only_the_blamed_line_is_blanked() {
        assert_eq!(mended("a: 1\nb: [ä\nc: 2\n").unwrap(), "a: 1\n      \nc: 2\n");
    }

    proptest! {
        #[test]
        fn every_byte_keeps_its_place(text in "[a-c:ä \n'\"\\[\\]{}-]{0,80}") {
            if let Some(mended) = mended(&text) {
                prop_assert_eq!(mended.len(), text.len());
                for (ours, theirs) in mended.bytes().zip(text.bytes()) {
                    prop_assert!(ours == theirs || ours == b' ');
                }
            }
        }
    }
}
