//! A plan as every view for people draws it: words, places and totals, ready to be written. Nothing is decided here, and
//! nothing is escaped yet; what comes from outside goes through [`Report::texts`], where secrets are taken out.

use super::counted;
use super::difference::{self, Difference};
use super::json::{Range, range};
use crate::desired::{Origin, PartOrigin};
use crate::kind::image_repository::{OWNER, PROJECT};
use crate::kind::{self, ChangeRule};
use crate::object::name::Ident;
use crate::object::reading::Users;
use crate::object::state::{Contents, Object};
use crate::object::statement::HazardKind;
use crate::plan::{
    Action, Advice, Between, Change, Goal, Plan, Problem, Reason, SchemaCreation, Step, Target, Undeclared,
};
use crate::source::files::Files;

/// A finished plan in words.
#[derive(Clone, Debug)]
pub struct Report {
    /// What it is for.
    pub goal: Goal,
    /// Where it acts: `in account A as role R`, or between which files it compares.
    pub place: Place,
    /// How many objects there are of each action that occurs, in the order of telling.
    pub totals: Vec<(Action, usize)>,
    /// Schemas that are created before anything else, by name.
    pub schemas: Vec<(String, Statement)>,
    /// One for every object, unchanged ones too, in the order in which they are carried out.
    pub entries: Vec<Entry>,
    /// What keeps it from being carried out.
    pub problems: Vec<Trouble>,
    /// What is worth knowing before, and commands for a shell.
    pub advice: Vec<(String, Vec<String>)>,
    /// What the definition says and nothing acts on, and what left it, in words; with its place, where it has one.
    pub notes: Vec<(String, Option<Range>)>,
    /// What else the same schemas hold, where that was read: what it is, and its history in words.
    pub undeclared: Vec<(String, String)>,
    /// What the objects are, where they are all of one type.
    pub noun: &'static str,
}

/// Where a plan acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In an account.
    Account {
        /// Its identifier.
        account: String,
        /// The role, where one is known.
        role: Option<String>,
    },
    /// Nowhere: two revisions of the files are compared, and no account was asked.
    Files {
        /// What stands in the place of the account.
        base: String,
        /// What is compared with it.
        head: String,
    },
}

/// What happens to one object.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What happens.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// What it is: `image repository`.
    pub noun: &'static str,
    /// Its full name in SQL spelling.
    pub name: String,
    /// The entity that asked for it.
    pub entity: String,
    /// Where that stands.
    pub at: Range,
    /// Parts of the name that are not written in the file, in words.
    pub completed: Option<String>,
    /// Why this and no other action, where what differs does not say it.
    pub why: Option<String>,
    /// Whose the object is, and since when it is there, in words.
    pub history: String,
    /// What differs.
    pub differences: Vec<Difference>,
    /// What is carried out, in order.
    pub statements: Vec<Statement>,
    /// The images in it, `name:tag` with the digest, where they were read.
    pub images: Option<Vec<Image>>,
    /// Who runs them, in words; nothing where nobody looked.
    pub users: Vec<String>,
    /// The entities that come before it.
    pub depends_on: Vec<String>,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// As it is sent.
    pub sql: String,
    /// The role it runs under, where that is not the connection's.
    pub role: Option<String>,
    /// What must be allowed before, in words.
    pub hazards: Vec<(HazardKind, String)>,
}

/// An image that goes with its repository.
#[derive(Clone, Debug)]
pub struct Image {
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// `sha256:…`
    pub digest: String,
    /// When it was pushed, as the account prints it.
    pub created_on: Option<String>,
}

/// What keeps a plan from being carried out.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// The stable code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Where the reason stands.
    pub at: Option<Range>,
}

