//! The keys of `snowform.yml` that are no attributes of a type: what protects an object, who may use it, what must not
//! exist any more.

use super::field::{Field, Record, Shape};
use super::shared::IDENTIFIER_PARTS;

/// The key of the entities.
pub const ENTITIES: &str = "entities";
/// The key of the objects that must not exist any more.
pub const REMOVED_KEY: &str = "removed";
/// The key that protects an object.
pub const PREVENT_DROP: &str = "prevent_drop";
/// The key of the grants.
pub const GRANTS: &str = "grants";
/// The key that makes the declared grants all that there shall be.
pub const GRANTS_EXACT: &str = "grants_exact";

/// The objects that must not exist any more.
pub static REMOVED: Field = Field::optional(
    REMOVED_KEY,
    Shape::List(&Shape::Either(&Shape::Text, &Shape::Record(&IDENTIFIER_PARTS))),
    "Image repositories that must not exist any more, by name. One that holds images is dropped only with \
     `--allow drops-images`.",
)
.like("my_db.my_schema.old_repo");

/// The keys of an entity, besides its type's attributes.
pub static ENTITY: [Field; 3] = [
    Field::optional(PREVENT_DROP, Shape::Flag, "Whether the object must be neither dropped nor replaced.")
        .like("true"),
    Field::optional(
        GRANTS,
        Shape::List(&Shape::Record(&GRANT)),
        "Who may do what with the object. Grants that are not declared are shown and kept.",
    ),
    Field::optional(
        GRANTS_EXACT,
        Shape::Flag,
        "Whether the declared grants are all that there shall be: others are revoked then.",
    )
    .or("false"),
];

const GRANT: Record = Record::of(&[
    Field::required(
        "privilege",
        Shape::Either(&Shape::Text, &Shape::List(&Shape::Text)),
        "The privilege, or a list of them: READ, WRITE, SERVICE READ, SERVICE WRITE, USAGE.",
    )
    .like("READ"),
    Field::optional("role", Shape::Text, "The role that gets it; either this or `database_role`.")
        .like("builder"),
    Field::optional("database_role", Shape::Text, "The role of a database that gets it, `database.role`.")
        .like("my_db.reader"),
]);
