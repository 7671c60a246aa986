//! Holds values against the shapes of the kinds' tables.

use super::{MISSING_KEY, UNKNOWN_KEY, WRONG_SHAPE};
use crate::kind::field::{Field, Shape};
use crate::source::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::source::span::Spanned;
use crate::source::yaml::{Data, Entry, Node};

/// A mapping that is checked: what a person calls it, and what helps with a key it does not know.
pub(super) struct Place<'a> {
    /// `an image-repository`, `meta`: completes "… is no key of".
    pub(super) noun: &'a str,
    /// Says what to do about an unknown key, where the place knows better than spelling.
    pub(super) advise: &'a dyn Fn(&Entry) -> Option<String>,
}

/// Checks the keys and values of a mapping against its fields. `owner`: where a missing key is reported.
pub(super) fn check_record(
    entries: &[Entry],
    fields: &[Field],
    owner: &Spanned<String>,
    place: &Place<'_>,
    found: &mut Diagnostics,
) {
    for entry in entries {
        match fields.iter().find(|field| field.name == entry.key.value) {
            Some(field) => check(&entry.value, &field.shape, &entry.key, found),
            None => found.push(unknown_key(entry, fields.iter().map(|field| field.name), place)),
        }
    }
    for field in fields.iter().filter(|field| field.required) {
        if !entries.iter().any(|entry| entry.key.value == field.name) {
            let message = format!("`{}` is missing", field.name);
            let label = format!("`{}` needs it", owner.value);
            found.push(
                Diagnostic::new(&MISSING_KEY, message, owner.span, label)
                    .help(format!("add `{}:`. {}", field.name, field.doc)),
            );
        }
    }
}

/// A key that a place does not have, with the nearest that it has.
pub(super) fn unknown_key<'f>(
    entry: &Entry,
    known: impl Iterator<Item = &'f str>,
    place: &Place<'_>,
) -> Diagnostic {
    let key = &entry.key;
    let known: Vec<&str> = known.collect();
    let message = format!("`{}` is no key of {}", key.value, place.noun);
    let diagnostic = Diagnostic::new(&UNKNOWN_KEY, message, key.span, "not known here");
    if let Some(advice) = (place.advise)(entry) {
        return diagnostic.help(advice);
    }
    let lower = key.value.to_lowercase();
    match did_you_mean(&lower, &known) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(
            format!("rename it to `{near}`"),
            key.span,
            near,
        ),
        None => diagnostic.help(format!("known here: {}", known.join(", "))),
    }
}

/// Checks one value.
pub(super) fn check(value: &Node, shape: &Shape, key: &Spanned<String>, found: &mut Diagnostics) {
    match (shape, &value.data) {
        (Shape::Text, Data::Scalar(_)) => {}
        (Shape::Name, Data::Scalar(text)) => check_name(text, value, key, found),
        (Shape::ScriptPath, Data::Scalar(text)) => check_script_path(text, value, found),
        (Shape::List(item), Data::Sequence(items)) => {
            for node in items {
                // What an item lacks is said at the item.
                let place =
                    node.as_mapping().and_then(|entries| entries.first()).map_or(node.span, |e| e.key.span);
                check(node, item, &Spanned::new(key.value.clone(), place), found);
            }
        }
        (Shape::Map(item), Data::Mapping(entries)) => {
            for entry in entries {
                check(&entry.value, item, &entry.key, found);
            }
        }
        (Shape::Record(fields), Data::Mapping(entries)) => {
            let noun = format!("`{}`", key.value);
            check_record(entries, fields, key, &Place { noun: &noun, advise: &|_| None }, found);
        }
        (Shape::TextOr(_), Data::Scalar(_)) => {}
        (Shape::TextOr(other), Data::Sequence(_) | Data::Mapping(_)) => match (other, &value.data) {
            (Shape::List(_), Data::Sequence(_)) | (Shape::Map(_) | Shape::Record(_), Data::Mapping(_)) => {
                check(value, other, key, found);
            }
            _ => found.push(wrong_shape(value, shape, key)),
        },
        _ => found.push(wrong_shape(value, shape, key)),
    }
}

fn wrong_shape(value: &Node, shape: &Shape, key: &Spanned<String>) -> Diagnostic {
    let message = format!("`{}` takes {}, not {}", key.value, shape.noun(), value.noun());
    let span = if value.span.start == value.span.end { key.span } else { value.span };
    let diagnostic = Diagnostic::new(&WRONG_SHAPE, message, span, format!("this is {}", value.noun()));
    if value.as_str() == Some("") {
        diagnostic.help(format!(
            "give `{}` a value or remove the key; an empty value is the empty text here",
            key.value
        ))
    } else {
        diagnostic.help(format!("give `{}` {}", key.value, shape.noun()))
    }
}

/// The loader searches an identifier anywhere in the text: `my-role` passes, `5` and an empty text do not.
fn check_name(text: &str, value: &Node, key: &Spanned<String>, found: &mut Diagnostics) {
    let holds_identifier = text.chars().any(|c| c.is_ascii_alphabetic() || c == '_') || has_quoted_part(text);
    if !holds_identifier || text.chars().count() > 254 {
        let span = if text.is_empty() { key.span } else { value.span };
        found.push(
            Diagnostic::new(&WRONG_SHAPE, format!("`{}` takes a name", key.value), span, "this is none")
                .help("a name has letters, digits, `_` and `$`, does not start with a digit, and has at most 254 characters"),
        );
    }
}

fn has_quoted_part(text: &str) -> bool {
    text.matches('"').count() >= 2
}

/// Scripts stand below the project's root (snowflake-cli `validate_sql_script_path`).
fn check_script_path(text: &str, value: &Node, found: &mut Diagnostics) {
    let leads_out = text.split(['/', '\\']).any(|part| part == "..");
    let absolute = text.starts_with(['/', '\\']) || text.chars().nth(1) == Some(':');
    if leads_out || absolute {
        found.push(
            Diagnostic::new(
                &WRONG_SHAPE,
                "the script's path leads out of the project",
                value.span,
                "not below the project",
            )
            .help("give a path relative to the directory of snowflake.yml"),
        );
    }
}
