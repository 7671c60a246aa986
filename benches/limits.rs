//! What must be fast, measured: `cargo bench`. Times are the best of several runs; machines are noisy, so compare the
//! ratios of one run, not the times of two. The limits are in the comments beside each line.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use snowform::check;
use snowform::definition::{Inputs, Variables};
use snowform::source::files::Files;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn definition(entities: usize) -> String {
    let mut text = String::from("definition_version: 2\nentities:\n");
    for number in 0..entities {
        let _ = write!(
            text,
            "  repository_number_{number}:\n    type: image-repository\n    identifier:\n      name: repository_{number}\n      \
             schema: core\n      database: production\n"
        );
    }
    text
}

fn best(runs: usize, mut run: impl FnMut()) -> Duration {
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..runs).map(|_| time(&mut run)).min().unwrap_or_default()
}

fn check_text(text: &str) {
    let mut files = Files::default();
    let definition = files.add("snowflake.yml", text);
    let inputs = Inputs { definition, local: None, overlay: None, variables: &Variables::default() };
    let found = check::check(&files, &inputs).diagnostics.sorted();
    assert!(found.is_empty(), "{found:?}");
}

/// The highest use of memory by this process so far, in MiB, where the system tells.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

fn process(arguments: &[&str], directory: &Path) -> Duration {
    best(20, || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_snowform"));
        let ran = command
            .args(arguments)
            .current_dir(directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(ran.is_ok_and(|status| status.success()));
    })
}

fn main() {
    let (small, large) = (definition(1_000), definition(10_000));
    println!("a definition of 10,000 entities has {} kB", large.len() / 1000);
    let one = best(10, || check_text(&small));
    let ten = best(10, || check_text(&large));
    println!("check of 10,000 entities: {ten:?}, {:.1} times that of 1,000 (linear is 10)", ratio(ten, one));
    let oracle = best(5, || drop(serde_yaml::from_str::<serde_yaml::Value>(&large)));
    println!("  against serde_yaml reading it without places: {:.2} times", ratio(ten, oracle));
    if let Some(peak) = peak_mib() {
        println!(
            "  memory of this process at its highest: {peak} MiB (limit for the whole validate: 120 MB)"
        );
    }
    let directory = std::env::temp_dir().join(format!("snowform-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a temporary directory");
    std::fs::write(directory.join("snowflake.yml"), &large).expect("a temporary file");
    let nothing = best(20, || drop(Command::new("true").status()));
    let version = process(&["--version"], &directory);
    let validate = process(&["validate"], &directory);
    println!("whole process: --version {version:?} (limit 5 ms), of which starting any process {nothing:?}");
    println!("whole process: validate of 10,000 entities {validate:?} (limit 150 ms)");
    let _ = std::fs::remove_dir_all(&directory);
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64().max(f64::EPSILON)
}
