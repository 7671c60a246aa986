//! Which files hold connections, and everything that settings are made from.
//!
//! Source: snowflake-connector-python `sf_dirs.py` and `constants.py`; snowflake-cli `api/config.py` and
//! `api/cli_global_context.py` (`--config-file` replaces `config.toml` alone; the default `connections.toml`
//! still counts).

use super::{Key, SettingsError};
use crate::host;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// What the command line says about the connection. The command line fills it.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `-c`, `--connection`, `--environment`.
    pub connection: Option<String>,
    /// `-x`, `--temporary-connection`: use flags and variables, and no file.
    pub temporary_connection: bool,
    /// `--config-file`.
    pub config_file: Option<PathBuf>,
    /// `--account`, `--accountname`.
    pub account: Option<String>,
    /// `--user`, `--username`.
    pub user: Option<String>,
    /// `--password`.
    pub password: Option<SecretString>,
    /// `--authenticator`.
    pub authenticator: Option<String>,
    /// `--private-key-file`, `--private-key-path`.
    pub private_key_file: Option<String>,
    /// `--token`.
    pub token: Option<SecretString>,
    /// `--token-file-path`.
    pub token_file_path: Option<String>,
    /// `--mfa-passcode`.
    pub mfa_passcode: Option<SecretString>,
    /// `--host`.
    pub host: Option<String>,
    /// `--port`.
    pub port: Option<String>,
    /// `--protocol`.
    pub protocol: Option<String>,
    /// `--database`, `--dbname`.
    pub database: Option<String>,
    /// `--schema`, `--schemaname`.
    pub schema: Option<String>,
    /// `--role`, `--rolename`.
    pub role: Option<String>,
    /// `--warehouse`.
    pub warehouse: Option<String>,
    /// Every other flag that sets a key, by that key.
    pub others: Vec<(Key, SecretString)>,
}

/// Where the files of connections are, whether they exist or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// `config.toml`, or what `--config-file` names.
    pub config: PathBuf,
    /// `connections.toml`; where it exists, its connections replace all of `config`.
    pub connections: PathBuf,
    /// Whether `--config-file` was given: then permissions are warned about, not insisted on.
    pub is_custom: bool,
}

/// What a file of connections is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigRole {
    /// Sections `[connections.NAME]` and `default_connection_name`.
    Config,
    /// Sections `[NAME]`.
    Connections,
}

/// A file as it was read.
#[derive(Clone)]
pub struct ConfigText {
    /// Where it is.
    pub path: PathBuf,
    /// What it is for.
    pub role: ConfigRole,
    /// Its content; it may hold secrets.
    pub text: String,
    /// Its permission bits, where the system has them.
    pub mode: Option<u32>,
}

/// Everything that settings are made from.
#[derive(Clone)]
pub struct Sources {
    /// Where the files are.
    pub located: Located,
    /// Those that exist, in any order.
    pub files: Vec<ConfigText>,
    /// The environment; it may hold secrets.
    pub environment: BTreeMap<String, String>,
    /// The file of the token that a service in Snowpark Container Services is given, where there is one.
    pub service_token: Option<PathBuf>,
    /// The command line.
    pub flags: Flags,
}

/// Where a service finds its token (Snowflake documentation, "Connecting to Snowflake from inside a container").
const SERVICE_TOKEN: &str = "/snowflake/session/token";

impl fmt::Debug for ConfigText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, role, text: _, mode } = self;
        f.debug_struct("ConfigText")
            .field("path", path)
            .field("role", role)
            .field("mode", mode)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { located, files, environment: _, service_token, flags } = self;
        f.debug_struct("Sources")
            .field("located", located)
            .field("files", files)
            .field("service_token", service_token)
            .field("flags", flags)
            .finish_non_exhaustive()
    }
}

/// Says where the files of connections are. `exists` tells whether a directory is there.
pub fn locate(
    flags: &Flags,
    environment: &BTreeMap<String, String>,
    home: Option<&Path>,
    exists: impl Fn(&Path) -> bool,
) -> Located {
    let directory = directory(environment, home, exists);
    Located {
        config: flags.config_file.clone().unwrap_or_else(|| directory.join("config.toml")),
        connections: directory.join("connections.toml"),
        is_custom: flags.config_file.is_some(),
    }
}

