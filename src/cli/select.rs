//! Which entities a command is about: keys, and patterns with `*` and `?`.

use super::error::{CommandError, Exit};
use crate::definition::Project;
use crate::desired::Desired;
use crate::source::diagnostic::did_you_mean;
use std::collections::HashSet;

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
    let meant: HashSet<&str> = meant.iter().map(String::as_str).collect();
    let meant = |entity: &String| meant.contains(entity.as_str());
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
    // They are named, so nobody may say of them that they left the definition.
    unselected.extend(std::mem::take(removed).into_keys());
    unselected.extend(origins.iter().filter(|(_, origin)| !meant(&origin.entity)).map(|(id, _)| id.clone()));
    origins.retain(|_, origin| meant(&origin.entity));
    state.retain(|id, _| origins.contains_key(id));
    not_managed.retain(|entity| meant(&entity.entity));
}

/// `*` stands for any text, `?` for one character. Where a text does not fit on, only the last `*` takes one character
/// more: what an earlier one could take instead, the last one can as well.
fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut last_star = None;
    loop {
        let rest = text.clone();
        match (pattern.next(), text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                text = rest;
                last_star = Some((pattern.clone(), text.clone()));
            }
            (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {}
            _ => {
                let Some((after, taken)) = &mut last_star else { return false };
                if taken.next().is_none() {
                    return false;
                }
                (pattern, text) = (after.clone(), taken.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_meet_whole_keys() {
        for (pattern, text) in [
            ("api_*", "api_"),
            ("*", ""),
            ("a?c", "abc"),
            ("*_b", "a_b"),
            ("a*b*c", "axbyc"),
            ("", ""),
            ("**", "ä"),
            ("*ab?d", "ababcabed"),
            ("a*", "a*"),
            ("*a*b", "xaybzb"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("api", "api_x"),
            ("a?c", "ac"),
            ("*_b", "a_bc"),
            ("", "a"),
            ("A", "a"),
            ("*a*b", "xayb_"),
            ("?*", ""),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
    #[test]
    fn many_stars_end() {
        let text = "a".repeat(10_000);
        assert!(!matches(&format!("{}b", "a*".repeat(50)), &text));
        assert!(matches(&"a*".repeat(50), &text));
    }
}
