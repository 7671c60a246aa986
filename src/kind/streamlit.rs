//! Streamlit apps (snowflake-cli `_plugins/streamlit/streamlit_entity_model.py`).

use super::Kind;
use super::field::{Field, Shape};
use super::form::{POOL, STREAMLIT_RUNTIME};
use super::shared::{
    ARTIFACTS_DOC, ARTIFACTS_SHAPE, DEPLOY_ROOT, EXTERNAL_ACCESS, GRANTS, IDENTIFIER, IMPORTS, META, SECRETS,
    TAGS,
};

/// The entity type.
pub static KIND: Kind = Kind {
    type_name: "streamlit",
    doc: "A Streamlit app: a page written in Python that runs in the account.",
    fields: &FIELDS,
    // A runtime and a compute pool may each stand alone (`validate_spcs_runtime_fields`).
    checks: &[],
    managed: None,
};

static FIELDS: [Field; 17] = [
    IDENTIFIER,
    META,
    Field::optional("artifacts", ARTIFACTS_SHAPE, ARTIFACTS_DOC).like("streamlit_app.py"),
    DEPLOY_ROOT,
    Field::optional("title", Shape::Text, "The app's title, for people.").like("My dashboard"),
    Field::optional("comment", Shape::Text, "A text for people; shown in listings."),
    Field::optional("query_warehouse", Shape::Text, "The warehouse that runs the app's queries.").like("my_wh"),
    Field::optional("main_file", Shape::Text, "The file that the app starts with.").or("streamlit_app.py"),
    Field::optional("pages_dir", Shape::Text, "The folder of the app's further pages.").like("pages"),
    Field::optional("stage", Shape::Text, "The stage that holds the app's files.").or("streamlit"),
    Field::optional(
        "runtime_name",
        Shape::Form(&STREAMLIT_RUNTIME),
        "Where the app runs: `SYSTEM$WAREHOUSE_RUNTIME`, or in a container with `SYSTEM$ST_CONTAINER_RUNTIME_PY3_11`.",
    )
    .beside("compute_pool", "SYSTEM$ST_CONTAINER_RUNTIME_PY3_11")
    .like("SYSTEM$WAREHOUSE_RUNTIME"),
    Field::optional("compute_pool", Shape::Form(&POOL), "The compute pool that runs the app's container.").like("my_pool"),
    IMPORTS,
    EXTERNAL_ACCESS,
    SECRETS,
    GRANTS,
    TAGS,
];
