//! Names as the account stores and compares them.
//!
//! An [`Ident`] holds the exact stored content: unquoted spellings are folded to upper case when they are
//! parsed, quoted ones are kept. Two idents are the same object exactly when they are equal, so `NAME`,
//! `"NAME"` and `name` meet here and nowhere else.
//! Source of the rules: docs.snowflake.com `sql-reference/identifiers-syntax`; `snowflake.cli.api.identifiers`.

use std::fmt;

/// The longest name, in characters, that an account stores (identifiers-syntax).
pub const MAX_IDENT_CHARS: usize = 255;

/// One part of a name, exactly as the account stores it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident(String);

/// Why a text is no identifier, or no one- to three-part name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was written, or nothing between two dots.
    #[error("a name part is empty")]
    Empty,
    /// A quoted name whose closing quote is missing.
    #[error("the closing double quote is missing")]
    UnclosedQuote,
    /// An unquoted name that starts with something else than a letter or `_`.
    #[error("an unquoted name cannot start with {0:?}")]
    BadStart(char),
    /// An unquoted name that holds a character that only quotes permit.
    #[error("the character {0:?} is not allowed in an unquoted name")]
    BadCharacter(char),
    /// Text directly behind a closing quote.
    #[error("there is text after the closing double quote")]
    AfterQuote,
    /// More than [`MAX_IDENT_CHARS`] characters.
    #[error("a name part is longer than 255 characters")]
    TooLong,
    /// More than database, schema and name.
    #[error("a name has at most three parts: database.schema.name")]
    TooManyParts,
}

impl Ident {
    /// Parses one part in SQL spelling: `name`, `NAME` or `"Name"`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let (ident, rest) = Self::scan(text)?;
        match rest.chars().next() {
            None => Ok(ident),
            Some(_) if text.starts_with('"') => Err(NameError::AfterQuote),
            Some(other) => Err(NameError::BadCharacter(other)),
        }
    }

    /// Takes the stored content as it is, the way SHOW prints it.
    pub fn exact(content: impl Into<String>) -> Self {
        Self(content.into())
    }

    /// The stored content, without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the content is what an unquoted spelling would be stored as: the only names that an
    /// image repository, its schema and its database may have.
    pub fn is_plain(&self) -> bool {
        let mut chars = self.0.chars();
        let first = chars.next().is_some_and(|c| c.is_ascii_uppercase() || c == '_');
        first
            && self.0.len() <= MAX_IDENT_CHARS
            && chars.all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_' || c == '$')
    }

    /// Reads one part from the start of `text`; yields it and what follows it.
    fn scan(text: &str) -> Result<(Self, &str), NameError> {
        let (content, rest) = if let Some(inner) = text.strip_prefix('"') {
            scan_quoted(inner)?
        } else {
            let end = text.find('.').unwrap_or(text.len());
            let (part, rest) = text.split_at(end);
            (fold(part)?, rest)
        };
        if content.chars().count() > MAX_IDENT_CHARS {
            return Err(NameError::TooLong);
        }
        Ok((Self(content), rest))
    }
}

/// Folds an unquoted spelling to its stored content.
fn fold(part: &str) -> Result<String, NameError> {
    let first = part.chars().next().ok_or(NameError::Empty)?;
    if !(first.is_ascii_alphabetic() || first == '_') {
        let legal_later = first.is_ascii_digit() || first == '$';
        return Err(if legal_later { NameError::BadStart(first) } else { NameError::BadCharacter(first) });
    }
    match part.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '$'))) {
        Some(bad) => Err(NameError::BadCharacter(bad)),
        None => Ok(part.to_ascii_uppercase()),
    }
}

/// Reads quoted content behind its opening quote; `""` stands for one quote.
fn scan_quoted(inner: &str) -> Result<(String, &str), NameError> {
    let mut content = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '"' {
            content.push(c);
        } else if inner[at + 1..].starts_with('"') {
            content.push('"');
            chars.next();
        } else if content.is_empty() {
            return Err(NameError::Empty);
        } else {
            return Ok((content, &inner[at + 1..]));
        }
    }
    Err(NameError::UnclosedQuote)
}

impl fmt::Display for Ident {
    /// SQL spelling: bare where an unquoted name means the same, otherwise quoted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_plain() && RESERVED.binary_search(&self.0.as_str()).is_err() {
            f.write_str(&self.0)
        } else {
            write!(f, "\"{}\"", self.0.replace('"', "\"\""))
        }
    }
}

/// A schema, fully qualified.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaName {
    /// The database that holds it.
    pub database: Ident,
    /// Its own name.
    pub schema: Ident,
}

impl fmt::Display for SchemaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, schema } = self;
        write!(f, "{database}.{schema}")
    }
}

/// An object inside a schema, fully qualified.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// The schema that holds it.
    pub schema: SchemaName,
    /// Its own name.
    pub name: Ident,
}

impl ObjectName {
    /// Database, schema and name, from the outside in.
    pub fn new(database: Ident, schema: Ident, name: Ident) -> Self {
        Self { schema: SchemaName { database, schema }, name }
    }

    /// The three parts, from the outside in.
    pub fn parts(&self) -> [&Ident; 3] {
        [&self.schema.database, &self.schema.schema, &self.name]
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schema, name } = self;
        write!(f, "{schema}.{name}")
    }
}

