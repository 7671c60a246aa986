//! The credential helper: what docker, podman and skopeo call, and `image-registry install-helper`, which tells them to.

use super::connect::{self, ConnectionArgs, Remote};
use super::error::{CommandError, Exit};
use super::image_registry::{files, non_empty};
use super::registry_access::{self, HostArgs};
use super::ui::{Format, Ui};
use crate::host::{self, environment, process};
use crate::registry::helper::{self, NAME, NO_SERVER, NOT_FOUND, PROGRAM};
use crate::registry::{Client, KnownHost, KnownHosts, RegistryError, Scheme, SessionToken, TokenCache};
use crate::snowflake::settings::{Key, Settings};
use clap::Args;
use secrecy::ExposeSecret as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most that a client sends, in bytes.
const MAX_INPUT: u64 = 1024 * 1024;

#[derive(Args, Debug)]
pub(super) struct HelperArgs {
    #[command(flatten)]
    host: HostArgs,
    /// Undo it: the files name again what they named before
    #[arg(long)]
    uninstall: bool,
    /// Directory for docker-credential-snowform, which must be in the path [default: the one of this program]
    #[arg(long, value_name = "DIR")]
    bin_dir: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Where tokens are kept between two calls.
pub(super) fn cache_file() -> Result<PathBuf, CommandError> {
    registry_access::own_file("XDG_CACHE_HOME", ".cache", "registry-tokens.json")
}

fn known_hosts() -> Result<KnownHosts, CommandError> {
    Ok(KnownHosts::read(registry_access::own_file("XDG_CONFIG_HOME", ".config", "registries.json")?)?)
}

/// Installs the helper for the connection's registry, or takes it away again.
pub(super) async fn install(args: &HelperArgs, ui: &Ui) -> Result<Exit, CommandError> {
    if args.connection.temporary_connection {
        let message = "the helper signs in later, without the flags of today";
        let help = "put the connection into config.toml and name it with -c";
        return Err(CommandError::new(Exit::Usage, "temporary-connection", message, help));
    }
    let mut known = known_hosts()?;
    let Remote { session, settings } = connect::open_remote(&args.connection, ui).await?;
    let host = non_empty(registry_access::host(&session, args.host).await?)?;
    crate::session::Session::close(&session).await;
    let scheme = registry_access::scheme(&settings);
    Client::new(scheme, &host)?;
    if args.uninstall {
        uninstall(&host, &mut known, ui)?;
        return Ok(Exit::Done);
    }
    let link = place_link(args.bin_dir.as_deref(), ui)?;
    let config_file = args.connection.config_file.as_deref();
    let config_file = config_file.map(|path| host::files::resolved(path).unwrap_or_else(|_| path.to_owned()));
    let before = known.get(&host).map(|known| known.before.clone()).unwrap_or_default();
    // The default may be another one by the time that a token is needed.
    let connection = settings.connection().map(ToOwned::to_owned);
    let mut entry =
        KnownHost { connection, config_file, plain: scheme == Scheme::Http, before, link: Some(link) };
    for mut file in files()? {
        let own = file.own_helper(&host).map(ToOwned::to_owned);
        // What an earlier installation entered is not what was there before.
        entry.before.entry(file.path().to_owned()).or_insert(own.filter(|own| own != NAME));
        file.set_helper(&host, Some(NAME));
        file.write()?;
        ui.remark(&format!("{} asks {PROGRAM} for {host}", file.path().display()));
    }
    known.insert(&host, entry);
    known.write()?;
    Ok(Exit::Done)
}

fn uninstall(host: &str, known: &mut KnownHosts, ui: &Ui) -> Result<(), CommandError> {
    let entry = known.remove(host).unwrap_or_default();
    for mut file in files()? {
        if file.own_helper(host) == Some(NAME) {
            let before = entry.before.get(file.path()).cloned().flatten();
            file.set_helper(host, before.as_deref());
            file.write()?;
            ui.remark(&format!("{} does not ask {PROGRAM} for {host} any more", file.path().display()));
        }
    }
    known.write()?;
    TokenCache::new(cache_file()?).forget(host)?;
    if let Some(link) = entry.link.filter(|_| known.hosts().next().is_none()) {
        host::files::remove_file(&link).map_err(|error| unusable(&link, &error))?;
    }
    Ok(())
}

/// Gives the program its second name, by which clients call it.
fn place_link(directory: Option<&Path>, ui: &Ui) -> Result<PathBuf, CommandError> {
    let program = environment::program().and_then(|program| host::files::resolved(&program));
    let program = program.map_err(|error| unusable(Path::new("snowform"), &error))?;
    let own = program.parent().unwrap_or(Path::new("."));
    let directory = directory.unwrap_or(own);
    let directory = host::files::resolved(directory).map_err(|error| unusable(directory, &error))?;
    let link = directory.join(PROGRAM);
    host::files::link(&program, &link).map_err(|error| unusable(&link, &error))?;
    if !environment::program_directories().contains(&directory) {
        ui.remark(&format!(
            "warning: {} is not in the path, so clients will not find {PROGRAM}; choose another with --bin-dir",
            directory.display()
        ));
    }
    Ok(link)
}

fn unusable(path: &Path, error: &std::io::Error) -> CommandError {
    let help = "choose a directory that is yours with --bin-dir";
    CommandError::new(Exit::Failed, "no-link", format!("{} cannot be used: {error}", path.display()), help)
}

/// The program under its second name. What went wrong is said on standard error, which people see, and in a line on
/// standard output, which clients quote.
pub(super) async fn serve(action: Option<&str>) -> Exit {
    let ui = Ui { format: Format::Text, silent: true, no_color: true, secrets: Arc::default() };
    let answered = match action {
        Some("get") => get(&ui).await,
        // There is nothing to keep; docker calls this after each login and stops where it fails.
        Some("store") => Ok(String::new()),
        Some("erase") => erase(),
        Some("list") => known_hosts().map(|known| helper::list(known.hosts())),
        Some("version") => Ok(concat!("docker-credential-snowform ", env!("CARGO_PKG_VERSION")).to_owned()),
        _ => Err(refusal("a client calls this with get, store, erase or list")),
    };
    match answered {
        Ok(text) if text.is_empty() => Exit::Done,
        Ok(text) => {
            ui.text(&format!("{text}\n"));
            Exit::Done
        }
        Err(error) => {
            if error.message != NOT_FOUND {
                ui.error(&error, &crate::source::files::Files::default());
            }
            ui.text(&format!("{}\n", error.message.lines().collect::<Vec<_>>().join(" ")));
            Exit::Failed
        }
    }
}

fn refusal(message: &str) -> CommandError {
    CommandError::new(Exit::Failed, "credential-helper", message, "")
}

fn asked_host() -> Result<(String, String), CommandError> {
    let input = process::input(MAX_INPUT).map_err(|error| refusal(&error.to_string()))?;
    let host = helper::host(&input).ok_or_else(|| refusal(NO_SERVER))?.to_owned();
    Ok((input, host))
}

fn erase() -> Result<String, CommandError> {
    let (_, host) = asked_host()?;
    TokenCache::new(cache_file()?).forget(&host)?;
    Ok(String::new())
}

async fn get(ui: &Ui) -> Result<String, CommandError> {
    let (input, host) = asked_host()?;
    let known = known_hosts()?;
    let known = known.get(&host).ok_or_else(|| refusal(NOT_FOUND))?;
    let token = current_token(&host, known, ui).await?;
    Ok(helper::credentials(&input, &token).expose_secret().to_owned())
}

/// A kept token that the registry still takes, else a new one. Clients ask for many at once, one for each layer: one of
/// these processes signs in, and the others wait for what it is given.
async fn current_token(host: &str, known: &KnownHost, ui: &Ui) -> Result<SessionToken, CommandError> {
    let KnownHost { connection, config_file, plain, before: _, link: _ } = known;
    let (connection, config_file) = (connection.clone(), config_file.clone());
    let args = ConnectionArgs { connection, config_file, ..ConnectionArgs::default() };
    let settings = connect::settings_of(&args, ui)?;
    let cache = TokenCache::new(cache_file()?);
    let key = key(host, &args, &settings);
    let client = Client::new(if *plain { Scheme::Http } else { Scheme::Https }, host)?;
    let refused = match good_token(&cache, &key, &client).await {
        Kept::Good(token) => return Ok(token),
        Kept::Refused(token) => Some(token),
        Kept::Nothing => None,
    };
    let _turn = cache.turn(&key).await?;
    // Whoever had the turn before may have left a token, which is another one than was refused.
    if let Some(token) = cache.get(&key)
        && refused.is_none_or(|refused| refused.expose() != token.expose())
    {
        return Ok(token);
    }
    let Remote { session, .. } = connect::open_remote(&args, ui).await?;
    let token = registry_access::token(&session).await?;
    cache.put(&key, &token)?;
    Ok(token)
}

/// What is kept for a key.
enum Kept {
    Good(SessionToken),
    /// The session may have ended, or the grants may have changed since.
    Refused(SessionToken),
    Nothing,
}

async fn good_token(cache: &TokenCache, key: &str, client: &Client) -> Kept {
    let Some(token) = cache.get(key) else { return Kept::Nothing };
    match client.sign_in(&token.password()).await {
        Err(RegistryError::Refused { .. }) => Kept::Refused(token),
        // Whatever else is wrong, the client will meet it too, and say it better.
        _ => Kept::Good(token),
    }
}

/// What a token counts for.
fn key(host: &str, args: &ConnectionArgs, settings: &Settings) -> String {
    let text = |key| settings.text(key).map(|text| text.into_owned()).unwrap_or_default();
    let connection = args.connection.clone().unwrap_or_default();
    let account = settings.account_name().to_owned();
    let parts = [text(Key::User), text(Key::Role), text(Key::Authenticator)];
    [vec![host.to_owned(), connection, account], parts.to_vec()].concat().join("\n")
}
