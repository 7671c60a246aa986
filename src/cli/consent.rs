//! What may be lost is allowed by name: by `--allow`, by the file, or by a person at a terminal who types the name of the
//! object. Anything else is refused.

use super::deploy::Run;
use super::error::{CommandError, Exit};
use super::ui::{Format, Ui};
use crate::host::{environment, terminal};
use crate::object::shell;
use crate::object::state::ObjectId;
use crate::object::statement::Hazard;
use crate::plan::{Change, Plan};
use crate::source::files::Files;
use crate::view;
use std::fmt::Write as _;

/// How a plan was let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consent {
    /// It has no hazard that was not allowed beforehand.
    Given,
    /// A person took the time to type.
    Typed,
}

/// Lets a plan pass, or refuses it. Shows it before.
pub(super) fn ask(run: &Run<'_>, plan: &Plan, files: &Files, ui: &Ui) -> Result<Consent, CommandError> {
    let refused = plan.refused(&run.consent.allow.allow);
    if refused.is_empty() {
        return Ok(Consent::Given);
    }
    if ui.format == Format::Text {
        ui.text(&view::plan::draw(&super::present::report(plan, files, ui)));
        if !run.consent.yes && terminal::can_ask() && typed(&refused, ui) {
            return Ok(Consent::Typed);
        }
    }
    Err(refusal(&refused))
}

/// Whether a person typed the name of every object that is in danger.
fn typed(refused: &[(&Change, &Hazard)], ui: &Ui) -> bool {
    let mut objects: Vec<&ObjectId> = refused.iter().map(|(change, _)| &change.id).collect();
    objects.dedup();
    objects.into_iter().all(|id| {
        for (_, hazard) in refused.iter().filter(|(change, _)| change.id == *id) {
            ui.ask(&format!("{}: {}: {}\n", id, hazard.kind, hazard.message));
        }
        ui.ask(&format!("type {} to allow it, or anything else to stop: ", id.name));
        let answer = terminal::answer().unwrap_or_default();
        answer.trim() == id.name.to_string()
    })
}

fn refusal(refused: &[(&Change, &Hazard)]) -> CommandError {
    let mut kinds: Vec<&str> = refused.iter().map(|(_, hazard)| hazard.kind.name()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut message =
        String::from("refused, and nothing was changed: the plan has hazards that are not allowed");
    for (change, hazard) in refused {
        let _ = write!(message, "\n{}: {}: {}", change.id, hazard.kind, hazard.message);
    }
    let allow = format!("--allow {}", kinds.join(","));
    let help = match command_line(&environment::arguments()) {
        Some(command) => format!("if that is meant, say so:\n{command} {allow}"),
        None => format!("if that is meant, add to the same command:\n{allow}"),
    };
    CommandError::new(Exit::Refused, "refused", message, help)
}

/// The very command that was given, to be copied; nothing where it may hold a secret.
fn command_line(arguments: &[String]) -> Option<String> {
    const SECRET: [&str; 5] = ["--password", "--token", "--mfa-passcode", "--env", "--oauth-client-secret"];
    let words = arguments.get(1..)?;
    let name = |word: &String| word.split('=').next().unwrap_or_default().to_owned();
    if words.iter().any(|word| SECRET.contains(&name(word).as_str())) {
        return None;
    }
    Some(
        ["snowform".to_owned()]
            .into_iter()
            .chain(words.iter().map(|word| shell::word(word)))
            .collect::<Vec<_>>()
            .join(" "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &[&str]) -> Option<String> {
        command_line(&words.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn the_command_to_copy_is_the_one_that_was_given() {
        let given =
            ["/usr/bin/snowform", "destroy", "--schema", "scratch", "api_*", "-p", "a dir", "--role=x"];
        assert_eq!(line(&given).unwrap(), "snowform destroy --schema scratch 'api_*' -p 'a dir' --role=x");
        assert_eq!(line(&["snowform", "deploy", "it's", ""]).unwrap(), r"snowform deploy 'it'\''s' ''");
    }

    #[test]
    fn a_command_that_may_hold_a_secret_is_not_repeated() {
        for secret in ["--password", "--password=x", "--token", "--env", "--env=A=b", "--mfa-passcode"] {
            assert_eq!(line(&["snowform", "deploy", secret, "x"]), None, "{secret}");
        }
        assert!(line(&["snowform", "deploy", "--token-file-path", "x"]).is_some());
    }
}
