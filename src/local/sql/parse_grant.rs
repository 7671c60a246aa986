//! `GRANT` and `REVOKE`, and the privileges that each kind of object knows.

use super::ast::{CurrentGrants, Member, PrivilegeAction, PrivilegeChange, SecurableKind, Statement, Target};
use super::failure::SqlFailure;
use super::parser::{Parsed, Parser};

/// The privileges that can be granted on a kind of object, without OWNERSHIP
/// (docs.snowflake.com `user-guide/security-access-control-privileges`; SERVICE READ and SERVICE WRITE from
/// `developer-guide/snowpark-container-services/working-with-registry-repository`).
pub(crate) fn privileges_on(kind: SecurableKind) -> &'static [&'static str] {
    match kind {
        SecurableKind::Account => {
            &["CREATE DATABASE", "CREATE ROLE", "CREATE USER", "MANAGE GRANTS", "MONITOR USAGE"]
        }
        SecurableKind::Database => &["CREATE SCHEMA", "MODIFY", "MONITOR", "USAGE"],
        SecurableKind::Schema => &[
            "CREATE IMAGE REPOSITORY",
            "CREATE SERVICE",
            "CREATE STAGE",
            "CREATE TABLE",
            "CREATE VIEW",
            "MODIFY",
            "MONITOR",
            "USAGE",
        ],
        SecurableKind::ImageRepository => &["READ", "SERVICE READ", "SERVICE WRITE", "WRITE"],
    }
}

/// Privileges as written, before the object that they are on is known.
struct Written {
    all: bool,
    names: Vec<String>,
}

