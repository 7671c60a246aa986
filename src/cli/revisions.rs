//! A plan between two revisions of the files: what the earlier one declares, in the place of what an account holds.

use super::connect::ConnectionArgs;
use super::error::{CommandError, Exit};
use super::planning;
use super::project::{self, Base, ProjectArgs, Texts};
use super::ui::Ui;
use crate::check;
use crate::desired::{Desired, NameDefaults, carries_mark};
use crate::object::name::Ident;
use crate::object::reading::Live;
use crate::object::state::{Contents, ObjectId};
use crate::plan::file::Saved;
use crate::snowflake::settings::{self, Key, Sources};
use crate::source::span::Spanned;
use clap::Args;

/// Only what changed.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct SinceArgs {
    /// Only entities that are declared otherwise than at a revision of the files
    #[arg(long, value_name = "REVISION")]
    pub(super) changed_since: Option<String>,
}

impl SinceArgs {
    /// The project's texts, and which of its entities are asked for.
    pub(super) fn texts(&self, project: &ProjectArgs, ui: &Ui) -> Result<Texts, CommandError> {
        let mut texts = project::read(project)?;
        if let Some(revision) = &self.changed_since {
            texts.changed = Some(changed(project, revision, ui)?);
        }
        Ok(texts)
    }
}

/// The entities that are declared otherwise than at a revision. Mistakes in the files as they are, are found later.
fn changed(project: &ProjectArgs, revision: &str, ui: &Ui) -> Result<Vec<String>, CommandError> {
    let texts = project::read_against(project, revision)?;
    let base = texts.base.as_ref().expect("internal error: a base was asked for");
    // What a connection would complete is the same on both sides.
    let unknown = |text: &str| Some(Ident::exact(text));
    let defaults = NameDefaults { database: unknown("<database>"), schema: unknown("<schema>") };
    let earlier = declared(&texts, base, &defaults)?;
    let checked = check::check(&texts.files, &texts.inputs());
    let (later, _) = check::complete(&checked.project, &defaults);
    let before = earlier.declarations();
    let after = later.declarations();
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    for key in gone {
        ui.remark(&format!("entity {key} left the definition since {}", base.label));
    }
    let changed = after.iter().filter(|(key, declaration)| before.get(*key) != Some(declaration));
    Ok(changed.map(|(key, _)| (*key).to_owned()).collect())
}

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
