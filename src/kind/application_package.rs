//! Application packages, from which native apps are installed
//! (snowflake-cli `_plugins/nativeapp/entities/application_package.py`).

use super::Kind;
use super::check::{Finding, Value, Weight, has};
use super::field::{Field, Record, Shape};
use super::form::{NAME, SCHEMA_AND_STAGE};
use super::shared::{ARTIFACTS, DEPLOY_ROOT, IDENTIFIER, META};

/// The entity type.
pub static KIND: Kind = Kind {
    type_name: "application package",
    doc: "The package that a Snowflake Native App is installed from: its manifest, setup script and files.",
    fields: &FIELDS,
    checks: &[children_need_a_flag],
    managed: None,
};

static FIELDS: [Field; 14] = [
    IDENTIFIER,
    META,
    ARTIFACTS,
    DEPLOY_ROOT,
    Field::optional("bundle_root", Shape::Text, "The folder of the project that the bundle step works in.")
        .or("output/bundle/"),
    Field::optional(
        "children_artifacts_dir",
        Shape::Text,
        "The folder below `deploy_root` for files of children.",
    )
    .or("_children/"),
    Field::optional(
        "generated_root",
        Shape::Text,
        "The folder below `deploy_root` for files that snow generates.",
    )
    .or("__generated/"),
    Field::optional(
        "stage",
        Shape::Form(&SCHEMA_AND_STAGE),
        "The stage in the package that holds its files: `schema.stage`.",
    )
    .or("app_src.stage"),
    Field::optional(
        "scratch_stage",
        Shape::Form(&NAME),
        "The stage that snow uses while it validates the setup script.",
    )
    .or("app_src.stage_snowflake_cli_scratch"),
    Field::optional(
        "distribution",
        Shape::Choice(&["internal", "external", "INTERNAL", "EXTERNAL"]),
        "Who the package is for: accounts of the same organization, or those of others as well.",
    )
    .or("internal"),
    Field::optional(
        "manifest",
        Shape::Text,
        "The path of `manifest.yml`; snow has not read it since version 3.2.",
    )
    .or(""),
    Field::optional("stage_subdirectory", Shape::Text, "The folder of the stage that the files go to.")
        .or(""),
    Field::optional(
        "children",
        Shape::List(&Shape::Record(&CHILD)),
        "Streamlit apps, functions and procedures of this project that become part of the package.",
    ),
    Field::optional("enable_release_channels", Shape::Flag, "Whether the package has release channels."),
];

const CHILD: Record = Record::of(&[
    Field::required(
        "target",
        Shape::Reference(&["streamlit", "function", "procedure"]),
        "The key of the entity that becomes part of the package.",
    )
    .like("my_streamlit"),
    Field::optional(
        "ensure_usable_by",
        Shape::Record(&USABLE_BY),
        "Who gets the privileges that using it takes, on it and on its schema.",
    ),
    Field::optional("identifier", Shape::Record(&CHILD_IDENTIFIER), "Where in the app it stands."),
]);

const USABLE_BY: Record = Record::of(&[Field::optional(
    "application_roles",
    Shape::Either(&Shape::Text, &Shape::List(&Shape::Text)),
    "One application role, or several.",
)
.like("app_public")]);

const CHILD_IDENTIFIER: Record =
    Record::of(
        &[Field::optional("schema", Shape::Text, "The schema of the app that holds it.").like("core")],
    );

/// `verify_children_behind_flag`.
fn children_need_a_flag(package: &dyn Value) -> Option<Finding> {
    has(package, "children").then(|| Finding {
        weight: Weight::NeedsFeatureFlag,
        ..Finding::at(
            "children",
            "snow reads `children` only with a feature flag",
            "set SNOWFLAKE_CLI_FEATURES_ENABLE_NATIVE_APP_CHILDREN=true for snow, or remove the key",
        )
    })
}
