//! What requests name: images in repositories, digests, tags.

use super::failure::{Code, Failure};
use crate::object::name::{Ident, ObjectName};
use ring::digest;
use serde_json::json;
use std::fmt;

/// The longest name of an image with its repository (docker refuses longer references).
const MAX_NAME: usize = 255;
/// The longest tag (distribution specification, "pulling manifests").
const MAX_TAG: usize = 128;

/// An image's name: database, schema and repository, and what is left, which may hold slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImageName {
    /// As it is written, in lower case.
    path: String,
    repository: ObjectName,
    /// Where the image's own name starts in `path`.
    image: usize,
}

impl ImageName {
    /// Reads `database/schema/repository/image`. The account's names are upper case, a registry's lower case.
    pub(crate) fn parse(path: &str) -> Result<Self, Failure> {
        let invalid =
            |why: &str| Err(Failure::new(Code::NameInvalid, why.to_owned()).about(json!({ "name": path })));
        if path.len() > MAX_NAME || !path.split('/').all(is_component) {
            return invalid("a name consists of lower-case letters, digits and single separators");
        }
        let mut parts = path.splitn(4, '/');
        let (Some(database), Some(schema), Some(repository), Some(image)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return invalid("a name has four parts: database/schema/repository/image");
        };
        let ident = |part: &str| Ident::exact(part.to_uppercase());
        let repository = ObjectName::new(ident(database), ident(schema), ident(repository));
        Ok(Self { image: path.len() - image.len(), repository, path: path.to_owned() })
    }

    /// The repository in the account.
    pub(crate) fn repository(&self) -> &ObjectName {
        &self.repository
    }

    /// The image's name in its repository.
    pub(crate) fn image(&self) -> &str {
        &self.path[self.image..]
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, and `$`, which Snowflake's own names may hold.
fn is_component(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '$';
    let separators: Vec<&str> = part.split(plain).filter(|text| !text.is_empty()).collect();
    let allowed = |text: &&str| matches!(*text, "." | "_" | "__") || text.bytes().all(|byte| byte == b'-');
    part.starts_with(plain) && part.ends_with(plain) && separators.iter().all(allowed)
}

/// How a digest is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Sha256,
    Sha512,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// A computation that is fed piece by piece.
    pub(crate) fn hasher(self) -> Hasher {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        };
        Hasher { algorithm: self, context: digest::Context::new(algorithm) }
    }
}

/// A digest that is being computed.
pub(crate) struct Hasher {
    algorithm: Algorithm,
    context: digest::Context,
}

impl Hasher {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
    }

    pub(crate) fn finish(self) -> Digest {
        let hash = self.context.finish();
        let hex = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Digest { algorithm: self.algorithm, hex }
    }
}

/// A content's name: the algorithm and the hash of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digest {
    algorithm: Algorithm,
    hex: String,
}

impl Digest {
    /// Reads `sha256:…`.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let invalid = |why| Failure::new(Code::DigestInvalid, why).about(json!({ "digest": text }));
        let (name, hex) = text.split_once(':').ok_or_else(|| invalid("a digest has the form sha256:…"))?;
        let (algorithm, length) = match name {
            "sha256" => (Algorithm::Sha256, 64),
            "sha512" => (Algorithm::Sha512, 128),
            _ => return Err(invalid("this registry knows the digests sha256 and sha512")),
        };
        let is_hex = hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if hex.len() != length || !is_hex {
            return Err(invalid("the digest's hash has the wrong length or characters"));
        }
        Ok(Self { algorithm, hex: hex.to_owned() })
    }

    /// The digest of these bytes.
    pub(crate) fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hasher = algorithm.hasher();
        hasher.update(bytes);
        hasher.finish()
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Where a file of that content stands: the algorithm, the hash's first two digits, the hash.
    pub(crate) fn path(&self) -> [&str; 3] {
        [self.algorithm.name(), &self.hex[..2], &self.hex]
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex)
    }
}

/// What names one manifest of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    Tag(String),
    Digest(Digest),
}

impl Reference {
    /// Reads a tag or a digest; the latter has a colon, which no tag has.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        if text.contains(':') { Digest::parse(text).map(Self::Digest) } else { tag(text).map(Self::Tag) }
    }
}

/// Reads a tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
pub(crate) fn tag(text: &str) -> Result<String, Failure> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.len() <= MAX_TAG
        && text.starts_with(word)
        && text.chars().all(|c| word(c) || c == '.' || c == '-')
    {
        return Ok(text.to_owned());
    }
    Err(Failure::new(Code::TagInvalid, "a tag has letters, digits, `_`, `.` and `-`, up to 128 of them")
        .about(json!({ "tag": text })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_four_parts_or_more_in_the_grammar_that_clients_accept() {
        let name = ImageName::parse("my_db/public/re-po/team/app.web").unwrap();
        assert_eq!(name.repository().to_string(), r#"MY_DB.PUBLIC."RE-PO""#);
        assert_eq!(name.image(), "team/app.web");
        assert_eq!(name.to_string(), "my_db/public/re-po/team/app.web");
        for wrong in ["a/b/c", "a/b/c/", "a//b/c", "A/b/c/d", "_a/b/c/d", "a_/b/c/d", "a___b/b/c/d", ""] {
            assert!(ImageName::parse(wrong).is_err(), "{wrong}");
        }
        for right in ["a__b/b/c/d", "a/b/c/d--e", "a/b/re$po/d"] {
            assert!(ImageName::parse(right).is_ok(), "{right}");
        }
        assert!(ImageName::parse(&format!("a/b/c/{}", "d".repeat(250))).is_err());
    }

    #[test]
    fn digests_are_read_and_computed() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(Algorithm::Sha256, b"").to_string(), empty);
        assert_eq!(Digest::parse(empty).unwrap(), Digest::of(Algorithm::Sha256, b""));
        assert_eq!(Digest::of(Algorithm::Sha512, b"").path()[1], "cf");
        let upper = empty.to_uppercase();
        for wrong in ["", "sha256", "sha256:", &empty[..70], &upper, "md5:d41d8cd98f00b204e9800998ecf8427e"] {
            assert_eq!(Digest::parse(wrong).unwrap_err().code, Code::DigestInvalid, "{wrong}");
        }
    }

    #[test]
    fn a_colon_tells_digests_from_tags() {
        assert_eq!(Reference::parse("v1.0-rc_1").unwrap(), Reference::Tag("v1.0-rc_1".to_owned()));
        assert_eq!(Reference::parse("sha256:1").unwrap_err().code, Code::DigestInvalid);
        for wrong in ["", ".a", "-a", "a/b", "ä"] {
            assert_eq!(Reference::parse(wrong).unwrap_err().code, Code::TagInvalid, "{wrong}");
        }
        assert!(tag(&"a".repeat(128)).is_ok() && tag(&"a".repeat(129)).is_err());
    }
}
