//! What an account holds, or should hold: objects by id. Desired and live are two values of this one type,
//! so that the difference is symmetric.

use super::name::{Ident, ObjectName};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The types of object that snowform deploys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectType {
    /// A Snowpark Container Services image repository.
    ImageRepository,
}

impl ObjectType {
    /// The words a person reads: `image repository`.
    pub fn noun(self) -> &'static str {
        match self {
            Self::ImageRepository => "image repository",
        }
    }

    /// The name in `type:` and in JSON: `image-repository`.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::ImageRepository => "image-repository",
        }
    }
}

/// What an object is and where it stands; the key of a [`State`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// Its type.
    pub object_type: ObjectType,
    /// Its full name.
    pub name: ObjectName,
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { object_type, name } = self;
        write!(f, "{} {name}", object_type.noun())
    }
}

/// The attributes that are declared or were read, by the name of their field.
pub type Attributes = BTreeMap<&'static str, String>;

/// Values of governance tags, by the tags' full names.
pub type Tags = BTreeMap<ObjectName, String>;

/// One object: what it declares (desired) or what was read of it (live).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Attributes that a definition can declare. A desired object holds only what was declared.
    pub attributes: Attributes,
    /// Facts that nobody declares, by the name of the column they were read from (owner, creation time,
    /// address); empty in a desired object, never compared.
    pub facts: BTreeMap<&'static str, String>,
    /// Governance tags: the declared ones (desired), or those of the declared ones that are set (live).
    pub tags: Tags,
    /// The privileges granted on it, ownership aside. Nothing where none are declared (desired) or they were not read
    /// (live).
    pub grants: Option<BTreeSet<Grant>>,
}

/// A privilege on an object, and who has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The privilege, upper case: `READ`.
    pub privilege: String,
    /// Who has it.
    pub grantee: Grantee,
}

/// Who has a privilege.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grantee {
    /// A role of the account.
    Role(Ident),
    /// A role of a database, by database and name.
    DatabaseRole(Ident, Ident),
    /// Somebody else, who can be seen and not declared: a user, a share, an application.
    Other {
        /// What it is, as the account says it: `USER`.
        kind: String,
        /// Its name, as the account prints it.
        name: String,
    },
}

impl Grantee {
    /// Whether it is something that a file can declare.
    pub fn is_role(&self) -> bool {
        !matches!(self, Self::Other { .. })
    }
}

impl fmt::Display for Grantee {
    /// As GRANT and REVOKE spell it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => write!(f, "ROLE {role}"),
            Self::DatabaseRole(database, role) => write!(f, "DATABASE ROLE {database}.{role}"),
            Self::Other { kind, name } => write!(f, "{kind} {name}"),
        }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { privilege, grantee } = self;
        write!(f, "{privilege} to {grantee}")
    }
}

/// What stands inside an object and goes with it when it is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents {
    /// Every image was listed.
    Listed(Vec<Image>),
    /// They could not be listed; then nobody knows what a drop destroys.
    Unknown {
        /// The account's words.
        why: String,
    },
}

/// One container image in a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Image {
    /// Its name inside the repository.
    pub name: String,
    /// Its tags, as the account prints them.
    pub tags: Vec<String>,
    /// `sha256:…`.
    pub digest: String,
    /// When it was pushed, as the account prints it.
    pub created_on: Option<String>,
}

/// An image by name, and by tag or digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageRef {
    /// Its name inside the repository.
    pub name: String,
    /// Which one of that name.
    pub version: ImageVersion,
}

/// Which image of a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageVersion {
    /// The one that carries this tag.
    Tag(String),
    /// The one of this digest, `sha256:…`.
    Digest(String),
}

impl ImageRef {
    /// Reads `name:tag` or `name@sha256:…`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, version) = match text.split_once('@') {
            Some((name, digest)) => {
                let hex = digest.strip_prefix("sha256:")?;
                let whole = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
                whole.then(|| (name, ImageVersion::Digest(digest.to_lowercase())))?
            }
            None => {
                let (name, tag) = text.rsplit_once(':')?;
                let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
                let whole = (1..=128).contains(&tag.len()) && tag.chars().all(legal);
                whole.then(|| (name, ImageVersion::Tag(tag.to_owned())))?
            }
        };
        let part = |part: &str| {
            let inner =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
            !part.is_empty() && part.chars().all(inner)
        };
        name.split('/').all(part).then(|| Self { name: name.to_owned(), version })
    }

    /// Whether an image is the one that is meant.
    pub fn is(&self, image: &Image) -> bool {
        let same_version = match &self.version {
            ImageVersion::Tag(tag) => image.tags.contains(tag),
            ImageVersion::Digest(digest) => image.digest.eq_ignore_ascii_case(digest),
        };
        image.name == self.name && same_version
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version } = self;
        match version {
            ImageVersion::Tag(tag) => write!(f, "{name}:{tag}"),
            ImageVersion::Digest(digest) => write!(f, "{name}@{digest}"),
        }
    }
}

/// Objects by id, in the order of their names.
pub type State = BTreeMap<ObjectId, Object>;
