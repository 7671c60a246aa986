"""Compares the connections that `snow connection list` shows with those that snowform shows.

Usage: SNOWFORM_BIN=target/debug/snowform SNOW_BIN=snow python3 tests/interop/connections.py

Both programs run in the same fresh home directory with the same files and variables, once for every case
below and once for each of a number of generated ones. Compared are the names, which one is the default, and
the values of every parameter that both know; where a value came from is snowform's own and not compared.
Exits with 1 and the first differences where there are any.
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

SNOWFORM = os.environ["SNOWFORM_BIN"]
SNOW = os.environ["SNOW_BIN"]
GENERATED = int(os.environ.get("CASES", "20"))
NAMES = ["dev", "dev_eu", "Prod", "default"]
KEYS = ["account", "user", "password", "host", "port", "database", "schema", "role", "region", "token"]

# Each case: config.toml, connections.toml (or None), variables.
CASES = [
    ('default_connection_name = "dev"\n[connections.dev]\naccount = "a"\nport = 443\n', None, {}),
    ('[connections.dev]\naccount = "a"\n', '[two]\naccount = "t"\npassword = "p"\n', {}),
    ('[connections.dev]\nuser = "u"\n', None, {"SNOWFLAKE_CONNECTIONS_DEV_USER": "v", "SNOWFLAKE_USER": "w"}),
    ('[connections.dev]\n[connections.dev_eu]\n', None, {"SNOWFLAKE_CONNECTIONS_DEV_EU_ROLE": "r"}),
    ('[connections.dev]\n', None, {"SNOWFLAKE_CONNECTIONS": '[one]\naccount = "o"\n', "SNOWFLAKE_CONNECTIONS_ONE_USER": "x"}),
    ('[connections.dev]\n[connections.default]\n', None, {"SNOWFLAKE_DEFAULT_CONNECTION_NAME": "dev"}),
    ('[connections.dev]\nprivate_key_file_pwd = "p"\nunknown = 1\n', None, {}),
]


def generated(seed):
    """A random case; the same for the same seed."""
    rng = random.Random(seed)

    def sections(prefix):
        text = ""
        for name in NAMES:
            if rng.random() < 0.6:
                text += f"[{prefix}{name}]\n"
                text += "".join(f'{key} = "file-{key}"\n' for key in KEYS if rng.random() < 0.4)
        return text

    config = (f'default_connection_name = "{rng.choice(NAMES)}"\n' if rng.random() < 0.5 else "") + sections("connections.")
    connections = sections("") if rng.random() < 0.3 else None
    variables = {
        f"SNOWFLAKE_CONNECTIONS_{name.upper()}_{key.upper()}": f"env-{key}"
        for name in NAMES
        for key in KEYS
        if rng.random() < 0.1
    }
    return config, connections, variables


def shown(program, environment):
    """The connections that a program lists: name to (is default, parameters)."""
    command = [program, "connection", "list", "--format", "json"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        return f"exit code {run.returncode}: {run.stderr.strip()}"
    return {
        entry["connection_name"]: (
            entry["is_default"],
            # snowform may wrap a value together with its origin.
            {key: value["value"] if isinstance(value, dict) else value for key, value in entry["parameters"].items()},
        )
        for entry in json.loads(run.stdout)
    }


def differs(case):
    """What the two programs say of a case, where it is not the same."""
    config, connections, variables = case
    with tempfile.TemporaryDirectory() as home:
        directory = pathlib.Path(home, ".snowflake")
        directory.mkdir()
        for name, text in (("config.toml", config), ("connections.toml", connections)):
            if text is not None:
                path = directory / name
                path.touch(mode=0o600)
                path.write_text(text)
        environment = {"HOME": home, "PATH": os.environ["PATH"], **variables}
        theirs, ours = shown(SNOW, environment), shown(SNOWFORM, environment)
    return None if theirs == ours else (theirs, ours)


def main():
    cases = CASES + [generated(seed) for seed in range(GENERATED)]
    for case in cases:
        difference = differs(case)
        if difference:
            print("for", json.dumps(case), "snow says", difference[0], "and snowform says", difference[1], sep="\n")
            return 1
    print(f"{len(cases)} cases, no difference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
