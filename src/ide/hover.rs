//! What stands under the cursor, in Markdown: the meaning of a key, what an entity comes to, the value of a template.

use super::names::{Named, Occurrence, Usage};
use super::origin::{self, Explained, Rendered};
use super::place::{self, Expects, Slot};
use super::tree::{self, On, Part, Spot};
use super::{Analysis, Reading, Role};
use crate::definition::template;
use crate::kind::field::{Fallback, Field};
use crate::kind::{self, Kind};
use crate::source::span::{FileId, Span};
use crate::source::yaml::{Data, Entry, Node};
use std::fmt::Write as _;
use std::sync::Arc;

/// What to show, and of which stretch of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// What it is about.
    pub span: Span,
    /// Markdown.
    pub markdown: String,
}

/// An entity with more lines than this is cut.
const MOST_LINES: usize = 60;

/// What can be said of the place at an offset.
pub fn hover(analysis: &Analysis, file: FileId, offset: u32) -> Option<Hover> {
    let reading = analysis.reading();
    let role = reading.role(file);
    let spot = tree::at(reading.tree(role)?, offset)?;
    let (span, on_template) = match spot.on {
        On::Key(entry) => (entry.key.span, None),
        On::Scalar(node) => (node.span, reading.template_under(node, offset)),
    };
    if let Some(markdown) = on_template {
        return Some(Hover { span, markdown });
    }
    if let Some(occurrence) = reading.occurrence_at(file, offset) {
        let markdown = reading.describe_name(&occurrence)?;
        return Some(Hover { span: occurrence.span, markdown });
    }
    Some(Hover { span, markdown: reading.describe_place(role, &spot)? })
}

