//! The catalog's tables, their version, and what a new account starts with.

use super::OpenError;
use crate::host::clock;
use rusqlite::{Connection, TransactionBehavior, params};

/// The version of the tables below, kept in the file as `user_version`. A change of the tables adds a step to
/// [`MIGRATIONS`]; a file of a newer version is not touched.
const VERSION: i64 = 2;

/// The steps from each version to the next; the first makes an empty file into version 1.
const MIGRATIONS: [&str; 2] = [TABLES, REGISTRY];

/// Times are milliseconds since 1970-01-01 UTC. Names are stored exactly as `Ident` holds them.
const TABLES: &str = "
CREATE TABLE role (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    owner INTEGER REFERENCES role (id),
    comment TEXT NOT NULL,
    created_on INTEGER NOT NULL
) STRICT;

CREATE TABLE user (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    owner INTEGER NOT NULL REFERENCES role (id),
    comment TEXT NOT NULL,
    default_role TEXT,
    password_salt BLOB,
    password_rounds INTEGER,
    password_hash BLOB,
    rsa_public_key BLOB,
    rsa_public_key_2 BLOB,
    created_on INTEGER NOT NULL
) STRICT;

CREATE TABLE role_grant (
    role INTEGER NOT NULL REFERENCES role (id) ON DELETE CASCADE,
    to_role INTEGER REFERENCES role (id) ON DELETE CASCADE,
    to_user INTEGER REFERENCES user (id) ON DELETE CASCADE,
    granted_by INTEGER REFERENCES role (id) ON DELETE SET NULL,
    created_on INTEGER NOT NULL,
    CHECK ((to_role IS NULL) <> (to_user IS NULL)),
    UNIQUE (to_role, role),
    UNIQUE (to_user, role)
) STRICT;

CREATE TABLE token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('PAT', 'OAUTH')),
    name TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    role TEXT,
    created_on INTEGER NOT NULL,
    expires_on INTEGER NOT NULL,
    UNIQUE (user, kind, name)
) STRICT;

CREATE TABLE database (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    owner INTEGER NOT NULL REFERENCES role (id),
    comment TEXT NOT NULL,
    created_on INTEGER NOT NULL
) STRICT;

