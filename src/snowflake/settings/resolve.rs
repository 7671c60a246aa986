//! From sources to settings: who wins over whom.
//!
//! Source: snowflake-cli `_app/snow_connector.py` (`resolve_connection_parameters`), `api/config.py`
//! (`_merge_section_with_env`, `_check_default_config_files_permissions`).

use super::document::{Document, EntryValue, Place, Section, parse_config, parse_connections};
use super::endpoint::{self, Endpoint, Protocol};
use super::keys::{is_for_others, similar};
use super::locate::{ConfigRole, ConfigText, Flags, Sources};
use super::suggest::closest;
use super::{
    Environment, Key, Method, Setting, SettingOrigin, SettingValue, Settings, SettingsError, SettingsWarning,
    Values,
};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;

/// The variable that holds a whole TOML document of connections.
const CONNECTIONS_VARIABLE: &str = "SNOWFLAKE_CONNECTIONS";
/// The variable that names the default connection.
const DEFAULT_NAME_VARIABLE: &str = "SNOWFLAKE_DEFAULT_CONNECTION_NAME";
/// The connection that is meant where nobody names one.
const DEFAULT_NAME: &str = "default";
/// The variable whose passphrase wins over the connection's.
const PASSPHRASE_VARIABLE: &str = "PRIVATE_KEY_PASSPHRASE";
/// The client identity and the query tag where nobody asks for others.
const PRODUCT: &str = "snowform";

/// A connection as it is configured, before flags and generic variables; not checked.
#[derive(Clone, Debug)]
pub struct NamedConnection {
    /// Its name.
    pub name: String,
    /// Whether it is used where none is named.
    pub is_default: bool,
    /// Where it is configured.
    pub origin: SettingOrigin,
    /// Its settings.
    pub values: Values,
}

/// All connections there are.
#[derive(Clone, Debug)]
pub struct Listing {
    /// In the order of their file.
    pub connections: Vec<NamedConnection>,
    /// What is no error and should be said.
    pub warnings: Vec<SettingsWarning>,
}

/// Settles the connection that the flags ask for, or the default one.
pub fn resolve(sources: &Sources) -> Result<Settings, SettingsError> {
    let flags = &sources.flags;
    if flags.temporary_connection && flags.connection.is_some() {
        return Err(SettingsError::NamedAndTemporary);
    }
    if let Some(schema) = flags.schema.as_deref().filter(|schema| is_qualified(schema)) {
        return Err(SettingsError::QualifiedSchema { value: schema.to_owned() });
    }
    let mut warnings = check_permissions(sources)?;
    let mut layers = Layers::default();
    layers.add_flags(flags);
    let connection = if flags.temporary_connection {
        None
    } else {
        let configured = Configured::read(sources)?;
        let name = configured.choose(sources)?;
        layers.add_connection(&configured, &name, sources)?;
        Some(name)
    };
    layers.add_generic(&sources.environment);
    layers.finish(connection, sources, &mut warnings)
}

/// Lists the connections that are configured.
pub fn list(sources: &Sources) -> Result<Listing, SettingsError> {
    let mut warnings = check_permissions(sources)?;
    let configured = Configured::read(sources)?;
    if let (Some(used), Some(ignored)) =
        (sources.file(ConfigRole::Connections), sources.file(ConfigRole::Config))
    {
        warnings.push(SettingsWarning::Replaced { used: used.path.clone(), ignored: ignored.path.clone() });
    }
    let mut connections = Vec::new();
    for section in &configured.sections {
        let (name, origin) = (section.name.clone(), section.origin.clone());
        if section.entries.is_none() {
            warnings.push(SettingsWarning::NotATable { name, origin });
            continue;
        }
        let mut layers = Layers::default();
        layers.add_connection(&configured, &name, sources)?;
        warnings.append(&mut layers.warnings);
        let is_default = name == configured.default_name.0;
        connections.push(NamedConnection { name, is_default, origin, values: layers.values });
    }
    Ok(Listing { connections, warnings })
}

