//! The parser's core: a cursor over tokens, names in all their spellings, and the first word of a statement.
//!
//! The grammar of each family of statements is in its own `parse_…` file beside this one.

use super::ast::{DropKind, PartialSchema, Statement, Use};
use super::failure::SqlFailure;
use super::lexer::{Token, TokenKind, syntax_error};
use crate::object::name::{Ident, PartialName};

/// Result of every parsing function.
pub(super) type Parsed<T> = Result<T, SqlFailure>;

/// Reads the tokens of one statement.
pub(crate) fn parse(text: &str, tokens: &[Token]) -> Parsed<Statement> {
    let mut parser = Parser { text, tokens, at: 0 };
    let statement = parser.statement()?;
    if parser.is_done() { Ok(statement) } else { Err(parser.unexpected()) }
}

/// Statement kinds of Snowflake that this account does not do, by their first word, sorted.
const OTHER_STATEMENTS: &[&str] = &[
    "BEGIN", "CALL", "COMMENT", "COMMIT", "COPY", "DECLARE", "DELETE", "DESC", "DESCRIBE", "EXECUTE",
    "EXPLAIN", "GET", "INSERT", "LIST", "LS", "MERGE", "PUT", "REMOVE", "RM", "ROLLBACK", "SET", "START",
    "TRUNCATE", "UNDROP", "UNSET", "UPDATE", "WITH",
];

/// Kinds of object of Snowflake that this account does not hold, by the first word of their name, sorted.
const OTHER_OBJECTS: &[&str] = &[
    "ACCOUNT",
    "ACCOUNTS",
    "ALERT",
    "ALERTS",
    "API",
    "APPLICATION",
    "APPLICATIONS",
    "AUTHENTICATION",
    "CATALOG",
    "COLUMNS",
    "COMPUTE",
    "CORTEX",
    "DATASET",
    "DYNAMIC",
    "EVENT",
    "EXTERNAL",
    "FAILOVER",
    "FILE",
    "FUNCTION",
    "FUNCTIONS",
    "GIT",
    "HYBRID",
    "ICEBERG",
    "INTEGRATION",
    "INTEGRATIONS",
    "JOIN",
    "LISTING",
    "LISTINGS",
    "LOCKS",
    "MASKING",
    "MATERIALIZED",
    "MODEL",
    "MODELS",
    "NETWORK",
    "NOTEBOOK",
    "NOTEBOOKS",
    "NOTIFICATION",
    "OBJECTS",
    "ORGANIZATION",
    "PACKAGES",
    "PASSWORD",
    "PIPE",
    "PIPES",
    "PRIMARY",
    "PROCEDURE",
    "PROCEDURES",
    "REGIONS",
    "REPLICATION",
    "RESOURCE",
    "ROW",
    "SECRET",
    "SECRETS",
    "SECURE",
    "SECURITY",
    "SEQUENCE",
    "SEQUENCES",
    "SERVICE",
    "SERVICES",
    "SESSION",
    "SHARE",
    "SHARES",
    "SNAPSHOT",
    "SNAPSHOTS",
    "STAGE",
    "STAGES",
    "STORAGE",
    "STREAM",
    "STREAMLIT",
    "STREAMLITS",
    "STREAMS",
    "TABLE",
    "TABLES",
    "TAG",
    "TAGS",
    "TASK",
    "TASKS",
    "TEMP",
    "TEMPORARY",
    "TRANSACTIONS",
    "TRANSIENT",
    "VARIABLES",
    "VIEW",
    "VIEWS",
    "WAREHOUSE",
    "WAREHOUSES",
];

/// Words that are reserved only behind `SHOW … IN`, and good names elsewhere
/// (docs.snowflake.com `sql-reference/reserved-keywords`).
const RESERVED_IN_SHOW_ONLY: &[&str] =
    &["ACCOUNT", "CONNECTION", "DATABASE", "GSCLUSTER", "ISSUE", "ORGANIZATION", "SCHEMA", "VIEW"];