impl Report {
    /// The plan in words.
    pub fn new(plan: &Plan, files: &Files) -> Self {
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
        let order = [Action::Create, Action::Alter, Action::Replace, Action::Drop, Action::NoOp];
        let unmanaged = not_managed.iter().map(|entity| {
            let said = format!("not managed: {} ({})", entity.entity, entity.type_name);
            (said, Some(range(entity.span, files)))
        });
        let ignored = without_effect.iter().map(|note| {
            let said = format!("without effect: {}", note.value);
            (said, Some(range(note.span, files)))
        });
        let left = left
            .iter()
            .map(|id| (format!("left the definition: {id}; it stays, and `--prune` drops it"), None));
        Self {
            goal: *goal,
            place: Place::of(target),
            totals: order
                .map(|action| (action, plan.count(action)))
                .into_iter()
                .filter(|(_, n)| *n > 0)
                .collect(),
            schemas: schemas
                .iter()
                .map(|SchemaCreation { schema, step }| (schema.to_string(), Statement::new(step)))
                .collect(),
            entries: changes.iter().map(|change| Entry::new(change, plan, files)).collect(),
            problems: problems.iter().map(|problem| Trouble::new(problem, files)).collect(),
            advice: advice
                .iter()
                .map(|Advice { message, commands }| (message.clone(), commands.clone()))
                .collect(),
            notes: unmanaged.chain(left).chain(ignored).collect(),
            undeclared: undeclared
                .iter()
                .map(|Undeclared { id, live }| (id.to_string(), history(live)))
                .collect(),
            noun: noun(changes),
        }
    }

    /// Whether anything would change.
    pub fn has_changes(&self) -> bool {
        !self.schemas.is_empty() || self.changed().next().is_some()
    }

    /// The objects that something happens to.
    pub fn changed(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.action != Action::NoOp)
    }

    /// How many objects there are of an action.
    pub fn count(&self, action: Action) -> usize {
        self.totals.iter().find(|(of, _)| *of == action).map_or(0, |(_, number)| *number)
    }

    /// Every hazard with the object whose statement carries it, in the order of the statements.
    pub fn hazards(&self) -> impl Iterator<Item = (&Entry, HazardKind, &str)> {
        self.entries.iter().flat_map(|entry| {
            let statements = entry.statements.iter();
            statements
                .flat_map(move |s| s.hazards.iter().map(move |(kind, said)| (entry, *kind, said.as_str())))
        })
    }

    /// `1 to create, 2 unchanged`, or what there is to say instead.
    pub fn totals_in_words(&self) -> String {
        if !self.has_changes() {
            return match (self.problems.len(), self.goal) {
                (0, Goal::Destroy) => "nothing seen to destroy".to_owned(),
                (0, Goal::Deploy | Goal::Replace) => "nothing to change".to_owned(),
                (number, _) => counted(number, "problem"),
            };
        }
        let words = |action| match action {
            Action::Create => "to create",
            Action::Alter => "to alter",
            Action::Replace => "to replace",
            Action::Drop => "to drop",
            Action::NoOp if self.goal == Goal::Destroy => "not seen",
            Action::NoOp => "unchanged",
        };
        let schemas = match self.schemas.len() {
            0 => None,
            number => Some(format!("{} to create", counted(number, "schema"))),
        };
        let totals = self.totals.iter().map(|(action, number)| format!("{number} {}", words(*action)));
        let parts: Vec<String> = schemas.into_iter().chain(totals).collect();
        parts.join(", ")
    }

    /// One sentence: what would happen and where, or that nothing would. Not escaped.
    pub fn sentence(&self) -> String {
        let place = self.place.in_words();
        if self.has_changes() {
            let problems = match self.problems.len() {
                0 => String::new(),
                number => format!("; {}, so nothing can be deployed", counted(number, "problem")),
            };
            return format!("Plan: {}{place}{problems}.", self.totals_in_words());
        }
        match (self.problems.len(), self.goal) {
            (0, Goal::Deploy | Goal::Replace) => {
                format!("Nothing to change: {} checked{place}.", counted(self.entries.len(), self.noun))
            }
            (0, Goal::Destroy) if self.entries.is_empty() => format!("Nothing to destroy{place}."),
            // Listings leave out what a role may not see: that nothing is there, nobody knows.
            (0, Goal::Destroy) => {
                format!("Nothing to destroy: {} not seen{place}.", counted(self.entries.len(), self.noun))
            }
            (number, _) => {
                let place = place.replacen(" in ", " to ", 1);
                format!("{}; nothing can be deployed{place}.", counted(number, "problem"))
            }
        }
    }

    /// Shows every place to somebody who may change its path.
    pub fn places(&mut self, each: &mut dyn FnMut(&mut Range)) {
        for entry in &mut self.entries {
            each(&mut entry.at);
            for difference in &mut entry.differences {
                match difference {
                    Difference::Value { at: Some(at), .. } => each(at),
                    Difference::Value { at: None, .. } | Difference::Item { .. } => {}
                }
            }
        }
        self.problems.iter_mut().filter_map(|problem| problem.at.as_mut()).for_each(&mut *each);
        self.notes.iter_mut().filter_map(|(_, at)| at.as_mut()).for_each(&mut *each);
    }

    /// Shows every text that comes from outside to somebody who may change it.
    pub fn texts(&mut self, each: &mut dyn FnMut(&mut String)) {
        let Self {
            goal: _,
            place,
            totals: _,
            schemas,
            entries,
            problems,
            advice,
            notes,
            undeclared,
            noun: _,
        } = self;
        place.texts(each);
        entries.iter_mut().for_each(|entry| entry.texts(each));
        for Trouble { code: _, message, help, at: _ } in problems {
            each(message);
            each(help);
        }
        for (schema, statement) in schemas {
            each(schema);
            statement.texts(each);
        }
        for (message, commands) in advice {
            each(message);
            commands.iter_mut().for_each(&mut *each);
        }
        notes.iter_mut().for_each(|(said, _)| each(said));
        for (what, history) in undeclared {
            each(what);
            each(history);
        }
    }
}

