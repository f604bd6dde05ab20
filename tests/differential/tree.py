"""The syntax tree of a policy, and its text.

The generator makes the tree and the oracle reads it; the driver is given the text. So nothing here
reads text, and nothing knows what a policy means.

Literals are tuples: ("text", bytes), ("int", n), ("range", low, high), ("ip", str), ("cidr", str),
("truth", bool), ("place", name, bytes or None).
"""

import datetime


class Predicate:
    """`part` is None or ("element", n), ("key", bytes), ("label", bytes), ("argument", n),
    ("named", str). `test` is what the grammar calls it, but that `is` with a list is "is list" and
    a bool alone is "alone". `form` is "one", "list" or "set"."""

    __slots__ = ("attribute", "part", "test", "literals", "form", "set_name", "is_file_set")

    def __init__(self, attribute, part, test, literals=(), form="list", set_name=None, is_file_set=False):
        self.attribute = attribute
        self.part = part
        self.test = test
        self.literals = list(literals)
        self.form = form
        self.set_name = set_name
        self.is_file_set = is_file_set


class And:
    def __init__(self, children):
        self.children = children


class Or:
    def __init__(self, children):
        self.children = children


class Not:
    def __init__(self, child):
        self.children = [child]


class Rule:
    """`classes` or `events` is None; `classes` may be ["all"]."""

    def __init__(self, effect, name, classes=None, events=None, condition=None, message=None):
        self.effect = effect
        self.name = name
        self.classes = classes
        self.events = events
        self.condition = condition
        self.message = message


class Default:
    def __init__(self, denies, classes):
        self.denies = denies
        self.classes = classes


class Override:
    """`until` is a day since 1970-01-01."""

    def __init__(self, tier, policy, rule, condition, reason, until):
        self.tier = tier
        self.policy = policy
        self.rule = rule
        self.condition = condition
        self.reason = reason
        self.until = until


class Policy:
    """`applies` is a list of blocks, each a list of conditions."""

    def __init__(self, name):
        self.name = name
        self.applies = []
        self.observes = False
        self.defaults = []
        self.rules = []
        self.overrides = []


class Text:
    """What is one file: `observes` is said from outside, and holds for all of its policies."""

    def __init__(self, tier, observes):
        self.tier = tier
        self.observes = observes
        self.policies = []


# ------------------------------------------------------------------------------------------- as text

def write_string(text):
    if b"'" not in text and all(32 <= byte < 127 for byte in text) and (b"\\" in text or b'"' in text):
        return "'" + text.decode() + "'"
    out = []
    for byte in text:
        if byte in b'"\\':
            out.append("\\" + chr(byte))
        elif 32 <= byte < 127:
            out.append(chr(byte))
        else:
            out.append("\\x%02x" % byte)
    return '"' + "".join(out) + '"'


def write_literal(literal):
    kind = literal[0]
    if kind == "text":
        return write_string(literal[1])
    if kind == "range":
        return "%d-%d" % literal[1:]
    if kind == "truth":
        return "true" if literal[1] else "false"
    if kind == "place":
        below = "" if literal[2] is None else " " + write_string(literal[2])
        return "session." + literal[1] + below
    return str(literal[1])


def write_list(literals):
    return "[" + ", ".join(map(write_literal, literals)) + "]"


def write_operand(predicate):
    part = predicate.part
    if part is None:
        return predicate.attribute
    if part[0] == "label":
        return "label " + write_string(part[1])
    if part[0] == "named":
        plain = part[1].replace("_", "").isalnum() and part[1][0].isalpha()
        return "arg." + (part[1] if plain else write_string(part[1].encode()))
    if part[0] == "key":
        return predicate.attribute + "[" + write_string(part[1]) + "]"
    return "%s[%d]" % (predicate.attribute, part[1])


def write_predicate(predicate):
    operand = write_operand(predicate)
    if predicate.test == "alone":
        return operand
    if predicate.test in ("none", "absent"):
        return operand + " is " + predicate.test
    word = "is" if predicate.test == "is list" else predicate.test
    if predicate.form == "set":
        value = predicate.set_name
    elif predicate.form == "one":
        value = write_literal(predicate.literals[0])
    else:
        value = write_list(predicate.literals)
    return operand + " " + word + " " + value


def write_condition(condition, outermost=True):
    if isinstance(condition, Predicate):
        return write_predicate(condition)
    if isinstance(condition, Not):
        child = condition.children[0]
        inner = write_condition(child, False)
        return "not " + inner
    joint = " and " if isinstance(condition, And) else " or "
    text = joint.join(write_condition(child, False) for child in condition.children)
    return text if outermost else "(" + text + ")"


def write_classes(classes):
    return ", ".join(classes)


def write_rule(rule):
    if rule.events is None:
        target = write_classes(rule.classes)
    else:
        target = "event " + ", ".join(map(write_string, rule.events))
    where = " where " + write_condition(rule.condition) if rule.condition else ""
    message = " message " + write_string(rule.message) if rule.message else ""
    return "%s %s%s as %s%s" % (rule.effect, target, where, rule.name, message)


def civil(day):
    """YYYY-MM-DD."""
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).isoformat()


def write_override(override):
    where = " where " + write_condition(override.condition) if override.condition else ""
    return "override %s/%s.%s%s reason %s until %s" % (
        override.tier, override.policy, override.rule, where, write_string(override.reason.encode()),
        civil(override.until))


def predicates_of(condition):
    if condition is None:
        return
    if isinstance(condition, Predicate):
        yield condition
        return
    for child in condition.children:
        yield from predicates_of(child)


def conditions_of(policy):
    for block in policy.applies:
        yield from block
    for rule in policy.rules:
        yield rule.condition
    for override in policy.overrides:
        yield override.condition


def sets_of(policy, of_file):
    sets = {}
    for condition in conditions_of(policy):
        for predicate in predicates_of(condition):
            if predicate.form == "set" and predicate.is_file_set == of_file:
                sets[predicate.set_name] = predicate.literals
    return sets


def write_policy(policy):
    lines = ["policy %s {" % policy.name]
    if policy.observes:
        lines.append("    mode observe")
    for block in policy.applies:
        lines.append("    applies { " + " ".join(write_condition(part, False) for part in block) + " }")
    for default in policy.defaults:
        lines.append("    default %s %s" % ("deny" if default.denies else "allow", write_classes(default.classes)))
    for name, literals in sets_of(policy, False).items():
        lines.append("    set %s = %s" % (name, write_list(literals)))
    lines += ["    " + write_rule(rule) for rule in policy.rules]
    lines += ["    " + write_override(override) for override in policy.overrides]
    return "\n".join(lines + ["}", ""])


def write_text(text):
    sets = {}
    for policy in text.policies:
        sets.update(sets_of(policy, True))
    head = "".join("set %s = %s\n" % (name, write_list(literals)) for name, literals in sets.items())
    return head + "".join(map(write_policy, text.policies))
