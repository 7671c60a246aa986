//! The embedded account as a value: open it, run statements in it, ask it who somebody is.

use super::catalog::credential::{self, NewToken, TokenKind};
use super::catalog::principal;
use super::catalog::{Catalog, Intent, OpenError, container, repository};
use super::credentials::{self, Strength};
use super::error::LocalError;
use super::jwt::{Jwt, JwtError};
use super::registry::Registry;
use super::registry::failure::Failure;
use super::registry::storage::{self, Storage};
use super::run::{self, now_millis};
use super::sql::{self, failure::SqlFailure};
use super::{ACCOUNT_NAME, USER_NAME};
use crate::host::files;
use crate::object::name::{Ident, ObjectName};
use crate::session::Rows;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The catalog's file in the account's directory.
const CATALOG_FILE: &str = "account.db";
/// The files that SQLite keeps beside it.
const CATALOG_COMPANIONS: [&str; 2] = ["account.db-wal", "account.db-shm"];
/// The registry host of an account that no server serves. Nothing answers there.
const EMBEDDED_REGISTRY: &str = "local-account.registry.localhost";

/// A local account. Clones are the same account; it may be used from any number of threads, and the same
/// directory from any number of processes.
#[derive(Clone)]
pub struct Account {
    catalog: Arc<Catalog>,
    registry_host: Arc<str>,
    /// Where images are kept; nowhere for an account in memory.
    storage: Option<Arc<Storage>>,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("registry_host", &self.registry_host).finish_non_exhaustive()
    }
}

/// Where a session stands; statements read it, `USE` and some `CREATE` change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The user.
    pub user: Ident,
    /// The role that statements run under.
    pub role: Ident,
    /// The only role that the session may take, where its credential says so.
    pub only_role: Option<Ident>,
    /// The database that incomplete names complete from.
    pub database: Option<Ident>,
    /// The schema that incomplete names complete from.
    pub schema: Option<Ident>,
    /// The warehouse; a name and nothing behind it.
    pub warehouse: Option<Ident>,
    /// Session parameters by upper-case name; a text, a number or a boolean.
    pub parameters: BTreeMap<String, Value>,
}

impl Context {
    /// A session of this user under this role, without database and schema.
    pub fn new(user: Ident, role: Ident) -> Self {
        let parameters = BTreeMap::new();
        Self { user, role, only_role: None, database: None, schema: None, warehouse: None, parameters }
    }

    /// The session that a new account is used with: user LOCAL, role SYSADMIN, schema LOCAL.PUBLIC.
    pub fn local() -> Self {
        let mut context = Self::new(Ident::exact(USER_NAME), Ident::exact("SYSADMIN"));
        context.database = Some(Ident::exact(ACCOUNT_NAME));
        context.schema = Some(Ident::exact("PUBLIC"));
        context
    }
}

/// How much an account holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Databases; Snowflake's own is not counted, here and below.
    pub databases: u64,
    /// Schemas.
    pub schemas: u64,
    /// Image repositories.
    pub image_repositories: u64,
    /// Images, each digest of each name once.
    pub images: u64,
    /// Roles.
    pub roles: u64,
    /// Users.
    pub users: u64,
}

/// A role that a user may or may not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RoleCheck {
    Granted,
    NotGranted,
}

/// Whom a token speaks for, and the only role that it may take.
pub(super) struct TokenLogin {
    pub(super) user: Ident,
    pub(super) only_role: Option<Ident>,
}

