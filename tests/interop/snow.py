#!/usr/bin/env python3
"""The official snow CLI against the served local account.

Wants SNOWFORM_BIN (the snowform binary) and SNOW_BIN (the snow CLI) in the environment. Starts
`snowform local serve` in a directory of its own, runs snow with the connection file that the server wrote, and
checks what snow prints and how it exits. One line per check; the exit code says whether all passed.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SNOWFORM = os.environ["SNOWFORM_BIN"]
SNOW = os.environ["SNOW_BIN"]

PROJECT = """\
definition_version: 2
entities:
  first:
    type: image-repository
    identifier: deployed_repo
"""


class Snow:
    """The CLI, with a home of its own so that nobody's real connections are touched."""

    def __init__(self, home: Path, config: Path, project: Path):
        self.config = config
        self.project = project
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        self.env = kept | {"HOME": str(home), "SNOWFLAKE_HOME": str(home), "COLUMNS": "400", "NO_COLOR": "1"}

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [SNOW, "--config-file", str(self.config), *arguments],
            cwd=self.project,
            env=self.env | environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def json(self, *arguments: str):
        """What a command that must succeed prints, as JSON."""
        done = self.run(*arguments, "--format", "json")
        if done.returncode != 0:
            raise AssertionError(f"exit code {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout or "null")

    def refused(self, *arguments: str, **environment: str) -> str:
        """What a command that must fail says, on one line."""
        done = self.run(*arguments, **environment)
        if done.returncode == 0:
            raise AssertionError(f"it succeeded: {done.stdout}")
        text = re.sub(r"[│╭╮╰╯─]", " ", done.stdout + done.stderr)
        return " ".join(text.split())


def equal(found, expected):
    if found != expected:
        raise AssertionError(f"{found!r} is not {expected!r}")


def contains(text: str, part: str):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def names(rows) -> list[str]:
    return [row["name"] for row in rows]


# Every check goes on from what the ones before it did.


def connection_test(snow: Snow, address: str):
    answer = snow.json("connection", "test")
    equal(answer["Status"], "OK")
    equal((answer["User"], answer["Role"], answer["Database"]), ("LOCAL", "SYSADMIN", "LOCAL"))


def wrong_password(snow: Snow, address: str):
    said = snow.refused("connection", "test", "--password", "wrong")
    contains(said, "Incorrect username or password")


def create(snow: Snow, address: str):
    answer = snow.json("spcs", "image-repository", "create", "my_repo")
    equal(answer, {"status": "Image Repository MY_REPO successfully created."})


def create_if_not_exists(snow: Snow, address: str):
    answer = snow.json("spcs", "image-repository", "create", "my_repo", "--if-not-exists")
    equal(answer, {"status": "MY_REPO already exists, statement succeeded."})


def deploy(snow: Snow, address: str):
    answer = snow.json("spcs", "image-repository", "deploy", "first")
    equal(answer, {"status": "Image Repository DEPLOYED_REPO successfully created."})


def deploy_again(snow: Snow, address: str):
    contains(snow.refused("spcs", "image-repository", "deploy", "first"), "already exists. Use --replace")


def deploy_with_replace(snow: Snow, address: str):
    answer = snow.json("spcs", "image-repository", "deploy", "first", "--replace")
    equal(answer, {"status": "Image Repository DEPLOYED_REPO successfully created."})


def list_repositories(snow: Snow, address: str):
    rows = snow.json("spcs", "image-repository", "list")
    equal(names(rows), ["DEPLOYED_REPO", "MY_REPO"])
    row = rows[1]
    equal(row["repository_url"], f"{address}/local/public/my_repo")
    equal((row["owner"], row["encryption"], row["comment"]), ("SYSADMIN", "SNOWFLAKE_FULL", ""))
    if not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", row["created_on"]):
        raise AssertionError(f"created_on is {row['created_on']!r}")


def list_like(snow: Snow, address: str):
    rows = snow.json("spcs", "image-repository", "list", "--like", "my%", "--in", "database", "local")
    equal(names(rows), ["MY_REPO"])


def url(snow: Snow, address: str):
    done = snow.run("spcs", "image-repository", "url", "my_repo")
    equal((done.returncode, done.stdout.strip()), (0, f"{address}/local/public/my_repo"))


def url_of_missing(snow: Snow, address: str):
    said = snow.refused("spcs", "image-repository", "url", "nowhere")
    contains(said, "does not exist or not authorized")


def list_images(snow: Snow, address: str):
    equal(snow.json("spcs", "image-repository", "list-images", "my_repo"), [])
    equal(snow.json("spcs", "image-repository", "list-images", "my_repo", "--like", "a%"), [])


def list_images_of_missing(snow: Snow, address: str):
    said = snow.refused("spcs", "image-repository", "list-images", "nowhere")
    contains(said, "002003 (02000)")


def sql(snow: Snow, address: str):
    rows = snow.json("sql", "-q", "show image repositories in account")
    equal(names(rows), ["DEPLOYED_REPO", "MY_REPO"])


def sql_script(snow: Snow, address: str):
    # Comments, quotes, several statements: snow divides the text by itself and sends one after the other.
    script = """
        -- made by hand
        create image repository if not exists db_less comment = 'a;b';
        alter image repository db_less set comment = 'it''s';
        show image repositories like 'db\\\\_less'; /* end */
        drop image repository db_less;
    """
    answers = snow.json("sql", "-q", script)
    equal([row["comment"] for row in answers[2]], ["it's"])


def sql_error(snow: Snow, address: str):
    contains(snow.refused("sql", "-q", "selec 1"), "001003 (42000)")
    contains(snow.refused("sql", "-q", 'create image repository "a-b"'), "must be unquoted identifiers")


def large_result(snow: Snow, address: str):
    # More rows than an answer holds: the rest comes in chunks.
    script = "".join(f"create image repository many_{number:04};" for number in range(1200))
    path = snow.project / "many.sql"
    path.write_text(script)
    equal(snow.run("sql", "-f", str(path)).returncode, 0)
    rows = snow.json("sql", "-q", "show image repositories like 'many%'")
    equal(names(rows), [f"MANY_{number:04}" for number in range(1200)])


def registry(snow: Snow, address: str):
    done = snow.run("spcs", "image-registry", "url")
    equal((done.returncode, done.stdout.strip()), (0, address))
    token = snow.json("spcs", "image-registry", "token")
    equal(token["expires_in"], 3600)
    if len(token["token"]) < 32:
        raise AssertionError("the token is short")


def another_role(snow: Snow, address: str):
    contains(snow.refused("connection", "test", "--role", "nobody"), "does not exist or not authorized")
    equal(snow.json("connection", "test", "--role", "accountadmin")["Role"], "ACCOUNTADMIN")


def access_token(snow: Snow, address: str):
    rows = snow.json("sql", "-q", "alter user add programmatic access token for_snow")
    environment = {"SNOWFLAKE_CONNECTIONS_LOCAL_PASSWORD": rows[0]["token_secret"]}
    equal(snow.run("connection", "test", **environment).returncode, 0)


def drop(snow: Snow, address: str):
    answer = snow.json("spcs", "image-repository", "drop", "my_repo")
    equal(answer, [{"status": "MY_REPO successfully dropped."}])


def drop_missing(snow: Snow, address: str):
    said = snow.refused("spcs", "image-repository", "drop", "my_repo")
    contains(said, "'LOCAL.PUBLIC.MY_REPO' does not exist or not authorized")


CHECKS = [
    connection_test,
    wrong_password,
    create,
    create_if_not_exists,
    deploy,
    deploy_again,
    deploy_with_replace,
    list_repositories,
    list_like,
    url,
    url_of_missing,
    list_images,
    list_images_of_missing,
    sql,
    sql_script,
    sql_error,
    registry,
    another_role,
    access_token,
    drop,
    drop_missing,
    large_result,
]


def start_server(directory: Path) -> tuple[subprocess.Popen, str]:
    """The server and its address, `host:port`."""
    server = subprocess.Popen(
        [SNOWFORM, "local", "serve", "--port", "0", "--dir", str(directory)],
        stdout=subprocess.PIPE,
        text=True,
    )
    line = server.stdout.readline().strip()
    found = re.fullmatch(r"listening on http://(127\.0\.0\.1:\d+)", line)
    if not found:
        server.kill()
        sys.exit(f"the server said {line!r}")
    return server, found[1]


def main() -> int:
    passed = failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        account, home, project = (Path(scratch) / name for name in ("account", "home", "project"))
        home.mkdir(mode=0o700)
        project.mkdir()
        (project / "snowflake.yml").write_text(PROJECT)
        server, address = start_server(account)
        try:
            config = account / "config.toml"
            equal(config.stat().st_mode & 0o777, 0o600)
            snow = Snow(home, config, project)
            for check in CHECKS:
                try:
                    check(snow, address)
                except Exception as problem:  # a check that breaks is a check that fails
                    failed += 1
                    print(f"FAIL {check.__name__}: {problem}", flush=True)
                else:
                    passed += 1
                    print(f"ok   {check.__name__}", flush=True)
        finally:
            server.terminate()
            server.wait(timeout=30)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
