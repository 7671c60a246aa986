//! What templates read of keys that are left out: the official loader fills its models' defaults in before it renders
//! (`utils/definition_rendering.py`, `_add_defaults_to_definition`).

use crate::kind;
use crate::kind::field::{Fallback, Field, Shape};
use crate::source::yaml::Node;

/// The value behind `ctx.entities.ID.KEY…`, where the last key is left out and has one all the same.
pub(super) fn of(root: &Node, path: &[String]) -> Option<&'static str> {
    let [context, section, id, keys @ ..] = path else { return None };
    if (context.as_str(), section.as_str()) != ("ctx", "entities") {
        return None;
    }
    let entity = &root.entry("entities")?.value.entry(id)?.value;
    let kind = kind::by_type_name(entity.entry("type")?.value.as_str()?)?;
    in_fields(entity, kind.fields, keys)
}

fn in_fields(mapping: &Node, fields: &'static [Field], keys: &[String]) -> Option<&'static str> {
    let (key, rest) = keys.split_first()?;
    let field = fields.iter().find(|field| field.name == key)?;
    if rest.is_empty() {
        return text(mapping, field);
    }
    let inner = &mapping.entry(key)?.value;
    in_fields(inner, field.shape.record()?.fields, rest)
}

/// A truth value is rendered as Python spells it.
fn text(mapping: &Node, field: &Field) -> Option<&'static str> {
    let text = match field.fallback {
        Fallback::Nothing => return None,
        Fallback::Text(text) => text,
        Fallback::Beside { key, text } => mapping.entry(key).map(|_| text)?,
    };
    Some(match (&field.shape, text) {
        (Shape::Flag, "true") => "True",
        (Shape::Flag, "false") => "False",
        _ => text,
    })
}
