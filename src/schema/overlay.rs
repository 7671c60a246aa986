//! The schema of `snowform.yml`.

use super::DRAFT;
use super::shape::{Keys, Schema, field};
use crate::kind::KINDS;
use crate::kind::field::{Field, Shape};
use serde_json::{Value, json};

/// The schema of `snowform.yml`: the attributes of every type that is deployed.
pub fn overlay() -> Value {
    let managed = KINDS.iter().filter_map(|kind| kind.managed);
    let attributes: Schema = managed
        .flat_map(|managed| managed.attributes)
        .map(|row| {
            (
                row.name.to_owned(),
                field(&Field::optional(row.name, Shape::Text, row.doc), Keys::Optional).into(),
            )
        })
        .collect();
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
                    "properties": attributes,
                    "additionalProperties": false,
                },
            },
        },
        "additionalProperties": false,
    })
}
