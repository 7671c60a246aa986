//! Where mixins, entities and variables are named, in every file of a project.

use super::place::{self, Refers};
use super::tree::{self, On, Part};
use super::{Reading, Role};
use crate::definition::template;
use crate::source::span::{FileId, Span};
use crate::source::yaml::Node;

/// What has a name that other places use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A mixin.
    Mixin,
    /// An entity.
    Entity,
    /// A variable of `env`.
    Variable,
}

/// A place where something is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Occurrence {
    /// What is named.
    pub(super) named: Named,
    /// Its name.
    pub(super) name: String,
    /// Where.
    pub(super) span: Span,
    /// What role the place has.
    pub(super) usage: Usage,
}

/// How a place names something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// It is defined there.
    Definition,
    /// A key or a text refers to it.
    Reference,
    /// A template refers to it.
    Template,
}

impl Named {
    /// What a person calls it.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Mixin => "mixin",
            Self::Entity => "entity",
            Self::Variable => "variable",
        }
    }

    /// The same with its article.
    pub(super) fn a_noun(self) -> &'static str {
        match self {
            Self::Mixin => "a mixin",
            Self::Entity => "an entity",
            Self::Variable => "a variable",
        }
    }

    /// The section that defines it.
    pub(super) fn section(self) -> &'static str {
        match self {
            Self::Mixin => "mixins",
            Self::Entity => "entities",
            Self::Variable => "env",
        }
    }

    fn of_section(section: &str) -> Option<Self> {
        [Self::Mixin, Self::Entity, Self::Variable].into_iter().find(|named| named.section() == section)
    }
}

impl Reading<'_> {
    /// Every place of every file where something is named.
    pub(super) fn occurrences(&self) -> Vec<Occurrence> {
        let mut found = Vec::new();
        for (role, root) in self.documents() {
            tree::walk(root, &mut |path, on| match on {
                On::Key(entry) => found.extend(self.key(role, path, entry.key.span)),
                On::Scalar(node) => self.text(path, node, &mut found),
            });
        }
        found
    }

    /// What is named at an offset.
    pub(super) fn occurrence_at(&self, file: FileId, offset: u32) -> Option<Occurrence> {
        let spot = tree::at(self.tree(self.role(file))?, offset)?;
        match spot.on {
            On::Key(entry) => self.key(self.role(file), &spot.path, entry.key.span),
            On::Scalar(node) => {
                let mut found = Vec::new();
                self.text(&spot.path, node, &mut found);
                found.into_iter().find(|occurrence| tree::touches(occurrence.span, file, offset))
            }
        }
    }

    fn key(&self, role: Role, path: &[Part], span: Span) -> Option<Occurrence> {
        let [Part::Key(section), Part::Key(name)] = path else { return None };
        let named = Named::of_section(section)?;
        let usage = match (role, named) {
            (Role::Definition | Role::Local, _) => Usage::Definition,
            (Role::Overlay, Named::Entity) => Usage::Reference,
            (Role::Overlay, _) => return None,
        };
        Some(Occurrence { named, name: name.clone(), span: self.inside_quotes(span), usage })
    }

    fn text(&self, path: &[Part], node: &Node, found: &mut Vec<Occurrence>) {
        let Some(name) = node.as_str() else { return };
        if let Some(refers) = place::names(path) {
            let named = match refers {
                Refers::Entity(_) => Named::Entity,
                Refers::Mixin => Named::Mixin,
            };
            let span = self.inside_quotes(node.span);
            if !name.is_empty() && !template::is_template(name) {
                found.push(Occurrence { named, name: name.to_owned(), span, usage: Usage::Reference });
            }
        }
        if template::is_template(name) {
            self.in_templates(node, found);
        }
    }

    /// The names in the templates of a text. They are read where they are written, quotes and folds and all: names hold
    /// nothing that would have to be written differently there.
    fn in_templates(&self, node: &Node, found: &mut Vec<Occurrence>) {
        let written = self.files.slice(node.span);
        for template::Named { path, ranges } in template::named(written).unwrap_or_default() {
            let [ctx, section, name, ..] = &path[..] else { continue };
            let Some(named) = Named::of_section(section).filter(|_| ctx == "ctx") else { continue };
            let start = node.span.start as usize;
            let span = Span::new(node.span.file, start + ranges[2].start, start + ranges[2].end);
            found.push(Occurrence { named, name: name.clone(), span, usage: Usage::Template });
        }
    }

    /// The content of a quoted text, where it stands there as it is.
    fn inside_quotes(&self, span: Span) -> Span {
        let written = self.files.slice(span);
        let quoted = |quote| written.len() >= 2 && written.starts_with(quote) && written.ends_with(quote);
        if quoted('"') || quoted('\'') {
            Span { start: span.start + 1, end: span.end - 1, ..span }
        } else {
            span
        }
    }
}

impl Reading<'_> {
    /// Where a name is defined: the definition's place before the local file's.
    pub(super) fn definitions(&self, named: Named, name: &str) -> Vec<Span> {
        let files = [Role::Definition, Role::Local].into_iter().filter_map(|role| self.tree(role));
        let entries = files.filter_map(|root| {
            tree::entries(root, &[named.section()]).iter().find(|entry| entry.key.value == name)
        });
        entries.map(|entry| self.inside_quotes(entry.key.span)).collect()
    }
}
