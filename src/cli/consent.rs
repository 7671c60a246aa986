//! What may be lost is allowed by name: by `--allow`, by the file, or by a person at a terminal who types the name of the
//! object. Anything else is refused.

use super::deploy::Run;
use super::error::{CommandError, Exit};
use super::ui::{Format, Ui};
use crate::host::terminal;
use crate::object::state::ObjectId;
use crate::object::statement::Hazard;
use crate::plan::{Change, Plan};
use crate::source::files::Files;
use crate::view;
use std::fmt::Write as _;

/// Lets a plan pass, or refuses it. Shows it before.
pub(super) fn ask(run: &Run<'_>, plan: &Plan, files: &Files, ui: &Ui) -> Result<(), CommandError> {
    let refused = plan.refused(&run.consent.allow.allow);
    if refused.is_empty() {
        return Ok(());
    }
    if ui.format == Format::Text {
        ui.text(&view::plan::draw(&super::present::report(plan, files, ui)));
        if !run.consent.yes && terminal::can_ask() && typed(&refused, ui) {
            return Ok(());
        }
    }
    Err(refusal(run, &refused))
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

fn refusal(run: &Run<'_>, refused: &[(&Change, &Hazard)]) -> CommandError {
    let mut kinds: Vec<&str> = refused.iter().map(|(_, hazard)| hazard.kind.name()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut message =
        String::from("refused, and nothing was changed: the plan has hazards that are not allowed");
    for (change, hazard) in refused {
        let _ = write!(message, "\n{}: {}: {}", change.id, hazard.kind, hazard.message);
    }
    let help = format!("if that is meant, say so:\n{} --allow {}", run.command, kinds.join(","));
    CommandError::new(Exit::Refused, "refused", message, help)
}
