//! `SHOW`.

use super::ast::{Filter, Scope, Show, Statement};
use super::parser::{Parsed, Parser};

impl Parser<'_> {
    /// Reads what follows `SHOW`.
    pub(super) fn show(&mut self) -> Parsed<Statement> {
        let terse = self.take_word("TERSE");
        let show = if self.take_words(&["IMAGE", "REPOSITORIES"]) {
            let (scope, filter) = self.scope_and_filter(terse)?;
            Show::Repositories { scope, filter }
        } else if self.take_word("SCHEMAS") {
            let like = self.like()?;
            let scope = if self.take_word("IN") { Some(self.scope_of_schemas()?) } else { None };
            Show::Schemas { scope, filter: self.rest_of_filter(terse, like)? }
        } else if self.take_word("DATABASES") {
            let filter = self.account_filter(terse)?;
            Show::Databases { filter }
        } else if self.take_word("ROLES") {
            let filter = self.account_filter(terse)?;
            Show::Roles { filter }
        } else if self.take_word("USERS") {
            let filter = self.account_filter(terse)?;
            Show::Users { filter }
        } else if terse {
            return Err(self.unexpected());
        } else {
            self.show_others()?
        };
        Ok(Statement::Show(show))
    }

    /// Reads the kinds that TERSE does not go with.
    fn show_others(&mut self) -> Parsed<Show> {
        if self.take_word("IMAGES") {
            let like = self.like()?;
            self.expect_word("IN")?;
            self.expect_word("IMAGE")?;
            self.expect_word("REPOSITORY")?;
            Ok(Show::Images { repository: self.name()?, like })
        } else if self.take_word("PARAMETERS") {
            let like = self.like()?;
            let _ = self.take_words(&["IN", "SESSION"]);
            Ok(Show::Parameters { like })
        } else if self.take_word("SERVICES") {
            self.scope_and_filter(false)?;
            Ok(Show::Services)
        } else if self.take_word("GRANTS") {
            self.show_grants()
        } else {
            Err(self.unsupported_object("SHOW"))
        }
    }

    fn show_grants(&mut self) -> Parsed<Show> {
        if self.take_word("ON") {
            Ok(Show::GrantsOn(self.target()?))
        } else if self.take_words(&["OF", "ROLE"]) {
            Ok(Show::GrantsOfRole(self.ident()?))
        } else if self.take_words(&["TO", "USER"]) {
            Ok(Show::GrantsToUser(Some(self.ident()?)))
        } else if self.take_word("TO") {
            let _ = self.take_word("ROLE");
            Ok(Show::GrantsToRole(self.ident()?))
        } else {
            Ok(Show::GrantsToUser(None))
        }
    }

    fn like(&mut self) -> Parsed<Option<String>> {
        if self.take_word("LIKE") { self.literal().map(Some) } else { Ok(None) }
    }

    /// Reads the filter of objects that no database holds; `IN ACCOUNT` may stand there all the same.
    fn account_filter(&mut self, terse: bool) -> Parsed<Filter> {
        let like = self.like()?;
        if self.take_word("IN") {
            self.expect_word("ACCOUNT")?;
        }
        self.rest_of_filter(terse, like)
    }

    fn scope_and_filter(&mut self, terse: bool) -> Parsed<(Option<Scope>, Filter)> {
        let like = self.like()?;
        let scope = if self.take_word("IN") { Some(self.scope()?) } else { None };
        Ok((scope, self.rest_of_filter(terse, like)?))
    }

    fn rest_of_filter(&mut self, terse: bool, like: Option<String>) -> Parsed<Filter> {
        let mut filter = Filter { terse, like, ..Filter::default() };
        if self.take_word("STARTS") {
            self.expect_word("WITH")?;
            filter.starts_with = Some(self.literal()?);
        }
        if self.take_word("LIMIT") {
            filter.limit = Some(self.whole_number()?);
            if self.take_word("FROM") {
                filter.from = Some(self.literal()?);
            }
        }
        Ok(filter)
    }

    /// Reads what follows `IN`; a bare name is a schema.
    fn scope(&mut self) -> Parsed<Scope> {
        if self.take_word("ACCOUNT") {
            return Ok(Scope::Account);
        }
        if self.take_word("DATABASE") {
            let named = !self.filter_follows();
            return Ok(Scope::Database(if named { Some(self.ident()?) } else { None }));
        }
        if self.take_word("SCHEMA") {
            let named = !self.filter_follows();
            return Ok(Scope::Schema(if named { Some(self.schema_name()?) } else { None }));
        }
        Ok(Scope::Schema(Some(self.schema_name()?)))
    }

    /// Reads what follows `SHOW SCHEMAS IN`; a bare name is a database.
    fn scope_of_schemas(&mut self) -> Parsed<Scope> {
        if self.take_word("ACCOUNT") {
            return Ok(Scope::Account);
        }
        let named = !self.take_word("DATABASE") || !self.filter_follows();
        Ok(Scope::Database(if named { Some(self.ident()?) } else { None }))
    }

    fn filter_follows(&self) -> bool {
        let starts_with = self.at_word("STARTS") && self.then_word("WITH");
        self.is_done() || starts_with || self.at_word("LIMIT")
    }
}

#[cfg(test)]
mod tests {
    use super::super::ast::PartialSchema;
    use super::super::parse_one;
    use super::*;
    use crate::object::name::Ident;

    fn scope_of(text: &str) -> Option<Scope> {
        match parse_one(text) {
            Ok(Statement::Show(Show::Repositories { scope, .. })) => scope,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn scopes_of_show() {
        let schema = |database: Option<&str>| PartialSchema {
            database: database.map(Ident::exact),
            schema: Ident::exact("S"),
        };
        let cases = [
            ("", None),
            (" in account", Some(Scope::Account)),
            (" in database", Some(Scope::Database(None))),
            (" in database d", Some(Scope::Database(Some(Ident::exact("D"))))),
            (" in schema", Some(Scope::Schema(None))),
            (" in schema limit 3", Some(Scope::Schema(None))),
            (" in schema d.s", Some(Scope::Schema(Some(schema(Some("D")))))),
            (" in s", Some(Scope::Schema(Some(schema(None))))),
            (" in d.s starts with 'A'", Some(Scope::Schema(Some(schema(Some("D")))))),
        ];
        for (scope, expected) in cases {
            assert_eq!(scope_of(&format!("show image repositories{scope}")), expected, "{scope}");
            assert_eq!(scope_of(&format!("show image repositories like 'x'{scope}")), expected, "{scope}");
        }
    }

    #[test]
    fn filters_of_show() {
        let text = "show terse image repositories like 'a%' in account starts with 'A' limit 5 from 'AB'";
        let Ok(Statement::Show(Show::Repositories { filter, .. })) = parse_one(text) else {
            panic!("{text}")
        };
        let expected = Filter {
            terse: true,
            like: Some("a%".into()),
            starts_with: Some("A".into()),
            limit: Some(5),
            from: Some("AB".into()),
        };
        assert_eq!(filter, expected);
        assert_eq!(parse_one("show image repositories limit -1").unwrap_err().code, 1003);
    }

    #[test]
    fn images_are_filtered_before_in() {
        assert!(parse_one("show images like 'a' in image repository d.s.r").is_ok());
        assert_eq!(parse_one("show images in image repository r like 'a'").unwrap_err().code, 1003);
        assert_eq!(parse_one("show terse images in image repository r").unwrap_err().code, 1003);
    }
}
