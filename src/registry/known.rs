//! Which connection signs in to which registry, as `install-helper` noted it; the credential helper answers for these
//! hosts and no others.

use super::error::RegistryError;
use crate::host::files;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The version of the file; another one is not read.
const VERSION: u32 = 1;

/// How a host is signed in to, and what was there before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownHost {
    /// The connection's name.
    pub connection: Option<String>,
    /// The file of connections, where it was named.
    pub config_file: Option<PathBuf>,
    /// Whether the registry is spoken to in the clear.
    pub plain: bool,
    /// The helper that each file named for the host before.
    pub before: BTreeMap<PathBuf, Option<String>>,
    /// The link by which the helper is found, where it was made.
    pub link: Option<PathBuf>,
}

/// The file.
pub struct KnownHosts {
    path: PathBuf,
    document: Document,
}

#[derive(Default, Serialize, Deserialize)]
struct Document {
    version: u32,
    hosts: BTreeMap<String, KnownHost>,
}

impl KnownHosts {
    /// Reads the file; one that is not there knows no host.
    ///
    /// # Errors
    /// [`RegistryError::File`] where it is none of ours.
    pub fn read(path: PathBuf) -> Result<Self, RegistryError> {
        let document = match files::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Document { version: VERSION, ..Document::default() })
            }
            Err(error) => Err(error.to_string()),
            Ok(bytes) => match serde_json::from_slice::<Document>(&bytes) {
                Ok(document) if document.version == VERSION => Ok(document),
                Ok(document) => Err(format!("its version {} is not {VERSION}", document.version)),
                Err(error) => Err(error.to_string()),
            },
        };
        match document {
            Ok(document) => Ok(Self { path, document }),
            Err(reason) => Err(RegistryError::File { path, reason }),
        }
    }

    /// How a host is signed in to.
    pub fn get(&self, host: &str) -> Option<&KnownHost> {
        self.document.hosts.get(host)
    }

    /// Every host.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.document.hosts.keys().map(String::as_str)
    }

    /// Notes a host.
    pub fn insert(&mut self, host: &str, known: KnownHost) {
        self.document.hosts.insert(host.to_owned(), known);
    }

    /// Forgets a host.
    pub fn remove(&mut self, host: &str) -> Option<KnownHost> {
        self.document.hosts.remove(host)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`RegistryError::File`] where that is not possible.
    pub fn write(&self) -> Result<(), RegistryError> {
        let bytes =
            serde_json::to_vec_pretty(&self.document).expect("internal error: a document has text keys");
        let directory = self.path.parent().map_or(Ok(()), files::create_private_dir);
        directory
            .and_then(|()| files::write_private(&self.path, &bytes))
            .map_err(|error| RegistryError::File { path: self.path.clone(), reason: error.to_string() })
    }
}
