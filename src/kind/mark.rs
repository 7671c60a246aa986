//! The mark that an object carries at the end of its comment: the project that it belongs to, and whether it is
//! protected. It stands on the object itself, so that it outlives the file that declared it; a listing shows it, and
//! nothing else has to be asked, written or paid for.
//!
//! ```text
//! Images of the shop [snowform project=shop prevent_drop]
//! ```

/// What a comment holds: the author's text and the mark behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    /// The text, without the mark.
    pub text: String,
    /// The project, where one is named.
    pub project: Option<String>,
    /// Whether the object is protected.
    pub prevent_drop: bool,
}

const OPEN: &str = "[snowform ";
const CLOSE: char = ']';
const PROJECT: &str = "project=";
const PREVENT_DROP: &str = "prevent_drop";

impl Marked {
    /// Reads a comment. What is no mark, to the letter, is text.
    pub fn read(comment: &str) -> Self {
        Self::split(comment).unwrap_or_else(|| Self { text: comment.to_owned(), ..Self::default() })
    }

    fn split(comment: &str) -> Option<Self> {
        let (text, words) = comment.strip_suffix(CLOSE)?.rsplit_once(OPEN)?;
        let text = if text.is_empty() { text } else { text.strip_suffix(' ')? };
        let mut marked = Self { text: text.to_owned(), ..Self::default() };
        for word in words.split(' ') {
            match word.strip_prefix(PROJECT) {
                Some(name) if is_project(name) && marked.project.is_none() => {
                    marked.project = Some(name.to_owned());
                }
                None if word == PREVENT_DROP && !marked.prevent_drop => marked.prevent_drop = true,
                _ => return None,
            }
        }
        Some(marked)
    }

    /// The comment as the account keeps it.
    pub fn comment(&self) -> String {
        let Self { text, project, prevent_drop } = self;
        let project = project.as_ref().map(|name| format!("{PROJECT}{name}"));
        let words: Vec<String> =
            project.into_iter().chain(prevent_drop.then(|| PREVENT_DROP.to_owned())).collect();
        match (text.as_str(), words.is_empty()) {
            (text, true) => text.to_owned(),
            ("", false) => format!("{OPEN}{}{CLOSE}", words.join(" ")),
            (text, false) => format!("{text} {OPEN}{}{CLOSE}", words.join(" ")),
        }
    }
}

/// Whether a text can name a project: letters, digits, `_`, `.` and `-`, at most 64 of them.
pub fn is_project(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_mark_is_text() {
        for text in [
            "",
            "plain",
            "[snowform ]",
            "[snowform project=]",
            "x [snowform project=a b]",
            "x[snowform project=a]",
            "[snowform project=a project=b]",
            "[snowform project=a] ",
            "[snowform prevent_drop prevent_drop]",
        ] {
            assert_eq!(Marked::read(text), Marked { text: text.to_owned(), ..Marked::default() }, "{text:?}");
        }
    }

    #[test]
    fn a_comment_may_end_in_a_mark_only() {
        let marked = Marked::read("[snowform project=a prevent_drop]");
        assert_eq!(marked, Marked { text: String::new(), project: Some("a".to_owned()), prevent_drop: true });
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            text in ".*",
            project in proptest::option::of("[A-Za-z0-9_.-]{1,64}"),
            prevent_drop: bool,
        ) {
            // A text that ends like a mark cannot be declared.
            prop_assume!(Marked::read(&text).text == text);
            let marked = Marked { text, project, prevent_drop };
            prop_assert_eq!(Marked::read(&marked.comment()), marked);
        }
    }
}
