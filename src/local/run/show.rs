//! `SHOW` of databases, schemas, image repositories and images.

use super::super::catalog::container::{self, ContainerDetails};
use super::super::catalog::repository::{self, ImageDetails, RepositoryDetails, Visible};
use super::super::sql::ast::{Filter, PartialSchema, Scope};
use super::super::sql::failure::SqlFailure;
use super::pattern::Pattern;
use super::table::{Cell, table, text, timestamp, yes_no};
use super::{Ran, Run};
use crate::object::name::{Ident, ObjectName, PartialName};
use crate::session::Rows;

/// The most rows that a SHOW answers (docs.snowflake.com `sql-reference/sql/show-image-repositories`).
pub(super) const MAX_ROWS: usize = 10_000;

const TERSE_COLUMNS: &[(&str, &str)] = &[
    ("created_on", "timestamp_ltz"),
    ("name", "text"),
    ("kind", "text"),
    ("database_name", "text"),
    ("schema_name", "text"),
];

/// A filter, compiled, that counts what it lets through.
pub(super) struct Sieve<'a> {
    like: Option<Pattern>,
    starts_with: Option<&'a str>,
    from: Option<&'a str>,
    left: usize,
}

impl<'a> Sieve<'a> {
    /// Compiles a filter.
    pub(super) fn new(filter: &'a Filter) -> Self {
        Self {
            like: filter.like.as_deref().map(Pattern::new),
            starts_with: filter.starts_with.as_deref(),
            from: filter.from.as_deref(),
            left: filter.limit.unwrap_or(MAX_ROWS).min(MAX_ROWS),
        }
    }

    /// What every name that is let through starts with, in upper case.
    fn prefix(&self) -> String {
        self.like.as_ref().map(Pattern::prefix).unwrap_or_default()
    }

    /// Whether no further name will be let through.
    pub(super) fn is_full(&self) -> bool {
        self.left == 0
    }

    /// Whether to show the object of this name. `FROM` continues behind a name of the page before.
    pub(super) fn lets_through(&mut self, name: &str) -> bool {
        let through = self.left > 0
            && self.like.as_ref().is_none_or(|pattern| pattern.matches(name))
            && self.starts_with.is_none_or(|prefix| name.starts_with(prefix))
            && self.from.is_none_or(|last| name > last);
        if through {
            self.left -= 1;
        }
        through
    }
}

/// A listing of services: the columns that clients read, and no rows, because the embedded account runs none.
pub(super) fn services() -> Rows {
    let columns = ["name", "status", "database_name", "schema_name", "owner", "compute_pool"];
    table(&columns.map(|column| (column, "text")), Vec::new())
}

