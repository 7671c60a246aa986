//! Shapes of the kinds' table to schemas.
//!
//! Two rules keep an editor at one message per mistake. The types that a value may not have are refused in an `if`, so
//! that text fields do not suggest `true` and `null`. Conditions of different types stand apart from each other, because
//! an `errorMessage` replaces every message of the object it stands in.

use crate::kind::field::{Fallback, Field, Record, Shape};
use crate::kind::form::Form;
use serde_json::{Map, Value, json};

/// A template in a text, as far as a pattern can tell: names, calls and filters, no operators
/// (`definition::template`).
pub(super) const TEMPLATE: &str = r#"<%[-+]?(?:[\w\s.,()|]|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")*[-+]?%>"#;

/// A schema that is being written.
pub(super) type Schema = Map<String, Value>;

/// Whether keys must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    /// As the table says.
    Required,
    /// All may be missing, because another file or a mixin may give them. Items of lists are whole nevertheless.
    Optional,
}

/// The schema of a key.
pub(super) fn field(field: &Field, keys: Keys) -> Schema {
    let mut out = described(&field.doc_with_default(), field.doc);
    out.extend(value(&field.shape, field.name, keys, field.example));
    if let Some(default) = default(field) {
        out.insert("default".to_owned(), default);
    }
    out.extend(super::snippet::of_field(field));
    out
}

/// A schema that only describes.
pub(super) fn described(markdown: &str, plain: &str) -> Schema {
    let mut out = Schema::new();
    out.insert("description".to_owned(), plain.replace('`', "").into());
    out.insert("markdownDescription".to_owned(), markdown.into());
    out
}

impl Field {
    fn doc_with_default(&self) -> String {
        match self.fallback {
            Fallback::Nothing | Fallback::Text("") => self.doc.to_owned(),
            Fallback::Text(text) => format!("{}\n\nDefault: `{text}`", self.doc),
            Fallback::Beside { key, text } => format!("{}\n\nDefault beside `{key}`: `{text}`", self.doc),
        }
    }
}

fn default(field: &Field) -> Option<Value> {
    let Fallback::Text(text) = field.fallback else { return None };
    match &field.shape {
        Shape::Flag => text.parse::<bool>().ok().map(Value::from),
        Shape::Whole { .. } => text.parse::<u32>().ok().map(Value::from),
        _ => (!text.is_empty()).then(|| text.into()),
    }
}

/// The schema of a value.
pub(super) fn value(shape: &Shape, key: &str, keys: Keys, example: Option<&str>) -> Schema {
    let mut out = match shape {
        Shape::Any => Schema::new(),
        Shape::Choice(words) => object(json!({
            "if": {"type": "string", "pattern": TEMPLATE},
            "else": {"enum": words},
            "examples": words,
        })),
        Shape::Flag | Shape::Whole { .. } => scalar(shape, key),
        _ if !shape.takes_scalar() => object(json!({
            "type": types(shape),
            "errorMessage": takes(key, shape),
        })),
        _ => refusing_other_types(shape, key),
    };
    if let Some((pattern, message)) = strings(shape) {
        out.insert("pattern".to_owned(), pattern.into());
        out.insert("patternErrorMessage".to_owned(), message.into());
    }
    if let Some(inside) = inside(shape, key, keys, example) {
        // Beside a type with a message of its own, the conditions on what stands inside need an object of their own.
        let place = if out.contains_key("if") { "else" } else { "then" };
        if place == "then" {
            out.insert("if".to_owned(), json!({"type": types_of_collection(shape)}));
        }
        out.insert(place.to_owned(), inside.into());
    } else if let Some(example) = example {
        out.insert("examples".to_owned(), json!([example]));
    }
    out
}

fn takes(key: &str, shape: &Shape) -> String {
    format!("{key} takes {}", shape.noun())
}

/// True or false, or a whole number: every type has its own condition.
fn scalar(shape: &Shape, key: &str) -> Schema {
    let number = match shape {
        Shape::Whole { least } => json!({"minimum": least}),
        _ => json!({"enum": [0, 1]}),
    };
    object(json!({
        "type": types(shape),
        "errorMessage": takes(key, shape),
        "if": {"type": "number"},
        "then": number,
    }))
}

/// Texts, and what YAML makes of texts without quotes.
fn refusing_other_types(shape: &Shape, key: &str) -> Schema {
    let accepted = types(shape);
    let every = ["null", "boolean", "number", "string", "array", "object"];
    let refused: Vec<_> = every.into_iter().filter(|name| !accepted.contains(name)).collect();
    let meant: Vec<_> =
        accepted.into_iter().filter(|name| matches!(*name, "string" | "array" | "object")).collect();
    object(json!({
        "if": {"type": refused},
        "then": {"type": meant, "errorMessage": takes(key, shape)},
    }))
}

