"""Asks the official loader and snowform the same questions about several thousand definitions.

Usage: SNOWFORM_BIN=target/debug/snowform SNOW_PYTHON=/path/to/snow/bin/python python3 tests/interop/loader.py

For every entity type there is one valid definition that uses every key. It is changed in one place at a time: each
key and each item is taken away, and replaced by each of a list of values; each mapping gets a key too many. What
`snowflake.cli` makes of the result is compared with `snowform validate`. Then, for every key of every type, a template
reads it where it is not given: that compares which keys have defaults. At last the fields of the loader's models, which
of them must be there and their defaults are compared with the schema that `snowform schema definition` prints.

Every disagreement is listed, except those of DELIBERATE. The last line is `N passed, M failed`; exits with 1 where one
failed. ONLY=text runs the cases whose names hold that text, and prints both answers; FULL=1 leaves nothing out that
has been asked of another type.
"""

import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SNOWFORM = os.environ.get("SNOWFORM_BIN", "snowform")
ONLY = os.environ.get("ONLY")
FULL = os.environ.get("FULL") == "1"

# The keys that are shared by types.
META = {
    "warehouse": "wh",
    "role": "r",
    "post_deploy": [{"sql_script": "scripts/a.sql"}],
    "use_mixins": ["m"],
    "depends_on": ["other"],
    "action_arguments": {"deploy": {"force": "true"}},
}
IDENTIFIER = {"name": "n", "schema": "s", "database": "d"}
ARTIFACTS = [
    "app",
    {"src": "a", "dest": "./", "processors": ["p", {"name": "q", "properties": {"k": ["v"]}}], "ignore": ["x"]},
]
TAGS = [{"name": "cost", "value": "v"}]
EXTERNAL = {"external_access_integrations": ["i"], "secrets": {"variable": "secret"}}
REFERENCE = {"name": "n", "schema": "s", "database": "d"}

SNOWPARK = {
    "meta": META,
    "identifier": IDENTIFIER,
    "artifacts": ARTIFACTS,
    "deploy_root": "out/",
    "handler": "a.b",
    "returns": "string",
    "signature": [{"name": "a", "type": "int", "default": "1"}],
    "runtime": "3.11",
    "stage": "st",
    "artifact_repository": "repo",
    "packages": ["p"],
    "resource_constraint": {"architecture": "x86"},
    "imports": ["@s/a.zip"],
    **EXTERNAL,
}

# One valid entity for each type, with every key it has.
ENTITIES = {
    "application": {
        "meta": META,
        "identifier": IDENTIFIER,
        "from": {"target": "package"},
        "debug": "true",
        "telemetry": {"share_mandatory_events": "yes", "optional_shared_events": ["E"]},
    },
    "application package": {
        "meta": META,
        "identifier": IDENTIFIER,
        "artifacts": ARTIFACTS,
        "deploy_root": "out/",
        "bundle_root": "bundle/",
        "children_artifacts_dir": "c/",
        "generated_root": "g/",
        "stage": "s.t",
        "scratch_stage": "s.u",
        "distribution": "external",
        "manifest": "manifest.yml",
        "stage_subdirectory": "v1",
        "children": [],
        "enable_release_channels": "off",
    },
    "streamlit": {
        "meta": META,
        "identifier": IDENTIFIER,
        "artifacts": ARTIFACTS,
        "deploy_root": "out/",
        "title": "t",
        "comment": "c",
        "query_warehouse": "w",
        "main_file": "main.py",
        "pages_dir": "pages",
        "stage": "st",
        "runtime_name": "system$st_container_runtime_py3_12",
        "compute_pool": "p",
        "imports": ["@s/a.zip"],
        "grants": [{"privilege": "USAGE", "role": "r", "with_grant_option": "no"}],
        "tags": TAGS,
        **EXTERNAL,
    },
    "function": SNOWPARK,
    "procedure": {**SNOWPARK, "execute_as_caller": "true"},
    "compute-pool": {
        "meta": META,
        "identifier": IDENTIFIER,
        "min_nodes": "1",
        "max_nodes": "2",
        "instance_family": "CPU_X64_XS",
        "auto_resume": "true",
        "initially_suspended": "false",
        "auto_suspend_seconds": "60",
        "comment": "it's",
        "tags": TAGS,
    },
    "image-repository": {"meta": META, "identifier": IDENTIFIER},
    "service": {
        "meta": META,
        "identifier": IDENTIFIER,
        "artifacts": ARTIFACTS,
        "deploy_root": "out/",
        "stage": "st",
        "compute_pool": "p",
        "spec_file": "spec.yml",
        "min_instances": "1",
        "max_instances": "2",
        "auto_resume": "true",
        "auto_suspend_secs": "0",
        "query_warehouse": "w",
        "comment": "c",
        "tags": TAGS,
        **EXTERNAL,
    },
    "notebook": {
        "meta": META,
        "identifier": IDENTIFIER,
        "artifacts": ARTIFACTS,
        "deploy_root": "out/",
        "stage_path": "@s/n",
        "notebook_file": "notebook.ipynb",
        "query_warehouse": "w",
        "compute_pool": "p",
        "runtime_name": "SYSTEM$BASIC_RUNTIME",
    },
    "snowflake-app": {
        "meta": {**META, "title": "t", "description": "d", "icon": "i"},
        "identifier": IDENTIFIER,
        "artifacts": ARTIFACTS,
        "deploy_root": "out/",
        "query_warehouse": "w",
        "build_compute_pool": REFERENCE,
        "service_compute_pool": "null",
        "build_eai": "i",
        "service_eai": {"name": "i"},
        "artifact_repository": REFERENCE,
        "code_stage": {**REFERENCE, "encryption_type": "SNOWFLAKE_FULL"},
        "code_workspace": "null",
        "runtime_image": "img",
        "spcs_test_project_type": "t",
    },
}

