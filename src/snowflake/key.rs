//! Private keys: read from PEM, and put to use as short-lived signed tokens.
//!
//! Source: docs.snowflake.com `user-guide/key-pair-auth`; snowflake-connector-python `auth/keypair.py`;
//! snowflake-cli `_app/snow_connector.py` (only PKCS#8 is accepted).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pkcs8::der::asn1::BitStringRef;
use pkcs8::der::{AnyRef, Encode as _, SecretDocument};
use pkcs8::spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfo};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use ring::rsa::KeyPair;
use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;

/// How long a token is good for, in seconds (as in the Python connector; accounts take up to an hour). Every
/// login attempt gets a new one.
pub const TOKEN_LIFETIME_SECONDS: u64 = 60;

/// `rsaEncryption` (RFC 8017).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-PBES2` (RFC 8018), in DER.
const PBES2_DER: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];

/// An RSA key that signs logins. `Debug` shows its fingerprint, which is public.
pub struct SigningKey {
    pair: KeyPair,
    fingerprint: String,
}

/// Why a text is no usable private key. No message quotes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No `-----BEGIN …-----` line, or damaged text behind it.
    #[error("the private key is not PEM text")]
    NotPem,
    /// `BEGIN RSA PRIVATE KEY`.
    #[error("the private key is in PKCS#1 format, and Snowflake's clients read PKCS#8")]
    Pkcs1,
    /// Some other PEM text.
    #[error("the file holds no PKCS#8 private key but {0:?}")]
    OtherLabel(String),
    /// Encrypted, and nobody gave a passphrase.
    #[error("the private key is encrypted, and no passphrase is given")]
    MissingPassphrase,
    /// Encrypted, and the passphrase is empty.
    #[error("the private key is encrypted, and the passphrase is set but empty")]
    EmptyPassphrase,
    /// The passphrase does not open it.
    #[error("the passphrase does not open the private key")]
    WrongPassphrase,
    /// Encrypted with an algorithm that is too old.
    #[error("the private key is encrypted with an outdated algorithm that is not supported")]
    OutdatedEncryption,
    /// Not the DER of a PKCS#8 key.
    #[error("the private key is damaged")]
    Damaged,
    /// An elliptic curve, say.
    #[error("the private key is not an RSA key")]
    NotRsa,
    /// The cryptographic library refuses it: too short, too long, inconsistent.
    #[error("the private key is not usable: {0}")]
    Rejected(String),
}

impl KeyError {
    /// What to do about it; commands to copy stand on lines of their own.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotPem | Self::OtherLabel(_) => {
                "it must begin with -----BEGIN PRIVATE KEY----- or -----BEGIN ENCRYPTED PRIVATE KEY-----"
            }
            Self::Pkcs1 => {
                "convert it; the public key stays the same:\n\
                 openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD_KEY.pem -out rsa_key.p8"
            }
            Self::MissingPassphrase => {
                "set the environment variable PRIVATE_KEY_PASSPHRASE, or private_key_passphrase in the connection"
            }
            Self::EmptyPassphrase => {
                "an empty PRIVATE_KEY_PASSPHRASE hides the connection's own; unset it or fill it"
            }
            Self::WrongPassphrase => {
                "PRIVATE_KEY_PASSPHRASE wins over private_key_passphrase in the connection"
            }
            Self::OutdatedEncryption => {
                "encrypt it anew; the public key stays the same:\n\
                 openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD_KEY.p8 -out rsa_key.p8"
            }
            Self::Damaged | Self::NotRsa | Self::Rejected(_) => {
                "make a new key of 2048 to 4096 bits, and give its public part to the user with \
                 ALTER USER … SET RSA_PUBLIC_KEY:\n\
                 openssl genrsa 2048 | openssl pkcs8 -topk8 -v2 aes-256-cbc -out rsa_key.p8"
            }
        }
    }
}

