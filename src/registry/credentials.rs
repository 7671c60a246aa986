//! The files that docker, podman, skopeo and buildah take credentials and helpers from.
//!
//! Both kinds are JSON with `auths` and `credHelpers` (docker/cli `configfile/file.go`; man 5 containers-auth.json).
//! Whatever else stands in them is kept, and they are replaced whole, through symbolic links.

use super::error::RegistryError;
use crate::host::files;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

const AUTHS: &str = "auths";
const HELPERS: &str = "credHelpers";

/// One file of credentials, read. Its `Debug` shows the path alone.
pub struct AuthFile {
    path: PathBuf,
    document: Map<String, Value>,
    found: bool,
}

impl std::fmt::Debug for AuthFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The files that sign-ins are written to: docker's, which the others read as well, and podman's where it is named by
/// `REGISTRY_AUTH_FILE` or is there already, because it comes before docker's for everybody but docker.
pub fn auth_files(variables: &BTreeMap<String, String>, home: &Path) -> Vec<PathBuf> {
    let variable = |name: &str| variables.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let docker = variable("DOCKER_CONFIG").unwrap_or_else(|| home.join(".docker"));
    let mut found = vec![docker.join("config.json")];
    match variable("REGISTRY_AUTH_FILE") {
        Some(path) => found.push(path),
        None => {
            let run = variable("XDG_RUNTIME_DIR");
            found.extend(run.map(|run| run.join("containers/auth.json")).filter(|path| files::exists(path)));
        }
    }
    found.dedup();
    found
}

