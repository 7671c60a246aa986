//! Workload identity: the place that this runs in vouches for it. One function per place; each gives the text that a
//! login carries as its token.
//!
//! Source: snowflake-connector-python `wif_util.py`, `auth/workload_identity.py`; PyPI `id` (GitHub and GitLab).

use super::{Obtained, Step, TokenSource, aws};
use crate::host;
use crate::session::SessionError;
use crate::snowflake::http::Answer;
use crate::snowflake::outside::{self, Ask, Outside};
use crate::snowflake::settings::{Environment, Key, Provider, Settings, expand_home};
use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// Snowflake's application in Microsoft's directory.
const ENTRA_RESOURCE: &str = "api://fd3f753b-eed3-462c-b6a7-a4b5bb650aad";
/// The hosts that such a token may be sent to: it is worth a sign-in, and a host is easily set to another.
const SUFFIXES: [&str; 3] = ["snowflakecomputing.com", "snowflakecomputing.cn", "snowflakecomputing.mil"];
/// More such hosts, of the environment alone, so that no file can add them.
const MORE_SUFFIXES: &str = "SNOWFLAKE_WIF_ALLOWED_HOST_SUFFIXES";

/// A workload that somebody vouches for.
pub(super) struct Workload {
    provider: Provider,
    given: Option<TokenSource>,
    entra_resource: String,
}

#[derive(Deserialize)]
struct GithubAnswer {
    value: Option<String>,
}

#[derive(Deserialize)]
struct AzureAnswer {
    access_token: Option<String>,
}

impl Workload {
    pub(super) fn new(settings: &Settings, provider: Provider) -> Result<Self, SessionError> {
        let outbound = settings.is_true(Key::WorkloadIdentityAwsUseOutboundToken)
            || settings.environment().is_on("SNOWFLAKE_ENABLE_AWS_WIF_OUTBOUND_TOKEN");
        if outbound && provider == Provider::Aws {
            return Err(refused(
                "AWS's own identity tokens (workload_identity_aws_use_outbound_token) are not supported",
                "leave the setting out; the role then signs a request, which every account accepts",
            ));
        }
        check_host(settings.host(), settings.environment())?;
        let file = settings.text(Key::TokenFilePath);
        let file =
            file.map(|path| TokenSource::File(expand_home(&path, host::environment::home().as_deref())));
        let given = file.or_else(|| settings.secret(Key::Token).map(TokenSource::Given));
        let entra_resource = settings.text(Key::WorkloadIdentityEntraResource);
        let entra_resource =
            entra_resource.map_or_else(|| ENTRA_RESOURCE.to_owned(), |text| text.into_owned());
        Ok(Self { provider, given, entra_resource })
    }

    /// What the place vouches with. Asked for at every login: it is good for minutes.
    pub(super) async fn obtain(&self, step: &Step<'_>) -> Result<Obtained, SessionError> {
        let token = match self.provider {
            Provider::Oidc => match &self.given {
                Some(given) => given.read()?,
                None => ambient(step).await?,
            },
            Provider::Aws => aws::attestation(step).await?,
            Provider::Azure => self.azure(step).await?,
            Provider::Gcp => gcp(step).await?,
        };
        if self.provider != Provider::Aws {
            check_form(token.expose_secret())?;
        }
        Ok(Obtained {
            authenticator: Some("WORKLOAD_IDENTITY"),
            token: Some(token),
            provider: Some(self.provider.name()),
            ..Obtained::default()
        })
    }