impl Reading<'_> {
    /// The value of a text whose template is under the cursor.
    fn template_under(&self, node: &Node, offset: u32) -> Option<String> {
        let written = self.files.slice(node.span);
        let at = (offset.checked_sub(node.span.start)? as usize).min(written.len());
        let open = written.get(..at)?.rfind("<%")?;
        let inside = !written.get(open..at)?.trim_end_matches("%>").contains("%>");
        let rendered = self.render(node).filter(|_| inside)?;
        Some(describe_template(written, &rendered))
    }

    fn describe_name(&self, occurrence: &Occurrence) -> Option<String> {
        let Occurrence { named, name, span, usage } = occurrence;
        match named {
            Named::Entity => self.describe_entity(name),
            Named::Mixin => self.describe_mixin(name),
            Named::Variable => {
                let path = ["ctx", "env", name.as_str()].map(ToOwned::to_owned);
                let mut found = Vec::new();
                self.explain(&path, *span, 0, &mut found);
                let note = match (usage, found.first()) {
                    (Usage::Definition, Some(first)) if !first.origin.contains(':') => {
                        format!("\n\nWhat is written here is overridden by {}.", first.origin)
                    }
                    _ => String::new(),
                };
                Some(format!("**variable** `ctx.env.{name}`\n\n{}{note}", list(&found)))
            }
        }
    }

    /// An entity's type, name, and what all files, mixins and templates make of it.
    fn describe_entity(&self, id: &str) -> Option<String> {
        let rendered = tree::get(self.trees.rendered.as_ref()?, &["entities", id])?;
        let mut out = String::new();
        match self.kind_of(id) {
            Some(kind) => {
                let _ = write!(out, "**{}** {}\n\n{}", kind.type_name, code(id), kind.doc);
            }
            None => {
                let _ = write!(out, "**entity** {}", code(id));
            }
        }
        let entity = self.entity(id);
        if let Some(name) =
            entity.and_then(|entity| entity.name.as_ref()).filter(|name| !self.hides(name.span))
        {
            let _ = write!(out, "\n\nname: {}", code(&origin::resolved(name)));
        }
        let mut lines = Vec::new();
        self.effective(rendered, 0, &mut lines);
        // Mixins come first in the merged entity; its type is what a reader looks for.
        if let Some(at) = lines.iter().position(|(line, _)| line.starts_with("type: ")) {
            lines[..=at].rotate_right(1);
        }
        let overlay = self.tree(Role::Overlay).and_then(|root| tree::get(root, &["entities", id]));
        if let (Some(more), Some(renderer)) =
            (overlay.filter(|node| node.as_mapping().is_some()), self.renderer())
        {
            self.effective(&renderer.render(more), 0, &mut lines);
        }
        let _ = write!(out, "\n\n{}", fenced(&lines));
        Some(out)
    }

    fn describe_mixin(&self, name: &str) -> Option<String> {
        let root = self.trees.applied.as_ref()?;
        let mixin = tree::get(root, &["mixins", name])?;
        let mut lines = Vec::new();
        self.effective(mixin, 0, &mut lines);
        let mut users: Vec<String> = Vec::new();
        for entity in tree::entries(root, &["entities"]) {
            let used = tree::get(&entity.value, &["meta", "use_mixins"]);
            if used.is_some_and(|used| texts(used).any(|used| used == name)) {
                users.push(code(&entity.key.value));
            }
        }
        let users = if users.is_empty() { "no entity".to_owned() } else { users.join(", ") };
        Some(format!("**mixin** {}, used by {users}\n\n{}", code(name), fenced(&lines)))
    }

    /// A value as YAML, each line with where it comes from.
    fn effective(&self, node: &Arc<Node>, indent: usize, lines: &mut Vec<(String, String)>) {
        if lines.len() > MOST_LINES {
            return;
        }
        let pad = " ".repeat(indent);
        match &node.data {
            Data::Sequence(items) if items.is_empty() => lines.push((format!("{pad}[]"), String::new())),
            Data::Mapping(entries) if entries.is_empty() => lines.push((format!("{pad}{{}}"), String::new())),
            Data::Scalar(text) => {
                lines.push((format!("{pad}{}", self.shown(node, text)), self.value_origin(node)))
            }
            Data::Sequence(items) if items.iter().all(|item| item.as_str().is_some()) => {
                for item in items {
                    let text = self.shown(item, item.as_str().unwrap_or(""));
                    lines.push((format!("{pad}- {text}"), self.value_origin(item)));
                }
            }
            Data::Sequence(items) => {
                for item in items {
                    let first = lines.len();
                    self.effective(item, indent + 2, lines);
                    if let Some((line, _)) = lines.get_mut(first) {
                        line.replace_range(indent..=indent, "-");
                    }
                }
            }
            Data::Mapping(entries) => {
                for Entry { key, value } in entries {
                    let on_the_line = match &value.data {
                        Data::Scalar(text) => Some(self.shown(value, text)),
                        Data::Sequence(items) => items.is_empty().then(|| "[]".to_owned()),
                        Data::Mapping(entries) => entries.is_empty().then(|| "{}".to_owned()),
                    };
                    match on_the_line {
                        Some(text) => {
                            lines.push((format!("{pad}{}: {text}", key.value), self.value_origin(value)));
                        }
                        None => {
                            lines.push((format!("{pad}{}:", key.value), String::new()));
                            self.effective(value, indent + 2, lines);
                        }
                    }
                }
            }
        }
    }

    /// A text as YAML, unless it holds a secret.
    fn shown(&self, node: &Node, text: &str) -> String {
        if node.rendered && self.hides(node.span) { "(not shown)".to_owned() } else { scalar(text) }
    }

    fn value_origin(&self, node: &Node) -> String {
        let origin = self.origin(node.span);
        let written = self.files.slice(node.span);
        if node.as_str().is_some() && template::is_template(written) {
            format!("{origin}, {}", one_line(written))
        } else {
            origin
        }
    }

    fn describe_place(&self, role: Role, spot: &Spot<'_>) -> Option<String> {
        let Slot { expects, field, .. } = place::slot(role, &spot.path, &|id| self.kind_of(id))?;
        match expects {
            Expects::Type => Some(describe_type(match spot.on {
                On::Scalar(node) => node.as_str().and_then(kind::by_type_name),
                On::Key(_) => None,
            })),
            Expects::Attribute(row) => Some(format!("**{}**\n\n{}", row.name, row.doc)),
            Expects::Value(_) | Expects::Words(_) if field.is_some() => field.map(describe_field),
            _ => describe_top(role, &spot.path),
        }
    }
}

