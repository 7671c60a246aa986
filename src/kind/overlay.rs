//! The keys of `snowform.yml` that are no attributes of a type: whose objects they are, where they go, who may use them,
//! what must not exist any more.

use super::field::{Field, Record, Shape};
use super::shared::IDENTIFIER_PARTS;

/// The key of the entities.
pub const ENTITIES: &str = "entities";
/// The key of the project's name.
pub const PROJECT: &str = "project";
/// The key of the targets.
pub const TARGETS: &str = "targets";
/// The key of the most objects that a plan may drop.
pub const MAX_DROPS: &str = "max_drops";
/// The key of the objects that must not exist any more.
pub const REMOVED: &str = "removed";
/// The key of the grants.
pub const GRANTS: &str = "grants";
/// The key that makes the declared grants all that there shall be.
pub const GRANTS_EXACT: &str = "grants_exact";
/// The key of what becomes of grants when the owner changes.
pub const OWNER_GRANTS: &str = "owner_grants";
/// The key of the governance tags.
pub const TAGS: &str = "tags";
/// The key of the hazards that are allowed.
pub const ALLOW: &str = "allow";
/// The key of the images that must be there.
pub const REQUIRE_IMAGES: &str = "require_images";

/// The keys of the file, besides the entities.
pub static TOP: [Field; 4] = [
    Field::optional(
        PROJECT,
        Shape::Text,
        "The project's name. Every object gets it as a mark at the end of its comment; `--prune` drops objects that \
         carry it and are not declared any more.",
    )
    .like("shop"),
    Field::optional(
        TARGETS,
        Shape::Map(&Shape::Record(&TARGET)),
        "Where the project can go, by name: `--target NAME`. Another account or role than the target's is refused.",
    ),
    Field::optional(
        MAX_DROPS,
        Shape::Text,
        "How many objects one plan may drop or replace: a number, or a share of those that are there, such as `10%`. \
         A plan that would lose more is not carried out.",
    )
    .like("3"),
    Field::optional(
        REMOVED,
        Shape::List(&Shape::Either(&Shape::Text, &Shape::Record(&IDENTIFIER_PARTS))),
        "Image repositories that must not exist any more, by name. One that holds images is dropped only with \
         `--allow drops-images`.",
    )
    .like("my_db.my_schema.old_repo"),
];

/// The keys of a target.
pub const TARGET: Record = Record::of(&[
    Field::required("account", Shape::Text, "The account identifier; any other account is refused.")
        .like("MYORG-MYACCOUNT"),
    Field::optional("role", Shape::Text, "The role to act as; any other is refused.").like("deployer"),
    Field::optional("connection", Shape::Text, "The connection to use, where no option names one.")
        .like("prod"),
    Field::optional("database", Shape::Text, "The database that completes names.").like("my_db"),
    Field::optional("schema", Shape::Text, "The schema that completes names.").like("public"),
    Field::optional(
        "env",
        Shape::Map(&Shape::Text),
        "Variables for templates: weaker than `--env`, stronger than the environment. No templates here.",
    ),
]);

/// The keys of an entity, besides its type's attributes.
pub static ENTITY: [Field; 6] = [
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
    Field::optional(
        OWNER_GRANTS,
        Shape::Choice(&["copy", "revoke"]),
        "What becomes of the grants on the object when its owner changes: `copy` keeps them (and needs MANAGE GRANTS, \
         or a role that has the new owner's), `revoke` takes all of them away.",
    ),
    Field::optional(
        TAGS,
        Shape::Map(&Shape::Text),
        "Governance tags and their values. The tags must exist; others that are set on the object are left alone.",
    )
    .like("my_db.my_schema.cost_center: shop"),
    Field::optional(
        ALLOW,
        Shape::List(&Shape::Choice(&HAZARDS)),
        "Hazards that are allowed for this object, as `--allow` allows them for a whole plan.",
    )
    .like("widens-access"),
    Field::optional(
        REQUIRE_IMAGES,
        Shape::List(&Shape::Text),
        "Images that must be in the repository: `name:tag` or `name@sha256:…`. Where one is missing, nothing is \
         deployed.",
    )
    .like("app:1.2"),
];

/// The names of the hazards; a test of `object::statement` holds them against its list.
const HAZARDS: [&str; 5] =
    ["drops-images", "replaces-object", "widens-access", "not-reversible", "takes-over"];

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

/// A key of the file by its name.
pub fn top(name: &str) -> Option<&'static Field> {
    TOP.iter().find(|field| field.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::statement::HazardKind;

    #[test]
    fn every_hazard_can_be_allowed() {
        assert_eq!(HazardKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>(), HAZARDS);
    }
}
