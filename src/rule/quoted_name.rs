//! Image repositories, their schemas and databases have no names that need quotes. Definitions may say such a name,
//! accounts refuse it ("db, schema and repo names for an image repo must be unquoted identifiers").

use crate::definition::Project;
use crate::desired::NameDefaults;
use crate::source::diagnostic::{Diagnostic, Diagnostics, Rule, Severity};

/// A name that only quotes make possible.
pub static QUOTED_NAME: Rule = Rule {
    code: "quoted-name",
    severity: Severity::Warning,
    summary: "an image repository cannot have a name that needs quotes",
    why: "A definition may say such a name, and snow loads it; the account refuses it: image repositories, their schemas and databases have unquoted names only.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: '\"My Repo\"'\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: my_repo\n",
};

pub(super) fn check(project: &Project, _: &NameDefaults, found: &mut Diagnostics) {
    for (name, part) in super::image_repository_names(project).filter(|(_, part)| !part.is_plain()) {
        let message = format!("Snowflake will refuse {part}: image repositories have unquoted names only");
        found.push(Diagnostic::new(&QUOTED_NAME, message, name.span, "needs quotes").help(
            "use letters, digits, `_` and `$`, without quotes; the same holds for its schema and its database",
        ));
    }
}
