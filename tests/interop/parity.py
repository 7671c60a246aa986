#!/usr/bin/env python3
"""Every image command of the official CLI and of snowform, side by side against the served local account.

Wants SNOWFORM_BIN (the snowform binary) and SNOW_BIN (the snow CLI) in the environment. Each row of the table is run by
both, each on an account of its own that went through the same steps. On success the standard outputs must be equal byte
for byte and so must the exit codes; of a failure the exit codes must be equal and ours must contain the words of snow's.
What cannot be equal is made so first: the servers' ports, times, query ids and tokens.

Two things are not in the table. `list-tags` of snow speaks https alone, so it does not reach an account on this machine.
Of a command line that is wrong only the exit code is compared: those words are the parser's.
"""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
from pathlib import Path

SNOWFORM = os.environ["SNOWFORM_BIN"]
SNOW = os.environ["SNOW_BIN"]

PROJECT = """\
definition_version: 2
entities:
  first:
    type: image-repository
    identifier: deployed_repo
  second:
    type: image-repository
    identifier: {name: other_repo, schema: public}
"""

LONG = "a_repository_name_that_is_so_long_that_the_table_does_not_fit_on_eighty_columns_of_a_terminal"
FORMATS = ((), ("--format", "json"), ("--format", "csv"))


def every_format(*command: str) -> list[tuple[str, ...]]:
    return [(*command, *written) for written in FORMATS]


REPOSITORY = ("spcs", "image-repository")
REGISTRY = ("spcs", "image-registry")

# In this order: each row goes on from what the ones before it did.
TABLE: list[tuple[str, ...]] = [
    (*REPOSITORY, "create", "r"),
    (*REPOSITORY, "create", "r_json", "--format", "json"),
    (*REPOSITORY, "create", "r_ext", "--format", "json_ext"),
    (*REPOSITORY, "create", "r_csv", "--format", "csv"),
    (*REPOSITORY, "create", "public.R_Schema"),
    (*REPOSITORY, "create", "local.public.r_full"),
    (*REPOSITORY, "create", LONG),
    (*REPOSITORY, "create", "r", "--if-not-exists"),
    (*REPOSITORY, "create", "r", "--replace"),
    (*REPOSITORY, "create", "r"),
    (*REPOSITORY, "create", "public.r"),
    (*REPOSITORY, "create", '"quoted"'),
    (*REPOSITORY, "create", "1digit"),
    (*REPOSITORY, "create", "nowhere.r"),
    (*REPOSITORY, "create", "nowhere.public.r"),
    (*REPOSITORY, "deploy", "first"),
    (*REPOSITORY, "deploy", "second", "--format", "json"),
    (*REPOSITORY, "deploy", "first"),
    (*REPOSITORY, "deploy", "first", "--replace"),
    *every_format(*REPOSITORY, "list"),
    (*REPOSITORY, "list", "--format", "JSON_EXT"),
    (*REPOSITORY, "list", "--format", "TABLE"),
    (*REPOSITORY, "list", "--like", "r%"),
    *every_format(*REPOSITORY, "list", "-l", "nothing%"),
    (*REPOSITORY, "list", "--terse"),
    (*REPOSITORY, "list", "--limit", "2"),
    (*REPOSITORY, "list", "--in", "database", "local"),
    (*REPOSITORY, "list", "--in", "schema", "public", "--like", "R"),
    (*REPOSITORY, "list", "--in-account"),
    (*REPOSITORY, "list", "--in", "schema", "nowhere"),
    (*REPOSITORY, "list", "--in", "database", "nowhere"),
    (*REPOSITORY, "list", "--in", "warehouse", "w"),
    *every_format(*REPOSITORY, "list-images", "r"),
    *every_format(*REPOSITORY, "list-images", "pushed"),
    (*REPOSITORY, "list-images", "local.public.pushed", "--like", "app%"),
    (*REPOSITORY, "list-images", "pushed", "-l", "x%"),
    (*REPOSITORY, "list-images", "nowhere"),
    (*REPOSITORY, "list-images", '"quoted"'),
    *every_format(*REPOSITORY, "url", "r"),
    (*REPOSITORY, "url", "local.public.R"),
    (*REPOSITORY, "url", "nowhere"),
    (*REPOSITORY, "url", "public.nowhere"),
    *every_format(*REGISTRY, "url"),
    *every_format(*REGISTRY, "url", "--private-link"),
    *every_format(*REGISTRY, "token"),
    (*REPOSITORY, "drop", "r_json", "--format", "json"),
    (*REPOSITORY, "drop", "r_ext", "--format", "json_ext"),
    (*REPOSITORY, "drop", "r_csv", "--format", "csv"),
    (*REPOSITORY, "drop", LONG),
    (*REPOSITORY, "drop", "r"),
    (*REPOSITORY, "drop", "r", "--if-exists"),
    (*REPOSITORY, "drop", "r"),
    (*REPOSITORY, "drop", "nowhere.r"),
]

# Wrong command lines, of which only the exit codes are compared.
WRONG: list[tuple[str, ...]] = [
    (*REPOSITORY, "create"),
    (*REPOSITORY, "create", "r", "--bogus"),
    (*REPOSITORY, "create", "r", "--replace", "--if-not-exists"),
    (*REPOSITORY, "deploy"),
    (*REPOSITORY, "deploy", "third"),
    (*REPOSITORY, "list", "--format", "bogus"),
    (*REPOSITORY, "list", "--in", "database"),
    (*REPOSITORY, "list-tags", "r"),
    (*REPOSITORY, "url"),
    (*REPOSITORY, "nothing"),
    (*REPOSITORY,),
    (*REGISTRY,),
]


