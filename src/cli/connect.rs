//! The way to an account: which one the options mean, and a session with it. The one place that knows both adapters.

use super::error::{CommandError, Exit};
use super::sign_in::{AtTerminal, SignInArgs};
use super::ui::Ui;
use crate::codehost::machine;
use crate::local::session::{LocalSession, Options};
use crate::local::{Account, LocalError};
use crate::object::name::Ident;
use crate::session::Session;
use crate::snowflake::auth::desk::{Desk, Person};
use crate::snowflake::client::{self, ClientOptions, SnowflakeSession};
use crate::snowflake::settings::{self, Flags, Settings, SettingsError, Sources};
use clap::Args;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the embedded account of a project stands.
pub(super) const LOCAL_DIRECTORY: &str = ".snowform";

/// Which account, and as whom. Names, files and precedence are snow's.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub(super) struct ConnectionArgs {
    /// Use the embedded local account in .snowform/ of the project, instead of any connection
    #[arg(long, conflicts_with_all = ["connection", "temporary_connection", "account", "host", "config_file"])]
    pub(super) local: bool,
    /// Name of the connection in config.toml or connections.toml
    #[arg(short, long, visible_alias = "environment", value_name = "NAME")]
    pub(super) connection: Option<String>,
    /// Use flags and environment variables only, no connection file
    #[arg(short = 'x', long)]
    pub(super) temporary_connection: bool,
    /// File of connections, in place of the default config.toml
    #[arg(long, value_name = "FILE")]
    pub(super) config_file: Option<PathBuf>,
    /// Account identifier, ORGANISATION-ACCOUNT
    #[arg(long, visible_alias = "accountname")]
    pub(super) account: Option<String>,
    /// User name
    #[arg(long, visible_alias = "username")]
    pub(super) user: Option<String>,
    /// Password; better in a connection file or in SNOWFLAKE_PASSWORD, since other users see command lines
    #[arg(long)]
    pub(super) password: Option<SecretText>,
    /// How to sign in: snowflake, username_password_mfa, snowflake_jwt, programmatic_access_token, oauth,
    /// externalbrowser, oauth_authorization_code, oauth_client_credentials, workload_identity, or the address of an
    /// Okta organisation
    #[arg(long)]
    pub(super) authenticator: Option<String>,
    /// Private key (PKCS#8 PEM) for snowflake_jwt
    #[arg(long, visible_alias = "private-key-path", value_name = "FILE")]
    pub(super) private_key_file: Option<String>,
    /// OAuth or programmatic access token
    #[arg(long)]
    pub(super) token: Option<SecretText>,
    /// File that holds the token
    #[arg(long, value_name = "FILE")]
    pub(super) token_file_path: Option<String>,
    /// One-time code of the authenticator app
    #[arg(long, value_name = "CODE")]
    pub(super) mfa_passcode: Option<SecretText>,
    /// Host of the account, where it is not derived from the account identifier
    #[arg(long)]
    pub(super) host: Option<String>,
    /// Port [default: 443]
    #[arg(long)]
    pub(super) port: Option<String>,
    /// https or http [default: https]
    #[arg(long)]
    pub(super) protocol: Option<String>,
    /// Database that completes names
    #[arg(long, visible_alias = "dbname")]
    pub(super) database: Option<String>,
    /// Schema that completes names
    #[arg(long, visible_alias = "schemaname")]
    pub(super) schema: Option<String>,
    /// Role to act as
    #[arg(long, visible_alias = "rolename")]
    pub(super) role: Option<String>,
    /// Warehouse of the session; no statement of snowform needs one
    #[arg(long)]
    pub(super) warehouse: Option<String>,
    #[command(flatten)]
    pub(super) sign_in: SignInArgs,
}

/// A secret on the command line; `Debug` does not show it.
#[derive(Clone, Debug)]
pub(super) struct SecretText(SecretString);

impl SecretText {
    pub(super) fn secret(&self) -> SecretString {
        self.0.clone()
    }
}

impl std::str::FromStr for SecretText {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(SecretString::from(text)))
    }
}

impl ConnectionArgs {
    /// The same, in the words of the settings.
    pub(super) fn flags(&self) -> Flags {
        let secret = |text: &Option<SecretText>| text.as_ref().map(SecretText::secret);
        Flags {
            connection: self.connection.clone(),
            temporary_connection: self.temporary_connection,
            config_file: self.config_file.clone(),
            account: self.account.clone(),
            user: self.user.clone(),
            password: secret(&self.password),
            authenticator: self.authenticator.clone(),
            private_key_file: self.private_key_file.clone(),
            token: secret(&self.token),
            token_file_path: self.token_file_path.clone(),
            mfa_passcode: secret(&self.mfa_passcode),
            host: self.host.clone(),
            port: self.port.clone(),
            protocol: self.protocol.clone(),
            database: self.database.clone(),
            schema: self.schema.clone(),
            role: self.role.clone(),
            warehouse: self.warehouse.clone(),
            others: self.sign_in.flags(),
        }
    }
}

