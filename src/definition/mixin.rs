//! Mixins: values that several entities share, merged below the entity's own.
//!
//! Rules: snowflake-cli `schemas/project_definition.py`, `apply_mixins` and `_merge_data`. Mappings merge deeply, lists
//! are joined without what they have already, scalars of the entity win; `!override` replaces. Mixins are applied before
//! templates are rendered, and not at all where there is no `mixins` section.

use super::merge::{is_override, mapping};
use super::{
    MIXIN_CONFLICT, MIXIN_IGNORED, OVERRIDE_WITHOUT_MIXINS, UNKNOWN_KEY, UNKNOWN_MIXIN, WRONG_SHAPE,
};
use crate::kind;
use crate::source::diagnostic::{Diagnostic, Diagnostics, did_you_mean};
use crate::source::span::{Span, Spanned};
use crate::source::yaml::{Data, Entry, Node};
use std::collections::HashSet;
use std::sync::Arc;

/// The definition with its mixins applied.
pub(super) fn apply(root: &Arc<Node>, found: &mut Diagnostics) -> Arc<Node> {
    let sections = root.entry("mixins").map(|mixins| sections(mixins, found));
    let Some(entities) = root.entry("entities").filter(|entities| entities.value.as_mapping().is_some())
    else {
        return Arc::clone(root);
    };
    let applied = match sections {
        None => {
            warn_of_ignored(entities, found);
            Arc::clone(root)
        }
        Some(None) => Arc::clone(root),
        Some(Some(sections)) => apply_to_entities(root, entities, sections, found),
    };
    if let Some(entities) = applied.entry("entities") {
        refuse_overrides(&entities.value, &mut HashSet::new(), found);
    }
    applied
}

/// The mixins; nothing where they are not written as such.
fn sections<'a>(mixins: &'a Entry, found: &mut Diagnostics) -> Option<&'a [Entry]> {
    let Some(sections) = mixins.value.as_mapping() else {
        found.push(not_a_mapping(&mixins.key, &mixins.value, "`mixins`"));
        return None;
    };
    for section in sections.iter().filter(|section| section.value.as_mapping().is_none()) {
        found.push(not_a_mapping(&section.key, &section.value, "a mixin"));
    }
    Some(sections)
}

fn apply_to_entities(
    root: &Arc<Node>,
    entities: &Entry,
    sections: &[Entry],
    found: &mut Diagnostics,
) -> Arc<Node> {
    let merged = entities
        .value
        .as_mapping()
        .unwrap_or_default()
        .iter()
        .map(|entity| Entry { key: entity.key.clone(), value: apply_to_entity(entity, sections, found) });
    let entities_merged = mapping(entities.value.span, merged.collect());
    let entries = root.as_mapping().unwrap_or_default().iter().map(|entry| {
        if entry.key.value == "entities" {
            Entry { key: entry.key.clone(), value: Arc::clone(&entities_merged) }
        } else {
            entry.clone()
        }
    });
    mapping(root.span, entries.collect())
}

fn not_a_mapping(key: &Spanned<String>, value: &Node, what: &str) -> Diagnostic {
    let message = format!("{what} is a mapping, not {}", value.noun());
    Diagnostic::new(&WRONG_SHAPE, message, key.span, "expected keys below this")
        .help("add keys below it, or remove it")
}

/// The names behind `use_mixins`, one or a list.
fn names(entity: &Node) -> Vec<Spanned<String>> {
    let used = entity.entry("meta").and_then(|meta| meta.value.entry("use_mixins"));
    let Some(used) = used else { return Vec::new() };
    let text = |node: &Node| node.as_str().map(|text| Spanned::new(text.to_owned(), node.span));
    match &used.value.data {
        Data::Scalar(_) => text(&used.value).into_iter().collect(),
        Data::Sequence(items) => items.iter().filter_map(|item| text(item)).collect(),
        Data::Mapping(_) => Vec::new(),
    }
}

fn apply_to_entity(entity: &Entry, sections: &[Entry], found: &mut Diagnostics) -> Arc<Node> {
    let own = &entity.value;
    if own.as_mapping().is_none() {
        return Arc::clone(own);
    }
    let mut shared = mapping(own.span, Vec::new());
    for name in names(own) {
        match sections.iter().find(|section| section.key.value == name.value) {
            Some(section) if section.value.as_mapping().is_some() => {
                let keys = known_keys(entity, section, &name, found);
                shared = combine(Some(&shared), &mapping(section.value.span, keys), found);
            }
            Some(_) => {}
            None => found.push(unknown(&name, sections)),
        }
    }
    combine(Some(&shared), own, found)
}

fn unknown(name: &Spanned<String>, sections: &[Entry]) -> Diagnostic {
    let known: Vec<&str> = sections.iter().map(|section| section.key.value.as_str()).collect();
    let message = format!("there is no mixin `{}`", name.value.escape_debug());
    let diagnostic = Diagnostic::new(&UNKNOWN_MIXIN, message, name.span, "not defined under `mixins`");
    match did_you_mean(&name.value, &known) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(
            format!("change it to `{near}`"),
            name.span,
            near,
        ),
        None if name.value.contains("<%") => {
            diagnostic.help("mixins are applied before templates; write the name out")
        }
        None => diagnostic.help("define it under `mixins`, or remove it here"),
    }
}