impl Run<'_> {
    pub(super) fn show_repositories(&self, scope: Option<&Scope>, filter: &Filter) -> Ran<Rows> {
        let (database, schema) = self.scope(scope)?;
        let access = &self.access;
        let mut sieve = Sieve::new(filter);
        let prefix = sieve.prefix();
        let visible =
            Visible { roles: &access.held, all: access.manages_grants, database, schema, prefix: &prefix };
        let mut rows = Vec::new();
        repository::for_each_visible(self.connection, &visible, |repository| {
            if sieve.lets_through(&repository.name) {
                rows.push(if filter.terse { terse(repository) } else { self.full(repository) });
            }
            !sieve.is_full()
        })?;
        if filter.terse {
            return Ok(table(TERSE_COLUMNS, rows));
        }
        let columns = [
            ("created_on", "timestamp_ltz"),
            ("name", "text"),
            ("database_name", "text"),
            ("schema_name", "text"),
            ("repository_url", "text"),
            ("owner", "text"),
            ("owner_role_type", "text"),
            ("comment", "text"),
            ("encryption", "text"),
            ("privatelink_repository_url", "text"),
        ];
        Ok(table(&columns, rows))
    }

    fn full(&self, repository: RepositoryDetails) -> Vec<Cell> {
        let RepositoryDetails { name, database, schema, owner, comment, encryption, created_on } = repository;
        let path = format!("{database}/{schema}/{name}").to_lowercase();
        vec![
            timestamp(created_on),
            text(name),
            text(database),
            text(schema),
            // Addresses spell the one sign of a name that is none of theirs in hexadecimal, as on a real account.
            text(format!("{}/{}", self.registry_host, path.replace('$', "%24"))),
            text(owner),
            text("ROLE"),
            text(comment),
            text(encryption),
            text(""),
        ]
    }

    /// The database and the schema that a listing is limited to. Without IN it is the current database, or
    /// the account where there is none.
    fn scope(&self, scope: Option<&Scope>) -> Ran<(Option<i64>, Option<i64>)> {
        let operation = "SHOW IMAGE REPOSITORIES";
        let current = || self.context.database.clone().ok_or_else(|| SqlFailure::no_database(operation));
        match scope {
            None => match &self.context.database {
                Some(database) => Ok((Some(self.database(database)?.id), None)),
                None => Ok((None, None)),
            },
            Some(Scope::Account) => Ok((None, None)),
            Some(Scope::Database(name)) => {
                let name = name.clone().map_or_else(current, Ok)?;
                Ok((Some(self.database(&name)?.id), None))
            }
            Some(Scope::Schema(Some(name))) => {
                let name = self.complete_schema(name, operation)?;
                Ok((None, Some(self.schema(&name)?.id)))
            }
            Some(Scope::Schema(None)) => {
                let database = Some(current()?);
                let schema = self.context.schema.clone();
                let schema = schema.ok_or_else(|| SqlFailure::no_schema(operation))?;
                let name = self.complete_schema(&PartialSchema { database, schema }, operation)?;
                Ok((None, Some(self.schema(&name)?.id)))
            }
        }
    }

    pub(super) fn show_images(&self, name: &PartialName, like: Option<&str>) -> Ran<Rows> {
        let name = self.complete(name, "SHOW IMAGES")?;
        let found = self.repository(&name)?;
        let like = like.map(Pattern::new);
        let images = repository::images(self.connection, found.id)?;
        let rows = images
            .into_iter()
            .filter(|image| like.as_ref().is_none_or(|pattern| pattern.matches(&image.name)))
            .take(MAX_ROWS)
            .map(|image| image_row(&name, image))
            .collect();
        let columns = [
            ("created_on", "timestamp_ltz"),
            ("image_name", "text"),
            ("tags", "text"),
            ("digest", "text"),
            ("image_path", "text"),
        ];
        Ok(table(&columns, rows))
    }

    pub(super) fn show_databases(&self, filter: &Filter) -> Ran<Rows> {
        let databases = container::databases(self.connection, &self.access.held, self.access.manages_grants)?;
        let current = self.context.database.as_ref();
        Ok(container_rows(databases, filter, false, |details| {
            current.is_some_and(|current| current.as_str() == details.name)
        }))
    }

    pub(super) fn show_schemas(&self, scope: Option<&Scope>, filter: &Filter) -> Ran<Rows> {
        let database = match scope {
            Some(Scope::Database(Some(name))) => Some(self.database(name)?.id),
            Some(Scope::Database(None)) => {
                let current = self.context.database.as_ref();
                let current = current.ok_or_else(|| SqlFailure::no_database("SHOW SCHEMAS"))?;
                Some(self.database(current)?.id)
            }
            None => match &self.context.database {
                Some(current) => Some(self.database(current)?.id),
                None => None,
            },
            Some(Scope::Account | Scope::Schema(_)) => None,
        };
        let roles = &self.access.held;
        let schemas = container::schemas(self.connection, database, roles, self.access.manages_grants)?;
        let current = (self.context.database.as_ref(), self.context.schema.as_ref());
        Ok(container_rows(schemas, filter, true, |details| {
            (current.0.map(Ident::as_str), current.1.map(Ident::as_str))
                == (Some(&details.database), Some(&details.name))
        }))
    }
}

fn terse(repository: RepositoryDetails) -> Vec<Cell> {
    let RepositoryDetails { name, database, schema, created_on, .. } = repository;
    vec![timestamp(created_on), text(name), text("IMAGE_REPOSITORY"), text(database), text(schema)]
}

/// One row for an image with all its tags. What a real account shows for several tags is not public.
fn image_row(repository: &ObjectName, image: ImageDetails) -> Vec<Cell> {
    let ImageDetails { name, digest, tags, created_on } = image;
    let [database, schema, repository] = repository.parts().map(|part| part.as_str().to_lowercase());
    let mut path = format!("{database}/{schema}/{repository}/{name}");
    match tags.first() {
        Some(tag) => path.extend([":", tag]),
        None => path.extend(["@", &digest]),
    }
    vec![timestamp(created_on), text(name), text(tags.join(", ")), text(digest), text(path)]
}

fn container_rows(
    containers: Vec<ContainerDetails>,
    filter: &Filter,
    schemas: bool,
    is_current: impl Fn(&ContainerDetails) -> bool,
) -> Rows {
    let mut sieve = Sieve::new(filter);
    let shown = containers.into_iter().filter(|details| sieve.lets_through(&details.name));
    let kind = if schemas { "SCHEMA" } else { "STANDARD" };
    if filter.terse {
        let rows = shown.map(|details| {
            let ContainerDetails { name, database, created_on, .. } = details;
            vec![timestamp(created_on), text(name), text(kind), text(database), None]
        });
        return table(TERSE_COLUMNS, rows.collect());
    }
    let rows = shown.map(|details| {
        let current = yes_no(is_current(&details));
        let ContainerDetails { name, database, owner, comment, created_on } = details;
        let fifth = text(if schemas { database } else { String::new() });
        let mut row = vec![timestamp(created_on), text(name), yes_no(false), current, fifth];
        row.extend([text(owner), text(comment), text(""), text("1")]);
        if !schemas {
            row.push(text(kind));
        }
        row.push(text("ROLE"));
        row
    });
    let mut columns = vec![
        ("created_on", "timestamp_ltz"),
        ("name", "text"),
        ("is_default", "text"),
        ("is_current", "text"),
        if schemas { ("database_name", "text") } else { ("origin", "text") },
        ("owner", "text"),
        ("comment", "text"),
        ("options", "text"),
        ("retention_time", "text"),
    ];
    if !schemas {
        columns.push(("kind", "text"));
    }
    columns.push(("owner_role_type", "text"));
    table(&columns, rows.collect())
}
