//! YAML laid out in one way, with every comment kept: two spaces a level, one behind a colon, two before a comment, no
//! more than one empty line, none of the spaces that nobody sees.
//!
//! Only white space changes, by edits at known places; the result is read again, and where it would not hold the same
//! values and the same comments, the text is left as it is.

use super::span::FileId;
use super::yaml::{self, Data, Node, Parsed};
use std::collections::BTreeMap;
use std::ops::Range;

/// Why a text was not laid out anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It is not valid YAML.
    #[error("the file is not valid YAML")]
    Invalid,
    /// The new layout would say something else.
    #[error("the file is laid out in a way that cannot be changed without changing what it says")]
    Unsafe,
}

/// Lays a text out. The same text twice is the same.
///
/// # Errors
/// Where the text is no YAML, or cannot be laid out by white space alone.
pub fn format(file: FileId, text: &str) -> Result<String, FormatError> {
    let unix = text.replace("\r\n", "\n");
    let before = yaml::parse(file, &unix);
    let Some(root) = before.root.as_ref().filter(|_| !before.diagnostics.has_errors()) else {
        return Err(FormatError::Invalid);
    };
    let layout = Layout::new(&unix, root, &before);
    let formatted = layout.apply();
    let after = yaml::parse(file, &formatted);
    let same_values = after.root.as_ref().is_some_and(|after| after.same_value(root));
    let same_comments = layout.comments == Layout::comments(&formatted, &after);
    let valid = !after.diagnostics.has_errors();
    if valid && same_values && same_comments { Ok(formatted) } else { Err(FormatError::Unsafe) }
}

struct Layout<'t> {
    text: &'t str,
    /// Where lines that begin with a key or a dash shall be indented to, by the offset of that key or dash.
    indents: BTreeMap<usize, usize>,
    /// White space between a key's colon and its value.
    gaps: Vec<Range<usize>>,
    /// Quoted and block texts, in which nothing is changed.
    texts: Vec<Range<usize>>,
    comments: Vec<String>,
}

impl<'t> Layout<'t> {
    fn new(text: &'t str, root: &Node, parsed: &Parsed) -> Self {
        let texts = parsed.texts.iter().map(|span| span.start as usize..span.end as usize).collect();
        let comments = Self::comments(text, parsed);
        let mut layout = Self { text, indents: BTreeMap::new(), gaps: Vec::new(), texts, comments };
        layout.place(root, 0);
        layout.gaps.sort_by_key(|gap| gap.start);
        layout
    }

    /// Gives the lines of a block collection their indentation. A flow collection keeps its own layout.
    fn place(&mut self, node: &Node, indent: usize) {
        match &node.data {
            Data::Scalar(_) => {}
            Data::Mapping(entries) if !self.is_flow(node) => {
                for entry in entries {
                    let key = entry.key.span;
                    // An alias stands for a node elsewhere, which has its indentation from there.
                    if self.indents.insert(key.start as usize, indent).is_some() {
                        continue;
                    }
                    self.gap(key.end as usize, entry.value.span.start as usize);
                    self.place(&entry.value, indent + 2);
                }
            }
            Data::Sequence(items) if !self.is_flow(node) => {
                for item in items {
                    let before = &self.text[..(item.span.start as usize).min(self.text.len())];
                    let Some(dash) = before.rfind('-') else { continue };
                    self.indents.insert(dash, indent);
                    self.place(item, indent + 2);
                }
            }
            Data::Mapping(_) | Data::Sequence(_) => {}
        }
    }

    fn is_flow(&self, node: &Node) -> bool {
        self.text[node.span.start as usize..].starts_with(['{', '['])
    }

    /// Notes the white space behind a colon, where the value follows on the same line.
    fn gap(&mut self, key_end: usize, value: usize) {
        let Some(between) = self.text.get(key_end..value) else { return };
        let Some(blank) = between.strip_prefix(':') else { return };
        if !blank.is_empty() && blank.bytes().all(|byte| byte == b' ') {
            self.gaps.push(key_end + 1..value);
        }
    }

    fn in_text(texts: &[Range<usize>], at: usize) -> bool {
        let before = texts.partition_point(|text| text.start <= at);
        before > 0 && at < texts[before - 1].end
    }

    /// Where a line's comment begins: a `#` at its start or behind white space, outside texts.
    fn comment(text: &str, texts: &[Range<usize>], line: &Range<usize>) -> Option<usize> {
        let content = &text[line.clone()];
        content.match_indices('#').map(|(offset, _)| line.start + offset).find(|at| {
            let opens = text[line.start..*at].chars().next_back().is_none_or(char::is_whitespace);
            opens && !Self::in_text(texts, *at)
        })
    }

    fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
        text.split_inclusive('\n').scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some(start..start + line.trim_end_matches('\n').len())
        })
    }

    fn comments(text: &str, parsed: &Parsed) -> Vec<String> {
        let texts: Vec<Range<usize>> =
            parsed.texts.iter().map(|span| span.start as usize..span.end as usize).collect();
        let comment = |line: Range<usize>| {
            Self::comment(text, &texts, &line).map(|at| text[at..line.end].trim_end().to_owned())
        };
        Self::lines(text).filter_map(comment).collect()
    }

    fn apply(&self) -> String {
        let lines: Vec<Range<usize>> = Self::lines(self.text).collect();
        let mut out = String::with_capacity(self.text.len());
        let (mut shift, mut blanks) = (0_isize, 0);
        for (number, line) in lines.iter().enumerate() {
            if Self::in_text(&self.texts, line.start) {
                self.push_shifted(&mut out, line, shift);
                blanks = 0;
                continue;
            }
            let content = self.text[line.clone()].trim();
            if content.is_empty() {
                blanks += 1;
                continue;
            }
            if blanks > 0 && !out.is_empty() {
                out.push('\n');
            }
            blanks = 0;
            let start = line.start + (line.len() - self.text[line.clone()].trim_start().len());
            let actual = start - line.start;
            let wanted = if content.starts_with('#') {
                self.indent_of_next(&lines[number..])
            } else {
                self.indents.get(&start).copied()
            };
            if let Some(wanted) = wanted.filter(|_| !content.starts_with('#')) {
                shift = wanted.cast_signed() - actual.cast_signed();
            }
            let indent = wanted.unwrap_or_else(|| actual.saturating_add_signed(shift));
            out.extend(std::iter::repeat_n(' ', indent));
            self.push_content(&mut out, start..line.end, line);
            out.push('\n');
        }
        out
    }

    /// A comment belongs to what follows it.
    fn indent_of_next(&self, lines: &[Range<usize>]) -> Option<usize> {
        let next = lines.iter().find_map(|line| {
            let content = &self.text[line.clone()];
            let trimmed = content.trim_start();
            let is_content = !trimmed.is_empty() && !trimmed.starts_with('#');
            is_content.then(|| line.start + (content.len() - trimmed.len()))
        });
        next.map_or(Some(0), |start| self.indents.get(&start).copied())
    }

    /// A line inside a text that goes over several: it moves with the line where the text began.
    fn push_shifted(&self, out: &mut String, line: &Range<usize>, shift: isize) {
        let content = &self.text[line.clone()];
        let trimmed = content.trim_start_matches(' ');
        if !trimmed.is_empty() {
            let indent = (content.len() - trimmed.len()).saturating_add_signed(shift);
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(trimmed);
        }
        out.push('\n');
    }

    /// What stands on a line: one space behind colons, two before a comment, none at the end.
    fn push_content(&self, out: &mut String, content: Range<usize>, line: &Range<usize>) {
        let ends_in_text = Self::in_text(&self.texts, line.end.saturating_sub(1));
        let comment = Self::comment(self.text, &self.texts, line).filter(|at| *at > content.start);
        let code_end = comment.unwrap_or(content.end);
        let mut at = content.start;
        let first = self.gaps.partition_point(|gap| gap.start < content.start);
        for gap in self.gaps[first..].iter().take_while(|gap| gap.end <= code_end) {
            out.push_str(&self.text[at..gap.start]);
            out.push(' ');
            at = gap.end;
        }
        let rest = &self.text[at..code_end];
        out.push_str(if ends_in_text && comment.is_none() { rest } else { rest.trim_end() });
        if let Some(comment) = comment {
            out.push_str("  ");
            out.push_str(self.text[comment..content.end].trim_end());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::files::Files;
    use super::*;
    use proptest::prelude::*;

    fn formatted(text: &str) -> Result<String, FormatError> {
        format(Files::default().add("t.yml", text), text)
    }

    #[test]
    fn layout_changes_and_comments_stay() {
        let text = "# head\r\ndefinition_version:   2  \n\n\n\nentities:\n    repo:   # why\n        # type\n        type:  image-repository\n        meta:\n            depends_on:\n            - a   # first\n            - b\n";
        let wanted = "# head\ndefinition_version: 2\n\nentities:\n  repo:  # why\n    # type\n    type: image-repository\n    meta:\n      depends_on:\n        - a  # first\n        - b\n";
        assert_eq!(formatted(text).as_deref(), Ok(wanted));
        assert_eq!(formatted(wanted).as_deref(), Ok(wanted), "formatting twice is formatting once");
    }

    #[test]
    fn texts_keep_what_they_say() {
        let text = "a:\n      b: |\n          x  # no comment\n            y\n      c: \"p\n         q\"\n      d: {x: 1,\n          y: 2}\n";
        let wanted =
            "a:\n  b: |\n      x  # no comment\n        y\n  c: \"p\n     q\"\n  d: {x: 1,\n      y: 2}\n";
        assert_eq!(formatted(text).as_deref(), Ok(wanted));
    }

    #[test]
    fn what_is_no_yaml_is_left_alone() {
        assert_eq!(formatted("a: [x\n"), Err(FormatError::Invalid));
    }

    proptest! {
        #[test]
        fn formatting_keeps_values_and_is_done_once(text in "([a-c]: ?[x-z']{0,3}|  [a-c]:|  - [x-z]|# [x-z]| |\\|)(\n([ ]{0,6}[a-c]: ?[x-z']{0,3}|[ ]{0,6}- [x-z]|[ ]{0,6}# [x-z]| ){1}){0,8}") {
            if let Ok(once) = formatted(&text) {
                prop_assert_eq!(formatted(&once), Ok(once));
            }
        }
    }
}
