//! The person's browser.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

/// Asks a browser to show an address; whether there was one to ask. It may still fail by itself, so the address should
/// be said as well.
///
/// The variable `BROWSER` counts as it does elsewhere: commands with `:` between them, the address in the place of `%s`
/// or behind; `none` or nothing for no browser at all. Without it the system's own way is taken, where a screen is.
pub fn open(address: &str, variables: &BTreeMap<String, String>) -> bool {
    commands(address, variables).iter().any(|words| {
        let Some((program, arguments)) = words.split_first() else { return false };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().is_ok()
    })
}

/// The commands to try, each with its arguments. No shell reads them: an address may hold anything.
fn commands(address: &str, variables: &BTreeMap<String, String>) -> Vec<Vec<String>> {
    if let Some(wanted) = variables.get("BROWSER") {
        let wanted = wanted.trim();
        if wanted.is_empty() || wanted.eq_ignore_ascii_case("none") {
            return Vec::new();
        }
        return list(wanted).iter().map(|command| with_address(command, address)).collect();
    }
    let set = |name: &str| variables.get(name).is_some_and(|value| !value.is_empty());
    let known: &[&str] = if cfg!(target_os = "macos") {
        &["open"]
    } else if cfg!(windows) {
        &["rundll32 url.dll,FileProtocolHandler"]
    } else if set("DISPLAY") || set("WAYLAND_DISPLAY") {
        &["xdg-open", "gio open", "x-www-browser"]
    } else if set("WSL_DISTRO_NAME") {
        &["wslview"]
    } else {
        &[]
    };
    known.iter().map(|command| with_address(command, address)).collect()
}

/// Paths of Windows hold the sign that is between commands elsewhere.
fn list(wanted: &str) -> Vec<&str> {
    if cfg!(windows) {
        vec![wanted]
    } else {
        wanted.split(':').filter(|part| !part.trim().is_empty()).collect()
    }
}

fn with_address(command: &str, address: &str) -> Vec<String> {
    let words = command.split_whitespace().filter(|word| *word != "&");
    let mut words: Vec<String> = words.map(|word| word.replace("%s", address)).collect();
    if !command.contains("%s") {
        words.push(address.to_owned());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&str, &str)]) -> Vec<String> {
        let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        commands("https://a/?b c", &variables).iter().map(|words| words.join("|")).collect()
    }

    #[test]
    fn the_variable_names_commands_or_none() {
        assert_eq!(asked(&[("BROWSER", "none"), ("DISPLAY", ":0")]), [""; 0]);
        assert_eq!(asked(&[("BROWSER", "")]), [""; 0]);
        #[cfg(not(windows))]
        assert_eq!(
            asked(&[("BROWSER", "firefox --new-tab:show %s &")]),
            ["firefox|--new-tab|https://a/?b c", "show|https://a/?b c"]
        );
        #[cfg(target_os = "linux")]
        {
            assert_eq!(asked(&[]), [""; 0], "without a screen there is nothing to show it on");
            assert_eq!(asked(&[("DISPLAY", ":0")])[0], "xdg-open|https://a/?b c");
        }
    }
}
