//! The settings of a connection, declared once: how each is spelled in files, in the environment and as a
//! flag, and which of them are secrets.
//!
//! Source: snowflake-cli `_app/snow_connector.py` (`SUPPORTED_ENV_OVERRIDES`, `CONNECTION_KEY_ALIASES`),
//! `api/config.py` (`ConnectionConfig`), `api/commands/flags.py`; snowflake-connector-python `connection.py`
//! (`DEFAULT_CONFIGURATION`).

/// One setting of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The account identifier: `myorg-myaccount`, or a locator with its region.
    Account,
    /// The login name.
    User,
    /// The password; a programmatic access token may stand in its place.
    Password,
    /// The host, where it is not made from the account.
    Host,
    /// The region part of the host, of old account locators.
    Region,
    /// The port; 443.
    Port,
    /// `https` or `http`.
    Protocol,
    /// The database that incomplete names complete from.
    Database,
    /// The schema that incomplete names complete from.
    Schema,
    /// The warehouse to use.
    Warehouse,
    /// The role to log in with.
    Role,
    /// The method of authentication.
    Authenticator,
    /// Who vouches for a workload identity.
    WorkloadIdentityProvider,
    /// The resource that Azure's tokens are asked for, where it is not Snowflake's own.
    WorkloadIdentityEntraResource,
    /// Whether AWS should vouch by a token of its own, which this tool does not support.
    WorkloadIdentityAwsUseOutboundToken,
    /// The file of the private key.
    PrivateKeyFile,
    /// The private key itself, as PEM text.
    PrivateKeyRaw,
    /// The passphrase of the private key.
    PrivateKeyPassphrase,
    /// A programmatic access token or an OAuth access token.
    Token,
    /// The file that holds such a token.
    TokenFilePath,
    /// A one-time code of multi-factor authentication.
    Passcode,
    /// Whether the one-time code is written behind the password.
    PasscodeInPassword,
    /// The token of a session that somebody else opened.
    SessionToken,
    /// The master token of such a session.
    MasterToken,
    /// The client that tokens are asked for as.
    OauthClientId,
    /// Its secret.
    OauthClientSecret,
    /// Whether the client's secret stands in the body of requests for tokens, not in their header.
    OauthCredentialsInBody,
    /// Where a person signs in.
    OauthAuthorizationUrl,
    /// Where tokens are asked for.
    OauthTokenRequestUrl,
    /// Where the browser is sent back to, as the client is registered.
    OauthRedirectUri,
    /// Where this program listens for the browser, where the redirect address leads somewhere else first.
    OauthSocketUri,
    /// What the token may be used for; by default the connection's role.
    OauthScope,
    /// The opposite of the next, in old files.
    OauthEnablePkce,
    /// Whether the proof of RFC 7636 is left out.
    OauthDisablePkce,
    /// Whether tokens are renewed without a person.
    OauthEnableRefreshTokens,
    /// Whether a refresh token is good once.
    OauthEnableSingleUseRefreshTokens,
    /// Whether tokens and sessions may be kept in files between two commands.
    ClientStoreTemporaryCredential,
    /// Whether a token is asked for that stands for the second factor next time.
    ClientRequestMfaToken,
    /// `false`: browsers go to the account's own sign-in page instead of the identity provider's.
    DisableConsoleLogin,
    /// How many seconds to wait for a person in a browser.
    ExternalBrowserTimeout,
    /// `ALL` or `NONE`.
    SecondaryRoles,
    /// Whether the session outlives the command.
    ServerSessionKeepAlive,
    /// The client identity to log in under (ours alone; `snow` has no such setting).
    ClientAppId,
    /// The query tag of the session (ours alone).
    QueryTag,
}

/// What is known of one key.
struct Row {
    key: Key,
    /// In files, and upper case behind the prefixes of environment variables.
    name: &'static str,
    /// As a flag of the command line, where there is one.
    flag: Option<&'static str>,
    /// Whether `SNOWFLAKE_<NAME>` gives it.
    generic: bool,
    secret: bool,
}

/// Where a setting may come from, for the table below.
const GENERIC: bool = true;
const NAMED_ONLY: bool = false;
const SECRET: bool = true;
const PLAIN: bool = false;

const fn row(key: Key, name: &'static str, flag: Option<&'static str>, generic: bool, secret: bool) -> Row {
    Row { key, name, flag, generic, secret }
}