/// The types that a value may have in YAML.
fn types(shape: &Shape) -> Vec<&'static str> {
    match shape {
        Shape::Text => vec!["null", "boolean", "number", "string"],
        Shape::Form(form) => {
            let also = |name, samples: &[&str]| samples.iter().all(|text| (form.holds)(text)).then_some(name);
            let unquoted =
                [also("null", &[""]), also("boolean", &["true", "false"]), also("number", &["5", "1.5"])];
            unquoted.into_iter().flatten().chain(["string"]).collect()
        }
        Shape::Choice(_) => vec!["string"],
        Shape::Flag => vec!["boolean", "number", "string"],
        Shape::Whole { .. } => vec!["integer", "string"],
        Shape::Reference(_) => vec!["boolean", "number", "string"],
        Shape::Any => Vec::new(),
        Shape::List(_) => vec!["array"],
        Shape::Map(_) | Shape::MapOf(..) | Shape::Record(_) => vec!["object"],
        Shape::Either(scalar, other) => types(scalar).into_iter().chain(types(other)).collect(),
        Shape::OrNull(other) => {
            let mut all = types(other);
            all.extend(["null", "string"].into_iter().filter(|name| !types(other).contains(name)));
            all
        }
    }
}

fn types_of_collection(shape: &Shape) -> Vec<&'static str> {
    types(shape).into_iter().filter(|name| matches!(*name, "array" | "object")).collect()
}

/// The pattern for texts, and what to do where it does not match.
fn strings(shape: &Shape) -> Option<(String, String)> {
    match shape {
        Shape::Form(form) => Some((pattern(form), form.help.to_owned())),
        Shape::Flag => {
            let words = "[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Yy][Ee][Ss]|[Nn][Oo]|[Oo][Nn]|[Oo][Ff][Ff]|[TtFfYyNn01]";
            Some((or_template(&format!("^(?:{words})$")), "write true or false".to_owned()))
        }
        Shape::Whole { least } => {
            let digits = "[0-9](?:_?[0-9])*";
            let sign = if *least == 0 { "(?:-(?=[0_]+(?:[.\\s]|$))|\\+)?" } else { "\\+?(?=[0_]*[1-9])" };
            let help = format!("write a whole number from {least} upwards");
            Some((or_template(&format!("^\\s*{sign}{digits}(?:\\.0+)?\\s*$")), help))
        }
        Shape::Reference(_) => Some((
            "^(?![\\s\\S]*<%)".to_owned(),
            "write the entity's key out; it is read before templates".to_owned(),
        )),
        Shape::Either(scalar, _) => strings(scalar),
        Shape::OrNull(other) if !other.takes_scalar() => {
            Some((or_template("^null$"), format!("write {}, or null", other.noun())))
        }
        Shape::OrNull(other) => strings(other).map(|(pattern, help)| (format!("^null$|{pattern}"), help)),
        Shape::Text => {
            let help = "this template cannot be read; write <% ctx.env.NAME %>, or a call or filter of it";
            Some((format!("^(?:(?!<%)[\\s\\S]|{TEMPLATE})*$"), help.to_owned()))
        }
        Shape::Choice(_) | Shape::Any => None,
        Shape::List(_) | Shape::Map(_) | Shape::MapOf(..) | Shape::Record(_) => None,
    }
}

fn pattern(form: &Form) -> String {
    if form.literal { form.pattern.to_owned() } else { or_template(form.pattern) }
}

/// A pattern, or a text with a template: what it will be is not known.
pub(super) fn or_template(pattern: &str) -> String {
    format!("{TEMPLATE}|(?:{pattern})")
}

/// The conditions on what stands inside of a list or a mapping.
fn inside(shape: &Shape, key: &str, keys: Keys, example: Option<&str>) -> Option<Schema> {
    let item = |shape: &Shape| value(shape, &format!("{key}[]"), Keys::Required, example);
    match shape {
        Shape::List(shape) => Some(object(json!({"items": item(shape)}))),
        Shape::Map(shape) => Some(object(json!({"additionalProperties": item(shape)}))),
        Shape::MapOf(form, shape) => Some(object(json!({
            "propertyNames": {"pattern": form.pattern, "patternErrorMessage": form.help},
            "additionalProperties": item(shape),
        }))),
        Shape::Record(inner) => Some(record(inner, keys)),
        Shape::Either(_, other) | Shape::OrNull(other) => inside(other, key, keys, None),
        _ => None,
    }
}

fn record(record: &Record, keys: Keys) -> Schema {
    let properties: Schema =
        record.fields.iter().map(|row| (row.name.to_owned(), field(row, keys).into())).collect();
    let mut out = object(json!({"properties": properties, "additionalProperties": false}));
    if keys == Keys::Required {
        out.extend(required(record.fields, 1));
    }
    out
}

/// Which keys must be there, without anything else; `depth` levels of mappings deep.
pub(super) fn required(fields: &[Field], depth: usize) -> Schema {
    let names: Vec<_> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut out = Schema::new();
    if !names.is_empty() {
        out.insert("required".to_owned(), names.into());
    }
    let inner = |field: &Field| {
        let inner = required(field.shape.record()?.fields, depth - 1);
        (!inner.is_empty()).then(|| (field.name.to_owned(), inner.into()))
    };
    let inside: Schema = if depth > 1 { fields.iter().filter_map(inner).collect() } else { Schema::new() };
    if !inside.is_empty() {
        out.insert("properties".to_owned(), inside.into());
    }
    out
}

/// The members of an object that is written out.
pub(super) fn object(value: Value) -> Schema {
    match value {
        Value::Object(members) => members,
        _ => Schema::new(),
    }
}
