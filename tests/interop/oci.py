#!/usr/bin/env python3
"""skopeo, podman and buildah against the registry of the served local account.

Wants SNOWFORM_BIN in the environment; SKOPEO_BIN, PODMAN_BIN and BUILDAH_BIN name the others where they are not in
the path. Starts `snowform local serve` in a directory of its own, builds an image and sends it around. Homes and
credential files are of its own, so that nobody's real ones are touched. One line per check; the exit code says
whether all passed.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

SNOWFORM = os.environ["SNOWFORM_BIN"]
SKOPEO = os.environ.get("SKOPEO_BIN", "skopeo")
PODMAN = os.environ.get("PODMAN_BIN", "podman")
BUILDAH = os.environ.get("BUILDAH_BIN", "buildah")
# The registry's tokens are good for no longer: clients take whatever is shorter for a minute.
TOKEN_SECONDS = 60


def equal(found, expected):
    if found != expected:
        raise AssertionError(f"{found!r} is not {expected!r}")


def contains(text: str, part: str):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


class Desk:
    """A served account, and the programs with a home of their own."""

    def __init__(self, scratch: Path):
        self.scratch = scratch
        self.account = scratch / "account"
        life = ("--registry-token-seconds", str(TOKEN_SECONDS))
        self.server = subprocess.Popen(
            [SNOWFORM, "local", "serve", "--port", "0", "--dir", str(self.account), *life],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        line = self.server.stdout.readline().strip()
        found = re.fullmatch(r"listening on http://(127\.0\.0\.1:\d+)", line)
        if not found:
            self.server.kill()
            sys.exit(f"the server said {line!r}")
        self.host = found[1]
        self.config = self.account / "config.toml"
        self.password = tomllib.loads(self.config.read_text())["connections"]["local"]["password"]
        home = scratch / "home"
        (home / "run").mkdir(parents=True, mode=0o700)
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home / "run"),
            "REGISTRY_AUTH_FILE": str(home / "auth.json"),
            "DOCKER_CONFIG": str(home / "docker"),
        }
        self.auth_file = home / "auth.json"
        self.docker_config = home / "docker" / "config.json"
        self.digest = ""

    def stop(self):
        self.server.terminate()
        self.server.wait(timeout=30)

    def ran(self, *command: str, **options) -> subprocess.CompletedProcess:
        options = {"env": self.env} | options
        return subprocess.run(
            command, cwd=self.scratch, capture_output=True, text=True, timeout=300, **options
        )

    def run(self, *command: str, **options) -> str:
        """What a command that must succeed prints."""
        done = self.ran(*command, **options)
        if done.returncode != 0:
            raise AssertionError(f"{command}: exit code {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def refused(self, *command: str, **options) -> str:
        """What a command that must fail says."""
        done = self.ran(*command, **options)
        if done.returncode == 0:
            raise AssertionError(f"{command} succeeded: {done.stdout}")
        return done.stdout + done.stderr

    def store(self, program: str, *arguments: str) -> tuple[str, ...]:
        """podman or buildah with an image store of its own."""
        root = self.scratch / Path(program).name
        return (program, "--storage-driver", "vfs", "--root", str(root), "--runroot", f"{root}-run", *arguments)

    def image(self, name: str) -> str:
        return f"{self.host}/local/public/images/{name}"

    def sql(self, *statements: str):
        """Statements as the account's administrator, over the session protocol."""
        def post(path: str, body: dict, token: str = "") -> dict:
            request = urllib.request.Request(f"http://{self.host}{path}", json.dumps(body).encode())
            request.add_header("Authorization", f'Snowflake Token="{token}"')
            answer = json.load(urllib.request.urlopen(request))
            if not answer["success"]:
                raise AssertionError(answer["message"])
            return answer["data"]

        data = {"ACCOUNT_NAME": "local", "LOGIN_NAME": "LOCAL", "PASSWORD": self.password}
        login = "/session/v1/login-request?roleName=ACCOUNTADMIN&databaseName=LOCAL&schemaName=PUBLIC"
        token = post(login, {"data": data})["token"]
        return [post("/queries/v1/query-request", {"sqlText": sql}, token)["rowset"] for sql in statements]

    def blobs(self) -> int:
        found = (self.account / "registry" / "blobs").rglob("*")
        return sum(path.is_file() for path in found)


