//! Views of finished plans: the examples, hostile input, and a plan of thousands of changes.
#![expect(clippy::unwrap_used, reason = "an unwrap that fails is a test that fails")]

use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::{Value, json};
use snowform::check;
use snowform::definition::{Inputs, Variables};
use snowform::desired::{Desired, NameDefaults, Origin};
use snowform::local::{Account, Context};
use snowform::object::name::{Ident, ObjectName, PartialName};
use snowform::object::reading::Live;
use snowform::object::state::{Contents, Image, Object, ObjectId, ObjectType};
use snowform::object::statement::Sql;
use snowform::plan::{self, Goal, Plan, Target};
use snowform::source::files::Files;
use snowform::view::report::Report;
use snowform::view::{code_hosts, escape, findings, html, json as documents, markdown, sarif, script};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The file of every view, and its format.
const VIEWS: [(&str, &str); 11] = [
    ("plan.txt", "text"),
    ("plan.json", "json"),
    ("plan.md", "markdown"),
    ("plan.sql", "sql"),
    ("plan.html", "html"),
    ("plan.sarif", "sarif"),
    ("plan.github.txt", "github"),
    ("plan.gitlab.json", "gitlab"),
    ("plan.gitlab-terraform.json", "gitlab-terraform"),
    ("plan.azure.txt", "azure"),
    ("plan.rdjson", "rdjson"),
];

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/views").join(name)
}

/// Makes what a script says, one statement at a line that begins with a keyword.
fn populate(account: &Account, script: &str) {
    let mut statements: Vec<String> = Vec::new();
    for line in script.lines() {
        match statements.last_mut() {
            Some(last) if !line.starts_with("CREATE") && !line.starts_with("--") => last.extend(["\n", line]),
            _ => statements.push(line.to_owned()),
        }
    }
    for statement in statements {
        if let Some(image) = statement.strip_prefix("-- image ") {
            let words: Vec<&str> = image.split_whitespace().collect();
            let name = PartialName::parse(words[0]).unwrap();
            let name = ObjectName::new(name.database.unwrap(), name.schema.unwrap(), name.name);
            account.record_image(&name, words[1], Some(words[2]), words[3]).unwrap();
        } else {
            account.execute(&mut Context::local(), &statement).unwrap();
        }
    }
}

/// Times that a machine's clock told are no part of an example.
fn without_times(document: &mut Value) {
    match document {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(time) if name == "created_on" => {
                        *time = "2026-01-31 09:00:00.000 +0000".to_owned()
                    }
                    member => without_times(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_times),
        _ => {}
    }
}

fn snowform(directory: &Path, arguments: &[&str]) -> String {
    snowform_with(directory, arguments, &[])
}

fn snowform_with(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snowform"));
    command.args(arguments).current_dir(directory).env_clear().env("HOME", directory);
    command.envs(variables.iter().copied());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_examples_show_one_plan_in_every_format() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["snowflake.yml", "snowform.yml"] {
        fs::copy(example("project").join(name), directory.path().join(name)).unwrap();
    }
    let account = Account::open(&directory.path().join(".snowform")).unwrap();
    populate(&account, &fs::read_to_string(example("project/live.sql")).unwrap());
    snowform(directory.path(), &["plan", "--local", "--out", "saved.json"]);
    let saved = directory.path().join("saved.json");
    let mut document: Value = serde_json::from_str(&fs::read_to_string(&saved).unwrap()).unwrap();
    without_times(&mut document);
    fs::write(&saved, document.to_string()).unwrap();

    let mut stale = Vec::new();
    for (file, format) in VIEWS {
        let shown = snowform(directory.path(), &["show", "saved.json", "--format", format]);
        if fs::read_to_string(example(file)).unwrap_or_default() != shown {
            stale.push(file);
            if std::env::var_os("SNOWFORM_BLESS").is_some() {
                fs::write(example(file), shown).unwrap();
            }
        }
    }
    assert_eq!(stale, Vec::<&str>::new(), "write them anew with SNOWFORM_BLESS=1");
}

