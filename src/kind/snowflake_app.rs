//! Apps of the Snowflake App Runtime (snowflake-cli `_plugins/apps/snowflake_app_entity_model.py`).
//!
//! In several keys the loader takes the word `null` for nothing; an empty value is the empty text, as everywhere.

use super::Kind;
use super::check::{Finding, Value};
use super::field::{Field, Record, Shape};
use super::form::{NAME, QUALIFIED_NAME};
use super::shared::{ARTIFACTS, DEPLOY_ROOT, IDENTIFIER, META_FIELDS};

/// The entity type.
pub static KIND: Kind = Kind {
    type_name: "snowflake-app",
    doc: "A web app of the Snowflake App Runtime, built from the project's files and run as a service.",
    fields: &FIELDS,
    checks: &[one_code_storage],
    managed: None,
};

static FIELDS: [Field; 14] = [
    IDENTIFIER,
    Field::optional("meta", Shape::Record(&META), "How the app is deployed, and how it is shown."),
    ARTIFACTS,
    DEPLOY_ROOT,
    Field::optional("query_warehouse", Shape::Form(&NAME), "The warehouse that runs the app's queries.")
        .like("my_wh"),
    Field::optional("build_compute_pool", POOL, "The compute pool that builds the app."),
    Field::optional("service_compute_pool", POOL, "The compute pool that runs the app."),
    Field::optional(
        "build_eai",
        INTEGRATION,
        "The external access integration for building, to fetch packages.",
    )
    .like("my_integration"),
    Field::optional("service_eai", INTEGRATION, "The external access integration of the running app.")
        .like("my_integration"),
    Field::optional(
        "artifact_repository",
        Shape::Record(&ARTIFACT_REPOSITORY),
        "The artifact repository that holds what is built.",
    ),
    Field::optional(
        "code_stage",
        Shape::OrNull(&Shape::Either(&Shape::Form(&QUALIFIED_NAME), &Shape::Record(&CODE_STAGE))),
        "The stage that takes the code; either this or `code_workspace`.",
    )
    .like("my_stage"),
    Field::optional(
        "code_workspace",
        Shape::OrNull(&Shape::Either(&Shape::Form(&QUALIFIED_NAME), &Shape::Record(&CODE_WORKSPACE))),
        "The workspace that takes the code; either this or `code_stage`.",
    )
    .like("my_workspace"),
    Field::optional(
        "runtime_image",
        Shape::Text,
        "The image that builds and runs the app, where not the default one.",
    )
    .or(""),
    Field::optional("spcs_test_project_type", Shape::Text, "The project's type for test builds."),
];

const META: Record = Record::of(&META_ROWS);

const META_ROWS: [Field; 9] = {
    let [a, b, c, d, e, f] = META_FIELDS;
    let title = Field::optional("title", Shape::Text, "The app's title, for people.").like("My app");
    let description = Field::optional("description", Shape::Text, "What the app is for.");
    let icon = Field::optional("icon", Shape::Text, "The app's icon.");
    [a, b, c, d, e, f, title, description, icon]
};

const POOL: Shape = Shape::OrNull(&Shape::Record(&COMPUTE_POOL));

const COMPUTE_POOL: Record = Record::of(&[
    Field::optional("name", Shape::Form(&NAME), "The pool's name.").like("my_pool"),
    Field::optional("schema", Shape::Form(&NAME), "Accepted, and without effect: pools stand in no schema."),
    Field::optional(
        "database",
        Shape::Form(&NAME),
        "Accepted, and without effect: pools stand in no database.",
    ),
]);

const INTEGRATION: Shape =
    Shape::OrNull(&Shape::Either(&Shape::Form(&NAME), &Shape::Record(&EXTERNAL_ACCESS)));

const EXTERNAL_ACCESS: Record =
    Record::of(&[
        Field::optional("name", Shape::Form(&NAME), "The integration's name.").like("my_integration")
    ]);

const ARTIFACT_REPOSITORY: Record = Record::of(&[
    Field::required("name", Shape::Form(&NAME), "The repository's name.").like("my_repository"),
    Field::optional("schema", Shape::Form(&NAME), "The schema that holds the repository.").like("core"),
    Field::optional("database", Shape::Form(&NAME), "The database that holds the schema.").like("my_db"),
]);

const CODE_STAGE: Record = Record::of(&[
    Field::required("name", Shape::Form(&NAME), "The stage's name.").like("my_stage"),
    Field::optional("schema", Shape::Form(&NAME), "The schema that holds the stage.").like("core"),
    Field::optional("database", Shape::Form(&NAME), "The database that holds the schema.").like("my_db"),
    Field::optional("encryption_type", Shape::Text, "How the stage encrypts.").or("SNOWFLAKE_SSE"),
]);

const CODE_WORKSPACE: Record = Record::of(&[
    Field::required("name", Shape::Form(&NAME), "The workspace's name.").like("my_workspace"),
    Field::optional("schema", Shape::Form(&NAME), "The schema that holds the workspace.").like("core"),
    Field::optional("database", Shape::Form(&NAME), "The database that holds the schema.").like("my_db"),
]);

/// `_validate_single_code_storage`.
fn one_code_storage(app: &dyn Value) -> Option<Finding> {
    let given = |key| app.get(key).is_some_and(|value| value.text() != Some("null"));
    (given("code_stage") && given("code_workspace")).then(|| {
        Finding::at(
            "code_workspace",
            "`code_stage` and `code_workspace` are both given",
            "keep the one that takes the code",
        )
    })
}