/// A cursor over the tokens of one statement.
pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Parser<'a> {
    fn statement(&mut self) -> Parsed<Statement> {
        if self.take_word("CREATE") {
            self.create()
        } else if self.take_word("ALTER") {
            self.alter()
        } else if self.take_word("DROP") {
            self.drop_object()
        } else if self.take_word("SHOW") {
            self.show()
        } else if self.take_word("GRANT") {
            self.grant()
        } else if self.take_word("REVOKE") {
            self.revoke()
        } else if self.take_word("USE") {
            self.use_object()
        } else if self.take_word("SELECT") {
            self.select()
        } else {
            Err(self.unsupported_among(OTHER_STATEMENTS, ""))
        }
    }

    fn drop_object(&mut self) -> Parsed<Statement> {
        let kind = if self.take_words(&["IMAGE", "REPOSITORY"]) {
            DropKind::ImageRepository
        } else if self.take_word("DATABASE") {
            DropKind::Database
        } else if self.take_word("SCHEMA") {
            DropKind::Schema
        } else if self.take_word("ROLE") {
            DropKind::Role
        } else if self.take_word("USER") {
            DropKind::User
        } else {
            return Err(self.unsupported_object("DROP"));
        };
        let if_exists = self.if_exists();
        let name = match kind {
            DropKind::ImageRepository => self.name()?,
            DropKind::Schema => {
                let PartialSchema { database, schema } = self.schema_name()?;
                PartialName { database: None, schema: database, name: schema }
            }
            DropKind::Database | DropKind::Role | DropKind::User => {
                PartialName { database: None, schema: None, name: self.ident()? }
            }
        };
        if kind == DropKind::Database || kind == DropKind::Schema {
            // CASCADE is the default; RESTRICT speaks of foreign keys, of which there are none here.
            let _ = self.take_word("CASCADE") || self.take_word("RESTRICT");
        }
        Ok(Statement::Drop { kind, name, if_exists })
    }

    fn use_object(&mut self) -> Parsed<Statement> {
        let used = if self.take_word("ROLE") {
            Use::Role(self.ident()?)
        } else if self.take_words(&["SECONDARY", "ROLES"]) {
            if !(self.take_word("ALL") || self.take_word("NONE")) {
                return Err(self.unexpected());
            }
            Use::SecondaryRoles
        } else if self.take_word("WAREHOUSE") {
            Use::Warehouse(self.ident()?)
        } else if self.take_word("DATABASE") {
            Use::Database(self.ident()?)
        } else if self.take_word("SCHEMA") {
            Use::Schema(self.schema_name()?)
        } else {
            match self.schema_name()? {
                PartialSchema { database: None, schema } => Use::Database(schema),
                both => Use::Schema(both),
            }
        };
        Ok(Statement::Use(used))
    }

    /// The current token.
    pub(super) fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    /// Whether all tokens are read.
    pub(super) fn is_done(&self) -> bool {
        self.at == self.tokens.len()
    }

    /// Where the next token starts, in bytes; behind the last one at the end.
    pub(super) fn start(&self) -> usize {
        self.peek().map_or_else(|| self.end(), |token| token.start)
    }

    /// Where the token before ended, in bytes.
    pub(super) fn end(&self) -> usize {
        self.at.checked_sub(1).map_or(0, |before| self.tokens[before].end)
    }

    /// A piece of the statement's text.
    pub(super) fn slice(&self, start: usize, end: usize) -> &'a str {
        &self.text[start..end]
    }

    /// The syntax error at the current token.
    pub(super) fn unexpected(&self) -> SqlFailure {
        match self.peek() {
            Some(token) => syntax_error(self.text, token.start, self.slice(token.start, token.end)),
            None => syntax_error(self.text, self.end(), "<EOF>"),
        }
    }

    /// "Unsupported" where the current word is one of `known`, otherwise the syntax error.
    fn unsupported_among(&self, known: &[&str], verb: &str) -> SqlFailure {
        match self.word_ahead(0).map(str::to_ascii_uppercase) {
            Some(word) if known.contains(&word.as_str()) => {
                SqlFailure::unsupported(format!("{verb} {word}").trim_start())
            }
            _ => self.unexpected(),
        }
    }

    /// The failure for a kind of object that `verb` does not do here.
    pub(super) fn unsupported_object(&self, verb: &str) -> SqlFailure {
        self.unsupported_among(OTHER_OBJECTS, verb)
    }

    fn word_ahead(&self, ahead: usize) -> Option<&'a str> {
        let token = self.tokens.get(self.at + ahead)?;
        (token.kind == TokenKind::Word).then(|| self.slice(token.start, token.end))
    }

    /// Whether the current token is this keyword.
    pub(super) fn at_word(&self, keyword: &str) -> bool {
        self.word_ahead(0).is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    }

    /// Whether the token after the current one is this keyword.
    pub(super) fn then_word(&self, keyword: &str) -> bool {
        self.word_ahead(1).is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    }

    /// Takes this keyword, if it is next.
    pub(super) fn take_word(&mut self, keyword: &str) -> bool {
        self.take_words(&[keyword])
    }

    /// Takes these keywords, if they are next, all or none.
    pub(super) fn take_words(&mut self, keywords: &[&str]) -> bool {
        let all = keywords.iter().enumerate().all(|(ahead, keyword)| {
            self.word_ahead(ahead).is_some_and(|word| word.eq_ignore_ascii_case(keyword))
        });
        if all {
            self.at += keywords.len();
        }
        all
    }

    /// Takes any word, in upper case.
    pub(super) fn any_word(&mut self) -> Parsed<String> {
        let word = self.word_ahead(0).ok_or_else(|| self.unexpected())?;
        self.at += 1;
        Ok(word.to_ascii_uppercase())
    }

    /// Takes this keyword; anything else is a syntax error.
    pub(super) fn expect_word(&mut self, keyword: &str) -> Parsed<()> {
        if self.take_word(keyword) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Takes this symbol, if it is next.
    pub(super) fn take_symbol(&mut self, symbol: char) -> bool {
        let there = self.peek().is_some_and(|token| token.is_symbol(symbol));
        if there {
            self.at += 1;
        }
        there
    }

    /// Takes this symbol; anything else is a syntax error.
    pub(super) fn expect_symbol(&mut self, symbol: char) -> Parsed<()> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Takes a text literal.
    pub(super) fn literal(&mut self) -> Parsed<String> {
        match self.peek() {
            Some(Token { kind: TokenKind::Text(content), .. }) => {
                self.at += 1;
                Ok(content.clone())
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Takes a number, as it was written.
    pub(super) fn number(&mut self) -> Parsed<&'a str> {
        match self.peek() {
            Some(token) if token.kind == TokenKind::Number => {
                self.at += 1;
                Ok(self.slice(token.start, token.end))
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Takes a whole number that fits `T`.
    pub(super) fn whole_number<T: std::str::FromStr>(&mut self) -> Parsed<T> {
        let before = self.at;
        self.number()?.parse().map_err(|_| {
            self.at = before;
            self.unexpected()
        })
    }

    /// Takes `= 'text'`.
    pub(super) fn equals_literal(&mut self) -> Parsed<String> {
        self.expect_symbol('=')?;
        self.literal()
    }

    /// Takes `IF EXISTS`, if it is next.
    pub(super) fn if_exists(&mut self) -> bool {
        self.take_words(&["IF", "EXISTS"])
    }

    /// Takes a name of one part.
    pub(super) fn ident(&mut self) -> Parsed<Ident> {
        let before = self.at;
        match self.name()? {
            PartialName { database: None, schema: None, name } => Ok(name),
            _ => {
                self.at = before + 1;
                Err(self.unexpected())
            }
        }
    }

    /// Takes a name of one or two parts that means a schema.
    pub(super) fn schema_name(&mut self) -> Parsed<PartialSchema> {
        let before = self.at;
        match self.name()? {
            PartialName { database: None, schema, name } => {
                Ok(PartialSchema { database: schema, schema: name })
            }
            _ => {
                self.at = before;
                Err(self.unexpected())
            }
        }
    }

    /// Takes a name of one to three parts, also as `IDENTIFIER('…')`, which is how `snow` writes some.
    pub(super) fn name(&mut self) -> Parsed<PartialName> {
        let before = self.at;
        if self.take_word("IDENTIFIER") && self.take_symbol('(') {
            let written = self.literal()?;
            let name = PartialName::parse(&written).map_err(|_| self.step_back_and_fail())?;
            self.expect_symbol(')')?;
            return Ok(name);
        }
        self.at = before;
        let mut parts = vec![self.name_part()?];
        while parts.len() < 3 && self.take_symbol('.') {
            parts.push(self.name_part()?);
        }
        let name = parts.pop().expect("internal error: a name has a part");
        let schema = parts.pop();
        Ok(PartialName { database: parts.pop(), schema, name })
    }

    fn name_part(&mut self) -> Parsed<Ident> {
        let token = self.peek().ok_or_else(|| self.unexpected())?;
        let written = self.slice(token.start, token.end);
        let quoted = match token.kind {
            TokenKind::Word => false,
            TokenKind::Quoted => true,
            TokenKind::Text(_) | TokenKind::Number | TokenKind::Symbol(_) => return Err(self.unexpected()),
        };
        let ident = Ident::parse(written).map_err(|_| self.unexpected())?;
        if !quoted && is_reserved(&ident) {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(ident)
    }

    /// The syntax error at the token before the current one.
    fn step_back_and_fail(&mut self) -> SqlFailure {
        self.at -= 1;
        self.unexpected()
    }
}

/// Whether an unquoted word is no name. What must be written in quotes although it is plain is reserved.
fn is_reserved(ident: &Ident) -> bool {
    let needs_quotes = ident.is_plain() && ident.to_string() != ident.as_str();
    needs_quotes && !RESERVED_IN_SHOW_ONLY.contains(&ident.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::parse_one;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_tables_of_unsupported_words_are_sorted_and_without_repetition() {
        for table in [OTHER_STATEMENTS, OTHER_OBJECTS] {
            assert!(table.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    #[test]
    fn a_syntax_error_names_line_position_and_text() {
        let cases = [
            ("drop image repository", "line 1 at position 21 unexpected '<EOF>'"),
            ("drop image repository a b", "line 1 at position 24 unexpected 'b'"),
            ("drop image\nrepository 'a'", "line 2 at position 11 unexpected ''a''"),
            ("frobnicate", "line 1 at position 0 unexpected 'frobnicate'"),
            ("create image repository table", "line 1 at position 24 unexpected 'table'"),
            ("drop image repository a.b.c.d", "line 1 at position 27 unexpected '.'"),
            ("use role a.b", "line 1 at position 10 unexpected '.'"),
            ("drop image repository identifier('a-b')", "position 33 unexpected ''a-b''"),
            ("use schema a.b.c", "line 1 at position 11 unexpected 'a'"),
            ("drop database \"\"", "line 1 at position 14 unexpected '\"\"'"),
        ];
        for (text, expected) in cases {
            let failure = parse_one(text).unwrap_err();
            assert_eq!((failure.code, failure.sql_state), (1003, "42000"), "{text}");
            assert!(failure.message.starts_with("SQL compilation error:\nsyntax error "), "{text}");
            assert!(failure.message.contains(expected), "{text}: {}", failure.message);
        }
    }

    #[test]
    fn known_kinds_that_are_not_done_are_named() {
        let cases = [
            ("insert into t values (1)", "INSERT"),
            ("create or replace table t (a int)", "CREATE TABLE"),
            ("show warehouses", "SHOW WAREHOUSES"),
            ("alter stage s refresh", "ALTER STAGE"),
            ("drop view v", "DROP VIEW"),
            ("describe table t", "DESCRIBE"),
        ];
        for (text, feature) in cases {
            let failure = parse_one(text).unwrap_err();
            assert_eq!((failure.code, failure.sql_state), (2, "0A000"), "{text}");
            assert_eq!(failure.message, format!("Unsupported feature '{feature}'."));
        }
    }

    #[test]
    fn names_are_read_in_every_spelling() {
        let same = ["a.B.c", "A.\"B\".\"C\"", "IDENTIFIER('a.b.c')", "identifier('\"A\".b.c')", "a . b . c"];
        let expected = PartialName::parse("A.B.C").unwrap();
        for spelling in same {
            let statement = parse_one(&format!("drop image repository {spelling}")).unwrap();
            let Statement::Drop { name, .. } = statement else { panic!("{statement:?}") };
            assert_eq!(name, expected, "{spelling}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(words in proptest::collection::vec(
            prop_oneof![
                Just("create"), Just("or"), Just("replace"), Just("image"), Just("repository"), Just("if"),
                Just("not"), Just("exists"), Just("alter"), Just("set"), Just("unset"), Just("comment"),
                Just("="), Just("'x'"), Just("a"), Just("\"b\""), Just("."), Just(","), Just("("), Just(")"),
                Just("grant"), Just("read"), Just("on"), Just("to"), Just("role"), Just("user"), Just("show"),
                Just("grants"), Just("in"), Just("like"), Just("limit"), Just("1"), Just("select"),
                Just("current_role"), Just("is"), Just("null"), Just("as"), Just("tag"), Just("ownership"),
            ], 0..14)) {
            let _ = parse_one(&words.join(" "));
        }
    }
}
