//! Amazon's cloud vouches by a signed request: the account sends it to Amazon's STS, which answers whose it is.
//!
//! Source: snowflake-connector-python `wif_util.py`; AWS documentation, "Create a signed AWS API request" (SigV4) and
//! "AWS SDKs standardized credential providers". The SDK would bring more code than this whole program has.

use super::workload::{elsewhere, refused, url};
use super::{Step, TokenSource};
use crate::host;
use crate::session::SessionError;
use crate::snowflake::outside::{self, Ask, Outside};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use ring::{digest, hmac};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use std::path::PathBuf;

/// What the request says it is for, so that nobody else can use it.
const AUDIENCE: &str = "snowflakecomputing.com";
const QUERY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
/// Machines answer here (instance metadata service, version 2).
const MACHINE: &str = "http://169.254.169.254";
/// Containers answer here, where the address is given as a path.
const CONTAINER: &str = "http://169.254.170.2";

/// Amazon's credentials.
pub(super) struct AwsKeys {
    id: String,
    secret: SecretString,
    session: Option<SecretString>,
}

/// Credentials as containers and machines answer them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeysAnswer {
    access_key_id: String,
    secret_access_key: String,
    #[serde(default)]
    token: Option<String>,
}

/// The request, signed and packed as a login carries it.
pub(super) async fn attestation(step: &Step<'_>) -> Result<SecretString, SessionError> {
    let keys = keys(step).await?;
    let region = region(step).await?;
    let host = sts_host(&region);
    let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    Ok(packed(&keys, &region, &host, &now))
}

fn packed(keys: &AwsKeys, region: &str, host: &str, now: &str) -> SecretString {
    let mut headers = vec![
        ("Host", host.to_owned()),
        ("X-Snowflake-Audience", AUDIENCE.to_owned()),
        ("X-Amz-Date", now.to_owned()),
    ];
    headers.extend(
        keys.session.as_ref().map(|token| ("X-Amz-Security-Token", token.expose_secret().to_owned())),
    );
    let authorization = authorization(keys, region, now, QUERY, &headers);
    headers.push(("Authorization", authorization));
    let headers: serde_json::Map<_, _> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let request = json!({"url": format!("https://{host}/?{QUERY}"), "method": "POST", "headers": headers});
    SecretString::from(STANDARD.encode(request.to_string()))
}

/// SigV4 of a POST to `/` without a body, for the service `sts`.
fn authorization(keys: &AwsKeys, region: &str, now: &str, query: &str, headers: &[(&str, String)]) -> String {
    let mut canonical: Vec<(String, &str)> =
        headers.iter().map(|(name, value)| (name.to_lowercase(), value.trim())).collect();
    canonical.sort();
    let signed = canonical.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
    let lines: String = canonical.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let request = format!("POST\n/\n{query}\n{lines}\n{signed}\n{}", sha256(b""));
    let day = &now[..8];
    let scope = format!("{day}/{region}/sts/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{now}\n{scope}\n{}", sha256(request.as_bytes()));
    let first = format!("AWS4{}", keys.secret.expose_secret());
    let key = [day, region, "sts", "aws4_request"]
        .into_iter()
        .fold(first.into_bytes(), |key, part| mac(&key, part.as_bytes()));
    let signature = hex(&mac(&key, text.as_bytes()));
    format!("AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}", keys.id)
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref().to_vec()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// China's regions have a domain of their own.
fn sts_host(region: &str) -> String {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("sts.{region}.{suffix}")
}

/// A region is part of a host, so it is checked to be nothing else.
async fn region(step: &Step<'_>) -> Result<String, SessionError> {
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| step.environment.get(name));
    let region = match named {
        Some(region) => region.to_owned(),
        None => machine(step, "/latest/meta-data/placement/region").await?,
    };
    let region = region.trim().to_owned();
    let is_region = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if region.is_empty() || !region.chars().all(is_region) {
        let message = format!("the AWS region is not usable: {region:?}");
        return Err(refused(&message, "set AWS_REGION to a region such as eu-central-1"));
    }
    Ok(region)
}

