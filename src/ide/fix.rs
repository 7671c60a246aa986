//! What mends the mistakes: the edits that diagnostics bring along, one by one and all at once.

use super::{Analysis, Edit};
use crate::source::diagnostic::{Diagnostic, Fix};
use crate::source::span::FileId;
use std::ops::Range;

/// An edit that mends a mistake.
#[derive(Clone, Debug)]
pub struct QuickFix<'a> {
    /// What it does, as an imperative.
    pub title: &'a str,
    /// The mistake.
    pub diagnostic: &'a Diagnostic,
    /// The edit.
    pub edit: Edit,
}

/// The edits for the mistakes that touch a stretch of a file.
pub fn fixes(analysis: &Analysis, file: FileId, range: Range<u32>) -> Vec<QuickFix<'_>> {
    let here = analysis.diagnostics().iter().filter(|found| {
        let span = found.primary.span;
        span.file == file && span.start <= range.end && range.start <= span.end
    });
    here.filter_map(quick_fix).collect()
}

/// Every edit of a file that does not stand in the way of one before it.
pub fn fix_all(analysis: &Analysis, file: FileId) -> Vec<Edit> {
    let mut edits: Vec<Edit> = analysis
        .diagnostics()
        .iter()
        .filter_map(quick_fix)
        .map(|fix| fix.edit)
        .filter(|edit| edit.span.file == file)
        .collect();
    edits.sort_by_key(|edit| edit.span);
    edits.dedup();
    let mut free = 0;
    edits.retain(|edit| {
        let fits = edit.span.start >= free;
        if fits {
            free = edit.span.end.max(edit.span.start + 1);
        }
        fits
    });
    edits
}

fn quick_fix(diagnostic: &Diagnostic) -> Option<QuickFix<'_>> {
    let Fix { title, span, replacement } = diagnostic.fix.as_ref()?;
    Some(QuickFix { title, diagnostic, edit: Edit { span: *span, text: replacement.clone() } })
}
