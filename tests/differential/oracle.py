"""What policies say of an event, by the specification and by nothing else.

Written from policy-language.md and grammar.ebnf, straight on the syntax tree (tree.py): every rule of
every governing policy is asked. It shares no code with policies/engine, and must not: where both
have one idea of a thing, it can be one mistake.

Where the specification is silent, the headers of policies/engine were followed:

- `log` and `kill` take paths in either form and doubt a host that no lookup gave, as `deny` does; an
  override takes both as `allow` does (override.h).
- What makes a predicate unknown: the list in condition.h. A list that is cut and compared as if it
  were a text is unknown too: it carries a mark.
- `env["NAME"]` of an env that is none is absent.
- A value of another kind than the predicate compares with makes it false. Texts are texts and bytes
  alike; an address is bytes; true and false are the numbers 1 and 0, and 1 and 0 are true and false; a
  float is compared as a number.
- An IPv4 address that is mapped into IPv6 is the IPv4 address, in policies and in events (address.h).
- A host has one final dot or none; `*.x` wants something before the dot that does not begin with a
  dot. A byte that is not ASCII makes a comparison with it unknown, whatever the policy names.
- The literal front of a path's glob ends with the last component that is whole. What is behind a
  place is nothing for the place itself, be it the root.
- Of an event that is no operation only `event` rules are asked, and it has no default.
- `path` in a rule on events of both kinds is a key if the first literal beside it begins with HK.
- `arg.NAME` is the argument of that name in the events that the rule's target can mean.
- Whose answer it is: the first operation, then the tier, then the policy's name, then the rule's,
  byte by byte, a default last; of an `allow` too (evaluate.h). The first eight `log` rules are named.
- Overrides of one denial are asked in the order of the policies that they stand in, then of their
  text.
"""

import functools

import patterns
import scene
import tree
import vocabulary
from literals import FALSE, TRUE, UNKNOWN, Literals, as_truth, is_truth, text_of
from vocabulary import ANY, HOST, LIST, MAP, PATH, REGISTRY, TEXT

ALLOW, DENY, KILL = "A", "D", "K"
STRICTNESS = {ALLOW: 0, DENY: 1, KILL: 2}
LOGS_MAX = 8


# --------------------------------------------------------------------------------------- predicates

def is_container(value):
    return value.kind in (scene.LIST, scene.MAP)


def is_doubtful(value):
    """Nothing about it is certain; a container that is only cut is, as far as it goes."""
    return bool(value.marks & ~scene.CUT) if is_container(value) else value.marks != 0


def elements(value):
    return [key for key, _ in value.content] if value.kind == scene.MAP else value.content


class Answer:
    """What a predicate says of a value that is there: `literals` are tests, one each."""

    def __init__(self, predicate, of_type, literals):
        self.predicate = predicate
        self.of_type = of_type
        self.literals = literals

    def of(self, value, subject):
        test = self.predicate.test
        if test == "absent":
            return FALSE
        if test == "none":
            return UNKNOWN if is_doubtful(value) else as_truth(value.kind == scene.NONE)
        if test in ("is list", "starts", "has", "has matches"):
            return self.of_list(value, subject)
        if self.of_type == HOST and value.kind == scene.LIST:
            return self.of_list(value, subject)  # every name that led to the address
        return self.any_literal(value, subject)

    def compare(self, literal, value, subject):
        return UNKNOWN if value.marks else literal(value, subject)

    def any_literal(self, value, subject):
        return max(self.compare(literal, value, subject) for literal in self.literals)

    def of_list(self, value, subject):
        if is_doubtful(value):
            return UNKNOWN
        if not is_container(value):
            return FALSE
        if self.predicate.test in ("is list", "starts"):
            return self.front(value, subject)
        found = [self.any_literal(item, subject) for item in elements(value)]
        return max(found + [UNKNOWN if value.marks else FALSE])

    def front(self, value, subject):
        if value.kind != scene.LIST:
            return FALSE
        whole = self.predicate.test == "is list"
        items = value.content
        if whole and len(items) > len(self.literals):
            return FALSE
        found = [self.compare(literal, item, subject) for literal, item in zip(self.literals, items)]
        if value.marks and (whole or len(items) < len(self.literals)):
            found.append(UNKNOWN)
        elif len(items) < len(self.literals):
            found.append(FALSE)
        return min(found + [TRUE])


class Target:
    """What a condition is asked about: classes, and the events that can be meant by name."""

    def __init__(self, classes, events, is_events):
        self.classes = classes
        self.events = events
        self.is_events = is_events


