//! The saved plan: everything that a plan was made from, so that it can be shown without an account, and carried out
//! only where nothing has moved since. And the snapshot: what was read of an account, to plan from without it.
//!
//! No statement is read from a file: a plan is a function of what is saved, so the statements are made anew, by the same
//! code, from typed names and values. A file of another format version is refused.

mod desired;
mod live;
mod moved;

use super::{Between, Goal, Intent, Plan, Target, plan};
use crate::desired::{Desired, NameDefaults};
use crate::object::name::Ident;
use crate::object::reading::Live;
use crate::source::files::Files;
use desired::DesiredDocument;
use live::LiveDocument;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The name of a saved plan's format.
const PLAN_FORMAT: &str = "snowform/saved-plan";
/// The name of a snapshot's format.
const SNAPSHOT_FORMAT: &str = "snowform/snapshot";
/// The version of both; a file of another is refused.
const FORMAT_VERSION: u32 = 2;

/// What a plan is made from.
#[derive(Debug)]
pub struct Saved {
    /// What it is for.
    pub intent: Intent,
    /// Where it acts.
    pub target: Target,
    /// The definition's texts.
    pub files: Files,
    /// What is wanted.
    pub desired: Desired,
    /// What was read.
    pub live: Live,
}

/// What was read of an account.
#[derive(Debug)]
pub struct Snapshot {
    /// Of which account, under which role.
    pub target: Target,
    /// What completed names.
    pub defaults: NameDefaults,
    /// When, as RFC 3339.
    pub taken_at: String,
    /// What was read.
    pub live: Live,
}

/// Why a file is no plan, or no snapshot, that can be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is something else, or was cut off.
    #[error("this is no {what}: {why}")]
    Other {
        /// What it should be.
        what: &'static str,
        /// How it is seen that it is not.
        why: String,
    },
    /// It was saved by a version with another format.
    #[error(
        "it was saved by snowform {tool_version} in format {found}; this version reads format {FORMAT_VERSION}"
    )]
    OtherFormat {
        /// The version of snowform that saved it.
        tool_version: String,
        /// The file's format.
        found: u32,
    },
}

impl Saved {
    /// The plan.
    pub fn plan(&self) -> Plan {
        plan(self.intent, self.target.clone(), &self.desired, &self.live)
    }

    /// What an account holds otherwise now than when the plan was made, one sentence each.
    pub fn moved(&self, now: &Live) -> Vec<String> {
        moved::moved(self, now)
    }
}

#[derive(Serialize, Deserialize)]
struct PlanDocument {
    format: String,
    format_version: u32,
    tool_version: String,
    intent: IntentDocument,
    target: TargetDocument,
    files: Vec<FileDocument>,
    desired: DesiredDocument,
    live: LiveDocument,
}

