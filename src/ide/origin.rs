//! Where values come from, in words: the file and line, the mixin, the environment; and what templates render to.

use super::{Reading, Role, tree};
use crate::definition::template::{self, Renderer, Source};
use crate::definition::{Entity, WrittenName};
use crate::kind::{self, Kind};
use crate::object::name::Ident;
use crate::source::span::Span;
use crate::source::yaml::Node;
use std::collections::HashMap;
use std::sync::Arc;

/// A variable that a template names, and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Explained {
    /// `ctx.env.stage`.
    pub(super) name: String,
    /// Its value; nothing where it has none or where it is not shown.
    pub(super) value: Option<String>,
    /// Where the value comes from, in words.
    pub(super) origin: String,
    /// How often a variable named another one on the way here.
    pub(super) depth: usize,
}

/// A text with templates, rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rendered {
    /// The whole text; nothing where it cannot be rendered or holds what is not shown.
    pub(super) value: Option<String>,
    /// The variables that it names, each followed by those that its value names.
    pub(super) variables: Vec<Explained>,
}

/// What is said of the origin of a value that is not shown.
const HIDDEN: &str = ", not shown";

impl Explained {
    /// Whether there is a value, and it is nobody's business.
    pub(super) fn is_hidden(&self) -> bool {
        self.origin.ends_with(HIDDEN)
    }
}

/// How deep variables of variables are followed.
const MOST_DEPTH: usize = 8;

impl<'a> Reading<'a> {
    /// `snowflake.yml:4`.
    pub(super) fn line(&self, span: Span) -> String {
        format!("{}:{}", self.files.path(span.file), self.files.start(span).line)
    }

    /// Where a value stands: the line, and the mixin that it stands in.
    pub(super) fn origin(&self, span: Span) -> String {
        let line = self.line(span);
        match self.mixin_around(span) {
            Some(mixin) => format!("mixin `{mixin}`, {line}"),
            None => line,
        }
    }