/// `database.schema`, unless it is one quoted name (`ConnectionContext.validate_schema`).
fn is_qualified(schema: &str) -> bool {
    let quoted = schema.starts_with('"') && schema.ends_with('"');
    let dot = schema.char_indices().any(|(at, c)| c == '.' && at > 0 && at + 1 < schema.len());
    !quoted && dot
}

/// Refuses files that others may change or read; warns where `snow` only warns.
fn check_permissions(sources: &Sources) -> Result<Vec<SettingsWarning>, SettingsError> {
    const READABLE: u32 = 0o044;
    const WRITABLE: u32 = 0o022;
    let environment = &sources.environment;
    let mut warnings = Vec::new();
    for ConfigText { path, role, mode, .. } in &sources.files {
        let Some(mode) = *mode else { continue };
        if mode & (READABLE | WRITABLE) == 0
            || (sources.located.is_custom && *role == ConfigRole::Connections)
        {
            continue;
        }
        let strict = !sources.located.is_custom
            || is_switched_on(environment, &["SNOWFLAKE_CLI_FEATURES_ENFORCE_STRICT_CONFIG_PERMISSIONS"]);
        let tolerant = is_switched_on(
            environment,
            &["SF_SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION", "SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION"],
        );
        if strict && (mode & WRITABLE != 0 || !tolerant) {
            return Err(SettingsError::Permissions { path: path.clone(), mode });
        }
        warnings.push(SettingsWarning::Permissions { path: path.clone(), mode });
    }
    Ok(warnings)
}

/// Whether the first of the variables that is set says `true` or `1`.
fn is_switched_on(environment: &BTreeMap<String, String>, variables: &[&str]) -> bool {
    let first = variables.iter().find_map(|name| environment.get(*name));
    first.is_some_and(|value| SettingValue::Text(value.clone()).truth() == Some(true))
}

/// The connections that are configured, and which one is the default.
struct Configured {
    sections: Vec<Section>,
    default_name: (String, SettingOrigin),
    /// Whether `SNOWFLAKE_CONNECTIONS_<NAME>_<KEY>` counts; not where a variable holds the connections.
    merges_variables: bool,
}

impl Configured {
    fn read(sources: &Sources) -> Result<Self, SettingsError> {
        let parse = |file: &ConfigText| {
            let place = Place::File(file.path.clone());
            match file.role {
                ConfigRole::Config => parse_config(&file.text, &place),
                ConfigRole::Connections => parse_connections(&file.text, &place),
            }
        };
        let config = sources.file(ConfigRole::Config).map(parse).transpose()?.unwrap_or_default();
        let connections = sources.file(ConfigRole::Connections).map(parse).transpose()?;
        let variable = sources.environment.get(CONNECTIONS_VARIABLE);
        let variable = variable
            .map(|text| parse_connections(text, &Place::Variable(CONNECTIONS_VARIABLE)))
            .transpose()?;
        let merges_variables = variable.is_none();
        let Document { default_name, sections } = config;
        let sections = variable.or(connections).map_or(sections, |replacing| replacing.sections);
        let named = sources.environment.get(DEFAULT_NAME_VARIABLE).filter(|name| !name.is_empty());
        let default_name = named
            .map(|name| (name.clone(), SettingOrigin::Environment(DEFAULT_NAME_VARIABLE.to_owned())))
            .or(default_name)
            .unwrap_or_else(|| (DEFAULT_NAME.to_owned(), SettingOrigin::Default));
        Ok(Self { sections, default_name, merges_variables })
    }

    /// The name of the connection to use, whether it is configured or may do without.
    fn choose(&self, sources: &Sources) -> Result<String, SettingsError> {
        let asked = sources.flags.connection.clone().map(|name| (name, SettingOrigin::Flag("--connection")));
        let (name, origin) = asked.unwrap_or_else(|| self.default_name.clone());
        if self.sections.iter().any(|section| section.name == name) {
            return Ok(name);
        }
        if origin == SettingOrigin::Default && self.sections.is_empty() {
            return if speaks_of_an_account(sources) {
                Ok(name)
            } else {
                Err(SettingsError::NoConnection { path: sources.located.config.clone() })
            };
        }
        let known: Vec<String> = self.sections.iter().map(|section| section.name.clone()).collect();
        let similar = closest(&name, known.iter().map(String::as_str)).map(str::to_owned);
        Err(SettingsError::UnknownConnection { name, origin, known, similar })
    }
}

