"""Values, subjects and events: what a policy is asked about, as the oracle sees it and as the driver
is told (README.md, "The protocol")."""

NONE, TRUTH, INTEGER, BIG, FLOAT, TEXT, BYTES, LIST, MAP, OBJECT = "nbiIftylmo"
CUT, SUBCLASS, OPAQUE = 1, 2, 4
MARK_NAMES = {CUT: "cut", SUBCLASS: "subclass", OPAQUE: "opaque"}


class Value:
    """`content`: bool, int, float, bytes, a list of values, or a list of (key, value). A BIG is the
    two's complement of an int beyond 64 bits, little end first. Two values are the same only if they
    are one object. `number` is its place among those that the driver was told."""

    __slots__ = ("kind", "content", "marks", "number")

    def __init__(self, kind, content=None, marks=0):
        self.kind = kind
        self.content = content
        self.marks = marks
        self.number = -1


def write_value(value):
    head = "%d%s" % (value.marks, value.kind)
    content = value.content
    if value.kind == NONE:
        return head
    if value.kind == TRUTH:
        return head + ("1" if content else "0")
    if value.kind == INTEGER:
        return head + str(content)
    if value.kind == FLOAT:
        return head + content.hex()
    if value.kind == LIST:
        return " ".join([head + str(len(content))] + [write_value(item) for item in content])
    if value.kind == MAP:
        items = [write_value(item) for pair in content for item in pair]
        return " ".join([head + str(len(content))] + items)
    return head + content.hex()


def show_value(value):
    """For people."""
    content = value.content
    if value.kind == LIST:
        shown = "[" + ", ".join(map(show_value, content)) + "]"
    elif value.kind == MAP:
        shown = "{" + ", ".join(show_value(key) + ": " + show_value(item) for key, item in content) + "}"
    elif value.kind == NONE:
        shown = "none"
    elif value.kind == TEXT:
        shown = "text " + repr(content)[1:]
    elif value.kind == BYTES:
        shown = repr(content)
    elif value.kind == OBJECT:
        shown = "an object"
    else:
        shown = repr(content)
    marks = [name for mark, name in MARK_NAMES.items() if value.marks & mark]
    return shown + (" <" + ", ".join(marks) + ">" if marks else "")


class Attribute:
    """`resolved` is None where nobody filled in that form; `nameless` is a host that no lookup gave."""

    __slots__ = ("value", "resolved", "nameless")

    def __init__(self, value, resolved=None, nameless=False):
        self.value = value
        self.resolved = resolved
        self.nameless = nameless


class Operation:
    __slots__ = ("operation_class", "attributes")

    def __init__(self, operation_class, attributes):
        self.operation_class = operation_class
        self.attributes = attributes  # by name


class Event:
    __slots__ = ("name", "is_cut", "arguments", "operations")

    def __init__(self, name, is_cut, arguments, operations):
        self.name = name  # bytes
        self.is_cut = is_cut
        self.arguments = arguments
        self.operations = operations


class Subject:
    """Texts are bytes or None. `named` are the policies, as TIER/NAME, that the session asks for;
    `overriding` is None, or those whose overrides count instead of those of the governing ones."""

    FACTS = ("user", "exe", "unit", "platform", "python", "script")

    def __init__(self):
        for fact in self.FACTS:
            setattr(self, fact, None)
        self.groups = []
        self.labels = []  # (name, value)
        self.places = {}  # name to list of paths
        self.named = []
        self.overriding = None


def write_text(text):
    return "-" if text is None else "x" + text.hex()


def write_subject(subject, places):
    words = [write_text(getattr(subject, fact)) for fact in Subject.FACTS]
    words += [str(len(subject.groups))] + list(map(write_text, subject.groups))
    words += [str(2 * len(subject.labels))] + [write_text(text) for pair in subject.labels for text in pair]
    for place in places:
        paths = subject.places.get(place, [])
        words += [str(len(paths))] + list(map(write_text, paths))
    overriding = subject.overriding or []
    words += [str(len(subject.named))] + subject.named + [str(len(overriding))] + overriding
    return "S " + " ".join(words)


def write_event(number, event):
    parts = ["E %d x%s %d %d" % (number, event.name.hex(), event.is_cut, len(event.arguments))]
    for value in event.arguments:
        parts.append(str(value.number))
    parts.append(str(len(event.operations)))
    for operation in event.operations:
        parts.append("%s %d" % (operation.operation_class, len(operation.attributes)))
        for name, attribute in operation.attributes.items():
            parts.append("%s %s %s" % (
                name, "?" if attribute.nameless else attribute.value.number,
                "-" if attribute.resolved is None else attribute.resolved.number))
    return " ".join(parts)


def show_event(event):
    lines = ["event %s%s (%s)" % (repr(event.name)[1:], " <name cut>" if event.is_cut else "",
                                  ", ".join(map(show_value, event.arguments)))]
    for number, operation in enumerate(event.operations):
        lines.append("  operation %d: %s" % (number, operation.operation_class))
        for name, attribute in operation.attributes.items():
            if attribute.nameless:
                lines.append("    %s: no lookup gave it" % name)
                continue
            lines.append("    %s: %s" % (name, show_value(attribute.value)))
            if attribute.resolved is not None:
                lines.append("        resolved: %s" % show_value(attribute.resolved))
    return "\n".join(lines)


def show_subject(subject):
    facts = ["%s %r" % (fact, getattr(subject, fact)) for fact in Subject.FACTS if getattr(subject, fact) is not None]
    facts += ["groups %r" % subject.groups] if subject.groups else []
    facts += ["label %r %r" % label for label in subject.labels]
    facts += ["session.%s %r" % place for place in subject.places.items() if place[1]]
    facts += ["policies by name: %s" % ", ".join(subject.named)] if subject.named else []
    facts += ["overrides of: %s" % ", ".join(subject.overriding)] if subject.overriding else []
    return "subject: " + "; ".join(facts)
