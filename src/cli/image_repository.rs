//! `snowform image-repository …`: the official CLI's commands for one repository after the other, and what is more.

use super::answer;
use super::connect::{self, ConnectionArgs};
use super::deploy::AllowArgs;
use super::error::{CommandError, Exit};
use super::project::{self, ProjectArgs, Texts};
use super::registry_access;
use super::repository_urls;
use super::ui::Ui;
use crate::check;
use crate::kind::mark::Marked;
use crate::object::name::{Ident, PartialName};
use crate::object::statement::{HazardKind, Sql};
use crate::session::{Row, Session, code};
use crate::view::counted;
use crate::view::listing::{Cell, Listing};
use clap::{Args, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Create, drop and list image repositories and what is in them, as `snow spcs image-repository` does
#[derive(Args, Debug)]
pub(super) struct ImageRepositoryCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create a new image repository in the current schema
    Create {
        name: RepositoryName,
        #[command(flatten)]
        replace: ReplaceArgs,
        /// Do nothing where it exists already
        #[arg(long, conflicts_with = "replace")]
        if_not_exists: bool,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Create the image repository that the project's definition declares
    Deploy {
        /// Which entity, where the definition has several
        entity_id: Option<String>,
        #[command(flatten)]
        replace: ReplaceArgs,
        #[command(flatten)]
        project: ProjectArgs,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Drop an image repository; one that holds images only with --allow drops-images
    Drop {
        name: RepositoryName,
        /// Do nothing where there is none
        #[arg(long)]
        if_exists: bool,
        #[command(flatten)]
        allow: AllowArgs,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// List the image repositories that the role may see
    List(ListArgs),
    /// List the images of a repository with their tags and digests
    ListImages(ListImagesArgs),
    /// List the tags of an image, as the registry has them
    ListTags {
        name: RepositoryName,
        /// The image's full name, database/schema/repository/image
        #[arg(short, long, alias = "image_name")]
        image_name: String,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Print a repository's address, or with --all those of all the project's repositories
    Url(repository_urls::UrlArgs),
}

#[derive(Args, Debug)]
struct ReplaceArgs {
    /// Drop the repository first where it exists, with its images
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    allow: AllowArgs,
}

#[derive(Args, Debug)]
struct ListArgs {
    /// Only names that match this SQL LIKE pattern
    #[arg(short, long)]
    like: Option<String>,
    /// Only those of a database or schema: --in database NAME
    #[arg(long = "in", num_args = 2, value_names = ["SCOPE", "NAME"])]
    scope: Option<Vec<String>>,
    /// Those of the whole account
    #[arg(long, conflicts_with = "scope")]
    in_account: bool,
    /// Fewer columns
    #[arg(long)]
    terse: bool,
    /// At most so many
    #[arg(long)]
    limit: Option<usize>,
    /// Which come first [default: as the account lists them]
    #[arg(long, value_enum)]
    order_by: Option<Order>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Args, Debug)]
struct ListImagesArgs {
    name: RepositoryName,
    /// Only names that match this SQL LIKE pattern
    #[arg(short, long)]
    like: Option<String>,
    /// Only the image of exactly this name
    #[arg(long)]
    image: Option<String>,
    /// Only the image that has this tag
    #[arg(long)]
    tag: Option<String>,
    /// Only the image with this digest
    #[arg(long)]
    digest: Option<String>,
    /// Which come first [default: as the account lists them]
    #[arg(long, value_enum)]
    order_by: Option<Order>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Order {
    #[value(name = "created_at_asc", alias = "created-at-asc")]
    CreatedAscending,
    #[value(name = "created_at_desc", alias = "created-at-desc")]
    CreatedDescending,
    #[value(name = "name_asc", alias = "name-asc")]
    NameAscending,
    #[value(name = "name_desc", alias = "name-desc")]
    NameDescending,
}

/// A repository's name: one to three parts, none of them quoted.
#[derive(Clone, Debug)]
pub(super) struct RepositoryName {
    written: String,
    /// What it means.
    pub(super) parts: PartialName,
}

impl FromStr for RepositoryName {
    type Err = std::convert::Infallible;

    /// Takes any text: what is wrong with a name is said by [`RepositoryName::checked`], with the exit code that the
    /// official CLI has for it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = PartialName::parse(text).unwrap_or_else(|_| PartialName {
            database: None,
            schema: None,
            name: Ident::exact(text),
        });
        Ok(Self { written: text.to_owned(), parts })
    }
}

impl RepositoryName {
    /// The name, if it may be a repository's. The words are the official CLI's.
    pub(super) fn checked(&self) -> Result<&PartialName, CommandError> {
        let PartialName { database, schema, name } = &self.parts;
        let plain =
            [database.as_ref(), schema.as_ref(), Some(name)].into_iter().flatten().all(Ident::is_plain);
        if plain && !self.written.contains('"') {
            return Ok(&self.parts);
        }
        let written = &self.written;
        let message = match PartialName::parse(written) {
            Err(_) => format!("Specified name '{written}' is not valid name."),
            Ok(_) => format!(
                "'{written}' is not a valid image repository name. Note that image repository names must be \
                 unquoted identifiers. The same constraint also applies to database and schema names where you \
                 create an image repository."
            ),
        };
        let help = "letters, digits, _ and $, in up to three parts: database.schema.repository";
        Err(CommandError::new(Exit::Failed, "invalid-name", message, help))
    }

    /// The name as it was written, completed from the session.
    pub(super) fn full(&self, session: &dyn Session) -> String {
        let identity = session.identity();
        let PartialName { database, schema, name: _ } = &self.parts;
        let current = |written: &Option<Ident>, current: &Option<Ident>| {
            let missing = current.as_ref().filter(|_| written.is_none());
            missing.map(|part| format!("{}.", part.as_str())).unwrap_or_default()
        };
        let database = current(database, &identity.database);
        format!("{database}{}{}", current(schema, &identity.schema), self.written)
    }

    /// The name as the official CLI says that it is taken: a single word as it is stored, else as it was written.
    fn shown(&self) -> String {
        let single = !self.written.contains('.');
        if single { self.written.to_uppercase() } else { self.written.clone() }
    }
}

/// The texts of the project that the command needs, so that mistakes can be drawn in them.
pub(super) fn texts(command: &ImageRepositoryCommand) -> Result<Option<Texts>, CommandError> {
    match &command.action {
        Action::Deploy { project, .. } => project::read(project).map(Some),
        Action::Url(args) => args.texts(),
        _ => Ok(None),
    }
}

pub(super) async fn run(
    command: &ImageRepositoryCommand,
    texts: Option<&Texts>,
    ui: &Ui,
) -> Result<Exit, CommandError> {
    let listing = match &command.action {
        Action::Create { name, replace, if_not_exists, connection } => {
            let session = open(connection, None, ui).await?;
            closing(session, async |session| create(session, name, replace, *if_not_exists).await).await?
        }
        Action::Deploy { entity_id, replace, project: _, connection } => {
            let texts = texts.expect("internal error: deploy reads the project");
            let name = declared(texts, entity_id.as_deref())?;
            let session = open(connection, Some(texts), ui).await?;
            closing(session, async |session| create(session, &name, replace, false).await).await?
        }
        Action::Drop { name, if_exists, allow, connection } => {
            let session = open(connection, None, ui).await?;
            closing(session, async |session| drop_repository(session, name, *if_exists, allow).await).await?
        }
        Action::List(args) => {
            let sql = args.sql()?;
            let session = open(&args.connection, None, ui).await?;
            let listing = closing(session, async |session| listed(session, &sql).await).await?;
            ordered(listing, args.order_by, "name")
        }
        Action::ListImages(args) => {
            let sql = args.sql()?;
            let session = open(&args.connection, None, ui).await?;
            args.select(closing(session, async |session| listed(session, &sql).await).await?)
        }
        Action::ListTags { name, image_name, connection } => {
            name.checked()?;
            // The official CLI's words.
            ui.remark("DeprecationWarning: The command 'list-tags' is deprecated.");
            let tags = registry_access::tags(connection, name, image_name, ui).await?;
            let row = |tag: String| vec![Cell::Text(format!("{image_name}:{tag}"))];
            Listing::Many(vec!["tag".to_owned()], tags.into_iter().map(row).collect())
        }
        Action::Url(args) => return repository_urls::run(args, texts, ui).await,
    };
    answer::write(ui, &listing);
    Ok(Exit::Done)
}

/// Opens a session; the embedded account of the project where there is one.
pub(super) async fn open(
    connection: &ConnectionArgs,
    texts: Option<&Texts>,
    ui: &Ui,
) -> Result<Box<dyn Session>, CommandError> {
    let here = PathBuf::from(".");
    connect::open(connection, texts.map_or(&here as &Path, |texts| &texts.directory), ui).await
}

/// Does something with a session and ends it, whatever came of it.
pub(super) async fn closing<T>(
    session: Box<dyn Session>,
    work: impl AsyncFnOnce(&dyn Session) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    let done = work(session.as_ref()).await;
    session.close().await;
    done
}

async fn listed(session: &dyn Session, sql: &Sql) -> Result<Listing, CommandError> {
    let (rows, zone) = answer::rows(session, sql).await?;
    Ok(Listing::of(rows, &zone))
}

async fn create(
    session: &dyn Session,
    name: &RepositoryName,
    replace: &ReplaceArgs,
    if_not_exists: bool,
) -> Result<Listing, CommandError> {
    let parts = name.checked()?;
    if replace.replace {
        guard(session, name, &replace.allow, "replacing it").await?;
    }
    let sql = match (replace.replace, if_not_exists) {
        (true, _) => Sql::new("CREATE OR REPLACE IMAGE REPOSITORY"),
        (false, true) => Sql::new("CREATE IMAGE REPOSITORY IF NOT EXISTS"),
        (false, false) => Sql::new("CREATE IMAGE REPOSITORY"),
    };
    match session.query(&sql.partial_name(parts), None).await {
        Ok(rows) => Ok(Listing::first(rows, &jiff::tz::TimeZone::UTC)),
        Err(error) if error.code() == Some(code::ALREADY_EXISTS) => {
            let message = format!(
                "Image-repository {} already exists. Use --replace flag to update objects.",
                name.shown()
            );
            let help = "--replace destroys the images in it; to leave it as it is:\n\
                        snowform image-repository create --if-not-exists …";
            Err(CommandError::new(Exit::Failed, "already-exists", message, help))
        }
        Err(error) => Err(answer::failed(error)),
    }
}

async fn drop_repository(
    session: &dyn Session,
    name: &RepositoryName,
    if_exists: bool,
    allow: &AllowArgs,
) -> Result<Listing, CommandError> {
    let parts = name.checked()?;
    guard(session, name, allow, "dropping it").await?;
    let sql = if if_exists { "DROP IMAGE REPOSITORY IF EXISTS" } else { "DROP IMAGE REPOSITORY" };
    let rows = session.query(&Sql::new(sql).partial_name(parts), None).await.map_err(answer::failed)?;
    Ok(Listing::of(rows, &jiff::tz::TimeZone::UTC))
}

/// Refuses what would destroy images, unless that is allowed. What is in a repository that cannot be listed is not
/// known, and so is not destroyed either.
async fn guard(
    session: &dyn Session,
    name: &RepositoryName,
    allow: &AllowArgs,
    doing: &str,
) -> Result<(), CommandError> {
    if is_protected(session, name).await {
        let message =
            format!("image repository {} is protected by the mark in its comment", name.full(session));
        let help = "declare it with `prevent_drop: false` in snowform.yml, and deploy, if that is meant";
        return Err(CommandError::new(Exit::Refused, "protected", message, help));
    }
    if allow.allow.contains(&HazardKind::DropsImages) {
        return Ok(());
    }
    let images = Sql::new("SHOW IMAGES IN IMAGE REPOSITORY").partial_name(&name.parts);
    let rows = match session.query(&images, None).await {
        Ok(rows) => rows.rows.len(),
        // There is nothing to lose; whether that is a failure is the statement's to say.
        Err(error) if error.is_absence() => 0,
        Err(error) => return Err(answer::failed(error)),
    };
    if rows == 0 {
        return Ok(());
    }
    let message = format!(
        "image repository {} holds {}; {doing} destroys them",
        name.full(session),
        counted(rows, "image")
    );
    let help = "images cannot be brought back; if that is meant:\n--allow drops-images";
    Err(CommandError::new(Exit::Refused, HazardKind::DropsImages.name(), message, help))
}

/// Whether the repository carries the mark of `prevent_drop`. One that is not listed carries none that anybody sees.
async fn is_protected(session: &dyn Session, name: &RepositoryName) -> bool {
    let PartialName { database, schema, name } = &name.parts;
    let identity = session.identity();
    let database = database.as_ref().or(identity.database.as_ref());
    let schema = schema.as_ref().or(identity.schema.as_ref());
    let (Some(database), Some(schema)) = (database, schema) else { return false };
    let sql = Sql::new("SHOW IMAGE REPOSITORIES LIKE").like_exactly(name.as_str()).keyword("IN SCHEMA");
    let rows = session.query(&sql.member(database, schema), None).await.unwrap_or_default();
    let named = |row: &Row<'_>| row.get("name") == Some(name.as_str());
    rows.iter().filter(named).any(|row| Marked::read(row.get("comment").unwrap_or("")).prevent_drop)
}

/// The name of the repository that the definition declares.
fn declared(texts: &Texts, entity: Option<&str>) -> Result<RepositoryName, CommandError> {
    let usage =
        |message: String, help: String| CommandError::new(Exit::Usage, "unknown-entity", message, help);
    let checked = check::check(&texts.files, &texts.inputs());
    if checked.diagnostics.has_errors() {
        let message = "the definition has mistakes, so nothing is created";
        let error = CommandError::new(Exit::Failed, "invalid-definition", message, "nothing was sent");
        return Err(CommandError { diagnostics: checked.diagnostics.sorted(), ..error });
    }
    let entities = &checked.project.entities;
    let repositories: Vec<_> =
        entities.iter().filter(|entity| entity.kind.type_name == "image-repository").collect();
    let keys = || repositories.iter().map(|entity| entity.key.value.as_str()).collect::<Vec<_>>().join(", ");
    let found = match entity {
        Some(key) => repositories.iter().find(|entity| entity.key.value == key).ok_or_else(|| {
            usage(format!("No '{key}' entity in project definition file."), format!("it has: {}", keys()))
        })?,
        None => match repositories.as_slice() {
            [one] => one,
            [] => {
                let message = "No image repository project definition found in the definition file.";
                return Err(usage(message.to_owned(), "declare one, with type: image-repository".to_owned()));
            }
            _ => {
                let message =
                    "Multiple image repositories found. Please provide entity id for the operation.";
                return Err(usage(message.to_owned(), format!("it has: {}", keys())));
            }
        },
    };
    let name = found.name.as_ref().expect("internal error: a definition without mistakes has names");
    let parts =
        PartialName { database: name.database.clone(), schema: name.schema.clone(), name: name.name.clone() };
    Ok(RepositoryName { written: parts.to_string(), parts })
}

impl ListArgs {
    fn sql(&self) -> Result<Sql, CommandError> {
        let sql = if self.terse { "SHOW TERSE IMAGE REPOSITORIES" } else { "SHOW IMAGE REPOSITORIES" };
        let mut sql = Sql::new(sql);
        if let Some(like) = &self.like {
            sql = sql.keyword("LIKE").text(like);
        }
        if self.in_account {
            sql = sql.keyword("IN ACCOUNT");
        }
        if let Some([scope, name]) = self.scope.as_deref() {
            let keyword = match scope.to_lowercase().as_str() {
                "database" => "IN DATABASE",
                "schema" => "IN SCHEMA",
                "account" => "IN ACCOUNT",
                _ => {
                    let message = "Scope type must be one of the following: database, schema, compute-pool.";
                    let help = "image repositories stand in databases and schemas:\n--in schema NAME";
                    return Err(CommandError::new(Exit::Failed, "scope", message, help));
                }
            };
            let name = PartialName::parse(name).map_err(|error| {
                let help = "give a name as SQL spells it";
                CommandError::new(Exit::Failed, "invalid-name", format!("--in {scope} {name}: {error}"), help)
            })?;
            sql = sql.keyword(keyword).partial_name(&name);
        }
        Ok(match self.limit {
            Some(limit) => sql.keyword("LIMIT").number(limit),
            None => sql,
        })
    }
}

impl ListImagesArgs {
    fn sql(&self) -> Result<Sql, CommandError> {
        let sql = Sql::new("SHOW IMAGES");
        let sql = match &self.like {
            Some(like) => sql.keyword("LIKE").text(like),
            None => sql,
        };
        Ok(sql.keyword("IN IMAGE REPOSITORY").partial_name(self.name.checked()?))
    }

    /// Keeps what was asked for, in the order that was asked for.
    fn select(&self, listing: Listing) -> Listing {
        let Listing::Many(columns, mut rows) = listing else { return listing };
        let at = |name: &str| columns.iter().position(|column| column == name);
        let text = |row: &Vec<Cell>, column: &str| match at(column).and_then(|at| row.get(at)) {
            Some(Cell::Text(text)) => text.clone(),
            _ => String::new(),
        };
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        rows.retain(|row| {
            let tags = text(row, "tags");
            let tagged = |tag: &String| tags.split(',').any(|found| found.trim() == tag);
            is(&self.image, &text(row, "image_name"))
                && is(&self.digest, &text(row, "digest"))
                && self.tag.as_ref().is_none_or(tagged)
        });
        ordered(Listing::Many(columns, rows), self.order_by, "image_name")
    }
}

fn ordered(listing: Listing, order: Option<Order>, name: &str) -> Listing {
    let (Listing::Many(columns, mut rows), Some(order)) = (listing.clone(), order) else { return listing };
    let column = match order {
        Order::CreatedAscending | Order::CreatedDescending => "created_on",
        Order::NameAscending | Order::NameDescending => name,
    };
    if let Some(at) = columns.iter().position(|found| found == column) {
        let key = |row: &Vec<Cell>| match &row[at] {
            Cell::Text(text) | Cell::Time { iso: text, .. } => text.clone(),
            _ => String::new(),
        };
        rows.sort_by_key(key);
        if matches!(order, Order::CreatedDescending | Order::NameDescending) {
            rows.reverse();
        }
    }
    Listing::Many(columns, rows)
}
