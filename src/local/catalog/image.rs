//! What the registry keeps of images: manifests, tags, and which name may be pulled by which blob.

use super::{Id, id_list};
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

/// A name in a repository, which manifests and blobs belong to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) repository: Id,
    pub(crate) image: &'a str,
}

/// A manifest, as it is described to whoever asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ManifestRow {
    pub(crate) digest: String,
    pub(crate) media_type: String,
    /// Bytes.
    pub(crate) size: u64,
    /// The digest of the manifest that this one says something about.
    pub(crate) subject: Option<String>,
    pub(crate) artifact_type: Option<String>,
    /// A JSON object.
    pub(crate) annotations: String,
}

/// Keeps the manifest of an image that is recorded already.
pub(crate) fn set_manifest(connection: &Connection, place: Place<'_>, row: &ManifestRow) -> Result<()> {
    let Place { repository, image } = place;
    let ManifestRow { digest, media_type, size, subject, artifact_type, annotations } = row;
    connection
        .execute(
            "INSERT OR REPLACE INTO manifest (image, media_type, size, subject, artifact_type, annotations)
             SELECT id, ?4, ?5, ?6, ?7, ?8 FROM image WHERE repository = ?1 AND name = ?2 AND digest = ?3",
            params![
                repository,
                image,
                digest,
                media_type,
                i64::try_from(*size).unwrap_or(i64::MAX),
                subject,
                artifact_type,
                annotations
            ],
        )
        .map(drop)
}

const MANIFEST: &str = "SELECT i.digest, m.media_type, m.size, m.subject, m.artifact_type, m.annotations
     FROM image i JOIN manifest m ON m.image = i.id";

/// The manifest with this digest.
pub(crate) fn manifest(
    connection: &Connection,
    place: Place<'_>,
    digest: &str,
) -> Result<Option<ManifestRow>> {
    let sql = format!("{MANIFEST} WHERE i.repository = ?1 AND i.name = ?2 AND i.digest = ?3");
    connection.query_row(&sql, params![place.repository, place.image, digest], manifest_row).optional()
}

/// The manifest that a tag means.
pub(crate) fn tagged(connection: &Connection, place: Place<'_>, tag: &str) -> Result<Option<ManifestRow>> {
    let sql = format!(
        "{MANIFEST} JOIN image_tag t ON t.image = i.id
         WHERE t.repository = ?1 AND t.image_name = ?2 AND t.tag = ?3"
    );
    connection.query_row(&sql, params![place.repository, place.image, tag], manifest_row).optional()
}

/// The manifests that say something about this one, by digest; of one artifact type alone where one is given.
pub(crate) fn referrers(
    connection: &Connection,
    place: Place<'_>,
    subject: &str,
    artifact_type: Option<&str>,
) -> Result<Vec<ManifestRow>> {
    let sql = format!(
        "{MANIFEST} WHERE i.repository = ?1 AND i.name = ?2 AND m.subject = ?3
             AND (?4 IS NULL OR m.artifact_type = ?4) ORDER BY i.digest"
    );
    let mut statement = connection.prepare(&sql)?;
    let parameters = params![place.repository, place.image, subject, artifact_type];
    statement.query_map(parameters, manifest_row)?.collect()
}

fn manifest_row(row: &Row<'_>) -> Result<ManifestRow> {
    Ok(ManifestRow {
        digest: row.get(0)?,
        media_type: row.get(1)?,
        size: u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default(),
        subject: row.get(3)?,
        artifact_type: row.get(4)?,
        annotations: row.get(5)?,
    })
}

/// Deletes an image with its tags; whether there was one.
pub(crate) fn delete_manifest(connection: &Connection, place: Place<'_>, digest: &str) -> Result<bool> {
    let sql = "DELETE FROM image WHERE repository = ?1 AND name = ?2 AND digest = ?3";
    Ok(connection.execute(sql, params![place.repository, place.image, digest])? > 0)
}