# Further valid entities, where one cannot show every condition between keys.
VARIANTS = {
    "notebook in a warehouse": ("notebook", {"compute_pool": None, "runtime_name": None, "runtime_environment_version": "v"}),
    "function with the other name for packages": ("function", {"packages": None, "artifact_repository_packages": ["p"]}),
    "function without arguments": ("function", {"signature": ""}),
    "streamlit granted to a user": ("streamlit", {"grants": [{"privilege": "IMPORTED PRIVILEGES", "user": "a@b.c"}]}),
    "snowflake-app with code in a workspace": ("snowflake-app", {"code_stage": None, "code_workspace": "d.s.w"}),
    "snowflake-app with a workspace in parts": ("snowflake-app", {"code_stage": None, "code_workspace": REFERENCE}),
    "application package with children": (
        "application package",
        {"children": [{"target": "page", "ensure_usable_by": {"application_roles": ["r"]}, "identifier": {"schema": "s"}}]},
    ),
}

# What a value is replaced by. Everything is written in quotes, as the loader reads texts only.
VALUES = [
    "", " ", "text", "Text", "null", "my-name", "1name", "a.b", "a.b.c.d", '"q"', '"', "é", "a b", "a\\b", "/abs", "../up", "C:\\x",
    "0", "1", "-1", "+1", " 1 ", "1.0", "1.5", "1_0", "0x1", "true", "TRUE", "Yes", " true", "maybe",
    "internal", "INTERNAL", "Internal", "SYSTEM$WAREHOUSE_RUNTIME", " system$warehouse_runtime", "x.IPYNB", ".ipynb", "d/x.py",
    "*.py", "other", "package", "app", "x" * 254, "x" * 255,
    "<% ctx.env.WORD %>", "<% ctx.env.EMPTY %>", "<% ctx.env.ONE %>", "<% ctx.env.NOPE %>", "<% ctx.entities.e.type %>", "<% broken",
    [], ["x"], [""], ["x", "x"], [["x"]], [{}], {}, {"x": "y"}, {"name": "x"}, {"src": "x"}, {"x": ["y"]}, {"x": {"y": "z"}},
]

# Where the answers differ on purpose: whether the answers (refused by snow, our codes) are of this kind.
DELIBERATE = {
    "names are checked here, not at deploy": lambda snow, ours: snow is None
    and ours["errors"] <= {"invalid-name", "name-conflict", "dependency-cycle", "duplicate-object"},
    "validate reads no files but the definition": lambda snow, ours: snow is not None
    and not ours["errors"]
    and snow.startswith("Notebook file")
    and snow.endswith("does not exist"),
}

GIVEN = {"WORD": "word", "EMPTY": "", "ONE": "1"}

# What snow reads only with these is a warning here; the verdict is compared with the flags set then.
FLAGS = ["SNOWFLAKE_CLI_FEATURES_ENABLE_NATIVE_APP_CHILDREN", "SNOWFLAKE_CLI_FEATURES_ENABLE_SNOWPARK_GLOB_SUPPORT"]


def definition(entity_type, entity):
    """A definition around one entity; the others are what it refers to."""
    return {
        "definition_version": "2",
        "mixins": {"m": {}, "other": {}},
        "env": {"a": "b"},
        "entities": {
            "e": {"type": entity_type, **copy.deepcopy(entity)},
            "other": {"type": "image-repository"},
            "package": {"type": "application package", "artifacts": ["a"]},
            "page": {"type": "streamlit"},
        },
    }


