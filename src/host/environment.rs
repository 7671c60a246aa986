//! Environment variables, the home directory and the current one.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Every variable whose name and value are Unicode.
pub fn variables() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The user's home directory, where it is known.
pub fn home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

/// The directory that the process stands in; `.` where that cannot be told.
pub fn current_dir() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}

/// The name of the operating system: `linux`, `macos`, `windows`, …
pub fn operating_system() -> &'static str {
    std::env::consts::OS
}

/// The words of the command line, the program's own name first.
pub fn arguments() -> Vec<String> {
    std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// The file of this program.
pub fn program() -> std::io::Result<PathBuf> {
    std::env::current_exe()
}

/// The directories that programs are looked for in.
pub fn program_directories() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}