impl Parser<'_> {
    /// Reads what follows `GRANT`.
    pub(super) fn grant(&mut self) -> Parsed<Statement> {
        if self.take_word("OWNERSHIP") {
            return self.ownership();
        }
        if self.take_word("ROLE") {
            return self.membership(false);
        }
        let (written, target, privileges_at) = self.privileges_and_target()?;
        let role = self.grantee("TO")?;
        let with_option = self.take_words(&["WITH", "GRANT", "OPTION"]);
        let privileges = resolve(written, &target).ok_or(privileges_at)?;
        let action = PrivilegeAction::Grant { with_option };
        Ok(Statement::Privileges(PrivilegeChange { action, privileges, target, role }))
    }

    /// Reads what follows `REVOKE`.
    pub(super) fn revoke(&mut self) -> Parsed<Statement> {
        if self.take_word("ROLE") {
            return self.membership(true);
        }
        let only_option = self.take_words(&["GRANT", "OPTION", "FOR"]);
        let (written, target, privileges_at) = self.privileges_and_target()?;
        let role = self.grantee("FROM")?;
        let _ = self.take_word("CASCADE") || self.take_word("RESTRICT");
        let privileges = resolve(written, &target).ok_or(privileges_at)?;
        let action = if only_option { PrivilegeAction::RevokeOption } else { PrivilegeAction::Revoke };
        Ok(Statement::Privileges(PrivilegeChange { action, privileges, target, role }))
    }

    /// Reads `<privileges> ON <object>`; the failure is for privileges that the object does not know.
    fn privileges_and_target(&mut self) -> Parsed<(Written, Target, SqlFailure)> {
        let privileges_at = self.unexpected();
        let written = self.privileges()?;
        self.expect_word("ON")?;
        Ok((written, self.target()?, privileges_at))
    }

    fn privileges(&mut self) -> Parsed<Written> {
        if self.take_word("ALL") {
            let _ = self.take_word("PRIVILEGES");
            return Ok(Written { all: true, names: Vec::new() });
        }
        let mut names = Vec::new();
        loop {
            let mut name = self.any_word()?;
            while !self.at_word("ON") && !self.peek().is_none_or(|token| token.is_symbol(',')) {
                name.push(' ');
                name.push_str(&self.any_word()?);
            }
            names.push(name);
            if !self.take_symbol(',') {
                return Ok(Written { all: false, names });
            }
        }
    }

    /// Reads an object of a GRANT or a SHOW GRANTS ON.
    pub(super) fn target(&mut self) -> Parsed<Target> {
        if self.at_word("FUTURE") || self.at_word("ALL") {
            let word = self.any_word()?;
            return Err(SqlFailure::unsupported(&format!("GRANT ON {word}")));
        }
        if self.take_words(&["IMAGE", "REPOSITORY"]) {
            Ok(Target::ImageRepository(self.name()?))
        } else if self.take_word("SCHEMA") {
            Ok(Target::Schema(self.schema_name()?))
        } else if self.take_word("DATABASE") {
            Ok(Target::Database(self.ident()?))
        } else if self.take_word("ACCOUNT") {
            Ok(Target::Account)
        } else {
            Err(self.unsupported_object("GRANT ON"))
        }
    }

    fn grantee(&mut self, preposition: &str) -> Parsed<crate::object::name::Ident> {
        self.expect_word(preposition)?;
        if self.take_words(&["DATABASE", "ROLE"]) {
            return Err(SqlFailure::unsupported("DATABASE ROLE"));
        }
        let _ = self.take_word("ROLE");
        self.ident()
    }

    fn ownership(&mut self) -> Parsed<Statement> {
        self.expect_word("ON")?;
        let target = self.target()?;
        if target == Target::Account {
            return Err(SqlFailure::unsupported("GRANT OWNERSHIP ON ACCOUNT"));
        }
        let to = self.grantee("TO")?;
        let current_grants = if self.take_words(&["COPY", "CURRENT", "GRANTS"]) {
            CurrentGrants::Copy
        } else if self.take_words(&["REVOKE", "CURRENT", "GRANTS"]) {
            CurrentGrants::Revoke
        } else {
            CurrentGrants::Forbid
        };
        Ok(Statement::Ownership { target, to, current_grants })
    }

    fn membership(&mut self, revoke: bool) -> Parsed<Statement> {
        let role = self.ident()?;
        self.expect_word(if revoke { "FROM" } else { "TO" })?;
        let member = if self.take_word("USER") {
            Member::User(self.ident()?)
        } else {
            self.expect_word("ROLE")?;
            Member::Role(self.ident()?)
        };
        Ok(Statement::RoleMembership { revoke, role, member })
    }
}

/// The table's names for what was written; nothing where the object does not know one of them.
fn resolve(written: Written, target: &Target) -> Option<Vec<&'static str>> {
    let known = privileges_on(target.kind());
    if written.all {
        return Some(known.to_vec());
    }
    written.names.iter().map(|name| known.iter().copied().find(|privilege| privilege == name)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::parse_one;
    use super::*;

    #[test]
    fn privileges_of_several_words_and_several_privileges() {
        let statement =
            parse_one("grant read, service write on image repository r to role x with grant option").unwrap();
        let Statement::Privileges(change) = statement else { panic!("{statement:?}") };
        assert_eq!(change.privileges, ["READ", "SERVICE WRITE"]);
        assert_eq!(change.action, PrivilegeAction::Grant { with_option: true });
        assert!(parse_one("grant create image repository on schema s to x").is_ok());
        assert!(parse_one("revoke grant option for all privileges on schema s from role x").is_ok());
    }

    #[test]
    fn a_privilege_that_the_object_does_not_know_is_a_syntax_error_at_the_privilege() {
        let failure = parse_one("grant usage on image repository r to role x").unwrap_err();
        assert!(failure.message.ends_with("line 1 at position 6 unexpected 'usage'."), "{failure}");
    }

    #[test]
    fn future_grants_and_database_roles_are_named_as_unsupported() {
        assert_eq!(
            parse_one("grant read on future image repositories in schema s to x").unwrap_err().code,
            2
        );
        assert_eq!(parse_one("grant usage on schema s to database role d.r").unwrap_err().code, 2);
    }
}
