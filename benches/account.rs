//! What an account costs, measured with the embedded one behind its server: `cargo bench --bench account`. Whole processes
//! of the release binary; the limits are those of the comments beside each line. Times on a shared machine are compared
//! within one run only.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot start has no result")]

#[path = "../tests/support/proxy.rs"]
#[expect(dead_code, reason = "nothing goes wrong on the way here; it only takes its time")]
mod proxy;
#[path = "../tests/support/scripted.rs"]
#[expect(dead_code, reason = "only its reading of requests is needed here")]
mod scripted;

use snowform::local::server::{ServerConfig, ServerHandle, serve};
use snowform::local::{Account, Context};
use snowform::object::name::Ident;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PASSWORD: &str = "local-password";

/// One run of the binary: how long, and its highest use of memory in MiB.
fn run(directory: &Path, port: u16, words: &[&str]) -> (Duration, u64) {
    let start = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_snowform"));
    command.args(words).arg("-x").current_dir(directory).env_clear().env("HOME", directory);
    let port = port.to_string();
    for (name, value) in [
        ("ACCOUNT", "local"),
        ("USER", "LOCAL"),
        ("PASSWORD", PASSWORD),
        ("HOST", "127.0.0.1"),
        ("PROTOCOL", "http"),
        ("PORT", port.as_str()),
        ("DATABASE", "LOCAL"),
        ("SCHEMA", "PUBLIC"),
    ] {
        command.env(format!("SNOWFLAKE_{name}"), value);
    }
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let ended = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak = peak.max(kib.unwrap_or(0) / 1024);
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(ended.success(), "{words:?}");
    (start.elapsed(), peak)
}

fn write_definition(directory: &Path, repositories: usize) {
    let mut text = String::from("definition_version: 2\nentities:\n");
    for number in 0..repositories {
        writeln!(text, "  repo_{number:06}:\n    type: image-repository").unwrap();
    }
    std::fs::write(directory.join("snowflake.yml"), text).unwrap();
}

fn account(repositories: usize) -> Account {
    let account = Account::in_memory().unwrap();
    account.set_password(&Ident::exact("LOCAL"), PASSWORD).unwrap();
    let mut context = Context::local();
    for number in 0..repositories {
        account.execute(&mut context, &format!("CREATE IMAGE REPOSITORY repo_{number:06}")).unwrap();
    }
    account
}

fn statements(server: &ServerHandle) -> usize {
    server.requests().iter().filter(|request| request.sql.is_some()).count()
}

async fn plans() {
    let directory = tempfile::tempdir().unwrap();
    for (live, declared) in [(200, 200), (10_000, 200), (100_000, 200)] {
        let server = serve(account(live), ServerConfig::default()).await.unwrap();
        write_definition(directory.path(), declared);
        let port = server.address().port();
        let path = directory.path().to_owned();
        let (time, peak) = tokio::task::spawn_blocking(move || run(&path, port, &["plan"])).await.unwrap();
        // Limit: one login and one SHOW for any number that one answer holds; 400 MB for 100,000.
        println!("plan of {declared} among {live}: {time:?}, {peak} MiB, {} statements", statements(&server));
    }
}

async fn deploys() {
    let directory = tempfile::tempdir().unwrap();
    let latency = Duration::from_millis(100);
    for number in [1_u32, 16, 200] {
        let server = serve(account(0), ServerConfig::default()).await.unwrap();
        let proxy = proxy::Proxy::start(server.address(), latency, Vec::new()).await;
        write_definition(directory.path(), number as usize);
        let (path, port) = (directory.path().to_owned(), proxy.port);
        let (time, _) = tokio::task::spawn_blocking(move || run(&path, port, &["deploy"])).await.unwrap();
        let limit = latency * 3 + latency * number / 16 + Duration::from_millis(100);
        println!("deploy of {number} new at {latency:?}: {time:?} (limit {limit:?})");
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        plans().await;
        deploys().await;
    });
}
