//! Databases and schemas.

use super::{Id, id_list};
use crate::object::name::Ident;
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

/// A database or a schema, as far as access to it is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Container {
    pub(crate) id: Id,
    pub(crate) name: Ident,
    pub(crate) owner: Id,
}

/// A row of SHOW DATABASES or SHOW SCHEMAS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContainerDetails {
    pub(crate) name: String,
    /// The database that holds it; empty for a database.
    pub(crate) database: String,
    pub(crate) owner: String,
    pub(crate) comment: String,
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) created_on: i64,
}

fn container(row: &Row<'_>) -> Result<Container> {
    Ok(Container { id: row.get(0)?, name: Ident::exact(row.get::<_, String>(1)?), owner: row.get(2)? })
}

fn details(row: &Row<'_>) -> Result<ContainerDetails> {
    Ok(ContainerDetails {
        name: row.get(0)?,
        database: row.get(1)?,
        owner: row.get(2)?,
        comment: row.get(3)?,
        created_on: row.get(4)?,
    })
}

/// The database of this name.
pub(crate) fn find_database(connection: &Connection, name: &Ident) -> Result<Option<Container>> {
    let mut statement = connection.prepare("SELECT id, name, owner FROM database WHERE name = ?1")?;
    statement.query_row([name.as_str()], container).optional()
}

/// The schema of this name in a database.
pub(crate) fn find_schema(connection: &Connection, database: Id, name: &Ident) -> Result<Option<Container>> {
    let mut statement =
        connection.prepare("SELECT id, name, owner FROM schema WHERE database = ?1 AND name = ?2")?;
    statement.query_row(params![database, name.as_str()], container).optional()
}

/// Creates a database with its schema PUBLIC.
pub(crate) fn insert_database(
    connection: &Connection,
    name: &Ident,
    owner: Id,
    comment: &str,
    now: i64,
) -> Result<()> {
    connection
        .prepare("INSERT INTO database (name, owner, comment, created_on) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![name.as_str(), owner, comment, now])?;
    let database = connection.last_insert_rowid();
    insert_schema(connection, database, &Ident::exact("PUBLIC"), owner, "", now)
}

/// Creates a schema.
pub(crate) fn insert_schema(
    connection: &Connection,
    database: Id,
    name: &Ident,
    owner: Id,
    comment: &str,
    now: i64,
) -> Result<()> {
    connection
        .prepare(
            "INSERT INTO schema (database, name, owner, comment, created_on) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![database, name.as_str(), owner, comment, now])?;
    Ok(())
}

/// Deletes a database with everything in it.
pub(crate) fn delete_database(connection: &Connection, id: Id) -> Result<()> {
    connection.execute("DELETE FROM database WHERE id = ?1", [id]).map(drop)
}

/// Deletes a schema with everything in it.
pub(crate) fn delete_schema(connection: &Connection, id: Id) -> Result<()> {
    connection.execute("DELETE FROM schema WHERE id = ?1", [id]).map(drop)
}

/// The databases on which one of the roles has a privilege, or all of them, by name.
pub(crate) fn databases(connection: &Connection, roles: &[Id], all: bool) -> Result<Vec<ContainerDetails>> {
    let mut statement = connection.prepare(
        "WITH held (id) AS (SELECT value FROM json_each(?1))
         SELECT d.name, '', o.name, d.comment, d.created_on FROM database d JOIN role o ON o.id = d.owner
         WHERE ?2 OR d.owner IN held OR EXISTS (
             SELECT 1 FROM privilege_grant g
             WHERE g.object_kind = 'DATABASE' AND g.object = d.id AND g.role IN held)
         ORDER BY d.name",
    )?;
    statement.query_map(params![id_list(roles), all], details)?.collect()
}

/// The schemas, in one database or all, on which one of the roles has a privilege, or all of them; by
/// database and name.
pub(crate) fn schemas(
    connection: &Connection,
    database: Option<Id>,
    roles: &[Id],
    all: bool,
) -> Result<Vec<ContainerDetails>> {
    let mut statement = connection.prepare(
        "WITH held (id) AS (SELECT value FROM json_each(?1))
         SELECT s.name, d.name, o.name, s.comment, s.created_on
         FROM schema s JOIN database d ON d.id = s.database JOIN role o ON o.id = s.owner
         WHERE (?3 IS NULL OR d.id = ?3) AND (?2 OR s.owner IN held OR EXISTS (
             SELECT 1 FROM privilege_grant g
             WHERE g.object_kind = 'SCHEMA' AND g.object = s.id AND g.role IN held))
         ORDER BY d.name, s.name",
    )?;
    statement.query_map(params![id_list(roles), all, database], details)?.collect()
}
