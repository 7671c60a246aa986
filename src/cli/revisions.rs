//! A plan between two revisions of the files: what the earlier one declares, in the place of what an account holds.

use super::connect::ConnectionArgs;
use super::error::{CommandError, Exit};
use super::planning;
use super::project::{Base, Texts};
use crate::check;
use crate::desired::{Desired, NameDefaults, carries_mark};
use crate::object::name::Ident;
use crate::object::reading::Live;
use crate::object::state::{Contents, ObjectId};
use crate::plan::file::Saved;
use crate::snowflake::settings::{self, Key, Sources};
use crate::source::span::Spanned;

/// What completes names where no connection is asked: options and settings, as far as there are any. What nobody says
/// stays visible as a name that no account has.
pub(super) fn defaults(connection: &ConnectionArgs) -> Result<NameDefaults, CommandError> {
    let settings =
        Sources::read(connection.flags()).ok().and_then(|sources| settings::resolve(&sources).ok());
    let known = |option: &Option<String>, key: Key| {
        option.clone().or_else(|| settings.as_ref()?.text(key).map(|text| text.into_owned()))
    };
    let name = |text: Option<String>, placeholder: &str| match text {
        None => Ok(Some(Ident::exact(placeholder))),
        Some(text) => Ident::parse(&text).map(Some).map_err(|error| {
            let help = "give a name as SQL spells it";
            CommandError::new(Exit::Usage, "invalid-name", format!("{text}: {error}"), help)
        }),
    };
    Ok(NameDefaults {
        database: name(known(&connection.database, Key::Database), "<database>")?,
        schema: name(known(&connection.schema, Key::Schema), "<schema>")?,
    })
}

/// What the earlier revision declares; nothing where there was no definition yet.
pub(super) fn declared(texts: &Texts, base: &Base, defaults: &NameDefaults) -> Result<Desired, CommandError> {
    let Some(inputs) = texts.base_inputs(base) else { return Ok(Desired::default()) };
    let checked = check::check(&texts.files, &inputs);
    let (desired, completed) = check::complete(&checked.project, defaults);
    let mut found = checked.diagnostics;
    found.extend(completed);
    if found.has_errors() {
        let message =
            format!("the definition at {} has mistakes, so nothing can be compared with it", base.label);
        let error = planning::invalid(found.sorted());
        let help = "compare with a revision that is valid; without one: snowform validate".to_owned();
        return Err(CommandError { message, help, ..error });
    }
    Ok(desired)
}

/// The earlier revision as if it had been deployed. What it declares and the later one does not is told in the later
/// one's notes: nothing would happen to it, unless it carries the project's mark and pruning is asked for.
pub(super) fn as_live(earlier: Desired, later: &mut Desired) -> Live {
    let mut live = Live::default();
    for (id, object) in earlier.state {
        let known = later.state.contains_key(&id) || later.removed.contains_key(&id);
        if known {
            live.state.insert(id, object);
        } else if later.unselected.contains(&id) {
            // Not asked for.
        } else if later.project.is_some() && carries_mark(&object) {
            live.siblings.insert(id, object);
        } else {
            let text = format!("{id} is not declared any more, and stays");
            later.without_effect.push(Spanned::new(text, earlier.origins[&id].span));
        }
    }
    live
}

/// Nobody looked into what would be lost.
pub(super) fn contents(saved: &mut Saved) {
    let lost: Vec<ObjectId> = saved.plan().endangered().map(|change| change.id.clone()).collect();
    let unknown = |id| (id, Contents::Unknown { why: "the account was not asked".to_owned() });
    saved.live.contents = lost.into_iter().map(unknown).collect();
}
