//! From names as written to objects in the catalog, as far as the role may see them.

use super::super::catalog::container::{self, Container};
use super::super::catalog::grant::ObjectRef;
use super::super::catalog::repository::{self, Repository};
use super::super::sql::ast::PartialSchema;
use super::super::sql::failure::SqlFailure;
use super::{Ran, Run};
use crate::object::name::{Ident, ObjectName, PartialName, SchemaName};

/// A database as an object of grants.
pub(super) fn database_ref(database: &Container) -> ObjectRef {
    ObjectRef { kind: "DATABASE", id: database.id }
}

/// A schema as an object of grants.
pub(super) fn schema_ref(schema: &Container) -> ObjectRef {
    ObjectRef { kind: "SCHEMA", id: schema.id }
}

/// A repository as an object of grants.
pub(super) fn repository_ref(repository: &Repository) -> ObjectRef {
    ObjectRef { kind: "IMAGE_REPOSITORY", id: repository.id }
}

impl Run<'_> {
    /// Completes a name from the session. `operation` is named where the session cannot complete it.
    pub(super) fn complete(&self, name: &PartialName, operation: &str) -> Ran<ObjectName> {
        let PartialName { database, schema, name } = name;
        let schema = PartialSchema {
            database: database.clone(),
            schema: match schema {
                Some(schema) => schema.clone(),
                // Without a database there is no current schema either; say the first thing that is missing.
                None if self.context.database.is_none() => return Err(SqlFailure::no_database(operation)),
                None => self.context.schema.clone().ok_or_else(|| SqlFailure::no_schema(operation))?,
            },
        };
        Ok(ObjectName { schema: self.complete_schema(&schema, operation)?, name: name.clone() })
    }

    /// Completes a schema's name from the session.
    pub(super) fn complete_schema(&self, schema: &PartialSchema, operation: &str) -> Ran<SchemaName> {
        let PartialSchema { database, schema } = schema;
        let current = || self.context.database.clone().ok_or_else(|| SqlFailure::no_database(operation));
        let database = database.clone().map_or_else(current, Ok)?;
        Ok(SchemaName { database, schema: schema.clone() })
    }

    /// The database, or the failure that there is none for this role.
    pub(super) fn database(&self, name: &Ident) -> Ran<Container> {
        self.seen_database(name)?.ok_or_else(|| SqlFailure::does_not_exist("Database", name.as_str()))
    }

    /// The database, if the role may see it.
    pub(super) fn seen_database(&self, name: &Ident) -> Ran<Option<Container>> {
        let Some(found) = container::find_database(self.connection, name)? else { return Ok(None) };
        let seen = self.access.sees(self.connection, database_ref(&found), found.owner)?;
        Ok(seen.then_some(found))
    }

    /// The schema, or the failure that it, or its database, is not there for this role.
    pub(super) fn schema(&self, name: &SchemaName) -> Ran<Container> {
        let database = self.database(&name.database)?;
        let seen = self.seen_schema(&database, &name.schema)?;
        seen.ok_or_else(|| SqlFailure::does_not_exist("Schema", dotted(&[&name.database, &name.schema])))
    }

    /// The schema, if the role may see it.
    pub(super) fn seen_schema(&self, database: &Container, name: &Ident) -> Ran<Option<Container>> {
        let Some(found) = container::find_schema(self.connection, database.id, name)? else {
            return Ok(None);
        };
        let seen = self.access.sees(self.connection, schema_ref(&found), found.owner)?;
        Ok(seen.then_some(found))
    }

    /// The repository, or the failure that it, or what holds it, is not there for this role.
    pub(super) fn repository(&self, name: &ObjectName) -> Ran<Repository> {
        let seen = self.seen_repository(name)?;
        seen.ok_or_else(|| SqlFailure::does_not_exist("Image Repository", dotted(&name.parts())))
    }

    /// The repository, if the role may see it; a missing schema or database is a failure all the same.
    pub(super) fn seen_repository(&self, name: &ObjectName) -> Ran<Option<Repository>> {
        let schema = self.schema(&name.schema)?;
        let Some(found) = repository::find(self.connection, schema.id, &name.name)? else { return Ok(None) };
        let seen = self.access.sees(self.connection, repository_ref(&found), found.owner)?;
        Ok(seen.then_some(found))
    }

    /// The failure unless the object belongs to the role.
    pub(super) fn must_own(&self, owner: i64, kind: &str, name: &Ident) -> Ran<()> {
        if self.access.owns(owner) {
            Ok(())
        } else {
            Err(SqlFailure::insufficient_privileges(kind, name.as_str()))
        }
    }

    /// The failure unless the role has this privilege on the account.
    pub(super) fn must_have_on_account(&self, privilege: &str) -> Ran<()> {
        if self.access.has_on_account(self.connection, privilege)? {
            Ok(())
        } else {
            Err(SqlFailure::insufficient_privileges("account", super::super::ACCOUNT_NAME))
        }
    }
}

/// Name parts as messages show them: without quotes.
pub(super) fn dotted(parts: &[&Ident]) -> String {
    parts.iter().map(|part| part.as_str()).collect::<Vec<_>>().join(".")
}
