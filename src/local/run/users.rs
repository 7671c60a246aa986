//! `CREATE`, `ALTER` and `DROP USER`.

use super::super::catalog::credential::{self, NewToken, TokenKind};
use super::super::catalog::principal::{self, User};
use super::super::credentials::{self, Strength};
use super::super::sql::ast::{CreateMode, UserChange, UserProperties, UserProperty};
use super::super::sql::failure::SqlFailure;
use super::repositories::{dropped, dropped_already, exists_already};
use super::table::{status, table, text};
use super::{Ran, Run};
use crate::object::name::Ident;
use crate::session::Rows;

const MILLIS_PER_DAY: i64 = 24 * 60 * 60 * 1000;

impl Run<'_> {
    /// The user, or the failure that there is none for this role.
    pub(super) fn user(&self, name: &Ident) -> Ran<User> {
        let found = principal::find_user(self.connection, name)?;
        found.ok_or_else(|| SqlFailure::does_not_exist("User", name.as_str()))
    }

    pub(super) fn create_user(
        &self,
        name: &Ident,
        mode: CreateMode,
        properties: &UserProperties,
    ) -> Ran<Rows> {
        self.must_have_on_account("CREATE USER")?;
        if let Some(existing) = principal::find_user(self.connection, name)? {
            match mode {
                CreateMode::Plain => return Err(SqlFailure::already_exists(name.as_str())),
                CreateMode::IfNotExists => return Ok(exists_already(name)),
                CreateMode::OrReplace => {
                    self.must_own(existing.owner, "user", name)?;
                    principal::delete_user(self.connection, existing.id)?;
                }
            }
        }
        let id = principal::insert_user(self.connection, name, self.access.role, self.now)?;
        self.set_user_properties(id, properties)?;
        Ok(status(format!("User {} successfully created.", name.as_str())))
    }

    pub(super) fn drop_user(&self, name: &Ident, if_exists: bool) -> Ran<Rows> {
        if if_exists && principal::find_user(self.connection, name)?.is_none() {
            return Ok(dropped_already(name));
        }
        let user = self.user(name)?;
        self.must_own(user.owner, "user", name)?;
        principal::delete_user(self.connection, user.id)?;
        Ok(dropped(name))
    }

    pub(super) fn alter_user(&self, name: Option<&Ident>, if_exists: bool, change: &UserChange) -> Ran<Rows> {
        let name = name.unwrap_or(&self.context.user);
        let done = status("Statement executed successfully.");
        if if_exists && principal::find_user(self.connection, name)?.is_none() {
            return Ok(done);
        }
        let user = self.user(name)?;
        // Users may change their own password and tokens; everything else is the owner's.
        let own_business = match change {
            UserChange::Set(properties) => {
                UserProperties { password: None, ..properties.clone() } == UserProperties::default()
            }
            UserChange::AddToken { .. } | UserChange::RemoveToken { .. } => true,
            UserChange::Unset(_) => false,
        };
        if !(own_business && user.name == self.context.user) {
            self.must_own(user.owner, "user", name)?;
        }
        match change {
            UserChange::Set(properties) => self.set_user_properties(user.id, properties)?,
            UserChange::Unset(properties) => self.unset_user_properties(user.id, properties)?,
            UserChange::AddToken { name, days, role } => {
                return self.add_token(&user, name, *days, role.as_ref());
            }
            UserChange::RemoveToken { name } => {
                if !credential::delete_token(self.connection, user.id, TokenKind::Pat, name)? {
                    return Err(SqlFailure::does_not_exist("Programmatic access token", name.as_str()));
                }
            }
        }
        Ok(done)
    }

    fn set_user_properties(&self, user: i64, properties: &UserProperties) -> Ran<()> {
        let UserProperties { password, rsa_public_key, rsa_public_key_2, default_role, comment } = properties;
        if let Some(password) = password {
            let hash = credentials::hash_password(password, Strength::Chosen);
            credential::set_password(self.connection, user, Some(&hash))?;
        }
        for (second, key) in [(false, rsa_public_key), (true, rsa_public_key_2)] {
            let Some(key) = key else { continue };
            let property = if second { "RSA_PUBLIC_KEY_2" } else { "RSA_PUBLIC_KEY" };
            let der = credentials::public_key_der(key)
                .ok_or_else(|| SqlFailure::invalid_value("not an RSA public key", property))?;
            credential::set_public_key(self.connection, user, second, Some(&der))?;
        }
        if let Some(role) = default_role {
            principal::set_default_role(self.connection, user, Some(role))?;
        }
        if let Some(comment) = comment {
            principal::set_user_comment(self.connection, user, comment)?;
        }
        Ok(())
    }

    fn unset_user_properties(&self, user: i64, properties: &[UserProperty]) -> Ran<()> {
        for property in properties {
            match property {
                UserProperty::Password => credential::set_password(self.connection, user, None)?,
                UserProperty::RsaPublicKey => {
                    credential::set_public_key(self.connection, user, false, None)?;
                }
                UserProperty::RsaPublicKey2 => {
                    credential::set_public_key(self.connection, user, true, None)?;
                }
                UserProperty::DefaultRole => principal::set_default_role(self.connection, user, None)?,
                UserProperty::Comment => principal::set_user_comment(self.connection, user, "")?,
            }
        }
        Ok(())
    }

    /// Adds a programmatic access token. Its secret is in this answer and nowhere else.
    fn add_token(&self, user: &User, name: &Ident, days: u32, role: Option<&Ident>) -> Ran<Rows> {
        if credential::has_token(self.connection, user.id, TokenKind::Pat, name)? {
            return Err(SqlFailure::already_exists(name.as_str()));
        }
        if let Some(role) = role {
            let role_id = self.role(role)?.id;
            if !principal::roles_held_by_user(self.connection, user.id)?.contains(&role_id) {
                return Err(SqlFailure::role_not_assigned(role.as_str()));
            }
        }
        let secret = credentials::random_secret();
        let token = NewToken {
            user: user.id,
            kind: TokenKind::Pat,
            name,
            hash: &credentials::token_hash(&secret),
            role,
            created_on: self.now,
            expires_on: self.now.saturating_add(i64::from(days) * MILLIS_PER_DAY),
        };
        credential::insert_token(self.connection, &token)?;
        let row = vec![text(name.as_str()), text(secret)];
        Ok(table(&[("token_name", "text"), ("token_secret", "text")], vec![row]))
    }
}