    /// The managed identity: that of a pod in Kubernetes, of a function, or of the machine.
    async fn azure(&self, step: &Step<'_>) -> Result<SecretString, SessionError> {
        let environment = step.environment;
        let pod = ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"]
            .map(|name| environment.get(name));
        if let [Some(client), Some(tenant), Some(file)] = pod {
            return self.azure_pod(step, client, tenant, file).await;
        }
        let (base, version, header) = match environment.get("IDENTITY_ENDPOINT") {
            Some(endpoint) => {
                let secret = environment.get("IDENTITY_HEADER").ok_or_else(|| {
                    refused(
                        "this function has no managed identity (IDENTITY_HEADER is not set)",
                        "switch the function's managed identity on",
                    )
                })?;
                (endpoint.to_owned(), "2019-08-01", ("x-identity-header", secret.to_owned()))
            }
            None => {
                // The variable is that of Microsoft's own libraries.
                let host = environment.get("AZURE_POD_IDENTITY_AUTHORITY_HOST");
                let host = host.unwrap_or("http://169.254.169.254").trim_end_matches('/');
                (
                    format!("{host}/metadata/identity/oauth2/token"),
                    "2018-02-01",
                    ("metadata", "true".to_owned()),
                )
            }
        };
        let mut url = outside::address("the address of Azure's identity service", &base)?;
        url.query_pairs_mut()
            .append_pair("api-version", version)
            .append_pair("resource", &self.entra_resource);
        if let Some(client) = environment.get("MANAGED_IDENTITY_CLIENT_ID") {
            url.query_pairs_mut().append_pair("client_id", client);
        }
        let service = Outside::near("Azure's identity service", &step.desk.retry)?;
        let ask = Ask::get(url).header(header.0, &header.1);
        self.azure_token(&service, &ask, "run this on Azure, in a place that has a managed identity").await
    }

    /// The pod's own token, exchanged for one of Microsoft's directory.
    async fn azure_pod(
        &self,
        step: &Step<'_>,
        client: &str,
        tenant: &str,
        file: &str,
    ) -> Result<SecretString, SessionError> {
        let assertion = TokenSource::File(file.into()).read()?;
        let authority =
            step.environment.get("AZURE_AUTHORITY_HOST").unwrap_or("https://login.microsoftonline.com");
        let base = format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'));
        let url = outside::address("the address of Microsoft's directory", &base)?;
        let scope = format!("{}/.default", self.entra_resource);
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion.expose_secret()),
            ("scope", &scope),
        ];
        let service = Outside::far("Microsoft's directory", &url, &step.desk.retry)?;
        let help = "check that the pod's identity is federated with the application AZURE_CLIENT_ID";
        self.azure_token(&service, &Ask::form(url, &fields), help).await
    }

    async fn azure_token(
        &self,
        service: &Outside,
        ask: &Ask,
        help: &str,
    ) -> Result<SecretString, SessionError> {
        let answer = service.ask(ask).await?;
        let read = serde_json::from_slice::<AzureAnswer>(&answer.body).ok();
        let token = read.and_then(|read| read.access_token).filter(|_| answer.status.is_success());
        token.map(SecretString::from).ok_or_else(|| service.no_sense(ask, &answer, help))
    }
}

/// The identity token of the job that this runs in.
async fn ambient(step: &Step<'_>) -> Result<SecretString, SessionError> {
    let environment = step.environment;
    if environment.is_github() {
        return github(step).await;
    }
    if let Some(token) = environment.gitlab_token() {
        return Ok(SecretString::from(token));
    }
    if environment.is_gitlab() {
        let [name, _] = environment.gitlab_variables();
        return Err(refused(
            "this job of GitLab has no identity token",
            &format!(
                "give it one in .gitlab-ci.yml:\nid_tokens:\n  {name}:\n    aud: {}",
                environment.audience()
            ),
        ));
    }
    Err(refused(
        "there is no OpenID Connect token",
        "set token or token_file_path in the connection; jobs of GitHub Actions and GitLab have one by themselves",
    ))
}

/// Asks GitHub for a token of this job.
async fn github(step: &Step<'_>) -> Result<SecretString, SessionError> {
    let environment = step.environment;
    let variables = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
    let [Some(address), Some(token)] = variables.map(|name| environment.get(name)) else {
        return Err(not_permitted());
    };
    let mut url = outside::address("ACTIONS_ID_TOKEN_REQUEST_URL", address)?;
    url.query_pairs_mut().append_pair("audience", environment.audience());
    let service = Outside::far("GitHub's token service", &url, &step.desk.retry)?;
    let ask = Ask::get(url).bearer(&SecretString::from(token));
    let answer = service.ask(&ask).await?;
    if matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return Err(not_permitted());
    }
    let read = serde_json::from_slice::<GithubAnswer>(&answer.body).ok();
    let token = read.and_then(|read| read.value).filter(|_| answer.status.is_success());
    let help = "run the job again; see https://www.githubstatus.com";
    token.map(SecretString::from).ok_or_else(|| service.no_sense(&ask, &answer, help))
}

