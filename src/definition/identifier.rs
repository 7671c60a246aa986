//! `identifier`, in its two forms, and the entity's key in their place.
//!
//! Rules: snowflake-cli `api/identifiers.py` (`FQN`), with every part checked here and not at deploy.

use super::{INVALID_NAME, NAME_CONFLICT, WrittenName};
use crate::object::name::{Ident, NameError, PartialName};
use crate::source::diagnostic::{Diagnostic, Diagnostics};
use crate::source::span::{Span, Spanned};
use crate::source::yaml::{Data, Entry, Node};

/// The name of an entity: its identifier, else its key.
pub(super) fn decode(
    key: &Spanned<String>,
    identifier: Option<&Entry>,
    found: &mut Diagnostics,
) -> Option<WrittenName> {
    match identifier {
        None => partial(&key.value, key.span, Written::AsKey, found).map(|name| written(name, key.span)),
        Some(entry) => match &entry.value.data {
            Data::Scalar(text) => {
                let span = place(&entry.value, &entry.key);
                partial(text, span, as_written(&entry.value), found).map(|name| written(name, span))
            }
            Data::Mapping(parts) => from_mapping(parts, found),
            // Reported as a wrong shape already.
            Data::Sequence(_) => None,
        },
    }
}

/// The name of an object that no entity stands for: a text or a mapping.
pub(super) fn decode_value(value: &Node, found: &mut Diagnostics) -> Option<WrittenName> {
    match &value.data {
        Data::Scalar(text) => {
            partial(text, value.span, as_written(value), found).map(|name| written(name, value.span))
        }
        Data::Mapping(parts) => from_mapping(parts, found),
        Data::Sequence(_) => None,
    }
}

/// A name that stands as a key.
pub(super) fn decode_key(key: &Spanned<String>, found: &mut Diagnostics) -> Option<WrittenName> {
    partial(&key.value, key.span, Written::Literally, found).map(|name| written(name, key.span))
}

fn written(name: PartialName, span: Span) -> WrittenName {
    let PartialName { database, schema, name } = name;
    WrittenName { database, schema, name, span, schema_by_convention: false }
}

fn from_mapping(parts: &[Entry], found: &mut Diagnostics) -> Option<WrittenName> {
    let entry = |key: &str| parts.iter().find(|part| part.key.value == key);
    let name = entry("name")?;
    let text = name.value.as_str()?;
    let span = place(&name.value, &name.key);
    let partial = partial(text, span, as_written(&name.value), found);
    let schema = entry("schema").map(|part| separate_part(part, found));
    let database = entry("database").map(|part| separate_part(part, found));
    let partial = partial?;
    for (part, entry, given) in [
        ("schema", entry("schema"), partial.schema.is_some()),
        ("database", entry("database"), partial.database.is_some()),
    ] {
        if let (Some(entry), true) = (entry, given) {
            found.push(
                Diagnostic::new(
                    &NAME_CONFLICT,
                    format!("`name` is qualified, and `{part}` is given beside it"),
                    span,
                    format!("holds a {part} already"),
                )
                .related(entry.key.span, format!("the {part} again"))
                .help(format!("remove `{part}:`, or write the bare name")),
            );
            return None;
        }
    }
    let mut result = written(partial, span);
    // A part that was given wrongly is reported already: the name as a whole is not known then.
    if let Some(schema) = schema {
        result.schema = Some(schema?);
    }
    if let Some(database) = database {
        result.database = Some(database?);
    }
    if result.database.is_some() && result.schema.is_none() {
        result.schema = Some(Ident::exact("PUBLIC"));
        result.schema_by_convention = true;
    }
    Some(result)
}

/// `schema:` or `database:` beside `name:`: exactly one part.
fn separate_part(entry: &Entry, found: &mut Diagnostics) -> Option<Ident> {
    let text = entry.value.as_str()?;
    match Ident::parse(text) {
        Ok(ident) => Some(ident),
        Err(error) => {
            found.push(invalid(text, place(&entry.value, &entry.key), &error, as_written(&entry.value)));
            None
        }
    }
}

fn partial(text: &str, span: Span, how: Written, found: &mut Diagnostics) -> Option<PartialName> {
    PartialName::parse(text).map_err(|error| found.push(invalid(text, span, &error, how))).ok()
}

fn place(value: &Node, key: &Spanned<String>) -> Span {
    if value.span.start == value.span.end { key.span } else { value.span }
}

/// How a name came to be what it is; that decides how it can be mended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    /// It stands in the file as it is.
    Literally,
    /// A template was rendered to it.
    ByTemplate,
    /// It is the entity's key, which other entities refer to.
    AsKey,
}

fn as_written(value: &Node) -> Written {
    if value.rendered { Written::ByTemplate } else { Written::Literally }
}

fn invalid(text: &str, span: Span, error: &NameError, how: Written) -> Diagnostic {
    let message = format!("`{}` is not a valid name", text.escape_debug());
    let diagnostic = Diagnostic::new(&INVALID_NAME, message, span, error.to_string());
    let legal = legal_name(text);
    if text.contains('"') || legal == text || matches!(error, NameError::TooLong | NameError::TooManyParts) {
        return diagnostic.help("a name has at most three parts of at most 255 characters");
    }
    match how {
        Written::Literally => diagnostic.help(format!("rename it to `{legal}`")).fix(
            format!("rename it to `{legal}`"),
            span,
            legal,
        ),
        Written::ByTemplate => diagnostic
            .help(format!("the template must render to a name, such as `{legal}`; see `fn.sanitize_id`")),
        Written::AsKey => {
            diagnostic.help(format!("rename it to `{legal}`, or give the entity an `identifier`"))
        }
    }
}

/// The nearest name that needs no quotes.
fn legal_name(text: &str) -> String {
    let part = |part: &str| {
        let mut legal: String = part
            .trim()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '$') { c } else { '_' })
            .collect();
        if !legal.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            legal.insert(0, '_');
        }
        legal
    };
    let parts: Vec<_> = text.trim().split('.').filter(|part| !part.trim().is_empty()).map(part).collect();
    if parts.is_empty() { "my_repo".to_owned() } else { parts.join(".") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proposed_name_is_always_legal() {
        for text in ["my-repo", "1repo", "", "a b.c-d", "db..x", "réponse", "$x", "r; drop table x", "  "] {
            assert!(PartialName::parse(&legal_name(text)).is_ok(), "{text} → {}", legal_name(text));
        }
        assert_eq!(legal_name("my-repo"), "my_repo");
        assert_eq!(legal_name("db..x"), "db.x");
    }
}