# Every check goes on from what the ones before it did.


def sign_in(desk: Desk):
    for program in (SKOPEO, PODMAN, BUILDAH):
        login = (program, "login", "--tls-verify=false", "-u", "LOCAL", "--password-stdin", desk.host)
        contains(desk.run(*login, input=desk.password), "Login Succeeded")
        desk.refused(*login, input="wrong")
    desk.run(SKOPEO, "login", "--tls-verify=false", "-u", "LOCAL", "--password-stdin", desk.host, input=desk.password)


def buildah_pushes(desk: Desk):
    desk.sql("create image repository images", "grant ownership on image repository images to role sysadmin")
    (desk.scratch / "hello.txt").write_text("hello\n")
    container = desk.run(*desk.store(BUILDAH, "from", "scratch")).strip()
    desk.run(*desk.store(BUILDAH, "copy", container, "hello.txt", "/hello.txt"))
    desk.run(*desk.store(BUILDAH, "commit", container, "hello:v1"))
    digest = desk.scratch / "digest"
    push = ("push", "--tls-verify=false", "--digestfile", str(digest), "hello:v1", f"docker://{desk.image('hello:v1')}")
    desk.run(*desk.store(BUILDAH, *push))
    desk.digest = digest.read_text()


def skopeo_reads_what_was_pushed(desk: Desk):
    tags = json.loads(desk.run(SKOPEO, "list-tags", "--tls-verify=false", f"docker://{desk.image('hello')}"))
    equal(tags["Tags"], ["v1"])
    inspect = (SKOPEO, "inspect", "--tls-verify=false", "--format", "{{.Digest}}")
    equal(desk.run(*inspect, f"docker://{desk.image('hello:v1')}").strip(), desk.digest)
    raw = desk.run(SKOPEO, "inspect", "--raw", "--tls-verify=false", f"docker://{desk.image('hello@')}{desk.digest}")
    equal(f"sha256:{hashlib.sha256(raw.encode()).hexdigest()}", desk.digest)


def the_account_lists_it(desk: Desk):
    [rows] = desk.sql("show images in image repository images")
    equal([row[1:4] for row in rows], [["hello", "v1", desk.digest]])


def skopeo_copies_within_the_registry_and_out_of_it(desk: Desk):
    here, there = f"docker://{desk.image('hello:v1')}", f"docker://{desk.image('team/copy:v2')}"
    insecure = ("--src-tls-verify=false", "--dest-tls-verify=false", "--preserve-digests")
    desk.run(SKOPEO, "copy", *insecure, here, there)
    before = desk.blobs()
    desk.run(SKOPEO, "copy", "--src-tls-verify=false", "--preserve-digests", there, "oci:out:v2")
    equal(desk.blobs(), before)
    index = json.loads((desk.scratch / "out" / "index.json").read_text())
    equal([entry["digest"] for entry in index["manifests"]], [desk.digest])


def podman_pulls_and_pushes(desk: Desk):
    desk.run(*desk.store(PODMAN, "pull", "--tls-verify=false", desk.image("hello:v1")))
    inspect = ("image", "inspect", "--format", "{{.Digest}}", desk.image("hello:v1"))
    equal(desk.run(*desk.store(PODMAN, *inspect)).strip(), desk.digest)
    desk.run(*desk.store(PODMAN, "tag", desk.image("hello:v1"), desk.image("hello:by-podman")))
    desk.run(*desk.store(PODMAN, "push", "--tls-verify=false", desk.image("hello:by-podman")))
    tags = json.loads(desk.run(SKOPEO, "list-tags", "--tls-verify=false", f"docker://{desk.image('hello')}"))
    equal(tags["Tags"], ["by-podman", "v1"])