/// Whether flags or variables name an account, so that no file is needed.
fn speaks_of_an_account(sources: &Sources) -> bool {
    let set = |variable: &str| sources.environment.get(variable).is_some_and(|value| !value.is_empty());
    sources.flags.account.is_some()
        || set("SNOWFLAKE_ACCOUNT")
        || set("SNOWFLAKE_CONNECTIONS_DEFAULT_ACCOUNT")
}

/// Values as they are laid down, the strongest first: what is there already stays.
#[derive(Default)]
struct Layers {
    values: Values,
    session_parameters: BTreeMap<String, serde_json::Value>,
    warnings: Vec<SettingsWarning>,
}

impl Layers {
    fn add(&mut self, key: Key, value: SettingValue, origin: SettingOrigin) {
        let value = match value {
            SettingValue::Secret(_) => value,
            plain if key.is_secret() => SettingValue::Secret(SecretString::from(plain.expose().into_owned())),
            plain => plain,
        };
        self.values.entry(key).or_insert(Setting { value, origin });
    }

    fn add_flags(&mut self, flags: &Flags) {
        let Flags {
            connection: _,
            temporary_connection: _,
            config_file: _,
            account,
            user,
            password,
            authenticator,
            private_key_file,
            token,
            token_file_path,
            mfa_passcode,
            host,
            port,
            protocol,
            database,
            schema,
            role,
            warehouse,
            others,
        } = flags;
        let plain = [
            (Key::Account, account),
            (Key::User, user),
            (Key::Authenticator, authenticator),
            (Key::PrivateKeyFile, private_key_file),
            (Key::TokenFilePath, token_file_path),
            (Key::Host, host),
            (Key::Port, port),
            (Key::Protocol, protocol),
            (Key::Database, database),
            (Key::Schema, schema),
            (Key::Role, role),
            (Key::Warehouse, warehouse),
        ]
        .map(|(key, value)| (key, value.clone().map(SettingValue::Text)));
        let secret = [(Key::Password, password), (Key::Token, token), (Key::Passcode, mfa_passcode)]
            .map(|(key, value)| (key, value.clone().map(SettingValue::Secret)));
        let others = others
            .iter()
            .map(|(key, text)| (*key, Some(SettingValue::Text(text.expose_secret().to_owned()))));
        for (key, value) in plain.into_iter().chain(secret).chain(others) {
            let flag = key.flag().expect("internal error: a key that flags set has a flag");
            if let Some(value) = value {
                self.add(key, value, SettingOrigin::Flag(flag));
            }
        }
    }

    /// The connection's own variables, then its section.
    fn add_connection(
        &mut self,
        configured: &Configured,
        name: &str,
        sources: &Sources,
    ) -> Result<(), SettingsError> {
        if configured.merges_variables {
            self.add_named_variables(configured, name, &sources.environment);
        }
        let Some(section) = configured.sections.iter().find(|section| section.name == name) else {
            return Ok(());
        };
        let Some(entries) = &section.entries else {
            return Err(SettingsError::NotATable { name: name.to_owned(), origin: section.origin.clone() });
        };
        let mut known = Vec::new();
        for entry in entries {
            match (&entry.value, Key::parse(&entry.name)) {
                (EntryValue::Scalar(value), Some((key, strength))) => {
                    known.push((strength, key, value.clone(), entry.origin.clone()));
                }
                (EntryValue::Table(parameters), None) if entry.name == "session_parameters" => {
                    let parameters =
                        parameters.iter().map(|(name, value)| (name.to_uppercase(), value.clone()));
                    self.session_parameters.extend(parameters);
                }
                _ => self.warn_unknown(&entry.name, entry.origin.clone()),
            }
        }
        self.add_strongest_spellings(known);
        Ok(())
    }