/// Takes a tag away from the image that it means; whether there was one.
pub(crate) fn delete_tag(connection: &Connection, place: Place<'_>, tag: &str) -> Result<bool> {
    let sql = "DELETE FROM image_tag WHERE repository = ?1 AND image_name = ?2 AND tag = ?3";
    Ok(connection.execute(sql, params![place.repository, place.image, tag])? > 0)
}

/// Up to `limit` tags in byte order, the first of them behind `after`.
pub(crate) fn tags(
    connection: &Connection,
    place: Place<'_>,
    after: &str,
    limit: usize,
) -> Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT tag FROM image_tag WHERE repository = ?1 AND image_name = ?2 AND tag > ?3
         ORDER BY tag LIMIT ?4",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    statement.query_map(params![place.repository, place.image, after, limit], |row| row.get(0))?.collect()
}

/// Whether anything was ever pushed under this name and is still there.
pub(crate) fn is_known(connection: &Connection, place: Place<'_>) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM image WHERE repository = ?1 AND name = ?2)
                   OR EXISTS (SELECT 1 FROM image_blob WHERE repository = ?1 AND image_name = ?2)";
    connection.query_row(sql, params![place.repository, place.image], |row| row.get(0))
}

/// Whether the name may be pulled by this blob.
pub(crate) fn has_blob(connection: &Connection, place: Place<'_>, digest: &str) -> Result<bool> {
    let sql = "SELECT EXISTS (
        SELECT 1 FROM image_blob WHERE repository = ?1 AND image_name = ?2 AND digest = ?3)";
    connection.query_row(sql, params![place.repository, place.image, digest], |row| row.get(0))
}

/// Whether any name of a repository that one of the roles may pull from has this blob.
pub(crate) fn is_readable_anywhere(connection: &Connection, roles: &[Id], digest: &str) -> Result<bool> {
    let sql = "WITH held (id) AS (SELECT value FROM json_each(?1))
        SELECT EXISTS (
            SELECT 1 FROM image_blob b JOIN image_repository r ON r.id = b.repository
            WHERE b.digest = ?2 AND (r.owner IN held OR EXISTS (
                SELECT 1 FROM privilege_grant g WHERE g.object_kind = 'IMAGE_REPOSITORY'
                    AND g.object = r.id AND g.privilege IN ('READ', 'WRITE') AND g.role IN held)))";
    connection.query_row(sql, params![id_list(roles), digest], |row| row.get(0))
}

/// Lets the name be pulled by this blob.
pub(crate) fn add_blob(connection: &Connection, place: Place<'_>, digest: &str) -> Result<()> {
    connection
        .execute(
            "INSERT OR IGNORE INTO image_blob VALUES (?1, ?2, ?3)",
            params![place.repository, place.image, digest],
        )
        .map(drop)
}

/// The opposite of [`add_blob`]; whether there was anything to take away.
pub(crate) fn remove_blob(connection: &Connection, place: Place<'_>, digest: &str) -> Result<bool> {
    let sql = "DELETE FROM image_blob WHERE repository = ?1 AND image_name = ?2 AND digest = ?3";
    Ok(connection.execute(sql, params![place.repository, place.image, digest])? > 0)
}

/// Whether a digest was let go of since [`take_discarded`] was last called.
pub(crate) fn any_discarded(connection: &Connection) -> Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM discarded)", [], |row| row.get(0))
}

/// The digests that were let go of and that nothing needs any more; none of them is named again.
pub(crate) fn take_discarded(connection: &Connection) -> Result<Vec<String>> {
    let unneeded = connection
        .prepare(
            "SELECT digest FROM discarded d
             WHERE NOT EXISTS (SELECT 1 FROM image WHERE digest = d.digest)
               AND NOT EXISTS (SELECT 1 FROM image_blob WHERE digest = d.digest)",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_>>()?;
    connection.execute("DELETE FROM discarded", [])?;
    Ok(unneeded)
}
