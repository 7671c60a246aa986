//! Key pair logins: JSON web tokens, verified against the public keys that the user registered.
//!
//! Source: snowflake-connector-python `auth/keypair.py` (claims) and `network.py` (codes);
//! docs.snowflake.com `user-guide/key-pair-auth`.

use super::credentials;
use crate::object::name::Ident;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde::Deserialize;

/// The longest time between issue and expiry, in seconds.
const MAX_LIFE_SECONDS: i64 = 60 * 60;
/// How far a client's clock may be ahead, in seconds.
const CLOCK_SKEW_SECONDS: i64 = 60;

/// Why a token was not accepted, in the order in which a server finds out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JwtError {
    /// It does not read as a token of this kind.
    Format,
    /// It is not signed with RS256.
    Algorithm,
    /// It speaks of another account, or of no user that there is.
    Subject,
    /// No key of the user has the issuer's fingerprint.
    Fingerprint,
    /// The signature does not fit.
    Signature,
    /// It is too old.
    Expired,
    /// It begins in the future.
    NotYetValid,
    /// It is meant to live too long, or it ends before it begins.
    Life,
}

impl JwtError {
    /// The code that clients know it by.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Subject | Self::Signature => crate::wire::code::JWT_INVALID,
            Self::Expired => "394301",
            Self::NotYetValid => "394302",
            Self::Life => "394303",
            Self::Fingerprint => "394304",
            Self::Algorithm => "394305",
            Self::Format => "394306",
        }
    }

    /// What was wrong, in words that tell a stranger nothing.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Subject | Self::Signature => "JWT token is invalid.",
            Self::Expired => "JWT token has expired.",
            Self::NotYetValid => "JWT token is not yet valid: it was issued in the future.",
            Self::Life => "JWT token has an invalid expiration time.",
            Self::Fingerprint => "JWT token's public key fingerprint does not match a key of the user.",
            Self::Algorithm => "JWT token is not signed with RS256.",
            Self::Format => "JWT token has an invalid format.",
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    iat: i64,
    exp: i64,
}

/// A token, taken apart and not yet believed.
pub(super) struct Jwt<'a> {
    signed: &'a str,
    signature: Vec<u8>,
    claims: Claims,
    user: Ident,
}

impl<'a> Jwt<'a> {
    /// Takes a token apart. `account` is the only account whose tokens are of interest, in upper case.
    pub(super) fn parse(token: &'a str, account: &str) -> Result<Self, JwtError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtError::Format)?;
        let (header, claims) = signed.split_once('.').ok_or(JwtError::Format)?;
        let header: Header = json(header)?;
        if header.alg != "RS256" {
            return Err(JwtError::Algorithm);
        }
        let claims: Claims = json(claims)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| JwtError::Format)?;
        let (named, user) = claims.sub.split_once('.').ok_or(JwtError::Format)?;
        if !named.eq_ignore_ascii_case(account) {
            return Err(JwtError::Subject);
        }
        let user = Ident::exact(user.to_uppercase());
        Ok(Self { signed, signature, claims, user })
    }

    /// The user that it claims to be of.
    pub(super) fn user(&self) -> &Ident {
        &self.user
    }

    /// Believes it or not. `keys`: the user's public keys, as DER. `now`: seconds since 1970-01-01 UTC.
    pub(super) fn verify(&self, keys: &[Vec<u8>], now: i64) -> Result<(), JwtError> {
        let issuer_key = self.claims.iss.strip_prefix(&self.claims.sub);
        let fingerprint = issuer_key.and_then(|rest| rest.strip_prefix('.')).ok_or(JwtError::Format)?;
        let named = keys.iter().find(|key| credentials::fingerprint(key) == fingerprint);
        let key = named.ok_or(JwtError::Fingerprint)?;
        let key = credentials::rsa_key_bytes(key).ok_or(JwtError::Fingerprint)?;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
            .verify(self.signed.as_bytes(), &self.signature)
            .map_err(|_| JwtError::Signature)?;
        let Claims { iat, exp, .. } = self.claims;
        if iat > now + CLOCK_SKEW_SECONDS {
            return Err(JwtError::NotYetValid);
        }
        if exp <= now {
            return Err(JwtError::Expired);
        }
        if exp <= iat || exp - iat > MAX_LIFE_SECONDS {
            return Err(JwtError::Life);
        }
        Ok(())
    }
}

