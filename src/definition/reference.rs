//! The entities that an entity names in its keys.

use crate::kind::field::{Field, Shape};
use crate::source::span::Spanned;
use crate::source::yaml::{Data, Node};

/// An entity's key, where another entity names it.
#[derive(Clone, Debug)]
pub struct Reference {
    /// What is written.
    pub target: Spanned<String>,
    /// The types that the target may have.
    pub types: &'static [&'static str],
}

/// The references of a mapping with known keys, in the order of the text.
pub(super) fn collect(mapping: &Node, fields: &'static [Field]) -> Vec<Reference> {
    let mut found = Vec::new();
    from_fields(mapping, fields, &mut found);
    found
}

fn from_fields(mapping: &Node, fields: &'static [Field], found: &mut Vec<Reference>) {
    for entry in mapping.as_mapping().unwrap_or_default() {
        if let Some(field) = fields.iter().find(|field| field.name == entry.key.value) {
            from_value(&entry.value, &field.shape, found);
        }
    }
}

fn from_value(value: &Node, shape: &'static Shape, found: &mut Vec<Reference>) {
    match (shape, &value.data) {
        // Those to any type are dependencies, and have a rule of their own.
        (Shape::Reference(types), Data::Scalar(text)) if !types.is_empty() => {
            found.push(Reference { target: Spanned::new(text.clone(), value.span), types });
        }
        (Shape::List(item), Data::Sequence(items)) => {
            items.iter().for_each(|node| from_value(node, item, found));
        }
        (Shape::Record(record), Data::Mapping(_)) => from_fields(value, record.fields, found),
        _ => {}
    }
}
