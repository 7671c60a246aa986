//! `CREATE`, `ALTER` and `DROP IMAGE REPOSITORY`.

use super::super::catalog::grant;
use super::super::catalog::repository::{self, NewRepository};
use super::super::sql::ast::{CreateMode, CreateRepository, RepositoryChange};
use super::super::sql::failure::SqlFailure;
use super::resolve::{dotted, repository_ref, schema_ref};
use super::table::status;
use super::{Ran, Run};
use crate::object::name::{Ident, PartialName};
use crate::session::Rows;

impl Run<'_> {
    pub(super) fn create_repository(&self, create: &CreateRepository) -> Ran<Rows> {
        let CreateRepository { name, mode, encryption, comment, tags } = create;
        let name = self.complete(name, "CREATE IMAGE REPOSITORY")?;
        if !name.parts().into_iter().all(Ident::is_plain) {
            return Err(SqlFailure::quoted_repository_name(&name));
        }
        let schema = self.schema(&name.schema)?;
        let (object, privilege) = (schema_ref(&schema), "CREATE IMAGE REPOSITORY");
        if !self.access.has(self.connection, object, schema.owner, privilege)? {
            return Err(SqlFailure::insufficient_privileges("schema", schema.name.as_str()));
        }
        if let Some(existing) = repository::find(self.connection, schema.id, &name.name)? {
            if !self.access.sees(self.connection, repository_ref(&existing), existing.owner)? {
                return Err(SqlFailure::exists_unseen(dotted(&name.parts())));
            }
            match mode {
                CreateMode::Plain => return Err(SqlFailure::already_exists(name.name.as_str())),
                CreateMode::IfNotExists => return Ok(exists_already(&name.name)),
                CreateMode::OrReplace => {
                    self.must_own(existing.owner, "image repository", &name.name)?;
                    // Images, tags and grants belong to the row and go with it, as on a real account.
                    repository::delete(self.connection, existing.id)?;
                }
            }
        }
        let new = NewRepository {
            schema: schema.id,
            name: &name.name,
            owner: self.access.role,
            comment,
            encryption: encryption.name(),
            created_on: self.now,
        };
        let id = repository::insert(self.connection, &new)?;
        self.set_tags(id, tags)?;
        Ok(status(format!("Image Repository {} successfully created.", name.name.as_str())))
    }

    pub(super) fn alter_repository(
        &self,
        name: &PartialName,
        if_exists: bool,
        change: &RepositoryChange,
    ) -> Ran<Rows> {
        let name = self.complete(name, "ALTER IMAGE REPOSITORY")?;
        let done = status("Statement executed successfully.");
        if if_exists && self.seen_repository(&name)?.is_none() {
            return Ok(done);
        }
        let found = self.repository(&name)?;
        self.must_own(found.owner, "image repository", &name.name)?;
        match change {
            RepositoryChange::Comment(comment) => {
                repository::set_comment(self.connection, found.id, comment)?;
            }
            RepositoryChange::SetTags(tags) => self.set_tags(found.id, tags)?,
            RepositoryChange::UnsetTags(tags) => {
                for tag in tags {
                    repository::unset_tag(self.connection, found.id, &self.tag_name(tag)?)?;
                }
            }
        }
        Ok(done)
    }

    pub(super) fn drop_repository(&self, name: &PartialName, if_exists: bool) -> Ran<Rows> {
        let name = self.complete(name, "DROP IMAGE REPOSITORY")?;
        // IF EXISTS speaks of the repository alone: a missing schema fails with it, too.
        if if_exists && self.seen_repository(&name)?.is_none() {
            return Ok(dropped_already(&name.name));
        }
        let found = self.repository(&name)?;
        self.must_own(found.owner, "image repository", &name.name)?;
        repository::delete(self.connection, found.id)?;
        Ok(dropped(&name.name))
    }

    fn set_tags(&self, repository: i64, tags: &[(PartialName, String)]) -> Ran<()> {
        for (tag, value) in tags {
            repository::set_tag(self.connection, repository, &self.tag_name(tag)?, value)?;
        }
        Ok(())
    }

    /// A tag's full name. Tags are no objects of this account: any name may be set.
    pub(super) fn tag_name(&self, tag: &PartialName) -> Ran<String> {
        Ok(self.complete(tag, "SET TAG")?.to_string())
    }

    /// Takes the grants on an object back, or moves them to a new grantor.
    pub(super) fn settle_grants(&self, object: grant::ObjectRef, new_owner: i64, copy: bool) -> Ran<()> {
        if copy {
            grant::set_grantor(self.connection, object, new_owner)?;
        } else {
            grant::delete_all(self.connection, object)?;
        }
        Ok(())
    }
}

/// The answer of `CREATE … IF NOT EXISTS` where there was something.
pub(super) fn exists_already(name: &Ident) -> Rows {
    status(format!("{} already exists, statement succeeded.", name.as_str()))
}

/// The answer of `DROP`.
pub(super) fn dropped(name: &Ident) -> Rows {
    status(format!("{} successfully dropped.", name.as_str()))
}

/// The answer of `DROP … IF EXISTS` where there was nothing.
pub(super) fn dropped_already(name: &Ident) -> Rows {
    status(format!("Drop statement executed successfully ({} already dropped).", name.as_str()))
}
