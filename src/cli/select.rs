//! Which entities a command is about: keys, and patterns with `*` and `?`.

use super::error::{CommandError, Exit};
use crate::definition::Project;
use crate::desired::Desired;
use crate::source::diagnostic::did_you_mean;

/// The keys that are meant; nothing where all are. A key or a pattern that meets no entity is a mistake.
pub(super) fn keys(asked: &[String], project: &Project) -> Result<Option<Vec<String>>, CommandError> {
    if asked.is_empty() {
        return Ok(None);
    }
    let known: Vec<&str> = project.keys.iter().map(|key| key.value.as_str()).collect();
    if let Some(unknown) = asked.iter().find(|asked| !known.iter().any(|key| matches(asked, key))) {
        return Err(unknown_entity(unknown, &known));
    }
    let meant = known.into_iter().filter(|key| asked.iter().any(|asked| matches(asked, key)));
    Ok(Some(meant.map(ToOwned::to_owned).collect()))
}

fn unknown_entity(unknown: &str, known: &[&str]) -> CommandError {
    let help = match did_you_mean(unknown, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "the definition has no entities".to_owned(),
        None => format!("it has: {}", known.join(", ")),
    };
    let message = match unknown.contains(['*', '?']) {
        true => format!("no entity of the definition matches `{unknown}`"),
        false => format!("the definition has no entity `{unknown}`"),
    };
    CommandError::new(Exit::Usage, "unknown-entity", message, help)
}

/// Keeps what is meant. What is to be removed, or would be pruned, belongs to no entity and is left out then.
pub(super) fn keep(desired: &mut Desired, meant: Option<&[String]>) {
    let Some(meant) = meant else { return };
    let meant = |entity: &String| meant.contains(entity);
    let Desired {
        state,
        origins,
        unselected,
        removed,
        undoing: _,
        project: _,
        max_drops: _,
        not_managed,
        without_effect: _,
    } = desired;
    removed.clear();
    unselected.extend(origins.iter().filter(|(_, origin)| !meant(&origin.entity)).map(|(id, _)| id.clone()));
    origins.retain(|_, origin| meant(&origin.entity));
    state.retain(|id, _| origins.contains_key(id));
    not_managed.retain(|entity| meant(&entity.entity));
}

/// `*` stands for any text, `?` for one character.
fn matches(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| matches(rest.as_str(), &text[at..]))
        }
        Some(wanted) => {
            let mut found = text.chars();
            found.next().is_some_and(|c| wanted == '?' || wanted == c)
                && matches(rest.as_str(), found.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_meet_whole_keys() {
        for (pattern, text) in
            [("api_*", "api_"), ("*", ""), ("a?c", "abc"), ("*_b", "a_b"), ("a*b*c", "axbyc")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("api", "api_x"), ("a?c", "ac"), ("*_b", "a_bc"), ("", "a"), ("A", "a")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
