//! `ALTER` of image repositories, users and the session.

use super::ast::{RepositoryChange, Statement, UserChange, UserProperty};
use super::failure::SqlFailure;
use super::parser::{Parsed, Parser};
use crate::object::name::Ident;
use serde_json::Value;

/// A programmatic access token's life where none is given, in days
/// (docs.snowflake.com `user-guide/programmatic-access-tokens`).
const DEFAULT_TOKEN_DAYS: u32 = 15;
/// Its longest life, in days (same page).
const MAX_TOKEN_DAYS: u32 = 365;

impl Parser<'_> {
    /// Reads what follows `ALTER`.
    pub(super) fn alter(&mut self) -> Parsed<Statement> {
        if self.take_words(&["IMAGE", "REPOSITORY"]) {
            self.alter_repository()
        } else if self.take_word("USER") {
            self.alter_user()
        } else if self.take_words(&["SESSION", "SET"]) {
            self.set_parameters()
        } else if self.take_words(&["SESSION", "UNSET"]) {
            self.unset_parameters()
        } else if self.at_word("DATABASE") || self.at_word("SCHEMA") || self.at_word("ROLE") {
            let kind = self.any_word()?;
            Err(SqlFailure::unsupported(&format!("ALTER {kind}")))
        } else {
            Err(self.unsupported_object("ALTER"))
        }
    }

    fn alter_repository(&mut self) -> Parsed<Statement> {
        let if_exists = self.if_exists();
        let name = self.name()?;
        let change = if self.take_words(&["SET", "COMMENT"]) {
            RepositoryChange::Comment(self.equals_literal()?)
        } else if self.take_words(&["SET", "TAG"]) {
            RepositoryChange::SetTags(self.tag_values()?)
        } else if self.take_words(&["UNSET", "TAG"]) {
            let mut tags = vec![self.name()?];
            while self.take_symbol(',') {
                tags.push(self.name()?);
            }
            RepositoryChange::UnsetTags(tags)
        } else if self.take_words(&["UNSET", "COMMENT"]) {
            // The documentation has the clause; a real account refuses it.
            return Err(SqlFailure::unsupported("UNSET"));
        } else {
            let _ = self.take_word("SET") || self.take_word("UNSET");
            return Err(self.unexpected());
        };
        Ok(Statement::AlterRepository { name, if_exists, change })
    }

    fn alter_user(&mut self) -> Parsed<Statement> {
        let if_exists = self.if_exists();
        let unnamed = ["ADD", "REMOVE"].iter().any(|verb| self.at_word(verb))
            && (self.then_word("PROGRAMMATIC") || self.then_word("PAT"));
        let name = if unnamed { None } else { Some(self.ident()?) };
        let change = if self.take_word("SET") {
            UserChange::Set(self.user_properties()?)
        } else if self.take_word("UNSET") {
            UserChange::Unset(self.unset_user_properties()?)
        } else if self.take_word("ADD") {
            self.access_token_words()?;
            self.add_token()?
        } else if self.take_word("REMOVE") {
            self.access_token_words()?;
            UserChange::RemoveToken { name: self.ident()? }
        } else {
            return Err(self.unexpected());
        };
        Ok(Statement::AlterUser { name, if_exists, change })
    }

    fn access_token_words(&mut self) -> Parsed<()> {
        if self.take_words(&["PROGRAMMATIC", "ACCESS", "TOKEN"]) || self.take_word("PAT") {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    fn add_token(&mut self) -> Parsed<UserChange> {
        let name = self.ident()?;
        let (mut days, mut role) = (DEFAULT_TOKEN_DAYS, None);
        while !self.is_done() {
            if self.take_word("DAYS_TO_EXPIRY") {
                self.expect_symbol('=')?;
                days = self.whole_number()?;
                if !(1..=MAX_TOKEN_DAYS).contains(&days) {
                    return Err(SqlFailure::invalid_value(&days.to_string(), "DAYS_TO_EXPIRY"));
                }
            } else if self.take_word("ROLE_RESTRICTION") {
                self.expect_symbol('=')?;
                role = Some(self.ident_or_literal()?);
            } else if self.take_word("COMMENT") {
                self.equals_literal()?;
            } else {
                return Err(self.unexpected());
            }
        }
        Ok(UserChange::AddToken { name, days, role })
    }

    fn unset_user_properties(&mut self) -> Parsed<Vec<UserProperty>> {
        const NAMES: &[(&str, UserProperty)] = &[
            ("PASSWORD", UserProperty::Password),
            ("RSA_PUBLIC_KEY", UserProperty::RsaPublicKey),
            ("RSA_PUBLIC_KEY_2", UserProperty::RsaPublicKey2),
            ("DEFAULT_ROLE", UserProperty::DefaultRole),
            ("COMMENT", UserProperty::Comment),
        ];
        let mut properties = Vec::new();
        loop {
            let known = NAMES.iter().find(|(name, _)| self.at_word(name));
            let (name, property) = known.ok_or_else(|| self.unexpected())?;
            self.expect_word(name)?;
            properties.push(*property);
            let _ = self.take_symbol(',');
            if self.is_done() {
                return Ok(properties);
            }
        }
    }

    /// Reads a role's name, bare, quoted or, as some properties are often written, in a literal.
    pub(super) fn ident_or_literal(&mut self) -> Parsed<Ident> {
        let before = self.unexpected();
        match self.literal() {
            Ok(written) => Ident::parse(&written).map_err(|_| before),
            Err(_) => self.ident(),
        }
    }

    fn set_parameters(&mut self) -> Parsed<Statement> {
        let mut parameters = Vec::new();
        while parameters.is_empty() || !self.is_done() {
            let name = self.any_word()?;
            self.expect_symbol('=')?;
            parameters.push((name, self.parameter_value()?));
            let _ = self.take_symbol(',');
        }
        Ok(Statement::SetParameters(parameters))
    }

    /// Reads a literal, a number (perhaps negative), or a word such as `TRUE`.
    fn parameter_value(&mut self) -> Parsed<Value> {
        if let Ok(text) = self.literal() {
            return Ok(Value::from(text));
        }
        let minus = if self.take_symbol('-') { "-" } else { "" };
        if let Ok(digits) = self.number() {
            let written = format!("{minus}{digits}");
            return Ok(written.parse::<serde_json::Number>().map_or(Value::from(written), Value::from));
        }
        if !minus.is_empty() {
            return Err(self.unexpected());
        }
        let word = self.any_word()?;
        Ok(match word.as_str() {
            "TRUE" => Value::Bool(true),
            "FALSE" => Value::Bool(false),
            _ => Value::from(word),
        })
    }

    fn unset_parameters(&mut self) -> Parsed<Statement> {
        let mut names = vec![self.any_word()?];
        while self.take_symbol(',') {
            names.push(self.any_word()?);
        }
        Ok(Statement::UnsetParameters(names))
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse_one;
    use super::*;
    use crate::object::name::PartialName;

    #[test]
    fn unset_comment_is_refused_as_a_real_account_refuses_it() {
        let failure = parse_one("alter image repository r unset comment").unwrap_err();
        assert_eq!((failure.code, failure.message.as_str()), (2, "Unsupported feature 'UNSET'."));
    }

    #[test]
    fn tags_are_set_and_unset() {
        let Ok(Statement::AlterRepository { change, if_exists, .. }) =
            parse_one("alter image repository if exists r set tag a.b.t = 'x', u = 'y'")
        else {
            panic!("not an ALTER")
        };
        assert!(if_exists);
        let expected =
            [("a.b.t", "x"), ("u", "y")].map(|(t, v)| (PartialName::parse(t).unwrap(), v.to_owned()));
        assert_eq!(change, RepositoryChange::SetTags(expected.to_vec()));
        assert!(parse_one("alter image repository r unset tag t, u").is_ok());
    }

    #[test]
    fn session_parameters_take_literals_numbers_and_words() {
        let statement = parse_one("alter session set A = 'json' b = -1, c = true").unwrap();
        let expected = [("A", Value::from("json")), ("B", Value::from(-1)), ("C", Value::from(true))];
        let expected = expected.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(statement, Statement::SetParameters(expected.to_vec()));
    }

    #[test]
    fn tokens_are_added_to_a_named_user_or_to_oneself() {
        let named = parse_one("alter user u add programmatic access token t days_to_expiry = 3").unwrap();
        let change = UserChange::AddToken { name: Ident::exact("T"), days: 3, role: None };
        assert_eq!(named, Statement::AlterUser { name: Some(Ident::exact("U")), if_exists: false, change });
        assert!(matches!(
            parse_one("alter user add pat t role_restriction = 'SYSADMIN'").unwrap(),
            Statement::AlterUser { name: None, change: UserChange::AddToken { role: Some(_), .. }, .. }
        ));
        assert_eq!(parse_one("alter user add pat t days_to_expiry = 366").unwrap_err().code, 1008);
    }
}