fn describe_top(role: Role, path: &[Part]) -> Option<String> {
    let [Part::Key(name)] = path else { return None };
    let keys: &[place::TopKey] = match role {
        Role::Definition | Role::Local => &place::DEFINITION_KEYS,
        Role::Overlay => &place::OVERLAY_KEYS,
    };
    let key = keys.iter().find(|key| key.name == name)?;
    Some(format!("**{}**\n\n{}", key.name, key.doc))
}

fn describe_type(kind: Option<&'static Kind>) -> String {
    let Some(kind) = kind else { return format!("**type**\n\n{}", place::TYPE_DOC) };
    let deployed = if kind.managed.is_some() {
        "snowform deploys it."
    } else {
        "snowform checks it and does not deploy it."
    };
    let mut out = format!("**{}**\n\n{} {deployed}", kind.type_name, kind.doc);
    for field in place::fields(Some(kind)) {
        let _ = write!(out, "\n- `{}`{}: {}", field.name, required(field), field.doc);
    }
    out
}

/// What a key says, what it takes, and the keys below it.
pub(super) fn describe_field(field: &'static Field) -> String {
    let mut out = format!("**{}**{}: {}\n\n{}", field.name, required(field), field.shape.noun(), field.doc);
    match field.fallback {
        Fallback::Nothing => {}
        Fallback::Text(text) => {
            let _ = write!(out, " Default: {}.", code(text));
        }
        Fallback::Beside { key, text } => {
            let _ = write!(out, " Default beside `{key}`: {}.", code(text));
        }
    }
    let inner = field.shape.record().or_else(|| field.shape.items()?.record());
    for field in inner.map(|record| record.fields).unwrap_or_default() {
        let _ = write!(out, "\n- `{}`{}: {}", field.name, required(field), field.doc);
    }
    out
}

fn required(field: &Field) -> &'static str {
    if field.required { " (required)" } else { "" }
}

fn describe_template(written: &str, rendered: &Rendered) -> String {
    let value = match &rendered.value {
        Some(value) => format!("= {}", code(value)),
        None if rendered.variables.iter().any(Explained::is_hidden) => "= (not shown)".to_owned(),
        None => "cannot be rendered".to_owned(),
    };
    format!("{} {value}\n\n{}", code(&one_line(written)), list(&rendered.variables))
}

fn list(variables: &[Explained]) -> String {
    let lines = variables.iter().map(|Explained { name, value, origin, depth }| {
        let value = value.as_ref().map(|value| format!(" = {}", code(value))).unwrap_or_default();
        format!("{}- `{name}`{value} ({origin})", "  ".repeat(*depth))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The texts of a list, or the one text.
pub(super) fn texts(node: &Node) -> impl Iterator<Item = &str> {
    let (one, many) = match &node.data {
        Data::Scalar(text) => (Some(text.as_str()), None),
        Data::Sequence(items) => (None, Some(items.iter().filter_map(|item| item.as_str()))),
        Data::Mapping(_) => (None, None),
    };
    one.into_iter().chain(many.into_iter().flatten())
}

fn fenced(lines: &[(String, String)]) -> String {
    let width =
        lines.iter().map(|(line, _)| line.chars().count()).filter(|width| *width <= 48).max().unwrap_or(0);
    let mut out = "```yaml\n".to_owned();
    for (line, origin) in lines.iter().take(MOST_LINES) {
        let pad = " ".repeat(width.saturating_sub(line.chars().count()));
        let _ = match origin.as_str() {
            "" => writeln!(out, "{line}"),
            origin => writeln!(out, "{line}{pad}  # {origin}"),
        };
    }
    if lines.len() > MOST_LINES {
        out.push_str("…\n");
    }
    out + "```"
}

/// A text as YAML writes it on one line.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '/' | '.' | '<' | '$'))
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(char::is_control);
    if plain { text.to_owned() } else { format!("{text:?}") }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Inline code, also of a text that holds backticks or line ends.
fn code(text: &str) -> String {
    let text = text.replace('\n', "\\n");
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}
