//! The way to a registry: which host, which token, and what it says to that.

use super::answer;
use super::connect::{self, ConnectionArgs, Remote};
use super::error::{CommandError, Exit};
use super::image_repository::RepositoryName;
use super::repository_urls;
use super::ui::Ui;
use crate::host::environment;
use crate::object::statement::Sql;
use crate::registry::{Client, RegistryError, Scheme, SessionToken};
use crate::session::Session;
use crate::snowflake::client::SnowflakeSession;
use crate::snowflake::settings::{Protocol, Settings};
use secrecy::SecretString;
use std::path::PathBuf;

/// Which of the account's registry hosts.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(super) struct HostArgs {
    /// The host behind the private link
    #[arg(long)]
    pub(super) private_link: bool,
}

/// How the registry of an account is spoken to: as the account itself.
pub(super) fn scheme(settings: &Settings) -> Scheme {
    match settings.endpoint().protocol() {
        Protocol::Http => Scheme::Http,
        Protocol::Https => Scheme::Https,
    }
}

/// The registry's host, from the first repository that the role may see; empty where there is no private link.
pub(super) async fn host(session: &dyn Session, args: HostArgs) -> Result<String, CommandError> {
    // Everybody may see Snowflake's own images, and asking for them is quick.
    let statements =
        ["SHOW IMAGE REPOSITORIES IN SCHEMA SNOWFLAKE.IMAGES", "SHOW IMAGE REPOSITORIES IN ACCOUNT"];
    let column = if args.private_link { "privatelink_repository_url" } else { "repository_url" };
    for statement in statements {
        let rows = session.query(&Sql::new(statement), None).await.map_err(answer::failed)?;
        if let Some(row) = rows.iter().next() {
            return Ok(host_of(row.get(column).unwrap_or_default()).to_owned());
        }
    }
    let message = "No image repository found. To run this command, please switch to a role with read access to at \
                   least one image repository or create a new image repository first.";
    let help = "snowform image-repository create NAME";
    Err(CommandError::new(Exit::Failed, "no-repository", message, help))
}

/// The host of a repository's address, which has no scheme.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("//").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

/// A fresh token of the session, for the registry.
pub(super) async fn token(session: &SnowflakeSession) -> Result<SessionToken, CommandError> {
    let issued = session.issue_token().await?;
    Ok(SessionToken::new(issued.token, issued.valid_for))
}

/// Signs in and makes one request that needs it, because no client's "Login Succeeded" says that a push will work.
pub(super) async fn verify(client: &Client, token: &SessionToken) -> Result<SecretString, RegistryError> {
    let bearer = client.sign_in(&token.password()).await?;
    client.check(&bearer).await?;
    Ok(bearer)
}

/// The tags of an image, as the registry has them.
pub(super) async fn tags(
    connection: &ConnectionArgs,
    repository: &RepositoryName,
    image: &str,
    ui: &Ui,
) -> Result<Vec<String>, CommandError> {
    repository.checked()?;
    let Remote { session, settings } = connect::open_remote(connection, ui).await?;
    let url = repository_urls::row(&session, repository, "repository_url").await?;
    let token = token(&session).await?;
    let (host, path) = url.split_once('/').unwrap_or((&url, ""));
    let path = plain(path);
    let client = Client::new(scheme(&settings), host)?;
    let bearer = client.sign_in(&token.password()).await?;
    let image = plain(image);
    let name = format!("{path}/{}", own_name(&image, &path)).replace('$', "%24");
    Ok(client.tags(&bearer, &name).await?)
}

/// A path with `$` as itself: it may be the sign of an address (`%24`) or of a name.
fn plain(path: &str) -> String {
    path.replace("%24", "$")
}

/// An image's name in its repository: without the repository's path in front, in any case, with or without a slash.
fn own_name<'a>(image: &'a str, path: &str) -> &'a str {
    let image = image.trim_start_matches('/');
    match image.get(..path.len()) {
        Some(front) if front.eq_ignore_ascii_case(path) => image[path.len()..].trim_start_matches('/'),
        _ => image,
    }
}

/// A file of this program below the user's directory for such files: `variable`, else `otherwise` in the home.
pub(super) fn own_file(variable: &str, otherwise: &str, name: &str) -> Result<PathBuf, CommandError> {
    let given = environment::variables().remove(variable).filter(|text| !text.is_empty()).map(PathBuf::from);
    let directory = given.or_else(|| environment::home().map(|home| home.join(otherwise)));
    let directory = directory.ok_or_else(|| {
        let help = format!("set HOME or {variable}");
        CommandError::new(Exit::Failed, "no-home", "there is no home directory", help)
    })?;
    Ok(directory.join("snowform").join(name))
}

impl From<RegistryError> for CommandError {
    fn from(error: RegistryError) -> Self {
        let (exit, code) = match &error {
            RegistryError::Refused { .. } | RegistryError::Failed { status: 403, .. } => {
                (Exit::Unauthorised, "registry-refused")
            }
            RegistryError::Unreachable { .. } => (Exit::Failed, "registry-unreachable"),
            RegistryError::Host { .. } => (Exit::Failed, "registry-host"),
            RegistryError::Failed { .. } => (Exit::Failed, "registry"),
            RegistryError::File { .. } => (Exit::Failed, "credentials-file"),
        };
        Self::new(exit, code, error.to_string(), error.help())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_as_list_images_shows_it_or_by_its_own_name() {
        for image in ["local/public/r/team/app", "/LOCAL/Public/r/team/app", "team/app"] {
            assert_eq!(own_name(image, "local/public/r"), "team/app", "{image}");
        }
        assert_eq!(host_of("h:1/a/b"), "h:1");
        assert_eq!((host_of("https://h/a"), host_of("")), ("h", ""));
    }
}