fn json<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, JwtError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Format)?;
    serde_json::from_slice(&bytes).map_err(|_| JwtError::Format)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;
    use ring::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
    use serde_json::json;

    /// A key made for these tests; it opens nothing.
    const PRIVATE_KEY: &str = include_str!("../../tests/keys/login.p8.base64");
    const PUBLIC_KEY: &str = include_str!("../../tests/keys/login.pub");
    const NOW: i64 = 1_788_000_000;

    fn sign(header: &serde_json::Value, claims: &serde_json::Value) -> String {
        let inner: String = PRIVATE_KEY.split_whitespace().collect();
        let key = RsaKeyPair::from_pkcs8(&STANDARD.decode(inner).unwrap()).unwrap();
        assert!(key.public_key().modulus_len() >= 256);
        let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; key.public_key().modulus_len()];
        let random = ring::rand::SystemRandom::new();
        key.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn key() -> Vec<u8> {
        credentials::public_key_der(PUBLIC_KEY).unwrap()
    }

    fn claims(iat: i64, exp: i64) -> serde_json::Value {
        let iss = format!("LOCAL.LOCAL.{}", credentials::fingerprint(&key()));
        json!({"iss": iss, "sub": "LOCAL.LOCAL", "iat": iat, "exp": exp})
    }

    fn check(token: &str, keys: &[Vec<u8>]) -> Result<(), JwtError> {
        Jwt::parse(token, "LOCAL")?.verify(keys, NOW)
    }

    #[test]
    fn a_good_token_is_believed_under_either_key() {
        let header = json!({"alg": "RS256", "typ": "JWT"});
        let token = sign(&header, &claims(NOW, NOW + 60));
        assert_eq!(check(&token, &[key()]), Ok(()));
        assert_eq!(check(&token, &[vec![1, 2, 3], key()]), Ok(()));
        assert_eq!(Jwt::parse(&token, "LOCAL").unwrap().user(), &Ident::exact("LOCAL"));
    }

    #[test]
    fn every_flaw_has_its_code() {
        let header = json!({"alg": "RS256"});
        let good = claims(NOW, NOW + 60);
        let with = |name: &str, value: serde_json::Value| {
            let mut claims = good.clone();
            claims[name] = value;
            claims
        };
        let cases = [
            (sign(&json!({"alg": "none"}), &good), JwtError::Algorithm),
            (sign(&json!({"alg": "HS256"}), &good), JwtError::Algorithm),
            (sign(&header, &claims(NOW - 120, NOW - 60)), JwtError::Expired),
            (sign(&header, &claims(NOW + 120, NOW + 180)), JwtError::NotYetValid),
            (sign(&header, &claims(NOW, NOW + 3601)), JwtError::Life),
            (sign(&header, &claims(NOW + 30, NOW + 20)), JwtError::Life),
            (sign(&header, &with("iss", json!("LOCAL.LOCAL.SHA256:AAAA"))), JwtError::Fingerprint),
            (sign(&header, &with("iss", json!("LOCAL.OTHER.SHA256:AAAA"))), JwtError::Format),
            (sign(&header, &with("sub", json!("ELSEWHERE.LOCAL"))), JwtError::Subject),
            (sign(&header, &with("exp", json!("soon"))), JwtError::Format),
            ("a.b".to_owned(), JwtError::Format),
            (String::new(), JwtError::Format),
        ];
        for (token, expected) in cases {
            assert_eq!(check(&token, &[key()]), Err(expected), "{token}");
        }
        assert_eq!(check(&sign(&header, &good), &[]), Err(JwtError::Fingerprint));
    }

    #[test]
    fn a_changed_token_is_not_believed() {
        let token = sign(&json!({"alg": "RS256"}), &claims(NOW, NOW + 60));
        let mut parts: Vec<_> = token.split('.').map(str::to_owned).collect();
        parts[1] = URL_SAFE_NO_PAD.encode(claims(NOW, NOW + 600).to_string());
        assert_eq!(check(&parts.join("."), &[key()]), Err(JwtError::Signature));
    }
}
