//! Tests of who wins over whom. The expected values were compared with `snow connection list` of
//! snowflake-cli 3; `tests/interop/connections.py` repeats the comparison.

use super::super::locate::locate;
use super::*;
use std::path::{Path, PathBuf};

/// Sources without any real file or variable.
struct Fixture {
    config: Option<(&'static str, u32)>,
    connections: Option<(&'static str, u32)>,
    environment: Vec<(&'static str, &'static str)>,
    flags: Flags,
}

fn fixture() -> Fixture {
    Fixture { config: None, connections: None, environment: Vec::new(), flags: Flags::default() }
}

impl Fixture {
    fn config(mut self, text: &'static str) -> Self {
        self.config = Some((text, 0o600));
        self
    }

    fn connections(mut self, text: &'static str) -> Self {
        self.connections = Some((text, 0o600));
        self
    }

    fn set(mut self, variable: &'static str, value: &'static str) -> Self {
        self.environment.push((variable, value));
        self
    }

    fn flags(mut self, flags: Flags) -> Self {
        self.flags = flags;
        self
    }

    fn connection(self, name: &str) -> Self {
        let flags = Flags { connection: Some(name.to_owned()), ..self.flags.clone() };
        self.flags(flags)
    }

    fn sources(self) -> Sources {
        let environment: BTreeMap<String, String> =
            self.environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let located = locate(&self.flags, &environment, Some(Path::new("/home/u")), |_| true);
        let file = |content: Option<(&str, u32)>, path: &PathBuf, role| {
            content.map(|(text, mode)| ConfigText {
                path: path.clone(),
                role,
                text: text.to_owned(),
                mode: Some(mode),
            })
        };
        let files = [
            file(self.config, &located.config, ConfigRole::Config),
            file(self.connections, &located.connections, ConfigRole::Connections),
        ];
        Sources {
            files: files.into_iter().flatten().collect(),
            located,
            environment,
            service_token: None,
            flags: self.flags,
        }
    }

    fn resolve(self) -> Result<Settings, SettingsError> {
        resolve(&self.sources())
    }
}

fn shown(settings: &Settings, key: Key) -> String {
    settings
        .get(key)
        .map_or_else(|| "-".to_owned(), |setting| format!("{} <- {}", setting.value, setting.origin))
}

const DEV: &str = "default_connection_name = \"dev\"\n\
                   [connections.dev]\n\
                   account = \"file-account\"\n\
                   user = \"file_user\"\n\
                   password = \"hunter2\"\n\
                   role = \"file_role\"\n";

#[test]
fn flags_win_over_named_variables_over_files_over_generic_variables() {
    let settings = fixture()
        .config(DEV)
        .set("SNOWFLAKE_CONNECTIONS_DEV_USER", "named_user")
        .set("SNOWFLAKE_CONNECTIONS_DEV_ROLE", "named_role")
        .set("SNOWFLAKE_ACCOUNT", "generic-account")
        .set("SNOWFLAKE_WAREHOUSE", "generic_wh")
        .set("SNOWFLAKE_DATABASE", "")
        .flags(Flags { role: Some("flag_role".to_owned()), ..Flags::default() })
        .resolve()
        .unwrap();
    let expected = [
        (Key::Account, "file-account <- /home/u/.snowflake/config.toml:3"),
        (Key::User, "named_user <- environment variable SNOWFLAKE_CONNECTIONS_DEV_USER"),
        (Key::Password, "**** <- /home/u/.snowflake/config.toml:5"),
        (Key::Role, "flag_role <- flag --role"),
        (Key::Warehouse, "generic_wh <- environment variable SNOWFLAKE_WAREHOUSE"),
        (Key::Database, "-"),
        (Key::Host, "file-account.snowflakecomputing.com <- default"),
        (Key::Port, "443 <- default"),
        (Key::ClientAppId, "snowform <- default"),
    ];
    for (key, text) in expected {
        assert_eq!(shown(&settings, key), text);
    }
    assert_eq!(settings.connection(), Some("dev"));
    assert_eq!(settings.account_name(), "FILE-ACCOUNT");
    assert_eq!(settings.method(), Method::Password);
}

#[test]
fn connections_toml_replaces_all_connections_of_config_toml() {
    let both =
        || fixture().config(DEV).connections("[two]\naccount = \"t\"\nuser = \"u\"\npassword = \"p\"\n");
    let listing = list(&both().sources()).unwrap();
    let names: Vec<_> = listing.connections.iter().map(|connection| connection.name.as_str()).collect();
    assert_eq!(names, ["two"]);
    assert!(!listing.connections[0].is_default, "the default is named in config.toml: dev");
    assert!(matches!(listing.warnings[..], [SettingsWarning::Replaced { .. }]));
    let error = both().resolve().unwrap_err();
    assert!(error.to_string().starts_with("Connection dev is not configured"), "{error}");
    assert!(both().set("SNOWFLAKE_DEFAULT_CONNECTION_NAME", "two").resolve().is_ok());
}

#[test]
fn a_variable_can_hold_all_connections_and_is_then_not_merged_with_others() {
    let settings = fixture()
        .config(DEV)
        .set("SNOWFLAKE_CONNECTIONS", "[one]\naccount = \"o\"\nuser = \"u\"\npassword = \"p\"\n")
        .set("SNOWFLAKE_CONNECTIONS_ONE_USER", "named")
        .connection("one")
        .resolve()
        .unwrap();
    assert_eq!(shown(&settings, Key::User), "u <- environment variable SNOWFLAKE_CONNECTIONS");
}

#[test]
fn one_name_that_begins_with_another_confuses_nobody() {
    let config = "[connections.dev]\n[connections.dev_eu]\nuser = \"eu\"\n";
    let sources = fixture()
        .config(config)
        .set("SNOWFLAKE_CONNECTIONS_DEV_EU_ACCOUNT", "eu-account")
        .set("SNOWFLAKE_CONNECTIONS_DEV_ACOUNT", "typo")
        .sources();
    let listing = list(&sources).unwrap();
    let [dev, dev_eu] = &listing.connections[..] else { panic!("{listing:?}") };
    assert!(dev.values.is_empty(), "{:?}", dev.values);
    assert_eq!(dev_eu.values[&Key::Account].value.to_string(), "eu-account");
    let [SettingsWarning::UnknownKey { name, similar, .. }] = &listing.warnings[..] else {
        panic!("{:?}", listing.warnings)
    };
    assert_eq!((name.as_str(), *similar), ("acount", Some("account")));
}

#[test]
fn a_temporary_connection_uses_no_file() {
    let flags = |connection: Option<&str>| Flags {
        temporary_connection: true,
        connection: connection.map(str::to_owned),
        account: Some("flag-account".to_owned()),
        ..Flags::default()
    };
    let settings = fixture()
        .config(DEV)
        .set("SNOWFLAKE_USER", "generic_user")
        .set("SNOWFLAKE_PASSWORD", "hunter2")
        .set("SNOWFLAKE_ACCOUNT", "generic-account")
        .flags(flags(None))
        .resolve()
        .unwrap();
    assert_eq!(settings.connection(), None);
    assert_eq!(shown(&settings, Key::Account), "flag-account <- flag --account");
    assert_eq!(shown(&settings, Key::User), "generic_user <- environment variable SNOWFLAKE_USER");
    assert_eq!(shown(&settings, Key::Role), "-");
    let error = fixture().config(DEV).flags(flags(Some("dev"))).resolve().unwrap_err();
    assert!(matches!(error, SettingsError::NamedAndTemporary));
}

#[test]
fn the_environment_alone_is_enough_where_no_connection_is_configured() {
    let environment = || {
        fixture()
            .set("SNOWFLAKE_ACCOUNT", "env-account")
            .set("SNOWFLAKE_USER", "u")
            .set("SNOWFLAKE_PASSWORD", "hunter2")
    };
    assert_eq!(environment().resolve().unwrap().account_name(), "ENV-ACCOUNT");
    let empty = environment().config("[cli]\nignore_new_version_warning = true\n");
    assert_eq!(empty.resolve().unwrap().account_name(), "ENV-ACCOUNT");
    let named = environment().connection("dev").resolve().unwrap_err();
    assert!(matches!(named, SettingsError::UnknownConnection { .. }), "a name that is asked for must exist");
    let nothing = fixture().resolve().unwrap_err();
    assert!(matches!(nothing, SettingsError::NoConnection { .. }), "{nothing}");
}

#[test]
fn an_unknown_connection_is_answered_with_the_known_ones() {
    let config = "[connections.production]\n[connections.dev]\n";
    let error = fixture().config(config).connection("prodction").resolve().unwrap_err();
    assert_eq!(error.to_string(), "Connection prodction is not configured (flag --connection)");
    assert_eq!(error.help(), "did you mean \"production\"? Configured are: production, dev");
    let error = fixture().config(config).resolve().unwrap_err();
    assert_eq!(error.to_string(), "Connection default is not configured (default)");
}

#[test]
fn files_that_others_may_read_or_change_are_refused_or_warned_about() {
    let with_mode = |mode: u32, custom: bool, variables: &[(&'static str, &'static str)]| {
        let mut fixture = fixture();
        fixture.config = Some((DEV, mode));
        fixture.environment = variables.to_vec();
        fixture.flags.config_file = custom.then(|| PathBuf::from("/my.toml"));
        match fixture.resolve() {
            Ok(settings) => format!("{} warnings", settings.warnings().len()),
            Err(error @ SettingsError::Permissions { .. }) => format!("{error}; {}", error.help()),
            Err(other) => panic!("{other}"),
        }
    };
    let skip = ("SF_SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION", "TRUE");
    let no_skip = ("SF_SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION", "no");
    let injected = ("SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION", "1");
    let strict = ("SNOWFLAKE_CLI_FEATURES_ENFORCE_STRICT_CONFIG_PERMISSIONS", "1");
    for mode in [0o600, 0o400, 0o700, 0o611] {
        assert_eq!(with_mode(mode, false, &[]), "0 warnings", "{mode:o}");
    }
    let refused = with_mode(0o644, false, &[]);
    assert!(
        refused.contains("may be read by other users: /home/u/.snowflake/config.toml (mode 0644)"),
        "{refused}"
    );
    assert!(refused.contains("\nchmod 0600 \"/home/u/.snowflake/config.toml\""), "{refused}");
    assert_eq!(with_mode(0o640, false, &[skip]), "1 warnings");
    assert_eq!(with_mode(0o640, false, &[injected]), "1 warnings");
    assert!(
        with_mode(0o640, false, &[no_skip, injected]).contains("chmod"),
        "the documented variable counts first"
    );
    assert!(with_mode(0o620, false, &[skip]).contains("may be written"), "writable is never tolerated");
    assert_eq!(with_mode(0o666, true, &[]), "1 warnings");
    assert!(with_mode(0o644, true, &[strict]).contains("chmod"));
    assert_eq!(with_mode(0o644, true, &[strict, skip]), "1 warnings");
}

#[test]
fn other_spellings_are_understood() {
    let config = "[connections.default]\naccount = \"a\"\nuser = \"u\"\nauthenticator = \"snowflake_jwt\"\n\
                  private_key_path = \"k.p8\"\nprivate_key_file_pwd = \"hunter2\"\n";
    let settings = fixture().config(config).resolve().unwrap();
    assert_eq!(settings.method(), Method::KeyPair);
    assert!(shown(&settings, Key::PrivateKeyFile).starts_with("k.p8 <- "));
    assert!(shown(&settings, Key::PrivateKeyPassphrase).starts_with("**** <- /home"));
    let settings = fixture().config(config).set("PRIVATE_KEY_PASSPHRASE", "other").resolve().unwrap();
    let passphrase = shown(&settings, Key::PrivateKeyPassphrase);
    assert_eq!(passphrase, "**** <- environment variable PRIVATE_KEY_PASSPHRASE");
}

#[test]
fn what_is_missing_or_contradictory_is_said_before_anything_is_sent() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[], "the connection has no account"),
        (&[("ACCOUNT", "a")], "the connection has no user, which authentication by password needs"),
        (&[("ACCOUNT", "a"), ("USER", "u")], "the connection has no password, which"),
        (&[("ACCOUNT", "a"), ("USER", "u"), ("PASSWORD", "")], "the connection has no password, which"),
        (
            &[("ACCOUNT", "a"), ("USER", "u"), ("TOKEN", "t")],
            "a token is given, but no authenticator that uses it",
        ),
        (&[("ACCOUNT", "a"), ("AUTHENTICATOR", "oauth")], "the connection has no token, which"),
        (&[("ACCOUNT", "a"), ("AUTHENTICATOR", "oauth"), ("TOKEN", "t")], ""),
        (&[("ACCOUNT", "a"), ("AUTHENTICATOR", "Programmatic_Access_Token"), ("TOKEN_FILE_PATH", "t")], ""),
        (
            &[("ACCOUNT", "a"), ("AUTHENTICATOR", "snowflake_jwt"), ("USER", "u")],
            "the connection has no private_key_file",
        ),
        (
            &[("ACCOUNT", "a"), ("USER", "u"), ("PASSWORD", "p"), ("PRIVATE_KEY_FILE", "k")],
            "a private key is given, but",
        ),
        (
            &[("ACCOUNT", "a"), ("AUTHENTICATOR", "pat_with_external_session")],
            "the authenticator \"pat_with_external_session\" is not supported",
        ),
        (&[("ACCOUNT", "a"), ("AUTHENTICATOR", "externalbrowser")], "the connection has no user, which"),
        (&[("ACCOUNT", "a"), ("AUTHENTICATOR", "externalbrowser"), ("USER", "u")], ""),
        (
            &[("ACCOUNT", "a"), ("AUTHENTICATOR", "https://x.okta.com"), ("USER", "u")],
            "the connection has no password, which authentication by Okta needs",
        ),
        (
            &[("ACCOUNT", "a"), ("AUTHENTICATOR", "oauth_client_credentials"), ("OAUTH_CLIENT_ID", "i")],
            "the connection has no oauth_client_secret",
        ),
        (
            &[("ACCOUNT", "a"), ("AUTHENTICATOR", "oauth_client_credentials"), ("OAUTH_CLIENT_SECRET", "s")],
            "the connection has no oauth_client_id",
        ),
        (
            &[
                ("ACCOUNT", "a"),
                ("AUTHENTICATOR", "oauth_authorization_code"),
                ("OAUTH_AUTHORIZATION_URL", "http://idp.example/authorize"),
            ],
            "oauth_authorization_url is not usable",
        ),
        (&[("ACCOUNT", "a"), ("AUTHENTICATOR", "oauth_authorization_code")], ""),
        (
            &[("ACCOUNT", "a"), ("AUTHENTICATOR", "workload_identity")],
            "the connection has no workload_identity_provider",
        ),
        (
            &[
                ("ACCOUNT", "a"),
                ("AUTHENTICATOR", "workload_identity"),
                ("WORKLOAD_IDENTITY_PROVIDER", "ibm"),
            ],
            "workload_identity_provider is not usable: \"ibm\"",
        ),
        (&[("ACCOUNT", "a"), ("AUTHENTICATOR", "workload_identity"), ("TOKEN", "t")], ""),
        (
            &[("ACCOUNT", "a"), ("AUTHENTICATOR", "snowflake_jwd")],
            "there is no authenticator \"snowflake_jwd\"",
        ),
        (&[("ACCOUNT", "a"), ("SESSION_TOKEN", "s")], "taking over an open session"),
        (&[("ACCOUNT", "a/b"), ("USER", "u"), ("PASSWORD", "p")], "account is not usable: \"a/b\""),
    ];
    for (variables, expected) in cases {
        let mut fixture = fixture();
        fixture.flags.temporary_connection = true;
        let mut sources = fixture.sources();
        let variables =
            variables.iter().map(|(name, value)| (format!("SNOWFLAKE_{name}"), (*value).to_owned()));
        sources.environment.extend(variables);
        let outcome = resolve(&sources).map_or_else(|error| error.to_string(), |_| String::new());
        assert!(outcome.starts_with(expected) && outcome.is_empty() == expected.is_empty(), "{outcome}");
    }
}

