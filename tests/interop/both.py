#!/usr/bin/env python3
"""snowform and the official CLI on one account: what one created, the other sees.

SNOWFORM_BIN and SNOW_BIN name the programs. Starts `snowform local serve` in an empty project, prints one line a check
and `N passed, M failed`, and exits with 1 where one failed.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

SNOWFORM = os.environ["SNOWFORM_BIN"]
SNOW = os.environ["SNOW_BIN"]
DEFINITION = """definition_version: 2
entities:
  my_image_repository:
    type: image-repository
    identifier: my_image_repository
"""

results = []


def check(name, condition, shown=""):
    results.append(condition)
    print(("ok  " if condition else "FAIL"), name, "" if condition else f"\n{shown}", flush=True)


def run(program, *arguments, cwd):
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "NO_COLOR": "1"}
    done = subprocess.run([program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def main():
    with tempfile.TemporaryDirectory() as folder:
        project = pathlib.Path(folder)
        (project / "snowflake.yml").write_text(DEFINITION)
        server = subprocess.Popen(
            [SNOWFORM, "local", "serve", "--port", "0", "-q"], cwd=project, stdout=subprocess.PIPE, text=True
        )
        try:
            check("the server says where it listens", server.stdout.readline().startswith("listening on http://127.0.0.1:"))
            both(project)
        finally:
            server.terminate()
            server.wait(timeout=20)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


def both(project):
    config = ".snowform/config.toml"

    def snow(*arguments):
        return run(SNOW, "--config-file", config, *arguments, cwd=project)

    def form(*arguments):
        return run(SNOWFORM, *arguments, "--config-file", config, cwd=project)

    def embedded(*arguments):
        return run(SNOWFORM, *arguments, "--local", cwd=project)

    code, shown = form("plan", "--detailed-exitcode")
    check("a plan over HTTP finds one to create", code == 2 and "1 to create" in shown, shown)
    check("and so does one of the embedded account", embedded("plan", "--detailed-exitcode") == (2, shown), shown)

    code, shown = snow("spcs", "image-repository", "deploy")
    check("snow deploys the project", code == 0 and "successfully created" in shown, shown)
    code, shown = form("plan", "--detailed-exitcode")
    check("what snow created is nothing to change", code == 0 and "Nothing to change" in shown, shown)
    check("over HTTP and embedded alike", embedded("plan", "--detailed-exitcode") == (0, shown), shown)

    code, shown = form("destroy")
    check("snowform drops what snow created", code == 0 and "1 dropped" in shown, shown)
    code, shown = snow("spcs", "image-repository", "list")
    check("and snow sees it gone", code == 0 and "MY_IMAGE_REPOSITORY" not in shown, shown)

    code, shown = form("deploy")
    check("snowform deploys the project", code == 0 and "1 created" in shown, shown)
    code, shown = snow("spcs", "image-repository", "list")
    check("snow lists what snowform created", code == 0 and "MY_IMAGE_REPOSITORY" in shown, shown)
    code, shown = snow("spcs", "image-repository", "url", "my_image_repository")
    check("snow knows its address", code == 0 and "/local/public/my_image_repository" in shown, shown)
    code, shown = snow("spcs", "image-repository", "deploy")
    check("snow's own second deploy fails", code == 1 and "already exists" in shown, shown)
    code, shown = form("deploy")
    check("snowform's second deploy has nothing to do", code == 0 and "Nothing to change" in shown, shown)
    code, shown = snow("spcs", "image-repository", "drop", "my_image_repository")
    check("snow drops what snowform created", code == 0 and "dropped" in shown, shown)
    code, shown = form("plan", "--detailed-exitcode")
    check("and snowform would create it again", code == 2 and "1 to create" in shown, shown)


if __name__ == "__main__":
    sys.exit(main())
