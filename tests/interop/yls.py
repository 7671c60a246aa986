"""Drives yaml-language-server with the committed schemas, as an editor does.

Usage: YLS=node_modules/yaml-language-server/bin/yaml-language-server python3 tests/interop/yls.py

Nothing is installed or fetched: the server is version 1.25 of the npm package of the same name, the schemas are those
under `schema/`. Checked are

- that no valid definition is marked, among our own cases and, where it stands beside the project (or under CORPUS),
  among the corpus of verdicts of the official loader, and how many wrong ones of it are marked;
- that every case of `tests/cases/schema/invalid` has exactly one message, under the characters that its first line
  names (`# /entities/a/type | image-repo`);
- what is completed and what is shown in a few places.

Prints one line for each check, and `N passed, M failed`; exits with 1 where one failed.
"""

import json
import os
import pathlib
import queue
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = pathlib.Path(os.environ.get("CORPUS", ROOT / "../shared/corpus"))
SCHEMAS = {"snowflake.schema.json": "snowflake.yml", "snowflake.local.schema.json": "snowflake.local.yml", "snowform.schema.json": "snowform.yml"}
LEAST_CAUGHT = 0.75

# Valid definitions that the server marks all the same, and why nothing in a schema helps.
MARKED = {}

SETTINGS = {
    "validate": True,
    "hover": True,
    "completion": True,
    "schemaStore": {"enable": False},
    "kubernetesCRDStore": {"enable": False},
    "customTags": ["!override mapping", "!override sequence", "!override scalar"],
    "schemas": {(ROOT / "schema" / schema).as_uri(): [file] for schema, file in SCHEMAS.items()},
}


class Server:
    """The language server on the other side of a pipe."""

    def __init__(self, path):
        command = ["node", path, "--stdio"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.messages = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.published, self.answers, self.count = {}, {}, 0
        self.request("initialize", {"processId": os.getpid(), "rootUri": None, "capabilities": CAPABILITIES})
        self.notify("initialized", {})

    def read(self):
        """Puts every message of the server into the queue."""
        stream = self.process.stdout
        while header := stream.readline():
            length = int(header.split(b":")[1])
            stream.readline()
            self.messages.put(json.loads(stream.read(length)))

    def write(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def notify(self, method, params):
        self.write({"method": method, "params": params})

    def request(self, method, params):
        self.count += 1
        number = self.count
        self.write({"id": number, "method": method, "params": params})
        self.wait(lambda: number in self.answers)
        return self.answers.pop(number)

    def wait(self, done):
        while not done():
            message = self.messages.get(timeout=60)
            if "method" not in message:
                self.answers[message["id"]] = message.get("result")
            elif message["method"] == "textDocument/publishDiagnostics":
                self.published[message["params"]["uri"]] = message["params"]["diagnostics"]
            elif message["method"] == "workspace/configuration":
                wanted = [item.get("section") for item in message["params"]["items"]]
                known = {"yaml": SETTINGS, "editor": {"tabSize": 2}, "[yaml]": {"tabSize": 2}}
                self.write({"id": message["id"], "result": [known.get(section, {}) for section in wanted]})
            elif "id" in message:
                self.write({"id": message["id"], "result": None})

    def open(self, text, file="snowflake.yml"):
        """Opens a text under a name of its own; its address."""
        self.count += 1
        uri = f"file:///case-{self.count}/{file}"
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})
        return uri

    def diagnostics(self, texts, file="snowflake.yml"):
        """What is marked in each of the texts; they are opened together, for the server lets time pass."""
        uris = [self.open(text, file) for text in texts]
        self.wait(lambda: all(uri in self.published for uri in uris))
        return [self.published[uri] for uri in uris]

    def at(self, method, text, mark="|"):
        """Asks something of the place that is marked in a text."""
        before, after = text.split(mark, 1)
        uri = self.open(before + after)
        position = {"line": before.count("\n"), "character": len(before.rsplit("\n", 1)[-1])}
        return self.request(method, {"textDocument": {"uri": uri}, "position": position})


CAPABILITIES = {
    "workspace": {"configuration": True},
    "textDocument": {
        "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
        "hover": {"contentFormat": ["markdown"]},
    },
}


class Checks:
    """Counts what holds."""

    def __init__(self):
        self.passed = self.failed = 0

    def that(self, holds, name, why=""):
        print("ok  " if holds else "FAIL", name, "" if holds else why)
        self.passed, self.failed = self.passed + bool(holds), self.failed + (not holds)


def underlined(text, found):
    """The characters that a message marks."""
    start, end = found["range"]["start"], found["range"]["end"]
    lines = text.split("\n")
    if start["line"] != end["line"]:
        return "\n".join([lines[start["line"]][start["character"] :], *lines[start["line"] + 1 : end["line"]], lines[end["line"]][: end["character"]]])
    return lines[start["line"]][start["character"] : end["character"]]


def valid_ones(server, checks):
    """Our own valid definitions: none is marked."""
    for folder, file in (
        ("tests/cases/schema/valid", "snowflake.yml"),
        ("schema/test/positive", "snowflake.yml"),
        ("tests/cases/schema/local", "snowflake.local.yml"),
    ):
        paths = sorted((ROOT / folder).glob("*.yml"))
        checks.that(paths, f"{folder} holds cases")
        for path, found in zip(paths, server.diagnostics([path.read_text() for path in paths], file)):
            checks.that(not found, f"{folder}/{path.name} is not marked", found)
    for path in sorted((ROOT / "examples").glob("*/snow*.yml")):
        (found,) = server.diagnostics([path.read_text()], path.name)
        checks.that(not found, f"{path.relative_to(ROOT)} is not marked", found)


