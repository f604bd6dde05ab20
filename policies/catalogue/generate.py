#!/usr/bin/env python3
"""Makes the catalogue's C tables out of its text tables.

    generate.py DIRECTORY OUTPUT.c

DIRECTORY holds audit-events.tsv, event-operations.tsv and presence.tsv; README.md there describes
their columns. Whatever is wrong in them stops the build with FILE:LINE: what.
"""

import re
import sys
from pathlib import Path

VETO = {"raises": "VETO_RAISES", "swallowed": "VETO_SWALLOWED", "ends": "VETO_ENDS", "never": "VETO_NEVER"}
PLATFORMS = {
    "all": "PLATFORM_LINUX | PLATFORM_WINDOWS | PLATFORM_OTHER",
    "posix": "PLATFORM_LINUX | PLATFORM_OTHER",
    "linux": "PLATFORM_LINUX",
    "windows": "PLATFORM_WINDOWS",
    "macos": "PLATFORM_OTHER",
    "none": "0",
}
# The words of event-operations.tsv and how many arguments of the event each takes. Their meaning is
# in README.md; mapping.h has the same words, and the build fails where one is missing.
CONDITIONS = {
    "always": (0, 0), "given": (1, 1), "true": (1, 1), "descriptor": (1, 1), "reading": (3, 3),
    "writing": (3, 3), "on_file": (1, 1), "on_disk": (1, 1), "by_uri": (1, 1), "linked": (1, 2), "steering": (1, 1),
    "unsuffixed": (1, 1), "own_process": (1, 1), "other_process": (1, 1), "looked_up": (1, 1), "address_looked_up": (2, 2),
    "unix_path": (2, 2), "log_opened": (1, 1), "file_reading": (2, 2), "file_writing": (3, 3), "pipe": (1, 1),
    "key_reading": (1, 1), "key_writing": (1, 1),
}
SOURCES = {
    "true": (0, 0), "unknown": (0, 0), "event": (0, 0), "text": (1, 1), "first_text": (1, 1),
    "integer": (1, 1), "negative": (1, 1), "relation": (1, 1), "group_relation": (1, 1),
    "limit_name": (1, 1), "ioctl_request": (2, 2), "fcntl_request": (2, 2), "path": (1, 2), "entry": (1, 2), "path_or_directory": (1, 1),
    "opened": (3, 3), "database": (1, 1), "uri_path": (1, 1), "library": (1, 1), "library_with_suffix": (1, 1),
    "library_name": (1, 1), "said_file": (1, 1), "code_file": (1, 1), "popen_program": (3, 3),
    "spawned_program": (1, 1), "searched_program": (1, 1), "listed_program": (1, 1),
    "system_shell": (0, 0), "process_program": (1, 1), "started_program": (1, 1), "arguments": (1, 1),
    "system_arguments": (1, 1), "joined_arguments": (1, 1), "caller_directory": (0, 0),
    "directory": (1, 1), "environment": (1, 1), "process_environment": (0, 0), "is_shell": (0, 0),
    "opened_program": (2, 2), "opened_library": (2, 2),
    "family_name": (1, 1), "kind_name": (1, 1), "protocol": (1, 1), "family": (2, 2),
    "address": (2, 2), "peer": (2, 2), "port": (2, 2), "host": (2, 2), "socket_path": (2, 2), "socket_entry": (2, 2), "log_socket": (0, 0),
    "created_file": (1, 1), "pipe_name": (1, 1), "computer": (1, 1), "key": (1, 2),
}
OPERANDS = 3  # MAPPING_OPERANDS_MAX
WORD = re.compile(r"(\w+)(?:\(([^()]*)\))?")
OPERAND = re.compile(r'arg\.(?:(\w+)|"([^"]*)")')
ATTRIBUTE = re.compile(r'(\w+)=(?:"([^"\\]*)"|(\w+(?:\([^()]*\))?))')

SLOTS = 512  # of the hash table: a power of two, more than twice the events
SECRET_BITS = 32  # of struct event_entry's `secret`


class Wrong(Exception):
    """A fault in a table: the message is for whoever edits it."""


class Row(dict):
    """One line of a table, by column name."""

    def __init__(self, path, line, columns, fields):
        super().__init__(zip(columns, fields))
        self.where = f"{path}:{line}"

    def wrong(self, what):
        return Wrong(f"{self.where}: {what}")


