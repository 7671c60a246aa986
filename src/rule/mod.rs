//! What is checked beyond the shape of the text: one file per rule, with its code, severity and check.

pub mod dependency;
pub mod duplicate_object;
pub mod duplicate_tag;
pub mod quoted_name;
pub mod registry_name;
pub mod removed;
pub mod suspicious_name;
pub mod target;

use crate::definition::{self, Project, WrittenName};
use crate::desired::{self, NameDefaults};
use crate::object::name::Ident;
use crate::object::state::ObjectType;
use crate::source::diagnostic::{Diagnostics, Rule};
use crate::source::yaml;

/// A check of a whole project. The defaults are empty where no connection is known.
type Check = fn(&Project, &NameDefaults, &mut Diagnostics);

const CHECKS: &[Check] = &[
    dependency::check,
    target::check,
    duplicate_object::check,
    duplicate_tag::check,
    quoted_name::check,
    registry_name::check,
    suspicious_name::check,
    removed::check,
];

/// Every written part of the names of image repositories: database, schema and name.
fn image_repository_names(project: &Project) -> impl Iterator<Item = (&WrittenName, &Ident)> {
    let repositories = project.entities.iter().filter(|entity| {
        entity.kind.managed.is_some_and(|managed| managed.object_type == ObjectType::ImageRepository)
    });
    repositories.filter_map(|entity| entity.name.as_ref()).flat_map(|name| {
        let parts = [name.database.as_ref(), name.schema.as_ref(), Some(&name.name)];
        parts.into_iter().flatten().map(move |part| (name, part))
    })
}

/// Runs every check.
pub fn check(project: &Project, defaults: &NameDefaults, found: &mut Diagnostics) {
    for check in CHECKS {
        check(project, defaults, found);
    }
}

/// Every rule there is, in the order of their codes.
pub fn all() -> Vec<&'static Rule> {
    let mut rules: Vec<&'static Rule> = vec![
        &yaml::YAML_SYNTAX,
        &yaml::TAB,
        &yaml::DUPLICATE_KEY,
        &yaml::MULTIPLE_DOCUMENTS,
        &desired::INCOMPLETE_NAME,
        &dependency::UNKNOWN_DEPENDENCY,
        &dependency::DEPENDENCY_CYCLE,
        &target::UNKNOWN_TARGET,
        &target::WRONG_TARGET,
        &duplicate_object::DUPLICATE_OBJECT,
        &duplicate_tag::DUPLICATE_TAG,
        &quoted_name::QUOTED_NAME,
        &registry_name::REGISTRY_NAME,
        &suspicious_name::SUSPICIOUS_NAME,
        &removed::REMOVED_AND_DECLARED,
    ];
    rules.extend(definition::RULES);
    rules.extend(definition::template::RULES);
    rules.sort_by_key(|rule| rule.code);
    rules
}

/// A rule by its code.
pub fn by_code(code: &str) -> Option<&'static Rule> {
    all().into_iter().find(|rule| rule.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_summaries_are_one_sentence() {
        let rules = all();
        assert!(rules.windows(2).all(|pair| pair[0].code != pair[1].code));
        for rule in rules {
            assert!(
                !rule.summary.ends_with('.')
                    && rule.summary.starts_with(|c: char| c.is_lowercase() || c == '`'),
                "{}",
                rule.code
            );
        }
    }
}
