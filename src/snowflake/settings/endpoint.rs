//! From account and region to host, and what a host, a port and an account may look like.
//!
//! Source: snowflake-connector-python `util_text.py` (`construct_hostname`, `parse_account`,
//! `is_valid_account_identifier`), `connection.py`; gosnowflake `internal/config/dsn.go`.

use super::{Key, Setting, SettingOrigin, SettingValue, SettingsError, Values};
use std::fmt;

/// How requests travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// In the clear; for an account on this machine.
    Http,
    /// Encrypted.
    Https,
}

/// Where an account answers. Displays as the beginning of a URL: `https://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    protocol: Protocol,
    host: String,
    port: u16,
}

/// The port where none is given, for either protocol, as in the Python connector.
const DEFAULT_PORT: u16 = 443;

impl Endpoint {
    /// How requests travel.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The host, lower case; an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host, with the port where it is not 443.
    pub fn authority(&self) -> String {
        match self.port {
            DEFAULT_PORT => self.bracketed(),
            port => format!("{}:{port}", self.bracketed()),
        }
    }

    /// Whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        let address = self.host.parse::<std::net::IpAddr>();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }

    /// Reads protocol, host and port; where the host is not given, it is made from account and region. What
    /// was not given is entered into `values` as a default.
    pub(super) fn resolve(values: &mut Values) -> Result<Self, SettingsError> {
        let protocol = protocol(values)?;
        let port = port(values)?;
        let host = match given(values, Key::Host) {
            Some(setting) => checked_host(setting)?,
            None => {
                let host = host_of_account(values)?;
                enter_default(values, Key::Host, SettingValue::Text(host.clone()));
                host
            }
        };
        Ok(Self { protocol, host, port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Http => "http",
            Protocol::Https => "https",
        };
        write!(f, "{protocol}://{}:{}", self.bracketed(), self.port)
    }
}

/// The account's name as logins want it: upper case and without region.
pub(super) fn account_name(values: &Values) -> Result<String, SettingsError> {
    let setting =
        given(values, Key::Account).ok_or(SettingsError::Missing { key: Key::Account, method: None })?;
    let account = checked_account(setting)?;
    let mut labels = account.split('.');
    let first = labels.next().unwrap_or_default();
    let name = match labels.next() {
        // An external id of legacy replication stands behind the last dash.
        Some("global") => first.rsplit_once('-').map_or(first, |(name, _)| name),
        _ => first,
    };
    Ok(name.to_uppercase())
}

/// A setting that is there and not empty.
pub(super) fn given(values: &Values, key: Key) -> Option<&Setting> {
    values.get(&key).filter(|setting| setting.value.is_filled())
}

fn enter_default(values: &mut Values, key: Key, value: SettingValue) {
    values.insert(key, Setting { value, origin: SettingOrigin::Default });
}

fn invalid(key: Key, setting: &Setting, why: &'static str) -> SettingsError {
    let value = setting.value.to_string();
    SettingsError::Invalid { key, value, origin: setting.origin.clone(), why }
}

fn protocol(values: &mut Values) -> Result<Protocol, SettingsError> {
    let Some(setting) = given(values, Key::Protocol) else {
        enter_default(values, Key::Protocol, SettingValue::Text("https".to_owned()));
        return Ok(Protocol::Https);
    };
    match setting.value.expose().to_lowercase().as_str() {
        "https" => Ok(Protocol::Https),
        "http" => Ok(Protocol::Http),
        _ => Err(invalid(
            Key::Protocol,
            setting,
            "the protocol is https, or http for an account on this machine",
        )),
    }
}

fn port(values: &mut Values) -> Result<u16, SettingsError> {
    let Some(setting) = given(values, Key::Port) else {
        enter_default(values, Key::Port, SettingValue::Integer(i64::from(DEFAULT_PORT)));
        return Ok(DEFAULT_PORT);
    };
    let port = setting.value.expose().trim().parse::<u16>().ok().filter(|port| *port > 0);
    port.ok_or_else(|| invalid(Key::Port, setting, "a port is a number from 1 to 65535"))
}

/// A host that was given: a name or an address and nothing else, so that it cannot lead a login elsewhere.
fn checked_host(setting: &Setting) -> Result<String, SettingsError> {
    let host = setting.value.expose().to_lowercase();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
    if address.parse::<std::net::Ipv6Addr>().is_ok() {
        return Ok(address.to_owned());
    }
    if host.split('.').all(is_label) {
        return Ok(host);
    }
    let why = "a host is a name or an address, without https:// in front and without port or path behind";
    Err(invalid(Key::Host, setting, why))
}

fn checked_account(setting: &Setting) -> Result<String, SettingsError> {
    let account = setting.value.expose().into_owned();
    if account.split('.').all(is_label) {
        return Ok(account);
    }
    let why = "an account identifier holds letters, digits, '_' and '-', in parts that dots separate \
               (myorg-myaccount, or a locator such as xy12345.eu-central-1)";
    Err(invalid(Key::Account, setting, why))
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn host_of_account(values: &Values) -> Result<String, SettingsError> {
    let setting =
        given(values, Key::Account).ok_or(SettingsError::Missing { key: Key::Account, method: None })?;
    let account = checked_account(setting)?;
    let region = match given(values, Key::Region) {
        Some(setting) => {
            let region = setting.value.expose().into_owned();
            if !region.split('.').all(is_label) {
                return Err(invalid(
                    Key::Region,
                    setting,
                    "a region looks like eu-central-1 or west-europe.azure",
                ));
            }
            Some(region).filter(|region| region != "us-west-2")
        }
        None => None,
    };
    let first_label = account.split('.').next().unwrap_or_default();
    let second_label = account.split('.').nth(1);
    let host = match &region {
        Some(region) => format!("{first_label}.{region}.snowflakecomputing.{}", domain(Some(region))),
        None => format!("{account}.snowflakecomputing.{}", domain(second_label)),
    };
    Ok(host.to_lowercase())
}

/// China has a top-level domain of its own.
fn domain(region: Option<&str>) -> &'static str {
    let in_china = region.is_some_and(|region| region.to_lowercase().starts_with("cn-"));
    if in_china { "cn" } else { "com" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(Key, &str)]) -> Values {
        let setting = |text: &str| Setting {
            value: SettingValue::Text(text.to_owned()),
            origin: SettingOrigin::Flag("--test"),
        };
        pairs.iter().map(|(key, text)| (*key, setting(text))).collect()
    }