/// What somebody would write who wants a view to do something.
const ATTACKS: [&str; 22] = [
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "\u{9b}31m",
    "`code` ``` ~~~",
    "@everyone",
    "</details><script>owned=1</script>",
    "<img src=x onerror=owned=1>",
    "\" onmouseover=\"owned=1",
    "-->",
    "<!-- snowform:plan {\"v\":1,\"tag\":\"plan\"} -->",
    "\n::set-output name=x::y",
    "::add-mask::x",
    "\n##vso[task.setvariable variable=x]y",
    "##[command]x",
    "\u{202e}gnp.exe\u{200f}",
    "\u{2028}",
    "[click](https://example.com)",
    "https://example.com www.example.com",
    "![x](https://example.com/x.png)",
    "| a | b |\n|---|---|",
    "#1 !1 closes #2",
    "\n/close\n# heading",
    "%0A::error::x",
];

fn attack() -> String {
    ATTACKS.join(" ") + "\n" + &ATTACKS.join("\n")
}

fn object(comment: &str) -> Object {
    Object {
        attributes: [("comment", comment.to_owned())].into(),
        facts: [].into(),
        tags: [].into(),
        grants: None,
    }
}

fn id(name: &str) -> ObjectId {
    ObjectId {
        object_type: ObjectType::ImageRepository,
        name: ObjectName::new(Ident::exact("DB"), Ident::exact("CORE"), Ident::exact(name)),
    }
}

/// What two texts declare; a mistake fails the test.
fn declared(definition: &str, overlay: &str) -> (Desired, Files) {
    let mut files = Files::default();
    let (definition, overlay) = (files.add("snowflake.yml", definition), files.add("snowform.yml", overlay));
    let inputs = Inputs { definition, local: None, overlay: Some(overlay), variables: &Variables::default() };
    let checked = check::check(&files, &inputs);
    assert!(!checked.diagnostics.has_errors(), "{:?}", checked.diagnostics);
    let (desired, found) = check::complete(&checked.project, &NameDefaults::default());
    assert!(!found.has_errors(), "{found:?}");
    (desired, files)
}

/// A plan in which everything that anybody can write is hostile: names, comments, images, places, the account itself.
fn hostile() -> (Plan, Files) {
    let attack = attack();
    let long = "x".repeat(100_000);
    let quoted = |text: &str| escape::json(&serde_json::to_string(text).unwrap());
    let names =
        ["</details><script>owned=1</script>", "@everyone", "`x`|y", "##vso[task.complete]", "::error::x"];
    let mut definition = "definition_version: 2\nentities:\n".to_owned();
    let mut overlay = "entities:\n".to_owned();
    for (nth, name) in names.into_iter().enumerate() {
        let key = quoted(name);
        let identifier = quoted(&format!("DB.CORE.{}", Ident::exact(name)));
        let _ = write!(definition, "  {key}:\n    type: image-repository\n    identifier: {identifier}\n");
        let _ = write!(overlay, "  {key}:\n    comment: {}\n", quoted(&format!("{nth} {attack}")));
    }
    let (mut desired, files) = declared(&definition, &overlay);
    let mut live = Live::default();
    // No file can say so long a name; an account might.
    let origin = desired.origins.values().next().unwrap().clone();
    desired.state.insert(id(&long), object(&attack));
    desired.origins.insert(id(&long), Origin { entity: long.clone(), ..origin });
    // The first is altered, the second loses images whose names are hostile too.
    let ids: Vec<ObjectId> = desired.state.keys().cloned().collect();
    live.state.insert(ids[0].clone(), object(&format!("before {attack}")));
    live.state.insert(ids[1].clone(), object("x"));
    let image = Image {
        name: attack.clone(),
        tags: vec![attack.clone(), long],
        digest: attack.clone(),
        created_on: Some(attack.clone()),
    };
    live.contents.insert(ids[1].clone(), Contents::Listed(vec![image]));
    let origin = desired.origins[&ids[1]].clone();
    desired.state.remove(&ids[1]);
    desired.origins.remove(&ids[1]);
    desired.removed.insert(ids[1].clone(), origin);
    let target = Target { account: attack.clone(), host: "h".to_owned(), role: Some(attack), between: None };
    (plan::plan(Goal::Deploy.into(), target, &desired, &live), files)
}