/// Opens a session. `project`: the directory whose embedded account `--local` means.
pub(super) async fn open(
    args: &ConnectionArgs,
    project: &Path,
    ui: &Ui,
) -> Result<Box<dyn Session>, CommandError> {
    if args.local {
        return open_local(args, project);
    }
    let settings = settings_of(args, ui)?;
    let desk = Desk::of(&settings, person(ui));
    Ok(Box::new(client::connect_at(&settings, ClientOptions::default(), desk).await?))
}

/// Opens a session that is sure to have been signed in for just now, and that is not kept.
pub(super) async fn open_anew(
    args: &ConnectionArgs,
    project: &Path,
    ui: &Ui,
) -> Result<Box<dyn Session>, CommandError> {
    if args.local {
        return open_local(args, project);
    }
    Ok(Box::new(open_remote(args, ui).await?.session))
}

fn person(ui: &Ui) -> Arc<dyn Person> {
    Arc::new(AtTerminal(ui.clone()))
}

/// A session with an account that has a registry, and the settings that led to it.
pub(super) struct Remote {
    pub(super) session: SnowflakeSession,
    pub(super) settings: Settings,
}

/// Opens a session over the network: the embedded account has a registry only where it is served. No session of an
/// earlier command is used: a registry's token dies with the session that it was issued for, so nobody else may end it.
pub(super) async fn open_remote(args: &ConnectionArgs, ui: &Ui) -> Result<Remote, CommandError> {
    let settings = settings_of(args, ui)?;
    let desk = Desk::of(&settings, person(ui)).without_sessions();
    let session = client::connect_at(&settings, ClientOptions::default(), desk).await?;
    Ok(Remote { session, settings })
}

/// What the options mean, before anything is sent.
pub(super) fn settings_of(args: &ConnectionArgs, ui: &Ui) -> Result<Settings, CommandError> {
    if args.local {
        let message = "the embedded account has an image registry only while it is served";
        let help = "serve it, and use the connection file that is named then:\nsnowform local serve";
        return Err(CommandError::new(Exit::Usage, "no-registry", message, help));
    }
    let mut sources = Sources::read(args.flags())?;
    if let Some(tag) = build_tag(&sources.environment) {
        // The weakest of all: a connection's own tag stays.
        sources.environment.entry("SNOWFLAKE_QUERY_TAG".to_owned()).or_insert(tag);
    }
    let settings = settings::resolve(&sources)?;
    for warning in settings.warnings() {
        ui.remark(&format!("warning: {warning}"));
    }
    Ok(settings)
}

/// What a build machine's statements are tagged with, so that the account's history names the commit and the run.
fn build_tag(variables: &BTreeMap<String, String>) -> Option<String> {
    let build = machine::build(machine::detect(variables)?, variables, None);
    let plain = |text: String| text.chars().filter(char::is_ascii_alphanumeric).take(40).collect::<String>();
    let commit = build.commit.map(|commit| format!(" commit={}", plain(commit))).unwrap_or_default();
    let run = build.run.map(|(run, attempt)| format!(" run={run}.{attempt}")).unwrap_or_default();
    Some(format!("snowform/{}{commit}{run}", env!("CARGO_PKG_VERSION")))
}

fn open_local(args: &ConnectionArgs, project: &Path) -> Result<Box<dyn Session>, CommandError> {
    let account = Account::open(&project.join(LOCAL_DIRECTORY))?;
    let part = |flag: &str, text: &Option<String>| {
        let parse = |text: &String| {
            Ident::parse(text).map_err(|error| {
                let message = format!("{flag} {text}: {error}");
                CommandError::new(Exit::Usage, "invalid-name", message, "give a name as SQL spells it")
            })
        };
        text.as_ref().map(parse).transpose()
    };
    let options = Options {
        role: part("--role", &args.role)?,
        database: part("--database", &args.database)?,
        schema: part("--schema", &args.schema)?,
    };
    Ok(Box::new(LocalSession::new(account, options)?))
}

impl From<SettingsError> for CommandError {
    fn from(error: SettingsError) -> Self {
        Self::new(Exit::Failed, "connection", error.to_string(), error.help())
    }
}

impl From<LocalError> for CommandError {
    fn from(error: LocalError) -> Self {
        Self::new(Exit::Failed, "local-account", error.to_string(), error.help())
    }
}
