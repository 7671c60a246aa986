//! Session → live state. One listing for each schema, whatever the number of objects; listings side by side.
//!
//! A listing hides what the role may not see, so "not listed" means absent *or hidden*. Nothing here, and nothing
//! that reads this, drops or replaces an object on the strength of an absence.

use crate::kind::{self, Filter, Managed, service};
use crate::object::name::{Ident, ObjectName, SchemaName};
use crate::object::reading::{Live, Privilege, Privileges, Scope, ScopeReading, Users, scope_of};
use crate::object::rows::Rows;
use crate::object::state::{Contents, Grant, Object, ObjectId, State, Tags};
use crate::object::statement::Sql;
use crate::session::{Answer, Session, SessionError};
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use std::collections::{BTreeMap, BTreeSet};

/// SHOW returns at most this many rows for a statement (docs.snowflake.com `show-image-repositories`).
pub const LISTING_LIMIT: usize = 10_000;

/// How many listings of parts, or of contents, are asked for side by side.
const SIDE_BY_SIDE: usize = 16;

/// An object that shall be read, and the role to read it under.
pub type Wanted<'a> = (&'a ObjectId, Option<&'a Ident>);

/// Reads the wanted objects, and of the others that the listings show those that `beside` keeps.
///
/// # Errors
/// Whatever a listing fails with, except that its schema is not there: that is a reading.
pub async fn read(
    session: &dyn Session,
    wanted: &[Wanted<'_>],
    beside: &(dyn Fn(&ObjectId, &Object) -> bool + Sync),
) -> Result<Live, SessionError> {
    // An object is what its own role sees of it, also where another role sees more.
    let own: BTreeMap<&ObjectId, Scope> =
        wanted.iter().map(|(id, role)| (*id, scope_of(id, *role))).collect();
    let scopes: BTreeSet<Scope> = wanted.iter().map(|(id, role)| scope_of(id, *role)).collect();
    let readings = try_join_all(scopes.into_iter().map(|scope| read_scope(session, scope))).await?;
    let mut live = Live::default();
    for (scope, reading, listed) in readings {
        for (id, object) in listed {
            match own.get(&id) {
                Some(of) if *of == scope => drop(live.state.insert(id, object)),
                Some(_) => {}
                None if beside(&id, &object) => drop(live.siblings.insert(id, object)),
                None => {}
            }
        }
        live.scopes.insert(scope, reading);
    }
    Ok(live)
}

/// Reads what stands inside each of these objects; what cannot be listed is [`Contents::Unknown`].
pub async fn read_contents(session: &dyn Session, wanted: &[Wanted<'_>]) -> BTreeMap<ObjectId, Contents> {
    stream::iter(wanted)
        .map(|(id, role)| async move { ((*id).clone(), contents_of(session, id, *role).await) })
        .buffer_unordered(SIDE_BY_SIDE)
        .collect()
        .await
}

async fn contents_of(session: &dyn Session, id: &ObjectId, role: Option<&Ident>) -> Contents {
    let managed = kind::managed(id.object_type);
    match session.query(&(managed.list_contents)(&id.name), role).await {
        Ok(rows) => {
            let mut images: Vec<_> = rows.iter().filter_map(|row| (managed.read_contents)(&row)).collect();
            // A row that cannot be read may be an image; an object with such a row is not known to be empty.
            if images.len() < rows.rows.len() {
                let (read, all) = (images.len(), rows.rows.len());
                return Contents::Unknown { why: format!("only {read} of {all} rows could be read") };
            }
            images.sort();
            Contents::Listed(images)
        }
        Err(error) => Contents::Unknown { why: error.to_string() },
    }
}

async fn read_scope(
    session: &dyn Session,
    scope: Scope,
) -> Result<(Scope, ScopeReading, State), SessionError> {
    let managed = kind::managed(scope.object_type);
    let rows = match list(session, managed, &scope, None).await {
        Ok(rows) => rows,
        Err(error) if error.is_absence() => {
            let reading = what_is_missing(session, &scope).await?;
            return Ok((scope, reading, State::new()));
        }
        Err(error) => return Err(error),
    };
    let object_type = scope.object_type;
    let state = rows
        .iter()
        .flat_map(Rows::iter)
        .filter_map(|row| (managed.read)(&row))
        .map(|(name, object)| (ObjectId { object_type, name }, object))
        .collect();
    Ok((scope, ScopeReading::Listed, state))
}

/// Lists a schema completely. A listing as long as the limit may have been cut, so it is split by the next character of
/// the names; what the names that it shows have in common needs no listing of its own.
fn list<'a>(
    session: &'a dyn Session,
    managed: &'static Managed,
    scope: &'a Scope,
    prefix: Option<String>,
) -> Answer<'a, Vec<Rows>> {
    Box::pin(async move {
        let filter = prefix.as_deref().map_or(Filter::All, Filter::StartsWith);
        let sql = (managed.list)(&scope.schema, filter);
        let whole = session.query(&sql, scope.role.as_ref()).await?;
        if whole.rows.len() < LISTING_LIMIT {
            return Ok(vec![whole]);
        }
        let (exact, parts) = split(managed.alphabet, prefix.as_deref().unwrap_or(""), &whole);
        drop(whole);
        let exact = stream::iter(exact)
            .map(|name| async move {
                let sql = (managed.list)(&scope.schema, Filter::Named(&name));
                session.query(&sql, scope.role.as_ref()).await
            })
            .buffered(SIDE_BY_SIDE)
            .try_collect::<Vec<_>>()
            .await?;
        let parts = stream::iter(parts)
            .map(|part| list(session, managed, scope, Some(part)))
            .buffered(SIDE_BY_SIDE)
            .try_collect::<Vec<_>>()
            .await?;
        Ok(exact.into_iter().chain(parts.into_iter().flatten()).collect())
    })
}

