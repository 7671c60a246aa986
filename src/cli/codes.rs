//! The codes of this program's own errors and refusals, each declared once: `explain` and `docs/codes` are made from
//! these lists. Codes of mistakes in a definition stand with their rules, those of hazards with the statements.

use super::error::Exit;
use crate::object::statement::HazardKind;
use crate::plan::problem;

/// A code and what it means.
#[derive(Debug, PartialEq, Eq)]
pub struct Explained {
    /// The stable code.
    pub code: &'static str,
    /// The exit code of a command that ends with it.
    pub exit: Exit,
    /// One sentence without anything of the user's.
    pub summary: &'static str,
    /// Why, and what to do.
    pub help: &'static str,
}

const fn failed(code: &'static str, summary: &'static str, help: &'static str) -> Explained {
    Explained { code, exit: Exit::Failed, summary, help }
}

const fn usage(code: &'static str, summary: &'static str, help: &'static str) -> Explained {
    Explained { code, exit: Exit::Usage, summary, help }
}

const fn unauthorised(code: &'static str, summary: &'static str, help: &'static str) -> Explained {
    Explained { code, exit: Exit::Unauthorised, summary, help }
}

/// What keeps a plan from being carried out, whatever is allowed.
pub static PROBLEMS: &[Explained] = &[
    failed(
        problem::LOSES_SIGHT,
        "a role would give an object away, and not see it any more",
        "Whoever owns an object decides who sees it. A role that does not act for the new owner could neither check the deploy \
         nor repeat it. Grant it the new owner's role, or deploy as a role that has it.",
    ),
    failed(
        problem::MISSING_CONTAINER,
        "a database or a schema does not exist, or the role may not use it",
        "Objects are created in schemas that are there. Snowflake does not tell what is missing from what is hidden. Create \
         it, correct the name, or grant USAGE on it to the role that the message names.",
    ),
    failed(
        problem::MISSING_IMAGE,
        "an image that the definition requires is not in its repository",
        "`require_images` names images that others rely on. Push the image, or correct the entity in snowform.yml.",
    ),
    failed(
        problem::MISSING_PRIVILEGE,
        "the role may not carry the plan out",
        "Asked for with `--check-privileges`. The problem names the role and the grant that would let it; use another role, or ask \
         whoever may grant it.",
    ),
    failed(
        problem::OPEN_GRANTS,
        "an owner changes, and nobody said what becomes of the grants",
        "A new owner either keeps the grants that stand on the object or takes them away; Snowflake refuses to choose. Say it in \
         snowform.yml: `owner_grants: copy`, or `owner_grants: revoke`.",
    ),
    failed(
        problem::PROTECTED,
        "an object that is protected would be dropped or replaced",
        "`prevent_drop` was set for it. No plan that loses the object is carried out, and no flag changes that. Set it to false \
         and deploy, if the loss is meant.",
    ),
    failed(
        problem::TOO_MANY_DROPS,
        "more objects would be lost at once than `max_drops` lets go",
        "A wrong directory, branch or target loses many objects at once. Look at each of them; if all are meant, raise \
         `max_drops` in snowform.yml.",
    ),
];

