//! Addresses of documents: the folder, which is a project, and the name in it.
//!
//! Editors spell addresses differently (`c%3A`, `C:`), and each its own consistently: the spelling is kept, and only what
//! is compared or opened is decoded.

use std::path::PathBuf;

/// An address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// The folder as it is spelled, up to its last `/`.
    pub(super) folder: String,
    /// The file's name, decoded.
    pub(super) name: String,
}

/// Takes an address apart; nothing where it has no folder.
pub(super) fn split(uri: &str) -> Option<Address> {
    let uri = uri.split(['?', '#']).next().unwrap_or(uri);
    let (folder, name) = uri.rsplit_once('/')?;
    Some(Address { folder: format!("{folder}/"), name: decode(name)? })
}

/// What two spellings of one folder have in common.
pub(super) fn same(folder: &str) -> String {
    let decoded = decode(folder).unwrap_or_else(|| folder.to_owned());
    // Of Windows' drives either case is the same.
    match decoded.strip_prefix("file:///") {
        Some(path) if path.as_bytes().get(1) == Some(&b':') => {
            format!("file:///{}{}", path[..1].to_lowercase(), &path[1..])
        }
        _ => decoded,
    }
}

/// The folder on this machine, where it is on it.
pub(super) fn path(folder: &str) -> Option<PathBuf> {
    let rest = decode(folder.strip_prefix("file://")?)?;
    let (host, path) = rest.split_once('/')?;
    let has_drive = path.as_bytes().get(1) == Some(&b':');
    Some(match host {
        "" | "localhost" if has_drive => PathBuf::from(path),
        "" | "localhost" => PathBuf::from(format!("/{path}")),
        host => PathBuf::from(format!("//{host}/{path}")),
    })
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let escaped = tail.get(..2).filter(|_| *first == b'%');
        let byte = escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        if byte.is_some() {
            rest = &tail[2..];
        }
        bytes.push(byte.unwrap_or(*first));
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_folder_and_a_name() {
        let Address { folder, name } = split("file:///a%20b/snowflake%2Eyml").unwrap();
        assert_eq!((folder.as_str(), name.as_str()), ("file:///a%20b/", "snowflake.yml"));
        assert_eq!(path(&folder), Some(PathBuf::from("/a b/")));
        assert_eq!(split("nothing"), None);
        assert_eq!(path("untitled:x/"), None);
    }

    #[test]
    fn spellings_of_one_folder_are_one_project() {
        assert_eq!(same("file:///c%3A/x/"), same("file:///C:/x/"));
        assert_eq!(same("file:///%C3%A4/"), same("file:///ä/"));
        assert_ne!(same("file:///a/"), same("file:///A/"));
        assert_eq!(path("file:///C%3A/x/"), Some(PathBuf::from("C:/x/")));
    }

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(decode("100%"), Some("100%".to_owned()));
        assert_eq!(decode("%zz%é"), Some("%zz%é".to_owned()));
        assert_eq!(decode("%ff"), None);
    }
}
