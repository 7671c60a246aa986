//! What machines read. The only types here that are serialised, with a version of their own; their JSON Schemas are
//! derived from them and committed under `schema/`.
//!
//! The format's version: a new minor adds members, and readers ignore what they do not know; a new major changes or
//! removes some.

use crate::deploy::{Failure, Outcome, Progress};
use crate::kind::image_repository::{OWNER, PROJECT};
use crate::object::reading::Users;
use crate::object::state::{Contents, Image};
use crate::plan::{
    Action, Advice, AttributeChange, Between, Change, Goal, GrantChange, Plan, Problem, SchemaCreation, Step,
    TagChange, Undeclared,
};
use crate::source::diagnostic::{Diagnostic, Label, Severity};
use crate::source::files::Files;
use crate::source::span::Span;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of the plan's format.
pub const PLAN_FORMAT_VERSION: &str = "1.0";

/// A plan, or a deploy's plan with what came of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "snowform plan")]
pub struct PlanDocument {
    /// Always `snowform/plan`.
    pub format: &'static str,
    /// `MAJOR.MINOR`.
    pub format_version: &'static str,
    /// The version of snowform that wrote it.
    pub tool_version: &'static str,
    /// `deploy`, `replace` or `destroy`.
    pub goal: &'static str,
    /// Where it acts.
    pub target: TargetDocument,
    /// Whether anything would change.
    pub changes_present: bool,
    /// Whether it can be carried out.
    pub deployable: bool,
    /// How many objects there are of each action.
    pub summary: BTreeMap<&'static str, usize>,
    /// Schemas that are created before anything else.
    pub schemas: Vec<SchemaDocument>,
    /// One for every object, unchanged ones too, in the order in which they are carried out.
    pub changes: Vec<ChangeDocument>,
    /// Objects that carry the project's mark, are not declared any more, and stay; full names in SQL spelling.
    pub left: Vec<String>,
    /// Other objects of the same schemas, which nobody declares; read by `drift` only.
    pub undeclared: Vec<UndeclaredDocument>,
    /// What keeps it from being carried out.
    pub problems: Vec<ProblemDocument>,
    /// What is worth knowing before.
    pub advice: Vec<AdviceDocument>,
    /// Entities of types that snowform does not deploy.
    pub not_managed: Vec<NotManagedDocument>,
    /// What the definition says and nothing acts on.
    pub without_effect: Vec<NoteDocument>,
    /// Why a deploy failed whose every statement succeeded; only in a deploy's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorDocument>,
}

/// Where a plan acts.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TargetDocument {
    /// The account identifier; empty where no account was asked.
    pub account: String,
    /// The host that answered, with its port where it is not the default; empty where no account was asked.
    pub host: String,
    /// The role, or null.
    pub role: Option<String>,
    /// Where no account was asked: the revisions of the files that are compared; else null.
    pub between: Option<BetweenDocument>,
}

/// Two revisions of a definition's files.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BetweenDocument {
    /// What stands in the place of the account.
    pub base: String,
    /// What is compared with it.
    pub head: String,
}

/// An object that nobody declares.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UndeclaredDocument {
    /// Its type, as entities have it.
    #[serde(rename = "type")]
    pub type_name: &'static str,
    /// Its full name in SQL spelling.
    pub name: String,
    /// The role that owns it, where the account says so.
    pub owner: Option<String>,
    /// The project whose mark it carries, if any.
    pub project: Option<String>,
    /// When it was created, as RFC 3339.
    pub created_on: Option<String>,
}

/// A schema that is created.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SchemaDocument {
    /// Its full name in SQL spelling.
    pub name: String,
    /// What is carried out.
    pub step: StepDocument,
    /// How it went; only in a deploy's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultDocument>,
}

