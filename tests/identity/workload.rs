//! Workload identities: the services of GitHub, GitLab, Amazon, Microsoft and Google, as far as they are asked.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A text of the form of a JSON web token.
const JWT: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.sig-5ecret";
/// The hosts of these tests are none of Snowflake's.
const HERE: (&str, &str) = ("SNOWFLAKE_WIF_ALLOWED_HOST_SUFFIXES", "127.0.0.1");
const WORKLOAD: (&str, &str) = ("SNOWFLAKE_AUTHENTICATOR", "WORKLOAD_IDENTITY");

async fn desk(variables: &[(&str, &str)]) -> Desk {
    let mut desk = Desk::new(&[HERE]).await;
    desk.variables.remove("SNOWFLAKE_USER");
    for (name, value) in variables {
        desk.set(name, value);
    }
    desk
}

fn assert_login(desk: &Desk, provider: &str, token: &str) {
    let login = desk.login();
    assert_eq!(login["AUTHENTICATOR"], "WORKLOAD_IDENTITY");
    assert_eq!((&login["PROVIDER"], &login["TOKEN"]), (&json!(provider), &json!(token)));
    assert!(login.get("LOGIN_NAME").is_none() && login.get("PASSWORD").is_none());
}

async fn github(variables: &[(&str, &str)]) -> Desk {
    let mut desk = desk(&[("GITHUB_ACTIONS", "true"), ("CI", "true")]).await;
    let url = format!("{}?api-version=2.0", desk.account.url("/github"));
    desk.set("ACTIONS_ID_TOKEN_REQUEST_URL", &url).set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-5ecret");
    for (name, value) in variables {
        desk.set(name, value);
    }
    desk
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_github_needs_nothing_but_the_account() {
    for (variables, audience) in
        [(vec![], "snowflakecomputing.com"), (vec![("SNOWFLAKE_AUDIENCE", "mine"), WORKLOAD], "mine")]
    {
        let desk = github(&variables).await;
        desk.account.on("/github", [json_reply(json!({"count": 1, "value": JWT}))]);
        desk.sign_in().succeeded();
        let [asked] = &desk.account.seen("/github")[..] else { panic!("asked once") };
        assert_eq!(asked.headers["authorization"], "Bearer request-5ecret");
        assert_eq!(
            (asked.query["audience"].as_str(), asked.query["api-version"].as_str()),
            (audience, "2.0")
        );
        assert_login(&desk, "OIDC", JWT);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_github_without_the_permission_is_told_which() {
    let permission = &["may not have an identity token", "id-token: write"][..];
    // Without the permission, GitHub does not set the variables.
    let mut desk = desk(&[("GITHUB_ACTIONS", "true"), WORKLOAD]).await;
    desk.sign_in().refused(4, permission);
    desk.set("ACTIONS_ID_TOKEN_REQUEST_URL", "https://example.invalid/");
    desk.sign_in().refused(4, permission);
    let cases: [(Reply, i32, &[&str]); 4] = [
        (Reply::status(403, json!({"message": "no"})), 4, permission),
        (Reply::raw(200, "text/html", "<title>Unicorn</title>5ecret"), 1, &["titled \"Unicorn\""]),
        (json_reply(json!({"value": null})), 1, &["GitHub's token service", "answered something else"]),
        (json_reply(json!({"value": "no-jwt-5ecret"})), 4, &["is no JSON web token"]),
    ];
    for (reply, code, words) in cases {
        let desk = github(&[]).await;
        desk.account.on("/github", [reply]);
        desk.sign_in().refused(code, words);
        assert!(desk.account.seen(LOGIN).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_gitlab_has_its_token_in_a_variable() {
    for name in ["SNOWFLAKECOMPUTING_COM_ID_TOKEN", "SNOWFLAKE_ID_TOKEN"] {
        let desk = desk(&[("GITLAB_CI", "true"), (name, JWT)]).await;
        desk.sign_in().succeeded();
        assert_login(&desk, "OIDC", JWT);
    }
    let provider = ("SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER", "oidc");
    let without = desk(&[("GITLAB_CI", "true"), WORKLOAD, provider]).await;
    without
        .sign_in()
        .refused(4, &["id_tokens:", "SNOWFLAKECOMPUTING_COM_ID_TOKEN:", "aud: snowflakecomputing.com"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_be_given_and_goes_to_snowflake_alone() {
    let mut desk = desk(&[WORKLOAD, ("SNOWFLAKE_TOKEN", JWT)]).await;
    desk.sign_in().succeeded();
    assert_login(&desk, "OIDC", JWT);
    let file = desk.home().join("token");
    std::fs::write(&file, format!("{JWT}\n")).unwrap();
    desk.variables.remove("SNOWFLAKE_TOKEN");
    desk.set("SNOWFLAKE_TOKEN_FILE_PATH", file.to_str().unwrap());
    desk.sign_in().succeeded();
    assert_login(&desk, "OIDC", JWT);
    let before = desk.account.all().len();
    desk.variables.remove(HERE.0);
    desk.sign_in().refused(4, &["shown to Snowflake alone", "SNOWFLAKE_WIF_ALLOWED_HOST_SUFFIXES"]);
    assert_eq!(desk.account.all().len(), before, "nothing was sent");
}

/// The request that a login carries.
fn signed(desk: &Desk) -> Value {
    let login = desk.login();
    assert_eq!((&login["AUTHENTICATOR"], &login["PROVIDER"]), (&json!("WORKLOAD_IDENTITY"), &json!("AWS")));
    serde_json::from_slice(&STANDARD.decode(login["TOKEN"].as_str().unwrap()).unwrap()).unwrap()
}

const AWS: (&str, &str) = ("SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER", "AWS");

#[tokio::test(flavor = "multi_thread")]
async fn amazon_vouches_by_a_signed_request_from_wherever_the_keys_are() {
    let keys =
        json!({"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "aws-5ecret", "Token": "session-token"});
    let region = ("AWS_REGION", "eu-central-1");

    let given = [
        WORKLOAD,
        AWS,
        region,
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "aws-5ecret"),
    ];
    let by_variables = desk(&given).await;
    by_variables.sign_in().succeeded();
    let request = signed(&by_variables);
    assert_eq!(request["headers"]["Host"], "sts.eu-central-1.amazonaws.com");
    assert!(request["headers"].get("X-Amz-Security-Token").is_none());
    assert!(request["headers"]["Authorization"].as_str().unwrap().contains("Credential=AKIDEXAMPLE/"));

    let mut container =
        desk(&[WORKLOAD, AWS, region, ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "container-5ecret")]).await;
    let url = container.account.url("/container");
    container.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url);
    container.account.on("/container", [json_reply(keys.clone())]);
    container.sign_in().succeeded();
    assert_eq!(container.account.seen("/container")[0].headers["authorization"], "container-5ecret");
    assert_eq!(signed(&container)["headers"]["X-Amz-Security-Token"], "session-token");

    let mut machine = desk(&[WORKLOAD, AWS]).await;
    let url = machine.account.url("");
    machine.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url);
    let text = |text: &str| Reply::raw(200, "text/plain", text);
    let roles = "/latest/meta-data/iam/security-credentials/";
    machine.account.on("/latest/api/token", [text("imds-5ecret"), text("imds-5ecret"), text("imds-5ecret")]);
    machine.account.on(roles, [text("my-role")]);
    machine.account.on(&format!("{roles}my-role"), [json_reply(keys)]);
    machine.account.on("/latest/meta-data/placement/region", [text("us-west-2")]);
    machine.sign_in().succeeded();
    assert_eq!(machine.account.seen(roles)[0].headers["x-aws-ec2-metadata-token"], "imds-5ecret");
    assert_eq!(machine.account.seen("/latest/api/token")[0].method, "PUT");
    assert_eq!(
        signed(&machine)["url"].as_str().unwrap().split('?').next(),
        Some("https://sts.us-west-2.amazonaws.com/")
    );

    let mut pod = desk(&[WORKLOAD, AWS, region, ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")]).await;
    let (file, url) = (pod.home().join("web"), pod.account.url("/sts"));
    std::fs::write(&file, JWT).unwrap();
    pod.set("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap()).set("AWS_ENDPOINT_URL_STS", &url);
    let xml = "<R><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>aws-5ecret</SecretAccessKey>\
               <SessionToken>assumed</SessionToken></Credentials></R>";
    let denied = format!("<ErrorResponse><Error><Message>Not for {JWT}</Message></Error></ErrorResponse>");
    pod.account.on("/sts", [Reply::raw(200, "text/xml", xml), Reply::raw(403, "text/xml", denied)]);
    pod.sign_in().succeeded();
    let asked = &pod.account.seen("/sts")[0].body;
    assert_eq!(
        (&asked["Action"], &asked["WebIdentityToken"]),
        (&json!("AssumeRoleWithWebIdentity"), &json!(JWT))
    );
    assert_eq!(signed(&pod)["headers"]["X-Amz-Security-Token"], "assumed");
    pod.sign_in().refused(4, &["refuses the role arn:aws:iam::1:role/r: Not for ****"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_on_amazon_is_said_to_be_elsewhere() {
    let mut nowhere = desk(&[WORKLOAD, AWS]).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    nowhere.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &format!("http://{free}"));
    nowhere.sign_in().refused(1, &["Amazon's metadata service", "run this on AWS"]);
    nowhere
        .set("AWS_ACCESS_KEY_ID", "A")
        .set("AWS_SECRET_ACCESS_KEY", "aws-5ecret")
        .set("AWS_REGION", "x.evil/");
    nowhere.sign_in().refused(4, &["the AWS region is not usable"]);
    nowhere.set("AWS_REGION", "eu-central-1").set("SNOWFLAKE_ENABLE_AWS_WIF_OUTBOUND_TOKEN", "true");
    nowhere.sign_in().refused(4, &["are not supported"]);
}

const AZURE: (&str, &str) = ("SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER", "azure");
const RESOURCE: &str = "api://fd3f753b-eed3-462c-b6a7-a4b5bb650aad";

#[tokio::test(flavor = "multi_thread")]
async fn microsoft_vouches_for_machines_functions_and_pods() {
    let token = || json_reply(json!({"access_token": JWT}));
    let path = "/metadata/identity/oauth2/token";

    let mut machine = desk(&[WORKLOAD, AZURE, ("MANAGED_IDENTITY_CLIENT_ID", "client-7")]).await;
    let url = machine.account.url("");
    machine.set("AZURE_POD_IDENTITY_AUTHORITY_HOST", &url);
    machine.account.on(path, [token()]);
    machine.sign_in().succeeded();
    let asked = &machine.account.seen(path)[0];
    assert_eq!((asked.headers["metadata"].as_str(), asked.query["resource"].as_str()), ("true", RESOURCE));
    assert_eq!(
        (asked.query["api-version"].as_str(), asked.query["client_id"].as_str()),
        ("2018-02-01", "client-7")
    );
    assert_login(&machine, "AZURE", JWT);

    let mut function = desk(&[WORKLOAD, AZURE]).await;
    function.configure("workload_identity_entra_resource = \"api://mine\"");
    let url = function.account.url("/msi/token");
    function.set("IDENTITY_ENDPOINT", &url);
    function.sign_in().refused(4, &["no managed identity", "IDENTITY_HEADER"]);
    function.set("IDENTITY_HEADER", "header-5ecret");
    function.account.on("/msi/token", [token(), Reply::status(400, json!({"error": "no identity"}))]);
    function.sign_in().succeeded();
    let asked = &function.account.seen("/msi/token")[0];
    assert_eq!(asked.headers["x-identity-header"], "header-5ecret");
    assert_eq!(
        (asked.query["api-version"].as_str(), asked.query["resource"].as_str()),
        ("2019-08-01", "api://mine")
    );
    function.sign_in().refused(1, &["Azure's identity service", "status 400", "managed identity"]);

    let mut pod =
        desk(&[WORKLOAD, AZURE, ("AZURE_CLIENT_ID", "client-8"), ("AZURE_TENANT_ID", "tenant")]).await;
    let (file, url) = (pod.home().join("federated"), pod.account.url(""));
    std::fs::write(&file, "federated-5ecret").unwrap();
    pod.set("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()).set("AZURE_AUTHORITY_HOST", &url);
    pod.account.on("/tenant/oauth2/v2.0/token", [token()]);
    pod.sign_in().succeeded();
    let asked = &pod.account.seen("/tenant/oauth2/v2.0/token")[0].body;
    assert_eq!(
        (&asked["client_assertion"], &asked["client_id"]),
        (&json!("federated-5ecret"), &json!("client-8"))
    );
    assert_eq!(asked["scope"], format!("{RESOURCE}/.default"));
    assert_login(&pod, "AZURE", JWT);
}

#[tokio::test(flavor = "multi_thread")]
async fn google_vouches_for_service_accounts() {
    let path = "/computeMetadata/v1/instance/service-accounts/default/identity";
    let mut desk = desk(&[WORKLOAD, ("SNOWFLAKE_WORKLOAD_IDENTITY_PROVIDER", "GCP")]).await;
    let host = format!("127.0.0.1:{}", desk.account.port);
    desk.set("GCE_METADATA_HOST", &host);
    desk.account.on(path, [Reply::raw(200, "text/html", JWT), Reply::raw(404, "text/html", "5ecret")]);
    desk.sign_in().succeeded();
    let asked = &desk.account.seen(path)[0];
    assert_eq!(asked.headers["metadata-flavor"], "Google");
    assert_eq!(asked.query["audience"], "snowflakecomputing.com");
    assert_login(&desk, "GCP", JWT);
    desk.sign_in().refused(4, &["status 404", "service account"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_that_the_account_does_not_know_is_told_how_it_would() {
    let desk = desk(&[WORKLOAD, ("SNOWFLAKE_TOKEN", JWT)]).await;
    desk.account.on(LOGIN, [Reply::refusal("394601", &format!("No user for {JWT}."))]);
    desk.sign_in().refused(4, &["No user for ****.", "SET WORKLOAD_IDENTITY"]);
}