    fn mixin_around(&self, span: Span) -> Option<&'a str> {
        let root = self.tree(self.role(span.file))?;
        let around = |whole: Span| whole.start <= span.start && span.end <= whole.end;
        let mixins = tree::entries(root, &["mixins"]).iter();
        let found = mixins.rev().find(|mixin| around(mixin.key.span.to(mixin.value.span)));
        found.map(|mixin| mixin.key.value.as_str())
    }

    /// The type of an entity, by what all files together say.
    pub(super) fn kind_of(&self, id: &str) -> Option<&'static Kind> {
        let own = [Role::Definition, Role::Local].into_iter().filter_map(|role| self.tree(role));
        let written = own
            .chain(self.trees.applied.as_ref())
            .filter_map(|root| tree::get(root, &["entities", id, "type"]));
        written.filter_map(|node| kind::by_type_name(node.as_str()?)).next_back()
    }

    /// An entity by its id.
    pub(super) fn entity(&self, id: &str) -> Option<&'a Entity> {
        self.project.entities.iter().find(|entity| entity.key.value == id)
    }

    /// Every entity by its id; of an id that is written twice, the first.
    pub(super) fn entities_by_id(&self) -> HashMap<&'a str, &'a Entity> {
        self.project.entities.iter().rev().map(|entity| (entity.key.value.as_str(), entity)).collect()
    }

    /// Templates with the variables of the whole project.
    pub(super) fn renderer(&self) -> Option<Renderer<'a>> {
        let renderer = Renderer::new(self.files, self.trees.applied.as_ref()?, self.variables);
        Some(renderer.with_targets(self.trees.overlay.as_ref()))
    }

    /// What the templates of a text render to.
    pub(super) fn render(&self, node: &Node) -> Option<Rendered> {
        let text = node.as_str().filter(|text| template::is_template(text))?;
        let mut variables = Vec::new();
        self.explain_text(text, node.span, 0, &mut variables);
        // A secret in a part would be a secret in the whole.
        let hidden = variables.iter().any(|variable| variable.value.is_none());
        let value = if hidden { None } else { self.renderer()?.text(text, node.span) };
        Some(Rendered { value, variables })
    }

    /// Whether a text renders to something that is not shown.
    pub(super) fn hides(&self, span: Span) -> bool {
        let mut variables = Vec::new();
        self.explain_text(self.files.slice(span), span, 0, &mut variables);
        variables.iter().any(Explained::is_hidden)
    }

    fn explain_text(&self, text: &str, span: Span, depth: usize, found: &mut Vec<Explained>) {
        for named in template::named(text).unwrap_or_default() {
            self.explain(&named.path, span, depth, found);
        }
    }

    /// A variable, and the variables that its value names.
    pub(super) fn explain(&self, path: &[String], span: Span, depth: usize, found: &mut Vec<Explained>) {
        let name = path.join(".");
        let explained = self.renderer().and_then(|renderer| renderer.explain(path, span));
        let Some((value, source)) = explained else {
            let origin = "has no value".to_owned();
            found.push(Explained { name, value: None, origin, depth });
            return;
        };
        let outside = |origin: &str| {
            let secret = path.last().is_some_and(|name| looks_secret(name));
            let origin = if secret { format!("{origin}{HIDDEN}") } else { origin.to_owned() };
            ((!secret).then(|| value.clone()), origin)
        };
        let (value, origin) = match source {
            Source::Override => outside("--env"),
            Source::System => outside("the environment"),
            Source::Definition(at) => (Some(value), self.origin(at)),
            Source::Target(at) => (Some(value), format!("a target, {}", self.line(at))),
            Source::Default => (Some(value), "default".to_owned()),
        };
        let at = found.len();
        found.push(Explained { name, value, origin, depth });
        if let (Source::Definition(inner), true) = (source, depth < MOST_DEPTH) {
            let written = self.trees.applied.as_ref().and_then(|root| template_at(root, path));
            self.explain_text(written.unwrap_or(""), inner, depth + 1, found);
            if found[at + 1..].iter().any(|inner| inner.value.is_none()) {
                found[at].value = None;
            }
        }
    }
}

/// The text that a path of a template names.
fn template_at<'t>(root: &'t Arc<Node>, path: &[String]) -> Option<&'t str> {
    let keys: Vec<&str> = path.iter().skip(1).map(String::as_str).collect();
    tree::get(root, &keys)?.as_str()
}

/// Whether a variable's name says that its value is nobody's business. Editors are shown to others.
fn looks_secret(name: &str) -> bool {
    let upper = name.to_uppercase();
    ["PASSWORD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "PRIVATE", "API_KEY", "APIKEY", "ACCESS_KEY"]
        .iter()
        .any(|word| upper.contains(word))
}

/// The type and the name of an entity, for a few words beside its id.
pub(super) fn in_short(entity: &Entity) -> String {
    let name = entity.name.as_ref().map(resolved_short);
    [Some(entity.kind.type_name.to_owned()), name].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// A name as far as it is known.
pub(super) fn resolved(name: &WrittenName) -> String {
    let part = |part: &Option<Ident>, what: &str| match part {
        Some(ident) => ident.to_string(),
        None => format!("<connection's {what}>"),
    };
    let WrittenName { database, schema, name, .. } = name;
    format!("{}.{}.{name}", part(database, "database"), part(schema, "schema"))
}

/// The same for narrow places: what the connection gives is left out.
fn resolved_short(name: &WrittenName) -> String {
    let WrittenName { database, schema, name, .. } = name;
    let parts = [database.as_ref(), schema.as_ref(), Some(name)];
    parts.into_iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_recognised() {
        for (name, secret) in
            [("DB_PASSWORD", true), ("github_token", true), ("stage", false), ("KEYSPACE", false)]
        {
            assert_eq!(looks_secret(name), secret, "{name}");
        }
    }
}