/// What happens to one object.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangeDocument {
    /// The entity's key in `snowflake.yml`.
    pub entity: String,
    /// The entity type, `image-repository`.
    #[serde(rename = "type")]
    pub type_name: &'static str,
    /// The object's full name in SQL spelling.
    pub name: String,
    /// `no-op`, `create`, `alter`, `replace` or `drop`; readers treat others as a change.
    pub action: &'static str,
    /// Why.
    pub reason: &'static str,
    /// Where the entity stands.
    pub source: Range,
    /// The attributes that differ.
    pub attributes: Vec<AttributeDocument>,
    /// The governance tags that differ.
    pub tags: Vec<TagDocument>,
    /// The grants that are not as declared.
    pub grants: Vec<GrantDocument>,
    /// The images that a drop would destroy, or null where they were not read.
    pub images: Option<Vec<ImageDocument>>,
    /// Who runs them, or null where nobody looked.
    pub used_by: Option<UsersDocument>,
    /// What is carried out, in order.
    pub steps: Vec<StepDocument>,
    /// How it went; only in a deploy's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultDocument>,
}

/// An attribute that differs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AttributeDocument {
    /// Its name.
    pub field: &'static str,
    /// The live value; null where there is no object yet.
    pub before: Option<String>,
    /// The declared value.
    pub after: String,
}

/// A governance tag that differs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TagDocument {
    /// Its full name in SQL spelling.
    pub tag: String,
    /// The live value; null where it is not set.
    pub before: Option<String>,
    /// The declared value.
    pub after: String,
}

/// A grant that is not as declared.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GrantDocument {
    /// `grant`, `revoke`, or `keep` for one that is not declared and stays.
    pub action: &'static str,
    /// The privilege.
    pub privilege: String,
    /// Who has or gets it, as SQL spells it: `ROLE DEPLOYER`.
    pub grantee: String,
}

/// An image that a drop would destroy.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ImageDocument {
    /// Its name in the repository.
    pub name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// `sha256:…`
    pub digest: String,
    /// When it was pushed, as the account prints it.
    pub created_on: Option<String>,
}

/// One statement.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StepDocument {
    /// What is sent, byte for byte.
    pub statement: String,
    /// The role it runs under, where that is not the connection's.
    pub role: Option<String>,
    /// What must be allowed before.
    pub hazards: Vec<HazardDocument>,
}

/// A danger.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HazardDocument {
    /// The name that `--allow` takes.
    pub kind: &'static str,
    /// What would be lost.
    pub message: String,
}

/// How a change went.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ResultDocument {
    /// `unchanged`, `done`, `failed` or `not-begun`.
    pub status: &'static str,
    /// The account's ids of the statements.
    pub query_ids: Vec<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorDocument>,
}

/// What keeps a plan from being carried out.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProblemDocument {
    /// The stable code, for `snowform explain`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Where the reason stands, or null.
    pub source: Option<Range>,
}

/// A remark on the plan, with commands for a shell.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AdviceDocument {
    /// In words.
    pub message: String,
    /// What to run, if one wants to.
    pub commands: Vec<String>,
}

/// Who runs images that would be destroyed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UsersDocument {
    /// Full names of services in SQL spelling.
    pub services: Vec<String>,
    /// How many services there are whose specification the role may not read.
    pub unread: usize,
    /// Why they could not be listed, or null.
    pub why_unknown: Option<String>,
}

/// An entity that snowform does not deploy.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NotManagedDocument {
    /// Its key.
    pub entity: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: &'static str,
    /// Where it stands.
    pub source: Range,
}

/// A remark.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NoteDocument {
    /// In words.
    pub message: String,
    /// Where.
    pub source: Range,
}

/// A stretch of a file. Lines and columns count from 1, columns in code points; bytes count from 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Range {
    /// The file.
    pub path: String,
    /// The first line.
    pub line: usize,
    /// The first column.
    pub column: usize,
    /// The line of the end.
    pub end_line: usize,
    /// The column behind the end.
    pub end_column: usize,
    /// The first byte.
    pub byte: u32,
    /// The byte behind the last.
    pub end_byte: u32,
}

/// What failed, for `{"error": …}`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ErrorDocument {
    /// A stable word, or the account's code.
    pub code: String,
    /// What went wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The account's id of the statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_id: Option<String>,
}

