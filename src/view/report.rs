//! A plan as every view for people draws it: words, places and totals, ready to be written. Nothing is decided here, and
//! nothing is escaped yet; what comes from outside goes through [`Report::texts`], where secrets are taken out.

use super::counted;
use super::difference::{self, Difference};
use super::json::{Range, range};
use crate::desired::{Origin, PartOrigin};
use crate::kind::{self, ChangeRule};
use crate::object::state::Contents;
use crate::object::statement::HazardKind;
use crate::plan::{Action, Change, Goal, Plan, Problem, Reason, Step};
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
    /// One for every object, unchanged ones too, in the order in which they are carried out.
    pub entries: Vec<Entry>,
    /// What keeps it from being carried out.
    pub problems: Vec<Trouble>,
    /// What the definition says and nothing acts on, in words, with its place.
    pub notes: Vec<(String, Range)>,
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
    /// Why it is replaced and nothing milder.
    pub why: Option<&'static str>,
    /// What differs.
    pub differences: Vec<Difference>,
    /// What is carried out, in order.
    pub statements: Vec<Statement>,
    /// The images in it, `name:tag` with the digest, where they were read.
    pub images: Option<Vec<Image>>,
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
        let Plan { goal, target, changes, problems, not_managed, without_effect } = plan;
        let order = [Action::Create, Action::Alter, Action::Replace, Action::Drop, Action::NoOp];
        let unmanaged = not_managed.iter().map(|entity| {
            let said = format!("not managed: {} ({})", entity.entity, entity.type_name);
            (said, range(entity.span, files))
        });
        let ignored = without_effect.iter().map(|note| {
            let said = format!("without effect: {}", note.value);
            (said, range(note.span, files))
        });
        Self {
            goal: *goal,
            place: Place::Account { account: target.account.clone(), role: target.role.clone() },
            totals: order
                .map(|action| (action, plan.count(action)))
                .into_iter()
                .filter(|(_, n)| *n > 0)
                .collect(),
            entries: changes.iter().map(|change| Entry::new(change, files)).collect(),
            problems: problems.iter().map(|problem| Trouble::new(problem, files)).collect(),
            notes: unmanaged.chain(ignored).collect(),
            noun: noun(changes),
        }
    }

    /// Whether anything would change.
    pub fn has_changes(&self) -> bool {
        self.changed().next().is_some()
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
                (0, Goal::Destroy) => "nothing to destroy".to_owned(),
                (0, Goal::Deploy | Goal::Replace) => "nothing to change".to_owned(),
                (number, _) => counted(number, "problem"),
            };
        }
        let words = |action| match action {
            Action::Create => "to create",
            Action::Alter => "to alter",
            Action::Replace => "to replace",
            Action::Drop => "to drop",
            Action::NoOp if self.goal == Goal::Destroy => "not there",
            Action::NoOp => "unchanged",
        };
        let parts: Vec<String> =
            self.totals.iter().map(|(action, number)| format!("{number} {}", words(*action))).collect();
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
            (0, Goal::Destroy) => format!("Nothing to destroy{place}."),
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
        self.notes.iter_mut().for_each(|(_, at)| each(at));
    }

    /// Shows every text that comes from outside to somebody who may change it.
    pub fn texts(&mut self, each: &mut dyn FnMut(&mut String)) {
        let Self { goal: _, place, totals: _, entries, problems, notes, noun: _ } = self;
        place.texts(each);
        entries.iter_mut().for_each(|entry| entry.texts(each));
        for Trouble { code: _, message, help, at: _ } in problems {
            each(message);
            each(help);
        }
        notes.iter_mut().for_each(|(said, _)| each(said));
    }
}

impl Place {
    /// As the end of a sentence, with a blank before it. Not escaped.
    pub fn in_words(&self) -> String {
        match self {
            Self::Account { account, role: Some(role) } => format!(" in account {account} as role {role}"),
            Self::Account { account, role: None } => format!(" in account {account}"),
        }
    }

    fn texts(&mut self, each: &mut dyn FnMut(&mut String)) {
        match self {
            Self::Account { account, role } => {
                each(account);
                role.iter_mut().for_each(each);
            }
        }
    }
}

impl Entry {
    fn new(change: &Change, files: &Files) -> Self {
        let origin = &change.origin;
        Self {
            action: change.action,
            reason: change.reason,
            noun: change.id.object_type.noun(),
            name: change.id.name.to_string(),
            entity: origin.entity.clone(),
            at: range(origin.span, files),
            completed: completed(origin),
            why: why(change),
            differences: difference::of(change, files),
            statements: change.steps.iter().map(Statement::new).collect(),
            images: change.contents.as_ref().and_then(images),
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
            why: _,
            differences,
            statements,
            images,
            depends_on,
        } = self;
        each(name);
        each(entity);
        for difference in differences {
            match difference {
                Difference::Value { field, before, after, at: _ } => {
                    each(field);
                    before.iter_mut().chain(after).for_each(&mut *each);
                }
                Difference::Item { sign: _, words: _, text } => each(text),
            }
        }
        for Statement { sql, role, hazards } in statements {
            each(sql);
            role.iter_mut().chain(hazards.iter_mut().map(|(_, said)| said)).for_each(&mut *each);
        }
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

/// Why a replacement and nothing milder.
fn why(change: &Change) -> Option<&'static str> {
    if change.reason == Reason::ReplaceAsked {
        return Some("replaced because --replace was given");
    }
    let managed = kind::managed(change.id.object_type);
    change.attributes.iter().find_map(|attribute| match managed.attribute(attribute.field)?.change {
        ChangeRule::Replace(why) if change.action == Action::Replace => Some(why),
        ChangeRule::Replace(_) | ChangeRule::Alter(_) => None,
    })
}

/// Says which parts of the name are not written in the file.
fn completed(origin: &Origin) -> Option<String> {
    let parts = [("database", origin.database), ("schema", origin.schema)];
    let from = |wanted: PartOrigin| -> Vec<&str> {
        parts.iter().filter(|(_, part)| *part == wanted).map(|(name, _)| *name).collect()
    };
    let connection = from(PartOrigin::Connection);
    let mut words = Vec::new();
    if !connection.is_empty() {
        words.push(format!("{} from the connection", connection.join(" and ")));
    }
    if !from(PartOrigin::Convention).is_empty() {
        words.push("schema PUBLIC because only a database is written".to_owned());
    }
    (!words.is_empty()).then(|| words.join("; "))
}
