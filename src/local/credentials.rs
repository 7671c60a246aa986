//! Secrets: random ones, hashes of passwords and tokens, public keys. Nothing here is stored or sent.

use super::catalog::credential::PasswordHash;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pkcs8::der::Decode as _;
use pkcs8::spki::SubjectPublicKeyInfoRef;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::{digest, pbkdf2};
use std::num::NonZeroU32;

const ALGORITHM: pbkdf2::Algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
const SALT_BYTES: usize = 16;

/// How much work guessing a password is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strength {
    /// A person chose it, so it can be guessed: as many rounds as OWASP's cheat sheet on password storage
    /// asks of PBKDF2 with SHA-256.
    Chosen,
    /// It is [`random_secret`]'s, with 256 bits that no number of rounds makes harder to guess.
    Random,
}

impl Strength {
    fn rounds(self) -> u32 {
        match self {
            Self::Chosen => 600_000,
            Self::Random => 1_000,
        }
    }
}

/// Fresh random bytes.
///
/// # Panics
/// If the operating system has no randomness to give, without which nothing here can be done safely.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A secret of 256 random bits that can stand in URLs, headers and files.
pub(super) fn random_secret() -> String {
    URL_SAFE_NO_PAD.encode(random::<32>())
}

/// A random number that JSON and every client can hold: positive and below 2^53.
pub(super) fn random_number() -> i64 {
    (i64::from_be_bytes(random()) & ((1 << 53) - 1)) | (1 << 40)
}

/// Hashes a password under a fresh salt.
pub(super) fn hash_password(password: &str, strength: Strength) -> PasswordHash {
    let (salt, rounds) = (random::<SALT_BYTES>().to_vec(), strength.rounds());
    let mut hash = vec![0; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(ALGORITHM, non_zero(rounds), &salt, password.as_bytes(), &mut hash);
    PasswordHash { salt, rounds, hash }
}

/// Whether the password is the hashed one. Takes as long as for a password that a person chose where there is
/// none to compare with, so that the time tells little about which users there are.
pub(super) fn is_password(password: &str, stored: Option<&PasswordHash>) -> bool {
    match stored {
        Some(PasswordHash { salt, rounds, hash }) => {
            pbkdf2::verify(ALGORITHM, non_zero(*rounds), salt, password.as_bytes(), hash).is_ok()
        }
        None => {
            let _ = hash_password(password, Strength::Chosen);
            false
        }
    }
}

fn non_zero(rounds: u32) -> NonZeroU32 {
    NonZeroU32::new(rounds).unwrap_or(NonZeroU32::MIN)
}

/// What is kept of a token: SHA-256. Tokens are looked up by it, so comparing them takes no secret's time.
pub(super) fn token_hash(token: &str) -> [u8; digest::SHA256_OUTPUT_LEN] {
    let hash = digest::digest(&digest::SHA256, token.as_bytes());
    hash.as_ref().try_into().expect("internal error: SHA-256 has 32 bytes")
}

/// The DER of an RSA public key that was given as `RSA_PUBLIC_KEY` takes it: PEM's inner text, with or
/// without the lines around it. Nothing where it is no RSA public key.
pub(super) fn public_key_der(written: &str) -> Option<Vec<u8>> {
    let inner: String = written.lines().filter(|line| !line.starts_with("-----")).collect();
    let inner: String = inner.chars().filter(|c| !c.is_whitespace()).collect();
    let der = STANDARD.decode(inner).ok()?;
    rsa_key_bytes(&der)?;
    Some(der)
}

/// The key proper inside a public key's DER, as signature verification takes it.
pub(super) fn rsa_key_bytes(der: &[u8]) -> Option<&[u8]> {
    /// rsaEncryption (RFC 8017).
    const RSA: pkcs8::ObjectIdentifier = pkcs8::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
    if info.algorithm.oid != RSA {
        return None;
    }
    info.subject_public_key.as_bytes()
}

/// A public key's fingerprint as JSON web tokens name it: `SHA256:` and Base64.
pub(super) fn fingerprint(der: &[u8]) -> String {
    format!("SHA256:{}", STANDARD.encode(digest::digest(&digest::SHA256, der)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_recognised_and_another_is_not() {
        let hash = hash_password("correct horse", Strength::Random);
        assert!(is_password("correct horse", Some(&hash)));
        assert!(!is_password("correct horse ", Some(&hash)));
        assert!(!is_password("", Some(&hash)));
        assert!(!is_password("correct horse", None));
        assert!(hash.hash != hash_password("correct horse", Strength::Random).hash, "salted");
    }

    #[test]
    fn secrets_differ_and_numbers_fit() {
        assert_ne!(random_secret(), random_secret());
        assert_eq!(random_secret().len(), 43);
        for _ in 0..1000 {
            let number = random_number();
            assert!((1 << 40..1 << 53).contains(&number), "{number}");
        }
    }

    #[test]
    fn what_is_no_rsa_key_is_refused() {
        for written in
            ["", "AAAA", "not base64!", "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="]
        {
            assert_eq!(public_key_der(written), None, "{written}");
        }
    }
}