impl Place {
    fn of(target: &Target) -> Self {
        let Target { account, host: _, role, between } = target.clone();
        match between {
            Some(Between { base, head }) => Self::Files { base, head },
            None => Self::Account { account, role },
        }
    }

    /// As the end of a sentence, with a blank before it. Not escaped.
    pub fn in_words(&self) -> String {
        match self {
            Self::Account { account, role: Some(role) } => format!(" in account {account} as role {role}"),
            Self::Account { account, role: None } => format!(" in account {account}"),
            Self::Files { base, head } => format!(" from {base} to {head}; the account was not asked"),
        }
    }

    fn texts(&mut self, each: &mut dyn FnMut(&mut String)) {
        match self {
            Self::Account { account, role } => {
                each(account);
                role.iter_mut().for_each(each);
            }
            Self::Files { base, head } => {
                each(base);
                each(head);
            }
        }
    }
}

impl Entry {
    fn new(change: &Change, plan: &Plan, files: &Files) -> Self {
        let origin = &change.origin;
        Self {
            action: change.action,
            reason: change.reason,
            noun: change.id.object_type.noun(),
            name: change.id.name.to_string(),
            entity: origin.entity.clone(),
            at: range(origin.span, files),
            completed: completed(origin, plan.target.between.is_some()),
            why: (change.reason != Reason::Differs).then(|| why(change, plan)),
            history: change.live.as_ref().map(history).unwrap_or_default(),
            differences: difference::of(change, files),
            statements: change.steps.iter().map(Statement::new).collect(),
            images: change.contents.as_ref().and_then(images),
            users: change.users.as_ref().map(users).unwrap_or_default(),
            depends_on: origin.depends_on.clone(),
        }
    }

    /// What it is and its name: `image repository DB.CORE.REPO`.
    pub fn title(&self) -> String {
        format!("{} {}", self.noun, self.name)
    }

    fn texts(&mut self, each: &mut dyn FnMut(&mut String)) {
        let Self {
            action: _,
            reason: _,
            noun: _,
            name,
            entity,
            at: _,
            completed: _,
            why,
            history,
            differences,
            statements,
            images,
            users,
            depends_on,
        } = self;
        users.iter_mut().for_each(&mut *each);
        each(name);
        each(entity);
        each(history);
        why.iter_mut().for_each(&mut *each);
        for difference in differences {
            match difference {
                Difference::Value { field, before, after, at: _ } => {
                    each(field);
                    before.iter_mut().chain(after).for_each(&mut *each);
                }
                Difference::Item { sign: _, words: _, text } => each(text),
            }
        }
        statements.iter_mut().for_each(|statement| statement.texts(each));
        for Image { name, tags, digest, created_on: _ } in images.iter_mut().flatten() {
            each(name);
            each(digest);
            tags.iter_mut().for_each(&mut *each);
        }
        depends_on.iter_mut().for_each(each);
    }
}

impl Statement {
    fn new(step: &Step) -> Self {
        let Step { operation, hazards, role } = step;
        Self {
            sql: operation.to_string(),
            role: role.as_ref().map(ToString::to_string),
            hazards: hazards.iter().map(|hazard| (hazard.kind, hazard.message.clone())).collect(),
        }
    }

    fn texts(&mut self, each: &mut dyn FnMut(&mut String)) {
        let Self { sql, role, hazards } = self;
        each(sql);
        role.iter_mut().chain(hazards.iter_mut().map(|(_, said)| said)).for_each(each);
    }
}