fn not_permitted() -> SessionError {
    refused(
        "this job of GitHub Actions may not have an identity token",
        "give it the permission in the workflow:\npermissions:\n  id-token: write\n  contents: read",
    )
}

/// The identity token of the service account.
async fn gcp(step: &Step<'_>) -> Result<SecretString, SessionError> {
    // The variable is that of Google's own libraries.
    let host = step.environment.get("GCE_METADATA_HOST").unwrap_or("metadata.google.internal");
    let base = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/identity");
    let mut url = outside::address("the address of Google's metadata service", &base)?;
    url.query_pairs_mut().append_pair("audience", step.environment.audience());
    let service = Outside::near("Google's metadata service", &step.desk.retry)?;
    let ask = Ask::get(url).header("metadata-flavor", "Google");
    let Answer { status, body, .. } =
        &service.ask(&ask).await.map_err(|error| elsewhere(error, "Google Cloud"))?;
    let text = std::str::from_utf8(body).ok().map(str::trim).filter(|text| is_jwt(text));
    match text.filter(|_| status.is_success()) {
        Some(token) => Ok(SecretString::from(token)),
        None => Err(refused(
            &format!("Google's metadata service gave no identity token (status {})", status.as_u16()),
            "run this where a service account is attached",
        )),
    }
}

/// What does not answer is most likely not there.
pub(super) fn elsewhere(error: SessionError, cloud: &str) -> SessionError {
    match error {
        SessionError::Unreachable { message, .. } => SessionError::Unreachable {
            message,
            help: format!("run this on {cloud}; elsewhere, choose another workload_identity_provider"),
        },
        other => other,
    }
}

/// The account checks the token; a text of another form is a slip that is better told here.
fn check_form(token: &str) -> Result<(), SessionError> {
    if is_jwt(token) {
        return Ok(());
    }
    Err(refused(
        "the identity token is no JSON web token",
        "it has three parts with dots between them; check where it comes from",
    ))
}

fn is_jwt(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'='))
    };
    text.split('.').count() == 3 && text.split('.').all(is_part)
}

/// Such a token goes to Snowflake alone.
fn check_host(host: &str, environment: &Environment) -> Result<(), SessionError> {
    let more = environment.get(MORE_SUFFIXES).unwrap_or_default();
    let more =
        more.split(',').map(|suffix| suffix.trim().to_ascii_lowercase()).filter(|suffix| !suffix.is_empty());
    let ends =
        |suffix: &str| host == suffix || host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'));
    if SUFFIXES.into_iter().any(ends) || more.into_iter().any(|suffix| ends(&suffix)) {
        return Ok(());
    }
    Err(refused(
        &format!("workload identities are shown to Snowflake alone, and {host} is not one of its hosts"),
        &format!(
            "check the host; one of an installation of your own is named by the variable {MORE_SUFFIXES}"
        ),
    ))
}

pub(super) fn refused(message: &str, help: &str) -> SessionError {
    SessionError::Authentication { code: None, message: message.to_owned(), help: help.to_owned() }
}

/// The address of a request whose host is known to be good.
pub(super) fn url(text: &str) -> Url {
    Url::parse(text).expect("internal error: the address is well-formed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_shown_to_snowflake_alone() {
        let none = Environment::default();
        let more = [(MORE_SUFFIXES.to_owned(), " example.org, 127.0.0.1".to_owned())];
        let more = Environment::new(more.into());
        for host in [
            "acct.snowflakecomputing.com",
            "o-a.privatelink.snowflakecomputing.com",
            "a.snowflakecomputing.cn",
        ] {
            check_host(host, &none).unwrap();
        }
        for host in ["evilsnowflakecomputing.com", "snowflakecomputing.com.evil.example", "127.0.0.1", ""] {
            assert!(check_host(host, &none).is_err(), "{host}");
        }
        check_host("127.0.0.1", &more).unwrap();
        check_host("sf.example.org", &more).unwrap();
        assert!(check_host("example.com", &more).is_err());
    }

    #[test]
    fn a_token_has_three_parts() {
        assert!(
            is_jwt("eyJh.eyJp.sig_-") && !is_jwt("eyJh.eyJp") && !is_jwt("a b.c.d") && !is_jwt("<html>..")
        );
    }
}
