//! Which diagnostics the editor has to be told. A document that is open in an editor that asks for diagnostics is left to
//! its asking; all other files of a project are told, each when something about it changes.

use super::client::Client;
use super::convert::{self, Convert};
use super::project::{Project, State};
use crate::ide::Role;
use gen_lsp_types::{Diagnostic, PublishDiagnosticsParams};
use std::collections::BTreeMap;

/// What the editor was told, by project and role.
#[derive(Debug, Default)]
pub(super) struct Published {
    told: BTreeMap<(String, Role), Told>,
}

/// What was told of a file.
#[derive(Debug, PartialEq)]
struct Told {
    uri: String,
    version: Option<i32>,
    diagnostics: Vec<Diagnostic>,
}

/// What is wrong in a file.
pub(super) fn diagnostics(project: &Project, role: Role, state: &State, client: &Client) -> Vec<Diagnostic> {
    match state {
        State::Failed(failure) if failure.role == role => vec![convert::failure(failure)],
        State::Failed(_) => Vec::new(),
        State::Read(analysis) => {
            let convert = Convert { analysis, project, client };
            let file = analysis.file(role);
            let found = analysis.diagnostics().iter();
            let here = found.filter(|found| Some(found.primary.span.file) == file);
            here.map(|found| convert.diagnostic(found)).collect()
        }
    }
}

impl Published {
    /// What the editor does not know yet.
    pub(super) fn news(
        &mut self,
        key: &str,
        project: &Project,
        state: &State,
        client: &Client,
    ) -> Vec<PublishDiagnosticsParams> {
        let mut news = Vec::new();
        for role in Role::ALL {
            let document = project.document(role);
            let is_pulled = client.pulls && document.is_some();
            let diagnostics = if is_pulled { Vec::new() } else { diagnostics(project, role, state, client) };
            let version = document.map(|document| document.version);
            let told = Told { uri: project.uri(role), version, diagnostics };
            let place = (key.to_owned(), role);
            let before = self.told.get(&place);
            // Of a file without mistakes the editor hears only if it is open or there were some.
            let is_open = document.is_some() && !is_pulled;
            let had_some = before.is_some_and(|before| !before.diagnostics.is_empty());
            let worth = !told.diagnostics.is_empty() || is_open || had_some;
            if worth && before != Some(&told) {
                let Told { uri, version, diagnostics } = &told;
                let (uri, diagnostics) = (uri.clone().into(), diagnostics.clone());
                news.push(PublishDiagnosticsParams { uri, version: *version, diagnostics });
            }
            self.told.insert(place, told);
        }
        news
    }

    /// Takes back what was told of a project.
    pub(super) fn clear(&mut self, key: &str) -> Vec<PublishDiagnosticsParams> {
        let mut cleared = Vec::new();
        for role in Role::ALL {
            if let Some(told) =
                self.told.remove(&(key.to_owned(), role)).filter(|told| !told.diagnostics.is_empty())
            {
                let uri = told.uri.into();
                cleared.push(PublishDiagnosticsParams { uri, version: None, diagnostics: Vec::new() });
            }
        }
        cleared
    }
}
