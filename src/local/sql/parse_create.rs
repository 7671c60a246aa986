//! `CREATE` of image repositories, databases, schemas, roles and users.

use super::ast::{CreateMode, CreateRepository, Encryption, Statement, UserProperties};
use super::failure::SqlFailure;
use super::parser::{Parsed, Parser};
use crate::object::name::PartialName;

impl Parser<'_> {
    /// Reads what follows `CREATE`.
    pub(super) fn create(&mut self) -> Parsed<Statement> {
        let replace = self.take_words(&["OR", "REPLACE"]);
        if !replace && self.at_word("OR") && self.then_word("ALTER") {
            return Err(SqlFailure::unsupported("CREATE OR ALTER"));
        }
        if self.take_words(&["IMAGE", "REPOSITORY"]) {
            let mode = self.create_mode(replace)?;
            self.create_repository(mode)
        } else if self.take_word("DATABASE") {
            let mode = self.create_mode(replace)?;
            Ok(Statement::CreateDatabase { name: self.ident()?, mode, comment: self.comment()? })
        } else if self.take_word("SCHEMA") {
            let mode = self.create_mode(replace)?;
            Ok(Statement::CreateSchema { name: self.schema_name()?, mode, comment: self.comment()? })
        } else if self.take_word("ROLE") {
            let mode = self.create_mode(replace)?;
            Ok(Statement::CreateRole { name: self.ident()?, mode, comment: self.comment()? })
        } else if self.take_word("USER") {
            let mode = self.create_mode(replace)?;
            let name = self.ident()?;
            Ok(Statement::CreateUser { name, mode, properties: self.user_properties()? })
        } else {
            Err(self.unsupported_object("CREATE"))
        }
    }

    /// Reads `IF NOT EXISTS`, which excludes `OR REPLACE`.
    fn create_mode(&mut self, replace: bool) -> Parsed<CreateMode> {
        if !self.take_words(&["IF", "NOT", "EXISTS"]) {
            return Ok(if replace { CreateMode::OrReplace } else { CreateMode::Plain });
        }
        if replace {
            return Err(SqlFailure::conflicting_clauses("OR REPLACE", "IF NOT EXISTS"));
        }
        Ok(CreateMode::IfNotExists)
    }

    fn create_repository(&mut self, mode: CreateMode) -> Parsed<Statement> {
        let mut repository = CreateRepository {
            name: self.name()?,
            mode,
            encryption: Encryption::Full,
            comment: String::new(),
            tags: Vec::new(),
        };
        while !self.is_done() {
            if self.take_word("ENCRYPTION") {
                repository.encryption = self.encryption()?;
            } else if self.take_word("COMMENT") {
                repository.comment = self.equals_literal()?;
            } else if self.take_word("TAG") || self.take_words(&["WITH", "TAG"]) {
                self.expect_symbol('(')?;
                repository.tags = self.tag_values()?;
                self.expect_symbol(')')?;
            } else {
                return Err(self.unexpected());
            }
        }
        Ok(Statement::CreateRepository(repository))
    }

    fn encryption(&mut self) -> Parsed<Encryption> {
        self.expect_symbol('=')?;
        self.expect_symbol('(')?;
        self.expect_word("TYPE")?;
        let written = self.equals_literal()?;
        self.expect_symbol(')')?;
        [Encryption::Full, Encryption::Sse]
            .into_iter()
            .find(|encryption| encryption.name().eq_ignore_ascii_case(&written))
            .ok_or_else(|| SqlFailure::invalid_value(&written, "ENCRYPTION TYPE"))
    }

    /// Reads `tag = 'value', …`; a value has at most 256 characters.
    pub(super) fn tag_values(&mut self) -> Parsed<Vec<(PartialName, String)>> {
        let mut tags = Vec::new();
        loop {
            let tag = self.name()?;
            let value = self.equals_literal()?;
            if value.chars().count() > 256 {
                return Err(SqlFailure::invalid_value(&value, "TAG"));
            }
            tags.push((tag, value));
            if !self.take_symbol(',') {
                return Ok(tags);
            }
        }
    }

    /// Reads `COMMENT = '…'`, where it is written.
    fn comment(&mut self) -> Parsed<String> {
        if self.take_word("COMMENT") { self.equals_literal() } else { Ok(String::new()) }
    }

    /// Reads the properties of a user, in any order, to the end of the statement.
    pub(super) fn user_properties(&mut self) -> Parsed<UserProperties> {
        let mut properties = UserProperties::default();
        while !self.is_done() {
            if self.take_word("PASSWORD") {
                properties.password = Some(self.equals_literal()?);
            } else if self.take_word("RSA_PUBLIC_KEY") {
                properties.rsa_public_key = Some(self.equals_literal()?);
            } else if self.take_word("RSA_PUBLIC_KEY_2") {
                properties.rsa_public_key_2 = Some(self.equals_literal()?);
            } else if self.take_word("DEFAULT_ROLE") {
                self.expect_symbol('=')?;
                properties.default_role = Some(self.ident_or_literal()?);
            } else if self.take_word("COMMENT") {
                properties.comment = Some(self.equals_literal()?);
            } else {
                return Err(self.unexpected());
            }
            // Commas between properties are optional.
            if self.take_symbol(',') && self.is_done() {
                return Err(self.unexpected());
            }
        }
        Ok(properties)
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse_one;
    use super::*;

    fn repository(text: &str) -> CreateRepository {
        match parse_one(text) {
            Ok(Statement::CreateRepository(repository)) => repository,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn clauses_of_a_repository_come_in_any_order() {
        let first = repository(
            "create image repository db.s.r encryption = (type = 'SNOWFLAKE_SSE') comment = 'c' tag (t = 'v')",
        );
        let second = repository(
            "CREATE IMAGE REPOSITORY DB.S.R COMMENT='c' WITH TAG (T='v') ENCRYPTION=(TYPE='snowflake_sse');",
        );
        assert_eq!(first, second);
        assert_eq!(first.encryption, Encryption::Sse);
        assert_eq!(first.tags, [(PartialName::parse("T").unwrap(), "v".to_owned())]);
    }

    #[test]
    fn what_is_not_written_has_its_default() {
        let plain = repository("create image repository r");
        assert_eq!(
            (plain.mode, plain.encryption, plain.comment.as_str()),
            (CreateMode::Plain, Encryption::Full, "")
        );
        assert_eq!(repository("create or replace image repository r").mode, CreateMode::OrReplace);
        assert_eq!(repository("create image repository if not exists r").mode, CreateMode::IfNotExists);
    }

    #[test]
    fn wrong_clauses_are_refused() {
        let cases = [
            ("create or replace image repository if not exists r", 2050),
            ("create image repository r encryption = (type = 'ROT13')", 1008),
            ("create image repository r comment 'x'", 1003),
            ("create image repository r with comment = 'x'", 1003),
            ("create or alter image repository r", 2),
            ("create user u password = 'x',", 1003),
        ];
        for (text, code) in cases {
            assert_eq!(parse_one(text).unwrap_err().code, code, "{text}");
        }
    }
}