impl AuthFile {
    /// Reads a file; one that is not there is empty.
    ///
    /// # Errors
    /// [`RegistryError::File`] where it cannot be read or is no JSON object.
    pub fn read(path: PathBuf) -> Result<Self, RegistryError> {
        let text = match files::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(RegistryError::File { reason: error.to_string(), path }),
        };
        let blank = text.as_ref().is_none_or(|text| text.trim().is_empty());
        // The reader's own message might quote a secret.
        let parsed = match &text {
            Some(text) if !blank => serde_json::from_str(text).ok(),
            _ => Some(Map::new()),
        };
        match parsed {
            Some(document) => Ok(Self { path, document, found: text.is_some() }),
            None => Err(RegistryError::File { reason: "it is no JSON object".to_owned(), path }),
        }
    }

    /// Where it stands.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The helper that is asked for this host instead of the file: its own, or the one for all hosts.
    pub fn helper(&self, host: &str) -> Option<&str> {
        let own = self.document.get(HELPERS).and_then(|helpers| helpers.get(host)).and_then(Value::as_str);
        own.or_else(|| self.document.get("credsStore").and_then(Value::as_str))
    }

    /// The helper that is named for this very host.
    pub fn own_helper(&self, host: &str) -> Option<&str> {
        self.document.get(HELPERS)?.get(host)?.as_str()
    }

    /// Enters user and password for a host.
    pub fn set(&mut self, host: &str, user: &str, password: &SecretString) {
        let auth = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
        self.section(AUTHS).insert(host.to_owned(), serde_json::json!({ "auth": auth }));
    }

    /// Removes what is entered for a host; whether there was anything.
    pub fn remove(&mut self, host: &str) -> bool {
        self.remove_from(AUTHS, host)
    }

    /// Names the helper for a host, or none.
    pub fn set_helper(&mut self, host: &str, helper: Option<&str>) {
        match helper {
            Some(helper) => {
                self.section(HELPERS).insert(host.to_owned(), helper.into());
            }
            None => {
                self.remove_from(HELPERS, host);
            }
        }
    }

    /// Writes the file, whole or not at all, readable by the user alone where it is new. One that has become empty and
    /// was not there before is not made.
    ///
    /// # Errors
    /// [`RegistryError::File`] where it cannot be written; then the old one is still there.
    pub fn write(&self) -> Result<(), RegistryError> {
        if self.document.is_empty() && !self.found {
            return Ok(());
        }
        let text = self.text();
        let written = if self.found {
            files::resolved(&self.path).and_then(|path| files::replace(&path, text.as_bytes()))
        } else {
            self.path
                .parent()
                .map_or(Ok(()), files::create_private_dir)
                .and_then(|()| files::write_private(&self.path, text.as_bytes()))
        };
        written.map_err(|error| RegistryError::File { path: self.path.clone(), reason: error.to_string() })
    }

    /// With tabs, as docker writes it.
    fn text(&self) -> String {
        let mut bytes = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
        serde::Serialize::serialize(&self.document, &mut serializer)
            .expect("internal error: a document has text keys");
        let text = String::from_utf8(bytes).expect("internal error: JSON is UTF-8");
        format!("{text}\n")
    }

    fn section(&mut self, name: &str) -> &mut Map<String, Value> {
        let entry = self.document.entry(name).or_insert_with(|| Value::Object(Map::new()));
        if !entry.is_object() {
            *entry = Value::Object(Map::new());
        }
        entry.as_object_mut().expect("internal error: it was made an object")
    }

    fn remove_from(&mut self, section: &str, host: &str) -> bool {
        let Some(entries) = self.document.get_mut(section).and_then(Value::as_object_mut) else {
            return false;
        };
        let removed = entries.shift_remove(host).is_some();
        if removed && entries.is_empty() {
            self.document.shift_remove(section);
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "org-account.registry.snowflakecomputing.com";

    #[test]
    fn what_else_is_in_the_file_stays_and_signing_out_leaves_it_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let (real, link) = (directory.path().join("real.json"), directory.path().join("config.json"));
        let before = "{\n\t\"auths\": {\n\t\t\"other\": {}\n\t},\n\t\"detachKeys\": \"ctrl-x\"\n}\n";
        std::fs::write(&real, before).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let read = || AuthFile::read(link.clone()).unwrap();

        let mut file = read();
        file.set(HOST, "u", &SecretString::from("p:q"));
        file.set_helper(HOST, Some("snowform"));
        file.write().unwrap();
        let written = files::read_to_string(&real).unwrap();
        assert!(written.contains(r#""auth": "dTpwOnE=""#) && written.contains("ctrl-x"), "{written}");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(read().helper(HOST), Some("snowform"));

        let mut file = read();
        assert!(file.remove(HOST) && !file.remove(HOST));
        file.set_helper(HOST, None);
        file.write().unwrap();
        assert_eq!(files::read_to_string(&real).unwrap(), before);
    }

    #[test]
    fn a_new_file_is_private_and_a_broken_one_is_not_touched_or_quoted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/config.json");
        AuthFile::read(path.clone()).unwrap().write().unwrap();
        assert!(!path.exists(), "nothing to write");
        let mut file = AuthFile::read(path.clone()).unwrap();
        file.set(HOST, "u", &SecretString::from("hunter2"));
        assert!(!format!("{file:?}").contains("hunter2"));
        file.write().unwrap();
        assert_eq!(files::mode(&path), Some(0o600));

        std::fs::write(&path, "{\"auths\": hunter2").unwrap();
        let error = AuthFile::read(path).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn files_are_where_the_programs_look_for_them() {
        let variables = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let home = Path::new("/home/me");
        let found = |pairs: &[(&str, &str)]| auth_files(&variables(pairs), home);
        assert_eq!(found(&[]), [Path::new("/home/me/.docker/config.json")]);
        assert_eq!(
            found(&[("DOCKER_CONFIG", "/d"), ("REGISTRY_AUTH_FILE", "/r.json")]),
            [Path::new("/d/config.json"), Path::new("/r.json")]
        );
        let run = tempfile::tempdir().unwrap();
        let text = run.path().to_str().unwrap();
        assert_eq!(found(&[("XDG_RUNTIME_DIR", text)]).len(), 1, "podman was never used");
        std::fs::create_dir(run.path().join("containers")).unwrap();
        std::fs::write(run.path().join("containers/auth.json"), "{}").unwrap();
        assert_eq!(found(&[("XDG_RUNTIME_DIR", text)]).len(), 2);
    }
}
