//! Roles and users, and who is given which role.

use super::Id;
use crate::object::name::Ident;
use rusqlite::{Connection, OptionalExtension as _, Result, params};

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) id: Id,
    /// Nobody owns the roles that every account has.
    pub(crate) owner: Option<Id>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: Id,
    pub(crate) name: Ident,
    pub(crate) owner: Id,
    pub(crate) default_role: Option<Ident>,
}

/// Who is given a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemberId {
    Role(Id),
    User(Id),
}

/// A row of SHOW ROLES.
pub(crate) struct RoleDetails {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) comment: String,
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) created_on: i64,
    pub(crate) assigned_to_users: i64,
    pub(crate) granted_to_roles: i64,
    pub(crate) granted_roles: i64,
}

/// A row of SHOW USERS.
pub(crate) struct UserDetails {
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) comment: String,
    pub(crate) default_role: Option<String>,
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) created_on: i64,
    pub(crate) has_password: bool,
    pub(crate) has_rsa_public_key: bool,
}

/// A row of SHOW GRANTS OF ROLE or SHOW GRANTS TO USER.
pub(crate) struct MembershipDetails {
    pub(crate) role: String,
    /// `ROLE` or `USER`.
    pub(crate) granted_to: String,
    pub(crate) grantee: String,
    pub(crate) granted_by: String,
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) created_on: i64,
}

/// The role of this name.
pub(crate) fn find_role(connection: &Connection, name: &Ident) -> Result<Option<Role>> {
    let mut statement = connection.prepare("SELECT id, owner FROM role WHERE name = ?1")?;
    statement.query_row([name.as_str()], |row| Ok(Role { id: row.get(0)?, owner: row.get(1)? })).optional()
}

/// A role's name.
pub(crate) fn role_name(connection: &Connection, id: Id) -> Result<String> {
    connection.prepare("SELECT name FROM role WHERE id = ?1")?.query_row([id], |row| row.get(0))
}

/// The roles that a role holds: itself, those granted to it, through any number of steps, and PUBLIC.
pub(crate) fn roles_held_by_role(connection: &Connection, role: Id) -> Result<Vec<Id>> {
    let mut statement = connection.prepare(
        "WITH RECURSIVE held (id) AS (
             SELECT ?1 UNION SELECT id FROM role WHERE name = 'PUBLIC'
             UNION SELECT g.role FROM role_grant g JOIN held ON g.to_role = held.id)
         SELECT id FROM held",
    )?;
    statement.query_map([role], |row| row.get(0))?.collect()
}

/// The roles that a user may take: those granted, those that these hold, and PUBLIC.
pub(crate) fn roles_held_by_user(connection: &Connection, user: Id) -> Result<Vec<Id>> {
    let mut statement = connection.prepare(
        "WITH RECURSIVE held (id) AS (
             SELECT role FROM role_grant WHERE to_user = ?1
             UNION SELECT id FROM role WHERE name = 'PUBLIC'
             UNION SELECT g.role FROM role_grant g JOIN held ON g.to_role = held.id)
         SELECT id FROM held",
    )?;
    statement.query_map([user], |row| row.get(0))?.collect()
}

/// Creates a role.
pub(crate) fn insert_role(
    connection: &Connection,
    name: &Ident,
    owner: Id,
    comment: &str,
    now: i64,
) -> Result<()> {
    connection
        .execute(
            "INSERT INTO role (name, owner, comment, created_on) VALUES (?1, ?2, ?3, ?4)",
            params![name.as_str(), owner, comment, now],
        )
        .map(drop)
}

/// Deletes a role; what it owned belongs to `heir` from now on.
pub(crate) fn delete_role(connection: &Connection, role: Id, heir: Id) -> Result<()> {
    for table in ["role", "user", "database", "schema", "image_repository"] {
        connection
            .execute(&format!("UPDATE {table} SET owner = ?2 WHERE owner = ?1"), params![role, heir])?;
    }
    connection.execute("DELETE FROM role WHERE id = ?1", [role]).map(drop)
}

/// Every role, by name.
pub(crate) fn roles(connection: &Connection) -> Result<Vec<RoleDetails>> {
    let mut statement = connection.prepare(
        "SELECT r.id, r.name, coalesce(o.name, ''), r.comment, r.created_on,
             (SELECT count(*) FROM role_grant g WHERE g.role = r.id AND g.to_user IS NOT NULL),
             (SELECT count(*) FROM role_grant g WHERE g.role = r.id AND g.to_role IS NOT NULL),
             (SELECT count(*) FROM role_grant g WHERE g.to_role = r.id)
         FROM role r LEFT JOIN role o ON o.id = r.owner ORDER BY r.name",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(RoleDetails {
            id: row.get(0)?,
            name: row.get(1)?,
            owner: row.get(2)?,
            comment: row.get(3)?,
            created_on: row.get(4)?,
            assigned_to_users: row.get(5)?,
            granted_to_roles: row.get(6)?,
            granted_roles: row.get(7)?,
        })
    })?;
    rows.collect()
}

