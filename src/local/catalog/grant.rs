//! Privileges on objects. Ownership is no grant: it is a column of the object.

use super::{Id, id_list};
use rusqlite::{Connection, Result, params};

/// An object by kind and row. The kind is spelled as SHOW GRANTS spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ObjectRef {
    pub(crate) kind: &'static str,
    /// 0 for the account.
    pub(crate) id: Id,
}

/// One privilege of one role on one object.
pub(crate) struct NewGrant<'a> {
    pub(crate) object: ObjectRef,
    pub(crate) privilege: &'a str,
    pub(crate) role: Id,
    pub(crate) grant_option: bool,
    pub(crate) granted_by: Option<Id>,
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) created_on: i64,
}

/// A row of SHOW GRANTS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrantDetails {
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) created_on: i64,
    pub(crate) privilege: String,
    pub(crate) kind: String,
    /// The object's full name, its parts one by one; empty for the account.
    pub(crate) name: Vec<String>,
    pub(crate) grantee: String,
    pub(crate) grant_option: bool,
    /// Empty where nobody granted it.
    pub(crate) granted_by: String,
}

/// Whether one of the roles has any privilege on the object.
pub(crate) fn any(connection: &Connection, object: ObjectRef, roles: &[Id]) -> Result<bool> {
    let mut statement = connection.prepare(
        "SELECT EXISTS (SELECT 1 FROM privilege_grant WHERE object_kind = ?1 AND object = ?2
             AND role IN (SELECT value FROM json_each(?3)))",
    )?;
    statement.query_row(params![object.kind, object.id, id_list(roles)], |row| row.get(0))
}

/// Whether one of the roles has this privilege on the object; `with_option`: and may grant it on.
pub(crate) fn has(
    connection: &Connection,
    object: ObjectRef,
    privilege: &str,
    roles: &[Id],
    with_option: bool,
) -> Result<bool> {
    let mut statement = connection.prepare(
        "SELECT EXISTS (SELECT 1 FROM privilege_grant WHERE object_kind = ?1 AND object = ?2
             AND privilege = ?3 AND grant_option >= ?5 AND role IN (SELECT value FROM json_each(?4)))",
    )?;
    let parameters = params![object.kind, object.id, privilege, id_list(roles), with_option];
    statement.query_row(parameters, |row| row.get(0))
}

/// Grants a privilege; a repeated grant may add the grant option and never takes it away.
pub(crate) fn insert(connection: &Connection, grant: &NewGrant<'_>) -> Result<()> {
    let NewGrant { object, privilege, role, grant_option, granted_by, created_on } = grant;
    connection
        .execute(
            "INSERT INTO privilege_grant
                 (object_kind, object, privilege, role, grant_option, granted_by, created_on)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET grant_option = max(grant_option, excluded.grant_option)",
            params![object.kind, object.id, privilege, role, grant_option, granted_by, created_on],
        )
        .map(drop)
}

/// Takes a privilege back; one that was not granted is fine.
pub(crate) fn delete(connection: &Connection, object: ObjectRef, privilege: &str, role: Id) -> Result<()> {
    connection
        .execute(
            "DELETE FROM privilege_grant
             WHERE object_kind = ?1 AND object = ?2 AND privilege = ?3 AND role = ?4",
            params![object.kind, object.id, privilege, role],
        )
        .map(drop)
}

/// Takes back the right to grant a privilege on, and leaves the privilege.
pub(crate) fn delete_option(
    connection: &Connection,
    object: ObjectRef,
    privilege: &str,
    role: Id,
) -> Result<()> {
    connection
        .execute(
            "UPDATE privilege_grant SET grant_option = 0
             WHERE object_kind = ?1 AND object = ?2 AND privilege = ?3 AND role = ?4",
            params![object.kind, object.id, privilege, role],
        )
        .map(drop)
}

