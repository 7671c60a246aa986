//! From a name to where it is defined, and to everywhere it is used.

use super::Analysis;
use super::names::Usage;
use crate::source::span::{FileId, Span};

/// Where the name at an offset is defined. From the definition itself, where the other file defines it.
pub fn definition(analysis: &Analysis, file: FileId, offset: u32) -> Vec<Span> {
    let reading = analysis.reading();
    let Some(here) = reading.occurrence_at(file, offset) else { return Vec::new() };
    let mut found = reading.definitions(here.named, &here.name);
    if found.len() > 1 {
        found.retain(|span| *span != here.span);
    }
    found
}

/// Every place that names what is named at an offset, in the order of files and lines.
pub fn references(analysis: &Analysis, file: FileId, offset: u32, with_definitions: bool) -> Vec<Span> {
    let reading = analysis.reading();
    let Some(here) = reading.occurrence_at(file, offset) else { return Vec::new() };
    let all = reading.occurrences().into_iter();
    let mut found: Vec<Span> = all
        .filter(|other| (other.named, &other.name) == (here.named, &here.name))
        .filter(|other| with_definitions || other.usage != Usage::Definition)
        .map(|other| other.span)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}
