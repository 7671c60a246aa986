//! The pure middle: desired and live state to a [`Plan`]. One function for preview, file and deploy; the same inputs
//! give the same plan, byte for byte.

mod advice;
pub mod change;
mod diff;
pub mod file;
pub mod lint;
mod order;
mod privilege;
pub mod problem;
pub mod undo;

pub(crate) use diff::matches;

pub use advice::Advice;
pub use change::{
    Action, AttributeChange, Change, GrantAction, GrantChange, Reason, SchemaCreation, Step, TagChange,
};
pub use problem::Problem;

use crate::desired::{Desired, NotManaged, Origin};
use crate::kind::image_repository::PROJECT;
use crate::object::name::Ident;
use crate::object::reading::{Live, ScopeReading, scope_of};
use crate::object::state::{Object, ObjectId};
use crate::object::statement::{Hazard, HazardKind, Operation, Sql};
use crate::source::span::Spanned;
use diff::Comparison;

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

/// A goal, and how far a plan may go for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// What the plan is for.
    pub goal: Goal,
    /// Whether objects that carry the project's mark and are not declared any more are dropped.
    pub prune: bool,
    /// Whether schemas that are not there are created.
    pub create_schemas: bool,
}

impl From<Goal> for Intent {
    /// The goal, and no further.
    fn from(goal: Goal) -> Self {
        Self { goal, prune: false, create_schemas: false }
    }
}

impl Intent {
    /// What is left to intend once it was carried out: what was replaced on request is not replaced once more.
    #[must_use]
    pub fn settled(self) -> Self {
        let goal = if self.goal == Goal::Replace { Goal::Deploy } else { self.goal };
        Self { goal, ..self }
    }
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
    /// Where no account was asked: the revisions that are compared. Then the account is empty.
    pub between: Option<Between>,
}

/// Two revisions of a definition's files, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Between {
    /// What stands in the place of the account: `main (1a2b3c4d5e6f)`.
    pub base: String,
    /// What is compared with it: a revision, or the files as they are.
    pub head: String,
}

/// Everything that a deploy would do, decided. Immutable; a deploy adds no decision of its own.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it is for.
    pub goal: Goal,
    /// Where it acts.
    pub target: Target,
    /// Schemas that are created before anything else.
    pub schemas: Vec<SchemaCreation>,
    /// One for every object, in the order in which they are carried out.
    pub changes: Vec<Change>,
    /// Objects that carry the project's mark, are not declared any more, and stay.
    pub left: Vec<ObjectId>,
    /// Other objects of the same schemas, where they were read: nobody declares them, and nothing happens to them.
    pub undeclared: Vec<Undeclared>,
    /// What keeps the plan from being carried out.
    pub problems: Vec<Problem>,
    /// What is worth knowing before.
    pub advice: Vec<Advice>,
    /// Entities of types that are not deployed.
    pub not_managed: Vec<NotManaged>,
    /// What the definition says and nothing acts on.
    pub without_effect: Vec<Spanned<String>>,
}

/// An object that nobody declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undeclared {
    /// The object.
    pub id: ObjectId,
    /// What was read of it.
    pub live: Object,
}

impl Plan {
    /// Whether anything would change.
    pub fn has_changes(&self) -> bool {
        !self.schemas.is_empty() || self.changes.iter().any(|change| change.action != Action::NoOp)
    }

    /// The objects that would be lost, whose contents a plan must know.
    pub fn endangered(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| matches!(change.action, Action::Replace | Action::Drop))
    }

    /// The objects whose grants a plan must know, besides those that declare some: their owner changes, or they are
    /// replaced.
    pub fn regranted(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| {
            let owner_changes = change.action == Action::Alter && diff::owner_changes(change);
            change.action == Action::Replace || owner_changes
        })
    }

    /// The roles that give an object away.
    pub fn givers(&self) -> impl Iterator<Item = Ident> {
        let own = self.target.role.as_ref().and_then(|role| Ident::parse(role).ok());
        let giving = self.changes.iter().filter(|change| diff::new_owner(change).is_some());
        giving.filter_map(move |change| change.origin.role.clone().or_else(|| own.clone()))
    }

    /// How many changes there are of an action.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }

    /// The hazards that neither the caller nor the object's entity allows, each with the change that carries it.
    pub fn refused(&self, allowed: &[HazardKind]) -> Vec<(&Change, &Hazard)> {
        let all = self.changes.iter().flat_map(|change| {
            change.steps.iter().flat_map(move |step| step.hazards.iter().map(move |hazard| (change, hazard)))
        });
        all.filter(|(change, hazard)| {
            !allowed.contains(&hazard.kind) && !change.origin.allow.contains(&hazard.kind)
        })
        .collect()
    }
}