def a_reader_pulls_and_does_not_push(desk: Desk):
    desk.sql(
        "create role reader",
        "create user reader password = 'reads-only' default_role = reader",
        "grant role reader to user reader",
        "grant usage on database local to role reader",
        "grant usage on schema public to role reader",
        "grant read on image repository images to role reader",
    )
    credentials = "reader:reads-only"
    pull = (SKOPEO, "copy", "--src-tls-verify=false", "--src-creds", credentials)
    desk.run(*pull, f"docker://{desk.image('hello:v1')}", "oci:reader:v1")
    push = (SKOPEO, "copy", "--dest-tls-verify=false", "--dest-creds", credentials, "oci:reader:v1")
    contains(desk.refused(*push, f"docker://{desk.image('reader:v1')}").lower(), "denied")


def signed_out(desk: Desk):
    for file in (desk.auth_file, desk.docker_config):
        file.unlink(missing_ok=True)
    desk.refused(SKOPEO, "inspect", "--tls-verify=false", f"docker://{desk.image('hello:v1')}")


def snowform(desk: Desk, *command: str) -> tuple[str, ...]:
    return (SNOWFORM, *command, "--config-file", str(desk.config))


def snowform_signs_everybody_in_without_any_of_them(desk: Desk):
    signed_out(desk)
    done = desk.ran(*snowform(desk, "image-registry", "login"))
    equal((done.returncode, done.stdout), (0, "Login Succeeded\n"))
    equal(desk.auth_file.stat().st_mode & 0o777, 0o600)
    desk.run(SKOPEO, "inspect", "--tls-verify=false", f"docker://{desk.image('hello:v1')}")
    desk.run(*desk.store(PODMAN, "pull", "--tls-verify=false", desk.image("hello:v1")))
    # docker's own file alone does, too.
    desk.auth_file.unlink()
    without = {name: value for name, value in desk.env.items() if name != "REGISTRY_AUTH_FILE"}
    desk.run(SKOPEO, "inspect", "--tls-verify=false", f"docker://{desk.image('hello:v1')}", env=without)
    contains(desk.run(*snowform(desk, "image-registry", "logout")), f"Removing login credentials for {desk.host}")
    contains(desk.run(*snowform(desk, "image-registry", "logout")), f"Not logged in to {desk.host}")
    equal("auths" in json.loads(desk.docker_config.read_text()), False)


def snowform_lets_a_program_sign_itself_in(desk: Desk):
    for program in ("skopeo", "podman"):
        signed_out(desk)
        equal(desk.run(*snowform(desk, "image-registry", "login", "--program", program)).strip(), "Login Succeeded!")
        desk.run(SKOPEO, "inspect", "--tls-verify=false", f"docker://{desk.image('hello:v1')}")
        desk.run(*snowform(desk, "image-registry", "logout", "--program", program))
        desk.refused(SKOPEO, "inspect", "--tls-verify=false", f"docker://{desk.image('hello:v1')}")


def docker_signs_in_where_it_is_installed(desk: Desk):
    if not shutil.which("docker"):
        print("     docker is not installed", flush=True)
        return
    signed_out(desk)
    contains(desk.run(*snowform(desk, "image-registry", "login", "--program", "docker")), "Login Succeeded")
    equal(list(json.loads(desk.docker_config.read_text())["auths"]), [desk.host])
    desk.run(*snowform(desk, "image-registry", "logout", "--program", "docker"))
    equal(json.loads(desk.docker_config.read_text()).get("auths"), {})


def list_images_and_list_tags_show_the_same(desk: Desk):
    listed = desk.run(*snowform(desk, "spcs", "image-repository", "list-images", "images", "--format", "json"))
    found = [(row["image_name"], row["tags"], row["digest"]) for row in json.loads(listed)]
    equal(found, [("hello", "by-podman, v1", desk.digest), ("team/copy", "v2", desk.digest)])
    one = desk.run(*snowform(desk, "image-repository", "list-images", "images", "--tag", "v2", "--format", "json"))
    equal([row["image_name"] for row in json.loads(one)], ["team/copy"])
    order = ("--order-by", "name_desc", "--format", "json")
    backwards = desk.run(*snowform(desk, "image-repository", "list-images", "images", *order))
    equal([row["image_name"] for row in json.loads(backwards)], ["team/copy", "hello"])
    image = "local/public/images/hello"
    tags = desk.run(*snowform(desk, "image-repository", "list-tags", "images", "-i", image, "--format", "json"))
    equal(json.loads(tags), [{"tag": f"{image}:by-podman"}, {"tag": f"{image}:v1"}])