def invalid_ones(server, checks):
    """Our own wrong definitions: one message each, under the right characters."""
    for folder in ("tests/cases/schema/invalid", "schema/test/negative"):
        paths = sorted((ROOT / folder).glob("*.yml"))
        checks.that(paths, f"{folder} holds cases")
        texts = [path.read_text() for path in paths]
        for path, text, found in zip(paths, texts, server.diagnostics(texts)):
            expected = text.split("\n", 1)[0].split(" | ", 1)[1]
            marks = [(underlined(text, one), one["message"]) for one in found]
            checks.that([mark for mark, _ in marks] == [expected], f"{folder}/{path.name}: one message under {expected!r}", marks)


def corpus(server, checks):
    """The verdicts of the official loader, where they are at hand."""
    if not (CORPUS / "verdicts.json").exists():
        print("     the corpus is not here; nothing of it was opened")
        return
    cases = []
    for case in json.loads((CORPUS / "verdicts.json").read_text()):
        if case["expect"] in ("ok", "error") and (CORPUS / "cases" / case["id"] / "snowflake.yml").exists():
            cases.append((case, []))
    for file in ("snowflake.yml", "snowflake.local.yml"):
        present = [(case, marks) for case, marks in cases if (CORPUS / "cases" / case["id"] / file).exists()]
        texts = [(CORPUS / "cases" / case["id"] / file).read_bytes().decode("utf-8", errors="replace") for case, _ in present]
        for (_, marks), found in zip(present, server.diagnostics(texts, file)):
            marks += found
    marked = {case["id"]: (case["expect"], marks) for case, marks in cases if marks}
    false = {name: marks for name, (expect, marks) in marked.items() if expect == "ok"}
    for name, marks in false.items():
        checks.that(name in MARKED, f"corpus {name} is marked only for {MARKED.get(name)}", [mark["message"] for mark in marks])
    valid = sum(case["expect"] == "ok" for case, _ in cases)
    checks.that(set(MARKED) <= set(false), f"{valid - len(false)} of {valid} valid definitions are not marked", set(MARKED) - set(false))
    wrong = [case["id"] for case, _ in cases if case["expect"] == "error"]
    caught = [name for name in wrong if name in marked]
    share = len(caught) / len(wrong)
    checks.that(share >= LEAST_CAUGHT, f"{len(caught)} of {len(wrong)} wrong definitions are marked ({share:.0%})")
    print("     not marked:", *(name for name in wrong if name not in marked))


ENTITY = "definition_version: 2\nentities:\n  a:\n"

# Where the author stands (`|`), and what is among the first that is offered.
COMPLETED = [
    ("|", ["project definition", "definition_version"]),
    ("definition_version: 2\nentities:\n  |", ["image-repository", "service"]),
    (ENTITY + "    |", ["type", "type: image-repository"]),
    (ENTITY + "    type: |", ["image-repository", "application package"]),
    (ENTITY + "    type: image-repository\n    |", ["identifier", "meta"]),
    (ENTITY + "    type: image-repository\n    identifier:\n      |", ["name", "schema", "database"]),
    (ENTITY + "    type: compute-pool\n    auto_resume: |", ["true", "false"]),
    (ENTITY + "    type: application package\n    distribution: |", ["internal", "external"]),
    (ENTITY + "    type: notebook\n    artifacts: [a]\n    |", ["notebook_file", "query_warehouse"]),
]

# What is not offered there.
NOT_COMPLETED = [
    (ENTITY + "    type: image-repository\n    |", ["comment", "spec_file"]),
    (ENTITY + "    type: image-repository\n    meta:\n      role: |", ["true", "null"]),
    (ENTITY + "    type: service\n    comment: |", ["true", "null"]),
]

# The word under the pointer, and something that is shown of it.
SHOWN = [
    ("defini|tion_version: 2\n", "version of the format"),
    (ENTITY + "    ty|pe: image-repository\n", "container images"),
    (ENTITY + "    type: image-repository\n    iden|tifier: x\n", "entity's key is the name"),
    (ENTITY + "    type: service\n    artifacts: [a]\n    min_in|stances: 1\n", "Default: `1`"),
    (ENTITY + "    type: streamlit\n    grants:\n      - privi|lege: USAGE\n        role: r\n", "privilege"),
]


def features(server, checks):
    for text, expected in COMPLETED:
        offered = server.at("textDocument/completion", text)
        labels = [item["label"] for item in (offered or {}).get("items", [])]
        place = text.rsplit("\n", 1)[-1].strip()
        checks.that(set(expected) <= set(labels), f"{expected} are offered at {place!r}", labels)
    for text, unwanted in NOT_COMPLETED:
        offered = server.at("textDocument/completion", text)
        labels = [item["label"] for item in (offered or {}).get("items", [])]
        checks.that(not set(unwanted) & set(labels), f"{unwanted} are not offered at {text.rsplit(chr(10), 1)[-1].strip()!r}", labels)
    for text, expected in SHOWN:
        shown = server.at("textDocument/hover", text)
        value = (shown or {}).get("contents", {}).get("value", "")
        checks.that(expected in value.replace("&nbsp;", " "), f"{expected!r} is shown at {text.strip().splitlines()[-1].strip()!r}", value)


def main():
    server, checks = Server(os.environ["YLS"]), Checks()
    try:
        valid_ones(server, checks)
        invalid_ones(server, checks)
        features(server, checks)
        corpus(server, checks)
    finally:
        server.process.kill()
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
