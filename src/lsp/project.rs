//! A project as the editor holds it: open documents before what is on the disk, and what was last read of both.

use super::uri;
use crate::definition::Variables;
use crate::host::files;
use crate::ide::{Analysis, Role, Text, Texts};
use crate::source::files::MAX_FILE_BYTES;
use crate::source::lines::{EditorPosition, Encoding, Lines};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

/// A document that is open.
#[derive(Debug)]
pub(super) struct Document {
    /// Its address, as the editor spells it.
    pub(super) uri: String,
    /// The editor's count of its changes.
    pub(super) version: i32,
    text: String,
}

/// A folder with the files of a project.
#[derive(Debug)]
pub(super) struct Project {
    /// The folder's address, as the editor spells it.
    folder: String,
    path: Option<PathBuf>,
    open: BTreeMap<Role, Document>,
    /// What was read from the disk, until somebody says that it changed.
    disk: BTreeMap<Role, Disk>,
    state: Option<State>,
    /// How often it was read; names an answer.
    pub(super) generation: u64,
}

/// What stands on the disk.
#[derive(Clone, Debug)]
enum Disk {
    Nothing,
    Text(String),
    Unreadable(String),
}

/// What came of reading a project.
#[derive(Debug)]
pub(super) enum State {
    /// It could be read.
    Read(Box<Analysis>),
    /// It could not, and why is said at the top of a file.
    Failed(Failure),
}

/// Why a project cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The file that it is said of.
    pub(super) role: Role,
    /// A stable word.
    pub(super) code: &'static str,
    /// What is wrong, and what to do.
    pub(super) message: String,
}

/// A change to a document: a stretch and its new text, or the whole text.
pub(super) type Change = (Option<(EditorPosition, EditorPosition)>, String);

impl Project {
    /// The project in a folder.
    pub(super) fn new(folder: String) -> Self {
        Self {
            path: uri::path(&folder),
            folder,
            open: BTreeMap::new(),
            disk: BTreeMap::new(),
            state: None,
            generation: 0,
        }
    }

    /// Takes a document that was opened.
    pub(super) fn open(&mut self, role: Role, uri: String, version: i32, text: String) {
        self.open.insert(role, Document { uri, version, text });
        self.forget_disk();
    }

    /// Takes changes, in their order.
    pub(super) fn change(&mut self, role: Role, version: i32, changes: Vec<Change>, encoding: Encoding) {
        let Some(document) = self.open.get_mut(&role) else { return };
        document.version = version;
        for (range, text) in changes {
            let Some((start, end)) = range else {
                document.text = text;
                continue;
            };
            let lines = Lines::of(&document.text);
            let start = lines.offset(&document.text, start, encoding);
            let end = lines.offset(&document.text, end, encoding).max(start);
            document.text.replace_range(start..end, &text);
        }
        self.state = None;
    }

    /// Lets go of a document; what is on the disk counts again.
    pub(super) fn close(&mut self, role: Role) {
        self.open.remove(&role);
        self.forget_disk();
    }

    /// Something on the disk may have changed.
    pub(super) fn forget_disk(&mut self) {
        self.disk.clear();
        self.state = None;
    }

    /// Whether a document of it is open.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// The document of a role, where it is open.
    pub(super) fn document(&self, role: Role) -> Option<&Document> {
        self.open.get(&role)
    }

    /// How many documents are open.
    pub(super) fn count_open(&self) -> usize {
        self.open.len()
    }

    /// The address of a file.
    pub(super) fn uri(&self, role: Role) -> String {
        match self.open.get(&role) {
            Some(document) => document.uri.clone(),
            None => format!("{}{}", self.folder, role.file_name()),
        }
    }

    /// What was read, if nothing has changed since.
    pub(super) fn known(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// Reads the project, if anything has changed since it was read.
    pub(super) fn read(&mut self, variables: &Arc<Variables>) -> &State {
        if self.state.is_none() {
            self.generation += 1;
            let texts = self.texts();
            let state = texts.and_then(|texts| analyse(texts, variables)).unwrap_or_else(State::Failed);
            self.state = Some(state);
        }
        self.state.as_ref().expect("internal error: just read")
    }

    fn texts(&mut self) -> Result<Texts, Failure> {
        let [definition, local, overlay] = Role::ALL.map(|role| self.text(role));
        let (local, overlay) = (local?, overlay?);
        let definition = definition?.ok_or_else(|| Failure {
            role: self.open.keys().next().copied().unwrap_or(Role::Definition),
            code: "no-definition",
            message: "there is no snowflake.yml in this folder\nwithout it the other files of a project say nothing"
                .to_owned(),
        })?;
        Ok(Texts { definition, local, overlay })
    }

    fn text(&mut self, role: Role) -> Result<Option<Text>, Failure> {
        let path = role.file_name().to_owned();
        if let Some(document) = self.open.get(&role) {
            return Ok(Some(Text { path, text: document.text.clone() }));
        }
        let folder = self.path.as_ref();
        match self.disk.entry(role).or_insert_with(|| from_disk(folder, role)) {
            Disk::Nothing => Ok(None),
            Disk::Text(text) => Ok(Some(Text { path, text: text.clone() })),
            Disk::Unreadable(message) => {
                Err(Failure { role, code: "unreadable-file", message: message.clone() })
            }
        }
    }
}

fn from_disk(folder: Option<&PathBuf>, role: Role) -> Disk {
    let Some(folder) = folder else { return Disk::Nothing };
    match files::read_text(&folder.join(role.file_name()), MAX_FILE_BYTES) {
        Ok(None) => Disk::Nothing,
        Ok(Some(text)) => Disk::Text(text),
        Err(error) => Disk::Unreadable(format!("{} {error}\n{}", role.file_name(), error.help())),
    }
}

/// A mistake of ours costs one answer, not the session.
fn analyse(texts: Texts, variables: &Arc<Variables>) -> Result<State, Failure> {
    let variables = Arc::clone(variables);
    let analysis = catch_unwind(AssertUnwindSafe(|| Analysis::new(texts, variables)));
    analysis.map(|analysis| State::Read(Box::new(analysis))).map_err(|_| Failure {
        role: Role::Definition,
        code: "internal-error",
        message: "snowform failed at this text\nplease report it with the file; the log says more".to_owned(),
    })
}
