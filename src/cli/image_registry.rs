//! `snowform image-registry …`: tokens and sign-ins for the account's image registry.

use super::answer;
use super::connect::{self, ConnectionArgs, Remote};
use super::credential_helper::{self, HelperArgs};
use super::error::{CommandError, Exit};
use super::image_repository::{closing, open};
use super::registry_access::{self, HostArgs};
use super::ui::{Ui, machine_aside};
use crate::host::{environment, process};
use crate::registry::{AuthFile, Client, SESSION_TOKEN_USER, Scheme, TokenCache, auth_files};
use crate::view::listing::{Cell, Listing};
use clap::{Args, Subcommand, ValueEnum};
use secrecy::{ExposeSecret as _, SecretString};

/// Sign in to the account's image registry, as `snow spcs image-registry` does, and without docker
#[derive(Args, Debug)]
pub(super) struct ImageRegistryCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print a token for the registry; whoever has it has your rights for its time
    Token(ConnectionArgs),
    /// Print the registry's host
    Url {
        #[command(flatten)]
        host: HostArgs,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Sign in docker, podman, skopeo and buildah
    ///
    /// Without --program the sign-in is written where they all look for it, so none of them has to be installed. Said
    /// to have succeeded is what the registry itself has accepted.
    Login {
        #[command(flatten)]
        host: HostArgs,
        /// Let this program sign itself in
        #[arg(long, value_enum)]
        program: Option<Program>,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Sign out: remove what login wrote
    Logout {
        #[command(flatten)]
        host: HostArgs,
        /// Let this program sign itself out
        #[arg(long, value_enum)]
        program: Option<Program>,
        #[command(flatten)]
        connection: ConnectionArgs,
    },
    /// Let docker, podman, skopeo and buildah fetch tokens by themselves, whenever they need one
    InstallHelper(HelperArgs),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Program {
    Docker,
    Podman,
    Skopeo,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Skopeo => "skopeo",
        }
    }

    /// The option without which it would not talk in the clear; docker does that on this machine by itself.
    fn plain(self, scheme: Scheme) -> Option<&'static str> {
        (scheme == Scheme::Http && self != Self::Docker).then_some("--tls-verify=false")
    }

    /// Runs it; what it said where it succeeded.
    fn run(self, arguments: &[&str], input: &SecretString) -> Result<String, CommandError> {
        let name = self.name();
        let ran = process::run(name, arguments, input.expose_secret()).map_err(|error| {
            let first = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
            let help = "no program is needed to sign in:\nsnowform image-registry login";
            let message = match error.kind() {
                std::io::ErrorKind::NotFound => format!("{first} is not installed."),
                _ => format!("{name} cannot be run: {error}"),
            };
            CommandError::new(Exit::Failed, "no-program", message, help)
        })?;
        if ran.code == Some(0) {
            return Ok(ran.stdout);
        }
        let verb = if arguments[0] == "login" { "Login" } else { "Logout" };
        let said = ran.stderr.replace(input.expose_secret(), "****");
        let help = "the registry itself accepts this sign-in, so the reason is the program's";
        Err(CommandError::new(Exit::Failed, "program", format!("{verb} Failed: {}", said.trim()), help))
    }
}

pub(super) async fn run(command: &ImageRegistryCommand, ui: &Ui) -> Result<Exit, CommandError> {
    let listing = match &command.action {
        Action::Token(connection) => {
            let Remote { session, .. } = connect::open_remote(connection, ui).await?;
            let token = registry_access::token(&session).await?;
            if environment::variables().get("GITHUB_ACTIONS").is_some_and(|value| value == "true") {
                // From now on GitHub shows stars in the job's log, wherever the token is printed.
                machine_aside(&format!("::add-mask::{}\n", token.expose()));
            }
            let seconds = i64::try_from(token.seconds()).unwrap_or(i64::MAX);
            Listing::One(vec![
                ("token".to_owned(), Cell::Text(token.expose().to_owned())),
                ("expires_in".to_owned(), Cell::Integer(seconds)),
            ])
        }
        Action::Url { host, connection } => {
            let session = open(connection, None, ui).await?;
            let host = *host;
            let found = closing(session, async |session| registry_access::host(session, host).await).await?;
            if found.is_empty() {
                ui.remark("the account has no private link to its registry");
            }
            Listing::Message(found)
        }
        Action::Login { host, program, connection } => {
            Listing::Message(login(connection, *host, *program, ui).await?)
        }
        Action::Logout { host, program, connection } => {
            Listing::Message(logout(connection, *host, *program, ui).await?)
        }
        Action::InstallHelper(args) => return credential_helper::install(args, ui).await,
    };
    answer::write(ui, &listing);
    Ok(Exit::Done)
}

async fn login(
    connection: &ConnectionArgs,
    host: HostArgs,
    program: Option<Program>,
    ui: &Ui,
) -> Result<String, CommandError> {
    let Remote { session, settings } = connect::open_remote(connection, ui).await?;
    let host = non_empty(registry_access::host(&session, host).await?)?;
    let scheme = registry_access::scheme(&settings);
    let client = Client::new(scheme, &host)?;
    let token = registry_access::token(&session).await?;
    registry_access::verify(&client, &token).await?;
    let password = token.password();
    if let Some(program) = program {
        let arguments = ["login", "--username", SESSION_TOKEN_USER, "--password-stdin"];
        let arguments: Vec<&str> =
            arguments.into_iter().chain(program.plain(scheme)).chain([host.as_str()]).collect();
        return Ok(program.run(&arguments, &password)?.trim().to_owned());
    }
    for mut file in files()? {
        if let Some(helper) = file.helper(&host) {
            ui.remark(&format!(
                "warning: {} names the credential helper {helper}, which is asked for {host} instead of the file",
                file.path().display()
            ));
        }
        file.set(&host, SESSION_TOKEN_USER, &password);
        file.write()?;
        ui.remark(&format!("signed in to {host} in {}", file.path().display()));
    }
    Ok("Login Succeeded".to_owned())
}

async fn logout(
    connection: &ConnectionArgs,
    host: HostArgs,
    program: Option<Program>,
    ui: &Ui,
) -> Result<String, CommandError> {
    let session = open(connection, None, ui).await?;
    let host =
        non_empty(closing(session, async |session| registry_access::host(session, host).await).await?)?;
    TokenCache::new(credential_helper::cache_file()?).forget(&host)?;
    if let Some(program) = program {
        return Ok(program.run(&["logout", &host], &SecretString::default())?.trim().to_owned());
    }
    let mut removed = false;
    for mut file in files()? {
        if file.remove(&host) {
            file.write()?;
            removed = true;
        }
    }
    let words = if removed { "Removing login credentials for" } else { "Not logged in to" };
    Ok(format!("{words} {host}"))
}

/// The files of credentials, read.
pub(super) fn files() -> Result<Vec<AuthFile>, CommandError> {
    let home = environment::home().unwrap_or_default();
    let paths = auth_files(&environment::variables(), &home);
    Ok(paths.into_iter().map(AuthFile::read).collect::<Result<_, _>>()?)
}

/// The host, where there is one.
pub(super) fn non_empty(host: String) -> Result<String, CommandError> {
    if host.is_empty() {
        let message = "the account has no private link to its registry";
        let help =
            "leave --private-link out, or ask the account's administrator for\nSYSTEM$GET_PRIVATELINK_CONFIG";
        return Err(CommandError::new(Exit::Failed, "no-private-link", message, help));
    }
    Ok(host)
}
