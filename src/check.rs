//! The one entry for command line and editor: texts in, project, desired state and diagnostics out.

use crate::definition::{self, Decoded, Inputs, Project, Trees};
use crate::desired::{self, Desired, NameDefaults};
use crate::rule;
use crate::source::diagnostic::Diagnostics;
use crate::source::files::Files;

/// Everything that can be known from the files alone.
#[derive(Debug)]
pub struct Checked {
    /// What is declared.
    pub project: Project,
    /// What is wrong with it.
    pub diagnostics: Diagnostics,
    /// What stands where, for an editor.
    pub trees: Trees,
}

/// Checks a project without a connection.
pub fn check(files: &Files, inputs: &Inputs<'_>) -> Checked {
    let Decoded { project, mut diagnostics, trees } = definition::decode(files, inputs);
    rule::check(&project, &NameDefaults::default(), &mut diagnostics);
    Checked { project, diagnostics, trees }
}

/// Completes a project's names from the connection. Names that were apart in the file may meet only now, so the
/// rules run once more.
pub fn complete(project: &Project, defaults: &NameDefaults) -> (Desired, Diagnostics) {
    let (desired, mut diagnostics) = desired::desired(project, defaults);
    rule::check(project, defaults, &mut diagnostics);
    (desired, diagnostics)
}