#[test]
fn a_schema_flag_is_a_schema_alone() {
    let with = |schema: &str| {
        fixture().config(DEV).flags(Flags { schema: Some(schema.to_owned()), ..Flags::default() })
    };
    assert!(matches!(with("db.s").resolve(), Err(SettingsError::QualifiedSchema { .. })));
    for fine in ["s", "\"a.b\"", "s.", ".s"] {
        assert!(with(fine).resolve().is_ok(), "{fine}");
    }
}

#[test]
fn what_is_odd_but_harmless_is_a_warning() {
    let config = "[connections.default]\naccount = \"a\"\nuser = \"u\"\npassword = \"p\"\nlogin_timeout = 3\n\
                  acount = \"b\"\nprotocol = \"http\"\nsession_parameters = { query_tag = \"t\", X = 3 }\n";
    let settings = fixture().config(config).resolve().unwrap();
    let warnings: Vec<_> = settings.warnings().iter().map(ToString::to_string).collect();
    let place = "/home/u/.snowflake/config.toml";
    assert_eq!(
        warnings,
        [
            format!("unknown connection setting \"acount\" ({place}:6); did you mean account?"),
            format!("credentials are sent unencrypted, because the protocol is http ({place}:7)"),
        ]
    );
    let parameters: Vec<_> =
        settings.session_parameters().iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(parameters, ["QUERY_TAG=\"t\"", "X=3"]);
}

