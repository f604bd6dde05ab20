"""What the record of a trigger script must hold: expected.tsv, read and compared.

    rows = read(directory)
    row = find(rows, "os.chmod", (3, 11))         None: no script of this event there
    why = mismatch(row.arguments, recorded)       None: it fits

`recorded` is the "arguments" object of one record. README.md describes the notation.
"""

import json
import re
from pathlib import Path
from urllib.parse import quote


class Expectation:
    def __init__(self, event, versions, arguments, note):
        self.event = event
        self.first, self.last = versions  # minor versions of CPython 3; last is None: still there
        self.arguments = arguments
        self.note = note

    def holds_on(self, version):
        return self.first <= version[1] and (self.last is None or version[1] <= self.last)


def script_name(event):
    return quote(event, safe="()") + ".py"


def read_versions(text):
    first, _, last = text.partition("-")
    return int(first.split(".")[1]), int(last.split(".")[1]) if last else None


def read(directory):
    lines = (Path(directory) / "expected.tsv").read_text(encoding="utf-8").splitlines()
    rows = []
    for line in lines[1:]:
        event, versions, arguments, note = line.split("\t")
        rows.append(Expectation(event, read_versions(versions), json.loads(arguments), note))
    return rows


def find(rows, event, version):
    """The one row of the event that holds on the version (3, minor, ...)."""
    found = [row for row in rows if row.event == event and row.holds_on(version)]
    assert len(found) <= 1, f"{event}: two rows hold on {version}"
    return found[0] if found else None


def is_int(value):
    """One of 64 bits is written as such, a larger one by its digits."""
    return isinstance(value, int) and not isinstance(value, bool) or isinstance(value, dict) and set(value) == {"int"}


# One function for each notation that is no literal: does the recorded value fit?
NOTATION = {
    "any": lambda _, value: True,
    "integer": lambda _, value: is_int(value),
    "list": lambda _, value: isinstance(value, list),
    "matches": lambda regex, value: isinstance(value, str) and re.fullmatch(regex, value) is not None,
    "one of": lambda choices, value: any(fits(choice, value) for choice in choices),
    "object": lambda name, value: isinstance(value, dict) and set(value) == {"object"}
    and value["object"].rpartition(".")[2] == name,
}


def fits(expected, value):
    if isinstance(expected, dict):
        for word, test in NOTATION.items():
            if word in expected:
                return test(expected[word], value)
        if expected == {"bytes": "any"}:
            return isinstance(value, dict) and set(value) == {"bytes"}
        if "secret" in expected:
            return isinstance(value, dict) and all(value.get(key) == expected[key] for key in expected)
        return value == expected
    if isinstance(expected, list):
        return (isinstance(value, list) and len(value) == len(expected)
                and all(fits(item, other) for item, other in zip(expected, value)))
    # 0 is not False and 1 is not True, although Python says so.
    return type(value) is type(expected) and value == expected


def without_class_names(expected):
    """The same where a class that Python code can change goes by no name: in a free-threaded build."""
    if isinstance(expected, list):
        return [without_class_names(item) for item in expected]
    if not isinstance(expected, dict):
        return expected
    if set(expected) == {"object"}:
        return {"one of": [expected, {"object": "object"}]}
    return {name: without_class_names(value) for name, value in expected.items()}


def mismatch(expected, recorded):
    """Why the recorded arguments are not the expected ones, in words; None if they are."""
    for name in expected:
        if name not in recorded:
            return f"{name} is not recorded"
    for name, value in recorded.items():
        if name not in expected:
            return f"{name} is recorded, and nobody expected it"
        if not fits(expected[name], value):
            return f"{name}: expected {json.dumps(expected[name])}, recorded {json.dumps(value)}"
    return None