def places(value, path=()):
    """The path of every value below this one, and then of the value itself."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from places(inner, (*path, step))
    yield path


def at(value, path):
    for step in path:
        value = value[step]
    return value


def mutations(base, path):
    """Every definition that differs from this one in this place, with what was done."""
    for value in VALUES:
        changed = copy.deepcopy(base)
        at(changed, path[:-1])[path[-1]] = value
        yield f"{shown(path)} = {json.dumps(value)[:60]}", changed
    changed = copy.deepcopy(base)
    del at(changed, path[:-1])[path[-1]]
    yield f"without {shown(path)}", changed
    if isinstance(at(base, path), dict):
        changed = copy.deepcopy(base)
        at(changed, path)["unknown_key"] = "x"
        yield f"{shown(path)} with a key too many", changed
    elif isinstance(at(base, path), list):
        changed = copy.deepcopy(base)
        at(changed, path).append("x")
        yield f"{shown(path)} with an item more", changed


def shown(path):
    return ".".join(str(step) for step in path)


def cases():
    frame = definition("image-repository", ENTITIES["image-repository"])
    for path in places(frame):
        if path and path[0] != "entities" or path == ("entities",):
            yield from named("frame", mutations(frame, path))
    bare = {"definition_version": "2", "mixins": {"m": {"stage": "s"}}, "env": {"a": "b"}}
    for path in places(bare):
        if path:
            yield from named("without entities", mutations(bare, path))
    seen = set()
    for entity_type, entity in ENTITIES.items():
        base = definition(entity_type, entity)
        yield entity_type, base
        for path in places(base):
            if path[:2] != ("entities", "e"):
                continue
            # What stands inside of a key that several types share is changed once. Only functions and procedures
            # look into their artifacts.
            inside = (path[2:], json.dumps(entity[path[2]]), "handler" in entity) if len(path) > 3 else None
            if inside and inside in seen and not FULL:
                continue
            seen.add(inside)
            yield from named(entity_type, mutations(base, path))
    for variant, (entity_type, changes) in VARIANTS.items():
        merged = {**ENTITIES[entity_type], **changes}
        base = definition(entity_type, {key: value for key, value in merged.items() if value is not None})
        yield variant, base
        for path in places(base):
            if path[:2] == ("entities", "e") and len(path) > 2 and path[2] in changes:
                yield from named(variant, mutations(base, path))
    yield from defaults()
    yield from mixins()


def named(prefix, changes):
    return ((f"{prefix}: {name}", changed) for name, changed in changes)


def defaults():
    """A template that reads a key of an entity with nothing but what it must have, or with its compute pool."""
    every_key = {key for entity in ENTITIES.values() for key in entity} | {"artifact_repository_packages", "runtime_environment_version"}
    for entity_type in ENTITIES:
        for with_pool in (False, True):
            for key in sorted(every_key):
                entity = least(entity_type)
                if with_pool:
                    entity["compute_pool"] = "p"
                base = definition(entity_type, entity)
                base["entities"]["page"]["title"] = f"<% ctx.entities.e.{key} %>"
                yield f"{entity_type}: default of {key}{' beside a pool' if with_pool else ''}", base


def least(entity_type):
    must = {"from", "artifacts", "handler", "returns", "signature", "stage", "notebook_file", "query_warehouse"}
    if entity_type not in ("function", "procedure", "notebook"):
        must -= {"stage", "query_warehouse"}
    if entity_type == "streamlit":
        must -= {"artifacts"}
    entity = {key: value for key, value in ENTITIES[entity_type].items() if key in must}
    return {**entity, "meta": {"role": "r"}}


def mixins():
    """Each key of each type, given by a mixin."""
    for entity_type, entity in ENTITIES.items():
        for key, value in entity.items():
            if key == "meta":
                continue
            rest = {name: inner for name, inner in entity.items() if name != key}
            base = definition(entity_type, rest)
            base["mixins"]["m"] = {key: value}
            yield f"{entity_type}: {key} from a mixin", base


def yaml_text(value, indent=""):
    """A value as YAML whose scalars are all in quotes."""
    if isinstance(value, str):
        return " " + json.dumps(value, ensure_ascii=False) + "\n"
    if not value:
        return (" {}" if isinstance(value, dict) else " []") + "\n"
    if isinstance(value, dict):
        lines = (f"{indent}{json.dumps(key)}:{yaml_text(inner, indent + '  ')}" for key, inner in value.items())
    else:
        lines = (f"{indent}-{yaml_text(inner, indent + '  ')}" for inner in value)
    return "\n" + "".join(lines)


def notebooks(base):
    """The files that must be there for a definition not to fail for want of them."""
    names = {"notebook.ipynb"}
    entities = base.get("entities")
    entity = entities.get("e") if isinstance(entities, dict) else None
    written = entity.get("notebook_file") if isinstance(entity, dict) else None
    if isinstance(written, str) and written.strip() and len(written) < 200 and not written.startswith(("/", "..")):
        names.add(written)
    return names


def loader_says(folder, flags=False):
    """Nothing where the official loader accepts it, else its message."""
    from snowflake.cli.api.project.definition import load_project

    os.chdir(folder)
    for flag in FLAGS:
        os.environ[flag] = str(flags).lower()
    try:
        load_project([pathlib.Path("snowflake.yml")])
    except RecursionError:
        raise
    except Exception as error:  # The loader also fails with exceptions of any kind.
        return str(getattr(error, "message", error)).rsplit("Value error, ", 1)[-1].rstrip(".\n") or type(error).__name__
    return None


def snowform_says(folder):
    run = subprocess.run(
        [SNOWFORM, "validate", "--format", "json"], cwd=folder, env=os.environ, capture_output=True, text=True, check=False
    )
    answer = json.loads(run.stdout)
    by = lambda severity: {found["code"] for found in answer["diagnostics"] if found["severity"] == severity}
    errors = by("error")
    assert (run.returncode == 0) == (not errors) == answer["valid"], run
    return {"errors": errors, "warnings": by("warning"), "diagnostics": answer["diagnostics"]}


def compare(name, base, folder):
    """What is wrong with our answer to a case, if anything, and the reason for an allowed difference."""
    pathlib.Path(folder, "snowflake.yml").write_text(yaml_text(base).lstrip("\n"), encoding="utf-8")
    for file in notebooks(base):
        path = pathlib.Path(folder, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    snow, ours = loader_says(folder), snowform_says(folder)
    if "feature-flag" in ours["warnings"]:
        if snow is None:
            return f"{name}\n  snow: accepts it without a feature flag\n  ours: asks for one", None
        snow = loader_says(folder, flags=True)
    if ONLY:
        print(name, "\n  snow:", snow, "\n  ours:", [(d["code"], d["message"]) for d in ours["diagnostics"]])
    if (snow is None) == (not ours["errors"]):
        return None, None
    for reason, allowed in DELIBERATE.items():
        if allowed(snow, ours):
            return None, reason
    messages = [f"{d['code']}: {d['message']}" for d in ours["diagnostics"]]
    return f"{name}\n  snow: {snow or 'accepts it'}\n  ours: {messages or 'accepts it'}", None


def tables():
    """For each type: its keys, which must be there, and their defaults, as the loader's models and as our schema say."""
    from snowflake.cli.api.project.schemas.entities.entities import v2_entity_model_types_map

    run = subprocess.run([SNOWFORM, "schema", "definition"], capture_output=True, text=True, check=True)
    definitions = json.loads(run.stdout)["definitions"]
    for entity_type, model in v2_entity_model_types_map.items():
        ours = definitions[f"entity-{entity_type.replace(' ', '-')}"]
        rows = {
            name: definitions[row["$ref"].rsplit("/", 1)[1]] if "$ref" in row else row
            for name, row in ours["properties"].items()
            if row is not True and not row.get("doNotSuggest")
        }
        fields = {field.alias or name: field for name, field in model.model_fields.items() if name != "type"}
        scalar = lambda value: isinstance(value, (bool, int, str)) and value != ""
        yield f"{entity_type}: its keys", set(fields), set(rows)
        must = {name for name, field in fields.items() if field.is_required()}
        yield f"{entity_type}: what must be there", must, set(ours.get("then", {}).get("required", []))
        defaults = {name: field.default for name, field in fields.items() if scalar(field.default)}
        yield f"{entity_type}: defaults", defaults, {name: row["default"] for name, row in rows.items() if "default" in row}


