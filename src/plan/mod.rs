//! The pure middle: desired and live state to a [`Plan`]. One function for preview, file and deploy; the same inputs
//! give the same plan, byte for byte.

pub mod change;
mod diff;
pub mod file;
mod order;

pub(crate) use diff::matches;

pub use change::{Action, AttributeChange, Change, GrantAction, GrantChange, Reason, Step};

use crate::desired::{Desired, NotManaged};
use crate::object::reading::{Live, Scope, ScopeReading, scope_of};
use crate::object::statement::{Hazard, HazardKind};
use crate::source::span::{Span, Spanned};
use std::collections::BTreeMap;

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The account holds what the definition declares.
    Deploy,
    /// The same, with new objects in the place of those that are there.
    Replace,
    /// The account holds nothing of what the definition declares.
    Destroy,
}

/// Where a plan acts, as the account reported it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The account identifier.
    pub account: String,
    /// The host that answered.
    pub host: String,
    /// The role, if the account gave one.
    pub role: Option<String>,
}

/// Everything that a deploy would do, decided. Immutable; a deploy adds no decision of its own.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it is for.
    pub goal: Goal,
    /// Where it acts.
    pub target: Target,
    /// One for every object, in the order in which they are carried out.
    pub changes: Vec<Change>,
    /// What keeps the plan from being carried out.
    pub problems: Vec<Problem>,
    /// Entities of types that are not deployed.
    pub not_managed: Vec<NotManaged>,
    /// What the definition says and nothing acts on.
    pub without_effect: Vec<Spanned<String>>,
}

/// Why a plan cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable code, for `explain`: [`MISSING_CONTAINER`] or [`PROTECTED`].
    pub code: &'static str,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do.
    pub help: String,
    /// What asks for the object, where it is one.
    pub span: Option<Span>,
}

/// A database or schema that does not exist, or that the role may not use.
pub const MISSING_CONTAINER: &str = "missing-container";
/// An object that must not be lost.
pub const PROTECTED: &str = "protected";

impl Plan {
    /// Whether anything would change.
    pub fn has_changes(&self) -> bool {
        self.changes.iter().any(|change| change.action != Action::NoOp)
    }

    /// The objects that would be lost, whose contents a plan must know.
    pub fn endangered(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| matches!(change.action, Action::Replace | Action::Drop))
    }

    /// How many changes there are of an action.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }

    /// The hazards that are not allowed, each with the change that carries it.
    pub fn refused(&self, allowed: &[HazardKind]) -> Vec<(&Change, &Hazard)> {
        let all = self.changes.iter().flat_map(|change| {
            change.steps.iter().flat_map(move |step| step.hazards.iter().map(move |hazard| (change, hazard)))
        });
        all.filter(|(_, hazard)| !allowed.contains(&hazard.kind)).collect()
    }
}

/// Computes the plan.
pub fn plan(goal: Goal, target: Target, desired: &Desired, live: &Live) -> Plan {
    let Desired { state, origins, removed, not_managed, without_effect } = desired;
    let mut changes = Vec::new();
    let mut blocked: BTreeMap<String, Problem> = BTreeMap::new();
    for (id, object) in state {
        let origin = origins.get(id).expect("internal error: every desired object has an origin");
        let scope = scope_of(id, origin.role.as_ref());
        match (goal, live.scopes.get(&scope)) {
            (
                Goal::Deploy | Goal::Replace,
                Some(missing @ (ScopeReading::NoDatabase | ScopeReading::NoSchema)),
            ) => {
                let problem = missing_container(missing, &scope, &target, origin.span);
                blocked.entry(problem.message.clone()).or_insert(problem);
            }
            (Goal::Deploy | Goal::Replace, _) => {
                changes.push(diff::converge(id, object, live, origin, goal == Goal::Replace));
            }
            (Goal::Destroy, _) => changes.push(diff::destroy(id, live, origin, Reason::DestroyAsked)),
        }
    }
    let mut problems: Vec<Problem> = blocked.into_values().collect();
    problems.extend(changes.iter().filter_map(protected));
    order::order(goal, &mut changes);
    if goal != Goal::Destroy {
        // What is not listed may be hidden, or gone: nothing is done about it, and nothing said.
        let present = removed.iter().filter(|(id, _)| live.state.contains_key(id));
        let drops = present.map(|(id, origin)| diff::destroy(id, live, origin, Reason::Removed));
        order::append(drops, &mut changes);
    }
    Plan {
        goal,
        target,
        changes,
        problems,
        not_managed: not_managed.clone(),
        without_effect: without_effect.clone(),
    }
}

/// A protected object is not lost, whatever hazards are allowed.
fn protected(change: &Change) -> Option<Problem> {
    let lost = matches!(change.action, Action::Drop | Action::Replace);
    (lost && change.origin.prevent_drop).then(|| Problem {
        code: PROTECTED,
        span: Some(change.origin.span),
        message: format!("{} is protected: `prevent_drop` is set for `{}`", change.id, change.origin.entity),
        help: format!(
            "remove `prevent_drop` of entity `{}` from snowform.yml if that is meant",
            change.origin.entity
        ),
    })
}

fn missing_container(missing: &ScopeReading, scope: &Scope, target: &Target, span: Span) -> Problem {
    let schema = &scope.schema;
    let role = scope.role.as_ref().map(ToString::to_string).or_else(|| target.role.clone());
    let role = role.unwrap_or_else(|| "the session's role".to_owned());
    let (what, name) = match missing {
        ScopeReading::NoDatabase => ("database", schema.database.to_string()),
        ScopeReading::NoSchema | ScopeReading::Listed => ("schema", schema.to_string()),
    };
    let kind = what.to_uppercase();
    Problem {
        code: MISSING_CONTAINER,
        span: Some(span),
        message: format!("{what} {name} does not exist, or role {role} may not use it"),
        help: format!(
            "create it, correct the name, or let the role use it:\nCREATE {kind} {name};\nGRANT USAGE ON {kind} {name} TO ROLE {role};"
        ),
    }
}