#[test]
fn a_connection_that_is_a_value_is_skipped_or_refused() {
    let config = "[connections]\nodd = \"hunter2\"\n[connections.dev]\n";
    let listing = list(&fixture().config(config).sources()).unwrap();
    assert_eq!(listing.connections.len(), 1);
    assert!(matches!(listing.warnings[..], [SettingsWarning::NotATable { .. }]));
    let error = fixture().config(config).connection("odd").resolve().unwrap_err();
    assert!(matches!(error, SettingsError::NotATable { .. }));
    assert!(!format!("{error:?}{error}{}", error.help()).contains("hunter2"));
}

#[test]
fn nothing_that_can_be_printed_holds_a_secret() {
    let config = "[connections.default]\naccount = \"a\"\nuser = \"u\"\npassword = \"hunter2\"\ntoken = \"hunter2\"\n\
                  passcode = \"hunter2\"\noauth_client_secret = \"hunter2\"\nprivate_key_passphrase = \"hunter2\"\n";
    let secret = || Some(SecretString::from("hunter2"));
    let flags = Flags { password: secret(), token: secret(), mfa_passcode: secret(), ..Flags::default() };
    let sources = || {
        fixture()
            .config(config)
            .set("SNOWFLAKE_MASTER_TOKEN", "")
            .set("PRIVATE_KEY_PASSPHRASE", "hunter2")
            .set("SNOWFLAKE_CONNECTIONS_DEFAULT_PASSWORD", "hunter2")
            .flags(flags.clone())
            .sources()
    };
    let settings = resolve(&sources()).unwrap();
    let values: String =
        settings.iter().map(|(key, setting)| format!("{}={}", key.name(), setting.value)).collect();
    let printed = format!("{:?} {settings:?} {values} {:?}", sources(), list(&sources()).unwrap());
    assert!(!printed.contains("hunter2"), "{printed}");
    assert!(printed.contains("password=****"), "{printed}");
}

