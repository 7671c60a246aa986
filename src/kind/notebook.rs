//! Notebooks (snowflake-cli `_plugins/notebook/notebook_entity_model.py`).

use super::Kind;
use super::check::{Check, Finding, Value, has};
use super::field::{Field, Shape};
use super::form::NOTEBOOK_FILE;
use super::shared::{ARTIFACTS, DEPLOY_ROOT, IDENTIFIER, META};

/// The entity type.
pub static KIND: Kind = Kind {
    type_name: "notebook",
    doc: "A Snowflake notebook, from an `.ipynb` file of the project.",
    fields: &FIELDS,
    checks: CHECKS,
    managed: None,
};

static FIELDS: [Field; 10] = [
    IDENTIFIER,
    META,
    Field { example: Some("notebook.ipynb"), ..ARTIFACTS },
    DEPLOY_ROOT,
    Field::required(
        "notebook_file",
        Shape::Form(&NOTEBOOK_FILE),
        "The notebook, an `.ipynb` file of the project.",
    )
    .like("notebook.ipynb"),
    Field::required("query_warehouse", Shape::Text, "The warehouse that runs the notebook's queries.")
        .like("my_wh"),
    Field::optional("stage_path", Shape::Text, "The folder of a stage that holds the notebook's files.")
        .like("@my_stage/notebooks"),
    Field::optional(
        "compute_pool",
        Shape::Text,
        "The compute pool that runs the notebook in a container; together with `runtime_name`.",
    )
    .like("my_pool"),
    Field::optional(
        "runtime_name",
        Shape::Text,
        "The container runtime, such as `SYSTEM$BASIC_RUNTIME`; together with `compute_pool`.",
    )
    .like("SYSTEM$BASIC_RUNTIME"),
    Field::optional(
        "runtime_environment_version",
        Shape::Text,
        "The version of the warehouse runtime; not in a container.",
    )
    .like("WH-RUNTIME-2.0"),
];

/// `validate_container_setup`, condition by condition.
const CHECKS: &[Check] = &[pool_needs_a_runtime, runtime_needs_a_pool, no_warehouse_version_in_a_container];

fn pool_needs_a_runtime(notebook: &dyn Value) -> Option<Finding> {
    (has(notebook, "compute_pool") && !has(notebook, "runtime_name")).then(|| {
        Finding::at(
            "compute_pool",
            "`compute_pool` is given without `runtime_name`",
            "add `runtime_name: SYSTEM$BASIC_RUNTIME` or another container runtime, or remove `compute_pool`",
        )
    })
}

fn runtime_needs_a_pool(notebook: &dyn Value) -> Option<Finding> {
    (has(notebook, "runtime_name") && !has(notebook, "compute_pool")).then(|| {
        Finding::at(
            "runtime_name",
            "`runtime_name` is given without `compute_pool`",
            "add `compute_pool:` with the name of a pool, or remove `runtime_name`",
        )
    })
}

fn no_warehouse_version_in_a_container(notebook: &dyn Value) -> Option<Finding> {
    (has(notebook, "compute_pool") && has(notebook, "runtime_environment_version")).then(|| {
        Finding::at(
            "runtime_environment_version",
            "`runtime_environment_version` is for warehouses, and this notebook runs in a compute pool",
            "remove it, or remove `compute_pool` and `runtime_name`",
        )
    })
}