/// The parts of a listing that was too long: names to look for, and prefixes, which together hold every name that starts
/// with `prefix`. Every listed name starts with a longer text as well; it is left by each character in turn.
fn split(alphabet: &str, prefix: &str, listed: &Rows) -> (Vec<String>, Vec<String>) {
    let rows: Vec<_> = listed.iter().collect();
    let mut names = rows.iter().filter_map(|row| row.get("name"));
    let mut common = names.next().unwrap_or(prefix).to_owned();
    for name in names {
        let same = common.chars().zip(name.chars()).take_while(|(a, b)| a == b);
        common.truncate(same.map(|(a, _)| a.len_utf8()).sum());
    }
    // LIKE knows no case, so what is listed may start otherwise than what was asked for.
    if !common.starts_with(prefix) {
        prefix.clone_into(&mut common);
    }
    let ends = common.char_indices().map(|(at, c)| (at, Some(c))).chain([(common.len(), None)]);
    let (mut exact, mut parts) = (Vec::new(), Vec::new());
    for (end, followed_by) in ends.filter(|(end, _)| *end >= prefix.len()) {
        let start = &common[..end];
        if !start.is_empty() {
            exact.push(start.to_owned());
        }
        let others = alphabet.chars().filter(|next| Some(*next) != followed_by);
        parts.extend(others.map(|next| format!("{start}{next}")));
    }
    (exact, parts)
}

/// The listing's error does not tell a missing database from a missing schema; the list of schemas does.
async fn what_is_missing(session: &dyn Session, scope: &Scope) -> Result<ScopeReading, SessionError> {
    let SchemaName { database, schema } = &scope.schema;
    let sql =
        Sql::new("SHOW SCHEMAS LIKE").like_exactly(schema.as_str()).keyword("IN DATABASE").ident(database);
    match session.query(&sql, scope.role.as_ref()).await {
        Ok(_) => Ok(ScopeReading::NoSchema),
        Err(error) if error.is_absence() => Ok(ScopeReading::NoDatabase),
        Err(error) => Err(error),
    }
}

