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

pub use decode::{Decoded, Trees, decode};
pub use overlay::target_variables;
pub use reference::Reference;
pub use template::Variables;

use crate::kind::{KeptGrants, Kind};
use crate::object::name::Ident;
use crate::object::state::{Grant, ImageRef};
use crate::object::statement::HazardKind;
use crate::source::diagnostic::{Rule, Severity};
use crate::source::span::{FileId, Span, Spanned};
use std::collections::{BTreeMap, BTreeSet};

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
    /// What `snowform.yml` says must not exist any more.
    pub removed: Vec<Removed>,
    /// The name that `snowform.yml` gives the project.
    pub name: Option<Spanned<String>>,
    /// Where `snowform.yml` says that the project can go.
    pub targets: Vec<Target>,
    /// The most objects that a plan may drop or replace.
    pub max_drops: Option<DropLimit>,
}

/// Where a project can go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name.
    pub name: Spanned<String>,
    /// The account identifier; any other is refused.
    pub account: Spanned<String>,
    /// The role; any other is refused.
    pub role: Option<Ident>,
    /// The connection that leads there.
    pub connection: Option<String>,
    /// The database that completes names.
    pub database: Option<Ident>,
    /// The schema that completes names.
    pub schema: Option<Ident>,
}

/// How many objects a plan may drop or replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropLimit {
    /// So many.
    Number(usize),
    /// So many of a hundred that are there.
    Percent(usize),
}

impl DropLimit {
    /// Reads `3` or `10%`.
    pub fn parse(text: &str) -> Option<Self> {
        // Rust reads `+3` as a number too.
        let number =
            |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        match text.strip_suffix('%') {
            Some(percent) => number(percent).filter(|percent| *percent <= 100).map(Self::Percent),
            None => number(text).map(Self::Number),
        }
    }

    /// Whether so many of those that are there are too many.
    pub fn is_exceeded(self, lost: usize, present: usize) -> bool {
        match self {
            Self::Number(most) => lost > most,
            Self::Percent(percent) => lost * 100 > percent * present,
        }
    }
}

impl std::fmt::Display for DropLimit {
    /// As the file spells it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
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
    /// The grants declared for it in `snowform.yml`, where any are.
    pub grants: Option<Spanned<BTreeSet<Grant>>>,
    /// Whether these are all that it shall have.
    pub grants_exact: bool,
    /// What becomes of the grants when its owner changes, where `snowform.yml` says so.
    pub owner_grants: Option<KeptGrants>,
    /// The governance tags declared for it in `snowform.yml`.
    pub tags: Vec<(WrittenName, Spanned<String>)>,
    /// The hazards that `snowform.yml` allows for it.
    pub allow: Vec<HazardKind>,
    /// The images that must be in it.
    pub require_images: Vec<Spanned<ImageRef>>,
}