/// A name as somebody wrote it: one to three parts, the outer ones perhaps left to the context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialName {
    /// The database, where it was written.
    pub database: Option<Ident>,
    /// The schema, where it was written.
    pub schema: Option<Ident>,
    /// The object's own name.
    pub name: Ident,
}

impl PartialName {
    /// Parses `name`, `schema.name` or `database.schema.name`; every part may be quoted.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            let (ident, tail) = Ident::scan(rest)?;
            parts.push(ident);
            match tail.strip_prefix('.') {
                Some(next) => rest = next,
                None if tail.is_empty() => break,
                None => return Err(NameError::AfterQuote),
            }
        }
        let name = parts.pop().ok_or(NameError::Empty)?;
        let schema = parts.pop();
        let database = parts.pop();
        if parts.is_empty() { Ok(Self { database, schema, name }) } else { Err(NameError::TooManyParts) }
    }
}

impl fmt::Display for PartialName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, schema, name } = self;
        for part in [database, schema].into_iter().flatten() {
            write!(f, "{part}.")?;
        }
        name.fmt(f)
    }
}

/// Words that no unquoted object name may be (docs.snowflake.com `sql-reference/reserved-keywords`), sorted.
const RESERVED: &[&str] = &[
    "ACCOUNT",
    "ALL",
    "ALTER",
    "AND",
    "ANY",
    "AS",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CHECK",
    "COLUMN",
    "CONNECT",
    "CONNECTION",
    "CONSTRAINT",
    "CREATE",
    "CROSS",
    "CURRENT",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "DATABASE",
    "DELETE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "EXISTS",
    "FALSE",
    "FOLLOWING",
    "FOR",
    "FROM",
    "FULL",
    "GRANT",
    "GROUP",
    "GSCLUSTER",
    "HAVING",
    "ILIKE",
    "IN",
    "INCREMENT",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "ISSUE",
    "JOIN",
    "LATERAL",
    "LEFT",
    "LIKE",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "MINUS",
    "NATURAL",
    "NOT",
    "NULL",
    "OF",
    "ON",
    "OR",
    "ORDER",
    "ORGANIZATION",
    "QUALIFY",
    "REGEXP",
    "REVOKE",
    "RIGHT",
    "RLIKE",
    "ROW",
    "ROWS",
    "SAMPLE",
    "SCHEMA",
    "SELECT",
    "SET",
    "SOME",
    "START",
    "TABLE",
    "TABLESAMPLE",
    "THEN",
    "TO",
    "TRIGGER",
    "TRUE",
    "TRY_CAST",
    "UNION",
    "UNIQUE",
    "UPDATE",
    "USING",
    "VALUES",
    "VIEW",
    "WHEN",
    "WHENEVER",
    "WHERE",
    "WITH",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reserved_words_are_sorted_so_that_the_search_finds_them() {
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn spellings_of_one_name_are_equal() {
        let same = ["my_repo", "MY_REPO", "My_Repo", "\"MY_REPO\""];
        for text in same {
            assert_eq!(Ident::parse(text), Ok(Ident::exact("MY_REPO")), "{text}");
        }
        assert_eq!(Ident::parse("\"My_Repo\"").unwrap().as_str(), "My_Repo");
    }

    #[test]
    fn what_is_no_name_says_why() {
        let cases = [
            ("", NameError::Empty),
            ("1repo", NameError::BadStart('1')),
            ("my-repo", NameError::BadCharacter('-')),
            ("r;drop", NameError::BadCharacter(';')),
            ("$x", NameError::BadStart('$')),
            ("\"abc", NameError::UnclosedQuote),
            ("\"\"", NameError::Empty),
            ("db..name", NameError::Empty),
            ("a.b.c.d", NameError::TooManyParts),
            ("\"a\"b", NameError::AfterQuote),
            ("réponse", NameError::BadCharacter('é')),
        ];
        for (text, why) in cases {
            assert_eq!(PartialName::parse(text), Err(why), "{text}");
        }
        assert_eq!(Ident::parse(&"a".repeat(256)), Err(NameError::TooLong));
        assert!(Ident::parse(&"a".repeat(255)).is_ok());
    }

    #[test]
    fn dots_inside_quotes_do_not_separate() {
        let name = PartialName::parse("\"My.Db\".sch.\"a\"\"b\"").unwrap();
        assert_eq!(name.database, Some(Ident::exact("My.Db")));
        assert_eq!(name.schema, Some(Ident::exact("SCH")));
        assert_eq!(name.name, Ident::exact("a\"b"));
    }

    #[test]
    fn reserved_words_are_written_in_quotes() {
        assert_eq!(Ident::parse("table").unwrap().to_string(), "\"TABLE\"");
        assert_eq!(Ident::parse("tables").unwrap().to_string(), "TABLES");
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same_name(content in ".{1,40}") {
            let ident = Ident::exact(content);
            prop_assert_eq!(Ident::parse(&ident.to_string()), Ok(ident));
        }

        #[test]
        fn parsing_never_panics(text in ".{0,60}") {
            let _ = PartialName::parse(&text);
        }
    }
}
