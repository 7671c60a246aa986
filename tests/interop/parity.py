#!/usr/bin/env python3
"""Every image command of the official CLI and of snowform, side by side against the served local account.

Wants SNOWFORM_BIN (the snowform binary) and SNOW_BIN (the snow CLI) in the environment. Each row of the table is run by
both, each on an account of its own that went through the same steps. On success the standard outputs must be equal byte
for byte and so must the exit codes; of a failure the exit codes must be equal and ours must contain the words of snow's.
What cannot be equal is made so first: the servers' ports, times, query ids and tokens.

`list-tags` of snow speaks https alone to the registry, so in its rows both go through a front that speaks both, with a
certificate made for the occasion. Of a command line that is wrong only the exit code is compared: those words are the
parser's.
"""

import base64
import hashlib
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import tomllib
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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
    (*REPOSITORY, "list", "--connection", "nowhere"),
    (*REGISTRY, "url", "-c", "local", "--temporary-connection"),
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


DEPRECATED = "DeprecationWarning: The command 'list-tags' is deprecated."

# Through the front. snow counts the parts of an image's name with a slash before them.
TAGS: list[tuple[str, ...]] = [
    *every_format(*REPOSITORY, "list-tags", "pushed", "--image-name", "/local/public/pushed/app"),
    (*REPOSITORY, "list-tags", "pushed", "-i", "/local/public/pushed/many"),
    (*REPOSITORY, "list-tags", "local.public.pushed", "--image_name", "/local/public/pushed/team/x"),
    (*REPOSITORY, "list-tags", "nowhere", "-i", "/local/public/nowhere/app"),
    (*REPOSITORY, "list-tags", '"quoted"', "-i", "/local/public/x/app"),
]


class Front(ThreadingHTTPServer):
    """Stands before an account, speaks http and https, and gives its own address where the account gives the account's."""

    def __init__(self, host: str, certificate: Path):
        super().__init__(("127.0.0.1", 0), Forward)
        self.daemon_threads = True
        self.upstream = host
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate)
        self.host = f"127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request: socket.socket, client_address):
        hello = request.recv(1, socket.MSG_PEEK) == b"\x16"
        super().finish_request(self.tls.wrap_socket(request, server_side=True) if hello else request, client_address)


class Forward(BaseHTTPRequestHandler):
    server: Front

    def log_message(self, *_):
        pass

    def forward(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))) or None
        request = urllib.request.Request(f"http://{self.server.upstream}{self.path}", body, method=self.command)
        for name, value in self.headers.items():
            if name.lower() not in ("host", "connection", "accept-encoding", "content-length"):
                request.add_header(name, value)
        try:
            answer = urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            answer = error
        content = answer.read().replace(self.server.upstream.encode(), self.server.host.encode())
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value.replace(self.server.upstream, self.server.host))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = forward


def certificate(scratch: Path) -> Path:
    """A certificate for this machine, with its key."""
    path = scratch / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", f"{path}.part"]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.part").read_text())
    return path


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
        self.config = self.account / "config.toml"

    def stop(self):
        self.server.terminate()
        self.server.wait(timeout=30)

    def go_through(self, certificate: Path):
        """From now on the account is reached by a front."""
        front = Front(self.host, certificate)
        text = (self.account / "config.toml").read_text()
        self.config = self.account / "front.toml"
        self.config.touch(mode=0o600)
        self.config.write_text(re.sub(r"(?m)^port = .*", f"port = {front.server_address[1]}", text))
        self.env["REQUESTS_CA_BUNDLE"] = str(certificate)
        self.host = front.host

    def run(self, command: tuple[str, ...]) -> subprocess.CompletedProcess:
        config = ["--config-file", str(self.config)]
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
        text = re.sub(r"[│╭╮╰╯─]", " ", done.stdout + done.stderr).replace(DEPRECATED, "")
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
    many = tuple(f"t{number:02}" for number in range(25))
    images = (("app", ("v1", "latest")), ("app-two", ("v1",)), ("team/x", ("a_very_long_tag-1.2.3",)), ("many", many))
    for name, tags in images:
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
    if not usage and (DEPRECATED in theirs.stderr) != (DEPRECATED in mine.stderr):
        raise AssertionError(f"{theirs.stderr!r} and {mine.stderr!r} do not say the same of the command")
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
            def check(row: tuple[str, ...], usage: bool = False):
                nonlocal passed, failed
                try:
                    compare(snow, ours, row, usage)
                except AssertionError as problem:
                    failed += 1
                    print(f"FAIL {' '.join(row)}: {problem}", flush=True)
                else:
                    passed += 1
                    print(f"ok   {' '.join(row)}", flush=True)

            for row in TABLE:
                check(row)
            for row in WRONG:
                check(row, usage=True)
            pem = certificate(Path(scratch))
            for side in (snow, ours):
                side.go_through(pem)
            for row in TAGS:
                check(row)
        finally:
            snow.stop()
            ours.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