def target_of_classes(classes):
    named = set(vocabulary.CLASSES) if classes == ["all"] else set(classes)
    events = {name for name, event in vocabulary.CATALOGUE.items() if event.classes & named}
    return Target(named, events, False)


def is_glob(pattern):
    return patterns.first_wildcard(pattern) < len(pattern)


def target_of_events(names):
    events = set()
    classes = set()
    for pattern in names:
        if not is_glob(pattern):
            events.add(pattern.decode())
            continue
        classes.add("other")  # it may be an event that the catalogue does not know
        tokens = patterns.parse_glob(pattern, ())
        events |= {name for name, event in vocabulary.CATALOGUE.items()
                   if event.is_raised and patterns.matches(tokens, patterns.characters(name.encode()), ())}
    for name in events:
        classes |= vocabulary.CATALOGUE[name].classes
    return Target(classes, events, True)


@functools.lru_cache(maxsize=1024)
def target_of(classes, names):
    return target_of_classes(list(classes)) if names is None else target_of_events(names)


def target_of_rule(rule):
    return target_of(None if rule.classes is None else tuple(rule.classes),
                     None if rule.events is None else tuple(rule.events))


SESSION = Target(set(), set(), False)


def type_of(predicate, target):
    """What values are compared as."""
    part = predicate.part
    of_type = vocabulary.TYPES[predicate.attribute]
    if of_type in (LIST, MAP):
        return TEXT
    if predicate.attribute != "path" or part is not None or "registry" not in target.classes:
        return of_type
    if not any("path" in vocabulary.CLASSES[name] for name in target.classes if name != "registry"):
        return REGISTRY
    first = predicate.literals[0] if predicate.literals and predicate.form != "set" else None
    return REGISTRY if first and first[0] == "text" and first[1].startswith(b"HK") else PATH


class Asking:
    """One event of one subject, while one operation of it is judged. `values` are the operation's
    attributes as they are asked for now: paths in one form, doubt as it counts."""

    __slots__ = ("session", "event", "name", "known", "arguments", "operation_class", "values", "written", "resolved",
                 "certain")

    def __init__(self, session, event):
        self.session = session
        self.event = event
        name = event.name.decode("utf-8", "surrogateescape")
        self.known = vocabulary.CATALOGUE.get(name) if not event.is_cut else None
        self.name = event_name(event)
        self.arguments = event.arguments
        self.take(None)

    def take(self, operation):
        """`written` and `resolved` are what a deny sees, `certain` what an allow does. `path` of a
        registry operation is another attribute than that of a file."""
        self.operation_class = operation.operation_class if operation else None
        self.written = self.values = written = {}
        if operation is None:
            self.resolved = self.certain = written
            return
        resolved = None
        doubted = False
        for name, attribute in operation.attributes.items():
            if attribute.nameless:
                doubted = True
                continue
            if name == "path" and self.operation_class == "registry":
                name = KEY
            elif vocabulary.TYPES[name] == PATH and attribute.resolved is not attribute.value:
                resolved = resolved or {}
                resolved[name] = resolved_form(attribute)
            written[name] = attribute.value
        self.resolved = self.certain = dict(written, **resolved) if resolved else written
        if doubted:
            self.written = dict(self.written, host=DOUBT)
            self.resolved = self.written if self.resolved is written else dict(self.resolved, host=DOUBT)


def resolved_form(attribute):
    if attribute.resolved is not None and attribute.resolved.kind != scene.NONE:
        return attribute.resolved
    return attribute.value if attribute.value.kind == scene.NONE else UNREAD


NAMES = {}


def event_name(event):
    """As a value; the same one for the same name."""
    key = (event.name, event.is_cut)
    value = NAMES.get(key)
    if value is None:
        if len(NAMES) > 4096:
            NAMES.clear()
        value = NAMES[key] = scene.Value(scene.TEXT, event.name, scene.CUT if event.is_cut else 0)
    return value


class Session:
    """A subject's facts as values."""

    def __init__(self, subject):
        self.subject = subject
        self.facts = {}
        for fact in scene.Subject.FACTS:
            text = getattr(subject, fact)
            if text is not None:
                self.facts[fact] = scene.Value(scene.TEXT, text)
        self.facts["group"] = scene.Value(scene.LIST, [scene.Value(scene.TEXT, text) for text in subject.groups])
        self.labels = {}
        for name, text in subject.labels:
            self.labels.setdefault(name, scene.Value(scene.TEXT, text))