def a_repository_with_images_is_not_dropped_by_mistake(desk: Desk):
    for command in (("drop", "images"), ("create", "images", "--replace")):
        done = desk.ran(*snowform(desk, "spcs", "image-repository", *command))
        equal(done.returncode, 3)
        contains(done.stderr, "holds 2 images")
    project = desk.scratch / "project"
    project.mkdir()
    entity = "entities:\n  images:\n    type: image-repository\n    identifier: local.public.images\n"
    (project / "snowflake.yml").write_text(f"definition_version: 2\n{entity}")
    done = desk.ran(*snowform(desk, "destroy", "--project", str(project)))
    equal(done.returncode, 3)
    contains(done.stdout + done.stderr, "2 images")
    here = ("image-repository", "url", "--all", "--project", str(project), "--output")
    equal(desk.run(*snowform(desk, *here, "env")), f"IMAGES_URL={desk.host}/local/public/images\n")
    equal(desk.run(*snowform(desk, *here, "github")), f"images_url={desk.host}/local/public/images\n")
    equal(json.loads(desk.run(*snowform(desk, *here, "json"))), {"images": f"{desk.host}/local/public/images"})
    if desk.blobs() == 0:
        raise AssertionError("the images are gone")


def the_helper_fetches_tokens_for_skopeo_and_podman(desk: Desk):
    signed_out(desk)
    desk.docker_config.write_text('{\n\t"detachKeys": "ctrl-x"\n}\n')
    before = desk.docker_config.read_text()
    helpers = desk.scratch / "helpers"
    helpers.mkdir()
    desk.env["PATH"] = f"{helpers}:{desk.env['PATH']}"
    desk.run(*snowform(desk, "image-registry", "install-helper", "--bin-dir", str(helpers)))
    equal(json.loads(desk.docker_config.read_text())["credHelpers"], {desk.host: "snowform"})
    for _ in range(2):  # with a new token, then with the kept one
        desk.run(SKOPEO, "inspect", "--tls-verify=false", f"docker://{desk.image('hello:v1')}")
    desk.run(*desk.store(PODMAN, "push", "--tls-verify=false", desk.image("hello:by-podman")))
    cache = desk.scratch / "home" / ".cache" / "snowform" / "registry-tokens.json"
    equal(cache.stat().st_mode & 0o777, 0o600)
    helper = str(helpers / "docker-credential-snowform")
    known = json.loads(desk.run(helper, "get", input=desk.host))
    equal((known["ServerURL"], known["Username"]), (desk.host, "0sessiontoken"))
    equal(set(json.loads(known["Secret"])), {"token", "expires_in"})
    # A kept token that the registry refuses is replaced, once and quietly.
    spoiled = json.loads(cache.read_text())
    for entry in spoiled["tokens"].values():
        entry["token"] = "refused"
    cache.write_text(json.dumps(spoiled))
    renewed = json.loads(desk.run(helper, "get", input=desk.host))
    equal(json.loads(renewed["Secret"])["token"] == "refused", False)
    desk.run(SKOPEO, "inspect", "--tls-verify=false", f"docker://{desk.image('hello:v1')}")
    # The words by which clients know that they have to go on without.
    unknown = desk.ran(helper, "get", input="registry.example.com")
    equal((unknown.returncode, unknown.stdout.strip()), (1, "credentials not found in native keychain"))
    equal(unknown.stderr, "")
    equal(json.loads(desk.run(helper, "list")), {desk.host: "0sessiontoken"})
    equal(desk.run(helper, "store", input=json.dumps({"ServerURL": "x", "Username": "y", "Secret": "z"})), "")
    equal(desk.run(helper, "erase", input=desk.host), "")
    equal(json.loads(cache.read_text())["tokens"], {})
    desk.run(*snowform(desk, "image-registry", "install-helper", "--uninstall"))
    equal(desk.docker_config.read_text(), before)
    equal(list(helpers.iterdir()), [])
    desk.run(*snowform(desk, "image-registry", "login"))