    fn add_named_variables(
        &mut self,
        configured: &Configured,
        name: &str,
        environment: &BTreeMap<String, String>,
    ) {
        let prefix = variable_prefix(name);
        let longer: Vec<String> = configured
            .sections
            .iter()
            .map(|section| variable_prefix(&section.name))
            .filter(|other| other.len() > prefix.len() && other.starts_with(&prefix))
            .collect();
        let mut known = Vec::new();
        for (variable, value) in environment {
            let Some(key_name) = variable.strip_prefix(&prefix).map(str::to_lowercase) else { continue };
            let origin = SettingOrigin::Environment(variable.clone());
            match Key::parse(&key_name) {
                Some((key, strength)) => {
                    known.push((strength, key, SettingValue::Text(value.clone()), origin));
                }
                // The variable of a connection whose name begins with this one's.
                None if longer.iter().any(|prefix| variable.starts_with(prefix)) => {}
                None => self.warn_unknown(&key_name, origin),
            }
        }
        self.add_strongest_spellings(known);
    }

    /// Adds the values of one source, where a key may be spelled in several ways.
    fn add_strongest_spellings(&mut self, mut known: Vec<(usize, Key, SettingValue, SettingOrigin)>) {
        known.sort_by_key(|(strength, ..)| std::cmp::Reverse(*strength));
        for (_, key, value, origin) in known {
            self.add(key, value, origin);
        }
    }

    fn add_generic(&mut self, environment: &BTreeMap<String, String>) {
        for key in Key::all() {
            for variable in key.generic_variables() {
                if let Some(value) = environment.get(&variable).filter(|value| !value.is_empty()) {
                    self.add(key, SettingValue::Text(value.clone()), SettingOrigin::Environment(variable));
                }
            }
        }
        if let Some(passphrase) = environment.get(PASSPHRASE_VARIABLE) {
            self.values.remove(&Key::PrivateKeyPassphrase);
            let origin = SettingOrigin::Environment(PASSPHRASE_VARIABLE.to_owned());
            self.add(Key::PrivateKeyPassphrase, SettingValue::Text(passphrase.clone()), origin);
        }
    }

    fn warn_unknown(&mut self, name: &str, origin: SettingOrigin) {
        if !is_for_others(name) {
            let similar = similar(name);
            self.warnings.push(SettingsWarning::UnknownKey { name: name.to_owned(), origin, similar });
        }
    }

    /// Checks what is known by now and fills in what is usual.
    fn finish(
        mut self,
        connection: Option<String>,
        sources: &Sources,
        warnings: &mut Vec<SettingsWarning>,
    ) -> Result<Settings, SettingsError> {
        for key in [Key::ClientAppId, Key::QueryTag] {
            self.add(key, SettingValue::Text(PRODUCT.to_owned()), SettingOrigin::Default);
        }
        let account = endpoint::account_name(&self.values)?;
        let endpoint = Endpoint::resolve(&mut self.values)?;
        let environment = Environment::new(sources.environment.clone());
        let method = Method::resolve(&mut self.values, &environment, sources.service_token.as_deref())?;
        warnings.append(&mut self.warnings);
        if endpoint.protocol() == Protocol::Http && !endpoint.is_loopback() {
            let origin = self.values.get(&Key::Protocol).map(|setting| setting.origin.clone());
            warnings.push(SettingsWarning::PlainHttp { origin: origin.unwrap_or(SettingOrigin::Default) });
        }
        warnings.extend(method.plain_addresses(&self.values));
        let Self { values, session_parameters, warnings: _ } = self;
        let warnings = std::mem::take(warnings);
        Ok(Settings {
            connection,
            values,
            session_parameters,
            endpoint,
            account,
            method,
            environment,
            warnings,
        })
    }
}

fn variable_prefix(connection: &str) -> String {
    format!("SNOWFLAKE_CONNECTIONS_{}_", connection.to_uppercase())
}

#[cfg(test)]
#[path = "resolve_tests.rs"]
mod tests;
