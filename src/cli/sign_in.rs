//! What signing in asks of a person, and the flags of its less common ways.

use super::connect::SecretText;
use super::ui::Ui;
use crate::snowflake::auth::desk::{Notice, Person};
use crate::snowflake::settings::Key;
use clap::Args;
use secrecy::SecretString;

/// Flags of OAuth, workload identities and kept tokens; snow's. Said by `--help`, not by `-h`.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub(super) struct SignInArgs {
    /// Who vouches for workload_identity: AWS, AZURE, GCP or OIDC
    #[arg(long, hide_short_help = true, value_name = "PROVIDER")]
    workload_identity_provider: Option<String>,
    /// Client that OAuth tokens are asked for as
    #[arg(long, hide_short_help = true, value_name = "ID")]
    oauth_client_id: Option<String>,
    /// Its secret; better in a connection file or in SNOWFLAKE_OAUTH_CLIENT_SECRET
    #[arg(long, hide_short_help = true, value_name = "SECRET")]
    oauth_client_secret: Option<SecretText>,
    /// Where people sign in [default: the account's own page]
    #[arg(long, hide_short_help = true, value_name = "URL")]
    oauth_authorization_url: Option<String>,
    /// Where tokens are asked for [default: the account]
    #[arg(long, hide_short_help = true, value_name = "URL")]
    oauth_token_request_url: Option<String>,
    /// Where the browser is sent back to [default: http://127.0.0.1, any port]
    #[arg(long, hide_short_help = true, value_name = "URL")]
    oauth_redirect_uri: Option<String>,
    /// What the token may be used for [default: session:role:ROLE of the connection's role]
    #[arg(long, hide_short_help = true, value_name = "SCOPE")]
    oauth_scope: Option<String>,
    /// Leave the proof of RFC 7636 out
    #[arg(long, hide_short_help = true)]
    oauth_disable_pkce: bool,
    /// Renew OAuth tokens without a person
    #[arg(long, hide_short_help = true)]
    oauth_enable_refresh_tokens: bool,
    /// Ask for refresh tokens that are good once
    #[arg(long, hide_short_help = true)]
    oauth_enable_single_use_refresh_tokens: bool,
    /// Keep tokens and sessions in files between two commands
    #[arg(long, hide_short_help = true)]
    client_store_temporary_credential: bool,
    /// Leave the session open at the end
    #[arg(long, hide_short_help = true)]
    server_session_keep_alive: bool,
    /// Which further roles take part: ALL or NONE
    #[arg(long, hide_short_help = true, value_name = "ROLES")]
    secondary_roles: Option<String>,
}

impl SignInArgs {
    /// The same, in the words of the settings.
    pub(super) fn flags(&self) -> Vec<(Key, SecretString)> {
        let Self {
            workload_identity_provider,
            oauth_client_id,
            oauth_client_secret,
            oauth_authorization_url,
            oauth_token_request_url,
            oauth_redirect_uri,
            oauth_scope,
            oauth_disable_pkce,
            oauth_enable_refresh_tokens,
            oauth_enable_single_use_refresh_tokens,
            client_store_temporary_credential,
            server_session_keep_alive,
            secondary_roles,
        } = self;
        let texts = [
            (Key::WorkloadIdentityProvider, workload_identity_provider),
            (Key::OauthClientId, oauth_client_id),
            (Key::OauthAuthorizationUrl, oauth_authorization_url),
            (Key::OauthTokenRequestUrl, oauth_token_request_url),
            (Key::OauthRedirectUri, oauth_redirect_uri),
            (Key::OauthScope, oauth_scope),
            (Key::SecondaryRoles, secondary_roles),
        ];
        let switches = [
            (Key::OauthDisablePkce, oauth_disable_pkce),
            (Key::OauthEnableRefreshTokens, oauth_enable_refresh_tokens),
            (Key::OauthEnableSingleUseRefreshTokens, oauth_enable_single_use_refresh_tokens),
            (Key::ClientStoreTemporaryCredential, client_store_temporary_credential),
            (Key::ServerSessionKeepAlive, server_session_keep_alive),
        ];
        let texts =
            texts.into_iter().filter_map(|(key, text)| Some((key, SecretString::from(text.clone()?))));
        let switches = switches.into_iter().filter(|(_, is_set)| **is_set);
        let switches = switches.map(|(key, _)| (key, SecretString::from("true")));
        let secret = oauth_client_secret.as_ref().map(|text| (Key::OauthClientSecret, text.secret()));
        texts.chain(switches).chain(secret).collect()
    }
}

/// The person at this terminal. They are told even where remarks are left out: without it they would wait for nothing.
pub(super) struct AtTerminal(pub(super) Ui);

impl Person for AtTerminal {
    fn tell(&self, notice: Notice<'_>) {
        let text = match notice {
            Notice::Browser { url, opened: true } => format!(
                "Sign in with the browser window that was opened. If there is none, open this address:\n{url}"
            ),
            Notice::Browser { url, opened: false } => format!(
                "Sign in with a browser on this machine, at this address:\n{url}\n\
                 With a browser elsewhere, paste the address here that it leads to at last and cannot show: it begins with \
                 http://localhost or http://127.0.0.1."
            ),
            Notice::OtherAddress => {
                "That is not it: the address begins with http://localhost or http://127.0.0.1, and holds a code or a token."
                    .to_owned()
            }
            Notice::Push => "Approve the sign-in on your telephone …".to_owned(),
            Notice::Waiting => "Another process is signing in; waiting for it …".to_owned(),
        };
        self.0.notice(&text);
    }
}
