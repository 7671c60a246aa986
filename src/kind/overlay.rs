//! The keys of `snowform.yml` that do not depend on the entity's type; attributes stand in the types' own files.

use super::field::{Field, Record, Shape};
use super::shared::IDENTIFIER_PARTS;

/// Objects that must not exist any more.
pub const REMOVED: Field = Field::optional(
    "removed",
    Shape::List(&Shape::Either(&Shape::Text, &Shape::Record(&IDENTIFIER_PARTS))),
    "Image repositories that must not exist any more, by name; a deploy drops them.",
)
.like("my_db.my_schema.old_repo");

/// Whether an object is protected.
pub const PREVENT_DROP: Field = Field::optional(
    "prevent_drop",
    Shape::Flag,
    "Whether plans that would drop or replace the object are refused.",
)
.or("false");

/// Who may do what with an object.
pub const GRANTS: Field = Field::optional(
    "grants",
    Shape::List(&Shape::Record(&GRANT)),
    "Privileges on the object; those that are missing are granted.",
);

/// Whether nobody else may.
pub const GRANTS_EXACT: Field = Field::optional(
    "grants_exact",
    Shape::Flag,
    "Whether privileges that `grants` does not name are revoked; else they are shown and kept.",
)
.or("false");

/// The keys of an entity that are no attributes.
pub const BESIDE_ATTRIBUTES: [Field; 3] = [PREVENT_DROP, GRANTS, GRANTS_EXACT];

const GRANT: Record = Record::of(&[
    Field::required(
        "privilege",
        Shape::Either(&Shape::Text, &Shape::List(&Shape::Text)),
        "The privilege, or several.",
    )
    .like("READ"),
    Field::optional("role", Shape::Text, "The role that gets it; either this or `database_role`.")
        .like("analyst"),
    Field::optional("database_role", Shape::Text, "The role of a database that gets it: `database.role`."),
]);
