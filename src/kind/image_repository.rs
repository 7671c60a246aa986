//! Image repositories of Snowpark Container Services.
//!
//! SQL: docs.snowflake.com `sql-reference/sql/create-image-repository`, `alter-image-repository`,
//! `show-image-repositories`, `show-images-in-image-repository`. There is neither `CREATE OR ALTER` nor `UNDROP` for
//! this type, and encryption is fixed at creation.

use super::field::{Field, Shape};
use super::shared::{IDENTIFIER, META};
use super::{Attribute, ChangeRule, Filter, Kind, Managed};
use crate::object::name::{Ident, ObjectName, SchemaName};
use crate::object::rows::Row;
use crate::object::state::{Attributes, Contents, Grant, Grantee, Image, Object, ObjectType};
use crate::object::statement::{Hazard, HazardKind, Operation, Sql};

/// The entity type.
pub static KIND: Kind = Kind {
    type_name: "image-repository",
    doc: "A place for container images, in a schema.",
    fields: &FIELDS,
    checks: &[],
    managed: Some(&MANAGED),
};

// The loader allows exactly these keys besides `type`; everything else an account knows of a repository stands in
// `snowform.yml`.
static FIELDS: [Field; 2] = [IDENTIFIER, META];

/// How image repositories are read and changed.
pub static MANAGED: Managed = Managed {
    object_type: ObjectType::ImageRepository,
    sql_noun: "IMAGE REPOSITORY",
    attributes: &[
        Attribute {
            name: COMMENT,
            doc: "A text for people; shown in listings.",
            shape: Shape::Text,
            default: Some(""),
            change: ChangeRule::Alter(set_comment),
            hazard: None,
        },
        Attribute {
            name: ENCRYPTION,
            doc: "How images are encrypted: SNOWFLAKE_FULL (by the client and the server) or SNOWFLAKE_SSE (by the \
                  server). It is fixed at creation; without it the account decides.",
            shape: Shape::Choice(&["SNOWFLAKE_FULL", "SNOWFLAKE_SSE"]),
            default: None,
            change: ChangeRule::Replace("the encryption of an image repository is fixed at its creation"),
            hazard: None,
        },
    ],
    facts: &FACTS,
    list,
    alphabet: "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$",
    read,
    list_contents,
    read_contents,
    create,
    privileges: &["READ", "WRITE", "SERVICE READ", "SERVICE WRITE", "USAGE"],
    list_grants,
    read_grant,
    grant,
    revoke,
    replace,
    drop,
};

const COMMENT: &str = "comment";
const ENCRYPTION: &str = "encryption";

/// Columns of the listing that are shown but never compared.
const FACTS: [&str; 4] = ["owner", "owner_role_type", "created_on", "repository_url"];

fn list(schema: &SchemaName, filter: Filter<'_>) -> Sql {
    // Always with IN: without it the account chooses the scope, and reports namesakes once. LIKE only for listings
    // that are too long: names are compared here, exactly, and one statement serves any number of them.
    let sql = Sql::new("SHOW IMAGE REPOSITORIES");
    let sql = match filter {
        Filter::All => sql,
        Filter::StartsWith(prefix) => sql.keyword("LIKE").like_prefix(prefix),
        Filter::Named(name) => sql.keyword("LIKE").like_exactly(name),
    };
    sql.keyword("IN SCHEMA").schema(schema)
}

fn read(row: &Row<'_>) -> Option<(ObjectName, Object)> {
    let part = |column| row.get(column).map(Ident::exact);
    let name = ObjectName::new(part("database_name")?, part("schema_name")?, part("name")?);
    // Older accounts report no encryption.
    let attributes =
        [COMMENT, ENCRYPTION].into_iter().filter_map(|name| Some((name, row.get(name)?.to_owned())));
    let attributes = attributes.collect();
    let facts = FACTS.iter().filter_map(|fact| Some((*fact, row.time(fact)?))).collect();
    Some((name, Object { attributes, facts, grants: None }))
}

fn list_contents(name: &ObjectName) -> Sql {
    Sql::new("SHOW IMAGES IN IMAGE REPOSITORY").name(name)
}

fn read_contents(row: &Row<'_>) -> Option<Image> {
    let tags = row.get("tags").unwrap_or("");
    Some(Image {
        name: row.get("image_name")?.to_owned(),
        // Whether an image with two tags has two rows or one with both is not documented; either is read.
        tags: tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(ToOwned::to_owned).collect(),
        digest: row.get("digest").unwrap_or("").to_owned(),
        created_on: row.time("created_on"),
    })
}

fn create(name: &ObjectName, attributes: &Attributes) -> Operation {
    // Plain CREATE: `IF NOT EXISTS` would call an object that the role cannot see a success.
    Operation::Sql(with_attributes(Sql::new("CREATE IMAGE REPOSITORY").name(name), attributes))
}

/// The clauses in the order in which clients are known to send them.
fn with_attributes(mut sql: Sql, attributes: &Attributes) -> Sql {
    if let Some(encryption) = attributes.get(ENCRYPTION) {
        sql = sql.keyword("ENCRYPTION = ( TYPE =").text(encryption).keyword(")");
    }
    if let Some(comment) = attributes.get(COMMENT).filter(|comment| !comment.is_empty()) {
        sql = sql.keyword("COMMENT =").text(comment);
    }
    sql
}

