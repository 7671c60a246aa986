//! Native apps, installed from an application package
//! (snowflake-cli `_plugins/nativeapp/entities/application.py`).

use super::Kind;
use super::check::{Finding, Value, has};
use super::field::{Field, Record, Shape, flag};
use super::form::NOT_EMPTY;
use super::shared::{IDENTIFIER, META};

/// The entity type.
pub static KIND: Kind = Kind {
    type_name: "application",
    doc: "A Snowflake Native App, installed in the account from an application package of this project.",
    fields: &FIELDS,
    checks: &[],
    managed: None,
};

static FIELDS: [Field; 5] = [
    IDENTIFIER,
    META,
    Field::required(
        "from",
        Shape::Record(&TARGET),
        "The application package that the app is installed from.",
    ),
    Field::optional("debug", Shape::Flag, "Whether the app runs in debug mode."),
    Field::optional("telemetry", Shape::Record(&TELEMETRY), "What the app shares with its provider."),
];

const TARGET: Record = Record::of(&[Field::required(
    "target",
    Shape::Reference(&["application package"]),
    "The key of an entity of type `application package`.",
)
.like("my_package")]);

const TELEMETRY: Record = Record {
    fields: &[
        Field::optional(
            "share_mandatory_events",
            Shape::Flag,
            "Whether usage data may be shared with the provider; mandatory events are shared then.",
        ),
        Field::optional(
            "optional_shared_events",
            Shape::List(&Shape::Form(&NOT_EMPTY)),
            "Further events that are shared with the provider.",
        )
        .like("DEBUG_LOGS"),
    ],
    checks: &[optional_events_need_mandatory],
};

/// `models/event_sharing_telemetry.py`, `validate_telemetry_event_sharing`.
fn optional_events_need_mandatory(telemetry: &dyn Value) -> Option<Finding> {
    let off = match telemetry.get("share_mandatory_events") {
        None => true,
        Some(shared) => shared.text().and_then(flag) == Some(false),
    };
    (off && has(telemetry, "optional_shared_events")).then(|| {
        Finding::at(
            "optional_shared_events",
            "optional events are shared, and mandatory ones are not",
            "set `share_mandatory_events: true`, or remove `optional_shared_events`",
        )
    })
}