impl Account {
    /// Opens the account in this directory, and makes a new one where there is none. The directory ignores
    /// itself in git.
    pub fn open(dir: &Path) -> Result<Self, LocalError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| LocalError::Io { path, source }
        };
        files::create_private_dir(dir).map_err(io(dir))?;
        let ignore = dir.join(".gitignore");
        if files::read(&ignore).is_err() {
            files::write_private(&ignore, b"*\n").map_err(io(&ignore))?;
        }
        let path = dir.join(CATALOG_FILE);
        // SQLite would let everybody read a file that it makes itself; its companions take after this one.
        files::create_private_file(&path).map_err(io(&path))?;
        let catalog = Catalog::open(&path).map_err(|error| match error {
            OpenError::Newer(found) => LocalError::Newer { path, found },
            OpenError::Busy(error) => LocalError::from(error),
            OpenError::Database(error) => LocalError::Corrupt { path, reason: error.to_string() },
        })?;
        Ok(Self::around(catalog, Some(Storage::new(dir))))
    }

    /// A new account that is gone with its last clone.
    pub fn in_memory() -> Result<Self, LocalError> {
        let catalog = Catalog::in_memory().map_err(|error| match error {
            OpenError::Newer(_) => unreachable!("internal error: memory held a catalog"),
            OpenError::Busy(error) | OpenError::Database(error) => LocalError::from(error),
        })?;
        Ok(Self::around(catalog, None))
    }

    fn around(catalog: Catalog, storage: Option<Storage>) -> Self {
        let (catalog, storage) = (Arc::new(catalog), storage.map(Arc::new));
        Self { catalog, registry_host: EMBEDDED_REGISTRY.into(), storage }
    }

    /// What the account remembers.
    pub(super) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The account's image registry.
    pub(super) fn registry(&self) -> Result<Registry, Failure> {
        Registry::of(self)
    }

    /// Where the account keeps images.
    pub(super) fn storage(&self) -> Option<Arc<Storage>> {
        self.storage.clone()
    }

    /// Deletes the account in this directory: what it holds, images too, its users and its connection file. A process
    /// that has it open goes on with what is then nobody's.
    pub fn reset(dir: &Path) -> Result<(), LocalError> {
        let ours = [CATALOG_FILE, super::connection_file::FILE].into_iter().chain(CATALOG_COMPANIONS);
        for name in ours {
            let path = dir.join(name);
            files::remove_file(&path).map_err(|source| LocalError::Io { path, source })?;
        }
        let images = dir.join(storage::DIRECTORY);
        files::remove_dir(&images).map_err(|source| LocalError::Io { path: images, source })
    }

    /// The same account, whose repositories name this registry host (`127.0.0.1:8080`).
    #[must_use]
    pub fn with_registry_host(self, host: &str) -> Self {
        Self { registry_host: host.into(), ..self }
    }

    /// Carries one statement out, in one transaction. `context` changes only where the statement succeeds.
    pub fn execute(&self, context: &mut Context, sql: &str) -> Result<Rows, SqlFailure> {
        let statement = sql::parse_one(sql)?;
        let intent = if statement.writes() { Intent::Write } else { Intent::Read };
        let mut changed = context.clone();
        let rows = self.catalog.transaction(intent, |connection| {
            run::execute(connection, &mut changed, &self.registry_host, statement)
        })?;
        *context = changed;
        if intent == Intent::Write
            && let Err(error) = self.sweep()
        {
            // The statement is carried out; what it left behind waits for the next one.
            tracing::warn!(%error, "the files of dropped images stay for now");
        }
        Ok(rows)
    }

    /// The columns that a statement would answer with. What would change something is not carried out.
    pub(super) fn describe(&self, context: &Context, sql: &str) -> Result<Rows, SqlFailure> {
        if sql::parse_one(sql)?.writes() {
            return Ok(run::nothing_but_status());
        }
        let rows = self.execute(&mut context.clone(), sql)?;
        Ok(Rows { rows: Vec::new(), ..rows })
    }

    /// The statement whose result this text asks for again.
    pub(super) fn result_scan(sql: &str) -> Option<String> {
        sql::result_scan(sql)
    }

    /// The texts of the statements of a script.
    pub(super) fn split_script(script: &str) -> Result<Vec<&str>, SqlFailure> {
        sql::split_script(script)
    }

    /// How much the account holds.
    pub fn summary(&self) -> Result<Summary, LocalError> {
        self.catalog.transaction(Intent::Read, |connection| {
            let count = |table: &str| {
                let sql = format!("SELECT count(*) FROM {table}");
                let count: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
                Ok::<_, LocalError>(u64::try_from(count).unwrap_or_default())
            };
            Ok(Summary {
                databases: count("database WHERE name <> 'SNOWFLAKE'")?,
                schemas: count(
                    "schema JOIN database d ON d.id = schema.database WHERE d.name <> 'SNOWFLAKE'",
                )?,
                image_repositories: count("image_repository")?,
                images: count("image")?,
                roles: count("role")?,
                users: count("user")?,
            })
        })
    }

    /// Notes that an image was pushed: from now on `tag`, where there is one, means this digest. Asks for no
    /// privilege; whoever calls it has.
    pub fn record_image(
        &self,
        name: &ObjectName,
        image: &str,
        tag: Option<&str>,
        digest: &str,
    ) -> Result<(), LocalError> {
        self.catalog.transaction(Intent::Write, |connection| {
            let missing = || LocalError::Missing { what: format!("the image repository {name}") };
            let database =
                container::find_database(connection, &name.schema.database)?.ok_or_else(missing)?;
            let schema = container::find_schema(connection, database.id, &name.schema.schema)?;
            let found = repository::find(connection, schema.ok_or_else(missing)?.id, &name.name)?;
            let id = found.ok_or_else(missing)?.id;
            Ok(repository::record_image(connection, id, image, tag, digest, now_millis())?)
        })
    }

    /// Whether the user has a password.
    pub fn has_password(&self, user: &Ident) -> Result<bool, LocalError> {
        self.catalog
            .transaction(Intent::Read, |connection| Ok(credential::password(connection, user)?.is_some()))
    }

    /// Gives the user a password that a person chose.
    pub fn set_password(&self, user: &Ident, password: &str) -> Result<(), LocalError> {
        self.store_password(user, password, Strength::Chosen)
    }

    /// Gives the user a new random password, and returns it; only its hash is kept.
    pub(super) fn set_random_password(&self, user: &Ident) -> Result<String, LocalError> {
        let password = credentials::random_secret();
        self.store_password(user, &password, Strength::Random)?;
        Ok(password)
    }

    fn store_password(&self, user: &Ident, password: &str, strength: Strength) -> Result<(), LocalError> {
        let hash = credentials::hash_password(password, strength);
        self.catalog.transaction(Intent::Write, |connection| {
            let found = principal::find_user(connection, user)?;
            let missing = || LocalError::Missing { what: format!("the user {user}") };
            Ok(credential::set_password(connection, found.ok_or_else(missing)?.id, Some(&hash))?)
        })
    }

    /// Whom a name and a password speak for; a programmatic access token may stand in the password's place.
    pub(super) fn password_login(
        &self,
        user: Ident,
        password: &str,
    ) -> Result<Option<TokenLogin>, LocalError> {
        if let Some(token) = self.token_login(TokenKind::Pat, password)? {
            return Ok((token.user == user).then_some(token));
        }
        Ok(self.verify_password(&user, password)?.then_some(TokenLogin { user, only_role: None }))
    }

    /// Whether this is the user's password.
    pub fn verify_password(&self, user: &Ident, password: &str) -> Result<bool, LocalError> {
        let stored = self.catalog.transaction(Intent::Read, |connection| {
            Ok::<_, LocalError>(credential::password(connection, user)?)
        })?;
        Ok(credentials::is_password(password, stored.as_ref()))
    }

    /// Makes an OAuth access token for the user and returns it; only its hash is kept.
    pub fn add_oauth_token(&self, user: &Ident, name: &Ident, seconds: u32) -> Result<String, LocalError> {
        let secret = credentials::random_secret();
        self.catalog.transaction(Intent::Write, |connection| {
            let found = principal::find_user(connection, user)?;
            let missing = || LocalError::Missing { what: format!("the user {user}") };
            let now = now_millis();
            let token = NewToken {
                user: found.ok_or_else(missing)?.id,
                kind: TokenKind::OAuth,
                name,
                hash: &credentials::token_hash(&secret),
                role: None,
                created_on: now,
                expires_on: now.saturating_add(i64::from(seconds) * 1000),
            };
            Ok::<_, LocalError>(credential::insert_token(connection, &token)?)
        })?;
        Ok(secret)
    }

    /// Whom a token speaks for; nobody where it is unknown or has expired.
    pub(super) fn token_login(&self, kind: TokenKind, token: &str) -> Result<Option<TokenLogin>, LocalError> {
        let hash = credentials::token_hash(token);
        let found = self.catalog.transaction(Intent::Read, |connection| {
            Ok::<_, LocalError>(credential::token_owner(connection, kind, &hash)?)
        })?;
        Ok(found
            .filter(|owner| owner.expires_on > now_millis())
            .map(|owner| TokenLogin { user: owner.user, only_role: owner.role }))
    }

    /// The user that a JSON web token proves, or why it proves nobody.
    pub(super) fn jwt_login(&self, token: &str) -> Result<Result<Ident, JwtError>, LocalError> {
        let jwt = match Jwt::parse(token, ACCOUNT_NAME) {
            Ok(jwt) => jwt,
            Err(error) => return Ok(Err(error)),
        };
        let keys = self.catalog.transaction(Intent::Read, |connection| {
            let known = principal::find_user(connection, jwt.user())?.is_some();
            let keys = credential::public_keys(connection, jwt.user())?;
            Ok::<_, LocalError>(known.then_some(keys))
        })?;
        let Some(keys) = keys else { return Ok(Err(JwtError::Subject)) };
        Ok(jwt.verify(&keys, now_millis() / 1000).map(|()| jwt.user().clone()))
    }

    /// Whether the user may take this role.
    pub(super) fn check_role(&self, user: &Ident, role: &Ident) -> Result<RoleCheck, LocalError> {
        self.catalog.transaction(Intent::Read, |connection| {
            let (Some(user), Some(role)) =
                (principal::find_user(connection, user)?, principal::find_role(connection, role)?)
            else {
                return Ok(RoleCheck::NotGranted);
            };
            let held = principal::roles_held_by_user(connection, user.id)?;
            Ok(if held.contains(&role.id) { RoleCheck::Granted } else { RoleCheck::NotGranted })
        })
    }

    /// The user's default role, if it is set and still granted; PUBLIC otherwise.
    pub(super) fn default_role(&self, user: &Ident) -> Result<Ident, LocalError> {
        let found = self.catalog.transaction(Intent::Read, |connection| {
            Ok::<_, LocalError>(principal::find_user(connection, user)?)
        })?;
        if let Some(role) = found.and_then(|user| user.default_role)
            && self.check_role(user, &role)? == RoleCheck::Granted
        {
            return Ok(role);
        }
        Ok(Ident::exact("PUBLIC"))
    }
}