/// Every key. The order is the order in which connections are shown (`ConnectionConfig`).
const ROWS: &[Row] = &[
    row(Key::Account, "account", Some("--account"), GENERIC, PLAIN),
    row(Key::User, "user", Some("--user"), GENERIC, PLAIN),
    row(Key::Password, "password", Some("--password"), GENERIC, SECRET),
    row(Key::Host, "host", Some("--host"), GENERIC, PLAIN),
    row(Key::Region, "region", None, NAMED_ONLY, PLAIN),
    row(Key::Port, "port", Some("--port"), GENERIC, PLAIN),
    row(Key::Protocol, "protocol", Some("--protocol"), GENERIC, PLAIN),
    row(Key::Database, "database", Some("--database"), GENERIC, PLAIN),
    row(Key::Schema, "schema", Some("--schema"), GENERIC, PLAIN),
    row(Key::Warehouse, "warehouse", Some("--warehouse"), GENERIC, PLAIN),
    row(Key::Role, "role", Some("--role"), GENERIC, PLAIN),
    row(Key::Authenticator, "authenticator", Some("--authenticator"), GENERIC, PLAIN),
    row(
        Key::WorkloadIdentityProvider,
        "workload_identity_provider",
        Some("--workload-identity-provider"),
        GENERIC,
        PLAIN,
    ),
    row(Key::WorkloadIdentityEntraResource, "workload_identity_entra_resource", None, NAMED_ONLY, PLAIN),
    row(
        Key::WorkloadIdentityAwsUseOutboundToken,
        "workload_identity_aws_use_outbound_token",
        None,
        NAMED_ONLY,
        PLAIN,
    ),
    row(Key::PrivateKeyFile, "private_key_file", Some("--private-key-file"), GENERIC, PLAIN),
    row(Key::PrivateKeyRaw, "private_key_raw", None, GENERIC, SECRET),
    row(Key::PrivateKeyPassphrase, "private_key_passphrase", None, NAMED_ONLY, SECRET),
    row(Key::Token, "token", Some("--token"), GENERIC, SECRET),
    row(Key::SessionToken, "session_token", None, GENERIC, SECRET),
    row(Key::MasterToken, "master_token", None, GENERIC, SECRET),
    row(Key::TokenFilePath, "token_file_path", Some("--token-file-path"), GENERIC, PLAIN),
    row(Key::OauthClientId, "oauth_client_id", Some("--oauth-client-id"), GENERIC, PLAIN),
    row(Key::OauthClientSecret, "oauth_client_secret", Some("--oauth-client-secret"), GENERIC, SECRET),
    row(Key::OauthCredentialsInBody, "oauth_credentials_in_body", None, NAMED_ONLY, PLAIN),
    row(
        Key::OauthAuthorizationUrl,
        "oauth_authorization_url",
        Some("--oauth-authorization-url"),
        GENERIC,
        PLAIN,
    ),
    row(
        Key::OauthTokenRequestUrl,
        "oauth_token_request_url",
        Some("--oauth-token-request-url"),
        GENERIC,
        PLAIN,
    ),
    row(Key::OauthRedirectUri, "oauth_redirect_uri", Some("--oauth-redirect-uri"), GENERIC, PLAIN),
    row(Key::OauthSocketUri, "oauth_socket_uri", None, NAMED_ONLY, PLAIN),
    row(Key::OauthScope, "oauth_scope", Some("--oauth-scope"), GENERIC, PLAIN),
    row(Key::OauthEnablePkce, "oauth_enable_pkce", None, NAMED_ONLY, PLAIN),
    row(Key::OauthDisablePkce, "oauth_disable_pkce", Some("--oauth-disable-pkce"), GENERIC, PLAIN),
    row(
        Key::OauthEnableRefreshTokens,
        "oauth_enable_refresh_tokens",
        Some("--oauth-enable-refresh-tokens"),
        GENERIC,
        PLAIN,
    ),
    row(
        Key::OauthEnableSingleUseRefreshTokens,
        "oauth_enable_single_use_refresh_tokens",
        Some("--oauth-enable-single-use-refresh-tokens"),
        GENERIC,
        PLAIN,
    ),
    row(
        Key::ClientStoreTemporaryCredential,
        "client_store_temporary_credential",
        Some("--client-store-temporary-credential"),
        GENERIC,
        PLAIN,
    ),
    row(Key::ClientRequestMfaToken, "client_request_mfa_token", None, NAMED_ONLY, PLAIN),
    row(Key::DisableConsoleLogin, "disable_console_login", None, NAMED_ONLY, PLAIN),
    row(Key::ExternalBrowserTimeout, "external_browser_timeout", None, NAMED_ONLY, PLAIN),
    row(Key::SecondaryRoles, "secondary_roles", Some("--secondary-roles"), GENERIC, PLAIN),
    row(
        Key::ServerSessionKeepAlive,
        "server_session_keep_alive",
        Some("--server-session-keep-alive"),
        GENERIC,
        PLAIN,
    ),
    row(Key::Passcode, "passcode", Some("--mfa-passcode"), NAMED_ONLY, SECRET),
    row(Key::PasscodeInPassword, "passcode_in_password", None, NAMED_ONLY, PLAIN),
    row(Key::ClientAppId, "client_app_id", None, GENERIC, PLAIN),
    row(Key::QueryTag, "query_tag", None, GENERIC, PLAIN),
];

