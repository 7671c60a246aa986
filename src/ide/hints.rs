//! Small remarks between the text: the name that an entity gets, what a template renders to, what is overridden.

use super::origin::{Explained, Rendered};
use super::tree::{self, On};
use super::{Analysis, Reading, Role, origin};
use crate::definition::template;
use crate::source::span::{FileId, Span};
use crate::source::yaml::{Entry, Node};
use std::ops::Range;
use std::sync::Arc;

/// A remark and the place behind which it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The offset in the text.
    pub offset: u32,
    /// The remark.
    pub label: String,
}

/// The remarks of a stretch of a file, in the order of their places.
pub fn hints(analysis: &Analysis, file: FileId, range: Range<u32>) -> Vec<Hint> {
    let reading = analysis.reading();
    let Some(root) = reading.tree(reading.role(file)) else { return Vec::new() };
    let mut found = Vec::new();
    let shown = |span: Span| span.file == file && range.start <= span.end && span.start <= range.end;
    reading.names(&shown, &mut found);
    reading.templates(root, &shown, &mut found);
    if reading.role(file) == Role::Definition
        && let Some(local) = reading.tree(Role::Local)
    {
        reading.overridden(root, local, &shown, &mut found);
    }
    if reading.role(file) != Role::Overlay {
        reading.overridden_variables(root, &shown, &mut found);
    }
    found.sort_by_key(|hint| hint.offset);
    found
}

impl Reading<'_> {
    /// The name behind the key of an entity that has no identifier.
    fn names(&self, shown: &impl Fn(Span) -> bool, found: &mut Vec<Hint>) {
        for entity in self.project.entities.iter().filter(|entity| shown(entity.key.span)) {
            let Some(name) = entity.name.as_ref().filter(|name| name.span == entity.key.span) else {
                continue;
            };
            found.push(Hint {
                offset: self.behind_colon(entity.key.span),
                label: format!("→ {}", origin::resolved(name)),
            });
        }
    }

    fn templates(&self, root: &Arc<Node>, shown: &impl Fn(Span) -> bool, found: &mut Vec<Hint>) {
        tree::walk(root, &mut |_, on| {
            let On::Scalar(node) = on else { return };
            if !shown(node.span) || !node.as_str().is_some_and(template::is_template) {
                return;
            }
            let Some(rendered) = self.render(node) else { return };
            if let Some(label) = template_label(&rendered) {
                found.push(Hint { offset: node.span.end, label });
            }
        });
    }

    /// Values that the local file replaces.
    fn overridden(&self, base: &Node, local: &Node, shown: &impl Fn(Span) -> bool, found: &mut Vec<Hint>) {
        let (Some(below), Some(above)) = (base.as_mapping(), local.as_mapping()) else { return };
        for Entry { key, value } in above {
            let Some(replaced) = below.iter().find(|entry| entry.key.value == key.value) else { continue };
            if value.as_mapping().is_some() && replaced.value.as_mapping().is_some() {
                self.overridden(&replaced.value, value, shown, found);
                continue;
            }
            if !shown(replaced.key.span) && !shown(replaced.value.span) {
                continue;
            }
            let on_one_line = self.is_on_one_line(replaced);
            let offset =
                if on_one_line { replaced.value.span.end } else { self.behind_colon(replaced.key.span) };
            let shows = value
                .as_str()
                .filter(|text| !text.is_empty() && !text.contains('\n'))
                .map(|text| format!(": {text}"));
            let label = format!("overridden by {}{}", self.line(value.span), shows.unwrap_or_default());
            found.push(Hint { offset, label });
        }
    }

    /// Variables that the environment replaces.
    fn overridden_variables(&self, root: &Arc<Node>, shown: &impl Fn(Span) -> bool, found: &mut Vec<Hint>) {
        for Entry { key, value } in tree::entries(root, &["env"]).iter().filter(|entry| shown(entry.key.span))
        {
            let path = ["ctx", "env", key.value.as_str()].map(ToOwned::to_owned);
            let mut explained = Vec::new();
            self.explain(&path, key.span, 0, &mut explained);
            let Some(Explained { value: actual, origin, .. }) = explained.first() else { continue };
            if origin.starts_with("--env") || origin.starts_with("the environment") {
                let shows = actual.as_ref().map(|actual| format!(": {actual}")).unwrap_or_default();
                found.push(Hint { offset: value.span.end, label: format!("overridden by {origin}{shows}") });
            }
        }
    }

    fn is_on_one_line(&self, entry: &Entry) -> bool {
        let (key, value) = (entry.key.span, entry.value.span);
        let end = self.files.position(value.file, value.end).line;
        (key.file, self.files.start(key).line) == (value.file, end)
    }

    /// Behind the colon of a key.
    fn behind_colon(&self, key: Span) -> u32 {
        let rest = self.files.text(key.file).get(key.end as usize..).unwrap_or("");
        let colon = rest.find(':').filter(|at| rest[..*at].trim().is_empty());
        key.end + u32::try_from(colon.map_or(0, |at| at + 1)).unwrap_or(0)
    }
}

/// The value of a text, and where it comes from if that is one place.
fn template_label(rendered: &Rendered) -> Option<String> {
    let value = rendered.value.as_ref().filter(|value| !value.contains('\n'))?;
    let direct: Vec<&Explained> = rendered.variables.iter().filter(|variable| variable.depth == 0).collect();
    Some(match direct[..] {
        [] => return None,
        [one] => format!("= {value} ({})", one.origin),
        _ => format!("= {value}"),
    })
}
