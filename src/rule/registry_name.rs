//! A repository that no OCI client can push to. The path of an image is the name in lower case, and the distribution
//! specification allows a component `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` only.

use crate::definition::Project;
use crate::desired::NameDefaults;
use crate::object::name::Ident;
use crate::source::diagnostic::{Diagnostic, Diagnostics, Rule, Severity};

/// A name that cannot stand in an image's path.
pub static REGISTRY_NAME: Rule = Rule {
    code: "registry-name",
    severity: Severity::Warning,
    summary: "no container client can push to a repository of this name",
    why: "The path of an image is the repository's name in lower case, and container clients accept only letters and digits there, with single or double underscores between them.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: _repo\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: repo\n",
};

pub(super) fn check(project: &Project, _: &NameDefaults, found: &mut Diagnostics) {
    for (name, part) in super::image_repository_names(project).filter(|(_, part)| part.is_plain()) {
        if let Some(why) = refused(part) {
            let message = format!("docker and other clients cannot push to {part}: it {why}");
            found.push(
                Diagnostic::new(&REGISTRY_NAME, message, name.span, "cannot be part of an image's path")
                    .help("use letters and digits, with single or double underscores between them"),
            );
        }
    }
}

fn refused(part: &Ident) -> Option<&'static str> {
    let text = part.as_str();
    if text.contains('$') {
        Some("holds `$`")
    } else if text.starts_with('_') {
        Some("starts with `_`")
    } else if text.ends_with('_') {
        Some("ends with `_`")
    } else if text.contains("___") {
        Some("holds three underscores in a row")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_distribution_specification_allows_passes() {
        for (text, fine) in [
            ("A", true),
            ("A_B", true),
            ("A__B", true),
            ("A___B", false),
            ("_A", false),
            ("A_", false),
            ("A$B", false),
        ] {
            assert_eq!(refused(&Ident::exact(text)).is_none(), fine, "{text}");
        }
    }
}