/// Whether a log or a terminal would do something.
fn acts(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}'..='\u{2029}')
    };
    if let Some(c) = text.chars().find(|c| hidden(*c)) {
        return Some(format!("a hidden character {:?}", c));
    }
    if lower.contains("##vso[") || lower.contains("##[") {
        return Some("a logging command".to_owned());
    }
    let command = text.lines().find(|line| line.trim_start().starts_with("::"));
    command.map(ToOwned::to_owned)
}

#[test]
fn nothing_hostile_acts_in_a_terminal_or_a_log() {
    let (plan, files) = hostile();
    let report = Report::new(&plan, &files);
    let text = anstream::adapter::strip_str(&snowform::view::plan::text(&plan, &files)).to_string();
    assert_eq!(acts(&text), None);
    assert_eq!(acts(&script::text(&report)), None);
    assert!(text.contains("@everyone") && text.contains("\\u{202e}"), "it is shown all the same");
    for document in [
        serde_json::to_string_pretty(&documents::plan(&plan, None, &files)).unwrap(),
        serde_json::to_string_pretty(&sarif::document(&findings::of(&report), &[])).unwrap(),
        serde_json::to_string_pretty(&code_hosts::gitlab(&findings::of(&report))).unwrap(),
    ] {
        let written = escape::json(&document);
        assert_eq!(acts(&written), None);
        let (read, meant): (Value, Value) =
            (serde_json::from_str(&written).unwrap(), serde_json::from_str(&document).unwrap());
        assert_eq!(read, meant, "every value is what it was");
    }
}

#[test]
fn hostile_findings_are_single_commands_of_a_build_machine() {
    let (plan, files) = hostile();
    let found = findings::of(&Report::new(&plan, &files));
    assert!(!found.is_empty());
    let github = code_hosts::github(&found);
    assert_eq!(github.lines().count(), found.len());
    for line in github.lines() {
        assert!(line.starts_with("::error file=") || line.starts_with("::warning file="), "{line}");
    }
    let azure = code_hosts::azure(&found);
    assert_eq!(azure.lines().count(), found.len());
    for line in azure.lines() {
        let rest = line.strip_prefix("##vso[task.logissue type=").unwrap_or_else(|| panic!("{line}"));
        assert!(!rest.contains("##vso["), "{line}");
    }
    let outputs = findings::github_outputs(&Report::new(&plan, &files));
    assert_eq!(outputs.lines().count(), 10, "{outputs}");
}

#[test]
fn no_format_shows_the_value_of_a_secret_variable() {
    let secret = "p4ss'w\"rd\\<b>&`x`|y%0A";
    let variables = [("DEPLOY_TOKEN", secret)];
    let directory = tempfile::tempdir().unwrap();
    let account = Account::open(&directory.path().join(".snowform")).unwrap();
    let held = Sql::new("CREATE IMAGE REPOSITORY repo COMMENT =").text(&format!("before {secret} {secret}"));
    account.execute(&mut Context::local(), held.as_str()).unwrap();
    let definition = "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n  new:\n    type: image-repository\n";
    fs::write(directory.path().join("snowflake.yml"), definition).unwrap();
    let overlay = "entities:\n  repo:\n    comment: after <% ctx.env.DEPLOY_TOKEN %>\n  new:\n    comment: <% ctx.env.DEPLOY_TOKEN %>\n";
    fs::write(directory.path().join("snowform.yml"), overlay).unwrap();
    snowform_with(directory.path(), &["plan", "--local", "--out", "saved.json"], &variables);
    let saved = fs::read_to_string(directory.path().join("saved.json")).unwrap();
    assert!(saved.contains("p4ss"), "what is deployed is what was declared");
    for (_, format) in VIEWS {
        for arguments in [&["plan", "--local"][..], &["show", "saved.json"]] {
            let arguments = [arguments, &["--format", format]].concat();
            let shown = snowform_with(directory.path(), &arguments, &variables);
            assert!(!shown.to_lowercase().contains("p4ss"), "{format}: {shown}");
            let says_values = matches!(format, "text" | "json" | "markdown" | "sql" | "html");
            assert_eq!(says_values, shown.contains("DEPLOY"), "{format}: {shown}");
        }
    }
}