/// The user of this name.
pub(crate) fn find_user(connection: &Connection, name: &Ident) -> Result<Option<User>> {
    let mut statement =
        connection.prepare("SELECT id, name, owner, default_role FROM user WHERE name = ?1")?;
    let user = statement.query_row([name.as_str()], |row| {
        Ok(User {
            id: row.get(0)?,
            name: Ident::exact(row.get::<_, String>(1)?),
            owner: row.get(2)?,
            default_role: row.get::<_, Option<String>>(3)?.map(Ident::exact),
        })
    });
    user.optional()
}

/// Creates a user without credentials.
pub(crate) fn insert_user(connection: &Connection, name: &Ident, owner: Id, now: i64) -> Result<Id> {
    connection.execute(
        "INSERT INTO user (name, owner, comment, created_on) VALUES (?1, ?2, '', ?3)",
        params![name.as_str(), owner, now],
    )?;
    Ok(connection.last_insert_rowid())
}

/// Deletes a user with its credentials.
pub(crate) fn delete_user(connection: &Connection, id: Id) -> Result<()> {
    connection.execute("DELETE FROM user WHERE id = ?1", [id]).map(drop)
}

/// Sets or clears a user's default role.
pub(crate) fn set_default_role(connection: &Connection, user: Id, role: Option<&Ident>) -> Result<()> {
    let role = role.map(Ident::as_str);
    connection.execute("UPDATE user SET default_role = ?2 WHERE id = ?1", params![user, role]).map(drop)
}

/// Sets a user's comment.
pub(crate) fn set_user_comment(connection: &Connection, user: Id, comment: &str) -> Result<()> {
    connection.execute("UPDATE user SET comment = ?2 WHERE id = ?1", params![user, comment]).map(drop)
}

/// Every user, by name.
pub(crate) fn users(connection: &Connection) -> Result<Vec<UserDetails>> {
    let mut statement = connection.prepare(
        "SELECT u.name, o.name, u.comment, u.default_role, u.created_on, u.password_hash IS NOT NULL,
             u.rsa_public_key IS NOT NULL OR u.rsa_public_key_2 IS NOT NULL
         FROM user u JOIN role o ON o.id = u.owner ORDER BY u.name",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(UserDetails {
            name: row.get(0)?,
            owner: row.get(1)?,
            comment: row.get(2)?,
            default_role: row.get(3)?,
            created_on: row.get(4)?,
            has_password: row.get(5)?,
            has_rsa_public_key: row.get(6)?,
        })
    })?;
    rows.collect()
}

/// Gives a role; once is enough.
pub(crate) fn add_member(
    connection: &Connection,
    role: Id,
    member: MemberId,
    granted_by: Id,
    now: i64,
) -> Result<()> {
    let (to_role, to_user) = columns(member);
    connection
        .execute(
            "INSERT OR IGNORE INTO role_grant (role, to_role, to_user, granted_by, created_on)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![role, to_role, to_user, granted_by, now],
        )
        .map(drop)
}

/// Takes a role back; whether it had been given.
pub(crate) fn remove_member(connection: &Connection, role: Id, member: MemberId) -> Result<bool> {
    let (to_role, to_user) = columns(member);
    let removed = connection.execute(
        "DELETE FROM role_grant WHERE role = ?1 AND to_role IS ?2 AND to_user IS ?3",
        params![role, to_role, to_user],
    )?;
    Ok(removed > 0)
}

fn columns(member: MemberId) -> (Option<Id>, Option<Id>) {
    match member {
        MemberId::Role(id) => (Some(id), None),
        MemberId::User(id) => (None, Some(id)),
    }
}

/// Who was given which role, for one role, or one member, or all.
pub(crate) fn memberships(
    connection: &Connection,
    role: Option<Id>,
    member: Option<MemberId>,
) -> Result<Vec<MembershipDetails>> {
    let (to_role, to_user) = member.map_or((None, None), columns);
    let mut statement = connection.prepare(
        "SELECT r.name, iif(g.to_user IS NULL, 'ROLE', 'USER'), coalesce(tr.name, tu.name),
             coalesce(b.name, ''), g.created_on
         FROM role_grant g JOIN role r ON r.id = g.role
         LEFT JOIN role tr ON tr.id = g.to_role LEFT JOIN user tu ON tu.id = g.to_user
         LEFT JOIN role b ON b.id = g.granted_by
         WHERE (?1 IS NULL OR g.role = ?1) AND (?2 IS NULL OR g.to_role = ?2)
             AND (?3 IS NULL OR g.to_user = ?3)
         ORDER BY r.name, 2, 3",
    )?;
    let rows = statement.query_map(params![role, to_role, to_user], |row| {
        Ok(MembershipDetails {
            role: row.get(0)?,
            granted_to: row.get(1)?,
            grantee: row.get(2)?,
            granted_by: row.get(3)?,
            created_on: row.get(4)?,
        })
    })?;
    rows.collect()
}