/// An object that must not exist any more.
#[derive(Clone, Debug)]
pub struct Removed {
    /// Its type.
    pub kind: &'static Kind,
    /// Its name as far as it is written.
    pub name: WrittenName,
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
    why: "snow lets templates read files (`read_file_content`, `procedure_from_js_file`). snowform does not: a definition is data, also in a stranger's pull request.",
    bad: "definition_version: 2\nenv:\n  file: name.txt\n  name: <% ctx.env.file | read_file_content %>\n",
    good: "definition_version: 2\nenv:\n  name: base\n",
};
/// No or an unknown `definition_version`.
pub static VERSION: Rule = Rule {
    code: "definition-version",
    severity: Severity::Error,
    summary: "the definition's version is missing or not supported",
    why: "snowform reads version 2, spelled exactly so. `2.0`, `02` and an empty value are refused by snow too.",
    bad: "definition_version: 2.0\n",
    good: "definition_version: 2\n",
};
/// A key that the place does not have.
pub static UNKNOWN_KEY: Rule = Rule {
    code: "unknown-key",
    severity: Severity::Error,
    summary: "a key is not known in this place",
    why: "A key that is not known is a typing mistake, or belongs elsewhere. snow rejects the whole file for it; what it cannot say stands in snowform.yml.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifer: base\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: base\n",
};
/// A key that must be there is not.
pub static MISSING_KEY: Rule = Rule {
    code: "missing-key",
    severity: Severity::Error,
    summary: "a required key is missing",
    why: "Some keys must be there.",
    bad: "definition_version: 2\nentities:\n  repo:\n    identifier: base\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: base\n",
};
/// An entity of no known type.
pub static UNKNOWN_TYPE: Rule = Rule {
    code: "unknown-type",
    severity: Severity::Error,
    summary: "an entity's type is not known",
    why: "The type decides which keys an entity has. It is spelled in lower case, mostly with dashes.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repo\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n",
};
/// A list where a text belongs, and the like.
pub static WRONG_SHAPE: Rule = Rule {
    code: "wrong-shape",
    severity: Severity::Error,
    summary: "a value is not of the kind that its key takes",
    why: "Every key takes a text, a list or a mapping. An empty value is the empty text here, so `meta:` with nothing below it is no mapping.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    meta:\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n",
};
/// A text that its key does not take.
pub static INVALID_VALUE: Rule = Rule {
    code: "invalid-value",
    severity: Severity::Error,
    summary: "a key does not take this value",
    why: "Numbers, truth values and choices are written as texts here, and must be such: `yes` is true, `abc` is no number.",
    bad: "definition_version: 2\nentities:\n  pool:\n    type: compute-pool\n    instance_family: CPU_X64_XS\n    min_nodes: none\n",
    good: "definition_version: 2\nentities:\n  pool:\n    type: compute-pool\n    instance_family: CPU_X64_XS\n    min_nodes: 1\n",
};
/// Keys that do not go together, or not without each other.
pub static KEYS_CONFLICT: Rule = Rule {
    code: "keys-conflict",
    severity: Severity::Error,
    summary: "keys do not go together, or one needs another",
    why: "Some keys exclude each other, and some need another one.",
    bad: "definition_version: 2\nentities:\n  book:\n    type: notebook\n    query_warehouse: wh\n    notebook_file: book.ipynb\n    artifacts: [book.ipynb]\n    compute_pool: my_pool\n",
    good: "definition_version: 2\nentities:\n  book:\n    type: notebook\n    query_warehouse: wh\n    notebook_file: book.ipynb\n    artifacts: [book.ipynb]\n    compute_pool: my_pool\n    runtime_name: SYSTEM$BASIC_RUNTIME\n",
};
/// Something that snow reads only where a feature flag is set, which stands outside of the project.
pub static FEATURE_FLAG: Rule = Rule {
    code: "feature-flag",
    severity: Severity::Warning,
    summary: "snow accepts a part of the definition only with a feature flag",
    why: "snow reads such a part only where an environment variable or its configuration says so, and rejects the file elsewhere.",
    bad: "definition_version: 2\nentities:\n  app:\n    type: streamlit\n  pkg:\n    type: application package\n    artifacts: [app/*]\n    children:\n      - target: app\n        identifier:\n          schema: core\n",
    good: "definition_version: 2\nentities:\n  pkg:\n    type: application package\n    artifacts: [app/*]\n",
};
/// A name that is none.
pub static INVALID_NAME: Rule = Rule {
    code: "invalid-name",
    severity: Severity::Error,
    summary: "a name is not a valid Snowflake identifier",
    why: "An unquoted name starts with a letter or `_` and goes on with letters, digits, `_` and `$`. snow finds out only when it deploys.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: my-repo\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier: my_repo\n",
};
/// A qualified name, and the same part given again beside it.
pub static NAME_CONFLICT: Rule = Rule {
    code: "name-conflict",
    severity: Severity::Error,
    summary: "a qualified name stands beside a separate schema or database",
    why: "A part of the name would be said twice, and perhaps differently.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier:\n      name: core.repo\n      schema: public\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    identifier:\n      name: repo\n      schema: core\n",
};
/// A mixin that is not there.
pub static UNKNOWN_MIXIN: Rule = Rule {
    code: "unknown-mixin",
    severity: Severity::Error,
    summary: "an entity uses a mixin that does not exist",
    why: "A mixin that does not exist gives nothing.",
    bad: "definition_version: 2\nmixins:\n  shared:\n    meta:\n      role: deployer\nentities:\n  repo:\n    type: image-repository\n    meta:\n      use_mixins: [share]\n",
    good: "definition_version: 2\nmixins:\n  shared:\n    meta:\n      role: deployer\nentities:\n  repo:\n    type: image-repository\n    meta:\n      use_mixins: [shared]\n",
};
/// A mixin without a section of mixins.
pub static MIXIN_IGNORED: Rule = Rule {
    code: "mixin-ignored",
    severity: Severity::Warning,
    summary: "an entity uses a mixin, and the definition has no `mixins` section",
    why: "Without a `mixins` section snow neither applies nor checks mixins, and says nothing.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    meta:\n      use_mixins: [shared]\n",
    good: "definition_version: 2\nmixins:\n  shared:\n    meta:\n      role: deployer\nentities:\n  repo:\n    type: image-repository\n    meta:\n      use_mixins: [shared]\n",
};
/// A mixin and an entity that give values of different forms.
pub static MIXIN_CONFLICT: Rule = Rule {
    code: "mixin-conflict",
    severity: Severity::Error,
    summary: "a mixin and an entity give values that cannot be merged",
    why: "Mappings merge with mappings and lists with lists; a text and a mapping do not merge.",
    bad: "definition_version: 2\nmixins:\n  core:\n    identifier:\n      schema: core\nentities:\n  repo:\n    type: image-repository\n    identifier: repo\n    meta:\n      use_mixins: [core]\n",
    good: "definition_version: 2\nmixins:\n  core:\n    identifier:\n      schema: core\nentities:\n  repo:\n    type: image-repository\n    identifier:\n      name: repo\n    meta:\n      use_mixins: [core]\n",
};
/// The tag where nothing can be overridden.
pub static OVERRIDE_WITHOUT_MIXINS: Rule = Rule {
    code: "override-without-mixins",
    severity: Severity::Error,
    summary: "`!override` stands where there is nothing to override",
    why: "`!override` replaces what a mixin gives, and works only where there is a `mixins` section.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    meta:\n      depends_on: !override []\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n    meta:\n      depends_on: []\n",
};
/// An overlay for an entity that is not there.
pub static UNKNOWN_ENTITY: Rule = Rule {
    code: "unknown-entity",
    severity: Severity::Error,
    summary: "an entity is named that the definition does not have",
    why: "snowform.yml adds to entities of snowflake.yml, by their keys.",
    bad: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n# file: snowform.yml\nentities:\n  rep:\n    comment: Base images\n",
    good: "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n# file: snowform.yml\nentities:\n  repo:\n    comment: Base images\n",
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