UNREAD = scene.Value(scene.OBJECT, b"", scene.OPAQUE)  # a form of a path that nobody filled in
DOUBT = scene.Value(scene.OBJECT, b"")  # there is something, or is not, and nobody knows what
KEY = "path of registry"


def list_element(value, index):
    if value.kind != scene.LIST:
        return DOUBT if value.marks else None
    if is_doubtful(value) or (index < 0 and value.marks):
        return DOUBT
    place = index + len(value.content) if index < 0 else index
    if 0 <= place < len(value.content):
        return value.content[place]
    return DOUBT if value.marks else None


def map_entry(value, key):
    if value.marks:
        return DOUBT
    if value.kind != scene.MAP:
        return None
    if any(name.marks for name, _ in value.content):
        return DOUBT
    found = [item for name, item in value.content if text_of(name) == key]
    if len(found) > 1:
        return DOUBT
    return found[0] if found else None


def argument_finder(predicate, target):
    part = predicate.part

    def by_number(asking):
        return asking.arguments[part[1]] if part[1] < len(asking.arguments) else None

    def by_name(asking):
        event = asking.known
        if event is None or event.name not in target.events or part[1] not in event.arguments:
            return None
        place = event.arguments.index(part[1])
        return asking.arguments[place] if place < min(event.forwarded, len(asking.arguments)) else None

    return by_number if part[0] == "argument" else by_name


def finder(predicate, of_type, target):
    name = predicate.attribute
    if name == "arg":
        return argument_finder(predicate, target)
    if name == "label":
        return lambda asking: asking.session.labels.get(predicate.part[1])
    if name == "event":
        return lambda asking: asking.name
    if name in vocabulary.SELECTORS:
        return lambda asking: asking.session.facts.get(name)
    name = attribute_key(predicate, of_type)
    return lambda asking: asking.values.get(name)


def attribute_key(predicate, of_type):
    return KEY if predicate.attribute == "path" and of_type == REGISTRY else predicate.attribute


def part_of(find, part):
    if part is None or part[0] not in ("element", "key"):
        return find
    take = list_element if part[0] == "element" else map_entry

    def find_part(asking):
        value = find(asking)
        return value if value is None or value is DOUBT else take(value, part[1])
    return find_part


# ---------------------------------------------------------------------------------------- conditions

def all_of(children):
    def least(asking):
        truth = TRUE
        for child in children:
            found = child(asking)
            if found < truth:
                if found == FALSE:
                    return FALSE
                truth = found
        return truth
    return least


def any_of(children):
    def most(asking):
        truth = FALSE
        for child in children:
            found = child(asking)
            if found > truth:
                if found == TRUE:
                    return TRUE
                truth = found
        return truth
    return most


class Judge:
    """Policies under which events are judged. `texts` are trees; `resolutions` says what literal
    paths resolve to."""

    def __init__(self, texts, resolutions, today):
        self.literals = Literals(resolutions)
        self.today = today
        self.known_answers = []  # what predicates on places said of values: forgotten with the subject
        placed = [(vocabulary.TIERS.index(text.tier), policy.name.encode(), text, policy)
                  for text in texts for policy in text.policies]
        placed.sort(key=lambda place: place[:2])
        self.policies = [JudgedPolicy(self, text, policy) for _, _, text, policy in placed]
        by_name = {policy.name: policy for policy in self.policies}
        for policy in self.policies:
            policy.take_overrides(by_name)
        for policy in self.policies:
            policy.put_overrides_in_order()

    def condition(self, node, target):
        """A function of an asking."""
        if isinstance(node, tree.Predicate):
            return self.predicate(node, target)
        children = [self.condition(child, target) for child in node.children]
        if isinstance(node, tree.Not):
            child = children[0]
            return lambda asking: TRUE - child(asking)
        return all_of(children) if isinstance(node, tree.And) else any_of(children)

    def predicate(self, node, target):
        of_type = type_of(node, target)
        compared_as = TEXT if node.part and node.part[0] in ("element", "key") and of_type != ANY else of_type
        literals = [self.literals.test(compared_as, node.test, literal) for literal in node.literals]
        if node.test == "alone":
            literals = [is_truth(True)]
        answer = Answer(node, compared_as, literals)
        find = part_of(finder(node, of_type, target), node.part)
        when_absent = as_truth(node.test == "absent")
        answers = {DOUBT: UNKNOWN}
        if any(literal[0] == "place" for literal in node.literals):
            self.known_answers.append(answers)

        def learn(asking, value):
            answers[value] = truth = answer.of(value, asking.session.subject)
            return truth

        def ask(asking):
            value = find(asking)
            if value is None:
                return when_absent
            return answers[value] if value in answers else learn(asking, value)

        if node.attribute in vocabulary.COMMON or node.attribute in vocabulary.SELECTORS or node.part:
            return ask
        name = attribute_key(node, of_type)

        def ask_operation(asking):
            values = asking.values
            if name not in values:
                return when_absent
            value = values[name]
            return answers[value] if value in answers else learn(asking, value)
        return ask_operation

    def session(self, subject):
        """To be asked before events of another subject are judged: (session, governing policies)."""
        for answers in self.known_answers:
            answers.clear()
            answers[DOUBT] = UNKNOWN
        session = Session(subject)
        governing = [policy for policy in self.policies
                     if policy.name in subject.named or policy.selects(session)]
        return session, governing

    def judge(self, session, governing, overriding, event):
        """The line that the driver answers. `overriding` are the policies whose overrides count."""
        asking = Asking(session, event)
        result = Result()
        for number, operation in enumerate(event.operations or [None]):
            asking.take(operation)
            for policy in governing:
                policy.judge(asking, number, overriding, result)
        return result.line()


