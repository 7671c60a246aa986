#!/usr/bin/env python3
"""Signs in with the official Python connector and with snowform, and compares what the two send.

Wants SNOWFORM_BIN (the snowform binary), SNOW_BIN (the snow CLI) and SNOW_PYTHON (a Python with
snowflake-connector-python). Both read the same connection file, in homes of their own, and talk to the same server, which
plays the account, an identity provider and the services of clouds, and writes down every request. A browser is played by
this script itself: `BROWSER` names it. Compared are the logins, the requests for tokens, the addresses that people are
sent to, and the files that tokens are kept in: what one of the two keeps, the other must use.

One line per check; the exit code says whether all passed.
"""

import base64
import gzip
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SNOWFORM = os.environ.get("SNOWFORM_BIN", "")
SNOW = os.environ.get("SNOW_BIN", "")
PYTHON = os.environ.get("SNOW_PYTHON", "")


def part(value: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


JWT = f"{part({'alg': 'none'})}.{part({'iss': 'https://idp', 'sub': 'workload'})}.c2ln"

# What the connector is asked to do. It detects clouds by asking for them, which takes time.
CONNECT = """
import snowflake.connector as s
s.connect(connection_name="c", platform_detection_timeout_seconds=0, session_parameters={"CLIENT_TELEMETRY_ENABLED": False}).close()
"""


class Server(ThreadingHTTPServer):
    """The account and everybody else."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.daemon_threads = True
        self.seen: list[dict] = []
        self.refuse_tokens: set[str] = set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[dict]:
        return [request for request in self.seen if request["path"] == path]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.handle_any(b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.handle_any(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)

    def handle_any(self, body: bytes):
        address = urllib.parse.urlsplit(self.path)
        kind = self.headers.get("content-type", "")
        if kind.startswith("application/x-www-form"):
            content = dict(urllib.parse.parse_qsl(body.decode()))
        else:
            content = json.loads(body) if body else None
        query = dict(urllib.parse.parse_qsl(address.query))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append({"path": address.path, "query": query, "headers": headers, "body": content})
        answer = ANSWERS.get(address.path, lambda *_: {"data": None, "success": True})(self.server, query, content)
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def login(server: Server, _query: dict, body: dict) -> dict:
    data = body["data"]
    if data.get("TOKEN") in server.refuse_tokens:
        code = "390195" if data.get("AUTHENTICATOR") == "ID_TOKEN" else "390318"
        return {"data": {"nextAction": "RETRY_LOGIN"}, "code": code, "message": "refused", "success": False}
    pushed = body.get("inFlightCtx")
    if data.get("LOGIN_NAME") == "pusher" and not pushed and not data.get("TOKEN"):
        step = {"nextAction": "EXT_AUTHN_DUO_ALL", "inFlightCtx": "one"}
        return {"data": step, "code": "390120", "message": "wait", "success": False}
    if pushed == "one":
        return {"data": {"nextAction": "EXT_AUTHN_SUCCESS", "inFlightCtx": "two"}, "code": None, "message": None, "success": True}
    place = {"databaseName": None, "schemaName": None, "warehouseName": None, "roleName": "R"}
    signed_in = {"token": "session", "masterToken": "master", "validityInSeconds": 3600, "masterValidityInSeconds": 14400,
        "displayUserName": "ME", "sessionId": 7, "parameters": [], "sessionInfo": place, "idToken": "the-id-token",
        "mfaToken": "the-mfa-token", "serverVersion": "9"}
    return {"data": signed_in, "code": None, "message": None, "success": True}


def sso(server: Server, _query: dict, body: dict) -> dict:
    port = body["data"]["BROWSER_MODE_REDIRECT_PORT"]
    data = {"ssoUrl": server.url(f"/sso?port={port}"), "proofKey": "the-proof-key"}
    return {"data": data, "code": None, "message": None, "success": True}


def tokens(server: Server, _query: dict, form: dict) -> dict:
    number = len(server.at("/idp/token"))
    return {"access_token": f"access-{form['grant_type']}-{number}", "refresh_token": f"refresh-{number}", "token_type": "Bearer"}


ANSWERS: dict[str, Callable] = {
    "/session/v1/login-request": login,
    "/session/authenticator-request": sso,
    "/idp/token": tokens,
    "/msi/token": lambda *_: {"access_token": JWT},
    "/github": lambda *_: {"value": JWT},
}


def browse(url: str, log: str):
    """The browser: writes the address down, and goes where the person would be sent. The connector waits for its browser
    to end before it listens, so the second part is a process of its own."""
    with open(log, "a") as file:
        file.write(url + "\n")
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    if "LOCAL_PASSWORD" in os.environ:
        subprocess.Popen([sys.executable, __file__, "fill", url])
        return
    if "redirect_uri" in query:
        answer = urllib.parse.urlencode({"code": "the-code", "state": query["state"]})
        back = f"{query['redirect_uri']}?{answer}"
    else:
        back = f"http://localhost:{query.get('port') or query['browser_mode_redirect_port']}/?token=the-saml-token"
    subprocess.Popen([sys.executable, __file__, "follow", back])


def fill(url: str):
    """Signs in at the page of the served local account, and goes where it leads."""
    page = urllib.request.urlopen(url).read().decode()
    request = re.search('name="request" value="([^"]+)"', page)[1]
    form = urllib.parse.urlencode({"request": request, "user": "LOCAL", "password": os.environ["LOCAL_PASSWORD"]})

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    opener = urllib.request.build_opener(Stay)
    try:
        opener.open(urllib.parse.urljoin(url, "/sso"), form.encode())
    except urllib.error.HTTPError as sent_back:
        follow(sent_back.headers["Location"])


def follow(url: str):
    for _ in range(100):
        try:
            urllib.request.urlopen(url).read()
        except urllib.error.URLError:
            time.sleep(0.1)
        else:
            return


class Side:
    """One of the two, with a home of its own."""

    def __init__(self, name: str, scratch: Path, server: Server):
        self.name, self.server = name, server
        self.home = scratch / name
        (self.home / ".cache").mkdir(parents=True)
        self.visited = scratch / f"{name}-visited"
        self.visited.touch()
        self.browser = scratch / "browse"
        self.cache = self.home / ".cache" / "snowflake" / "credential_cache_v1.json"

    def sign_in(self, settings: dict, variables: dict, by_snow: bool = False) -> dict:
        """Signs in; every request and every address of it."""
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
        directory = self.home / ".snowflake"
        directory.mkdir(exist_ok=True)
        file = directory / "connections.toml"
        file.touch(mode=0o600)
        file.write_text(f"[c]\n{lines}")
        env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "SNOWFLAKE_HOME": str(directory), "LANG": "C.UTF-8",
            "BROWSER": f"{self.browser} %s {self.visited}", **variables}
        command = [PYTHON, "-c", CONNECT] if self.name == "theirs" else [SNOWFORM, "connection", "test", "-c", "c"]
        if by_snow and self.name == "theirs":
            command = [SNOW, "sql", "-q", "select 1", "-c", "c"]
        before, visits = len(self.server.seen), len(self.visited.read_text().splitlines())
        done = subprocess.run(command, env=env, cwd=self.home, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        # What snow goes on to ask for is not what is compared.
        if done.returncode != 0 and not by_snow:
            raise AssertionError(f"{self.name}: exit code {done.returncode}: {done.stdout}{done.stderr}")
        seen = self.server.seen[before:]
        return {
            "logins": [login_of(request) for request in seen if request["path"] == "/session/v1/login-request"],
            "asked": [asked(request) for request in seen if request["path"] in ASKED],
            "visited": [visited(url) for url in self.visited.read_text().splitlines()[visits:]],
        }


ASKED = ("/idp/token", "/session/authenticator-request", "/msi/token", "/github")
# What is compared of a login; the rest says who the client is.
KEYS = ("LOGIN_NAME", "PASSWORD", "AUTHENTICATOR", "TOKEN", "PROOF_KEY", "PROVIDER", "EXT_AUTHN_DUO_METHOD", "PASSCODE",
    "RAW_SAML_RESPONSE", "SECONDARY_ROLES", "BROWSER_MODE_REDIRECT_PORT")
PARAMETERS = ("CLIENT_STORE_TEMPORARY_CREDENTIAL", "CLIENT_REQUEST_MFA_TOKEN")


def data_of(body: dict) -> dict:
    data = body["data"]
    found = {key: data[key] for key in KEYS if data.get(key)}
    found["account"] = data["ACCOUNT_NAME"].upper()
    # The last step of a login with a telephone repeats them here; there it does not, and they were said before.
    if body.get("inFlightCtx") is None:
        found |= {name: data.get("SESSION_PARAMETERS", {}).get(name) for name in PARAMETERS}
    found["OAUTH_TYPE"] = data.get("CLIENT_ENVIRONMENT", {}).get("OAUTH_TYPE")
    found["inFlightCtx"] = body.get("inFlightCtx")
    if len(found.get("PROOF_KEY", "")) == 44:
        found["PROOF_KEY"] = "own"
    if "BROWSER_MODE_REDIRECT_PORT" in found:
        found["BROWSER_MODE_REDIRECT_PORT"] = type(found["BROWSER_MODE_REDIRECT_PORT"]).__name__
    return found


def login_of(request: dict) -> dict:
    query = {name: value for name, value in request["query"].items() if not name.lower().startswith("request")}
    return {"query": query} | data_of(request["body"])


def without_numbers(found: dict) -> dict:
    """Tokens are counted, so that each is another; who came first does not matter."""
    return json.loads(re.sub(r"(access-[a-z_]+|refresh)-\d+", r"\1-N", json.dumps(found)))


def without_ports(text: str) -> str:
    return re.sub(r"(127\.0\.0\.1|localhost):\d+", r"\1:PORT", text)


def asked(request: dict) -> dict:
    body = request["body"]
    if request["path"] == "/session/authenticator-request":
        return {"path": request["path"], "data": data_of(body)}
    headers = {name: request["headers"].get(name) for name in ("authorization", "x-identity-header", "metadata")}
    if headers["authorization"]:
        headers["authorization"] = re.sub("^bearer", "Bearer", headers["authorization"])
    form = {name: without_ports(value) for name, value in (body or {}).items()}
    if "code_verifier" in form:
        form["code_verifier"] = len(form["code_verifier"]) >= 43
    return {"path": request["path"], "query": request["query"], "headers": headers, "form": form}


def visited(url: str) -> dict:
    address = urllib.parse.urlsplit(url)
    query = {name: without_ports(value) for name, value in urllib.parse.parse_qsl(address.query)}
    for name in ("state", "code_challenge", "proof_key"):
        if name in query:
            query[name] = len(query[name]) >= 43
    for name in ("port", "browser_mode_redirect_port"):
        if name in query:
            query[name] = query[name].isdigit()
    return {"page": without_ports(f"{address.scheme}://{address.netloc}{address.path}"), "query": query}


def base(server: Server) -> dict:
    return {"account": "myorg-acct", "host": "127.0.0.1", "port": server.port, "protocol": "http", "role": "deployer",
        "database": "db"}


def code(server: Server) -> dict:
    return base(server) | {"user": "me", "authenticator": "OAUTH_AUTHORIZATION_CODE", "oauth_client_id": "client",
        "oauth_client_secret": "secret", "oauth_authorization_url": "https://idp.example/authorize",
        # By another name, because a provider that is the account itself is asked for less.
        "oauth_token_request_url": server.url("/idp/token").replace("127.0.0.1", "localhost")}


def client(server: Server) -> dict:
    return code(server) | {"authenticator": "OAUTH_CLIENT_CREDENTIALS"}


def browser(server: Server) -> dict:
    return base(server) | {"user": "me", "authenticator": "externalbrowser"}


def workload(server: Server, provider: str) -> dict:
    return base(server) | {"authenticator": "WORKLOAD_IDENTITY", "workload_identity_provider": provider}


HERE = {"SNOWFLAKE_WIF_ALLOWED_HOST_SUFFIXES": "127.0.0.1"}

# Name, settings, variables, and whether snow, not the connector alone, is what is compared with.
CASES: list[tuple[str, Callable[[Server], dict], Callable[[Server], dict], bool]] = [
    ("a password", lambda s: base(s) | {"user": "me", "password": "p"}, lambda s: {}, False),
    ("a password with a code", lambda s: base(s) | {"user": "me", "password": "p", "passcode": "123456"}, lambda s: {}, False),
    ("a code behind the password", lambda s: base(s) | {"user": "me", "password": "p123456", "passcode_in_password": True}, lambda s: {}, False),
    ("a telephone", lambda s: base(s) | {"user": "pusher", "password": "p", "authenticator": "username_password_mfa",
        "client_request_mfa_token": True}, lambda s: {}, False),
    ("secondary roles", lambda s: base(s) | {"user": "me", "password": "p", "secondary_roles": "all"}, lambda s: {}, False),
    ("a programmatic access token", lambda s: base(s) | {"authenticator": "PROGRAMMATIC_ACCESS_TOKEN", "token": "pat", "user": "me"}, lambda s: {}, False),
    ("an OAuth token", lambda s: base(s) | {"authenticator": "oauth", "token": "t", "user": "me"}, lambda s: {}, False),
    ("a browser", browser, lambda s: {}, False),
    ("the account's own page", lambda s: browser(s) | {"disable_console_login": False}, lambda s: {}, False),
    ("a client's credentials", client, lambda s: {}, False),
    ("a client's credentials with a scope", lambda s: client(s) | {"oauth_scope": "a b"}, lambda s: {}, False),
    ("a code", code, lambda s: {}, False),
    ("a code without a proof", lambda s: code(s) | {"oauth_disable_pkce": True}, lambda s: {}, False),
    ("a code with refresh tokens", lambda s: code(s) | {"oauth_enable_refresh_tokens": True}, lambda s: {}, False),
    ("single-use refresh tokens", lambda s: code(s) | {"oauth_enable_refresh_tokens": True, "oauth_enable_single_use_refresh_tokens": True}, lambda s: {}, False),
    ("a redirect address", lambda s: code(s) | {"oauth_redirect_uri": "http://localhost/back"}, lambda s: {}, False),
    ("an OpenID Connect token", lambda s: workload(s, "OIDC") | {"token": JWT}, lambda s: HERE, False),
    ("an Azure function", lambda s: workload(s, "AZURE"), lambda s: HERE | {"IDENTITY_ENDPOINT": s.url("/msi/token"), "IDENTITY_HEADER": "h"}, False),
    ("an Azure function with a client", lambda s: workload(s, "AZURE") | {"workload_identity_entra_resource": "api://mine"},
        lambda s: HERE | {"IDENTITY_ENDPOINT": s.url("/msi/token"), "IDENTITY_HEADER": "h", "MANAGED_IDENTITY_CLIENT_ID": "c"}, False),
    ("a job of GitHub Actions", lambda s: workload(s, "OIDC"),
        lambda s: HERE | {"GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_URL": s.url("/github?v=1"), "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "r"}, True),
]


def compare(theirs: dict, ours: dict):
    if not theirs["logins"]:
        raise AssertionError("the other did not get as far as a login")
    theirs, ours = without_numbers(theirs), without_numbers(ours)
    if theirs != ours:
        raise AssertionError(f"\ntheirs: {json.dumps(theirs, indent=1)}\nours:   {json.dumps(ours, indent=1)}")


def first(found: dict) -> dict:
    """snow goes on with its statement, which this server does not carry out."""
    return {name: requests[:1] for name, requests in found.items()}


def kept_by_either(server: Server, scratch: Path):
    """What one keeps, the other uses; what is refused, both forget."""
    store = {"client_store_temporary_credential": True}
    cases = {
        "id": browser(server) | store,
        "mfa": base(server) | {"user": "pusher", "password": "p", "authenticator": "username_password_mfa", "client_request_mfa_token": True},
        "oauth": code(server) | store | {"oauth_enable_refresh_tokens": True, "oauth_scope": "x"},
    }
    for name, settings in cases.items():
        for writer, reader in (("theirs", "ours"), ("ours", "theirs")):
            sides = {side: Side(side, scratch / f"{name}-{writer}", server) for side in (writer, reader)}
            for side in sides.values():
                side.browser = scratch / "browse"
            kept = sides[writer].sign_in(settings, {})
            if not (kept["visited"] or name == "mfa"):
                raise AssertionError(f"{name}: nobody was asked")
            if sides[writer].cache.stat().st_mode & 0o777 != 0o600:
                raise AssertionError("others can read it")
            shutil.copytree(sides[writer].cache.parent, sides[reader].cache.parent, copy_function=shutil.copy2)
            os.chmod(sides[reader].cache.parent, 0o700)
            used = sides[reader].sign_in(settings, {})
            if used["visited"] or len(used["logins"]) != 1 or not used["logins"][0].get("TOKEN"):
                raise AssertionError(f"{name}: {reader} does not use what {writer} keeps: {used}")
            if name == "oauth":
                server.refuse_tokens.add(used["logins"][0]["TOKEN"])
                renewed = [sides[side].sign_in(settings, {}) for side in (writer, reader)]
                grants = [[asked["form"]["grant_type"] for asked in found["asked"]] for found in renewed]
                if grants != [["refresh_token"], ["refresh_token"]] or any(found["visited"] for found in renewed):
                    raise AssertionError(f"not renewed without a person: {renewed}")


def people_at_the_local_account(scratch: Path):
    """The connector's browser logins at the served local account, and what it keeps of them, used by snowform."""
    served = subprocess.Popen([SNOWFORM, "local", "serve", "--port", "0", "--dir", str(scratch / "account")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = int(served.stdout.readline().rsplit(":", 1)[1])
        password = tomllib.loads((scratch / "account" / "config.toml").read_text())["connections"]["local"]["password"]
        settings = {"account": "local", "user": "LOCAL", "host": "127.0.0.1", "port": port, "protocol": "http",
            "authenticator": "externalbrowser", "client_store_temporary_credential": True}
        for name, more in (("provider", {}), ("console", {"disable_console_login": False})):
            theirs, ours = (Side(side, scratch / f"people-{name}", Server()) for side in ("theirs", "ours"))
            for side in (theirs, ours):
                side.browser = scratch / "browse"
            found = theirs.sign_in(settings | more, {"LOCAL_PASSWORD": password})
            if len(found["visited"]) != 1:
                raise AssertionError(f"{name}: nobody was asked: {found}")
            shutil.copytree(theirs.cache.parent, ours.cache.parent, copy_function=shutil.copy2)
            os.chmod(ours.cache.parent, 0o700)
            for side in (ours, theirs):
                if side.sign_in(settings | more, {})["visited"]:
                    raise AssertionError(f"{name}: {side.name} asks although the id token is there")
    finally:
        served.terminate()
        served.wait(timeout=30)


def an_address_that_is_pasted(scratch: Path):
    """A person at a terminal whose browser is elsewhere."""
    server, home = Server(), scratch / "pasting"
    (home / ".cache").mkdir(parents=True)
    ours, theirs = pty.openpty()
    variables = {"ACCOUNT": "a", "USER": "me", "HOST": "127.0.0.1", "PORT": str(server.port), "PROTOCOL": "http",
        "AUTHENTICATOR": "externalbrowser"}
    env = {f"SNOWFLAKE_{name}": value for name, value in variables.items()} | {"HOME": str(home), "BROWSER": "none"}
    run = subprocess.Popen([SNOWFORM, "connection", "test"], stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    said = ""

    def until(words: str):
        nonlocal said
        while words not in said:
            said += os.read(ours, 4096).decode()

    until("begins with")
    os.write(ours, b"what?\n")
    until("That is not it")
    os.write(ours, b"http://localhost:1/?token=the-pasted-token\n")
    until("status     OK")
    run.wait(timeout=30)
    os.close(ours)
    token = server.at("/session/v1/login-request")[0]["body"]["data"]["TOKEN"]
    if (run.returncode, token) != (0, "the-pasted-token"):
        raise AssertionError(f"{run.returncode}, {token}: {said}")


def main() -> int:
    passed = failed = 0
    server = Server()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        scratch = Path(directory)
        script = scratch / "browse"
        script.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).resolve()} browse "$@"\n')
        script.chmod(0o700)

        def check(name: str, run: Callable[[], None]):
            nonlocal passed, failed
            try:
                run()
            except Exception as problem:  # a check that breaks is a check that fails
                failed += 1
                print(f"FAIL {name}: {problem}", flush=True)
            else:
                passed += 1
                print(f"ok   {name}", flush=True)

        for number, (name, settings, variables, by_snow) in enumerate(CASES):

            def both(number=number, settings=settings, variables=variables, by_snow=by_snow):
                found = []
                for side in ("theirs", "ours"):
                    place = Side(side, scratch / str(number), server)
                    place.browser = script
                    found.append(place.sign_in(settings(server), variables(server), by_snow))
                compare(*(map(first, found) if by_snow else found))

            check(name, both)
        check("what is kept by either", lambda: kept_by_either(server, scratch))
        check("people at the local account", lambda: people_at_the_local_account(scratch))
        check("an address that is pasted", lambda: an_address_that_is_pasted(scratch))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["browse"]:
        browse(sys.argv[2], sys.argv[3])
    elif sys.argv[1:2] == ["follow"]:
        follow(sys.argv[2])
    elif sys.argv[1:2] == ["fill"]:
        fill(sys.argv[2])
    else:
        sys.exit(main())