/// A mixin that is used may hold only what the entity's type has; the rest is reported and left out.
fn known_keys(
    entity: &Entry,
    section: &Entry,
    name: &Spanned<String>,
    found: &mut Diagnostics,
) -> Vec<Entry> {
    let entries = section.value.as_mapping().unwrap_or_default();
    let kind = entity.value.entry("type").and_then(|entry| kind::by_type_name(entry.value.as_str()?));
    let Some(kind) = kind else { return entries.to_vec() };
    let (known, unknown): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| may_come_from_mixin(kind, &entry.key.value));
    for Entry { key, value: _ } in unknown {
        let (type_name, user) = (kind.type_name, &entity.key.value);
        let message =
            format!("`{}` is no key of type {type_name}, and entity `{user}` uses this mixin", key.value);
        found.push(
            Diagnostic::new(&UNKNOWN_KEY, message, key.span, "not a key of that type")
                .related(name.span, "used here")
                .help("remove it from the mixin, or use the mixin only where the type has this key"),
        );
    }
    known.into_iter().cloned().collect()
}

/// The official loader asks its model for the key's name in Python, and there `from` is called otherwise
/// (`get_allowed_fields_for_entity`).
fn may_come_from_mixin(kind: &kind::Kind, key: &str) -> bool {
    key == "type" || key != "from" && kind.field(key).is_some()
}

/// Merges `right` into `left`.
fn combine(left: Option<&Arc<Node>>, right: &Arc<Node>, found: &mut Diagnostics) -> Arc<Node> {
    if is_override(right) {
        return untagged(right);
    }
    let Some(left) = left else { return Arc::clone(right) };
    match (&left.data, &right.data) {
        (Data::Mapping(below), Data::Mapping(above)) => {
            let mut entries = below.clone();
            for entry in above {
                match entries.iter_mut().find(|known| known.key.value == entry.key.value) {
                    Some(known) => {
                        let value = combine(Some(&known.value), &entry.value, found);
                        *known = Entry { key: entry.key.clone(), value };
                    }
                    None => {
                        let value = combine(None, &entry.value, found);
                        entries.push(Entry { key: entry.key.clone(), value });
                    }
                }
            }
            mapping(right.span, entries)
        }
        (Data::Sequence(below), Data::Sequence(above)) => {
            let new = above.iter().filter(|item| !below.iter().any(|known| known.same_value(item)));
            let items = below.iter().chain(new).cloned().collect();
            Arc::new(Node { span: right.span, tag: None, data: Data::Sequence(items), rendered: false })
        }
        (Data::Scalar(_), Data::Scalar(_)) => Arc::clone(right),
        _ => {
            found.push(conflict(left, right));
            Arc::clone(right)
        }
    }
}

fn conflict(left: &Node, right: &Node) -> Diagnostic {
    let message = format!("a mixin gives {} here, the entity {}", left.noun(), right.noun());
    Diagnostic::new(&MIXIN_CONFLICT, message, right.span, format!("{} here", right.noun()))
        .related(left.span, format!("{} from the mixin", left.noun()))
        .help("give both the same form, or put `!override` before the entity's list or mapping")
}

fn untagged(node: &Node) -> Arc<Node> {
    let data = match &node.data {
        Data::Scalar(text) => Data::Scalar(text.clone()),
        Data::Sequence(items) => Data::Sequence(items.clone()),
        Data::Mapping(entries) => Data::Mapping(entries.clone()),
    };
    Arc::new(Node { span: node.span, tag: None, data, rendered: node.rendered })
}

/// Without a `mixins` section the official loader neither applies nor checks them.
fn warn_of_ignored(entities: &Entry, found: &mut Diagnostics) {
    for entity in entities.value.as_mapping().unwrap_or_default() {
        for name in names(&entity.value) {
            let message =
                format!("mixin `{}` is not applied: there is no `mixins` section", name.value.escape_debug());
            found.push(
                Diagnostic::new(&MIXIN_IGNORED, message, name.span, "without effect")
                    .help("define it under `mixins`, or remove it here"),
            );
        }
    }
}

/// What is left of the tag has met no mixin's value, and the official loader rejects it.
fn refuse_overrides(node: &Arc<Node>, seen: &mut HashSet<*const Node>, found: &mut Diagnostics) {
    // What several aliases stand for is looked at once.
    if node.as_str().is_none() && Arc::strong_count(node) > 1 && !seen.insert(Arc::as_ptr(node)) {
        return;
    }
    if is_override(node) {
        let span: Span = node.tag.as_ref().map_or(node.span, |tag| tag.span);
        found.push(
            Diagnostic::new(
                &OVERRIDE_WITHOUT_MIXINS,
                "`!override` has nothing to override here",
                span,
                "not resolved",
            )
            .help("remove the tag; it replaces a value that a mixin gives, and needs a `mixins` section"),
        );
    }
    match &node.data {
        Data::Scalar(_) => {}
        Data::Sequence(items) => items.iter().for_each(|item| refuse_overrides(item, seen, found)),
        Data::Mapping(entries) => {
            entries.iter().for_each(|entry| refuse_overrides(&entry.value, seen, found));
        }
    }
}