impl Trouble {
    fn new(problem: &Problem, files: &Files) -> Self {
        let Problem { code, message, help, span } = problem;
        let at = span.map(|span| range(span, files));
        Self { code, message: message.clone(), help: help.clone(), at }
    }
}

fn images(contents: &Contents) -> Option<Vec<Image>> {
    let Contents::Listed(images) = contents else { return None };
    let image = |image: &crate::object::state::Image| {
        let crate::object::state::Image { name, tags, digest, created_on } = image.clone();
        Image { name, tags, digest, created_on }
    };
    Some(images.iter().map(image).collect())
}

fn noun(changes: &[Change]) -> &'static str {
    let mut types = changes.iter().map(|change| change.id.object_type);
    match types.next() {
        Some(first) if types.all(|other| other == first) => first.noun(),
        _ => "object",
    }
}

/// Who runs images that would go.
fn users(users: &Users) -> Vec<String> {
    match users {
        Users::Listed { names, unread } => {
            let used = names
                .iter()
                .map(|name| format!("used by service {name}: new instances of it will not start"));
            let unread = (*unread > 0).then(|| {
                format!("perhaps used: this role may not look into {}", counted(*unread, "service"))
            });
            used.chain(unread).collect()
        }
        Users::Unknown { why } => vec![format!("perhaps used: services could not be listed ({why})")],
    }
}

/// Why this action and no other.
fn why(change: &Change, plan: &Plan) -> String {
    match change.reason {
        Reason::NotListed if plan.target.between.is_some() => "it is not declared there".to_owned(),
        // Listings leave out what the role may not see.
        Reason::NotListed | Reason::NothingToDestroy => {
            match change.origin.role.as_ref().map(ToString::to_string).or(plan.target.role.clone()) {
                Some(role) => format!("it is not there, or role {role} may not see it"),
                None => "it is not there".to_owned(),
            }
        }
        Reason::AsDeclared => "it is as declared".to_owned(),
        Reason::Differs => "it is not as declared".to_owned(),
        Reason::Adopted => {
            let owner = change.live.as_ref().and_then(|live| live.attributes.get(OWNER));
            let owner =
                owner.map(|owner| format!(", owned by role {}", Ident::exact(owner))).unwrap_or_default();
            format!("it is there already{owner}, and becomes this project's")
        }
        Reason::CannotAlter => cannot_alter(change).to_owned(),
        Reason::ReplaceAsked => "--replace was given".to_owned(),
        Reason::DestroyAsked => "destroy was asked for".to_owned(),
        Reason::Removed => "`removed` names it".to_owned(),
        Reason::Undone => "the plan that is undone created it".to_owned(),
        Reason::Pruned => "it carries this project's mark and is not declared any more".to_owned(),
    }
}

/// Why a replacement and nothing milder.
fn cannot_alter(change: &Change) -> &'static str {
    let managed = kind::managed(change.id.object_type);
    let fixed =
        change.attributes.iter().find_map(|attribute| match managed.attribute(attribute.field)?.change {
            ChangeRule::Replace(why) => Some(why),
            ChangeRule::Alter(_) | ChangeRule::Afterwards(_) => None,
        });
    fixed.unwrap_or("it cannot be changed in place")
}

/// Whose an object is, and since when it is there.
fn history(object: &Object) -> String {
    let owner = object.attributes.get(OWNER).map(|owner| format!(", owned by role {}", Ident::exact(owner)));
    let created = object.facts.get("created_on").map(|when| format!(", created {when}"));
    let project = object.attributes.get(PROJECT).map(|project| format!(", of project {project}"));
    [owner, created, project].into_iter().flatten().collect()
}

/// Says which parts of the name are not written in the file.
fn completed(origin: &Origin, offline: bool) -> Option<String> {
    let parts = [("database", origin.database), ("schema", origin.schema)];
    let from = |wanted: PartOrigin| -> Vec<&str> {
        parts.iter().filter(|(_, part)| *part == wanted).map(|(name, _)| *name).collect()
    };
    let connection = from(PartOrigin::Connection);
    let mut words = Vec::new();
    if !connection.is_empty() {
        let from = if offline { "not written in the file" } else { "from the connection" };
        words.push(format!("{} {from}", connection.join(" and ")));
    }
    if !from(PartOrigin::Convention).is_empty() {
        words.push("schema PUBLIC because only a database is written".to_owned());
    }
    (!words.is_empty()).then(|| words.join("; "))
}