/// `$SNOWFLAKE_HOME`, by default `~/.snowflake`, where that exists; else the system's place for settings.
fn directory(
    environment: &BTreeMap<String, String>,
    home: Option<&Path>,
    exists: impl Fn(&Path) -> bool,
) -> PathBuf {
    let wanted = environment.get("SNOWFLAKE_HOME").map_or("~/.snowflake", String::as_str);
    let wanted = expand_home(wanted, home);
    if exists(&wanted) { wanted } else { system_directory(environment, home) }
}

#[cfg(target_os = "macos")]
fn system_directory(_environment: &BTreeMap<String, String>, home: Option<&Path>) -> PathBuf {
    expand_home("~/Library/Application Support/snowflake", home)
}

#[cfg(windows)]
fn system_directory(environment: &BTreeMap<String, String>, home: Option<&Path>) -> PathBuf {
    match environment.get("LOCALAPPDATA") {
        Some(local) => Path::new(local).join("snowflake"),
        None => expand_home("~/AppData/Local/snowflake", home),
    }
}

#[cfg(not(any(target_os = "macos", windows)))]
fn system_directory(environment: &BTreeMap<String, String>, home: Option<&Path>) -> PathBuf {
    match environment.get("XDG_CONFIG_HOME").filter(|path| !path.trim().is_empty()) {
        Some(config) => Path::new(config).join("snowflake"),
        None => expand_home("~/.config/snowflake", home),
    }
}

/// A path with `~` at its beginning replaced by the home directory, where that is known.
pub(in crate::snowflake) fn expand_home(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix('~'), home) {
        (Some(""), Some(home)) => home.to_owned(),
        (Some(rest), Some(home)) if rest.starts_with(['/', '\\']) => home.join(&rest[1..]),
        _ => PathBuf::from(path),
    }
}

impl Sources {
    /// Reads environment and files. A file that is not there is no error, except one that was named.
    pub fn read(flags: Flags) -> Result<Self, SettingsError> {
        let environment = host::environment::variables();
        let home = host::environment::home();
        let located = locate(&flags, &environment, home.as_deref(), host::files::exists);
        let mut files = Vec::new();
        let wanted = [(&located.config, ConfigRole::Config), (&located.connections, ConfigRole::Connections)];
        for (path, role) in wanted {
            // A temporary connection uses no file, but `snow` insists on their permissions all the same.
            match host::files::read_to_string(path) {
                Ok(text) => {
                    files.push(ConfigText { path: path.clone(), role, text, mode: host::files::mode(path) });
                }
                Err(error) if is_absent(&error) && !(located.is_custom && role == ConfigRole::Config) => {}
                Err(source) => return Err(SettingsError::Unreadable { path: path.clone(), source }),
            }
        }
        let service_token = Some(PathBuf::from(SERVICE_TOKEN)).filter(|path| host::files::exists(path));
        Ok(Self { located, files, environment, service_token, flags })
    }

    pub(super) fn file(&self, role: ConfigRole) -> Option<&ConfigText> {
        self.files.iter().find(|file| file.role == role)
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_directory_is_snowflakes_where_it_exists_and_else_the_systems() {
        let home = Some(Path::new("/home/u"));
        let at = |pairs: &[(&str, &str)], exists: bool| {
            locate(&Flags::default(), &environment(pairs), home, |_| exists).config
        };
        assert_eq!(at(&[], true), Path::new("/home/u/.snowflake/config.toml"));
        assert_eq!(at(&[("SNOWFLAKE_HOME", "/s")], true), Path::new("/s/config.toml"));
        assert_eq!(at(&[("SNOWFLAKE_HOME", "~/s")], true), Path::new("/home/u/s/config.toml"));
        #[cfg(target_os = "linux")]
        {
            assert_eq!(
                at(&[("SNOWFLAKE_HOME", "/s")], false),
                Path::new("/home/u/.config/snowflake/config.toml")
            );
            assert_eq!(at(&[("XDG_CONFIG_HOME", "/x")], false), Path::new("/x/snowflake/config.toml"));
        }
    }

    #[test]
    fn a_named_file_replaces_config_toml_alone() {
        let flags = Flags { config_file: Some(PathBuf::from("my.toml")), ..Flags::default() };
        let located = locate(&flags, &environment(&[]), Some(Path::new("/home/u")), |_| true);
        assert_eq!(located.config, Path::new("my.toml"));
        assert_eq!(located.connections, Path::new("/home/u/.snowflake/connections.toml"));
        assert!(located.is_custom);
    }
}
