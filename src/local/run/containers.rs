//! `CREATE` and `DROP` of databases and schemas, and what that does to the session.

use super::super::catalog::container;
use super::super::sql::ast::{CreateMode, PartialSchema};
use super::super::sql::failure::SqlFailure;
use super::repositories::{dropped, dropped_already, exists_already};
use super::resolve::{database_ref, dotted, schema_ref};
use super::table::status;
use super::{Ran, Run};
use crate::object::name::{Ident, PartialName};
use crate::session::Rows;

impl Run<'_> {
    pub(super) fn create_database(&mut self, name: &Ident, mode: CreateMode, comment: &str) -> Ran<Rows> {
        self.must_have_on_account("CREATE DATABASE")?;
        if let Some(existing) = container::find_database(self.connection, name)? {
            if !self.access.sees(self.connection, database_ref(&existing), existing.owner)? {
                return Err(SqlFailure::exists_unseen(name.as_str()));
            }
            match mode {
                CreateMode::Plain => return Err(SqlFailure::already_exists(name.as_str())),
                CreateMode::IfNotExists => return Ok(exists_already(name)),
                CreateMode::OrReplace => {
                    self.must_own(existing.owner, "database", name)?;
                    container::delete_database(self.connection, existing.id)?;
                }
            }
        }
        container::insert_database(self.connection, name, self.access.role, comment, self.now)?;
        // A new database becomes the current one, and its PUBLIC the current schema.
        self.context.database = Some(name.clone());
        self.context.schema = Some(Ident::exact("PUBLIC"));
        Ok(status(format!("Database {} successfully created.", name.as_str())))
    }

    pub(super) fn create_schema(
        &mut self,
        name: &PartialSchema,
        mode: CreateMode,
        comment: &str,
    ) -> Ran<Rows> {
        let name = self.complete_schema(name, "CREATE SCHEMA")?;
        let database = self.database(&name.database)?;
        if !self.access.has(self.connection, database_ref(&database), database.owner, "CREATE SCHEMA")? {
            return Err(SqlFailure::insufficient_privileges("database", database.name.as_str()));
        }
        if let Some(existing) = container::find_schema(self.connection, database.id, &name.schema)? {
            if !self.access.sees(self.connection, schema_ref(&existing), existing.owner)? {
                return Err(SqlFailure::exists_unseen(dotted(&[&name.database, &name.schema])));
            }
            match mode {
                CreateMode::Plain => return Err(SqlFailure::already_exists(name.schema.as_str())),
                CreateMode::IfNotExists => return Ok(exists_already(&name.schema)),
                CreateMode::OrReplace => {
                    self.must_own(existing.owner, "schema", &name.schema)?;
                    container::delete_schema(self.connection, existing.id)?;
                }
            }
        }
        let owner = self.access.role;
        container::insert_schema(self.connection, database.id, &name.schema, owner, comment, self.now)?;
        let created = format!("Schema {} successfully created.", name.schema.as_str());
        // A new schema becomes the current one.
        self.context.database = Some(name.database);
        self.context.schema = Some(name.schema);
        Ok(status(created))
    }

    pub(super) fn drop_database(&mut self, name: &Ident, if_exists: bool) -> Ran<Rows> {
        if if_exists && self.seen_database(name)?.is_none() {
            return Ok(dropped_already(name));
        }
        let database = self.database(name)?;
        self.must_own(database.owner, "database", name)?;
        container::delete_database(self.connection, database.id)?;
        if self.context.database.as_ref() == Some(name) {
            self.context.database = None;
            self.context.schema = None;
        }
        Ok(dropped(name))
    }

    /// Drops a schema; `name` holds it as a name whose schema part is the database.
    pub(super) fn drop_schema(&mut self, name: PartialName, if_exists: bool) -> Ran<Rows> {
        let written = PartialSchema { database: name.schema, schema: name.name };
        let name = self.complete_schema(&written, "DROP SCHEMA")?;
        let database = self.database(&name.database)?;
        if if_exists && self.seen_schema(&database, &name.schema)?.is_none() {
            return Ok(dropped_already(&name.schema));
        }
        let schema = self.schema(&name)?;
        self.must_own(schema.owner, "schema", &name.schema)?;
        container::delete_schema(self.connection, schema.id)?;
        let current = (self.context.database.as_ref(), self.context.schema.as_ref());
        if current == (Some(&name.database), Some(&name.schema)) {
            self.context.schema = None;
        }
        Ok(dropped(&name.schema))
    }
}
