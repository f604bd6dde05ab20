"""One value of an event against one literal of a policy: the oracle's own idea of each type.

Every test is a function of a value without marks and of the subject, whose places may be meant, and
gives a truth. oracle.py says which decisions are in here.
"""

import ipaddress

import patterns
import scene
import vocabulary
from vocabulary import HOST, MODULE, PATH, REGISTRY, SIGNAL, VERSION

FALSE, UNKNOWN, TRUE = 0, 1, 2
SLASH = (ord("/"),)
BACKSLASH = (ord("\\"),)
ROOTS = {b"HKEY_LOCAL_MACHINE": b"HKLM", b"HKEY_CURRENT_USER": b"HKCU", b"HKEY_CLASSES_ROOT": b"HKCR",
         b"HKEY_USERS": b"HKU", b"HKEY_CURRENT_CONFIG": b"HKCC"}


def as_truth(holds):
    return TRUE if holds else FALSE


def text_of(value):
    """The bytes of a text; None if it is none."""
    return value.content if value.kind in (scene.TEXT, scene.BYTES) else None


def on_text(holds):
    def test(value, _):
        text = text_of(value)
        return FALSE if text is None else as_truth(holds(text))
    return test


def number_of(value):
    """As Python compares numbers; None if it is none."""
    if value.kind in (scene.TRUTH, scene.INTEGER):
        return int(value.content)
    if value.kind == scene.FLOAT and value.content == value.content:
        return value.content
    if value.kind == scene.BIG and value.content:
        return int.from_bytes(value.content, "little", signed=True)
    return None


def on_number(holds):
    def test(value, _):
        number = number_of(value)
        return FALSE if number is None else as_truth(holds(number))
    return test


def is_truth(wanted):
    def test(value, _):
        return as_truth(value.kind in (scene.TRUTH, scene.INTEGER) and int(value.content) == int(wanted))
    return test


def without_mapping(address, prefix):
    mapped = address.ipv4_mapped if address.version == 6 else None
    if mapped is None or prefix < 96:
        return address, prefix
    return mapped, prefix - 96


def in_block(text):
    address, _, prefix = text.partition("/")
    address = ipaddress.ip_address(address)
    address, prefix = without_mapping(address, int(prefix) if prefix else address.max_prefixlen)
    network = ipaddress.ip_network((address, prefix))

    def test(value, _):
        if value.kind != scene.BYTES or len(value.content) not in (4, 16):
            return FALSE
        here = ipaddress.ip_address(value.content)
        here, _ = without_mapping(here, here.max_prefixlen)
        return as_truth(here.version == network.version and here in network)
    return test


def is_host(name):
    below = name.startswith(b"*.")
    name = (name[2:] if below else name).lower()
    if name.endswith(b"."):
        name = name[:-1]

    def test(value, _):
        host = text_of(value)
        if host is None:
            return FALSE
        if host.endswith(b"."):
            host = host[:-1]
        if any(byte >= 128 for byte in host):
            return UNKNOWN
        host = host.lower()
        if not below:
            return as_truth(host == name)
        front = host[:-len(name) - 1]
        return as_truth(host.endswith(b"." + name) and front != b"" and not front.startswith(b"."))
    return test


def version_parts(text):
    parts = []
    for part in text.split(b"."):
        digits = part[:len(part) - len(part.lstrip(b"0123456789"))]
        parts.append(int(digits) if digits else 0)
    return parts


def version_order(version, literal):
    """By as many parts as the policy writes: below 0, 0 or above."""
    parts = version_parts(version)
    for number, wanted in enumerate(version_parts(literal)):
        here = parts[number] if number < len(parts) else 0
        if here != wanted:
            return here - wanted
    return 0


def registry_key(text):
    return bytes(patterns.registry_folded(byte) for byte in text)


def registry_literal(text):
    root = text.replace(b"/", b"\\").split(b"\\")[0]
    brief = ROOTS.get(root.upper())
    return brief + text[len(root):] if brief else text


def behind_place(path, place):
    """What of the path is behind the place; None where it is not in it."""
    if not patterns.is_below(path, place):
        return None
    rest = path if place == b"/" else path[len(place):]
    return b"" if rest == b"/" else rest


def in_place(name, holds):
    def test(value, subject):
        path = text_of(value)
        if path is None:
            return FALSE
        rests = [behind_place(path, place) for place in subject.places.get(name, [])]
        return as_truth(any(rest is not None and holds(rest) for rest in rests))
    return test