fn replace(name: &ObjectName, attributes: &Attributes, contents: &Contents) -> (Operation, Vec<Hazard>) {
    let sql = with_attributes(Sql::new("CREATE OR REPLACE IMAGE REPOSITORY").name(name), attributes);
    let grants = Hazard {
        kind: HazardKind::ReplacesObject,
        message: "puts a new repository in its place; the grants on the old one are lost".to_owned(),
    };
    (Operation::Sql(sql), drop_hazard(contents).into_iter().chain([grants]).collect())
}

fn set_comment(name: &ObjectName, comment: &str) -> Operation {
    // Also for clearing it: the documented `UNSET COMMENT` is refused by accounts (000002, SNOW-2070753).
    Operation::Sql(Sql::new("ALTER IMAGE REPOSITORY").name(name).keyword("SET COMMENT =").text(comment))
}

fn list_grants(name: &ObjectName) -> Sql {
    Sql::new("SHOW GRANTS ON IMAGE REPOSITORY").name(name)
}

/// The grantee of a database role is printed as `DATABASE.ROLE`.
fn read_grant(row: &Row<'_>) -> Option<Grant> {
    let privilege = row.get("privilege").filter(|privilege| *privilege != "OWNERSHIP")?.to_owned();
    let name = row.get("grantee_name")?;
    let grantee = match row.get("granted_to")? {
        "ROLE" => Grantee::Role(Ident::exact(name)),
        "DATABASE_ROLE" => {
            let (database, role) = name.split_once('.')?;
            Grantee::DatabaseRole(Ident::exact(database), Ident::exact(role))
        }
        _ => return None,
    };
    Some(Grant { privilege, grantee })
}

fn grant(name: &ObjectName, grant: &Grant) -> Operation {
    let sql =
        with_privilege(Sql::new("GRANT"), grant).keyword("ON IMAGE REPOSITORY").name(name).keyword("TO");
    Operation::Sql(with_grantee(sql, grant))
}

fn revoke(name: &ObjectName, grant: &Grant) -> Operation {
    let sql =
        with_privilege(Sql::new("REVOKE"), grant).keyword("ON IMAGE REPOSITORY").name(name).keyword("FROM");
    Operation::Sql(with_grantee(sql, grant))
}

/// A privilege is a fixed word; one that is none of them becomes a quoted name, which no account takes for one.
fn with_privilege(sql: Sql, grant: &Grant) -> Sql {
    match MANAGED.privileges.iter().find(|known| **known == grant.privilege) {
        Some(known) => sql.keyword(known),
        None => sql.ident(&Ident::exact(grant.privilege.clone())),
    }
}

fn with_grantee(sql: Sql, grant: &Grant) -> Sql {
    match &grant.grantee {
        Grantee::Role(role) => sql.keyword("ROLE").ident(role),
        Grantee::DatabaseRole(database, role) => sql.keyword("DATABASE ROLE").member(database, role),
    }
}

fn drop(name: &ObjectName, contents: &Contents) -> (Operation, Vec<Hazard>) {
    let operation = Operation::Sql(Sql::new("DROP IMAGE REPOSITORY").name(name));
    (operation, drop_hazard(contents).into_iter().collect())
}

/// Images go with their repository and cannot be brought back; an empty repository loses nothing.
fn drop_hazard(contents: &Contents) -> Option<Hazard> {
    let message = match contents {
        Contents::Listed(images) if images.is_empty() => return None,
        Contents::Listed(images) => {
            let tags: usize = images.iter().map(|image| image.tags.len()).sum();
            let digests: std::collections::BTreeSet<_> =
                images.iter().map(|i| (&i.name, &i.digest)).collect();
            format!(
                "destroys {} ({}); Snowflake cannot bring them back",
                counted(digests.len(), "image"),
                counted(tags, "tag")
            )
        }
        Contents::Unknown { why } => {
            format!("its images could not be counted ({why}); all of them would be destroyed")
        }
    };
    Some(Hazard { kind: HazardKind::DropsImages, message })
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(name: &str, tags: &[&str], digest: &str) -> Image {
        let tags = tags.iter().map(ToString::to_string).collect();
        Image { name: name.into(), tags, digest: digest.into(), created_on: None }
    }

    #[test]
    fn an_empty_repository_is_dropped_without_hazard() {
        assert_eq!(drop_hazard(&Contents::Listed(vec![])), None);
    }

    #[test]
    fn a_hazard_counts_images_once_and_every_tag() {
        let rows = vec![
            image("app", &["1"], "sha256:a"),
            image("app", &["latest"], "sha256:a"),
            image("db", &["x", "y"], "sha256:b"),
        ];
        let hazard = drop_hazard(&Contents::Listed(rows)).unwrap();
        assert!(hazard.message.contains("2 images (4 tags)"), "{}", hazard.message);
    }

    #[test]
    fn what_cannot_be_counted_is_a_hazard() {
        let unknown = Contents::Unknown { why: "not authorized".into() };
        assert!(drop_hazard(&unknown).is_some());
    }
}