def main():
    if "SNOW_PYTHON" in os.environ and os.environ.get("SNOWFORM_INTEROP") != "1":
        environment = {"PATH": os.environ.get("PATH", ""), "SNOWFORM_INTEROP": "1", **GIVEN}
        environment |= {key: os.environ[key] for key in ("SNOWFORM_BIN", "ONLY", "FULL") if key in os.environ}
        environment["SNOWFORM_BIN"] = str(pathlib.Path(environment.get("SNOWFORM_BIN", "snowform")).resolve())
        with tempfile.TemporaryDirectory() as home:
            environment |= {"HOME": home, "SNOWFLAKE_HOME": home, "USER": "tester"}
            run = subprocess.run([os.environ["SNOW_PYTHON"], os.path.abspath(__file__)], env=environment, check=False)
        return run.returncode
    passed, failures, allowed = 0, [], {}
    for name, theirs, ours in tables():
        if theirs == ours:
            passed += 1
        else:
            failures.append(f"{name}\n  snow: {theirs}\n  ours: {ours}")
    for name, base in cases():
        if ONLY and ONLY not in name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            wrong, reason = compare(name, base, folder)
            os.chdir("/")
        if wrong:
            failures.append(wrong)
        else:
            passed += 1
        if reason:
            allowed[reason] = allowed.get(reason, 0) + 1
    for failure in failures:
        print(failure)
    for reason, count in allowed.items():
        print(f"{count} differ on purpose: {reason}")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
