//! What may be sent to an account: SQL made of keywords, identifiers and literals only, and the hazards that
//! a statement carries.
//!
//! There is no way from a bare string to an [`Sql`]: keywords are `&'static str`, everything that comes from
//! a file or from the account goes through [`Ident`], [`ObjectName`] or an escaped literal.

use super::name::{Ident, ObjectName, PartialName, SchemaName};
use std::fmt;

/// One SQL statement, without a trailing semicolon.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sql(String);

impl Sql {
    /// Starts a statement with fixed words.
    pub fn new(keywords: &'static str) -> Self {
        Self(keywords.to_owned())
    }

    /// Appends fixed words.
    #[must_use]
    pub fn keyword(self, keywords: &'static str) -> Self {
        self.push(keywords)
    }

    /// Appends one name part.
    #[must_use]
    pub fn ident(self, ident: &Ident) -> Self {
        self.push(&ident.to_string())
    }

    /// Appends `database.schema.name`.
    #[must_use]
    pub fn name(self, name: &ObjectName) -> Self {
        self.push(&name.to_string())
    }

    /// Appends a name as far as it was written; the session completes the rest.
    #[must_use]
    pub fn partial_name(self, name: &PartialName) -> Self {
        self.push(&name.to_string())
    }

    /// Appends a number.
    #[must_use]
    pub fn number(self, number: usize) -> Self {
        self.push(&number.to_string())
    }

    /// Appends `database.schema`.
    #[must_use]
    pub fn schema(self, schema: &SchemaName) -> Self {
        self.push(&schema.to_string())
    }

    /// Appends `outer.inner`.
    #[must_use]
    pub fn member(self, outer: &Ident, inner: &Ident) -> Self {
        self.push(&format!("{outer}.{inner}"))
    }

    /// Appends a text literal. A backslash is an escape inside Snowflake's literals, so it is doubled.
    #[must_use]
    pub fn text(self, content: &str) -> Self {
        let escaped = content.replace('\\', "\\\\").replace('\'', "''");
        self.push(&format!("'{escaped}'"))
    }

    /// Appends a LIKE pattern that matches names starting with `prefix`. The wildcards `%` and `_` are escaped by a
    /// backslash, which the literal itself escapes once more.
    #[must_use]
    pub fn like_prefix(self, prefix: &str) -> Self {
        self.text(&format!("{}%", escape_like(prefix)))
    }

    /// Appends a LIKE pattern that matches this text alone (and its other spellings in case).
    #[must_use]
    pub fn like_exactly(self, name: &str) -> Self {
        self.text(&escape_like(name))
    }

    /// The statement as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn push(mut self, piece: &str) -> Self {
        self.0.push(' ');
        self.0.push_str(piece);
        self
    }
}

fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

impl fmt::Display for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a provider carries out, and what a plan prints. A provider that is driven over REST adds a variant;
/// diff, plan, deploy and views only ever print it or hand it to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A statement for an SQL account.
    Sql(Sql),
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(sql) => sql.fmt(f),
        }
    }
}

/// A danger of one operation that must be allowed by name before it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hazard {
    /// Which danger, for `--allow`.
    pub kind: HazardKind,
    /// What exactly would be lost or opened, in one sentence.
    pub message: String,
}

/// The dangers, each with the name that `--allow` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HazardKind {
    /// Container images are destroyed with their repository; Snowflake has no UNDROP for them.
    DropsImages,
    /// An object is replaced by a new one of the same name; what is not declared of it is lost.
    ReplacesObject,
    /// Somebody may do more than before.
    WidensAccess,
    /// Something is taken away that no statement of the plan gives back.
    NotReversible,
    /// An object that carries another project's mark is dropped, replaced, or given this project's mark.
    TakesOver,
}

impl HazardKind {
    /// Every kind, in the order in which help prints them.
    pub const ALL: &'static [Self] =
        &[Self::DropsImages, Self::ReplacesObject, Self::WidensAccess, Self::NotReversible, Self::TakesOver];

    /// The stable name, as `--allow` and the JSON plan spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::DropsImages => "drops-images",
            Self::ReplacesObject => "replaces-object",
            Self::WidensAccess => "widens-access",
            Self::NotReversible => "not-reversible",
            Self::TakesOver => "takes-over",
        }
    }
}

impl HazardKind {
    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::DropsImages => {
                "a repository that holds images is dropped; the images are destroyed and cannot be brought back"
            }
            Self::ReplacesObject => {
                "an object is replaced by a new one of the same name; grants, tags or the owner of the old one are lost"
            }
            Self::WidensAccess => "a privilege or an ownership is given to a role that did not have it",
            Self::NotReversible => {
                "something is taken away that this plan cannot give back, as all grants on an object"
            }
            Self::TakesOver => {
                "an object that carries another project's mark is dropped, replaced, or given this project's mark"
            }
        }
    }
}

impl fmt::Display for HazardKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_in_names_match_themselves_only() {
        let sql = Sql::new("SHOW SCHEMAS LIKE").like_exactly("A_B%");
        assert_eq!(sql.as_str(), r"SHOW SCHEMAS LIKE 'A\\_B\\%'");
    }

    #[test]
    fn literals_and_names_cannot_leave_their_place() {
        let name = ObjectName::new(Ident::exact("DB"), Ident::exact("S"), Ident::exact("a\"; DROP"));
        let sql =
            Sql::new("ALTER IMAGE REPOSITORY").name(&name).keyword("SET COMMENT =").text("it's \\'; --");
        assert_eq!(sql.as_str(), r#"ALTER IMAGE REPOSITORY DB.S."a""; DROP" SET COMMENT = 'it''s \\''; --'"#);
    }
}
