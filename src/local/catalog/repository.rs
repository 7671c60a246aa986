//! Image repositories, their tags in Snowflake's sense, and the images in them.

use super::{Id, id_list};
use crate::object::name::Ident;
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

/// A repository, as far as access to it is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    pub(crate) id: Id,
    pub(crate) owner: Id,
}

/// What a new repository is made of.
pub(crate) struct NewRepository<'a> {
    pub(crate) schema: Id,
    pub(crate) name: &'a Ident,
    pub(crate) owner: Id,
    pub(crate) comment: &'a str,
    pub(crate) encryption: &'a str,
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) created_on: i64,
}

/// A row of SHOW IMAGE REPOSITORIES.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RepositoryDetails {
    pub(crate) name: String,
    pub(crate) database: String,
    pub(crate) schema: String,
    pub(crate) owner: String,
    pub(crate) comment: String,
    pub(crate) encryption: String,
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) created_on: i64,
}

/// A row of SHOW IMAGES.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageDetails {
    pub(crate) name: String,
    pub(crate) digest: String,
    /// Sorted; empty where every tag has moved to another image.
    pub(crate) tags: Vec<String>,
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) created_on: i64,
}

/// Which repositories a listing asks for, before names are filtered.
pub(crate) struct Visible<'a> {
    /// The roles that the reader holds.
    pub(crate) roles: &'a [Id],
    /// Whether the reader sees everything.
    pub(crate) all: bool,
    /// Within this database.
    pub(crate) database: Option<Id>,
    /// Within this schema.
    pub(crate) schema: Option<Id>,
    /// Only names that start so; upper case, as all names of repositories are.
    pub(crate) prefix: &'a str,
}

/// The repository of this name in a schema.
pub(crate) fn find(connection: &Connection, schema: Id, name: &Ident) -> Result<Option<Repository>> {
    let mut statement =
        connection.prepare("SELECT id, owner FROM image_repository WHERE schema = ?1 AND name = ?2")?;
    statement
        .query_row(params![schema, name.as_str()], |row| {
            Ok(Repository { id: row.get(0)?, owner: row.get(1)? })
        })
        .optional()
}