/// Why a command ends without having done what it was asked for.
pub static ERRORS: &[Explained] = &[
    failed(
        "already-exists",
        "an image repository of this name is there already",
        "`create` makes new ones only. `--if-not-exists` leaves the old one as it is; `--replace` destroys its images.",
    ),
    unauthorised(
        "authentication",
        "the account did not accept who we are",
        "Check user, authenticator and secret: `snowform connection list` says where each comes from, and \
         `snowform connection test` tries them. The account's own code, where it gave one, stands in place of this word.",
    ),
    failed(
        "cannot-listen",
        "the local account cannot be served on this address",
        "Another program listens there. Choose another port, or let the system choose with `--port 0`.",
    ),
    failed(
        "comment-failed",
        "the code host did not take the comment",
        "It was asked several times, and what it said stands in the message. The comment's text was written to standard output, \
         so nothing is lost; run the job again later.",
    ),
    unauthorised(
        "comment-not-allowed",
        "the token may not write comments",
        "Builds of pull requests from forks get a token that may only read; that is meant so. The text of the comment was written \
         to standard output, and to the job's summary on GitHub. Elsewhere: GitHub needs `permissions: pull-requests: write`, \
         GitLab a token with scope `api` (not CI_JOB_TOKEN), Azure the right \"Contribute to pull requests\".",
    ),
    failed(
        "connection",
        "no connection can be made from the options, the environment and the files",
        "`snowform connection list` shows every connection and where each of its values comes from. Without an account, \
         `--local` uses the embedded one, and `plan --against REV` compares two revisions of the files.",
    ),
    failed(
        "credential-helper",
        "docker's credential helper cannot serve this request",
        "Docker, podman and their like call it; it answers for registries that `snowform image-registry install-helper` \
         was run for.",
    ),
    failed(
        "file-exists",
        "a file that would be written is there already",
        "`import` writes into directories without a definition. Choose an empty one with `--project DIR`, and compare.",
    ),
    usage(
        "format",
        "the command does not write this format",
        "Every command writes `text` and `json`; which others it writes stands in the message.",
    ),
    failed(
        "git",
        "a revision of the files cannot be read",
        "`--against` needs the program `git`, a repository and the revision. Build machines fetch one commit only; the message \
         says how the other one is fetched.",
    ),
    failed(
        "incomplete-connection",
        "the connection names no database or no schema, and the command needs one",
        "Pass `--database` and `--schema`, or set them in the connection.",
    ),
    failed(
        "invalid-definition",
        "the definition has mistakes, so there is no plan",
        "The mistakes are listed before this error, each with its own code. Nothing was sent to the account.",
    ),
    usage(
        "invalid-name",
        "a name on the command line is no name",
        "Give it as SQL spells it: `my_repo`, `db.core.my_repo`.",
    ),
    usage(
        "invalid-revision",
        "what `--against` was given names no revision",
        "`--against BASE` compares the files as they are with those of a revision, `--against BASE..HEAD` two revisions.",
    ),
    failed(
        "local-account",
        "the embedded local account cannot be used",
        "It is kept in `.snowform/` of the project. `snowform local status` says what is there, `snowform local reset` \
         begins anew.",
    ),
    failed(
        "no-ci",
        "it cannot be told which build machine this is, or which pull request it builds",
        "On GitHub, GitLab and Azure that stands in variables. Elsewhere, name it with `--repo` and `--pr`.",
    ),
    failed(
        "no-definition",
        "there is no snowflake.yml",
        "Go to the project's directory, or name it with `--project DIR`. `snowform init` writes a first definition.",
    ),
    failed("no-home", "there is no home directory", "Set HOME, so that files of the user have a place."),
    failed(
        "no-link",
        "the credential helper cannot be put into place",
        "Choose a directory that is yours with `--bin-dir`.",
    ),
    failed(
        "no-private-link",
        "the account has no private registry host",
        "Leave `--private-link` out, or ask the account's administrator for `SYSTEM$GET_PRIVATELINK_CONFIG`.",
    ),
    failed(
        "no-program",
        "a program that was to be called cannot be run",
        "Install it, or choose another with `--program`. snowform itself needs none to sign in.",
    ),
    usage(
        "no-project",
        "objects can be pruned only by the mark of a project, and the project has no name",
        "Give it one in snowform.yml (`project: my_project`) and deploy once without `--prune`, so that its objects are marked.",
    ),
    usage(
        "no-registry",
        "the embedded account has an image registry only while it is served",
        "`snowform local serve` serves it, and names the connection file to use.",
    ),
    failed(
        "no-repository",
        "there is no image repository that this could be about",
        "It may be in another schema, or hidden from the role: `snowform image-repository list --in-account` lists all that are seen.",
    ),
    failed(
        "no-runtime",
        "the system starts no threads",
        "Limits of the machine or the container are the usual reason.",
    ),
    usage(
        "no-target",
        "snowform.yml has targets, and none was chosen",
        "Targets pin account and role, so that nothing is deployed to the wrong place. Choose one: `--target NAME`.",
    ),
    failed(
        "not-converged",
        "every statement succeeded, and the account is still not as declared",
        "Somebody else may have changed it in the same moment. Look at the plan once more: `snowform plan`.",
    ),
    failed(
        "not-formatted",
        "a file cannot be formatted",
        "What cannot be formatted without a change of meaning is left as it is.",
    ),
    failed(
        "program",
        "another program refused what it was asked to do",
        "The registry itself accepted the sign-in, so the reason stands in the program's own words.",
    ),
    failed(
        "protocol",
        "the other side answered what nobody expected",
        "A proxy, or a host that is no Snowflake account, is the usual reason. Check host and account of the connection.",
    ),
    usage(
        "prune-selection",
        "objects are to be pruned, and only some entities were asked for",
        "What left the definition belongs to none of its entities. Prune with the whole definition.",
    ),
    Explained {
        code: "refused",
        exit: Exit::Refused,
        summary: "the plan has hazards that are not allowed, and nothing was changed",
        help: "Every hazard stands with its statement. If the loss is meant, allow it by name: `--allow drops-images`.",
    },
    failed(
        "registry",
        "the image registry could not do what it was asked for",
        "Its own words stand in the message.",
    ),
    failed(
        "registry-host",
        "the registry's host cannot be used by image clients",
        "docker and podman refuse hosts with an underscore.",
    ),
    unauthorised(
        "registry-refused",
        "the image registry does not accept the sign-in",
        "The role needs READ on the repository to pull and WRITE to push.",
    ),
    failed("registry-unreachable", "the image registry cannot be reached", "Check the network and the host."),
    failed(
        "saved-plan",
        "the file is no saved plan that this version reads",
        "Make a new one: `snowform plan --out FILE`. A plan of another format version ends with exit code 5.",
    ),
    failed(
        "scope",
        "image repositories do not stand in this kind of place",
        "They stand in schemas: `--in schema NAME`.",
    ),
    failed(
        "sessions",
        "the sessions that are kept between runs cannot be removed",
        "`connection forget --all` removes them. Remove their directory by hand; the account ends the sessions by itself.",
    ),
    failed(
        "snapshot",
        "the file is no snapshot that this definition can be planned from",
        "A snapshot holds what was read of the schemas that the definition had then. Take a new one: `snowform snapshot FILE`.",
    ),
    failed(
        "sql",
        "the account refused a statement",
        "The account's own code and words are shown where it gave them; Snowflake documents them. The query id finds the \
         statement in the account's history.",
    ),
    Explained {
        code: "stale-plan",
        exit: Exit::Stale,
        summary: "what the saved plan was made from has moved, and nothing was changed",
        help: "What was reviewed is what runs, or nothing. The message names what moved; make a new plan and have it reviewed.",
    },
    failed(
        "target-mismatch",
        "the connection is not the account or the role that the target names",
        "Nothing was read or changed. Use the connection of that account and role, or correct the target in snowform.yml.",
    ),
    usage(
        "temporary-connection",
        "a helper that signs in later cannot use flags of today",
        "Put the connection into config.toml and name it with `-c`.",
    ),
    usage(
        "undeclared-target",
        "snowform.yml has no target of this name",
        "Targets are declared under `targets` in snowform.yml; the message lists them.",
    ),
    usage("unknown-code", "there is no such code", "`snowform explain` lists all of them."),
    usage(
        "unknown-entity",
        "the definition has no entity of this name",
        "Entities are named by their keys under `entities:`.",
    ),
    failed(
        "unreachable",
        "the account cannot be reached",
        "Check the network, the proxy and the account's host.",
    ),
    failed(
        "unreadable-file",
        "a file cannot be read",
        "Check that it is there, that it is text, and who may read it.",
    ),
    failed(
        "unwritable-file",
        "a file cannot be written",
        "Name a file in a directory that you may write to.",
    ),
];

