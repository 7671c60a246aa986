//! Services of Snowpark Container Services (snowflake-cli `_plugins/spcs/services/service_entity_model.py`).

use super::Kind;
use super::field::{Field, Shape};
use super::shared::{ARTIFACTS, DEPLOY_ROOT, EXTERNAL_ACCESS, IDENTIFIER, META, SECRETS, TAGS};
use crate::object::name::{Ident, ObjectName};
use crate::object::rows::Row;
use crate::object::statement::Sql;

/// The entity type.
pub static KIND: Kind = Kind {
    type_name: "service",
    doc: "A container that runs in a compute pool until it is stopped.",
    fields: &FIELDS,
    checks: &[],
    managed: None,
};

/// Lists every service that the role may see.
pub fn list() -> Sql {
    Sql::new("SHOW SERVICES IN ACCOUNT")
}

/// The name of a row of that list.
pub fn read(row: &Row<'_>) -> Option<ObjectName> {
    let part = |column| row.get(column).map(Ident::exact);
    Some(ObjectName::new(part("database_name")?, part("schema_name")?, part("name")?))
}

/// Describes a service; the owner's role alone is shown its specification
/// (docs.snowflake.com `sql-reference/sql/desc-service`).
pub fn describe(name: &ObjectName) -> Sql {
    Sql::new("DESCRIBE SERVICE").name(name)
}

/// Whether a specification names an image of a repository. Images are named by path, with or without the registry's
/// host before it (docs.snowflake.com `developer-guide/snowpark-container-services/specification-reference`).
pub fn runs_images_of(specification: &str, repository: &ObjectName) -> bool {
    let path = repository.parts().map(|part| part.as_str().to_lowercase());
    let path = format!("/{}/", path.join("/"));
    specification.to_lowercase().replace("%24", "$").contains(&path)
}

// `stage`, `compute_pool` and `spec_file` are optional for the loader, and deploying fails without them.
static FIELDS: [Field; 16] = [
    IDENTIFIER,
    META,
    ARTIFACTS,
    DEPLOY_ROOT,
    Field::optional("stage", Shape::Text, "The stage that holds the service's specification.")
        .like("my_stage"),
    Field::optional("compute_pool", Shape::Text, "The compute pool that the service runs in.")
        .like("my_pool"),
    Field::optional(
        "spec_file",
        Shape::Text,
        "The service's specification, a YAML file among the artifacts.",
    )
    .like("spec.yml"),
    Field::optional("min_instances", Shape::Whole { least: 1 }, "The least number of instances.").or("1"),
    Field::optional("max_instances", Shape::Whole { least: 1 }, "The greatest number of instances.")
        .like("1"),
    Field::optional("auto_resume", Shape::Flag, "Whether it resumes when it is called.").or("true"),
    Field::optional(
        "auto_suspend_secs",
        Shape::Whole { least: 0 },
        "Seconds without a call, after which it is suspended; 0 for never.",
    )
    .like("3600"),
    Field::optional(
        "query_warehouse",
        Shape::Text,
        "The warehouse for queries of the containers that name none.",
    )
    .like("my_wh"),
    EXTERNAL_ACCESS,
    SECRETS,
    TAGS,
    Field::optional("comment", Shape::Text, "A text for people; shown in listings."),
];