class Delay(threading.Thread):
    """Stands before the registry, and gives the answer to the first finished layer only after the tokens are over."""

    def __init__(self, host: str, pause: float):
        super().__init__(daemon=True)
        self.upstream = host.rsplit(":", 1)
        self.pause = pause
        self.tokens: list[str] = []
        self.held = False
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.start()

    def run(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection((self.upstream[0], int(self.upstream[1])))
            hold = threading.Event()
            for work in ((self.requests, client, server, hold), (self.answers, server, client, hold)):
                threading.Thread(target=work[0], args=work[1:], daemon=True).start()

    def requests(self, client: socket.socket, server: socket.socket, hold: threading.Event):
        # Either end may hang up at any time.
        with contextlib.suppress(OSError):
            self.forward(client, server, hold)

    def forward(self, client: socket.socket, server: socket.socket, hold: threading.Event):
        while data := client.recv(65536):
            with self.lock:
                self.tokens += re.findall(rb"Bearer ([\w-]+)", data)
                if not self.held and re.search(rb"(?m)^PUT /v2/[^ ]*/blobs/uploads/", data):
                    self.held = True
                    hold.set()
            server.sendall(data)
        server.shutdown(socket.SHUT_WR)

    def answers(self, server: socket.socket, client: socket.socket, hold: threading.Event):
        with contextlib.suppress(OSError), client:
            while data := server.recv(65536):
                if hold.is_set():
                    hold.clear()
                    time.sleep(self.pause)
                client.sendall(data)


def pushed_beyond_a_token(desk: Desk, program: str, name: str, push: Callable[[str], tuple[str, ...]]):
    delay = Delay(desk.host, TOKEN_SECONDS + 5)
    image = f"{delay.host}/local/public/images/{name}"
    desk.run(SKOPEO, "login", "--tls-verify=false", "-u", "LOCAL", "--password-stdin", delay.host, input=desk.password)
    desk.run(*push(image))
    tokens = list(dict.fromkeys(delay.tokens))
    equal((delay.held, len(tokens) > 1), (True, True))
    request = urllib.request.Request(f"http://{desk.host}/v2/", headers={"Authorization": f"Bearer {tokens[0].decode()}"})
    try:
        urllib.request.urlopen(request)
    except urllib.error.HTTPError as refused:
        equal(refused.code, 401)
    else:
        raise AssertionError("the first token was still good")
    raw = desk.run(SKOPEO, "inspect", "--raw", "--tls-verify=false", f"docker://{image}")
    equal(len(json.loads(raw)["layers"]), 4)


def a_token_that_expires_in_the_middle_of_a_push_does_not_fail_it(desk: Desk):
    for number in (2, 3, 4):
        container = desk.run(*desk.store(BUILDAH, "from", "hello:v1" if number == 2 else "layers:v1")).strip()
        (desk.scratch / f"layer{number}").write_text(f"layer {number}\n")
        desk.run(*desk.store(BUILDAH, "copy", container, f"layer{number}", f"/layer{number}"))
        desk.run(*desk.store(BUILDAH, "commit", container, "layers:v1"))
    out = desk.scratch / "layers"
    desk.run(*desk.store(BUILDAH, "push", "layers:v1", f"oci:{out}:v1"))
    archive = desk.scratch / "layers.tar"
    desk.run(*desk.store(BUILDAH, "push", "layers:v1", f"docker-archive:{archive}:localhost/layers:v1"))
    desk.run(*desk.store(PODMAN, "load", "--input", str(archive)))
    local = desk.run(*desk.store(PODMAN, "images", "--format", "{{.ID}}", "--no-trunc")).split()
    flags = ("push", "--tls-verify=false")
    ways = {
        "skopeo": lambda image: (SKOPEO, "copy", "--dest-tls-verify=false", f"oci:{out}:v1", f"docker://{image}"),
        "podman": lambda image: desk.store(PODMAN, *flags, newest(desk, local), f"docker://{image}"),
        "buildah": lambda image: desk.store(BUILDAH, *flags, "layers:v1", f"docker://{image}"),
    }
    threads, problems = [], []

    def attempt(program: str, push: Callable[[str], tuple[str, ...]]):
        try:
            pushed_beyond_a_token(desk, program, f"by-{program}:v1", push)
        except Exception as problem:
            problems.append(f"{program}: {problem}")

    # Side by side, because each of them waits for a minute.
    for program, push in ways.items():
        threads.append(threading.Thread(target=attempt, args=(program, push)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    equal(problems, [])


def newest(desk: Desk, ids: list[str]) -> str:
    """The image with four layers, of those that podman holds."""
    for image in ids:
        layers = desk.run(*desk.store(PODMAN, "image", "inspect", "--format", "{{len .RootFS.Layers}}", image))
        if layers.strip() == "4":
            return image
    raise AssertionError("podman holds no image of four layers")


def the_helper_is_called_by_docker_where_it_is_installed(desk: Desk):
    if not shutil.which("docker"):
        print("     docker is not installed", flush=True)
        return
    signed_out(desk)
    helpers = desk.scratch / "docker-helpers"
    helpers.mkdir()
    env = desk.env | {"PATH": f"{helpers}:{desk.env['PATH']}"}
    desk.run(*snowform(desk, "image-registry", "install-helper", "--bin-dir", str(helpers)), env=env)
    # `manifest inspect` is what docker does without a daemon. It asks the helper, and sends what it was given.
    inspect = ("docker", "manifest", "inspect", "--insecure", desk.image("hello:v1"))
    equal(json.loads(desk.run(*inspect, env=env))["schemaVersion"], 2)
    helper = helpers / "docker-credential-snowform"
    helper.rename(helpers / "gone")
    desk.refused(*inspect, env=env)
    (helpers / "gone").rename(helper)
    desk.run(*snowform(desk, "image-registry", "install-helper", "--uninstall"), env=env)
    desk.refused(*inspect, env=env)
    desk.run(*snowform(desk, "image-registry", "login"))


def skopeo_cannot_delete_one_image(desk: Desk):
    said = desk.refused(SKOPEO, "delete", "--tls-verify=false", f"docker://{desk.image('hello:v1')}")
    contains(said, "dropping the repository removes all of them")


def dropping_the_repository_removes_its_images(desk: Desk):
    if desk.blobs() == 0:
        raise AssertionError("there was nothing to remove")
    desk.sql("drop image repository images")
    equal(desk.blobs(), 0)
    said = desk.refused(SKOPEO, "inspect", "--tls-verify=false", f"docker://{desk.image('hello:v1')}")
    contains(said, "does not exist or not authorized")


CHECKS = [
    sign_in,
    buildah_pushes,
    skopeo_reads_what_was_pushed,
    the_account_lists_it,
    skopeo_copies_within_the_registry_and_out_of_it,
    podman_pulls_and_pushes,
    a_reader_pulls_and_does_not_push,
    snowform_signs_everybody_in_without_any_of_them,
    snowform_lets_a_program_sign_itself_in,
    docker_signs_in_where_it_is_installed,
    list_images_and_list_tags_show_the_same,
    a_repository_with_images_is_not_dropped_by_mistake,
    the_helper_fetches_tokens_for_skopeo_and_podman,
    the_helper_is_called_by_docker_where_it_is_installed,
    a_token_that_expires_in_the_middle_of_a_push_does_not_fail_it,
    skopeo_cannot_delete_one_image,
    dropping_the_repository_removes_its_images,
]


def main() -> int:
    passed = failed = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        desk = Desk(Path(scratch))
        try:
            for check in CHECKS:
                try:
                    check(desk)
                except Exception as problem:  # a check that breaks is a check that fails
                    failed += 1
                    print(f"FAIL {check.__name__}: {problem}", flush=True)
                else:
                    passed += 1
                    print(f"ok   {check.__name__}", flush=True)
        finally:
            desk.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