class Literals:
    """Makes the tests; knows what literal paths resolve to."""

    def __init__(self, resolutions):
        self.resolutions = resolutions

    def forms(self, path):
        """The path, and what it resolves to."""
        found = self.resolutions.get(path)
        return {path} if found is None else {path, patterns.normalised(found)}

    def path_glob(self, pattern):
        """(literal fronts, tokens)."""
        front = patterns.first_wildcard(pattern)
        if front < len(pattern):
            front = pattern.rfind(b"/", 0, front + 1)
            front = max(front, 0)
        tail = pattern[front:]
        fronts = {patterns.normalised(pattern[:front])} if front else {b""}
        return fronts, patterns.parse_glob(tail, SLASH), bool(tail)

    def matches_path(self, pattern):
        fronts, tokens, is_wild = self.path_glob(pattern)
        if fronts != {b"/"} and fronts != {b""}:
            fronts = self.forms(fronts.pop())
        if is_wild:
            fronts = {b"" if front == b"/" else front for front in fronts}

        def holds(text):
            return any(text.startswith(front) and
                       patterns.matches(tokens, patterns.characters(text[len(front):]), SLASH)
                       for front in fronts)
        return on_text(holds)

    def matches_place(self, name, pattern):
        if pattern is None:
            return in_place(name, lambda rest: rest == b"")
        fronts, tokens, is_wild = self.path_glob(pattern)
        front = fronts.pop()
        front = b"" if front == b"/" and is_wild else front

        def holds(rest):
            return rest.startswith(front) and \
                patterns.matches(tokens, patterns.characters(rest[len(front):]), SLASH)
        return in_place(name, holds)

    def matches(self, of_type, literal):
        if literal[0] == "place":
            return self.matches_place(literal[1], literal[2])
        pattern = literal[1]
        if of_type == PATH:
            return self.matches_path(pattern)
        if of_type == REGISTRY:
            fold = patterns.registry_folded
            tokens = patterns.parse_glob(registry_literal(pattern), BACKSLASH, fold)
            return on_text(lambda text: patterns.matches(
                tokens, [fold(c) for c in patterns.characters(text)], BACKSLASH))
        tokens = patterns.parse_glob(pattern, ())
        return on_text(lambda text: patterns.matches(tokens, patterns.characters(text), ()))

    def under(self, of_type, literal):
        if literal[0] == "place":
            below = b"/" if literal[2] is None else patterns.normalised(literal[2])
            if below == b"/":
                return in_place(literal[1], lambda rest: True)
            return in_place(literal[1], lambda rest: patterns.is_below(rest, below))
        if of_type == MODULE:
            name = literal[1]
            return on_text(lambda text: text == name or text.startswith(name + b"."))
        if of_type == REGISTRY:
            key = registry_key(registry_literal(literal[1]).rstrip(b"/\\"))
            return on_text(lambda text: (registry_key(text) + b"\\").startswith(key + b"\\"))
        paths = self.forms(patterns.normalised(literal[1]))
        return on_text(lambda text: any(patterns.is_below(text, path) for path in paths))

    def equals(self, of_type, literal):
        kind = literal[0]
        if kind == "int":
            return on_number(lambda number: number == literal[1])
        if kind == "range":
            return on_number(lambda number: literal[1] <= number <= literal[2])
        if kind == "truth":
            return is_truth(literal[1])
        if kind in ("ip", "cidr"):
            return in_block(literal[1])
        if kind == "place":
            below = b"" if literal[2] is None else patterns.normalised(literal[2])
            below = b"" if below == b"/" else below
            return in_place(literal[1], lambda rest: rest == below)
        return self.equals_text(of_type, literal[1])

    def equals_text(self, of_type, text):
        if of_type == HOST:
            return is_host(text)
        if of_type == SIGNAL:
            name = text.decode()
            number = vocabulary.SIGNALS[name[3:] if name.startswith("SIG") else name]
            return on_number(lambda here: here == number)
        if of_type == VERSION:
            return on_text(lambda here: version_order(here, text) == 0)
        if of_type == REGISTRY:
            key = registry_key(registry_literal(text).rstrip(b"/\\"))
            return on_text(lambda here: registry_key(here) == key)
        if of_type == PATH:
            paths = self.forms(patterns.normalised(text))
            return on_text(lambda here: here in paths)
        return on_text(lambda here: here == text)

    def order(self, of_type, literal, test):
        """-1, 0, 1 of the value and the literal, by the operator."""
        fits = {"<": lambda order: order < 0, "<=": lambda order: order <= 0,
                ">": lambda order: order > 0, ">=": lambda order: order >= 0}[test]
        wanted = literal[1]
        if of_type == VERSION:
            return on_text(lambda text: fits(version_order(text, wanted)))
        return on_number(lambda number: fits((number > wanted) - (number < wanted)))

    def test(self, of_type, operator, literal):
        if operator in ("matches", "has matches"):
            return self.matches(of_type, literal)
        if operator == "under":
            return self.under(of_type, literal)
        if operator in ("<", "<=", ">", ">="):
            return self.order(of_type, literal, operator)
        return self.equals(of_type, literal)