/// A mistake in a file.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DiagnosticDocument {
    /// The stable code.
    pub code: &'static str,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// What is wrong.
    pub message: String,
    /// What stands at the place.
    pub label: String,
    /// What to do, or null.
    pub help: Option<String>,
    /// Where.
    pub range: Range,
    /// Other places that explain it.
    pub related: Vec<NoteDocument>,
    /// An edit that mends it, or null.
    pub fix: Option<FixDocument>,
}

/// An edit.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FixDocument {
    /// What it does.
    pub title: String,
    /// What it replaces.
    pub range: Range,
    /// By what.
    pub replacement: String,
}

/// A plan, and what came of it where it was deployed.
pub fn plan(plan: &Plan, outcome: Option<&Outcome>, files: &Files) -> PlanDocument {
    let Plan {
        goal,
        target,
        schemas,
        changes,
        left,
        undeclared,
        problems,
        advice,
        not_managed,
        without_effect,
    } = plan;
    PlanDocument {
        format: "snowform/plan",
        format_version: PLAN_FORMAT_VERSION,
        tool_version: env!("CARGO_PKG_VERSION"),
        goal: match goal {
            Goal::Deploy => "deploy",
            Goal::Replace => "replace",
            Goal::Destroy => "destroy",
        },
        target: TargetDocument {
            account: target.account.clone(),
            host: target.host.clone(),
            role: target.role.clone(),
            between: target.between.clone().map(|Between { base, head }| BetweenDocument { base, head }),
        },
        changes_present: plan.has_changes(),
        deployable: problems.is_empty(),
        summary: [Action::Create, Action::Alter, Action::Replace, Action::Drop, Action::NoOp]
            .map(|action| (action.name(), plan.count(action)))
            .into(),
        schemas: schemas
            .iter()
            .enumerate()
            .map(|(at, SchemaCreation { schema, step })| SchemaDocument {
                name: schema.to_string(),
                step: step_document(step),
                result: outcome.map(|outcome| result_document(&outcome.schemas[at])),
            })
            .collect(),
        left: left.iter().map(|id| id.name.to_string()).collect(),
        undeclared: undeclared
            .iter()
            .map(|Undeclared { id, live }| UndeclaredDocument {
                type_name: id.object_type.type_name(),
                name: id.name.to_string(),
                owner: live.attributes.get(OWNER).cloned(),
                project: live.attributes.get(PROJECT).cloned(),
                created_on: live.facts.get("created_on").cloned(),
            })
            .collect(),
        changes: changes
            .iter()
            .enumerate()
            .map(|(at, change)| change_document(change, outcome.map(|outcome| &outcome.progress[at]), files))
            .collect(),
        problems: problems
            .iter()
            .map(|Problem { code, message, help, span }| ProblemDocument {
                code,
                message: message.clone(),
                help: help.clone(),
                source: span.map(|span| range(span, files)),
            })
            .collect(),
        advice: advice
            .iter()
            .map(|Advice { message, commands }| AdviceDocument {
                message: message.clone(),
                commands: commands.clone(),
            })
            .collect(),
        not_managed: not_managed
            .iter()
            .map(|entity| NotManagedDocument {
                entity: entity.entity.clone(),
                type_name: entity.type_name,
                source: range(entity.span, files),
            })
            .collect(),
        without_effect: without_effect
            .iter()
            .map(|note| NoteDocument { message: note.value.clone(), source: range(note.span, files) })
            .collect(),
        error: None,
    }
}

