//! Compute pools of Snowpark Container Services
//! (snowflake-cli `_plugins/spcs/compute_pool/compute_pool_entity_model.py`).

use super::Kind;
use super::field::{Field, Shape};
use super::shared::{IDENTIFIER, META, TAGS};

/// The entity type.
pub static KIND: Kind = Kind {
    type_name: "compute-pool",
    doc: "A pool of virtual machines that services and jobs run on.",
    fields: &FIELDS,
    checks: &[],
    managed: None,
};

static FIELDS: [Field; 10] = [
    IDENTIFIER,
    META,
    Field::optional("min_nodes", Shape::Whole { least: 1 }, "The least number of nodes.").or("1"),
    Field::optional("max_nodes", Shape::Whole { least: 1 }, "The greatest number of nodes.").like("1"),
    Field::optional(
        "instance_family",
        Shape::Text,
        "The kind of machine, such as `CPU_X64_XS`; see `SHOW COMPUTE POOL INSTANCE FAMILIES`.",
    )
    .like("CPU_X64_XS"),
    Field::optional("auto_resume", Shape::Flag, "Whether it resumes when a service or job is started on it.")
        .or("true"),
    Field::optional("initially_suspended", Shape::Flag, "Whether it is created without starting it.")
        .or("false"),
    Field::optional(
        "auto_suspend_seconds",
        Shape::Whole { least: 1 },
        "Seconds without any service or job, after which it is suspended.",
    )
    .or("3600"),
    Field::optional("comment", Shape::Text, "A text for people; shown in listings."),
    TAGS,
];
