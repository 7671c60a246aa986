//! What can be folded: whatever a key holds on more lines than its own, and comments of several lines.

use super::Analysis;
use super::tree::{self, On};
use crate::source::files::Files;
use crate::source::lines::Lines;
use crate::source::span::FileId;
use std::collections::BTreeSet;

/// Lines that can be folded into their first, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fold {
    /// The line that stays.
    pub first: u32,
    /// The last line that goes.
    pub last: u32,
    /// Whether it is a comment.
    pub comment: bool,
}

/// Everything that can be folded in a file, from the top.
pub fn folds(analysis: &Analysis, file: FileId) -> Vec<Fold> {
    let reading = analysis.reading();
    let mut found = comments(analysis.files(), file);
    let lines = analysis.files().editor_lines(file);
    if let Some(root) = reading.tree(reading.role(file)) {
        tree::walk(root, &mut |_, on| {
            let On::Key(entry) = on else { return };
            let (first, last) = (line(lines, entry.key.span.start), line(lines, entry.value.span.end));
            if first < last {
                found.insert(Fold { first, last, comment: false });
            }
        });
    }
    found.into_iter().collect()
}

fn line(lines: &Lines, offset: u32) -> u32 {
    u32::try_from(lines.line(offset as usize)).unwrap_or(u32::MAX)
}

fn comments(files: &Files, file: FileId) -> BTreeSet<Fold> {
    let (text, lines) = (files.text(file), files.editor_lines(file));
    let is_comment =
        |at: usize| lines.range(text, at).is_some_and(|range| text[range].trim_start().starts_with('#'));
    let mut found = BTreeSet::new();
    let mut at = 0;
    while at < lines.count() {
        let end = (at..lines.count()).find(|line| !is_comment(*line)).unwrap_or(lines.count());
        if end - at > 1 {
            let number = |line: usize| u32::try_from(line).unwrap_or(u32::MAX);
            found.insert(Fold { first: number(at), last: number(end - 1), comment: true });
        }
        at = end.max(at + 1);
    }
    found
}