/// Other spellings in files and in the environment. Within one source the *last* of several spellings in
/// this list wins over the earlier ones and over the name itself, as it happens in `snow`.
const ALIASES: &[(&str, Key)] = &[
    ("oatuh_enable_pkce", Key::OauthEnablePkce),
    ("private_key_file_pwd", Key::PrivateKeyPassphrase),
    ("private_key_path", Key::PrivateKeyFile),
];

/// What the Python connector knows and this tool has no use for: neither used nor warned about.
const CONNECTOR_ONLY: &[&str] = &[
    "application",
    "arrow_number_to_decimal",
    "autocommit",
    "client_fetch_threads",
    "client_fetch_use_mp",
    "client_prefetch_threads",
    "client_session_keep_alive",
    "client_session_keep_alive_heartbeat_frequency",
    "consent_cache_id_token",
    "disable_ocsp_checks",
    "disable_query_context_cache",
    "disable_request_pooling",
    "disable_saml_url_check",
    "enable_connection_diag",
    "internal_application_name",
    "internal_application_version",
    "json_result_force_utf8_decoding",
    "login_timeout",
    "log_imported_packages_in_telemetry",
    "network_timeout",
    "numpy",
    "ocsp_fail_open",
    "ocsp_response_cache_filename",
    "paramstyle",
    "service_name",
    "socket_timeout",
    "support_negative_year",
    "timezone",
    "validate_default_parameters",
];

impl Key {
    fn row(self) -> &'static Row {
        ROWS.iter().find(|row| row.key == self).expect("internal error: every key has a row")
    }

    /// Every key, in the order in which connections are shown.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.key)
    }

    /// The name in a file.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The flag of the command line that sets it, where there is one.
    pub fn flag(self) -> Option<&'static str> {
        self.row().flag
    }

    /// Whether its value must never be shown.
    pub fn is_secret(self) -> bool {
        self.row().secret
    }

    /// The names of the variables that set it for whichever connection is used, the strongest first; empty
    /// where there is none.
    pub(super) fn generic_variables(self) -> Vec<String> {
        if !self.row().generic {
            return Vec::new();
        }
        let aliases = ALIASES.iter().filter(|(alias, key)| *key == self && *alias == "private_key_path");
        std::iter::once(self.name())
            .chain(aliases.map(|(alias, _)| *alias))
            .map(|name| format!("SNOWFLAKE_{}", name.to_ascii_uppercase()))
            .collect()
    }

    /// The key that a name in a file means, and how strong that spelling is against the others.
    pub(super) fn parse(name: &str) -> Option<(Self, usize)> {
        let own = ROWS.iter().find(|row| row.name == name).map(|row| (row.key, 0));
        own.or_else(|| {
            let at = ALIASES.iter().position(|(alias, _)| *alias == name)?;
            Some((ALIASES[at].1, at + 1))
        })
    }
}

/// Whether a name that is no [`Key`] is one that other programs read from the same files.
pub(super) fn is_for_others(name: &str) -> bool {
    CONNECTOR_ONLY.contains(&name)
}

/// The known name that an unknown one most resembles.
pub(super) fn similar(name: &str) -> Option<&'static str> {
    super::suggest::closest(name, ROWS.iter().map(|row| row.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        for row in ROWS {
            assert_eq!(Key::parse(row.name), Some((row.key, 0)), "{}", row.name);
            assert!(!is_for_others(row.name), "{}", row.name);
        }
        assert_eq!(Key::parse("private_key_path").unwrap().0, Key::PrivateKeyFile);
        assert_eq!(Key::parse("private_key_file_pwd").unwrap().0, Key::PrivateKeyPassphrase);
        assert_eq!(Key::parse("Account"), None, "names are told apart by case, as in snow");
    }

    #[test]
    fn every_name_that_sounds_like_a_secret_is_one() {
        // snowflake-cli `api/config_ng/masking.py`
        let sounds = |name: &str| {
            !["private_key_file", "token_file_path"].contains(&name)
                && ["password", "token", "passcode", "private_key", "passphrase", "secret"]
                    .iter()
                    .any(|word| name.contains(word))
        };
        let known_plain = [
            "oauth_token_request_url",
            "oauth_enable_refresh_tokens",
            "oauth_enable_single_use_refresh_tokens",
            "client_request_mfa_token",
            "workload_identity_aws_use_outbound_token",
            "passcode_in_password",
        ];
        for row in ROWS {
            assert_eq!(row.secret, sounds(row.name) && !known_plain.contains(&row.name), "{}", row.name);
        }
    }

    #[test]
    fn a_slip_of_the_pen_finds_its_key() {
        assert_eq!(similar("acount"), Some("account"));
        assert_eq!(similar("zzz"), None);
    }
}
