//! What keeps a plan from being carried out, whatever is allowed.

use super::change::{Action, Change};
use super::{Goal, Intent, Target, diff};
use crate::desired::{Desired, Origin};
use crate::kind::image_repository::PREVENT_DROP;
use crate::object::name::Ident;
use crate::object::reading::{Live, Scope, ScopeReading, scope_of};
use crate::object::state::{Contents, ImageRef, ObjectId};
use crate::source::span::Span;
use std::collections::BTreeMap;

/// Why a plan cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable code, for `explain`; one of the constants below.
    pub code: &'static str,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do.
    pub help: String,
    /// What in the definition asks for it, where anything does.
    pub span: Option<Span>,
}

/// A database or a schema that does not exist, or that the role may not use.
pub const MISSING_CONTAINER: &str = "missing-container";
/// An object that must not be lost.
pub const PROTECTED: &str = "protected";
/// A privilege that the role needs for the plan, and does not have.
pub const MISSING_PRIVILEGE: &str = "missing-privilege";
/// Grants of which nobody said what becomes of them when the owner changes.
pub const OPEN_GRANTS: &str = "open-grants";
/// More objects would be lost than the definition lets go at once.
pub const TOO_MANY_DROPS: &str = "too-many-drops";
/// An owner that the deploying role does not act for.
pub const LOSES_SIGHT: &str = "loses-sight";
/// An image that must be there and is not.
pub const MISSING_IMAGE: &str = "missing-image";

/// Everything that is wrong with a plan of these changes.
pub(super) fn problems(
    intent: Intent,
    target: &Target,
    desired: &Desired,
    live: &Live,
    changes: &[Change],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    if intent.goal != Goal::Destroy {
        let wanted = desired.scopes();
        let missing = live.scopes.iter().filter(|(scope, _)| wanted.contains(scope));
        let asks = |scope: &Scope| {
            desired.origins.iter().find(|(id, origin)| scope_of(id, origin.role.as_ref()) == *scope)
        };
        let found: BTreeMap<String, Problem> = missing
            .filter_map(|(scope, reading)| {
                let span = asks(scope).map(|(_, origin)| origin.span);
                missing_container(intent, reading, scope, target).map(|problem| Problem { span, ..problem })
            })
            .map(|problem| (problem.message.clone(), problem))
            .collect();
        problems.extend(found.into_values());
        problems.extend(missing_images(desired, live));
    }
    problems.extend(changes.iter().filter_map(|change| protected(change, desired)));
    problems.extend(changes.iter().filter(|change| diff::leaves_grants_open(change)).map(open_grants));
    problems.extend(changes.iter().filter_map(|change| loses_sight(change, target, live)));
    problems.extend(changes.iter().filter_map(replaces_what_is_required));
    problems.extend(schemas_of_several_roles(intent, desired, live));
    problems.extend(too_many_drops(desired, changes));
    problems
}

fn missing_container(
    intent: Intent,
    reading: &ScopeReading,
    scope: &Scope,
    target: &Target,
) -> Option<Problem> {
    let schema = &scope.schema;
    let role = scope.role.as_ref().map(ToString::to_string).or_else(|| target.role.clone());
    let role = role.unwrap_or_else(|| "the session's role".to_owned());
    let (what, name, way_out) = match reading {
        ScopeReading::Listed => return None,
        ScopeReading::NoSchema if intent.create_schemas => return None,
        ScopeReading::NoDatabase => ("database", schema.database.to_string(), "create it"),
        ScopeReading::NoSchema => ("schema", schema.to_string(), "create it (--create-schemas does)"),
    };
    let kind = what.to_uppercase();
    Some(Problem {
        code: MISSING_CONTAINER,
        span: None,
        message: format!("{what} {name} does not exist, or role {role} may not use it"),
        help: format!(
            "{way_out}, correct the name, or let the role use it:\nCREATE {kind} {name};\nGRANT USAGE ON {kind} {name} TO ROLE {role};"
        ),
    })
}

/// A protected object is not lost, whatever hazards are allowed. The protection stands on the object, so it outlives the
/// lines that declared it; what lifts it is a deploy of a file that says so, and nothing else.
fn protected(change: &Change, desired: &Desired) -> Option<Problem> {
    let lost = matches!(change.action, Action::Drop | Action::Replace);
    let is_true = |value: Option<&String>| value.is_some_and(|value| value == "true");
    let declared = desired.state.get(&change.id).and_then(|object| object.attributes.get(PREVENT_DROP));
    let kept = change.live.as_ref().and_then(|live| live.attributes.get(PREVENT_DROP));
    let help = if is_true(declared) {
        format!(
            "set `prevent_drop: false` for entity `{}` in snowform.yml, deploy that, and try again, if that is meant",
            change.origin.entity
        )
    } else {
        "its mark says so; to lift it, deploy `prevent_drop: false` for its entity in snowform.yml first"
            .to_owned()
    };
    (lost && (is_true(declared) || is_true(kept))).then(|| Problem {
        code: PROTECTED,
        span: Some(change.origin.span),
        message: format!("{} is protected: `prevent_drop` is set for it", change.id),
        help,
    })
}