impl SigningKey {
    /// Reads a key from PEM text: PKCS#8, plain or encrypted with PBES2 (AES, 3DES; PBKDF2 or scrypt).
    pub fn from_pem(pem: &str, passphrase: Option<&SecretString>) -> Result<Self, KeyError> {
        let (label, document) = read_pem(pem)?;
        let document = match label {
            "PRIVATE KEY" => document,
            "ENCRYPTED PRIVATE KEY" => decrypt(&document, passphrase)?,
            "RSA PRIVATE KEY" => return Err(KeyError::Pkcs1),
            other => return Err(KeyError::OtherLabel(other.to_owned())),
        };
        let info: PrivateKeyInfoRef<'_> = document.decode_msg().map_err(|_| KeyError::Damaged)?;
        if info.algorithm.oid != RSA {
            return Err(KeyError::NotRsa);
        }
        let pair = KeyPair::from_pkcs8(document.as_bytes())
            .map_err(|rejected| KeyError::Rejected(rejected.to_string()))?;
        let fingerprint = fingerprint(pair.public_key().as_ref());
        Ok(Self { pair, fingerprint })
    }

    /// `SHA256:` and the base64 of the public key's hash, as DESCRIBE USER shows it in `RSA_PUBLIC_KEY_FP`.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// A token that says "I am this user of this account, now". Both names are upper case; `now` is in seconds
    /// since 1970.
    pub fn token(&self, account: &str, user: &str, now: u64) -> SecretString {
        let claims = serde_json::json!({
            "iss": format!("{account}.{user}.{}", self.fingerprint),
            "sub": format!("{account}.{user}"),
            "iat": now,
            "exp": now + TOKEN_LIFETIME_SECONDS,
        });
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; self.pair.public().modulus_len()];
        let random = ring::rand::SystemRandom::new();
        self.pair
            .sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature)
            .expect("internal error: a key that was accepted signs, given a buffer of its length");
        SecretString::from(format!("{message}.{}", URL_SAFE_NO_PAD.encode(&signature)))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// The label and the content of the first PEM block. What stands around it is ignored, as OpenSSL does.
fn read_pem(text: &str) -> Result<(&str, SecretDocument), KeyError> {
    const END: &str = "-----END ";
    let start = text.find("-----BEGIN ").ok_or(KeyError::NotPem)?;
    let block = &text[start..];
    let label = block["-----BEGIN ".len()..].split("-----").next().unwrap_or_default();
    // A PKCS#1 key may carry encryption headers, which are no PEM to the strict reader below.
    if label == "RSA PRIVATE KEY" {
        return Err(KeyError::Pkcs1);
    }
    let end = block.find(END).ok_or(KeyError::NotPem)?;
    let length = block[end + END.len()..].find("-----").ok_or(KeyError::NotPem)?;
    let block = &block[..end + END.len() + length + "-----".len()];
    SecretDocument::from_pem(block).map_err(|_| KeyError::NotPem)
}

fn decrypt(document: &SecretDocument, passphrase: Option<&SecretString>) -> Result<SecretDocument, KeyError> {
    let passphrase = passphrase.ok_or(KeyError::MissingPassphrase)?.expose_secret();
    if passphrase.is_empty() {
        return Err(KeyError::EmptyPassphrase);
    }
    let info: EncryptedPrivateKeyInfoRef<'_> = document.decode_msg().map_err(|_| {
        let bytes = document.as_bytes();
        let is_pbes2 = bytes.windows(PBES2_DER.len()).take(32).any(|window| window == PBES2_DER);
        if is_pbes2 { KeyError::Damaged } else { KeyError::OutdatedEncryption }
    })?;
    info.decrypt(passphrase).map_err(|error| match error {
        pkcs8::Error::EncryptedPrivateKey(pkcs8::pkcs5::Error::DecryptFailed) => KeyError::WrongPassphrase,
        pkcs8::Error::EncryptedPrivateKey(_) => KeyError::OutdatedEncryption,
        // Now and then a wrong passphrase yields well-padded noise.
        _ => KeyError::WrongPassphrase,
    })
}

