//! JSON Schemas, for editors and for readers of our own formats. Committed under `schema/`; a test keeps the files
//! current.
//!
//! Those of definitions are made from the kinds' table, in draft-07 as editors read it best: an `enum` of types and one
//! `if`/`then` for each, so that a mistake is said once and where it is. What snow takes for a text may be a number, a
//! truth value or nothing for YAML; templates may stand wherever snow renders them.

mod definition;
mod overlay;
mod shape;
mod snippet;

pub use definition::{definition, local};
pub use overlay::overlay;

use crate::view::json::PlanDocument;

/// The draft that editors support best, and that SchemaStore asks for.
const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The JSON that `plan`, `deploy` and `destroy` print.
pub fn plan() -> schemars::Schema {
    schemars::schema_for!(PlanDocument)
}
