"""The words of the policy language, as policy-language.md lists them, and the catalogue's events.

Typed off the specification, and not made from vocabulary.c: this is the other side of the test.
"""

import os

PATH, REGISTRY, MODULE, TEXT, WORD, HOST, ADDRESS = "path", "registry", "module", "text", "word", "host", "address"
INT, SIGNAL, BOOL, LIST, MAP, VERSION, ANY = "int", "signal", "bool", "list", "map", "version", "any"

# "Operation classes": the attributes of each, the main one first.
CLASSES = {
    "exec": ["file", "argv", "cwd", "env", "shell", "interpreter"],
    "fork": [],
    "signal": ["target", "pid", "signal", "action"],
    "read": ["path"],
    "write": ["path", "action"],
    "connect": ["address", "port", "host", "family", "path"],
    "bind": ["address", "port", "family", "path"],
    "socket": ["family", "kind", "protocol"],
    "resolve": ["host"],
    "import": ["module"],
    "native": ["path", "module", "name"],
    "ffi": ["name", "symbol"],
    "code": ["name", "file"],
    "pickle": ["module", "name"],
    "introspect": ["name"],
    "hook": ["name"],
    "run": ["how", "path", "module"],
    "environ": ["name"],
    "control": ["name", "request"],
    "thread": [],
    "registry": ["path", "action"],
    "other": ["name"],
}
COMMON = ["event", "arg", "user", "group", "label", "script"]  # every class has them
SELECTORS = ["user", "group", "exe", "unit", "label", "platform", "python", "script"]

TYPES = {
    "file": PATH, "argv": LIST, "cwd": PATH, "env": MAP, "shell": BOOL, "interpreter": PATH,
    "target": WORD, "pid": INT, "signal": SIGNAL, "action": WORD, "path": PATH, "address": ADDRESS,
    "port": INT, "host": HOST, "family": WORD, "kind": WORD, "protocol": INT, "module": MODULE,
    "name": TEXT, "symbol": TEXT, "request": INT, "how": WORD, "event": TEXT, "arg": ANY,
    "user": TEXT, "group": LIST, "label": TEXT, "script": PATH, "exe": PATH, "unit": TEXT,
    "platform": WORD, "python": VERSION,
}

FAMILIES = ["unix", "inet", "inet6", "pipe", "netlink", "packet", "other"]
WORDS = {
    ("signal", "target"): ["self", "child", "group", "other"],
    ("signal", "action"): ["signal", "terminate", "open", "limit", "trace"],
    ("write", "action"): ["open", "create", "remove", "rename", "mkdir", "rmdir", "link", "symlink", "chmod",
                          "chown", "truncate", "utime", "xattr", "flags", "socket"],
    ("connect", "family"): FAMILIES,
    ("bind", "family"): FAMILIES,
    ("socket", "family"): FAMILIES,
    ("socket", "kind"): ["stream", "dgram", "raw", "seqpacket", "other"],
    ("run", "how"): ["command", "file", "module", "stdin", "interactive", "startup"],
    ("registry", "action"): ["read", "write", "create", "delete"],
}
PLATFORMS = ["linux", "windows"]
PLACES = ["python", "venv", "home", "start", "temp", "null"]
TIERS = ["mandatory", "local", "vendor"]  # the highest first

SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "SEGV": 11, "TERM": 15, "CHLD": 17}  # signal(7)


def words_of(classes, attribute):
    """What the attribute can be in operations of these classes."""
    words = []
    for name in classes:
        words += [word for word in WORDS.get((name, attribute), []) if word not in words]
    return words


class Event:
    """One of the catalogue."""

    def __init__(self, name, arguments, forwarded):
        self.name = name
        self.arguments = arguments
        self.forwarded = forwarded
        self.classes = set()
        self.is_raised = True
        self.has_veto = True


def rows(path):
    with open(path, encoding="utf-8") as table:
        columns = table.readline().rstrip("\n").split("\t")
        for line in table:
            if line.strip():
                yield dict(zip(columns, line.rstrip("\n").split("\t")))


def read_catalogue():
    """Events by name, from the tables that the specification names."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "policies", "catalogue")
    events = {}
    for row in rows(os.path.join(folder, "audit-events.tsv")):
        arguments = [] if row["args"] == "-" else row["args"].split(",")
        forwarded = len(arguments) if row["forwarded"] == "all" else int(row["forwarded"])
        event = events[row["event"]] = Event(row["event"], arguments, forwarded)
        event.is_raised = row["platforms"] != "none"
        event.has_veto = row["veto"] != "never"
    for row in rows(os.path.join(folder, "event-operations.tsv")):
        if row["operation"] != "-":
            events[row["event"]].classes.add(row["operation"])
    return events


CATALOGUE = read_catalogue()