/// Credentials, from the first place that has some; the order is that of Amazon's own libraries.
async fn keys(step: &Step<'_>) -> Result<AwsKeys, SessionError> {
    let variable = |name: &str| step.environment.get(name);
    if let (Some(id), Some(secret)) = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
        let session = variable("AWS_SESSION_TOKEN").map(SecretString::from);
        return Ok(AwsKeys { id: id.to_owned(), secret: SecretString::from(secret), session });
    }
    if let (Some(file), Some(role)) = (variable("AWS_WEB_IDENTITY_TOKEN_FILE"), variable("AWS_ROLE_ARN")) {
        return assumed(step, file, role).await;
    }
    if let Some(keys) = shared_file(step) {
        return Ok(keys);
    }
    if let Some(keys) = container(step).await? {
        return Ok(keys);
    }
    let path = "/latest/meta-data/iam/security-credentials/";
    let role = machine(step, path).await?;
    let role = role.lines().next().unwrap_or_default().to_owned();
    read_keys(&machine(step, &format!("{path}{role}")).await?)
}

/// What the machine says of itself.
async fn machine(step: &Step<'_>, path: &str) -> Result<String, SessionError> {
    let base =
        step.environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or(MACHINE).trim_end_matches('/');
    let service = Outside::near("Amazon's metadata service", &step.desk.retry)?;
    let address =
        |path: &str| outside::address("AWS_EC2_METADATA_SERVICE_ENDPOINT", &format!("{base}{path}"));
    let ask = Ask::get(address("/latest/api/token")?)
        .with_method(Method::PUT)
        .header("x-aws-ec2-metadata-token-ttl-seconds", "300");
    let no_role = "run this on AWS, where a role is attached; elsewhere, set AWS_ACCESS_KEY_ID";
    let token = service.ask(&ask).await.map_err(|error| elsewhere(error, "AWS"))?;
    if !token.status.is_success() {
        return Err(service.no_sense(&ask, &token, no_role));
    }
    let token = String::from_utf8_lossy(&token.body).into_owned();
    let ask = Ask::get(address(path)?).header("x-aws-ec2-metadata-token", &token);
    let answer = service.ask(&ask).await?;
    if !answer.status.is_success() {
        return Err(service.no_sense(&ask, &answer, no_role));
    }
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}

/// The credentials of a container's role (ECS, EKS Pod Identity); nothing where there is none.
async fn container(step: &Step<'_>) -> Result<Option<AwsKeys>, SessionError> {
    let variable = |name: &str| step.environment.get(name);
    let address = match (
        variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        variable("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    ) {
        (Some(path), _) => format!("{CONTAINER}{path}"),
        (None, Some(address)) => address.to_owned(),
        (None, None) => return Ok(None),
    };
    let service = Outside::near("Amazon's container service", &step.desk.retry)?;
    let mut ask = Ask::get(outside::address("AWS_CONTAINER_CREDENTIALS_FULL_URI", &address)?);
    let token = match variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => Some(TokenSource::File(PathBuf::from(file)).read()?),
        None => variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(SecretString::from),
    };
    if let Some(token) = token {
        ask = ask.header("authorization", token.expose_secret());
    }
    let answer = service.ask(&ask).await?;
    if !answer.status.is_success() {
        return Err(service.no_sense(&ask, &answer, "check the role of the task or of the pod"));
    }
    read_keys(&String::from_utf8_lossy(&answer.body)).map(Some)
}

fn read_keys(text: &str) -> Result<AwsKeys, SessionError> {
    let read = serde_json::from_str::<KeysAnswer>(text).map_err(|_| {
        refused(
            "AWS gave credentials in a form that is not understood",
            "attach a role to this machine or container",
        )
    })?;
    let KeysAnswer { access_key_id: id, secret_access_key, token } = read;
    Ok(AwsKeys { id, secret: SecretString::from(secret_access_key), session: token.map(SecretString::from) })
}

/// The static credentials of a profile in `~/.aws/credentials`.
fn shared_file(step: &Step<'_>) -> Option<AwsKeys> {
    let named = step.environment.get("AWS_SHARED_CREDENTIALS_FILE").map(PathBuf::from);
    let path = named
        .or_else(|| step.environment.get("HOME").map(|home| PathBuf::from(home).join(".aws/credentials")));
    let profile = step.environment.get("AWS_PROFILE").unwrap_or("default");
    profile_keys(&host::files::read_to_string(&path?).ok()?, profile)
}

fn profile_keys(text: &str, profile: &str) -> Option<AwsKeys> {
    let heading = format!("[{profile}]");
    let section = text.lines().map(str::trim).skip_while(|line| *line != heading).skip(1);
    let section: Vec<&str> = section.take_while(|line| !line.starts_with('[')).collect();
    let value = |name: &str| {
        section.iter().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        })
    };
    Some(AwsKeys {
        id: value("aws_access_key_id")?,
        secret: SecretString::from(value("aws_secret_access_key")?),
        session: value("aws_session_token").map(SecretString::from),
    })
}