fn change_document(change: &Change, progress: Option<&Progress>, files: &Files) -> ChangeDocument {
    let Change {
        id,
        action,
        reason,
        attributes,
        tags,
        grants,
        desired: _,
        live: _,
        contents,
        users,
        origin,
        steps,
        wave: _,
    } = change;
    ChangeDocument {
        entity: origin.entity.clone(),
        type_name: id.object_type.type_name(),
        name: id.name.to_string(),
        action: action.name(),
        reason: reason.name(),
        source: range(origin.span, files),
        attributes: attributes
            .iter()
            .map(|AttributeChange { field, before, after }| AttributeDocument {
                field,
                before: before.clone(),
                after: after.clone(),
            })
            .collect(),
        tags: tags
            .iter()
            .map(|TagChange { tag, before, after }| TagDocument {
                tag: tag.to_string(),
                before: before.clone(),
                after: after.clone(),
            })
            .collect(),
        grants: grants
            .iter()
            .map(|GrantChange { grant, action }| GrantDocument {
                action: action.name(),
                privilege: grant.privilege.clone(),
                grantee: grant.grantee.to_string(),
            })
            .collect(),
        images: contents.as_ref().and_then(images),
        used_by: users.as_ref().map(users_document),
        steps: steps.iter().map(step_document).collect(),
        result: progress.map(result_document),
    }
}

fn users_document(users: &Users) -> UsersDocument {
    match users {
        Users::Listed { names, unread } => UsersDocument {
            services: names.iter().map(ToString::to_string).collect(),
            unread: *unread,
            why_unknown: None,
        },
        Users::Unknown { why } => {
            UsersDocument { services: Vec::new(), unread: 0, why_unknown: Some(why.clone()) }
        }
    }
}

fn images(contents: &Contents) -> Option<Vec<ImageDocument>> {
    let Contents::Listed(images) = contents else { return None };
    let document = |image: &Image| {
        let Image { name, tags, digest, created_on } = image.clone();
        ImageDocument { name, tags, digest, created_on }
    };
    Some(images.iter().map(document).collect())
}

fn step_document(step: &Step) -> StepDocument {
    let Step { operation, hazards, role } = step;
    StepDocument {
        statement: operation.to_string(),
        role: role.as_ref().map(ToString::to_string),
        hazards: hazards
            .iter()
            .map(|hazard| HazardDocument { kind: hazard.kind.name(), message: hazard.message.clone() })
            .collect(),
    }
}

fn result_document(progress: &Progress) -> ResultDocument {
    let (status, query_ids, error) = match progress {
        Progress::Unchanged => ("unchanged", Vec::new(), None),
        Progress::Done { query_ids } => ("done", query_ids.clone(), None),
        Progress::NotReached => ("not-begun", Vec::new(), None),
        Progress::Failed(failure) => ("failed", Vec::new(), Some(failure_document(failure))),
    };
    ResultDocument { status, query_ids, error }
}

fn failure_document(failure: &Failure) -> ErrorDocument {
    let Failure { message, help, code, query_id, authentication: _ } = failure;
    ErrorDocument {
        code: code.map_or_else(|| "failed".to_owned(), |code| format!("{code:06}")),
        message: message.clone(),
        help: help.clone(),
        query_id: query_id.clone(),
    }
}

/// Diagnostics, in the order they are given.
pub fn diagnostics(found: &[Diagnostic], files: &Files) -> Vec<DiagnosticDocument> {
    found.iter().map(|diagnostic| diagnostic_document(diagnostic, files)).collect()
}

fn diagnostic_document(diagnostic: &Diagnostic, files: &Files) -> DiagnosticDocument {
    let Diagnostic { rule, message, primary, related, help, fix } = diagnostic;
    let note =
        |Label { span, text }: &Label| NoteDocument { message: text.clone(), source: range(*span, files) };
    DiagnosticDocument {
        code: rule.code,
        severity: match rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        message: message.clone(),
        label: primary.text.clone(),
        help: help.clone(),
        range: range(primary.span, files),
        related: related.iter().map(note).collect(),
        fix: fix.as_ref().map(|fix| FixDocument {
            title: fix.title.clone(),
            range: range(fix.span, files),
            replacement: fix.replacement.clone(),
        }),
    }
}

/// A span's lines and columns.
pub(super) fn range(span: Span, files: &Files) -> Range {
    let (start, end) = (files.start(span), files.position(span.file, span.end));
    Range {
        path: files.path(span.file).to_owned(),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        byte: span.start,
        end_byte: span.end,
    }
}