class JudgedRule:
    def __init__(self, judge, rule):
        self.effect = rule.effect
        self.name = rule.name
        self.target = target_of_rule(rule)
        self.classes = self.target.classes if rule.events is None else frozenset()
        names = rule.events or []
        self.events = {name for name in names if not is_glob(name)}
        self.globs = [patterns.parse_glob(name, ()) for name in names if is_glob(name)]
        self.condition = judge.condition(rule.condition, self.target) if rule.condition else None
        self.two_forms = self.effect != "allow" and any(
            type_of(predicate, self.target) == PATH for predicate in tree.predicates_of(rule.condition))
        self.allows = self.effect == "allow"
        self.overrides = []

    def names(self, asking):
        """Whether the target names the operation, or its event."""
        if asking.operation_class in self.classes:
            return TRUE
        if not self.events and not self.globs:
            return FALSE
        return self.names_event(asking.event)

    def names_event(self, event):
        if event.name in self.events and not event.is_cut:
            return TRUE
        if not self.globs:
            return FALSE
        if event.is_cut:
            return UNKNOWN
        text = patterns.characters(event.name)
        return as_truth(any(patterns.matches(tokens, text, ()) for tokens in self.globs))

    def fires(self, asking, named):
        """`named`: what names() said."""
        if self.condition is None:
            return named
        if self.allows:
            asking.values = asking.certain
            truth = self.condition(asking)
        else:
            asking.values = asking.written
            truth = self.condition(asking)
            if truth != TRUE and self.two_forms and asking.resolved is not asking.written:
                asking.values = asking.resolved
                truth = max(truth, self.condition(asking))
        return truth if truth < named else named


class JudgedOverride:
    def __init__(self, judge, by, override, target):
        self.by = by
        self.order = (by.place, tree.write_override(override).encode())
        self.reason = override.reason
        self.until = override.until
        self.today = judge.today
        self.condition = judge.condition(override.condition, target) if override.condition else None

    def counts(self, asking, overriding):
        if self.today <= 0 or self.until < self.today or self.by not in overriding:
            return False
        if self.condition is None:
            return True
        asking.values = asking.certain
        return self.condition(asking) == TRUE


