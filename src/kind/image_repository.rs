//! Image repositories of Snowpark Container Services.
//!
//! SQL: docs.snowflake.com `sql-reference/sql/create-image-repository`, `alter-image-repository`,
//! `show-image-repositories`, `show-images-in-image-repository`. There is neither `CREATE OR ALTER` nor `UNDROP` for
//! this type, and encryption is fixed at creation.

use super::field::{Field, Shape, flag};
use super::mark::{Marked, is_project};
use super::shared::{IDENTIFIER, META};
use super::{
    Attribute, AttributeStep, ChangeRule, CopyOf, Dangerous, Declared, Filter, KeptGrants, Kind, Managed,
};
use crate::object::name::{Ident, ObjectName, SchemaName};
use crate::object::rows::Row;
use crate::object::shell;
use crate::object::state::{Attributes, Contents, Grant, Grantee, Image, ImageRef, Object, ObjectType, Tags};
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
            declared: Declared::ByEntity,
            shape: Shape::Text,
            normal: normal_comment,
            default: Some(""),
            change: ChangeRule::Alter(set_comment),
            hazard: |_| None,
        },
        Attribute {
            name: ENCRYPTION,
            doc: "How images are encrypted: SNOWFLAKE_FULL (by the client and the server) or SNOWFLAKE_SSE (by the \
                  server). It is fixed at creation; without it the account decides.",
            declared: Declared::ByEntity,
            shape: Shape::Choice(&["SNOWFLAKE_FULL", "SNOWFLAKE_SSE"]),
            normal: |text| Ok(text.to_owned()),
            default: None,
            change: ChangeRule::Replace("the encryption of an image repository is fixed at its creation"),
            hazard: |_| None,
        },
        Attribute {
            name: PROJECT,
            doc: "The project that the object belongs to. Written to the end of its comment; `--prune` drops objects \
                  that carry it and are not declared any more.",
            declared: Declared::ByProject,
            shape: Shape::Text,
            normal: normal_project,
            default: Some(""),
            change: ChangeRule::Alter(set_comment),
            hazard: other_project,
        },
        Attribute {
            name: PREVENT_DROP,
            doc: "Whether the object must be neither dropped nor replaced. Written to the end of its comment, so that \
                  it holds until this says `false`, also where the entity has left the file.",
            declared: Declared::ByEntity,
            shape: Shape::Flag,
            normal: |text| Ok(flag(text).unwrap_or_default().to_string()),
            default: Some("false"),
            change: ChangeRule::Alter(set_comment),
            hazard: |_| None,
        },
        Attribute {
            name: OWNER,
            doc: "The role that owns the object. Where others have privileges on it, `owner_grants` says what \
                  becomes of them.",
            declared: Declared::ByEntity,
            shape: Shape::Text,
            normal: normal_role,
            default: None,
            change: ChangeRule::Afterwards(set_owner),
            hazard: new_owner,
        },
    ],
    facts: &FACTS,
    list,
    alphabet: "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$",
    read,
    list_contents,
    read_contents,
    create,
    read_tags,
    set_tags,
    copy_image,
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
/// The project that an object belongs to.
pub const PROJECT: &str = "project";
/// The protection of an object.
pub const PREVENT_DROP: &str = "prevent_drop";
/// The role that owns an object.
pub const OWNER: &str = "owner";

/// Columns of the listing that are shown but never compared.
const FACTS: [&str; 3] = ["owner_role_type", "created_on", REPOSITORY_URL];
const REPOSITORY_URL: &str = "repository_url";

fn normal_comment(text: &str) -> Result<String, String> {
    let marked = Marked::read(text);
    if marked.text == text {
        return Ok(marked.text);
    }
    Err("it ends like the mark of a project, which snowform writes itself".to_owned())
}

fn normal_project(text: &str) -> Result<String, String> {
    if is_project(text) {
        return Ok(text.to_owned());
    }
    Err("a project's name has letters, digits, `_`, `.` and `-`, at most 64 of them".to_owned())
}

