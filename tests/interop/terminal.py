#!/usr/bin/env python3
"""snowform at a terminal: consent is asked for, and given by typing the object's name.

SNOWFORM_BIN names the program. Each check runs it behind a pseudo-terminal, types an answer, and looks at what became of a
repository that holds an image. Prints one line a check and `N passed, M failed`, and exits with 1 where one failed.
"""

import json
import os
import pathlib
import pty
import select
import subprocess
import sys
import tempfile
import time

SNOWFORM = os.environ["SNOWFORM_BIN"]
DEFINITION = "definition_version: 2\nentities:\n  granted:\n    type: image-repository\n"
OVERLAY = "entities:\n  granted:\n    grants:\n      - privilege: READ\n        role: public\n"

results = []


def check(name, condition, shown=""):
    results.append(condition)
    print(("ok  " if condition else "FAIL"), name, "" if condition else f"\n{shown}", flush=True)


def at_a_terminal(arguments, cwd, answer, meanwhile=lambda: None, **variables):
    """Exit code and everything that was shown, when `answer` is typed after the question, and after `meanwhile`."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "TERM": "xterm", **variables}
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execve(SNOWFORM, [SNOWFORM, *arguments], environment)
    shown, asked, deadline = b"", False, time.monotonic() + 60
    while time.monotonic() < deadline:
        readable, _, _ = select.select([terminal], [], [], 1)
        if not readable:
            continue
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
        if not asked and b"or anything else to stop" in shown:
            asked = True
            meanwhile()
            os.write(terminal, answer)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), shown.decode(errors="replace"), asked


def piped(arguments, cwd):
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd)}
    done = subprocess.run(
        [SNOWFORM, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    return done.returncode, done.stdout + done.stderr


def main():
    deploy = ["deploy", "--local"]
    granted = "LOCAL.PUBLIC.GRANTED"
    for name, arguments, answer, code, carried_out in [
        ("the whole name is typed", deploy, f"{granted}\n".encode(), 0, True),
        ("part of the name is typed", deploy, b"granted\n", 3, False),
        ("yes is typed", deploy, b"yes\n", 3, False),
        ("nothing is typed", deploy, b"\n", 3, False),
        ("the input ends", deploy, b"\x04", 3, False),
    ]:
        with tempfile.TemporaryDirectory() as folder:
            project = pathlib.Path(folder)
            (project / "snowflake.yml").write_text(DEFINITION)
            (project / "snowform.yml").write_text(OVERLAY)
            ended, shown, asked = at_a_terminal(arguments, project, answer)
            check(f"{name}: it asks and ends with {code}", asked and ended == code, f"{ended} {asked}\n{shown}")
            check(f"{name}: the hazard is named", "widens-access" in shown, shown)
            _, plan = piped(["plan", "--local", "--format", "json"], project)
            deployed = not json.loads(plan)["changes_present"]
            check(f"{name}: {'done' if carried_out else 'nothing was done'}", deployed == carried_out, plan)
    with tempfile.TemporaryDirectory() as folder:
        project = pathlib.Path(folder)
        (project / "snowflake.yml").write_text(DEFINITION)
        (project / "snowform.yml").write_text(OVERLAY)
        ended, shown, asked = at_a_terminal([*deploy, "--yes"], project, b"")
        check("--yes asks nothing and refuses", not asked and ended == 3, shown)
        ended, shown = piped(deploy, project)
        check("without a terminal nothing is asked", ended == 3 and "--allow widens-access" in shown, shown)
        (project / "snowform.yml").unlink()
        ended, shown, asked = at_a_terminal(deploy, project, b"")
        check("without hazards nothing is asked", not asked and ended == 0, shown)
        check("colour on a terminal", "\x1b[" in shown, shown)
    with tempfile.TemporaryDirectory() as folder:
        project, other = pathlib.Path(folder, "one"), pathlib.Path(folder, "other")
        for directory in (project, other):
            directory.mkdir()
            (directory / "snowflake.yml").write_text(DEFINITION)
        (project / "snowform.yml").write_text(OVERLAY)
        piped(["plan", "--local"], project)
        (other / ".snowform").symlink_to(project / ".snowform")
        ended, shown, asked = at_a_terminal(
            deploy, project, f"{granted}\n".encode(), lambda: piped(["deploy", "--local"], other)
        )
        check("what moved while a person looked is told", asked and ended == 5 and "was created" in shown, f"{ended}\n{shown}")
    with tempfile.TemporaryDirectory() as folder:
        project = pathlib.Path(folder)
        (project / "snowflake.yml").write_text(DEFINITION)
        (project / "snowform.yml").write_text(OVERLAY.replace("public", '"<% ctx.env.MY_TOKEN %>"'))
        ended, shown, asked = at_a_terminal(deploy, project, b"no\n", MY_TOKEN="hunter_two_hunter")
        check("a secret that a template read: it asks and ends with 3", asked and ended == 3, shown)
        check("a secret that a template read: its variable is shown", "hunter" not in shown.lower() and "***MY_TOKEN***" in shown, shown)
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
