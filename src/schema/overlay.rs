//! The schema of `snowform.yml`.

use super::DRAFT;
use super::shape::{Keys, Schema, field};
use crate::kind::field::Field;
use crate::kind::overlay as keys;
use crate::kind::{KINDS, Managed};
use serde_json::{Value, json};

/// The schema of `snowform.yml`: the attributes of every type that is deployed.
pub fn overlay() -> Value {
    let managed = KINDS.iter().filter_map(|kind| kind.managed);
    let attributes: Schema = managed
        .flat_map(Managed::entity_attributes)
        .map(|row| {
            (
                row.name.to_owned(),
                field(&Field::optional(row.name, row.shape, row.doc), Keys::Optional).into(),
            )
        })
        .chain(keys::ENTITY.iter().map(|row| (row.name.to_owned(), field(row, Keys::Optional).into())))
        .collect();
    let mut properties = Schema::new();
    properties.insert(
        keys::ENTITIES.to_owned(),
        json!({
            "description": "Attributes by the key that the entity has in snowflake.yml.",
            "type": "object",
            "errorMessage": "entities takes a mapping: the keys of entities in snowflake.yml",
            "additionalProperties": {
                "type": "object",
                "errorMessage": "an entity takes a mapping of attributes",
                "properties": attributes,
                "additionalProperties": false,
            },
        }),
    );
    properties.extend(keys::TOP.iter().map(|row| (row.name.to_owned(), field(row, Keys::Optional).into())));
    json!({
        "$schema": DRAFT,
        "title": "snowform overlay",
        "description": "What snowflake.yml cannot say, because snow rejects keys that it does not know.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}
