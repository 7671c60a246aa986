//! Why a registry, or what leads to it, refuses; and what to do about it.

use std::path::PathBuf;

/// A failure. Never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Nothing answers.
    #[error("the registry {host} cannot be reached: {reason}")]
    Unreachable {
        /// The registry.
        host: String,
        /// The reason that the network gave.
        reason: String,
    },
    /// The credentials are not taken.
    #[error("the registry {host} does not accept the sign-in: {reason}")]
    Refused {
        /// The registry.
        host: String,
        /// The registry's words.
        reason: String,
    },
    /// Any other answer that is not the one asked for.
    #[error("Call to the registry failed: {host} answered {status}: {reason}")]
    Failed {
        /// The registry.
        host: String,
        /// The HTTP status.
        status: u16,
        /// The registry's words.
        reason: String,
    },
    /// A host that clients cannot push to.
    #[error("no client can push to the registry host {host}")]
    Host {
        /// The registry.
        host: String,
    },
    /// A file of credentials cannot be read or written.
    #[error("{} cannot be used: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl RegistryError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Unreachable { .. } => {
                "the host follows from the organisation and the account; a wrong one has no address. Behind a private \
                 link, use --private-link"
                    .to_owned()
            }
            Self::Refused { .. } => {
                "tokens count for one user and one role, so after a change of role a new sign-in is needed; the account \
                 may also give tokens for the registry only to clients that it knows: see client_app_id of the \
                 connection"
                    .to_owned()
            }
            Self::Failed { status: 403, .. } => {
                "pulling needs READ and pushing WRITE on the repository: GRANT READ ON IMAGE REPOSITORY … TO ROLE …"
                    .to_owned()
            }
            // "Failed to perform repository operation" is what Snowflake's registry says of other people's accounts.
            Self::Failed { reason, .. } if reason.contains("repository operation") => {
                "the host belongs to another account than the sign-in, or the repository is not there; compare with\n\
                 snowform image-registry url"
                    .to_owned()
            }
            Self::Failed { .. } => "these are the registry's own words".to_owned(),
            Self::Host { host } => format!(
                "docker and podman fail with \"no Host in request URL\" where a host has an underscore; Snowflake's \
                 certificates know it with a hyphen:\n{}",
                host.replace('_', "-")
            ),
            Self::File { .. } => "correct the file, or move it away; it was not changed".to_owned(),
        }
    }
}