#[test]
fn no_format_of_the_program_acts() {
    let directory = tempfile::tempdir().unwrap();
    let account = Account::open(&directory.path().join(".snowform")).unwrap();
    let held = Sql::new("CREATE IMAGE REPOSITORY repo COMMENT =").text(&attack());
    account.execute(&mut Context::local(), held.as_str()).unwrap();
    let declared = escape::json(&serde_json::to_string(&format!("declared {}", attack())).unwrap());
    let definition = "definition_version: 2\nentities:\n  repo:\n    type: image-repository\n  \"new\\e[2J ##vso[x]y\":\n    type: streamlit\n    main_file: a.py\n    artifacts: [a.py]\n    identifier: x\n";
    fs::write(directory.path().join("snowflake.yml"), definition).unwrap();
    let overlay = format!(
        "entities:\n  repo:\n    comment: {declared}\n    grants:\n      - privilege: READ\n        role: '\"##[error]x@everyone<script>\"'\n"
    );
    fs::write(directory.path().join("snowform.yml"), overlay).unwrap();
    snowform(directory.path(), &["plan", "--local", "--out", "saved.json"]);
    for (_, format) in VIEWS {
        for arguments in
            [&["plan", "--local"][..], &["show", "saved.json"], &["deploy", "--local", "--dry-run"]]
        {
            let shown = snowform(directory.path(), &[arguments, &["--format", format]].concat());
            let shown = match format {
                "github" => shown.lines().filter_map(|line| line.strip_prefix("::warning file=")).collect(),
                "azure" => {
                    shown.lines().filter_map(|line| line.strip_prefix("##vso[task.logissue type=")).collect()
                }
                "markdown" => {
                    assert_eq!(markdown_acts(&shown), Vec::<String>::new());
                    shown.replace('\u{200b}', "")
                }
                _ => shown,
            };
            assert!(!shown.is_empty() && acts(&shown).is_none(), "{format}: {:?}", acts(&shown));
        }
    }
}

/// Reads Markdown as code hosts do, and says everything of it that is no plain text, code or list of ours.
fn markdown_acts(page: &str) -> Vec<String> {
    let ours = ["<details>", "<details open>", "</details>", "<summary>", "</summary>"];
    let mut wrong = Vec::new();
    let mut code = 0_usize;
    for event in
        Parser::new_ext(page, Options::ENABLE_TABLES | Options::ENABLE_GFM | Options::ENABLE_STRIKETHROUGH)
    {
        match event {
            Event::Start(Tag::CodeBlock(_)) => code += 1,
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => code -= 1,
            Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis | Tag::Strikethrough) => {
                wrong.push(format!("{event:?}"));
            }
            Event::Html(tag) | Event::InlineHtml(tag) => {
                let mut rest = tag.trim().to_owned();
                for known in ours {
                    rest = rest.replace(known, "");
                }
                if rest.contains('<') {
                    wrong.push(tag.to_string());
                }
            }
            Event::Text(text) if code == 0 => {
                let mentions = text
                    .match_indices('@')
                    .any(|(at, _)| !text[at + 1..].starts_with('\u{200b}') && at + 1 < text.len());
                if mentions || text.contains("://") || text.contains("www.") {
                    wrong.push(text.to_string());
                }
            }
            _ => {}
        }
    }
    wrong
}

#[test]
fn nothing_hostile_acts_in_markdown() {
    let (plan, files) = hostile();
    let report = Report::new(&plan, &files);
    for most in [markdown::COMMENT_BYTES, 1_000_000] {
        let page = markdown::document(&report, &attack(), None, most);
        assert!(page.len() <= most, "{} bytes", page.len());
        assert_eq!(markdown_acts(&page), Vec::<String>::new(), "{page}");
        assert!(page.starts_with("### "), "a marker counts on the first line alone, and that is ours");
        assert!(!page.lines().any(|line| line.starts_with('/')), "a quick action of GitLab");
        assert_eq!(acts(&page.replace(['\u{200b}'], "")), None);
    }
}

#[test]
fn the_html_report_has_no_markup_of_others() {
    let (plan, files) = hostile();
    let page = html::page(&Report::new(&plan, &files), &attack());
    // A browser says the rest: tests/interop/report.py.
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("<img") && !page.contains("onmouseover=\"") && !page.contains("<a "));
    assert!(page.contains("default-src 'none'"));
    if let Some(target) = std::env::var_os("SNOWFORM_HOSTILE_REPORT") {
        fs::write(target, page).unwrap();
    }
}

