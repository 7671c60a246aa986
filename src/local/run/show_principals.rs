//! `SHOW` of roles, users, grants and session parameters.

use super::super::catalog::grant::{self, GrantDetails};
use super::super::catalog::principal::{self, MemberId, MembershipDetails, RoleDetails, UserDetails};
use super::super::sql::ast::{Filter, Target};
use super::super::sql::failure::SqlFailure;
use super::pattern::Pattern;
use super::show::Sieve;
use super::table::{Cell, table, text, timestamp, yes_no};
use super::{Ran, Run};
use crate::object::name::Ident;
use crate::session::Rows;

impl Run<'_> {
    pub(super) fn show_roles(&self, filter: &Filter) -> Ran<Rows> {
        let mut sieve = Sieve::new(filter);
        let default = self.user(&self.context.user)?.default_role;
        let rows = principal::roles(self.connection)?
            .into_iter()
            .filter(|role| sieve.lets_through(&role.name))
            .map(|role| self.role_row(role, default.as_ref()));
        let columns = [
            ("created_on", "timestamp_ltz"),
            ("name", "text"),
            ("is_default", "text"),
            ("is_current", "text"),
            ("is_inherited", "text"),
            ("assigned_to_users", "fixed"),
            ("granted_to_roles", "fixed"),
            ("granted_roles", "fixed"),
            ("owner", "text"),
            ("comment", "text"),
        ];
        Ok(table(&columns, rows.collect()))
    }

    fn role_row(&self, role: RoleDetails, default: Option<&Ident>) -> Vec<Cell> {
        let current = role.id == self.access.role;
        vec![
            timestamp(role.created_on),
            text(&role.name),
            yes_no(default.is_some_and(|default| default.as_str() == role.name)),
            yes_no(current),
            yes_no(!current && self.access.held.contains(&role.id)),
            text(role.assigned_to_users.to_string()),
            text(role.granted_to_roles.to_string()),
            text(role.granted_roles.to_string()),
            text(role.owner),
            text(role.comment),
        ]
    }

    /// Only whoever may create users or manage grants may list them.
    pub(super) fn show_users(&self, filter: &Filter) -> Ran<Rows> {
        let may = self.access.manages_grants || self.access.has_on_account(self.connection, "CREATE USER")?;
        if !may {
            return Err(SqlFailure::insufficient_privileges("account", super::super::ACCOUNT_NAME));
        }
        let mut sieve = Sieve::new(filter);
        let rows = principal::users(self.connection)?
            .into_iter()
            .filter(|user| sieve.lets_through(&user.name))
            .map(user_row);
        let columns = [
            ("name", "text"),
            ("created_on", "timestamp_ltz"),
            ("login_name", "text"),
            ("display_name", "text"),
            ("comment", "text"),
            ("disabled", "text"),
            ("default_role", "text"),
            ("owner", "text"),
            ("has_password", "text"),
            ("has_rsa_public_key", "text"),
        ];
        Ok(table(&columns, rows.collect()))
    }

    pub(super) fn show_parameters(&self, like: Option<&str>) -> Rows {
        let like = like.map(Pattern::new);
        let set = self.context.parameters.iter();
        let rows = set.filter(|(name, _)| like.as_ref().is_none_or(|pattern| pattern.matches(name))).map(
            |(name, value)| {
                let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                vec![text(name), text(shown), text(""), text("SESSION"), text(""), text("STRING")]
            },
        );
        let columns = ["key", "value", "default", "level", "description", "type"].map(|name| (name, "text"));
        table(&columns, rows.collect())
    }

    pub(super) fn show_grants_on(&self, target: &Target) -> Ran<Rows> {
        let on = self.securable(target, "SHOW GRANTS")?;
        Ok(grant_rows(grant::on_object(self.connection, on.object)?))
    }

    pub(super) fn show_grants_to_role(&self, role: &Ident) -> Ran<Rows> {
        let role = self.role(role)?.id;
        let mut grants = grant::of_role(self.connection, role)?;
        // A role that was given to this one is listed as its usage.
        let roles = principal::memberships(self.connection, None, Some(MemberId::Role(role)))?;
        grants.extend(roles.into_iter().map(|membership| {
            let MembershipDetails { role, granted_to: _, grantee, granted_by, created_on } = membership;
            let (privilege, kind) = ("USAGE".to_owned(), "ROLE".to_owned());
            GrantDetails {
                created_on,
                privilege,
                kind,
                name: vec![role],
                grantee,
                grant_option: false,
                granted_by,
            }
        }));
        Ok(grant_rows(grants))
    }

    pub(super) fn show_grants_to_user(&self, user: Option<&Ident>) -> Ran<Rows> {
        let user = self.user(user.unwrap_or(&self.context.user))?.id;
        Ok(membership_rows(principal::memberships(self.connection, None, Some(MemberId::User(user)))?))
    }

    pub(super) fn show_grants_of_role(&self, role: &Ident) -> Ran<Rows> {
        let role = self.role(role)?.id;
        Ok(membership_rows(principal::memberships(self.connection, Some(role), None)?))
    }
}

fn user_row(user: UserDetails) -> Vec<Cell> {
    let flag = |value: bool| text(if value { "true" } else { "false" });
    let UserDetails { name, owner, comment, default_role, created_on, has_password, has_rsa_public_key } =
        user;
    vec![
        text(&name),
        timestamp(created_on),
        text(&name),
        text(name),
        text(comment),
        flag(false),
        text(default_role.unwrap_or_default()),
        text(owner),
        flag(has_password),
        flag(has_rsa_public_key),
    ]
}

fn grant_rows(grants: Vec<GrantDetails>) -> Rows {
    let rows = grants.into_iter().map(|grant| {
        let GrantDetails { created_on, privilege, kind, name, grantee, grant_option, granted_by } = grant;
        let shown: Vec<_> = name.into_iter().map(|part| Ident::exact(part).to_string()).collect();
        let shown = if shown.is_empty() { super::super::ACCOUNT_NAME.to_owned() } else { shown.join(".") };
        let by = if granted_by.is_empty() { "" } else { "ROLE" };
        let mut row = vec![timestamp(created_on), text(privilege), text(kind), text(shown), text("ROLE")];
        row.extend([text(grantee), text(grant_option.to_string()), text(granted_by), text(by)]);
        row
    });
    let columns = [
        ("created_on", "timestamp_ltz"),
        ("privilege", "text"),
        ("granted_on", "text"),
        ("name", "text"),
        ("granted_to", "text"),
        ("grantee_name", "text"),
        ("grant_option", "text"),
        ("granted_by", "text"),
        ("granted_by_role_type", "text"),
    ];
    table(&columns, rows.collect())
}

fn membership_rows(memberships: Vec<MembershipDetails>) -> Rows {
    let rows = memberships.into_iter().map(|membership| {
        let MembershipDetails { role, granted_to, grantee, granted_by, created_on } = membership;
        vec![timestamp(created_on), text(role), text(granted_to), text(grantee), text(granted_by)]
    });
    let columns = [
        ("created_on", "timestamp_ltz"),
        ("role", "text"),
        ("granted_to", "text"),
        ("grantee_name", "text"),
        ("granted_by", "text"),
    ];
    table(&columns, rows.collect())
}
