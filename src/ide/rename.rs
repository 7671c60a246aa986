//! Renames mixins, entities and variables, in every file of the project.

use super::names::{Named, Occurrence, Usage};
use super::{Analysis, Edit};
use crate::source::span::{FileId, Span};

/// What can be renamed, and how it is written there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renameable {
    /// What the editor asks a new name for.
    pub span: Span,
    /// The name as it is.
    pub name: String,
}

/// What can be renamed at an offset; else why not, in a sentence.
pub fn prepare(analysis: &Analysis, file: FileId, offset: u32) -> Result<Renameable, String> {
    let occurrence = renameable(analysis, file, offset)?;
    Ok(Renameable { span: occurrence.span, name: occurrence.name })
}

/// The edits that give another name to what stands at an offset; else why that cannot be, in a sentence.
pub fn rename(analysis: &Analysis, file: FileId, offset: u32, new_name: &str) -> Result<Vec<Edit>, String> {
    let reading = analysis.reading();
    let Occurrence { named, name, .. } = renameable(analysis, file, offset)?;
    if name == new_name {
        return Ok(Vec::new());
    }
    if !reading.definitions(named, new_name).is_empty() {
        return Err(format!("there is {} `{new_name}` already", named.a_noun()));
    }
    let mut places: Vec<Occurrence> = reading
        .occurrences()
        .into_iter()
        .filter(|other| other.named == named && other.name == name)
        .collect();
    let in_template = named == Named::Variable || places.iter().any(|place| place.usage == Usage::Template);
    if !is_legal(new_name, in_template) {
        return Err(illegal(named, new_name, in_template));
    }
    if let Some(other) = places.iter().find(|place| reading.files.slice(place.span) != name) {
        let at = reading.files.start(other.span);
        let path = reading.files.path(other.span.file);
        return Err(format!(
            "`{name}` is written with escapes at {path}:{}; write it plainly first",
            at.line
        ));
    }
    places.sort_unstable_by_key(|place| place.span);
    places.dedup_by_key(|place| place.span);
    Ok(places.into_iter().map(|place| Edit { span: place.span, text: new_name.to_owned() }).collect())
}

fn renameable(analysis: &Analysis, file: FileId, offset: u32) -> Result<Occurrence, String> {
    if analysis.is_mended() {
        // A line that cannot be read may hold the name, too.
        return Err("a file of the project is not valid YAML at the moment; mend it first".to_owned());
    }
    let reading = analysis.reading();
    let occurrence =
        reading.occurrence_at(file, offset).ok_or("only entities, mixins and variables can be renamed")?;
    let Occurrence { named, name, .. } = &occurrence;
    if reading.definitions(*named, name).is_empty() {
        let noun = named.noun();
        return Err(format!(
            "the {noun} `{name}` is not defined in this project, so it cannot be renamed here"
        ));
    }
    Ok(occurrence)
}

/// Whether a name can stand in YAML without quotes and, where it must, in a template.
fn is_legal(name: &str, in_template: bool) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if in_template {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(word)
    } else {
        name.starts_with(word) && name.chars().all(|c| word(c) || matches!(c, '.' | '-' | '$'))
    }
}

fn illegal(named: Named, name: &str, in_template: bool) -> String {
    let noun = named.a_noun();
    if in_template {
        format!("templates cannot name {noun} `{name}`: use letters, digits and `_`, and begin with no digit")
    } else {
        format!("`{name}` is no name for {noun}: use letters, digits, `_`, `.`, `-` and `$`")
    }
}
