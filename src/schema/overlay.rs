//! The schema of `snowform.yml`.

use super::DRAFT;
use super::shape::{Keys, Schema, described, field, object, value};
use crate::kind::overlay::{BESIDE_ATTRIBUTES, REMOVED};
use crate::kind::{Attribute, KINDS};
use serde_json::{Value, json};

/// The schema of `snowform.yml`: the attributes of every type that is deployed, and what is the same for all of them.
pub fn overlay() -> Value {
    let managed = KINDS.iter().filter_map(|kind| kind.managed);
    let attributes = managed.flat_map(|managed| managed.attributes);
    let mut rows: Schema =
        attributes.map(|attribute| (attribute.name.to_owned(), of_attribute(attribute).into())).collect();
    rows.extend(BESIDE_ATTRIBUTES.iter().map(|row| (row.name.to_owned(), field(row, Keys::Required).into())));
    json!({
        "$schema": DRAFT,
        "title": "snowform overlay",
        "description": "What snowflake.yml cannot say, because snow rejects keys that it does not know.",
        "type": "object",
        "properties": {
            "entities": {
                "description": "Attributes by the key that the entity has in snowflake.yml.",
                "type": "object",
                "errorMessage": "entities takes a mapping: the keys of entities in snowflake.yml",
                "additionalProperties": {
                    "type": "object",
                    "errorMessage": "an entity takes a mapping of attributes",
                    "properties": rows,
                    "additionalProperties": false,
                },
            },
            REMOVED.name: field(&REMOVED, Keys::Required),
        },
        "additionalProperties": false,
    })
}

fn of_attribute(attribute: &Attribute) -> Schema {
    let mut out = described(attribute.doc, attribute.doc);
    out.extend(value(&attribute.shape, attribute.name, Keys::Required, None));
    if let Some(default) = attribute.default.filter(|default| !default.is_empty()) {
        out.extend(object(json!({"default": default})));
    }
    out
}