/// The role of a pod in Kubernetes, for the token that it was given.
async fn assumed(step: &Step<'_>, file: &str, role: &str) -> Result<AwsKeys, SessionError> {
    let token = TokenSource::File(PathBuf::from(file)).read()?;
    let region = region(step).await?;
    // The variable is that of Amazon's own libraries.
    let address = match step.environment.get("AWS_ENDPOINT_URL_STS") {
        Some(address) => outside::address("AWS_ENDPOINT_URL_STS", address)?,
        None => url(&format!("https://{}/", sts_host(&region))),
    };
    let session = step.environment.get("AWS_ROLE_SESSION_NAME").unwrap_or("snowform");
    let fields = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", role),
        ("RoleSessionName", session),
        ("WebIdentityToken", token.expose_secret()),
    ];
    let service = Outside::far("Amazon's STS", &address, &step.desk.retry)?;
    let ask = Ask::form(address, &fields);
    let answer = service.ask(&ask).await?;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let found =
        [element(&text, "AccessKeyId"), element(&text, "SecretAccessKey"), element(&text, "SessionToken")];
    match found {
        [Some(id), Some(secret), Some(session)] if answer.status.is_success() => Ok(AwsKeys {
            id: id.to_owned(),
            secret: SecretString::from(secret),
            session: Some(SecretString::from(session)),
        }),
        _ => {
            let why = element(&text, "Message").unwrap_or("it gave no reason");
            let why = why.replace(token.expose_secret(), "****");
            Err(refused(
                &format!("{} refuses the role {role}: {why}", service.name(&ask)),
                "check that the role trusts the service account of this pod",
            ))
        }
    }
}

/// The text of the first element of this name. The answers of STS are flat, and none of these texts needs escapes.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let start = text.find(&format!("<{name}>"))? + name.len() + 2;
    let end = text[start..].find(&format!("</{name}>"))?;
    Some(text[start..start + end].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(session: Option<&str>) -> AwsKeys {
        AwsKeys {
            id: "AKIDEXAMPLE".to_owned(),
            secret: SecretString::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session: session.map(SecretString::from),
        }
    }

    #[test]
    fn requests_are_signed_as_botocore_signs_them() {
        // Computed by botocore's SigV4Auth for the request that the Python connector makes, with the clock set.
        for (session, signature) in [(None, SIGNATURE), (Some("the/session+token=="), SIGNATURE_WITH_TOKEN)] {
            let host = sts_host("eu-central-1");
            let packed = packed(&keys(session), "eu-central-1", &host, "20261121T030000Z");
            let request: serde_json::Value =
                serde_json::from_slice(&STANDARD.decode(packed.expose_secret()).unwrap()).unwrap();
            assert_eq!(request["url"], format!("https://sts.eu-central-1.amazonaws.com/?{QUERY}"));
            assert_eq!(
                (&request["method"], &request["headers"]["Authorization"]),
                (&"POST".into(), &signature.into())
            );
            assert_eq!(request["headers"]["X-Snowflake-Audience"], AUDIENCE);
        }
    }

    const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-central-1/sts/aws4_request, SignedHeaders=host;x-amz-date;x-snowflake-audience, Signature=73753bbb363bef3483cca789b6b9545e71ab68d2b47b06c5ce6868b8aa675b9f";
    const SIGNATURE_WITH_TOKEN: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-central-1/sts/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token;x-snowflake-audience, Signature=85931e0a79358161b57eaa30147fe1b95321e642130f6139b313ef81464636c4";

    #[test]
    fn profiles_and_answers_are_read() {
        let text = "[other]\naws_access_key_id = no\n[default]\naws_access_key_id = A\naws_secret_access_key=B\n[x]\n";
        let found = profile_keys(text, "default").unwrap();
        assert_eq!((found.id.as_str(), found.secret.expose_secret()), ("A", "B"));
        assert!(profile_keys(text, "other").is_none() && profile_keys(text, "none").is_none());
        assert_eq!(element("<a><AccessKeyId>X</AccessKeyId></a>", "AccessKeyId"), Some("X"));
        assert_eq!(sts_host("cn-north-1"), "sts.cn-north-1.amazonaws.com.cn");
    }
}
