//! JSON Schemas of the formats that machines read. Committed under `schema/`; a test keeps the files current.

use crate::view::json::PlanDocument;

/// The JSON that `plan`, `deploy` and `destroy` print.
pub fn plan() -> schemars::Schema {
    schemars::schema_for!(PlanDocument)
}