#[test]
fn what_the_place_vouches_for_needs_no_word() {
    let github = [
        ("GITHUB_ACTIONS", "true"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x"),
        ("SNOWFLAKE_ACCOUNT", "a"),
    ];
    let gitlab = [("GITLAB_CI", "true"), ("SNOWFLAKE_ID_TOKEN", "t"), ("SNOWFLAKE_ACCOUNT", "a")];
    let service = [("SNOWFLAKE_HOST", "h"), ("SNOWFLAKE_ACCOUNT", "a")];
    let method = |variables: &[(&str, &str)], more: &[(&str, &str)], token: bool| {
        let mut fixture = fixture();
        fixture.flags.temporary_connection = true;
        let mut sources = fixture.sources();
        let variables = variables.iter().chain(more);
        sources.environment.extend(variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        sources.service_token = token.then(|| PathBuf::from("/snowflake/session/token"));
        resolve(&sources).map(|settings| settings.method()).map_err(|error| error.to_string())
    };
    let oidc = Ok(Method::Workload(super::super::Provider::Oidc));
    assert_eq!(method(&github, &[], false), oidc);
    assert_eq!(method(&gitlab, &[], false), oidc);
    assert_eq!(method(&service, &[], true), Ok(Method::Oauth));
    assert!(method(&service, &[], false).is_err(), "no token, no service");
    // Whatever is given counts more than the place.
    let password = [("SNOWFLAKE_USER", "u"), ("SNOWFLAKE_PASSWORD", "p")];
    for place in [&github[..], &gitlab, &service] {
        assert_eq!(method(place, &password, true), Ok(Method::Password), "{place:?}");
    }
    let named = [("SNOWFLAKE_AUTHENTICATOR", "WORKLOAD_IDENTITY")];
    let provider = |more: &[(&str, &str)]| method(&[("SNOWFLAKE_ACCOUNT", "a"), named[0]], more, false);
    assert_eq!(provider(&github), oidc);
    assert_eq!(provider(&[("AWS_EXECUTION_ENV", "x")]), Ok(Method::Workload(super::super::Provider::Aws)));
    assert_eq!(provider(&[("IDENTITY_ENDPOINT", "x")]), Ok(Method::Workload(super::super::Provider::Azure)));
    assert_eq!(provider(&[("K_SERVICE", "x")]), Ok(Method::Workload(super::super::Provider::Gcp)));
}
