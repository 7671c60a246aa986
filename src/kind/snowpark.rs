//! Functions and procedures of Snowpark: two types, one model
//! (snowflake-cli `_plugins/snowpark/snowpark_entity_model.py`).

use super::Kind;
use super::check::{Check, Finding, Step, Value, Weight, has};
use super::field::{Field, Record, Shape};
use super::shared::{ARTIFACTS, DEPLOY_ROOT, EXTERNAL_ACCESS, IDENTIFIER, IMPORTS, META, SECRETS};

/// The type of functions.
pub static FUNCTION: Kind = Kind {
    type_name: "function",
    doc: "A user-defined function, written in Python with Snowpark.",
    fields: &FUNCTION_FIELDS,
    checks: CHECKS,
    managed: None,
};

/// The type of procedures.
pub static PROCEDURE: Kind = Kind {
    type_name: "procedure",
    doc: "A stored procedure, written in Python with Snowpark.",
    fields: &PROCEDURE_FIELDS,
    checks: CHECKS,
    managed: None,
};

const CHECKS: &[Check] =
    &[packages_given_twice, packages_need_a_repository, artifacts_have_a_source, patterns_need_a_flag];

static FUNCTION_FIELDS: [Field; 16] = MODEL;

static PROCEDURE_FIELDS: [Field; 17] = {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = MODEL;
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, EXECUTE_AS_CALLER]
};

const EXECUTE_AS_CALLER: Field = Field::optional(
    "execute_as_caller",
    Shape::Flag,
    "Whether the procedure runs with the rights of the caller instead of the owner's.",
)
.or("false");

const MODEL: [Field; 16] = [
    IDENTIFIER,
    META,
    ARTIFACTS,
    DEPLOY_ROOT,
    Field::required("handler", Shape::Text, "What is called: `module.function`.").like("app.main"),
    Field::required("returns", Shape::Text, "The SQL type of the result.").like("string"),
    Field::required(
        "signature",
        Shape::Either(&Shape::Text, &Shape::List(&Shape::Record(&ARGUMENT))),
        "The arguments, each with `name`, `type` and perhaps `default`; an empty text for none.",
    ),
    Field::required("stage", Shape::Text, "The stage that holds the code.").like("dev_deployment"),
    Field::optional("runtime", Shape::Text, "The version of Python.").like("3.11"),
    Field::optional("artifact_repository", Shape::Text, "The artifact repository that packages come from.")
        .like("snowflake.snowpark.pypi_shared_repository"),
    Field::optional(
        "packages",
        Shape::List(&Shape::Text),
        "Packages that are installed from `artifact_repository`.",
    )
    .like("pandas"),
    Field::optional(
        "artifact_repository_packages",
        Shape::List(&Shape::Text),
        "Another name for `packages`; give one of the two.",
    )
    .like("pandas"),
    Field::optional(
        "resource_constraint",
        Shape::Map(&Shape::Any),
        "What the warehouse must offer, such as `architecture: x86`.",
    ),
    IMPORTS,
    EXTERNAL_ACCESS,
    SECRETS,
];

const ARGUMENT: Record = Record::of(&[
    Field::required("name", Shape::Text, "The argument's name.").like("name"),
    Field::required("type", Shape::Text, "The argument's SQL type.").like("string"),
    Field::optional("default", Shape::Text, "The value where the caller gives none."),
]);

/// `check_artifact_repository`, first half.
fn packages_given_twice(entity: &dyn Value) -> Option<Finding> {
    (has(entity, "packages") && has(entity, "artifact_repository_packages")).then(|| {
        Finding::at(
            "artifact_repository_packages",
            "`packages` and `artifact_repository_packages` are the same, and both are given",
            "keep `packages`",
        )
    })
}

/// `check_artifact_repository`, second half.
fn packages_need_a_repository(entity: &dyn Value) -> Option<Finding> {
    let key = ["packages", "artifact_repository_packages"].into_iter().find(|key| has(entity, key))?;
    (!has(entity, "artifact_repository")).then(|| {
        Finding::at(
            key,
            format!("`{key}` needs an `artifact_repository`"),
            "add `artifact_repository: snowflake.snowpark.pypi_shared_repository`, or another that you have",
        )
    })
}

/// `_convert_artifacts` asks every source for a pattern, also one that is not there.
fn artifacts_have_a_source(entity: &dyn Value) -> Option<Finding> {
    let artifacts = entity.get("artifacts")?.items();
    let at = artifacts.iter().position(|item| item.text().is_none() && item.get("src").is_none())?;
    Some(Finding {
        path: vec![Step::Key("artifacts"), Step::Item(at)],
        ..Finding::at("artifacts", "an artifact has no `src`", "add `src:` with a path of the project")
    })
}

/// `_convert_artifacts`: Python's `glob.has_magic`, behind a flag.
fn patterns_need_a_flag(entity: &dyn Value) -> Option<Finding> {
    let artifacts = entity.get("artifacts")?.items();
    let source = |item: &dyn Value| item.text().or_else(|| item.get("src")?.text()).map(ToOwned::to_owned);
    let at = artifacts
        .iter()
        .position(|item| source(*item).is_some_and(|source| source.contains(['*', '?', '['])))?;
    Some(Finding {
        weight: Weight::NeedsFeatureFlag,
        path: vec![Step::Key("artifacts"), Step::Item(at), Step::Key("src")],
        ..Finding::at(
            "artifacts",
            "snow reads patterns in artifacts of functions and procedures only with a feature flag",
            "name files or folders, or set SNOWFLAKE_CLI_FEATURES_ENABLE_SNOWPARK_GLOB_SUPPORT=true for snow",
        )
    })
}