fn normal_role(text: &str) -> Result<String, String> {
    Ident::parse(text).map(|role| role.as_str().to_owned()).map_err(|error| error.to_string())
}

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
    let columns = [ENCRYPTION, OWNER].into_iter();
    let mut attributes: Attributes =
        columns.filter_map(|name| Some((name, row.get(name)?.to_owned()))).collect();
    if let Some(comment) = row.get(COMMENT) {
        let Marked { text, project, prevent_drop } = Marked::read(comment);
        attributes.insert(COMMENT, text);
        attributes.extend(project.map(|project| (PROJECT, project)));
        attributes.extend(prevent_drop.then(|| (PREVENT_DROP, true.to_string())));
    }
    let facts = FACTS.iter().filter_map(|fact| Some((*fact, row.time(fact)?))).collect();
    Some((name, Object { attributes, facts, tags: Tags::new(), grants: None }))
}

/// The whole comment that says these attributes.
fn comment(attributes: &Attributes) -> String {
    let text = |name| attributes.get(name).cloned().unwrap_or_default();
    let project = Some(text(PROJECT)).filter(|project| !project.is_empty());
    Marked { text: text(COMMENT), project, prevent_drop: text(PREVENT_DROP) == "true" }.comment()
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

fn create(name: &ObjectName, attributes: &Attributes, tags: &Tags) -> Operation {
    // Plain CREATE: `IF NOT EXISTS` would call an object that the role cannot see a success.
    let sql = with_attributes(Sql::new("CREATE IMAGE REPOSITORY").name(name), attributes);
    Operation::Sql(with_tags(sql, tags))
}

/// The clauses in the order in which clients are known to send them.
fn with_attributes(mut sql: Sql, attributes: &Attributes) -> Sql {
    if let Some(encryption) = attributes.get(ENCRYPTION) {
        sql = sql.keyword("ENCRYPTION = ( TYPE =").text(encryption).keyword(")");
    }
    let comment = comment(attributes);
    if !comment.is_empty() {
        sql = sql.keyword("COMMENT =").text(&comment);
    }
    sql
}

fn with_tags(sql: Sql, tags: &Tags) -> Sql {
    if tags.is_empty() {
        return sql;
    }
    assignments(sql.keyword("WITH TAG ("), tags).keyword(")")
}

/// `TAG = 'value', …`
fn assignments(sql: Sql, tags: &Tags) -> Sql {
    let numbered = tags.iter().enumerate();
    numbered.fold(sql, |sql, (at, (tag, value))| {
        let sql = if at == 0 { sql } else { sql.keyword(",") };
        sql.name(tag).keyword("=").text(value)
    })
}

fn set_tags(name: &ObjectName, tags: &Tags) -> Operation {
    Operation::Sql(assignments(Sql::new("ALTER IMAGE REPOSITORY").name(name).keyword("SET TAG"), tags))
}

/// `SYSTEM$GET_TAG` needs no warehouse (docs.snowflake.com `sql-reference/functions/system_get_tag`); the account's
/// view of all tags does.
fn read_tags(name: &ObjectName, tags: &[&ObjectName]) -> Sql {
    let numbered = tags.iter().enumerate();
    numbered.fold(Sql::new("SELECT"), |sql, (at, tag)| {
        let sql = if at == 0 { sql } else { sql.keyword(",") };
        let call = sql.keyword("SYSTEM$GET_TAG(").text(&tag.to_string()).keyword(",").text(&name.to_string());
        call.keyword(", 'IMAGE REPOSITORY') AS").ident(&Ident::exact(format!("TAG_{at}")))
    })
}

fn replace(name: &ObjectName, attributes: &Attributes, tags: &Tags, contents: &Contents) -> Dangerous {
    let sql = with_attributes(Sql::new("CREATE OR REPLACE IMAGE REPOSITORY").name(name), attributes);
    (Operation::Sql(with_tags(sql, tags)), drop_hazard(contents).into_iter().collect())
}

/// Comment, project and protection stand in one text, so any of them is changed by saying all three.
fn set_comment(step: &AttributeStep<'_>) -> Operation {
    // Also for clearing it: the documented `UNSET COMMENT` is refused by accounts (000002, SNOW-2070753).
    let sql = Sql::new("ALTER IMAGE REPOSITORY").name(step.name).keyword("SET COMMENT =");
    Operation::Sql(sql.text(&comment(step.all)))
}

/// Where there are grants, an account refuses to guess what becomes of them
/// (docs.snowflake.com `sql-reference/sql/grant-ownership`).
fn set_owner(step: &AttributeStep<'_>) -> Operation {
    let sql = Sql::new("GRANT OWNERSHIP ON IMAGE REPOSITORY").name(step.name).keyword("TO ROLE");
    let sql = sql.ident(&Ident::exact(step.after));
    Operation::Sql(match step.kept_grants {
        KeptGrants::None => sql,
        KeptGrants::Copied => sql.keyword("COPY CURRENT GRANTS"),
        KeptGrants::Revoked => sql.keyword("REVOKE CURRENT GRANTS"),
    })
}

fn new_owner(step: &AttributeStep<'_>) -> Option<Hazard> {
    let role = Ident::exact(step.after);
    let message = format!("ROLE {role} owns it then: it may do everything with it, and drop it");
    Some(Hazard { kind: HazardKind::WidensAccess, message })
}

fn other_project(step: &AttributeStep<'_>) -> Option<Hazard> {
    // A mark is only taken off where its own project does so.
    let other = step.before.filter(|project| !project.is_empty() && !step.after.is_empty())?;
    let message = format!("it carries the mark of project {other}");
    Some(Hazard { kind: HazardKind::TakesOver, message })
}

/// skopeo copies images between registries, of every platform (`--all`), and signs in as docker does.
fn copy_image(object: &Object, image: &ImageRef, copy: CopyOf<'_>) -> Option<String> {
    let url = object.facts.get(REPOSITORY_URL)?;
    let here = format!("docker://{url}/{image}");
    let file = format!("oci-archive:{}.tar", image.to_string().replace(['/', ':', '@'], "_"));
    let (from, to) = match copy {
        CopyOf::To(name) => {
            let host = url.split('/').next()?;
            (here, format!("docker://{host}/{}/{image}", registry_path(name)))
        }
        CopyOf::Out => (here, file),
        CopyOf::Back => (file, here),
    };
    Some(format!("skopeo copy --all {} {}", shell::word(&from), shell::word(&to)))
}

/// Where images of a repository stand in the registry: lower case, with `$` percent-encoded
/// (docs.snowflake.com `developer-guide/snowpark-container-services/working-with-registry-repository`).
fn registry_path(name: &ObjectName) -> String {
    let parts = name.parts().map(|part| part.as_str().to_lowercase().replace('$', "%24"));
    parts.join("/")
}

fn list_grants(name: &ObjectName) -> Sql {
    Sql::new("SHOW GRANTS ON IMAGE REPOSITORY").name(name)
}

/// The grantee of a database role is printed as `DATABASE.ROLE`; a dot in the database's name is not quoted then.
fn read_grant(row: &Row<'_>) -> Option<Grant> {
    let privilege = row.get("privilege").filter(|privilege| *privilege != "OWNERSHIP")?.to_owned();
    let (kind, name) = (row.get("granted_to")?, row.get("grantee_name")?);
    let database_role = || name.rsplit_once('.').filter(|_| kind == "DATABASE_ROLE");
    let grantee = match (kind, database_role()) {
        ("ROLE", _) => Grantee::Role(Ident::exact(name)),
        (_, Some((database, role))) => Grantee::DatabaseRole(Ident::exact(database), Ident::exact(role)),
        _ => Grantee::Other { kind: kind.replace('_', " "), name: name.to_owned() },
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
        // Neither granted to nor revoked from: a plan has no such step.
        Grantee::Other { kind: _, name } => sql.ident(&Ident::exact(name.clone())),
    }
}

fn drop(name: &ObjectName, contents: &Contents) -> Dangerous {
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
