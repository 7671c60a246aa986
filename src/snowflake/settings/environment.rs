//! The environment variables that settings were made with, and what they say of the place that this runs in.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Who a workload identity is asked for, where nobody says otherwise.
const AUDIENCE: &str = "snowflakecomputing.com";

/// Environment variables. They hold secrets, so `Debug` shows none.
#[derive(Clone, Default)]
pub struct Environment(Arc<BTreeMap<String, String>>);

impl Environment {
    /// These variables.
    pub fn new(variables: BTreeMap<String, String>) -> Self {
        Self(Arc::new(variables))
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A variable that is set, though perhaps to nothing.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Every variable.
    pub fn variables(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// Whether a variable says `true` or `1`.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
    }

    /// Whether nobody sits before this program: every continuous integration sets `CI`.
    pub fn is_ci(&self) -> bool {
        self.get("CI").is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    /// Who a workload identity is asked for (snowflake-cli `_app/auth/oidc_providers.py`).
    pub fn audience(&self) -> &str {
        self.get("SNOWFLAKE_AUDIENCE").unwrap_or(AUDIENCE)
    }

    /// Whether this is a job of GitHub Actions.
    pub fn is_github(&self) -> bool {
        self.get("GITHUB_ACTIONS").is_some()
    }

    /// Whether this is a job of GitHub Actions that may have an identity token.
    pub fn offers_github_token(&self) -> bool {
        self.is_github() && self.get("ACTIONS_ID_TOKEN_REQUEST_URL").is_some()
    }

    /// Whether this is a job of GitLab.
    pub fn is_gitlab(&self) -> bool {
        self.get("GITLAB_CI").is_some()
    }

    /// The variables in which a job of GitLab may hold its identity token (`id_tokens:` names them), the first
    /// being the one that the official CLI looks for: the audience, upper case, with `_` for what is neither
    /// letter nor digit (PyPI `id`, `detect_gitlab`).
    pub fn gitlab_variables(&self) -> [String; 2] {
        let upper = self.audience().to_uppercase();
        let mut name: String = upper
            .chars()
            .map(|c| if c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_' { c } else { '_' })
            .collect();
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            name.replace_range(..1, "_");
        }
        [format!("{name}_ID_TOKEN"), "SNOWFLAKE_ID_TOKEN".to_owned()]
    }

    /// The identity token of a job of GitLab.
    pub fn gitlab_token(&self) -> Option<&str> {
        if !self.is_gitlab() {
            return None;
        }
        self.gitlab_variables().iter().find_map(|name| self.get(name))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Environment::new(pairs.collect())
    }

    #[test]
    fn gitlabs_variable_is_named_after_the_audience() {
        let names = |audience| environment(&[("SNOWFLAKE_AUDIENCE", audience)]).gitlab_variables()[0].clone();
        assert_eq!(environment(&[]).gitlab_variables()[0], "SNOWFLAKECOMPUTING_COM_ID_TOKEN");
        assert_eq!(names("http://test.audience"), "HTTP___TEST_AUDIENCE_ID_TOKEN");
        assert_eq!(names("1st"), "_ST_ID_TOKEN");
        let token = ("SNOWFLAKE_ID_TOKEN", "t");
        assert_eq!(environment(&[token]).gitlab_token(), None, "only where GitLab set it");
        assert_eq!(environment(&[token, ("GITLAB_CI", "true")]).gitlab_token(), Some("t"));
    }

    #[test]
    fn nothing_of_it_is_shown() {
        assert!(!format!("{:?}", environment(&[("A", "hunter2")])).contains("hunter2"));
        assert!(environment(&[("CI", "true")]).is_ci() && !environment(&[("CI", "false")]).is_ci());
    }
}
