//! From the author's texts to a [`Project`]: what was declared, every value with its place, nothing yet completed
//! from a connection.

mod decode;
mod finding;
mod identifier;
mod merge;
mod mixin;
mod overlay;
mod reference;
mod shape;
pub mod template;

pub use decode::decode;
pub use reference::Reference;
pub use template::Variables;

use crate::kind::Kind;
use crate::object::name::Ident;
use crate::source::diagnostic::{Rule, Severity};
use crate::source::span::{FileId, Span, Spanned};
use std::collections::BTreeMap;

/// Which texts make up a project; their contents stand in a [`crate::source::files::Files`].
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// `snowflake.yml`.
    pub definition: FileId,
    /// `snowflake.local.yml`, where there is one.
    pub local: Option<FileId>,
    /// `snowform.yml`, where there is one.
    pub overlay: Option<FileId>,
    /// What templates may take from outside.
    pub variables: &'a Variables,
}

/// What an author declared.
#[derive(Debug, Default)]
pub struct Project {
    /// Every key below `entities`, also of entities that could not be read.
    pub keys: Vec<Spanned<String>>,
    /// The entities, in the order of the text.
    pub entities: Vec<Entity>,
}

/// One entity.
#[derive(Debug)]
pub struct Entity {
    /// Its id in the file.
    pub key: Spanned<String>,
    /// Its type.
    pub kind: &'static Kind,
    /// The whole of it, from the key to its last value.
    pub span: Span,
    /// Its name as far as it is written. Missing where it is written wrongly, or where the type is not deployed.
    pub name: Option<WrittenName>,
    /// How it is deployed.
    pub meta: Meta,
    /// The other entities that its keys name, `meta.depends_on` aside.
    pub references: Vec<Reference>,
    /// The attributes declared for it in `snowform.yml`.
    pub attributes: BTreeMap<&'static str, Spanned<String>>,
}

/// A name as far as it is written; what is missing comes from the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenName {
    /// The database, where it is written.
    pub database: Option<Ident>,
    /// The schema, where it is written.
    pub schema: Option<Ident>,
    /// The object's own name.
    pub name: Ident,
    /// Where it is written: the identifier, or the entity's key.
    pub span: Span,
    /// Whether the schema is `PUBLIC` only because a database was given without one (snow's convention).
    pub schema_by_convention: bool,
}

/// How an entity is deployed.
#[derive(Debug, Default)]
pub struct Meta {
    /// The role that its statements run under.
    pub role: Option<Spanned<Ident>>,
    /// The entities that come before it.
    pub depends_on: Vec<Spanned<String>>,
    /// Keys that snowform accepts and does not act on, each with why.
    pub without_effect: Vec<Spanned<&'static str>>,
}

/// Something of the language that this version reads but does not carry out.
pub static NOT_SUPPORTED: Rule = Rule {
    code: "not-supported",
    severity: Severity::Error,
    summary: "this version of snowform does not support a part of the definition",
};
/// No or an unknown `definition_version`.
pub static VERSION: Rule = Rule {
    code: "definition-version",
    severity: Severity::Error,
    summary: "the definition's version is missing or not supported",
};
/// A key that the place does not have.
pub static UNKNOWN_KEY: Rule =
    Rule { code: "unknown-key", severity: Severity::Error, summary: "a key is not known in this place" };
/// A key that must be there is not.
pub static MISSING_KEY: Rule =
    Rule { code: "missing-key", severity: Severity::Error, summary: "a required key is missing" };
/// An entity of no known type.
pub static UNKNOWN_TYPE: Rule =
    Rule { code: "unknown-type", severity: Severity::Error, summary: "an entity's type is not known" };
/// A list where a text belongs, and the like.
pub static WRONG_SHAPE: Rule = Rule {
    code: "wrong-shape",
    severity: Severity::Error,
    summary: "a value is not of the kind that its key takes",
};
/// A text that its key does not take.
pub static INVALID_VALUE: Rule =
    Rule { code: "invalid-value", severity: Severity::Error, summary: "a key does not take this value" };
/// Keys that do not go together, or not without each other.
pub static KEYS_CONFLICT: Rule = Rule {
    code: "keys-conflict",
    severity: Severity::Error,
    summary: "keys do not go together, or one needs another",
};
/// Something that snow reads only where a feature flag is set, which stands outside of the project.
pub static FEATURE_FLAG: Rule = Rule {
    code: "feature-flag",
    severity: Severity::Warning,
    summary: "snow accepts a part of the definition only with a feature flag",
};
/// A name that is none.
pub static INVALID_NAME: Rule = Rule {
    code: "invalid-name",
    severity: Severity::Error,
    summary: "a name is not a valid Snowflake identifier",
};
/// A qualified name, and the same part given again beside it.
pub static NAME_CONFLICT: Rule = Rule {
    code: "name-conflict",
    severity: Severity::Error,
    summary: "a qualified name stands beside a separate schema or database",
};
/// A mixin that is not there.
pub static UNKNOWN_MIXIN: Rule = Rule {
    code: "unknown-mixin",
    severity: Severity::Error,
    summary: "an entity uses a mixin that does not exist",
};
/// A mixin without a section of mixins.
pub static MIXIN_IGNORED: Rule = Rule {
    code: "mixin-ignored",
    severity: Severity::Warning,
    summary: "an entity uses a mixin, and the definition has no `mixins` section",
};
/// A mixin and an entity that give values of different forms.
pub static MIXIN_CONFLICT: Rule = Rule {
    code: "mixin-conflict",
    severity: Severity::Error,
    summary: "a mixin and an entity give values that cannot be merged",
};
/// The tag where nothing can be overridden.
pub static OVERRIDE_WITHOUT_MIXINS: Rule = Rule {
    code: "override-without-mixins",
    severity: Severity::Error,
    summary: "`!override` stands where there is nothing to override",
};
/// An overlay for an entity that is not there.
pub static UNKNOWN_ENTITY: Rule = Rule {
    code: "unknown-entity",
    severity: Severity::Error,
    summary: "an entity is named that the definition does not have",
};

/// The rules that this room declares.
pub static RULES: &[&Rule] = &[
    &NOT_SUPPORTED,
    &VERSION,
    &UNKNOWN_KEY,
    &MISSING_KEY,
    &UNKNOWN_TYPE,
    &WRONG_SHAPE,
    &INVALID_VALUE,
    &KEYS_CONFLICT,
    &FEATURE_FLAG,
    &INVALID_NAME,
    &NAME_CONFLICT,
    &UNKNOWN_ENTITY,
    &UNKNOWN_MIXIN,
    &MIXIN_IGNORED,
    &MIXIN_CONFLICT,
    &OVERRIDE_WITHOUT_MIXINS,
];
