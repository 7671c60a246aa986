//! Holds values against the shapes of the kinds' tables.

use super::finding;
use super::{INVALID_VALUE, MISSING_KEY, UNKNOWN_KEY, WRONG_SHAPE};
use crate::kind::field::{Field, Number, Record, Shape, flag, whole};
use crate::kind::form::Form;
use crate::source::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::source::span::{Span, Spanned};
use crate::source::yaml::{Data, Entry, Node};

/// A mapping that is checked: what a person calls it, and what helps with a key it does not know.
pub(super) struct Place<'a> {
    /// `an image-repository`, `meta`: completes "… is no key of".
    pub(super) noun: &'a str,
    /// Says what to do about an unknown key, where the place knows better than spelling.
    pub(super) advise: &'a dyn Fn(&Entry) -> Option<String>,
}

/// Checks the keys and values of a mapping against its fields. `owner`: where a missing key is reported.
pub(super) fn check_fields(
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
        (Shape::Any, _) | (Shape::Text | Shape::Reference(_), Data::Scalar(_)) => {}
        (Shape::Form(form), Data::Scalar(text)) => check_form(text, form, value, key, found),
        (Shape::Flag, Data::Scalar(text)) => check_flag(text, value, key, found),
        (Shape::Whole { least }, Data::Scalar(text)) => check_whole(text, *least, value, key, found),
        (Shape::Choice(words), Data::Scalar(text)) => check_choice(text, words, value, key, found),
        (Shape::List(item), Data::Sequence(items)) => {
            for node in items {
                check(node, item, &Spanned::new(format!("{}[]", key.value), item_place(node)), found);
            }
        }
        (Shape::Map(item), Data::Mapping(entries)) => {
            for entry in entries {
                check(&entry.value, item, &entry.key, found);
            }
        }
        (Shape::MapOf(form, item), Data::Mapping(entries)) => {
            for entry in entries {
                if !(form.holds)(&entry.key.value) {
                    found.push(not_of_form(&key.value, form, entry.key.span));
                }
                check(&entry.value, item, &entry.key, found);
            }
        }
        (Shape::Record(record), Data::Mapping(entries)) => check_record(value, entries, record, key, found),
        (Shape::Either(scalar, _), Data::Scalar(_)) => check(value, scalar, key, found),
        (Shape::OrNull(_), Data::Scalar(text)) if text == "null" => {}
        // The whole shape is named where a text stands and only a mapping may.
        (Shape::OrNull(other), _) if value.as_str().is_none() || other.takes_scalar() => {
            check(value, other, key, found);
        }
        (Shape::Either(_, other), Data::Sequence(_) | Data::Mapping(_)) if same_form(other, value) => {
            check(value, other, key, found);
        }
        _ => found.push(wrong_shape(value, shape, key)),
    }
}

/// Where it is said what an item of a list lacks.
fn item_place(item: &Node) -> Span {
    item.as_mapping().and_then(|entries| entries.first()).map_or(item.span, |first| first.key.span)
}

fn check_record(
    value: &Node,
    entries: &[Entry],
    record: &Record,
    key: &Spanned<String>,
    found: &mut Diagnostics,
) {
    let noun = format!("`{}`", key.value);
    check_fields(entries, record.fields, key, &Place { noun: &noun, advise: &|_| None }, found);
    finding::run(record.checks, value, key, found);
}

fn same_form(shape: &Shape, value: &Node) -> bool {
    match shape {
        Shape::List(_) => matches!(value.data, Data::Sequence(_)),
        Shape::Map(_) | Shape::MapOf(..) | Shape::Record(_) => matches!(value.data, Data::Mapping(_)),
        _ => false,
    }
}

/// Where a value stands; where nothing stands, its key.
pub(super) fn place(value: &Node, key: &Spanned<String>) -> Span {
    if value.span.start == value.span.end { key.span } else { value.span }
}

fn wrong_shape(value: &Node, shape: &Shape, key: &Spanned<String>) -> Diagnostic {
    let message = format!("`{}` takes {}, not {}", key.value, shape.noun(), value.noun());
    let span = place(value, key);
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

fn check_form(text: &str, form: &Form, value: &Node, key: &Spanned<String>, found: &mut Diagnostics) {
    if (form.holds)(text) && !(form.literal && value.rendered) {
        return;
    }
    found.push(not_of_form(&key.value, form, place(value, key)));
}

fn not_of_form(key: &str, form: &Form, span: Span) -> Diagnostic {
    Diagnostic::new(&INVALID_VALUE, format!("`{key}` takes {}", form.noun), span, "this is none")
        .help(form.help)
}

fn check_flag(text: &str, value: &Node, key: &Spanned<String>, found: &mut Diagnostics) {
    if flag(text).is_some() {
        return;
    }
    let message = format!("`{}` takes true or false", key.value);
    let span = place(value, key);
    let diagnostic = Diagnostic::new(&INVALID_VALUE, message, span, "this is neither");
    found.push(match flag(text.trim()) {
        Some(meant) if !value.rendered => diagnostic
            .help(format!("write `{meant}`, without spaces around it"))
            .fix(format!("set it to `{meant}`"), span, meant.to_string()),
        _ => diagnostic.help("write `true` or `false`"),
    });
}

fn check_whole(text: &str, least: u32, value: &Node, key: &Spanned<String>, found: &mut Diagnostics) {
    let (message, label) = match whole(text, least) {
        Number::Fine => return,
        Number::None => (format!("`{}` takes a whole number", key.value), "this is none"),
        Number::Below => (format!("`{}` is at least {least}", key.value), "too small"),
    };
    found.push(
        Diagnostic::new(&INVALID_VALUE, message, place(value, key), label)
            .help(format!("write a whole number from {least} upwards")),
    );
}

fn check_choice(text: &str, words: &[&str], value: &Node, key: &Spanned<String>, found: &mut Diagnostics) {
    if words.contains(&text) {
        return;
    }
    let message = format!("`{}` takes {}", key.value, words.join(" or "));
    let span = place(value, key);
    let diagnostic = Diagnostic::new(&INVALID_VALUE, message, span, "none of these");
    found.push(match did_you_mean(&text.to_lowercase(), words) {
        Some(near) if !value.rendered && !text.is_empty() => {
            diagnostic.help(format!("did you mean `{near}`?")).fix(format!("set it to `{near}`"), span, near)
        }
        _ => diagnostic.help(format!("write one of: {}", words.join(", "))),
    });
}