CREATE TABLE schema (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    database INTEGER NOT NULL REFERENCES database (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    owner INTEGER NOT NULL REFERENCES role (id),
    comment TEXT NOT NULL,
    created_on INTEGER NOT NULL,
    UNIQUE (database, name)
) STRICT;

CREATE TABLE image_repository (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    schema INTEGER NOT NULL REFERENCES schema (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    owner INTEGER NOT NULL REFERENCES role (id),
    comment TEXT NOT NULL,
    encryption TEXT NOT NULL,
    created_on INTEGER NOT NULL,
    UNIQUE (schema, name)
) STRICT;

CREATE TABLE image_repository_tag (
    repository INTEGER NOT NULL REFERENCES image_repository (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (repository, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE image (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository INTEGER NOT NULL REFERENCES image_repository (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    created_on INTEGER NOT NULL,
    UNIQUE (repository, name, digest)
) STRICT;

CREATE TABLE image_tag (
    repository INTEGER NOT NULL REFERENCES image_repository (id) ON DELETE CASCADE,
    image_name TEXT NOT NULL,
    tag TEXT NOT NULL,
    image INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    PRIMARY KEY (repository, image_name, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_tag_image ON image_tag (image);

CREATE TABLE privilege_grant (
    object_kind TEXT NOT NULL,
    object INTEGER NOT NULL,
    privilege TEXT NOT NULL,
    role INTEGER NOT NULL REFERENCES role (id) ON DELETE CASCADE,
    grant_option INTEGER NOT NULL,
    granted_by INTEGER REFERENCES role (id) ON DELETE SET NULL,
    created_on INTEGER NOT NULL,
    PRIMARY KEY (object_kind, object, role, privilege)
) STRICT, WITHOUT ROWID;
CREATE INDEX privilege_grant_role ON privilege_grant (role);

CREATE TRIGGER database_gone AFTER DELETE ON database BEGIN
    DELETE FROM privilege_grant WHERE object_kind = 'DATABASE' AND object = OLD.id;
END;
CREATE TRIGGER schema_gone AFTER DELETE ON schema BEGIN
    DELETE FROM privilege_grant WHERE object_kind = 'SCHEMA' AND object = OLD.id;
END;
CREATE TRIGGER image_repository_gone AFTER DELETE ON image_repository BEGIN
    DELETE FROM privilege_grant WHERE object_kind = 'IMAGE_REPOSITORY' AND object = OLD.id;
END;
";

/// What the registry keeps: every image is a manifest of the OCI image specification, and `image_blob` says which
/// blobs an image's name may be pulled by. Blobs themselves are files beside the catalog. A digest that a row let
/// go of waits in `discarded` until its file, if nothing else needs it, is removed.
const REGISTRY: &str = "
CREATE TABLE manifest (
    image INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    subject TEXT,
    artifact_type TEXT,
    annotations TEXT NOT NULL
) STRICT;
CREATE INDEX manifest_subject ON manifest (subject);
CREATE INDEX image_digest ON image (digest);

CREATE TABLE image_blob (
    repository INTEGER NOT NULL REFERENCES image_repository (id) ON DELETE CASCADE,
    image_name TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (repository, image_name, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_blob_digest ON image_blob (digest);

CREATE TABLE discarded (digest TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TRIGGER image_gone AFTER DELETE ON image BEGIN
    INSERT OR IGNORE INTO discarded VALUES (OLD.digest);
END;
CREATE TRIGGER image_blob_gone AFTER DELETE ON image_blob BEGIN
    INSERT OR IGNORE INTO discarded VALUES (OLD.digest);
END;
";

/// The roles of every account with the role that each is granted to, and the privileges on the account
/// (docs.snowflake.com `user-guide/security-access-control-overview`).
const ROLES: [(&str, Option<&str>, &[&str]); 5] = [
    ("ACCOUNTADMIN", None, &["MONITOR USAGE"]),
    ("SECURITYADMIN", Some("ACCOUNTADMIN"), &["MANAGE GRANTS"]),
    ("USERADMIN", Some("SECURITYADMIN"), &["CREATE ROLE", "CREATE USER"]),
    ("SYSADMIN", Some("ACCOUNTADMIN"), &["CREATE DATABASE"]),
    ("PUBLIC", None, &[]),
];

/// Makes the file's tables current.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), OpenError> {
    if version(connection)? == VERSION {
        return Ok(());
    }
    // Another process may be doing the same; whoever gets the lock looks again.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    let steps = usize::try_from(found).ok().and_then(|done| MIGRATIONS.get(done..));
    let steps = steps.ok_or(OpenError::Newer(found))?;
    for step in steps {
        transaction.execute_batch(step)?;
    }
    if found == 0 {
        populate(&transaction)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Fills a new account: the roles, the user LOCAL, the database LOCAL with its schema PUBLIC, and Snowflake's
/// own database, where clients look for images before they look anywhere else.
fn populate(connection: &Connection) -> rusqlite::Result<()> {
    let now = i64::try_from(clock::now_millis()).unwrap_or(i64::MAX);
    for (name, granted_to, privileges) in ROLES {
        connection.execute(
            "INSERT INTO role (name, owner, comment, created_on) VALUES (?1, NULL, '', ?2)",
            params![name, now],
        )?;
        let role = connection.last_insert_rowid();
        connection.execute(
            "INSERT INTO role_grant (role, to_role, to_user, granted_by, created_on)
             SELECT ?1, id, NULL, NULL, ?3 FROM role WHERE name = ?2",
            params![role, granted_to, now],
        )?;
        for privilege in privileges {
            connection.execute(
                "INSERT INTO privilege_grant VALUES ('ACCOUNT', 0, ?1, ?2, 1, NULL, ?3)",
                params![privilege, role, now],
            )?;
        }
    }
    connection.execute(
        "INSERT INTO user (name, owner, comment, default_role, created_on)
         SELECT 'LOCAL', id, 'The user of the embedded account', 'SYSADMIN', ?1 FROM role WHERE name = 'USERADMIN'",
        [now],
    )?;
    connection.execute(
        "INSERT INTO role_grant (role, to_role, to_user, granted_by, created_on)
         SELECT role.id, NULL, user.id, NULL, ?1 FROM role, user WHERE role.name IN ('SYSADMIN', 'ACCOUNTADMIN')",
        [now],
    )?;
    connection.execute(
        "INSERT INTO database (name, owner, comment, created_on)
         SELECT 'LOCAL', id, '', ?1 FROM role WHERE name = 'SYSADMIN'",
        [now],
    )?;
    connection.execute(
        "INSERT INTO schema (database, name, owner, comment, created_on)
         SELECT id, 'PUBLIC', owner, '', ?1 FROM database",
        [now],
    )?;
    populate_snowflake(connection, now)
}

/// The database SNOWFLAKE with its schema IMAGES, which everybody may use; no repository is in it here.
fn populate_snowflake(connection: &Connection, now: i64) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO database (name, owner, comment, created_on)
         SELECT 'SNOWFLAKE', id, '', ?1 FROM role WHERE name = 'ACCOUNTADMIN'",
        [now],
    )?;
    connection.execute(
        "INSERT INTO schema (database, name, owner, comment, created_on)
         SELECT id, 'IMAGES', owner, '', ?1 FROM database WHERE name = 'SNOWFLAKE'",
        [now],
    )?;
    connection.execute(
        "INSERT INTO privilege_grant
         SELECT object.kind, object.id, 'USAGE', role.id, 0, NULL, ?1
         FROM role, (
             SELECT 'DATABASE' AS kind, id FROM database WHERE name = 'SNOWFLAKE'
             UNION ALL SELECT 'SCHEMA', id FROM schema WHERE name = 'IMAGES') AS object
         WHERE role.name = 'PUBLIC'",
        [now],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_of_the_first_version_is_brought_up_to_date_and_keeps_what_it_holds() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(TABLES).unwrap();
        populate(&connection).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        let repository = "INSERT INTO image_repository SELECT 7, id, 'R', owner, '', 'SNOWFLAKE_FULL', 0 FROM schema LIMIT 1";
        connection.execute(repository, []).unwrap();

        prepare(&mut connection).unwrap();
        assert_eq!(version(&connection).unwrap(), VERSION);
        connection.execute("INSERT INTO image_blob VALUES (7, 'app', 'sha256:1')", []).unwrap();
        connection.execute("DELETE FROM image_blob", []).unwrap();
        let discarded: String =
            connection.query_row("SELECT digest FROM discarded", [], |row| row.get(0)).unwrap();
        assert_eq!(discarded, "sha256:1");
        let users: i64 = connection.query_row("SELECT count(*) FROM user", [], |row| row.get(0)).unwrap();
        assert_eq!(users, 1, "it is not filled again");
    }
}
