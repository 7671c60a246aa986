//! How to prove who we are: the authenticator, and whether what it needs is there.
//!
//! Source: snowflake-connector-python `connection.py` (`__config`), snowflake-cli `_app/snow_connector.py`.

use super::endpoint::given;
use super::suggest::closest;
use super::{Environment, Key, Setting, SettingOrigin, SettingValue, SettingsError, SettingsWarning, Values};
use std::path::Path;

/// A method of authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A password, with a one-time code where one is given.
    Password,
    /// The same, and a token that stands for the second factor next time.
    PasswordMfa,
    /// A private key that signs a short-lived token.
    KeyPair,
    /// A programmatic access token.
    AccessToken,
    /// An OAuth access token that somebody else obtained.
    Oauth,
    /// A person who signs in with a browser, at the identity provider that the account names.
    Browser,
    /// The same by OAuth: the browser brings a code that is exchanged for tokens.
    OauthCode,
    /// A client's own id and secret, exchanged for a token.
    OauthClient,
    /// What the place that this runs in says of it.
    Workload(Provider),
    /// Name and password, given to the identity provider Okta.
    Okta,
}

/// Who vouches for a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The role of Amazon's cloud.
    Aws,
    /// The managed identity of Microsoft's.
    Azure,
    /// The service account of Google's.
    Gcp,
    /// An OpenID Connect token: that of the job in GitHub Actions or GitLab, or one that is given.
    Oidc,
}

/// The methods by the name that `authenticator` gives them; a workload's provider has a key of its own.
const SUPPORTED: &[(&str, Method)] = &[
    ("SNOWFLAKE", Method::Password),
    ("USERNAME_PASSWORD_MFA", Method::PasswordMfa),
    ("SNOWFLAKE_JWT", Method::KeyPair),
    ("PROGRAMMATIC_ACCESS_TOKEN", Method::AccessToken),
    ("OAUTH", Method::Oauth),
    ("EXTERNALBROWSER", Method::Browser),
    ("OAUTH_AUTHORIZATION_CODE", Method::OauthCode),
    ("OAUTH_CLIENT_CREDENTIALS", Method::OauthClient),
    ("WORKLOAD_IDENTITY", Method::Workload(Provider::Oidc)),
];

/// How the address of an Okta organisation, which is a method as well, is listed among the names.
const OKTA: &str = "https://ORGANISATION.okta.com";

/// A method of the official drivers that is not supported here.
const UNSUPPORTED: &[&str] = &["PAT_WITH_EXTERNAL_SESSION"];

/// The providers by the name that `workload_identity_provider` gives them.
const PROVIDERS: &[(&str, Provider)] =
    &[("AWS", Provider::Aws), ("AZURE", Provider::Azure), ("GCP", Provider::Gcp), ("OIDC", Provider::Oidc)];

impl Provider {
    /// The name in settings and in logins.
    pub fn name(self) -> &'static str {
        let row = PROVIDERS.iter().find(|(_, provider)| *provider == self);
        row.expect("internal error: every provider has a name").0
    }

    /// The provider that the settings name, or that the place where this runs has one of.
    fn resolve(values: &Values, environment: &Environment) -> Result<Self, SettingsError> {
        let Some(setting) = given(values, Key::WorkloadIdentityProvider) else {
            let has_token = given(values, Key::Token).or_else(|| given(values, Key::TokenFilePath)).is_some();
            let found = if has_token { Some(Self::Oidc) } else { Self::of_place(environment) };
            return found.ok_or(SettingsError::Missing {
                key: Key::WorkloadIdentityProvider,
                method: Some(Method::Workload(Self::Oidc)),
            });
        };
        let name = setting.value.expose().to_uppercase();
        let found = PROVIDERS.iter().find(|(known, _)| *known == name);
        found.map(|(_, provider)| *provider).ok_or_else(|| SettingsError::Invalid {
            key: Key::WorkloadIdentityProvider,
            value: setting.value.to_string(),
            origin: setting.origin.clone(),
            why: "the providers are AWS, AZURE, GCP and OIDC",
        })
    }

    /// The provider that the environment shows, without asking anybody.
    fn of_place(environment: &Environment) -> Option<Self> {
        let any = |names: &[&str]| names.iter().any(|name| environment.get(name).is_some());
        if environment.is_github() || environment.gitlab_token().is_some() {
            return Some(Self::Oidc);
        }
        let aws = [
            "AWS_ACCESS_KEY_ID",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_EXECUTION_ENV",
        ];
        let azure = ["AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT"];
        // What Cloud Run and Cloud Functions set.
        let gcp = ["K_SERVICE", "CLOUD_RUN_JOB"];
        [(&aws[..], Self::Aws), (&azure, Self::Azure), (&gcp, Self::Gcp)]
            .into_iter()
            .find_map(|(names, provider)| any(names).then_some(provider))
    }
}

