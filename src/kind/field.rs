//! What a key of an entity may hold. A field is one row; whoever wants to know something of a key asks the row.

/// One key.
#[derive(Debug)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What it may hold.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// One sentence for hover, schema and help.
    pub doc: &'static str,
}

/// What a value may be. Scalars are texts in this language; a shape says which texts.
#[derive(Debug)]
pub enum Shape {
    /// Any text.
    Text,
    /// A text that is not empty and holds an identifier somewhere, at most 254 characters (the official
    /// loader's pattern is not anchored).
    Name,
    /// A path below the project, neither absolute nor leading out of it.
    ScriptPath,
    /// A list.
    List(&'static Shape),
    /// A mapping from any text.
    Map(&'static Shape),
    /// A mapping with known keys.
    Record(&'static [Field]),
    /// A text, or this.
    TextOr(&'static Shape),
}

impl Field {
    /// A key that may be left out.
    pub const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, required: false, doc }
    }

    /// A key that must be there.
    pub const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, shape, required: true, doc }
    }
}

impl Shape {
    /// What a person calls it: `a text`, `a list`.
    pub fn noun(&self) -> &'static str {
        match self {
            Self::Text | Self::ScriptPath => "a text",
            Self::Name => "a name",
            Self::List(_) => "a list",
            Self::Map(_) | Self::Record(_) => "a mapping",
            Self::TextOr(Self::List(_)) => "a text or a list",
            Self::TextOr(_) => "a text or a mapping",
        }
    }
}

/// What stands inside a value of a shape; for whoever walks down a document.
impl Shape {
    /// The keys of a mapping of this shape, where they are known.
    pub fn fields(&self) -> Option<&'static [Field]> {
        match self {
            Self::Record(fields) => Some(fields),
            Self::TextOr(other) => other.fields(),
            Self::Text | Self::Name | Self::ScriptPath | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The shape of every value of a mapping whose keys are free.
    pub fn values(&self) -> Option<&'static Self> {
        match self {
            Self::Map(value) => Some(value),
            Self::TextOr(other) => other.values(),
            Self::Text | Self::Name | Self::ScriptPath | Self::List(_) | Self::Record(_) => None,
        }
    }

    /// The shape of every item of a list.
    pub fn items(&self) -> Option<&'static Self> {
        match self {
            Self::List(item) => Some(item),
            Self::TextOr(other) => other.items(),
            Self::Text | Self::Name | Self::ScriptPath | Self::Map(_) | Self::Record(_) => None,
        }
    }

    /// Whether a text may stand there.
    pub fn takes_text(&self) -> bool {
        matches!(self, Self::Text | Self::Name | Self::ScriptPath | Self::TextOr(_))
    }
}

/// What `identifier` says, for hover and help.
pub const IDENTIFIER_DOC: &str = "The object's name: `name`, `schema.name`, `database.schema.name`, or a mapping. \
     Without it the entity's key is the name.";

/// What `meta` says, for hover and help.
pub const META_DOC: &str = "How the entity is deployed, not what it is.";

/// `identifier` as a mapping; shared by every entity type (snowflake-cli `schemas/entities/common.py`, `Identifier`).
pub static IDENTIFIER_KEYS: &[Field] = &[
    Field::required("name", Shape::Text, "The object's name."),
    Field::optional("schema", Shape::Text, "The schema that holds the object."),
    Field::optional(
        "database",
        Shape::Text,
        "The database that holds the schema; `PUBLIC` is the schema then, unless \
     one is given.",
    ),
];

/// `meta`; shared by every entity type (snowflake-cli `schemas/entities/common.py`, `MetaField`).
pub static META_KEYS: &[Field] = &[
    Field::optional("warehouse", Shape::Name, "The warehouse that scripts run on."),
    Field::optional("role", Shape::Name, "The role that the entity's statements run under."),
    Field::optional(
        "post_deploy",
        Shape::List(&Shape::Record(&[Field::required(
            "sql_script",
            Shape::ScriptPath,
            "A script below the project's root.",
        )])),
        "Scripts that snow runs after deploying some entity types.",
    ),
    Field::optional(
        "use_mixins",
        Shape::TextOr(&Shape::List(&Shape::Text)),
        "Mixins that fill this entity's keys.",
    ),
    Field::optional(
        "depends_on",
        Shape::List(&Shape::Text),
        "Entities that must be deployed before this one.",
    ),
    Field::optional(
        "action_arguments",
        Shape::Map(&Shape::Map(&Shape::Text)),
        "Arguments for actions of other entities on this one.",
    ),
];