def read_table(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    columns = lines[0].split("\t")
    rows = []
    for number, line in enumerate(lines[1:], 2):
        if not line:
            continue
        fields = line.split("\t")
        if len(fields) != len(columns):
            raise Wrong(f"{path}:{number}: {len(fields)} fields where {len(columns)} columns are named")
        rows.append(Row(path, number, columns, fields))
    return rows


def names(field):
    return [] if field == "-" else field.split(",")


def minor(row, column):
    """3.9 -> 9, - -> 0."""
    text = row[column]
    if text == "-":
        return 0
    parts = text.split(".")
    if parts[0] != "3" or not all(part.isdigit() for part in parts) or len(parts) not in (2, 3):
        raise row.wrong(f"{column}: {text!r} is no version of CPython 3")
    value = int(parts[1])
    # Gone in the middle of a series: the next series is the first that never had it.
    if column == "removed" and len(parts) == 3 and parts[2] != "0":
        value += 1
    return value


class Event:
    def __init__(self, row):
        self.row = row
        self.name = row["event"]
        self.arguments = names(row["args"])
        self.rules = []
        if len(self.arguments) > SECRET_BITS:
            raise row.wrong("more arguments than `secret` has bits")
        if len(set(self.arguments)) != len(self.arguments):
            raise row.wrong("two arguments of one name")

        self.number = int(row["number"])
        self.since = minor(row, "since")
        self.removed = minor(row, "removed")
        self.forwarded = len(self.arguments) if row["forwarded"] == "all" else int(row["forwarded"])
        if self.forwarded > len(self.arguments):
            raise row.wrong("forwards more arguments than there are")

        self.secret = 0
        for name in names(row["secret"]):
            if name not in self.arguments:
                raise row.wrong(f"secret argument {name!r} is none of {row['args']}")
            self.secret |= 1 << self.arguments.index(name)
        for column, words in (("veto", VETO), ("platforms", PLATFORMS)):
            if row[column] not in words:
                raise row.wrong(f"{column}: {row[column]!r} is none of {', '.join(words)}")


def read_events(directory):
    events = [Event(row) for row in read_table(directory / "audit-events.tsv")]
    by_name = {}
    for number, event in enumerate(events, 1):
        if event.number != number:
            raise event.row.wrong(f"event number {event.number} where {number} is next: numbers are a "
                                  "contract, new events go to the end")
        if event.name in by_name:
            raise event.row.wrong(f"{event.name} is already in the table")
        by_name[event.name] = event
    for event in events:
        instead = event.row["instead"]
        if instead != "-" and instead not in by_name:
            raise event.row.wrong(f"instead: there is no event {instead}")
    return events, by_name


def check_presence(directory, by_name):
    """presence.tsv is what was seen version by version; since and removed must say the same."""
    seen = set()
    for row in read_table(directory / "presence.tsv"):
        event = by_name.get(row["event"])
        if not event:
            raise row.wrong(f"{row['event']} is not in audit-events.tsv")
        seen.add(event.name)
        for column, answer in row.items():
            if column == "event" or event.row["platforms"] == "none":
                continue
            version = int(column.split(".")[1])
            present = event.since <= version and (not event.removed or version < event.removed)
            if event.since == 0:
                present = False  # no CPython's: the hook's own, at the C boundary
            if event.row["removed"] == "3.8.3":
                present = False  # its three releases are older than those that were looked at
            if (answer == "yes") != present:
                raise row.wrong(f"{answer} for {column}, but since and removed say otherwise")
    missing = sorted(set(by_name) - seen)
    if missing:
        raise Wrong(f"{directory / 'presence.tsv'}: nothing about {', '.join(missing)}")


def split(field):
    """At blanks outside parentheses and strings."""
    return re.findall(r'(?:\([^()]*\)|"[^"]*"|[^\s("])+', field)


class Word:
    """A word of the table with its arguments: path(arg.path, arg.dir_fd)."""

    def __init__(self, row, event, item, known):
        match = WORD.fullmatch(item)
        if not match or match[1] not in known:
            raise row.wrong(f"{item!r} is no word of {', '.join(known)}")
        self.name = match[1]
        self.operands = []
        for operand in match[2].split(",") if match[2] is not None else []:
            named = OPERAND.fullmatch(operand.strip())
            argument = named and (named[1] or named[2])
            if argument not in event.arguments:
                raise row.wrong(f"{item}: {operand.strip()!r} is no argument of {event.name}")
            number = event.arguments.index(argument)
            if number >= event.forwarded:
                raise row.wrong(f"{item}: {argument} is not forwarded")
            self.operands.append(number)
        least, most = known[self.name]
        if not least <= len(self.operands) <= most:
            many = str(least) if least == most else f"{least} or {most}"
            raise row.wrong(f"{item}: {self.name} takes {many} arguments")

    def initialiser(self):
        padded = [str(number) for number in self.operands]
        padded += ["MAPPING_NO_OPERAND"] * (OPERANDS - len(padded))
        return "{" + ", ".join(padded) + "}"


class Rule:
    """One row of event-operations.tsv that is an operation."""

    def __init__(self, row, event, classes, order):
        self.operation = row["operation"]
        if self.operation not in classes:
            raise row.wrong(f"{self.operation!r} is no class of {', '.join(classes)}")
        self.conditions = [Word(row, event, item, CONDITIONS) for item in split(row["when"])]
        if not self.conditions:
            raise row.wrong("when: say `always` where there is no condition")
        self.attributes = []
        for item in split(row["attributes"]) if row["attributes"] != "-" else []:
            match = ATTRIBUTE.fullmatch(item)
            if not match or match[1] not in order:
                raise row.wrong(f"{item!r} is no ATTRIBUTE=SOURCE")
            if match[1] in (name for name, _, _ in self.attributes):
                raise row.wrong(f"{match[1]} twice")
            word = Word(row, event, match[3], SOURCES) if match[3] else None
            self.attributes.append((match[1], match[2], word))
        self.attributes.sort(key=lambda attribute: order[attribute[0]])


def read_enum(header, name, prefix):
    """The constants of an enum with their places, in lower case: the order of enum attribute_name is
    that of the attributes of an operation."""
    body = re.search(rf"enum {name} \{{(.*?)\}};", header.read_text(encoding="utf-8"), re.S)
    found = re.findall(rf"^\s*{prefix}_(\w+)", body[1], re.M) if body else []
    if not found:
        raise Wrong(f"{header}: enum {name} is not there")
    return {constant.lower(): position for position, constant in enumerate(found)
            if constant not in ("NONE", "COUNT")}


def read_operations(directory, by_name):
    vocabulary = directory.resolve().parent / "engine" / "vocabulary.h"
    classes = read_enum(vocabulary, "operation_class", "CLASS")
    order = read_enum(vocabulary, "attribute_name", "ATTRIBUTE")
    mapped = set()
    for row in read_table(directory / "event-operations.tsv"):
        event = by_name.get(row["event"])
        if not event:
            raise row.wrong(f"{row['event']} is not in audit-events.tsv")
        if row["operation"] != "-":
            event.rules.append(Rule(row, event, classes, order))
        elif event.name in mapped:
            raise row.wrong(f"{event.name} is no operation here and one above")
        mapped.add(event.name)
    missing = sorted(set(by_name) - mapped)
    if missing:
        raise Wrong(f"{directory / 'event-operations.tsv'}: nothing about {', '.join(missing)}")


def text(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def hash_name(name, seed):
    """FNV-1a, 32 bits, from a chosen seed: the same as in catalogue.c."""
    value = seed
    for byte in name.encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value ^ (value >> 15)


def place(events, seed):
    slots, probes = [0] * SLOTS, 1
    for event in events:
        slot, probe = hash_name(event.name, seed), 1
        while slots[slot % SLOTS]:
            slot, probe = slot + 1, probe + 1
        slots[slot % SLOTS] = event.number
        probes = max(probes, probe)
    return probes, slots


def write_hash(events, out):
    """Tries seeds until every name is found in a few steps; always the same seed for the same names."""
    best = min((place(events, seed) + (seed,) for seed in range(1, 400)), key=lambda found: found[0])
    probes, slots, seed = best
    out.append(f"const uint32_t catalogue_seed = {seed};")
    out.append(f"const uint32_t catalogue_probe_count = {probes};")
    out.append(f"const uint32_t catalogue_slot_mask = {SLOTS - 1};")
    out.append(f"const uint32_t catalogue_longest_name = {max(len(e.name.encode()) for e in events)};")
    out.append(f"const uint16_t catalogue_slots[{SLOTS}] = {{")
    for start in range(0, SLOTS, 16):
        out.append("    " + " ".join(f"{number}," for number in slots[start:start + 16]))
    out.append("};")


def write_events(events, out):
    first, arguments, numbers = {}, [], {event.name: event.number for event in events}
    for event in events:
        first[event.number] = len(arguments)
        arguments += event.arguments
    longest = max(len(event.name.encode()) for event in events)
    out.append(f'_Static_assert({longest} < EVENT_NAME_SIZE, "a name is too long");')
    out.append(f'_Static_assert({max(map(len, arguments))} < ARGUMENT_NAME_SIZE, "an argument\'s name is too long");')
    out.append(f"const char catalogue_argument_names[{len(arguments)}][ARGUMENT_NAME_SIZE] = {{")
    out.extend(f"    {text(name)}," for name in arguments)
    out.append("};")
    out.append(f"const uint16_t catalogue_last_number = {len(events)};")
    out.append(f"const struct event_entry catalogue_events[{len(events) + 1}] = {{")
    for event in events:
        row = event.row
        operations = dict.fromkeys(rule.operation for rule in event.rules)
        classes = " | ".join(f"UINT32_C(1) << CLASS_{name.upper()}" for name in operations) or "0"
        fields = [
            ("name", text(event.name)),
            ("number", event.number),
            ("argument_count", len(event.arguments)),
            ("forwarded_count", event.forwarded),
            ("first_argument", first[event.number]),
            ("secret", f"UINT32_C({event.secret:#x})"),
            ("veto", VETO[row["veto"]]),
            ("platforms", PLATFORMS[row["platforms"]]),
            ("since", event.since),
            ("removed", event.removed),
            ("instead", numbers[row["instead"]] if row["instead"] != "-" else 0),
            ("classes", classes),
        ]
        out.append(f"    [{event.number}] = {{" + ", ".join(f".{name} = {value}" for name, value in fields) + "},")
    out.append("};")


def write_rules(events, out):
    rules, starts, literals = [], [0], {}
    for event in events:
        starts.append(len(rules))
        for rule in event.rules:
            conditions = [f"{{.word = CONDITION_{word.name.upper()}, .operands = {word.initialiser()}}}"
                          for word in rule.conditions]
            attributes = []
            for name, literal, word in rule.attributes:
                source = f"SOURCE_{word.name.upper()}" if word else "SOURCE_LITERAL"
                operands = word.initialiser() if word else f"{{{literals.setdefault(literal, len(literals))}}}"
                attributes.append(f"{{.name = ATTRIBUTE_{name.upper()}, .source = {source}, .operands = {operands}}}")
            listed = f", .attributes = {{{', '.join(attributes)}}}" if attributes else ""
            rules.append(f"    {{.operation_class = CLASS_{rule.operation.upper()}, "
                         f".condition_count = {len(conditions)}, .attribute_count = {len(attributes)}, "
                         f".conditions = {{{', '.join(conditions)}}}{listed}}},")
    starts.append(len(rules))
    most = max(len(event.rules) for event in events)
    widest = max(len(rule.attributes) for event in events for rule in event.rules)
    out.append(f'_Static_assert({most} <= EVENT_OPERATIONS_MAX, "an event is too many operations");')
    out.append(f'_Static_assert({widest} <= EVENT_ATTRIBUTES_MAX, "an operation has too many attributes");')
    out.append(f'_Static_assert({OPERANDS} == MAPPING_OPERANDS_MAX, "generate.py and mapping.h disagree");')
    out.append(f'_Static_assert({max(map(len, literals))} < MAPPING_LITERAL_SIZE, "a literal is too long");')
    out.append(f'_Static_assert({len(literals)} <= UINT8_MAX, "too many literals");')
    out.append(f"const char catalogue_literals[{len(literals)}][MAPPING_LITERAL_SIZE] = {{")
    out.extend(f"    {text(literal)}," for literal in literals)
    out.append("};")
    out.append("const struct mapping_rule catalogue_all_rules[] = {")
    out.extend(rules)
    out.append("};")
    out.append(f"const uint16_t catalogue_rule_starts[{len(starts)}] = {{")
    for start in range(0, len(starts), 16):
        out.append("    " + " ".join(f"{number}," for number in starts[start:start + 16]))
    out.append("};")


def main(directory, output):
    events, by_name = read_events(directory)
    check_presence(directory, by_name)
    read_operations(directory, by_name)

    out = ["/* Made by policies/catalogue/generate.py: edit the tables there, not this. */",
           '#include "policies/catalogue/tables.h"', "",
           "#include <stddef.h>", "",
           '#include "policies/engine/event.h"',
           '#include "policies/engine/vocabulary.h"', ""]
    write_events(events, out)
    write_rules(events, out)
    write_hash(events, out)
    output.write_text("\n".join(out) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except Wrong as wrong:
        sys.exit(f"error: {wrong}")