class JudgedPolicy:
    def __init__(self, judge, text, policy):
        self.judge_of_all = judge
        self.policy = policy
        self.place = (vocabulary.TIERS.index(text.tier), policy.name.encode())
        self.name = "%s/%s" % (text.tier, policy.name)
        self.observes = text.observes or policy.observes
        self.applies = [[judge.condition(part, SESSION) for part in block] for block in policy.applies]
        self.rules = [JudgedRule(judge, rule) for rule in sorted(policy.rules, key=lambda rule: rule.name.encode())]
        self.defaults = self.read_defaults(policy)
        self.default_overrides = {}
        self.named = {}

    @staticmethod
    def read_defaults(policy):
        """Whether a class is denied; a class named itself beats `all`."""
        defaults = {}
        for default in policy.defaults:
            if default.classes == ["all"]:
                defaults.update({name: default.denies for name in vocabulary.CLASSES})
        for default in policy.defaults:
            if default.classes != ["all"]:
                defaults.update({name: default.denies for name in default.classes})
        return defaults

    def take_overrides(self, by_name):
        """Gives each override that can count to what it cancels."""
        for override in self.policy.overrides:
            target = by_name.get("%s/%s" % (override.tier, override.policy))
            if self.observes or not target:
                continue
            rules = [rule for rule in target.rules if rule.name == override.rule]
            if rules and rules[0].effect == "deny":
                rules[0].overrides.append(JudgedOverride(self.judge_of_all, self, override, rules[0].target))
            operation_class = override.rule[len("default-"):]
            if not rules and override.rule.startswith("default-") and target.defaults.get(operation_class):
                judged = JudgedOverride(self.judge_of_all, self, override, target_of_classes([operation_class]))
                target.default_overrides.setdefault(operation_class, []).append(judged)

    def put_overrides_in_order(self):
        for overrides in [rule.overrides for rule in self.rules] + list(self.default_overrides.values()):
            overrides.sort(key=lambda override: override.order)

    def selects(self, session):
        asking = Asking(session, scene.Event(b"", False, [], []))
        return any(all(part(asking) == TRUE for part in block) for block in self.applies)

    def rules_on(self, asking):
        """Those whose target names the operation, or its event, and how surely; remembered, for
        events have few names."""
        key = (asking.operation_class, asking.event.name, asking.event.is_cut)
        rules = self.named.get(key)
        if rules is None:
            rules = [(rule, rule.names(asking)) for rule in self.rules]
            rules = self.named[key] = [pair for pair in rules if pair[1] != FALSE]
        return rules

    def judge(self, asking, number, overriding, result):
        kill = deny = allow = None
        deny_unknown = False
        cancelled = None
        for rule, named in self.rules_on(asking):
            truth = rule.fires(asking, named)
            if truth == FALSE:
                continue
            effect = rule.effect
            if effect == "log":
                if not self.observes:
                    result.log(self, rule, number)
            elif effect == "allow":
                if truth == TRUE and allow is None:
                    allow = rule.name
            elif effect == "kill" and truth == TRUE:
                kill = kill or rule.name
            elif deny is None:
                override = first_that_counts(rule.overrides, asking, overriding)
                if override is None:
                    deny, deny_unknown = rule.name, truth == UNKNOWN
                elif cancelled is None:
                    cancelled = (override, rule.name)

        opinion = None
        if kill:
            opinion = (KILL, kill, False)
        elif deny:
            opinion = (DENY, deny, deny_unknown)
        elif allow:
            opinion = (ALLOW, allow, False)
        else:
            denies = self.defaults.get(asking.operation_class)
            if denies is False:
                opinion = (ALLOW, "default", False)
            elif denies:
                override = first_that_counts(self.default_overrides.get(asking.operation_class, ()), asking, overriding)
                if override is None:
                    opinion = (DENY, "default", False)
                elif cancelled is None:
                    cancelled = (override, "default")
        result.take(self, number, opinion, cancelled)


def first_that_counts(overrides, asking, overriding):
    for override in overrides:
        if override.counts(asking, overriding):
            return override
    return None


def deciding(policy, rule, number, unknown=False):
    return "%s.%s@%d%s" % (policy.name, rule, number, "?" if unknown else "")


class Result:
    """The strictest so far."""

    __slots__ = ("enforced", "observed", "logs", "override")

    def __init__(self):
        self.enforced = (ALLOW, "-")
        self.observed = (ALLOW, "-")
        self.logs = {}
        self.override = None

    def log(self, policy, rule, number):
        if rule not in self.logs:
            self.logs[rule] = deciding(policy, rule.name, number)

    def take(self, policy, number, opinion, cancelled):
        if cancelled and not policy.observes and self.override is None:
            override, rule = cancelled
            self.override = " %s:%s %s" % (override.by.name, override.reason, deciding(policy, rule, number))
        if opinion is None:
            return
        verdict, rule, unknown = opinion
        before = self.observed if policy.observes else self.enforced
        if before[1] != "-" and STRICTNESS[verdict] <= STRICTNESS[before[0]]:
            return
        now = (verdict, deciding(policy, rule, number, unknown))
        if policy.observes:
            self.observed = now
        else:
            self.enforced = now

    def line(self):
        logs = list(self.logs.values())[:LOGS_MAX]
        line = " ".join([self.enforced[0], self.enforced[1], self.observed[0], self.observed[1], str(len(logs))] + logs)
        if self.override and self.enforced[0] == ALLOW:
            line += self.override
        return line
