//! What an editor can ask of a project, in our own words: plain data in, plain data out, no protocol and no I/O.
//!
//! An [`Analysis`] is made from the texts of a project, as they stand in the editor, and never changes. Diagnostics are
//! those of [`crate::check`], word for word. Everything else works on a [`Reading`], which is the same as long as the
//! texts are YAML; where somebody is in the middle of a line, that line is left out and the rest still answers.

pub mod complete;
mod cursor;
pub mod fix;
pub mod folding;
pub mod goto;
pub mod hints;
pub mod hover;
mod names;
mod origin;
mod place;
pub mod rename;
pub mod symbols;
mod tree;

use crate::check::{self, Checked};
use crate::definition::{Inputs, Project, Trees, Variables};
use crate::source::diagnostic::Diagnostic;
use crate::source::files::Files;
use crate::source::mend;
use crate::source::span::{FileId, Span};
use crate::source::yaml::Node;
use std::cell::OnceCell;
use std::sync::Arc;

/// A text and the path that messages name it by.
#[derive(Clone, Debug)]
pub struct Text {
    /// The path.
    pub path: String,
    /// What stands in the editor, or else on the disk.
    pub text: String,
}

/// The texts of a project.
#[derive(Clone, Debug)]
pub struct Texts {
    /// `snowflake.yml`.
    pub definition: Text,
    /// `snowflake.local.yml`, where there is one.
    pub local: Option<Text>,
    /// `snowform.yml`, where there is one.
    pub overlay: Option<Text>,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// `snowflake.yml`.
    Definition,
    /// `snowflake.local.yml`.
    Local,
    /// `snowform.yml`.
    Overlay,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Definition, Self::Local, Self::Overlay];

    /// The one file name that has this role.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Definition => "snowflake.yml",
            Self::Local => "snowflake.local.yml",
            Self::Overlay => "snowform.yml",
        }
    }

    /// The role of a file by its name.
    pub fn of(file_name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.file_name() == file_name)
    }
}

/// A place where a text is to be replaced, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What goes.
    pub span: Span,
    /// What comes.
    pub text: String,
}

/// A project as it stands at one moment.
#[derive(Debug)]
pub struct Analysis {
    files: Files,
    ids: Ids,
    variables: Arc<Variables>,
    checked: Checked,
    diagnostics: Vec<Diagnostic>,
    mended: OnceCell<Option<(Files, Checked)>>,
}

#[derive(Clone, Copy, Debug)]
struct Ids {
    definition: FileId,
    local: Option<FileId>,
    overlay: Option<FileId>,
}

/// What features read.
#[derive(Clone, Copy, Debug)]
struct Reading<'a> {
    files: &'a Files,
    ids: Ids,
    variables: &'a Variables,
    project: &'a Project,
    trees: &'a Trees,
}

impl Analysis {
    /// Reads and checks a project.
    pub fn new(texts: Texts, variables: Arc<Variables>) -> Self {
        let mut files = Files::default();
        let mut add = |text: Text| files.add(text.path, text.text);
        let Texts { definition, local, overlay } = texts;
        let ids =
            Ids { definition: add(definition), local: local.map(&mut add), overlay: overlay.map(&mut add) };
        let mut checked = check::check(&files, &ids.inputs(&variables));
        let diagnostics = std::mem::take(&mut checked.diagnostics).sorted();
        Self { files, ids, variables, checked, diagnostics, mended: OnceCell::new() }
    }

    /// The texts.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// The file that has a role.
    pub fn file(&self, role: Role) -> Option<FileId> {
        self.ids.file(role)
    }

    /// What is wrong, in the order of the places: what `validate` says.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Whether a line had to be left out for a text to be read.
    fn is_mended(&self) -> bool {
        self.mended.get_or_init(|| self.mend()).is_some()
    }

    fn reading(&self) -> Reading<'_> {
        let mended = self.mended.get_or_init(|| self.mend());
        let (files, checked) = mended.as_ref().map_or((&self.files, &self.checked), |(f, c)| (f, c));
        let Checked { project, trees, diagnostics: _ } = checked;
        Reading { files, ids: self.ids, variables: &self.variables, project, trees }
    }

    /// The same project without the lines that keep a text from being YAML; nothing where all of them are.
    fn mend(&self) -> Option<(Files, Checked)> {
        let mut files = Files::default();
        let mut any = false;
        for id in self.files.ids() {
            let text = self.files.text(id);
            let mended = mend::mend(id, text);
            any |= mended.is_some();
            files.add(self.files.path(id), mended.unwrap_or_else(|| text.to_owned()));
        }
        any.then(|| {
            let checked = check::check(&files, &self.ids.inputs(&self.variables));
            (files, checked)
        })
    }
}

impl Ids {
    fn inputs(self, variables: &Variables) -> Inputs<'_> {
        let Self { definition, local, overlay } = self;
        Inputs { definition, local, overlay, variables }
    }

    fn file(self, role: Role) -> Option<FileId> {
        match role {
            Role::Definition => Some(self.definition),
            Role::Local => self.local,
            Role::Overlay => self.overlay,
        }
    }

    fn role(self, file: FileId) -> Role {
        if Some(file) == self.local {
            Role::Local
        } else if Some(file) == self.overlay {
            Role::Overlay
        } else {
            Role::Definition
        }
    }
}

impl<'a> Reading<'a> {
    /// What a file is for.
    fn role(&self, file: FileId) -> Role {
        self.ids.role(file)
    }

    /// A file's own document.
    fn tree(&self, role: Role) -> Option<&'a Arc<Node>> {
        let Trees { definition, local, overlay, applied: _, rendered: _ } = self.trees;
        match role {
            Role::Definition => definition,
            Role::Local => local,
            Role::Overlay => overlay,
        }
        .as_ref()
    }

    /// Every document with the role of its file.
    fn documents(&self) -> impl Iterator<Item = (Role, &'a Arc<Node>)> + use<'a> {
        let reading = *self;
        Role::ALL.into_iter().filter_map(move |role| Some((role, reading.tree(role)?)))
    }
}