/// Reads who may do what with each of these objects, where they are there, into the state.
///
/// # Errors
/// Whatever a listing of grants fails with.
pub async fn read_grants(
    session: &dyn Session,
    wanted: &[Wanted<'_>],
    live: &mut Live,
) -> Result<(), SessionError> {
    let present = wanted.iter().filter(|(id, _)| live.state.contains_key(*id)).copied();
    let read: Vec<(&ObjectId, BTreeSet<Grant>)> = stream::iter(present)
        .map(|(id, role)| async move {
            let managed = kind::managed(id.object_type);
            let rows = session.query(&(managed.list_grants)(&id.name), role).await?;
            let grants = rows.iter().filter_map(|row| (managed.read_grant)(&row)).collect();
            Ok::<_, SessionError>((id, grants))
        })
        .buffered(SIDE_BY_SIDE)
        .try_collect()
        .await?;
    for (id, grants) in read {
        if let Some(object) = live.state.get_mut(id) {
            object.grants = Some(grants);
        }
    }
    Ok(())
}

/// Reads the values of tags of each of these objects, where they are there, into the state.
///
/// # Errors
/// Whatever the question fails with, as where there is no such tag.
pub async fn read_tags(
    session: &dyn Session,
    wanted: &[(&ObjectId, Option<&Ident>, Vec<&ObjectName>)],
    live: &mut Live,
) -> Result<(), SessionError> {
    let present = wanted.iter().filter(|(id, _, _)| live.state.contains_key(*id));
    let read: Vec<(&ObjectId, Tags)> = stream::iter(present)
        .map(|(id, role, tags)| async move {
            let managed = kind::managed(id.object_type);
            let rows = session.query(&(managed.read_tags)(&id.name, tags), *role).await?;
            let values = rows.rows.first().map(Vec::as_slice).unwrap_or_default();
            let set =
                tags.iter().zip(values).filter_map(|(tag, value)| Some(((*tag).clone(), value.clone()?)));
            Ok::<_, SessionError>((*id, set.collect()))
        })
        .buffered(SIDE_BY_SIDE)
        .try_collect()
        .await?;
    for (id, tags) in read {
        if let Some(object) = live.state.get_mut(id) {
            object.tags = tags;
        }
    }
    Ok(())
}

/// Looks for services that run images of these objects. What cannot be listed is [`Users::Unknown`].
pub async fn read_users(session: &dyn Session, wanted: &[&ObjectId]) -> BTreeMap<ObjectId, Users> {
    if wanted.is_empty() {
        return BTreeMap::new();
    }
    let specifications = match specifications(session).await {
        Ok(specifications) => specifications,
        Err(error) => {
            let unknown = Users::Unknown { why: error.to_string() };
            return wanted.iter().map(|id| ((*id).clone(), unknown.clone())).collect();
        }
    };
    let unread = specifications.iter().filter(|(_, specification)| specification.is_none()).count();
    let users = |id: &ObjectId| {
        let uses = |text: &String| service::runs_images_of(text, &id.name);
        let using = specifications.iter().filter(|(_, text)| text.as_ref().is_some_and(uses));
        Users::Listed { names: using.map(|(name, _)| name.clone()).collect(), unread }
    };
    wanted.iter().map(|id| ((*id).clone(), users(id))).collect()
}

/// Every service, with its specification where the role may read it.
async fn specifications(session: &dyn Session) -> Result<Vec<(ObjectName, Option<String>)>, SessionError> {
    let rows = session.query(&service::list(), None).await?;
    let names: Vec<ObjectName> = rows.iter().filter_map(|row| service::read(&row)).collect();
    let described = stream::iter(names).map(|name| async move {
        let rows = session.query(&service::describe(&name), None).await;
        let rows = rows.unwrap_or_default();
        let specification = rows.iter().next().and_then(|row| row.get("spec").map(ToOwned::to_owned));
        (name, specification)
    });
    Ok(described.buffered(SIDE_BY_SIDE).collect().await)
}

/// Reads what these roles may do: their own grants, and those of every role that was granted to them.
///
/// # Errors
/// Whatever a listing of grants fails with.
pub async fn read_privileges(
    session: &dyn Session,
    roles: impl IntoIterator<Item = Ident>,
) -> Result<BTreeMap<Ident, Privileges>, SessionError> {
    let mut read = BTreeMap::new();
    for role in roles {
        let mut privileges = Privileges::default();
        // What PUBLIC may do, every role may.
        let mut open = vec![role.clone(), Ident::exact("PUBLIC")];
        while let Some(next) = open.pop() {
            if !privileges.roles.insert(next.clone()) {
                continue;
            }
            let rows = session.query(&Sql::new("SHOW GRANTS TO ROLE").ident(&next), None).await?;
            for row in rows.iter() {
                let (Some(privilege), Some(granted_on), Some(name)) =
                    (row.get("privilege"), row.get("granted_on"), row.get("name"))
                else {
                    continue;
                };
                if granted_on == "ROLE" && privilege == "USAGE" {
                    open.extend(Ident::parse(name));
                } else {
                    let (privilege, granted_on) = (privilege.to_owned(), granted_on.to_owned());
                    privileges.held.insert(Privilege { privilege, granted_on, name: name.to_owned() });
                }
            }
        }
        read.insert(role, privileges);
    }
    Ok(read)
}

/// What is listed as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Container {
    /// One schema.
    Schema(SchemaName),
    /// All schemas of a database.
    Database(Ident),
    /// All databases.
    Account,
}