#[derive(Serialize, Deserialize)]
struct SnapshotDocument {
    format: String,
    format_version: u32,
    tool_version: String,
    target: TargetDocument,
    database: Option<String>,
    schema: Option<String>,
    taken_at: String,
    live: LiveDocument,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct IntentDocument {
    goal: GoalDocument,
    prune: bool,
    create_schemas: bool,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum GoalDocument {
    Deploy,
    Replace,
    Destroy,
}

#[derive(Serialize, Deserialize)]
struct TargetDocument {
    account: String,
    host: String,
    role: Option<String>,
    /// Base and head, where no account was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    between: Option<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct FileDocument {
    path: String,
    text: String,
}

/// Writes what a plan is made from.
pub fn write(saved: &Saved) -> String {
    let Saved { intent, target, files, desired, live } = saved;
    let document = PlanDocument {
        format: PLAN_FORMAT.to_owned(),
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        intent: intent_document(*intent),
        target: target_document(target),
        files: files
            .ids()
            .map(|id| FileDocument { path: files.path(id).to_owned(), text: files.text(id).to_owned() })
            .collect(),
        desired: DesiredDocument::of(desired),
        live: LiveDocument::of(live),
    };
    to_text(&document)
}

/// Writes what was read of an account.
pub fn write_snapshot(snapshot: &Snapshot) -> String {
    let Snapshot { target, defaults: NameDefaults { database, schema }, taken_at, live } = snapshot;
    let exact = |ident: &Option<Ident>| ident.as_ref().map(|ident| ident.as_str().to_owned());
    to_text(&SnapshotDocument {
        format: SNAPSHOT_FORMAT.to_owned(),
        format_version: FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        target: target_document(target),
        database: exact(database),
        schema: exact(schema),
        taken_at: taken_at.clone(),
        live: LiveDocument::of(live),
    })
}

/// Reads what a plan is made from.
///
/// # Errors
/// Where the text is something else, or of another format.
pub fn read(text: &str) -> Result<Saved, FileError> {
    const WHAT: &str = "saved plan";
    let document: PlanDocument = parse(text, PLAN_FORMAT, WHAT)?;
    let mut files = Files::default();
    for FileDocument { path, text } in document.files {
        files.add(path, text);
    }
    let desired = document.desired.read(&files);
    let (Some(desired), Some(live)) = (desired, document.live.read()) else {
        let why = "it names types or places that do not exist".to_owned();
        return Err(FileError::Other { what: WHAT, why });
    };
    let IntentDocument { goal, prune, create_schemas } = document.intent;
    let goal = match goal {
        GoalDocument::Deploy => Goal::Deploy,
        GoalDocument::Replace => Goal::Replace,
        GoalDocument::Destroy => Goal::Destroy,
    };
    let intent = Intent { goal, prune, create_schemas };
    Ok(Saved { intent, target: target(document.target), files, desired, live })
}

/// Reads what was read of an account.
///
/// # Errors
/// Where the text is something else, or of another format.
pub fn read_snapshot(text: &str) -> Result<Snapshot, FileError> {
    const WHAT: &str = "snapshot";
    let document: SnapshotDocument = parse(text, SNAPSHOT_FORMAT, WHAT)?;
    let Some(live) = document.live.read() else {
        return Err(FileError::Other { what: WHAT, why: "it names types that do not exist".to_owned() });
    };
    let defaults = NameDefaults {
        database: document.database.map(Ident::exact),
        schema: document.schema.map(Ident::exact),
    };
    Ok(Snapshot { target: target(document.target), defaults, taken_at: document.taken_at, live })
}

fn to_text(document: &impl Serialize) -> String {
    serde_json::to_string_pretty(document).expect("internal error: every key of the document is a text")
        + "\n"
}

fn parse<T: DeserializeOwned>(text: &str, format: &str, what: &'static str) -> Result<T, FileError> {
    let other = |error: serde_json::Error| FileError::Other { what, why: error.to_string() };
    let head: serde_json::Value = serde_json::from_str(text).map_err(other)?;
    if head["format"] != format {
        return Err(FileError::Other { what, why: format!("it does not say `\"format\": \"{format}\"`") });
    }
    let found = head["format_version"].as_u64().and_then(|version| u32::try_from(version).ok()).unwrap_or(0);
    if found != FORMAT_VERSION {
        let tool_version = head["tool_version"].as_str().unwrap_or("of an unknown version").to_owned();
        return Err(FileError::OtherFormat { tool_version, found });
    }
    serde_json::from_value(head).map_err(other)
}

fn intent_document(intent: Intent) -> IntentDocument {
    let Intent { goal, prune, create_schemas } = intent;
    let goal = match goal {
        Goal::Deploy => GoalDocument::Deploy,
        Goal::Replace => GoalDocument::Replace,
        Goal::Destroy => GoalDocument::Destroy,
    };
    IntentDocument { goal, prune, create_schemas }
}

fn target_document(target: &Target) -> TargetDocument {
    let Target { account, host, role, between } = target.clone();
    let between = between.map(|Between { base, head }| (base, head));
    TargetDocument { account, host, role, between }
}

fn target(document: TargetDocument) -> Target {
    let TargetDocument { account, host, role, between } = document;
    Target { account, host, role, between: between.map(|(base, head)| Between { base, head }) }
}
