//! The hidden first line of a comment that is ours: which one of several it is, and which run wrote it.
//!
//! Anybody can paste such a line, so it counts only together with its author; see [`super::post`].

use serde::{Deserialize, Serialize};

const OPENING: &str = "<!-- snowform:plan ";
const CLOSING: &str = " -->";

/// Which run of a build machine: its number, which grows, and its attempt.
pub type Run = (u64, u64);

/// What a comment's first line says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// The version of the line itself; others are not ours.
    v: u32,
    /// Which of a request's comments.
    pub tag: String,
    /// Which run wrote it, where a machine did.
    pub run: Option<Run>,
    /// The commit that was planned, where one is known.
    pub commit: Option<String>,
}

impl Marker {
    /// The line's content for a run.
    pub fn new(tag: &str, run: Option<Run>, commit: Option<&str>) -> Self {
        Self { v: 1, tag: tag.to_owned(), run, commit: commit.map(ToOwned::to_owned) }
    }

    /// The line. Nothing of it can end the comment that hides it.
    pub fn line(&self) -> String {
        let json = serde_json::to_string(self).expect("internal error: a marker has text keys");
        let json = json.replace('<', "\\u003c").replace('>', "\\u003e").replace("--", "-\\u002d");
        format!("{OPENING}{json}{CLOSING}")
    }

    /// What a comment's first line says, where it says anything.
    pub fn read(body: &str) -> Option<Self> {
        let line = body.lines().next()?.trim_end();
        let marker: Self = serde_json::from_str(line.strip_prefix(OPENING)?.strip_suffix(CLOSING)?).ok()?;
        (marker.v == 1).then_some(marker)
    }

    /// Whether this was written by a later run than `other`. A run that nobody numbered is later than none.
    pub fn is_later_than(&self, other: &Self) -> bool {
        matches!((self.run, other.run), (Some(this), Some(other)) if this > other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_marker_is_one_line_that_hides_and_is_read_back(tag in "[ -~äñ\u{202e}\n]{0,30}", number in any::<u64>()) {
            let marker = Marker::new(&tag, Some((number, 1)), Some("abc"));
            let line = marker.line();
            let inside = &line[OPENING.len()..line.len() - CLOSING.len()];
            prop_assert!(!line.contains('\n') && !inside.contains("--") && !inside.contains(['<', '>']), "{line}");
            prop_assert_eq!(Marker::read(&format!("{line}\nrest")), Some(marker));
        }
    }

    #[test]
    fn only_the_first_line_counts_and_only_ours() {
        let line = Marker::new("plan", None, None).line();
        assert_eq!(Marker::read(&format!("text\n{line}")), None);
        assert_eq!(Marker::read(&line.replace("\"v\":1", "\"v\":2")), None);
        assert_eq!(Marker::read("<!-- snowform:plan garbage -->"), None);
    }

    #[test]
    fn a_later_attempt_of_the_same_run_is_later() {
        let of = |run| Marker::new("plan", run, None);
        assert!(of(Some((7, 2))).is_later_than(&of(Some((7, 1)))));
        assert!(!of(Some((7, 1))).is_later_than(&of(Some((7, 1)))));
        assert!(!of(None).is_later_than(&of(Some((7, 1)))) && !of(Some((7, 1))).is_later_than(&of(None)));
    }
}