/// Computes the plan.
pub fn plan(intent: Intent, target: Target, desired: &Desired, live: &Live) -> Plan {
    let goal = intent.goal;
    let project = desired.project.as_ref().map(|name| name.value.as_str());
    let role = target.role.as_deref().and_then(|role| Ident::parse(role).ok());
    let replace = goal == Goal::Replace;
    let comparison = Comparison { live, replace, role: role.as_ref().map(Ident::as_str), project };
    let mut changes: Vec<Change> = desired
        .state
        .iter()
        .map(|(id, object)| (id, object, &desired.origins[id]))
        .filter(|(id, _, origin)| goal == Goal::Destroy || can_hold(id, origin, intent, live))
        .map(|(id, object, origin)| match goal {
            Goal::Deploy | Goal::Replace => comparison.converge(id, object, origin),
            Goal::Destroy => comparison.destroy(id, origin, Reason::DestroyAsked),
        })
        .collect();
    order::order(goal, &mut changes);
    let ours = belonging(desired, live);
    if goal != Goal::Destroy {
        // What is not listed may be hidden, or gone: nothing is done about it, and nothing said.
        let removed = desired.removed.iter().filter(|(id, _)| live.state.contains_key(id));
        let drops = removed.map(|(id, origin)| {
            comparison.destroy(id, origin, if desired.undoing { Reason::Undone } else { Reason::Removed })
        });
        let pruned = ours.iter().filter(|_| intent.prune);
        let pruned = pruned.map(|(id, origin)| comparison.destroy(id, origin, Reason::Pruned));
        let mut last: Vec<Change> = drops.chain(pruned).collect();
        last.sort_by(|a, b| a.id.cmp(&b.id));
        order::append(last, &mut changes);
    }
    let schemas = if goal == Goal::Destroy { Vec::new() } else { schemas(intent, desired, live) };
    let left: Vec<ObjectId> = if intent.prune || goal == Goal::Destroy {
        Vec::new()
    } else {
        ours.into_iter().map(|(id, _)| id).collect()
    };
    let mut problems = problem::problems(intent, &target, desired, live, &changes);
    problems.extend(privilege::missing(&target, live, &schemas, &changes));
    Plan {
        goal,
        advice: advice::advice(intent, live, &changes, &left),
        schemas,
        problems,
        left,
        undeclared: undeclared(desired, live),
        target,
        changes,
        not_managed: desired.not_managed.clone(),
        without_effect: desired.without_effect.clone(),
    }
}

/// Whether the place of an object is there, or will be.
fn can_hold(id: &ObjectId, origin: &Origin, intent: Intent, live: &Live) -> bool {
    match live.scopes.get(&scope_of(id, origin.role.as_ref())) {
        Some(ScopeReading::NoDatabase) => false,
        Some(ScopeReading::NoSchema) => intent.create_schemas,
        Some(ScopeReading::Listed) | None => true,
    }
}

/// Objects of the project that nobody declares, nor wants removed.
fn belonging(desired: &Desired, live: &Live) -> Vec<(ObjectId, Origin)> {
    let Some(project) = &desired.project else { return Vec::new() };
    let ours = live.siblings.iter().filter(|(id, object)| {
        object.attributes.get(PROJECT) == Some(&project.value)
            && !desired.state.contains_key(id)
            && !desired.unselected.contains(id)
            && !desired.removed.contains_key(id)
    });
    ours.map(|(id, _)| {
        let entity = id.name.name.to_string();
        (id.clone(), Origin::bare(entity, project.span, desired.role_to_see(id).cloned()))
    })
    .collect()
}

/// Objects that were read beside the declared ones, are not the project's, and are named nowhere.
fn undeclared(desired: &Desired, live: &Live) -> Vec<Undeclared> {
    let project = desired.project.as_ref().map(|name| &name.value);
    let others = live.siblings.iter().filter(|(id, object)| {
        let ours = project.is_some() && object.attributes.get(PROJECT) == project;
        !ours && !desired.unselected.contains(id)
    });
    others.map(|(id, object)| Undeclared { id: id.clone(), live: object.clone() }).collect()
}

fn schemas(intent: Intent, desired: &Desired, live: &Live) -> Vec<SchemaCreation> {
    let mut schemas: Vec<SchemaCreation> = Vec::new();
    let wanted = desired.scopes();
    let missing = live.scopes.iter().filter(|(scope, reading)| {
        intent.create_schemas && **reading == ScopeReading::NoSchema && wanted.contains(scope)
    });
    for (scope, _) in missing {
        if schemas.iter().all(|known| known.schema != scope.schema) {
            // IF NOT EXISTS: it may be there and hidden, and then what stands in it decides.
            let sql = Sql::new("CREATE SCHEMA IF NOT EXISTS").schema(&scope.schema);
            let step = Step { operation: Operation::Sql(sql), hazards: Vec::new(), role: scope.role.clone() };
            schemas.push(SchemaCreation { schema: scope.schema.clone(), step });
        }
    }
    schemas
}
