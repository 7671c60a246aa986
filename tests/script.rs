//! Sessions with the real binary: `tests/cases/script/NAME.trycmd` holds commands with what a person sees of them (both
//! streams) and their exit codes, `NAME.in/` the directory that they run in. With `TRYCMD=overwrite` they are written anew.

#[test]
fn sessions_go_as_written() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let cases = trycmd::TestCases::new();
    // Nothing of the machine's own connections, and no colour.
    for name in ["SNOWFLAKE_HOME", "XDG_CONFIG_HOME", "HOME"] {
        cases.env(name, home.path().to_str().expect("a temporary directory in Unicode"));
    }
    cases.env("NO_COLOR", "1").env("SNOWFORM_TEST_STAGE", "from_env");
    cases.case("tests/cases/script/*.trycmd");
}
