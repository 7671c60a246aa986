//! What differs of one change: the one place that all views get these lines from. A new kind of difference is added here
//! and nowhere else.

use super::json::{Range, range};
use crate::object::state::Grant;
use crate::plan::{AttributeChange, Change, GrantAction, GrantChange, TagChange};
use crate::source::files::Files;
use similar::{ChangeTag, TextDiff};

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A value changes.
    Value {
        /// Whose.
        field: String,
        /// The live value; nothing where there is none yet.
        before: Option<String>,
        /// The declared value.
        after: Option<String>,
        /// Where that is written.
        at: Option<Range>,
    },
    /// Something is added, taken away or left.
    Item {
        /// Which of them.
        sign: Sign,
        /// In words: `grant`.
        words: &'static str,
        /// What.
        text: String,
    },
}

/// What happens to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// It is added.
    Added,
    /// It is taken away.
    Removed,
    /// It is not declared, and stays.
    Kept,
}

/// Everything that differs, in the order in which it is shown.
pub fn of(change: &Change, files: &Files) -> Vec<Difference> {
    let value = |AttributeChange { field, before, after }: &AttributeChange| Difference::Value {
        field: (*field).to_owned(),
        before: before.clone(),
        after: Some(after.clone()),
        at: change.origin.attributes.get(field).map(|span| range(*span, files)),
    };
    let tag = |TagChange { tag, before, after }: &TagChange| Difference::Value {
        field: format!("tag {tag}"),
        before: before.clone(),
        after: Some(after.clone()),
        at: None,
    };
    let grant = |GrantChange { grant, action }: &GrantChange| {
        let Grant { privilege, grantee } = grant;
        let (sign, words, text) = match action {
            GrantAction::Grant => (Sign::Added, "grant", grant.to_string()),
            GrantAction::Revoke => (Sign::Removed, "revoke", format!("{privilege} from {grantee}")),
            GrantAction::Keep => (Sign::Kept, "not declared, and kept:", grant.to_string()),
        };
        Difference::Item { sign, words, text }
    };
    let (attributes, tags) = (change.attributes.iter().map(value), change.tags.iter().map(tag));
    attributes.chain(tags).chain(change.grants.iter().map(grant)).collect()
}

/// One line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// `+`, `-`, a blank for a line that stays, or `@` where lines are left out.
    pub sign: char,
    /// What stands on it. From outside: to be escaped.
    pub text: String,
}

/// Values longer than this many characters, and those of several lines, are compared line by line.
const SHORT: usize = 60;
/// Lines around a change that are shown with it.
const CONTEXT: usize = 2;
/// Texts of more bytes are not compared: nobody reads that, and it would take long.
const MOST: usize = 64 * 1024;

/// Whether two values are worth comparing line by line.
pub fn is_long(before: &str, after: &str) -> bool {
    [before, after].iter().any(|text| text.contains('\n') || text.chars().count() > SHORT)
}

/// What differs between two values, line by line. Long lines are broken between words first.
pub fn lines(before: &str, after: &str) -> Vec<Line> {
    let line = |sign, text: &str| Line { sign, text: text.trim_end_matches('\n').to_owned() };
    if before.len() + after.len() > MOST {
        let told = |text: &str| super::escape::clipped(text, SHORT);
        return vec![line('-', &told(before)), line('+', &told(after))];
    }
    let (before, after) = (wrapped(before), wrapped(after));
    let diff = TextDiff::from_lines(&before, &after);
    let mut out = Vec::new();
    for (nth, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if nth > 0 {
            out.push(line('@', "…"));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            out.push(line(sign, change.value()));
        }
    }
    out
}

/// Breaks lines between words where they are longer than people like to read. Every line has its end.
fn wrapped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    for line in text.lines() {
        let mut column = 0;
        for word in line.split_inclusive(' ') {
            if column > 0 && column + word.len() > SHORT + 20 {
                out.push('\n');
                column = 0;
            }
            out.push_str(word);
            column += word.len();
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_of_a_long_line_is_one_line_of_the_difference() {
        let before = "word ".repeat(60) + "old " + &"word ".repeat(60);
        let shown = lines(&before, &before.replace("old", "new"));
        let signed: Vec<&Line> = shown.iter().filter(|line| line.sign != ' ').collect();
        assert_eq!(signed.len(), 2, "{shown:?}");
        assert!(signed[0].text.contains("old") && signed[1].text.contains("new"));
    }

    #[test]
    fn distant_changes_are_parted() {
        let text: String = (0..40).map(|n| format!("line {n}\n")).collect();
        let changed = text.replace("line 1\n", "line one\n").replace("line 30\n", "line thirty\n");
        let shown = lines(&text, &changed);
        assert_eq!(shown.iter().filter(|line| line.sign == '@').count(), 1);
        assert!(shown.len() < 16, "{shown:?}");
    }
}