    fn endpoint(pairs: &[(Key, &str)]) -> Result<String, SettingsError> {
        Endpoint::resolve(&mut values(pairs)).map(|endpoint| endpoint.to_string())
    }

    #[test]
    fn hosts_follow_account_and_region() {
        // The expected hosts are those of the connector's own tests of construct_hostname.
        let cases = [
            ("account1", None, "account1.snowflakecomputing.com"),
            ("account1", Some("eu-central-1"), "account1.eu-central-1.snowflakecomputing.com"),
            ("account1.eu-central-1", None, "account1.eu-central-1.snowflakecomputing.com"),
            ("account1", Some("us-west-2"), "account1.snowflakecomputing.com"),
            ("account1.us-east-1", Some("eu-central-1"), "account1.eu-central-1.snowflakecomputing.com"),
            ("account1", Some("cn-hangzhou"), "account1.cn-hangzhou.snowflakecomputing.cn"),
            ("account1.cn-northwest-1.aws", None, "account1.cn-northwest-1.aws.snowflakecomputing.cn"),
            ("account1.cn-region", Some("cn-hangzhou"), "account1.cn-hangzhou.snowflakecomputing.cn"),
            ("MyOrg-My_Account", None, "myorg-my_account.snowflakecomputing.com"),
        ];
        for (account, region, host) in cases {
            let mut pairs = vec![(Key::Account, account)];
            pairs.extend(region.map(|region| (Key::Region, region)));
            assert_eq!(endpoint(&pairs).unwrap(), format!("https://{host}:443"), "{account} {region:?}");
        }
    }

    #[test]
    fn a_given_host_wins_and_is_only_a_host() {
        let given = |host| endpoint(&[(Key::Account, "a"), (Key::Host, host), (Key::Port, "8080")]);
        assert_eq!(given("LOCALHOST").unwrap(), "https://localhost:8080");
        assert_eq!(given("[::1]").unwrap(), "https://[::1]:8080");
        for bad in ["https://x.com", "x.com/path", "x.com:443", "user@x.com", "x..com", "x.com?a", "x com"] {
            let error = given(bad).unwrap_err();
            assert!(matches!(error, SettingsError::Invalid { key: Key::Host, .. }), "{bad}: {error}");
        }
    }

    #[test]
    fn an_account_cannot_name_another_host() {
        for bad in ["evil.com/", "a@evil.com", "a b", "a..b", ".a", "a#", "ä"] {
            let error = endpoint(&[(Key::Account, bad)]).unwrap_err();
            assert!(matches!(error, SettingsError::Invalid { key: Key::Account, .. }), "{bad}");
        }
        let error = endpoint(&[(Key::Account, "a"), (Key::Region, "evil.com/")]).unwrap_err();
        assert!(matches!(error, SettingsError::Invalid { key: Key::Region, .. }));
    }

    #[test]
    fn the_name_for_logins_has_no_region() {
        let name = |account| account_name(&values(&[(Key::Account, account)])).unwrap();
        assert_eq!(name("myorg-my_account"), "MYORG-MY_ACCOUNT");
        assert_eq!(name("xy12345.eu-central-1.aws"), "XY12345");
        assert_eq!(name("myname-external123.global"), "MYNAME");
    }

    #[test]
    fn ports_and_protocols_are_checked() {
        let with = |key, text| endpoint(&[(Key::Account, "a"), (key, text)]);
        assert_eq!(with(Key::Protocol, "HTTP").unwrap(), "http://a.snowflakecomputing.com:443");
        assert!(matches!(with(Key::Protocol, "ftp"), Err(SettingsError::Invalid { key: Key::Protocol, .. })));
        for bad in ["0", "65536", "-1", "https"] {
            assert!(
                matches!(with(Key::Port, bad), Err(SettingsError::Invalid { key: Key::Port, .. })),
                "{bad}"
            );
        }
    }
}