/// The hash of the public key in the form `SubjectPublicKeyInfo` (RFC 5280), which holds `pkcs1` as bits.
fn fingerprint(pkcs1: &[u8]) -> String {
    let info = SubjectPublicKeyInfo {
        algorithm: AlgorithmIdentifierRef { oid: RSA, parameters: Some(AnyRef::NULL) },
        subject_public_key: BitStringRef::from_bytes(pkcs1)
            .expect("internal error: a public key is shorter than DER can hold"),
    };
    let der = info.to_der().expect("internal error: a public key encodes as DER");
    format!("SHA256:{}", STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, &der)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    const PLAIN: &str = include_str!("../../tests/data/keys/plain.p8");
    const AES256: &str = include_str!("../../tests/data/keys/aes256.p8");
    const DES3: &str = include_str!("../../tests/data/keys/des3.p8");
    const SCRYPT: &str = include_str!("../../tests/data/keys/scrypt.p8");
    const PBES1: &str = include_str!("../../tests/data/keys/pbes1.p8");
    const SHA1PRF: &str = include_str!("../../tests/data/keys/sha1prf.p8");
    const PKCS1: &str = include_str!("../../tests/data/keys/pkcs1.pem");
    const PUBLIC: &str = include_str!("../../tests/data/keys/public.pem");
    const EC: &str = include_str!("../../tests/data/keys/ec.p8");
    const SHORT: &str = include_str!("../../tests/data/keys/short.p8");
    const FINGERPRINT: &str = include_str!("../../tests/data/keys/fingerprint.txt");
    const PASSPHRASE: &str = "test-only-passphrase";

    fn read(pem: &str, passphrase: Option<&str>) -> Result<SigningKey, KeyError> {
        SigningKey::from_pem(pem, passphrase.map(SecretString::from).as_ref())
    }

    #[test]
    fn every_dress_of_a_key_has_the_fingerprint_that_openssl_computes() {
        let expected = format!("SHA256:{}", FINGERPRINT.trim());
        for (name, pem) in [("plain", PLAIN), ("aes", AES256), ("des3", DES3), ("scrypt", SCRYPT)] {
            let key = read(pem, Some(PASSPHRASE)).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(key.fingerprint(), expected, "{name}");
        }
        let dressed = format!("Bag Attributes\n  friendlyName: x\n{}\n\n", PLAIN.replace('\n', "\r\n"));
        assert_eq!(read(&dressed, None).unwrap().fingerprint(), expected);
    }

    #[test]
    fn what_is_no_usable_key_says_why() {
        let damaged = PLAIN.replacen("MII", "MIA", 1);
        let cut = &PLAIN[..PLAIN.len() / 2];
        let cases = [
            (AES256, None, KeyError::MissingPassphrase),
            (AES256, Some(""), KeyError::EmptyPassphrase),
            (AES256, Some("wrong"), KeyError::WrongPassphrase),
            (DES3, Some("wrong"), KeyError::WrongPassphrase),
            (PBES1, Some(PASSPHRASE), KeyError::OutdatedEncryption),
            (SHA1PRF, Some(PASSPHRASE), KeyError::OutdatedEncryption),
            (PKCS1, None, KeyError::Pkcs1),
            (PUBLIC, None, KeyError::OtherLabel("PUBLIC KEY".to_owned())),
            (EC, None, KeyError::NotRsa),
            (&damaged, None, KeyError::NotPem),
            (cut, None, KeyError::NotPem),
            ("", None, KeyError::NotPem),
        ];
        for (pem, passphrase, expected) in cases {
            let error = read(pem, passphrase).unwrap_err();
            assert_eq!(error, expected);
            let shown = format!("{error} {error:?} {}", error.help());
            assert!(!shown.contains(PASSPHRASE) && !shown.contains("MII"), "{shown}");
        }
        assert!(matches!(read(SHORT, None), Err(KeyError::Rejected(_))));
    }

    #[test]
    fn tokens_hold_the_documented_claims_and_verify() {
        let key = read(PLAIN, None).unwrap();
        let token = key.token("MYORG-MYACCT", "DEPLOY_USER", 1_788_000_000);
        let token = token.expose_secret();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.pair.public_key());
        public.verify(message.as_bytes(), &signature).unwrap();
        assert!(public.verify(format!("{message}x").as_bytes(), &signature).is_err());

        let (header, claims) = message.split_once('.').unwrap();
        let json = |part| -> serde_json::Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        assert_eq!(json(header), serde_json::json!({"alg": "RS256", "typ": "JWT"}));
        let issuer = format!("MYORG-MYACCT.DEPLOY_USER.SHA256:{}", FINGERPRINT.trim());
        let expected = serde_json::json!({
            "iss": issuer, "sub": "MYORG-MYACCT.DEPLOY_USER", "iat": 1_788_000_000, "exp": 1_788_000_060,
        });
        assert_eq!(json(claims), expected);
        assert!(!format!("{key:?}").contains(signature_text(token)));
    }

    fn signature_text(token: &str) -> &str {
        token.rsplit('.').next().unwrap()
    }
}