/// What a code means, where it is one of this program's own.
pub fn by_code(code: &str) -> Option<&'static Explained> {
    ERRORS.iter().chain(PROBLEMS).find(|known| known.code == code)
}

/// Whether a code is declared. Hazards are declared with the statements, and a command that refuses one ends with its
/// name. An account's own are numbers, and not ours to declare.
pub(super) fn is_known(code: &str) -> bool {
    let is_hazard = HazardKind::ALL.iter().any(|kind| kind.name() == code);
    by_code(code).is_some() || is_hazard || code.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn codes_are_unique_and_in_order() {
        for list in [ERRORS, PROBLEMS] {
            assert!(list.windows(2).all(|pair| pair[0].code < pair[1].code));
        }
        let taken = |known: &&Explained| crate::rule::by_code(known.code).is_some();
        let both: Vec<&str> = ERRORS.iter().chain(PROBLEMS).filter(taken).map(|known| known.code).collect();
        // The same mistake, in a file and on a command line.
        assert_eq!(both, ["invalid-name", "unknown-entity"]);
    }

    /// Every call of `CommandError::new` in the house, and the words in its second argument.
    #[test]
    fn every_code_that_is_used_is_declared() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli");
        let (mut seen, mut unknown) = (0, Vec::new());
        let files = std::fs::read_dir(source).unwrap().map(|entry| entry.unwrap().path());
        for path in files.filter(|path| path.file_name().is_some_and(|name| name != "codes.rs")) {
            let text = std::fs::read_to_string(&path).unwrap();
            let starts = ["CommandError::new(", "Self::new(Exit::"];
            for call in starts.iter().flat_map(|start| text.split(start).skip(1)) {
                let argument = call.split_once(',').map_or("", |(_, rest)| rest.trim_start());
                let end = argument.find([',', '\n']).unwrap_or(argument.len());
                for word in argument[..end].split('"').skip(1).step_by(2) {
                    seen += 1;
                    if !is_known(word) {
                        unknown.push(format!("{}: {word}", path.display()));
                    }
                }
            }
        }
        assert!(seen > 30, "the calls are written in another way now: {seen}");
        assert_eq!(unknown, Vec::<String>::new(), "declare these in src/cli/codes.rs");
    }
}