fn open_grants(change: &Change) -> Problem {
    let held = change.live.as_ref().and_then(|live| live.grants.as_ref()).into_iter().flatten();
    let held: Vec<String> = held.map(ToString::to_string).collect();
    let which = if held.is_empty() { String::new() } else { format!(" ({})", held.join(", ")) };
    Problem {
        code: OPEN_GRANTS,
        span: Some(change.origin.span),
        message: format!("the owner of {} changes, and there are grants on it{which}", change.id),
        help: format!(
            "say in snowform.yml what becomes of them: for entity `{}`, `owner_grants: copy` keeps them, and `owner_grants: revoke` takes them away",
            change.origin.entity
        ),
    }
}

/// A role that gives an object away and has no other right to it does not see it any more: it could neither check what it
/// did nor deploy again, nor give back the grants that a new owner takes away.
fn loses_sight(change: &Change, target: &Target, live: &Live) -> Option<Problem> {
    let owner = diff::new_owner(change)?;
    let role = change.origin.role.clone().or_else(|| Ident::parse(target.role.as_ref()?).ok())?;
    // Where nobody could say what the role may do, the deploy will.
    let known = live.sight.get(&role)?;
    let sees = known.roles.contains(&owner) || known.on_account("MANAGE GRANTS");
    (!sees).then(|| Problem {
        code: LOSES_SIGHT,
        span: Some(change.origin.span),
        message: format!("role {role} would give {} to role {owner}, and not see it any more", change.id),
        help: format!("let the role act for the new owner, or deploy as one that does:\nGRANT ROLE {owner} TO ROLE {role};"),
    })
}

/// A repository that is replaced is empty, and cannot hold what it must hold.
fn replaces_what_is_required(change: &Change) -> Option<Problem> {
    let required: Vec<String> = change.origin.require_images.iter().map(ToString::to_string).collect();
    (change.action == Action::Replace && !required.is_empty()).then(|| Problem {
        code: MISSING_IMAGE,
        span: Some(change.origin.span),
        message: format!("{} would be replaced by an empty one, and must hold {}", change.id, required.join(", ")),
        help: format!(
            "take `require_images` of entity `{}` out of snowform.yml for as long as that takes, if it is meant",
            change.origin.entity
        ),
    })
}

/// A schema is created by one role, and nobody else may use it then. One that another role sees is there already.
fn schemas_of_several_roles(intent: Intent, desired: &Desired, live: &Live) -> Vec<Problem> {
    let wanted = desired.scopes();
    let missing = live.scopes.iter().filter(|(scope, reading)| {
        intent.create_schemas && **reading == ScopeReading::NoSchema && wanted.contains(scope)
    });
    let problems = missing.filter_map(|(scope, _)| {
        let other = wanted.iter().find(|other| other.schema == scope.schema && other.role != scope.role)?;
        let name = |scope: &Scope| match &scope.role {
            Some(role) => format!("role {role}"),
            None => "the connection's role".to_owned(),
        };
        // Of two roles that both miss it, one is told.
        let both = live.scopes.get(other) == Some(&ScopeReading::NoSchema);
        if both && scope > other {
            return None;
        }
        let message = if both {
            format!(
                "schema {} would be created for {} and {}, and only one would own it",
                scope.schema,
                name(scope),
                name(other)
            )
        } else {
            format!("{} may not use schema {}, which {} sees", name(scope), scope.schema, name(other))
        };
        let role = scope.role.as_ref().or(other.role.as_ref())?;
        let help = format!(
            "create it first, and let each role use it:\nGRANT USAGE ON SCHEMA {} TO ROLE {role};",
            scope.schema
        );
        Some(Problem { code: MISSING_CONTAINER, span: None, message, help })
    });
    problems.collect()
}

fn too_many_drops(desired: &Desired, changes: &[Change]) -> Option<Problem> {
    let limit = desired.max_drops?;
    let lost =
        changes.iter().filter(|change| matches!(change.action, Action::Drop | Action::Replace)).count();
    let present = changes.iter().filter(|change| change.live.is_some()).count();
    limit.is_exceeded(lost, present).then(|| Problem {
        code: TOO_MANY_DROPS,
        span: None,
        message: format!(
            "{lost} of {present} objects would be dropped or replaced, and `max_drops` in snowform.yml is {limit}"
        ),
        help: "look at each of them; if all are meant, raise `max_drops`".to_owned(),
    })
}

/// Images that must be there. A repository that is yet to be created can hold none, so it is not asked for any.
fn missing_images(desired: &Desired, live: &Live) -> Vec<Problem> {
    let requiring = desired.origins.iter().filter(|(id, _)| live.state.contains_key(id));
    requiring.flat_map(|(id, origin)| missing_in(id, origin, live.contents.get(id))).collect()
}

fn missing_in(id: &ObjectId, origin: &Origin, contents: Option<&Contents>) -> Vec<Problem> {
    let missing = |why: String, image: &ImageRef| Problem {
        code: MISSING_IMAGE,
        span: Some(origin.span),
        message: format!("{id} must hold image {image}, which {why}"),
        help: format!(
            "push it, or correct `require_images` of entity `{}` in snowform.yml; what is there:\nsnowform image-repository list-images {}",
            origin.entity, id.name
        ),
    };
    let required = origin.require_images.iter();
    match contents {
        Some(Contents::Listed(images)) => required
            .filter(|required| !images.iter().any(|image| required.is(image)))
            .map(|required| missing("is not there".to_owned(), required))
            .collect(),
        Some(Contents::Unknown { why }) => {
            required.map(|required| missing(format!("cannot be looked for: {why}"), required)).collect()
        }
        None => Vec::new(),
    }
}
