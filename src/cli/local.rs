//! `snowform local serve|status|reset`: the embedded account.

use super::connect::LOCAL_DIRECTORY;
use super::error::{CommandError, Exit};
use super::project::ProjectArgs;
use super::ui::Ui;
use crate::local::server::{self, ServerConfig};
use crate::local::{self, Account, Summary};
use crate::view::counted;
use clap::{Args, Subcommand};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// The embedded local account: a Snowflake account in the box
#[derive(Args, Debug)]
pub(super) struct LocalCommand {
    #[command(subcommand)]
    action: LocalAction,
}

#[derive(Debug, Subcommand)]
enum LocalAction {
    /// Serve the account, and its image registry, to any Snowflake or OCI client on this machine
    ///
    /// Listens on 127.0.0.1 only. Writes config.toml with a connection `local` into the account's directory, for
    /// snowform, snow and the drivers; the password in it is random and printed nowhere.
    Serve {
        /// Port to listen on; 0 takes a free one
        #[arg(long, default_value_t = 8980)]
        port: u16,
        /// Let images be deleted over the registry's protocol, which Snowflake's registry does not
        #[arg(long)]
        registry_deletes: bool,
        /// How long a registry's token is good; for tests of what happens when it is over
        #[arg(long, hide = true, value_name = "SECONDS", default_value_t = 3600)]
        registry_token_seconds: u64,
        #[command(flatten)]
        place: Place,
    },
    /// Say where the account is and what it holds
    Status {
        #[command(flatten)]
        place: Place,
    },
    /// Remove the account, with everything in it
    Reset {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Args, Debug)]
struct Place {
    /// Directory of the account [default: .snowform in the project]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    project: ProjectArgs,
}

impl Place {
    fn directory(&self) -> PathBuf {
        let project = self.project.project.clone().unwrap_or_default();
        self.dir.clone().unwrap_or_else(|| project.join(LOCAL_DIRECTORY))
    }
}

pub(super) async fn run(command: &LocalCommand, ui: &Ui) -> Result<Exit, CommandError> {
    match &command.action {
        LocalAction::Serve { port, registry_deletes, registry_token_seconds, place } => {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
            let (registry_deletes, registry_seconds) = (*registry_deletes, *registry_token_seconds);
            let config =
                ServerConfig { address, registry_deletes, registry_seconds, ..ServerConfig::default() };
            serve(config, &place.directory(), ui).await
        }
        LocalAction::Status { place } => status(&place.directory(), ui),
        LocalAction::Reset { place } => {
            Account::reset(&place.directory())?;
            ui.remark("The local account is removed; the next use begins with a new one.");
            Ok(Exit::Done)
        }
    }
}

async fn serve(config: ServerConfig, directory: &Path, ui: &Ui) -> Result<Exit, CommandError> {
    let account = Account::open(directory)?;
    let address = config.address;
    let handle = server::serve(account.clone(), config).await.map_err(|error| {
        let help = "another program listens there; choose another port, or let the system choose:\nsnowform local serve --port 0";
        CommandError::new(Exit::Failed, "cannot-listen", format!("cannot listen on {address}: {error}"), help)
    })?;
    let written = local::write_connection_file(&account, directory, handle.address())?;
    ui.text(&format!("listening on http://{}\n", handle.address()));
    let file = written.display();
    ui.remark(&format!("connect with: snow --config-file {file} connection test\n          or: snowform plan --config-file {file}"));
    let stopped = tokio::signal::ctrl_c().await;
    handle.shutdown();
    handle.stopped().await;
    Ok(if stopped.is_ok() { Exit::Done } else { Exit::Failed })
}

fn status(directory: &Path, ui: &Ui) -> Result<Exit, CommandError> {
    let summary = Account::open(directory)?.summary()?;
    let Summary { databases, schemas, image_repositories, images, roles, users } = summary;
    let counts = [
        ("database", databases),
        ("schema", schemas),
        ("image repository", image_repositories),
        ("image", images),
        ("role", roles),
        ("user", users),
    ];
    let place = directory.display().to_string();
    let text = || {
        let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let line = |(what, count): &(&str, u64)| format!("  {}\n", counted(number(*count), what));
        format!("{place}\n{}", counts.iter().map(line).collect::<String>())
    };
    let document = || {
        let holds: BTreeMap<String, u64> =
            counts.iter().map(|(what, count)| (what.replace(' ', "_"), *count)).collect();
        serde_json::json!({ "directory": place, "holds": holds })
    };
    ui.data(text, document);
    Ok(Exit::Done)
}
