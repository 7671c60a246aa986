//! Keys that several entity types have (snowflake-cli `schemas/entities/common.py`).

use super::check::{Finding, Value};
use super::field::{Field, Record, Shape};
use super::form::{NAME, NO_BACKSLASH, PRIVILEGE, SCRIPT_PATH, TAG_NAME};

/// The keys of an identifier that is a mapping (`Identifier`).
pub const IDENTIFIER_PARTS: Record = Record::of(&[
    Field::required("name", Shape::Text, "The object's name.").like("my_object"),
    Field::optional("schema", Shape::Text, "The schema that holds the object; else the connection's.")
        .like("core"),
    Field::optional(
        "database",
        Shape::Text,
        "The database that holds the schema; the schema is `PUBLIC` then, unless one is given.",
    )
    .like("my_db"),
]);

/// The object's name (`EntityModelBase`).
pub const IDENTIFIER: Field = Field::optional(
    "identifier",
    Shape::Either(&Shape::Text, &Shape::Record(&IDENTIFIER_PARTS)),
    "The object's name: `name`, `schema.name`, `database.schema.name`, or a mapping. Without it the entity's key is \
     the name.",
)
.like("my_db.core.my_object");

/// What every `meta` may hold (`MetaField`).
pub const META_FIELDS: [Field; 6] = [
    Field::optional("warehouse", Shape::Form(&NAME), "The warehouse that scripts run on.").like("my_wh"),
    Field::optional("role", Shape::Form(&NAME), "The role that the entity's statements run under.")
        .like("deployer"),
    Field::optional(
        "post_deploy",
        Shape::List(&Shape::Record(&SCRIPT)),
        "Scripts that snow runs after it has deployed a native app or its package.",
    ),
    Field::optional(
        "use_mixins",
        Shape::Either(&Shape::Text, &Shape::List(&Shape::Text)),
        "The mixins that fill this entity's keys, later ones on top; defined under `mixins`.",
    )
    .like("my_mixin"),
    Field::optional(
        "depends_on",
        Shape::List(&Shape::Reference(&[])),
        "Entities that are deployed before this one.",
    )
    .like("other_entity"),
    Field::optional(
        "action_arguments",
        Shape::Map(&Shape::Map(&Shape::Text)),
        "Arguments by action, for when this entity is deployed as a dependency of another.",
    ),
];

const SCRIPT: Record = Record::of(&[Field::required(
    "sql_script",
    Shape::Form(&SCRIPT_PATH),
    "A script below the project's root.",
)
.like("scripts/after.sql")]);

const META_RECORD: Record = Record::of(&META_FIELDS);

/// How the entity is deployed.
pub const META: Field =
    Field::optional("meta", Shape::Record(&META_RECORD), "How the entity is deployed, not what it is.");

/// The shape of `artifacts` (`Artifacts`).
pub const ARTIFACTS_SHAPE: Shape = Shape::List(&Shape::Either(&Shape::Text, &Shape::Record(&PATH_MAPPING)));

/// What `artifacts` says.
pub const ARTIFACTS_DOC: &str = "The files that belong to the entity: paths or patterns below the project, or mappings with `src` and `dest`.";

/// The entity's files, where there must be some (`EntityModelBaseWithArtifacts`).
pub const ARTIFACTS: Field = Field::required("artifacts", ARTIFACTS_SHAPE, ARTIFACTS_DOC).like("app/");

/// Where the files are put together (`EntityModelBaseWithArtifacts`).
pub const DEPLOY_ROOT: Field = Field::optional(
    "deploy_root",
    Shape::Text,
    "The folder of the project in which snow puts the artifacts together before it uploads them.",
)
.or("output/deploy/");

const PATH_MAPPING: Record = Record::of(&[
    Field::optional("src", Shape::Text, "A path or pattern, relative to the project's root.").like("app/*"),
    Field::optional(
        "dest",
        Shape::Text,
        "Where it goes on the stage; with a `/` at its end it is a folder that takes the files.",
    )
    .like("./"),
    Field::optional(
        "processors",
        Shape::List(&Shape::Either(&Shape::Text, &Shape::Record(&PROCESSOR))),
        "Processors that snow runs on these files: `snowpark`, `templates` or `native app setup`.",
    )
    .like("templates"),
    Field::optional(
        "ignore",
        Shape::List(&Shape::Text),
        "Patterns of file and folder names that are left out at any depth, such as `node_modules`.",
    )
    .like("node_modules"),
]);

const PROCESSOR: Record = Record::of(&[
    Field::required("name", Shape::Text, "The processor's name.").like("templates"),
    Field::optional("properties", Shape::Map(&Shape::Any), "What the processor is told."),
]);

/// Files on stages that a handler imports (`ImportsBaseModel`).
pub const IMPORTS: Field = Field::optional(
    "imports",
    Shape::List(&Shape::Form(&NO_BACKSLASH)),
    "Files that were uploaded before and are imported: stage and path.",
)
.like("@my_stage/lib.zip");

/// The way to other networks (`ExternalAccessBaseModel`).
pub const EXTERNAL_ACCESS: Field = Field::optional(
    "external_access_integrations",
    Shape::List(&Shape::Form(&NO_BACKSLASH)),
    "The external access integrations through which it reaches other networks.",
)
.like("my_integration");

/// Secrets by the names that code uses (`ExternalAccessBaseModel`).
pub const SECRETS: Field = Field::optional(
    "secrets",
    Shape::MapOf(&NO_BACKSLASH, &Shape::Form(&NO_BACKSLASH)),
    "The secrets that code may read, each under a name of its own: `variable: secret`.",
);

/// Tags of the object (`_plugins/object/common.py`, `Tag`).
pub const TAGS: Field =
    Field::optional("tags", Shape::List(&Shape::Record(&TAG)), "Tags that are set on the object.");

const TAG: Record = Record::of(&[
    Field::required("name", Shape::Form(&TAG_NAME), "The tag's name, without schema and database.")
        .like("cost_center"),
    Field::required("value", Shape::Text, "The tag's value.").like("engineering"),
]);

/// Privileges on the object (`GrantBaseModel`).
pub const GRANTS: Field = Field::optional(
    "grants",
    Shape::List(&Shape::Record(&GRANT)),
    "Privileges that are granted on the object.",
);

const GRANT: Record = Record {
    fields: &[
        Field::required("privilege", Shape::Form(&PRIVILEGE), "The privilege, such as `USAGE`.")
            .like("USAGE"),
        Field::optional(
            "with_grant_option",
            Shape::Flag,
            "Whether the grantee may grant the privilege onward.",
        )
        .or("false"),
        Field::optional("role", Shape::Text, "The role that gets the privilege; either this or `user`.")
            .like("analyst"),
        Field::optional("user", Shape::Text, "The user who gets the privilege; either this or `role`."),
    ],
    checks: &[one_grantee],
};

/// `Grant.validate_grantee`: a name of nothing but spaces is none.
fn one_grantee(grant: &dyn Value) -> Option<Finding> {
    let named = |key| grant.get(key).and_then(Value::text).is_some_and(|name| !name.trim().is_empty());
    match (named("role"), named("user")) {
        (true, false) | (false, true) => None,
        (true, true) => Some(Finding::at(
            "user",
            "a grant names a role and a user",
            "keep one of the two; write a second grant for the other",
        )),
        (false, false) => Some(Finding::at(
            "privilege",
            "a grant names neither a role nor a user",
            "add `role:` or `user:` with the name of who gets the privilege",
        )),
    }
}