impl Method {
    /// The names that `authenticator` takes, for messages.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SUPPORTED.iter().map(|(name, _)| *name).chain([OKTA])
    }

    /// The name for a person.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Password | Self::PasswordMfa => "password",
            Self::KeyPair => "key pair",
            Self::AccessToken => "programmatic access token",
            Self::Oauth => "OAuth token",
            Self::Browser => "browser",
            Self::OauthCode => "OAuth authorization code",
            Self::OauthClient => "OAuth client credentials",
            Self::Workload(_) => "workload identity",
            Self::Okta => "Okta",
        }
    }

    /// Whether a person has to do something for a login.
    pub fn needs_a_person(self) -> bool {
        matches!(self, Self::PasswordMfa | Self::Browser | Self::OauthCode)
    }

    /// Finds the method, and refuses one whose credentials are missing. Where the place that this runs in vouches
    /// for it and nobody gave anything else, that is entered into `values`.
    pub(super) fn resolve(
        values: &mut Values,
        environment: &Environment,
        service_token: Option<&Path>,
    ) -> Result<Self, SettingsError> {
        if let Some(setting) = given(values, Key::SessionToken).or_else(|| given(values, Key::MasterToken)) {
            return Err(SettingsError::ForeignSession { origin: setting.origin.clone() });
        }
        let method = match Self::of_place(values, environment, service_token) {
            Some(method) => method,
            None => Self::named(values, environment)?,
        };
        if method != Self::KeyPair {
            for key in [Key::PrivateKeyFile, Key::PrivateKeyRaw] {
                if let Some(setting) = given(values, key) {
                    return Err(SettingsError::KeyWithoutMethod { key, origin: setting.origin.clone() });
                }
            }
        }
        method.check(values)?;
        Ok(method)
    }

    /// What the place vouches for where no authenticator and no credential is given at all: a service of Snowpark
    /// Container Services has a token, and so has a job that was permitted one.
    fn of_place(
        values: &mut Values,
        environment: &Environment,
        service_token: Option<&Path>,
    ) -> Option<Self> {
        let named = given(values, Key::Authenticator).map(|setting| setting.value.expose().to_uppercase());
        let credentials =
            [Key::Password, Key::Token, Key::TokenFilePath, Key::PrivateKeyFile, Key::PrivateKeyRaw];
        if credentials.into_iter().any(|key| given(values, key).is_some()) {
            return None;
        }
        let enter = |values: &mut Values, key, text: String| {
            let value = SettingValue::Text(text);
            values.insert(key, Setting { value, origin: SettingOrigin::Default });
        };
        if let Some(path) = service_token.filter(|_| environment.get("SNOWFLAKE_HOST").is_some())
            && named.as_deref().is_none_or(|name| name == "OAUTH")
        {
            enter(values, Key::Authenticator, "OAUTH".to_owned());
            enter(values, Key::TokenFilePath, path.display().to_string());
            return Some(Self::Oauth);
        }
        if named.is_none() && (environment.offers_github_token() || environment.gitlab_token().is_some()) {
            enter(values, Key::Authenticator, "WORKLOAD_IDENTITY".to_owned());
            return Some(Self::Workload(Provider::Oidc));
        }
        None
    }

    fn check(self, values: &Values) -> Result<(), SettingsError> {
        let missing = |key| Err(SettingsError::Missing { key, method: Some(self) });
        let has = |key| given(values, key).is_some();
        let needs_user =
            matches!(self, Self::Password | Self::PasswordMfa | Self::KeyPair | Self::Browser | Self::Okta);
        if needs_user && !has(Key::User) {
            return missing(Key::User);
        }
        let alternatives: &[Key] = match self {
            Self::Password | Self::PasswordMfa | Self::Okta => &[Key::Password],
            Self::KeyPair => &[Key::PrivateKeyFile, Key::PrivateKeyRaw],
            Self::AccessToken | Self::Oauth => &[Key::Token, Key::TokenFilePath],
            Self::OauthClient if !has(Key::OauthClientSecret) => &[Key::OauthClientSecret],
            Self::OauthClient => &[Key::OauthClientId],
            Self::Browser | Self::OauthCode | Self::Workload(_) => &[],
        };
        self.check_addresses(values)?;
        if alternatives.is_empty() || alternatives.iter().any(|key| has(*key)) {
            return Ok(());
        }
        if self == Self::Password && (has(Key::Token) || has(Key::TokenFilePath)) {
            return Err(SettingsError::TokenWithoutMethod);
        }
        missing(alternatives[0])
    }

    /// Addresses that a browser or a secret is sent to.
    fn check_addresses(self, values: &Values) -> Result<(), SettingsError> {
        let keys: &[Key] = match self {
            Self::OauthCode => &[
                Key::OauthAuthorizationUrl,
                Key::OauthTokenRequestUrl,
                Key::OauthRedirectUri,
                Key::OauthSocketUri,
            ],
            Self::OauthClient => &[Key::OauthTokenRequestUrl],
            _ => &[],
        };
        for key in keys {
            let Some(setting) = given(values, *key) else { continue };
            let text = setting.value.expose();
            let why = if !(text.starts_with("https://") || text.starts_with("http://")) {
                "an address begins with https://"
            } else if *key == Key::OauthAuthorizationUrl && is_plain(&text) {
                "people sign in over https alone"
            } else {
                continue;
            };
            let (value, origin) = (setting.value.to_string(), setting.origin.clone());
            return Err(SettingsError::Invalid { key: *key, value, origin, why });
        }
        Ok(())
    }

    /// What secrets are sent to in the clear, and not on this machine.
    pub(super) fn plain_addresses(self, values: &Values) -> Option<SettingsWarning> {
        let setting = match self {
            Self::OauthCode | Self::OauthClient => given(values, Key::OauthTokenRequestUrl)?,
            _ => return None,
        };
        let origin = setting.origin.clone();
        is_plain(&setting.value.expose()).then_some(SettingsWarning::PlainHttp { origin })
    }

    fn named(values: &Values, environment: &Environment) -> Result<Self, SettingsError> {
        let Some(setting) = given(values, Key::Authenticator) else { return Ok(Self::Password) };
        let name = setting.value.expose().to_uppercase();
        match SUPPORTED.iter().find(|(known, _)| *known == name) {
            Some((_, Self::Workload(_))) => {
                return Provider::resolve(values, environment).map(Self::Workload);
            }
            Some((_, method)) => return Ok(*method),
            None if name.starts_with("HTTPS://") => return Ok(Self::Okta),
            None => {}
        }
        let written = setting.value.expose().into_owned();
        let origin = setting.origin.clone();
        if UNSUPPORTED.contains(&name.as_str()) {
            return Err(SettingsError::UnsupportedAuthenticator { name: written, origin });
        }
        let similar = closest(&name, SUPPORTED.iter().map(|(known, _)| *known));
        Err(SettingsError::UnknownAuthenticator { name: written, origin, similar })
    }
}

/// Whether an address is spoken to in the clear, and is not this machine.
fn is_plain(address: &str) -> bool {
    let Some(rest) = address.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    !matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}