/// Creates a repository.
pub(crate) fn insert(connection: &Connection, new: &NewRepository<'_>) -> Result<Id> {
    let NewRepository { schema, name, owner, comment, encryption, created_on } = new;
    connection
        .prepare(
            "INSERT INTO image_repository (schema, name, owner, comment, encryption, created_on)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![schema, name.as_str(), owner, comment, encryption, created_on])?;
    Ok(connection.last_insert_rowid())
}

/// Deletes a repository with its images and grants.
pub(crate) fn delete(connection: &Connection, id: Id) -> Result<()> {
    connection.execute("DELETE FROM image_repository WHERE id = ?1", [id]).map(drop)
}

/// Changes the comment.
pub(crate) fn set_comment(connection: &Connection, id: Id, comment: &str) -> Result<()> {
    connection
        .execute("UPDATE image_repository SET comment = ?2 WHERE id = ?1", params![id, comment])
        .map(drop)
}

/// Sets a tag.
pub(crate) fn set_tag(connection: &Connection, id: Id, tag: &str, value: &str) -> Result<()> {
    connection
        .execute("INSERT OR REPLACE INTO image_repository_tag VALUES (?1, ?2, ?3)", params![id, tag, value])
        .map(drop)
}

/// Takes a tag away; one that is not set is fine.
pub(crate) fn unset_tag(connection: &Connection, id: Id, tag: &str) -> Result<()> {
    connection
        .execute("DELETE FROM image_repository_tag WHERE repository = ?1 AND tag = ?2", params![id, tag])
        .map(drop)
}

/// The value of a tag.
pub(crate) fn tag_value(connection: &Connection, id: Id, tag: &str) -> Result<Option<String>> {
    let sql = "SELECT value FROM image_repository_tag WHERE repository = ?1 AND tag = ?2";
    connection.query_row(sql, params![id, tag], |row| row.get(0)).optional()
}

/// Hands the visible repositories to `keep`, by database, schema and name, until it answers false.
pub(crate) fn for_each_visible(
    connection: &Connection,
    visible: &Visible<'_>,
    mut keep: impl FnMut(RepositoryDetails) -> bool,
) -> Result<()> {
    // A repository is seen through its schema and database: the reader needs some privilege on each.
    let mut statement = connection.prepare(
        "WITH held (id) AS (SELECT value FROM json_each(?1))
         SELECT r.name, d.name, s.name, o.name, r.comment, r.encryption, r.created_on
         FROM database d
         JOIN schema s ON s.database = d.id
         JOIN image_repository r ON r.schema = s.id
         JOIN role o ON o.id = r.owner
         WHERE (?3 IS NULL OR d.id = ?3) AND (?4 IS NULL OR s.id = ?4) AND r.name >= ?5 AND r.name < ?6 AND (?2 OR (
             (r.owner IN held OR EXISTS (SELECT 1 FROM privilege_grant g
                 WHERE g.object_kind = 'IMAGE_REPOSITORY' AND g.object = r.id AND g.role IN held))
             AND (s.owner IN held OR EXISTS (SELECT 1 FROM privilege_grant g
                 WHERE g.object_kind = 'SCHEMA' AND g.object = s.id AND g.role IN held))
             AND (d.owner IN held OR EXISTS (SELECT 1 FROM privilege_grant g
                 WHERE g.object_kind = 'DATABASE' AND g.object = d.id AND g.role IN held))))
         ORDER BY d.name, s.name, r.name",
    )?;
    let Visible { roles, all, database, schema, prefix } = visible;
    // Behind every name that starts with the prefix.
    let end = format!("{prefix}{}", char::MAX);
    let rows = statement.query_map(params![id_list(roles), all, database, schema, prefix, end], details)?;
    for row in rows {
        if !keep(row?) {
            break;
        }
    }
    Ok(())
}

fn details(row: &Row<'_>) -> Result<RepositoryDetails> {
    Ok(RepositoryDetails {
        name: row.get(0)?,
        database: row.get(1)?,
        schema: row.get(2)?,
        owner: row.get(3)?,
        comment: row.get(4)?,
        encryption: row.get(5)?,
        created_on: row.get(6)?,
    })
}

/// Notes that an image is there and that a tag means it from now on.
pub(crate) fn record_image(
    connection: &Connection,
    repository: Id,
    image: &str,
    tag: Option<&str>,
    digest: &str,
    now: i64,
) -> Result<()> {
    connection.execute(
        "INSERT OR IGNORE INTO image (repository, name, digest, created_on) VALUES (?1, ?2, ?3, ?4)",
        params![repository, image, digest, now],
    )?;
    if let Some(tag) = tag {
        connection.execute(
            "INSERT OR REPLACE INTO image_tag (repository, image_name, tag, image)
             SELECT repository, name, ?4, id FROM image WHERE repository = ?1 AND name = ?2 AND digest = ?3",
            params![repository, image, digest, tag],
        )?;
    }
    Ok(())
}

/// The images of a repository with their tags, by name, oldest first.
pub(crate) fn images(connection: &Connection, repository: Id) -> Result<Vec<ImageDetails>> {
    let mut statement = connection.prepare(
        "SELECT i.id, i.name, i.digest, i.created_on, t.tag
         FROM image i LEFT JOIN image_tag t ON t.image = i.id
         WHERE i.repository = ?1 ORDER BY i.name, i.created_on, i.id, t.tag",
    )?;
    let mut rows = statement.query([repository])?;
    let mut images: Vec<ImageDetails> = Vec::new();
    let mut last = None;
    while let Some(row) = rows.next()? {
        let id: Id = row.get(0)?;
        if last != Some(id) {
            last = Some(id);
            let (name, digest, created_on) = (row.get(1)?, row.get(2)?, row.get(3)?);
            images.push(ImageDetails { name, digest, tags: Vec::new(), created_on });
        }
        if let (Some(image), Some(tag)) = (images.last_mut(), row.get(4)?) {
            image.tags.push(tag);
        }
    }
    Ok(images)
}
