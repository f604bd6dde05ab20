#!/usr/bin/env python3
"""Checks expected.tsv against interpreters, without Warder: a hook in Python looks at each script.

    observe.py PYTHON...

Each script runs under each interpreter with a sitecustomize that adds an audit hook and writes what
it sees in the form of a record. Events that such a hook cannot see are listed as not seen here.
Needed when a new CPython is added, or a script changes; no part of the tests.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import expectation  # noqa: E402

TRIGGERS = Path(__file__).resolve().parent.parent
CATALOGUE = TRIGGERS.parent.parent / "policies" / "catalogue" / "audit-events.tsv"
NATIVE_ONLY = {"cpython._PySys_ClearAuditHooks"}

SITECUSTOMIZE = '''
import json, os, sys

def form(value):
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind in (bytes, bytearray):
        return {"bytes": bytes(value).hex()}
    if kind in (list, tuple):
        return [form(item) for item in value]
    if kind is dict:
        return {str(key): form(item) for key, item in value.items()}
    return {"object": kind.__name__}

def secret(value):
    kind = type(value)
    if value is None:
        return None
    for types, name in (((bytes, bytearray), "bytes"), ((str,), "text"), ((list, tuple), "list"),
                        ((dict,), "map"), ((bool,), "bool"), ((int,), "int")):
        if kind in types:
            return {"secret": name, "length": len(value) if name not in ("bool", "int") else 0}
    return {"secret": "object", "length": 0}

def install():
    wanted, names, secrets, forwarded = json.loads(os.environ["OBSERVE"])
    output = os.open(os.environ["OBSERVE_OUTPUT"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    dumps, write = json.dumps, os.write
    busy = []
    def hook(event, arguments):
        if event != wanted or busy:
            return
        if not arguments:  # also while the interpreter ends and has forgotten its own names
            write(output, b"{}\\n")
            return
        busy.append(True)
        try:
            seen = {}
            for number, value in enumerate(tuple(arguments)[:forwarded]):
                seen[names[number]] = secret(value) if names[number] in secrets else form(value)
            write(output, (dumps(seen) + "\\\\n").encode())
        finally:
            busy.pop()
    sys.addaudithook(hook)

if "OBSERVE" in os.environ:
    install()
'''.replace("\\\\n", "\\n")


def read_catalogue():
    lines = CATALOGUE.read_text(encoding="utf-8").splitlines()
    columns = lines[0].split("\t")
    events = {}
    for line in lines[1:]:
        row = dict(zip(columns, line.split("\t")))
        arguments = [] if row["args"] == "-" else row["args"].split(",")
        forwarded = len(arguments) if row["forwarded"] == "all" else int(row["forwarded"])
        events[row["event"]] = (arguments, row["secret"].split(","), forwarded)
    return events


def observe(python, event, site):
    arguments, secrets, forwarded = read_catalogue()[event]
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "seen"
        work = Path(directory) / "work"
        work.mkdir()
        environment = dict(os.environ, PYTHONPATH=site, PYTHONDONTWRITEBYTECODE="1",
                           OBSERVE=json.dumps([event, arguments, secrets, forwarded]),
                           OBSERVE_OUTPUT=str(output))
        done = subprocess.run([python, str(TRIGGERS / expectation.script_name(event))], cwd=work,
                              env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)
        seen = output.read_text().splitlines() if output.exists() else []
    return done.returncode, [json.loads(line) for line in seen]


def check(python, site, rows):
    version = tuple(json.loads(subprocess.check_output(
        [python, "-c", "import json, sys; print(json.dumps(list(sys.version_info[:3])))"])))
    failures = 0
    not_here = []
    for event in sorted({row.event for row in rows}):
        row = expectation.find(rows, event, version)
        status, seen = observe(python, event, site)
        if status == 77:
            not_here.append(event)
            if row and row.note == "-":
                print(f"{python}: {event}: expected, but not on this version")
                failures += 1
            continue
        if event in NATIVE_ONLY:
            continue
        reasons = [expectation.mismatch(row.arguments, one) for one in seen] if row else []
        if status != 0 or None not in reasons:
            last = reasons[-1] if reasons else "never raised" if row else "no row for this version"
            print(f"{python}: {event}: status {status}: {last}")
            failures += 1
    print(f"{python}: {version[0]}.{version[1]}.{version[2]}: {failures} wrong, "
          f"{len(not_here)} not here: {', '.join(not_here)}")
    return failures


def main(pythons):
    rows = expectation.read(TRIGGERS)
    with tempfile.TemporaryDirectory() as site:
        (Path(site) / "sitecustomize.py").write_text(SITECUSTOMIZE)
        return sum(check(python, site, rows) for python in pythons)


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