/// 2,000 changes: creations, alterations and drops with images.
fn large() -> (Plan, Files) {
    let mut definition = "definition_version: 2\nentities:\n".to_owned();
    let mut overlay = "entities:\n".to_owned();
    for nth in 0..2_000 {
        let _ = write!(
            definition,
            "  e{nth}:\n    type: image-repository\n    identifier: db.core.repository_{nth:04}\n"
        );
        let _ = write!(overlay, "  e{nth}:\n    comment: the images of service {nth}, built every night\n");
    }
    let (mut desired, files) = declared(&definition, &overlay);
    let mut live = Live::default();
    for nth in 0..2_000 {
        let id = id(&format!("REPOSITORY_{nth:04}"));
        if nth % 4 < 2 {
            live.state.insert(id.clone(), object("the images of a service"));
        }
        if nth % 4 == 0 {
            let image = Image {
                name: "app".to_owned(),
                tags: vec!["1".to_owned()],
                digest: "sha256:aa".to_owned(),
                created_on: None,
            };
            live.contents.insert(id.clone(), Contents::Listed(vec![image]));
            desired.state.remove(&id);
            let origin = desired.origins.remove(&id).unwrap();
            desired.removed.insert(id, origin);
        }
    }
    let target = Target { account: "ACME-PROD".to_owned(), host: "h".to_owned(), role: None, between: None };
    (plan::plan(Goal::Deploy.into(), target, &desired, &live), files)
}

#[test]
fn two_thousand_changes_are_counted_whole_and_shown_as_far_as_there_is_room() {
    let (plan, files) = large();
    let report = Report::new(&plan, &files);
    let page = markdown::document(&report, "plan", None, markdown::COMMENT_BYTES);
    assert!(
        page.len() <= markdown::COMMENT_BYTES && page.len() > markdown::COMMENT_BYTES / 2,
        "{}",
        page.len()
    );
    assert!(page.contains("1000 to create, 500 to alter, **500 to drop**"), "{}", &page[..300]);
    assert!(page.contains("**drops-images** (500)"), "hazards are counted whatever the room");
    assert!(page.contains(" more hazards") && page.contains(" more objects"), "what is left out is counted");
    assert_eq!(markdown_acts(&page), Vec::<String>::new());

    let document = serde_json::to_value(documents::plan(&plan, None, &files)).unwrap();
    assert_eq!(document["changes"].as_array().unwrap().len(), 2_000);
    assert_eq!(
        document["summary"],
        json!({"alter": 500, "create": 1000, "drop": 500, "no-op": 0, "replace": 0})
    );
    let text = anstream::adapter::strip_str(&snowform::view::plan::text(&plan, &files)).to_string();
    assert!(text.ends_with("Plan: 1000 to create, 500 to alter, 500 to drop in account ACME-PROD.\n"));
    assert!(text.lines().all(|line| line.chars().count() < 200));
    let page = html::page(&report, "plan");
    assert_eq!(page.matches("<details class=\"change\"").count(), 2_000);
    assert!(page.len() < 3_000_000, "{} bytes open quickly", page.len());
    if let Some(target) = std::env::var_os("SNOWFORM_LARGE_REPORT") {
        fs::write(target, page).unwrap();
    }
    let github = code_hosts::github(&findings::of(&report));
    assert!(github.lines().count() <= 11 && github.contains("490 more"), "GitHub shows ten: {github}");
    assert_eq!(script::text(&report).matches("DROP IMAGE REPOSITORY").count(), 500);
}

#[test]
fn problems_and_hazards_stay_however_little_room_there_is() {
    let (plan, files) = large();
    let mut report = Report::new(&plan, &files);
    report.problems = (0..400)
        .map(|nth| snowform::view::report::Trouble {
            code: plan::problem::MISSING_CONTAINER,
            message: format!("schema DB.S{nth} does not exist"),
            help: "create it".to_owned(),
            at: None,
        })
        .collect();
    let page = markdown::document(&report, "plan", None, 4_000);
    assert!(page.len() <= 4_000, "{}", page.len());
    for told in [
        "500 to drop",
        "400 problems: nothing can be deployed",
        "(500)",
        "**missing-container** schema",
        " more problems",
        " more hazards",
    ] {
        assert!(page.contains(told), "{told} is missing in:\n{page}");
    }
}
