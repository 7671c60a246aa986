//! `snowform image-repository url`: where one repository is, or for continuous integration where all of a project are.

use super::answer;
use super::connect::ConnectionArgs;
use super::error::{CommandError, Exit};
use super::image_repository::{RepositoryName, closing, open};
use super::project::{self, ProjectArgs, Texts};
use super::ui::Ui;
use crate::check;
use crate::desired::NameDefaults;
use crate::object::name::{Ident, PartialName};
use crate::object::statement::Sql;
use crate::session::Session;
use crate::view::listing::Listing;
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;

#[derive(Args, Debug)]
pub(super) struct UrlArgs {
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    name: Option<RepositoryName>,
    /// Those of all image repositories that the project's definition declares
    #[arg(long)]
    all: bool,
    /// How to write them: lines for a shell or a file of variables, JSON by entity, lines for $GITHUB_OUTPUT
    #[arg(long, value_enum, requires = "all", default_value = "env")]
    output: UrlFormat,
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum UrlFormat {
    /// `ENTITY_URL=…`
    Env,
    /// `{"entity": "…"}`
    Json,
    /// `entity_url=…`
    Github,
}

impl UrlArgs {
    pub(super) fn texts(&self) -> Result<Option<Texts>, CommandError> {
        if self.all { project::read(&self.project).map(Some) } else { Ok(None) }
    }
}

pub(super) async fn run(args: &UrlArgs, texts: Option<&Texts>, ui: &Ui) -> Result<Exit, CommandError> {
    if let Some(name) = &args.name {
        let session = open(&args.connection, None, ui).await?;
        let url = closing(session, async |session| address(session, name).await).await?;
        answer::write(ui, &Listing::Message(url));
        return Ok(Exit::Done);
    }
    let texts = texts.expect("internal error: --all reads the project");
    let session = open(&args.connection, Some(texts), ui).await?;
    let urls = closing(session, async |session| of_project(session, texts).await).await?;
    match args.output {
        UrlFormat::Json => ui.json(&urls),
        UrlFormat::Env => ui.text(&lines(&urls, |entity| variable(entity).to_uppercase())),
        UrlFormat::Github => ui.text(&lines(&urls, variable)),
    }
    Ok(Exit::Done)
}

fn lines(urls: &BTreeMap<String, String>, name: impl Fn(&str) -> String) -> String {
    urls.iter().map(|(entity, url)| format!("{}={url}\n", name(entity))).collect()
}

/// An entity's key as the name of a variable.
fn variable(entity: &str) -> String {
    let name: String = entity.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let digit = name.starts_with(|c: char| c.is_ascii_digit());
    format!("{}{name}_url", if digit { "_" } else { "" })
}

/// A repository's row in the account's listing.
pub(super) async fn row(
    session: &dyn Session,
    name: &RepositoryName,
    column: &str,
) -> Result<String, CommandError> {
    let PartialName { database, schema, name: own } = name.checked()?;
    let identity = session.identity();
    let sql = Sql::new("SHOW IMAGE REPOSITORIES LIKE").like_exactly(own.as_str());
    let schema = schema.as_ref().or(identity.schema.as_ref());
    let sql = match (database.as_ref().or(identity.database.as_ref()), schema) {
        (database, Some(schema)) => {
            let parts = PartialName { database: None, schema: database.cloned(), name: schema.clone() };
            sql.keyword("IN SCHEMA").partial_name(&parts)
        }
        _ => sql,
    };
    let rows = session.query(&sql, None).await.map_err(answer::failed)?;
    let found = rows.iter().find(|row| row.get("name").map(Ident::exact).as_ref() == Some(own));
    let value = found.and_then(|row| row.get(column)).map(ToOwned::to_owned);
    value.ok_or_else(|| {
        let message = format!("Image repository '{}' does not exist or not authorized.", name.full(session));
        let help = "it may be in another schema, or hidden from this role; those that are seen:\n\
                    snowform image-repository list --in-account";
        CommandError::new(Exit::Failed, "no-repository", message, help)
    })
}

async fn address(session: &dyn Session, name: &RepositoryName) -> Result<String, CommandError> {
    row(session, name, "repository_url").await
}

/// The addresses of the project's repositories by entity.
async fn of_project(session: &dyn Session, texts: &Texts) -> Result<BTreeMap<String, String>, CommandError> {
    let checked = check::check(&texts.files, &texts.inputs());
    let identity = session.identity();
    let defaults = NameDefaults { database: identity.database.clone(), schema: identity.schema.clone() };
    let (desired, completed) = check::complete(&checked.project, &defaults);
    let mut diagnostics = checked.diagnostics;
    diagnostics.extend(completed);
    if diagnostics.has_errors() {
        let message = "the definition has mistakes, so its repositories are not known";
        let error = CommandError::new(Exit::Failed, "invalid-definition", message, "");
        return Err(CommandError { diagnostics: diagnostics.sorted(), ..error });
    }
    let mut urls = BTreeMap::new();
    for (id, origin) in &desired.origins {
        let name: RepositoryName = match id.name.to_string().parse() {
            Ok(name) => name,
            Err(never) => match never {},
        };
        urls.insert(origin.entity.clone(), address(session, &name).await?);
    }
    Ok(urls)
}