/// Takes every privilege on an object back.
pub(crate) fn delete_all(connection: &Connection, object: ObjectRef) -> Result<()> {
    connection
        .execute(
            "DELETE FROM privilege_grant WHERE object_kind = ?1 AND object = ?2",
            params![object.kind, object.id],
        )
        .map(drop)
}

/// Names a new grantor for every privilege on an object.
pub(crate) fn set_grantor(connection: &Connection, object: ObjectRef, grantor: Id) -> Result<()> {
    connection
        .execute(
            "UPDATE privilege_grant SET granted_by = ?3 WHERE object_kind = ?1 AND object = ?2",
            params![object.kind, object.id, grantor],
        )
        .map(drop)
}

/// Gives an object to another role.
pub(crate) fn set_owner(connection: &Connection, object: ObjectRef, owner: Id) -> Result<()> {
    let sql = match object.kind {
        "DATABASE" => "UPDATE database SET owner = ?2 WHERE id = ?1",
        "SCHEMA" => "UPDATE schema SET owner = ?2 WHERE id = ?1",
        "IMAGE_REPOSITORY" => "UPDATE image_repository SET owner = ?2 WHERE id = ?1",
        other => unreachable!("internal error: nobody owns an object of kind {other}"),
    };
    connection.execute(sql, params![object.id, owner]).map(drop)
}

/// Every object with its owner and its name; the account, which nobody owns, is not among them.
const OBJECTS: &str = "
WITH object (kind, id, owner, created_on, database, schema, name) AS (
    SELECT 'DATABASE', id, owner, created_on, name, NULL, NULL FROM database
    UNION ALL
    SELECT 'SCHEMA', s.id, s.owner, s.created_on, d.name, s.name, NULL
    FROM schema s JOIN database d ON d.id = s.database
    UNION ALL
    SELECT 'IMAGE_REPOSITORY', r.id, r.owner, r.created_on, d.name, s.name, r.name
    FROM image_repository r JOIN schema s ON s.id = r.schema JOIN database d ON d.id = s.database
),
granted (created_on, privilege, kind, id, role, grant_option, granted_by) AS (
    SELECT created_on, privilege, object_kind, object, role, grant_option, granted_by FROM privilege_grant
    UNION ALL
    SELECT created_on, 'OWNERSHIP', kind, id, owner, 1, owner FROM object
)
SELECT g.created_on, g.privilege, g.kind, o.database, o.schema, o.name, r.name, g.grant_option, b.name
FROM granted g JOIN role r ON r.id = g.role
LEFT JOIN object o ON o.kind = g.kind AND o.id = g.id
LEFT JOIN role b ON b.id = g.granted_by
";

/// The privileges on an object, ownership among them.
pub(crate) fn on_object(connection: &Connection, object: ObjectRef) -> Result<Vec<GrantDetails>> {
    let sql = format!("{OBJECTS} WHERE g.kind = ?1 AND g.id = ?2 ORDER BY g.privilege, r.name");
    let mut statement = connection.prepare(&sql)?;
    statement.query_map(params![object.kind, object.id], details)?.collect()
}

/// The privileges of a role, ownership among them.
pub(crate) fn of_role(connection: &Connection, role: Id) -> Result<Vec<GrantDetails>> {
    let sql =
        format!("{OBJECTS} WHERE g.role = ?1 ORDER BY g.kind, o.database, o.schema, o.name, g.privilege");
    let mut statement = connection.prepare(&sql)?;
    statement.query_map([role], details)?.collect()
}

fn details(row: &rusqlite::Row<'_>) -> Result<GrantDetails> {
    let parts: [Option<String>; 3] = [row.get(3)?, row.get(4)?, row.get(5)?];
    Ok(GrantDetails {
        created_on: row.get(0)?,
        privilege: row.get(1)?,
        kind: row.get(2)?,
        name: parts.into_iter().flatten().collect(),
        grantee: row.get(6)?,
        grant_option: row.get(7)?,
        granted_by: row.get::<_, Option<String>>(8)?.unwrap_or_default(),
    })
}