class Side:
    """A program with an account and a home of its own."""

    def __init__(self, program: str, scratch: Path):
        self.program = program
        self.account = scratch / "account"
        self.project = scratch / "project"
        self.project.mkdir(parents=True)
        (self.project / "snowflake.yml").write_text(PROJECT)
        home = scratch / "home"
        home.mkdir(mode=0o700)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(home), "SNOWFLAKE_HOME": str(home), "LANG": "C.UTF-8"}
        self.server = subprocess.Popen(
            [SNOWFORM, "local", "serve", "--port", "0", "--dir", str(self.account)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        line = self.server.stdout.readline()
        self.host = re.search(r"127\.0\.0\.1:\d+", line)[0]

    def stop(self):
        self.server.terminate()
        self.server.wait(timeout=30)

    def run(self, command: tuple[str, ...]) -> subprocess.CompletedProcess:
        config = ["--config-file", str(self.account / "config.toml")]
        # snow takes its file of connections before the command, snowform behind it.
        words = [*config, *command] if self.program == SNOW else [*command, *config]
        if len(command) == 2:
            words = list(command)
        return subprocess.run(
            [self.program, *words], cwd=self.project, env=self.env, capture_output=True, text=True, timeout=120
        )

    def same(self, text: str) -> str:
        """What cannot be equal, made equal. Nothing changes its width, so that the drawing of tables is compared."""
        text = text.replace(self.host, "H" * len(self.host))
        text = re.sub(r"\d{4}-\d\d-\d\d([ T])\d\d:\d\d:\d\d\.\d{6}", r"0000-00-00\g<1>00:00:00.000000", text)
        return re.sub(r"[\w-]{43}", "t" * 43, text) if "expires_in" in text else text

    def words(self, done: subprocess.CompletedProcess) -> str:
        """What a failure says, without drawing and line breaks."""
        text = re.sub(r"[│╭╮╰╯─]", " ", done.stdout + done.stderr)
        text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
        return " ".join(text.split())


def push_images(side: Side):
    """The same images into both accounts, over the registry's protocol, with digests that do not depend on anything."""

    def send(method: str, path: str, body: bytes, header: str, kind: str = "application/octet-stream") -> bytes:
        request = urllib.request.Request(f"http://{side.host}{path}", body, method=method)
        request.add_header("Authorization", header)
        request.add_header("Content-Type", kind)
        return urllib.request.urlopen(request).read()

    done = side.run((*REPOSITORY, "create", "pushed"))
    if done.returncode:
        raise AssertionError(done.stderr)
    password = tomllib.loads((side.account / "config.toml").read_text())["connections"]["local"]["password"]
    basic = base64.b64encode(f"LOCAL:{password}".encode()).decode()
    request = urllib.request.Request(f"http://{side.host}/login", headers={"Authorization": f"Basic {basic}"})
    bearer = f"Bearer {json.load(urllib.request.urlopen(request))['token']}"
    kind = "application/vnd.oci.image.manifest.v1+json"
    for name, tags in (("app", ("v1", "latest")), ("app-two", ("v1",)), ("team/x", ("a_very_long_tag-1.2.3",))):
        blob = name.encode()
        digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
        place = f"/v2/local/public/pushed/{name}"
        send("POST", f"{place}/blobs/uploads/?digest={digest}", blob, bearer)
        config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": len(blob)}
        manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": []}
        for tag in tags:
            send("PUT", f"{place}/manifests/{tag}", json.dumps(manifest).encode(), bearer, kind)


def compare(snow: Side, ours: Side, command: tuple[str, ...], usage: bool):
    theirs, mine = snow.run(command), ours.run(command)
    if theirs.returncode != mine.returncode:
        raise AssertionError(f"exit codes {theirs.returncode} and {mine.returncode}: {theirs.stderr}{mine.stderr}")
    if usage:
        return
    if theirs.returncode == 0:
        expected, found = snow.same(theirs.stdout), ours.same(mine.stdout)
        if expected != found:
            raise AssertionError(f"\n{expected}\nis not\n{found}")
        if not mine.stdout and theirs.stdout:
            raise AssertionError("nothing was compared")
        return
    expected, found = snow.words(theirs).removeprefix("Error").strip(), ours.words(mine)
    if expected not in found:
        raise AssertionError(f"\n{expected!r}\nis not in\n{found!r}")


def main() -> int:
    passed = failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        snow, ours = Side(SNOW, Path(scratch) / "snow"), Side(SNOWFORM, Path(scratch) / "ours")
        try:
            push_images(snow)
            push_images(ours)
            rows = [(row, False) for row in TABLE] + [(row, True) for row in WRONG]
            for row, usage in rows:
                try:
                    compare(snow, ours, row, usage)
                except AssertionError as problem:
                    failed += 1
                    print(f"FAIL {' '.join(row)}: {problem}", flush=True)
                else:
                    passed += 1
                    print(f"ok   {' '.join(row)}", flush=True)
        finally:
            snow.stop()
            ours.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