/// Every object of the types that are deployed. Snowflake's own database and the information schemas are left out.
///
/// # Errors
/// Whatever a listing fails with; a schema that vanishes between two listings is empty.
pub async fn everything(session: &dyn Session, container: Container) -> Result<State, SessionError> {
    let schemas = schemas(session, container).await?;
    let scopes = schemas.into_iter().flat_map(|schema| {
        kind::KINDS.iter().filter_map(|kind| kind.managed).map(move |managed| Scope {
            object_type: managed.object_type,
            schema: schema.clone(),
            role: None,
        })
    });
    let read: Vec<State> = stream::iter(scopes)
        .map(|scope| async move { read_scope(session, scope).await.map(|(_, _, state)| state) })
        .buffered(SIDE_BY_SIDE)
        .try_collect()
        .await?;
    Ok(read.into_iter().flatten().collect())
}

async fn schemas(session: &dyn Session, container: Container) -> Result<Vec<SchemaName>, SessionError> {
    let databases = match container {
        Container::Schema(schema) => return Ok(vec![schema]),
        Container::Database(database) => vec![database],
        Container::Account => names(session, Sql::new("SHOW DATABASES")).await?,
    };
    let databases = databases.into_iter().filter(|database| database.as_str() != "SNOWFLAKE");
    let listed: Vec<Vec<SchemaName>> = stream::iter(databases)
        .map(|database| async move {
            let schemas = names(session, Sql::new("SHOW SCHEMAS IN DATABASE").ident(&database)).await?;
            let own = schemas.into_iter().filter(|schema| schema.as_str() != "INFORMATION_SCHEMA");
            Ok::<_, SessionError>(
                own.map(|schema| SchemaName { database: database.clone(), schema }).collect(),
            )
        })
        .buffered(SIDE_BY_SIDE)
        .try_collect()
        .await?;
    Ok(listed.into_iter().flatten().collect())
}

/// The column `name` of a listing.
async fn names(session: &dyn Session, sql: Sql) -> Result<Vec<Ident>, SessionError> {
    let rows = session.query(&sql, None).await?;
    Ok(rows.iter().filter_map(|row| row.get("name").map(Ident::exact)).collect())
}

/// Reads one object again, for recovery after an answer that was lost.
pub async fn read_again(
    session: &dyn Session,
    id: &ObjectId,
    role: Option<&Ident>,
) -> Result<State, SessionError> {
    read(session, &[(id, role)], &|_, _| false).await.map(|live| live.state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Column;
    use proptest::prelude::*;

    fn listing(names: &[String]) -> Rows {
        let columns = vec![Column { name: "name".to_owned(), kind: "text".to_owned() }];
        let rows = names.iter().map(|name| vec![Some(name.clone())]).collect();
        Rows { columns, rows, query_id: None }
    }

    #[test]
    fn a_common_prefix_is_left_by_each_other_character() {
        let (exact, parts) = split("ABC", "A", &listing(&["ABCA".to_owned(), "ABCC".to_owned()]));
        assert_eq!(exact, ["A", "AB", "ABC"]);
        assert_eq!(parts, ["AA", "AC", "ABA", "ABB", "ABCA", "ABCB", "ABCC"]);
    }

    proptest! {
        /// Whatever was listed before it was cut, every name that starts with the prefix is in exactly one part.
        #[test]
        fn nothing_is_lost_between_the_parts(
            prefix in "[AB]{0,2}",
            listed in proptest::collection::vec("[ABC]{0,4}", 1..5),
            rest in "[ABC]{0,6}",
        ) {
            let listed: Vec<String> = listed.into_iter().map(|rest| format!("{prefix}{rest}")).collect();
            let (exact, parts) = split("ABC", &prefix, &listing(&listed));
            let name = format!("{prefix}{rest}");
            let found = exact.iter().filter(|exact| **exact == name).count()
                + parts.iter().filter(|part| name.starts_with(*part)).count();
            prop_assert_eq!(found, usize::from(!name.is_empty()));
        }
    }
}
