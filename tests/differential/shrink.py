"""A difference made small: whatever can be left out, and the two still disagree, is left out."""

import copy
import time

import comparison
import scene
import tree

SECONDS = 40  # after that it is small enough


class Case:
    """Everything that a difference needs, without anything shared with other cases."""

    def __init__(self, difference):
        setting = difference.setting
        self.texts, self.resolutions, self.today, self.subject, self.event = copy.deepcopy(
            (setting.texts, setting.resolutions, setting.today, difference.subject, difference.event))
        for text in self.texts:
            for policy in text.policies:
                for condition in tree.conditions_of(policy):
                    for predicate in tree.predicates_of(condition):
                        if predicate.form == "set":
                            predicate.form = "list"

    def difference(self, driver):
        names = {"%s/%s" % (text.tier, policy.name) for text in self.texts for policy in text.policies}
        subject = copy.copy(self.subject)  # which does not name what is left out
        subject.named = [name for name in subject.named if name in names]
        subject.overriding = [name for name in subject.overriding or () if name in names] or None
        setting = comparison.Setting(self.texts, self.resolutions, self.today, [subject])
        return comparison.differs(driver, setting, subject, self.event)


def without_each(items, least=0):
    """Ways to make a list shorter: halves first, then single ones."""
    size = len(items)
    step = size // 2
    while step >= 1:
        for start in range(0, size, step):
            kept = items[:start] + items[start + step:]
            if len(kept) >= least and len(kept) < size:
                yield kept
        step //= 2


def set_attribute(owner, name, value):
    def change():
        before = getattr(owner, name)
        setattr(owner, name, value)
        return lambda: setattr(owner, name, before)
    return change


def set_item(owner, key, value):
    def change():
        before = owner[key]
        owner[key] = value

        def undo():
            owner[key] = before
        return undo
    return change


def list_changes(owner, name, least=0):
    for kept in without_each(getattr(owner, name), least):
        yield set_attribute(owner, name, kept)


def condition_changes(owner, name):
    """A part instead of the whole, all the way down."""
    condition = getattr(owner, name)
    if condition is None:
        return
    yield set_attribute(owner, name, None)
    yield from inner_changes(lambda new: set_attribute(owner, name, new), condition)


def inner_changes(replace, condition):
    if isinstance(condition, tree.Predicate):
        yield from list_changes(condition, "literals", 1)
        return
    for child in condition.children:
        yield replace(child)
    for at, child in enumerate(condition.children):
        yield from inner_changes(lambda new, at=at: set_item(condition.children, at, new), child)


def policy_changes(policy):
    yield from list_changes(policy, "rules")
    yield from list_changes(policy, "overrides")
    yield from list_changes(policy, "defaults")
    yield from list_changes(policy, "applies")
    if policy.observes:
        yield set_attribute(policy, "observes", False)
    for rule in policy.rules + policy.overrides:
        yield from condition_changes(rule, "condition")
    for rule in policy.rules:
        for targets in ("classes", "events"):
            if getattr(rule, targets):
                yield from list_changes(rule, targets, 1)
    for default in policy.defaults:
        yield from list_changes(default, "classes", 1)
    for block in policy.applies:
        for at, condition in enumerate(block):
            if not isinstance(condition, tree.Predicate):
                yield from inner_changes(lambda new, block=block, at=at: set_item(block, at, new), condition)


def value_changes(owner, name):
    value = getattr(owner, name)
    if value is None or value.kind not in (scene.LIST, scene.MAP):
        return
    yield from list_changes(value, "content")


def event_changes(event):
    yield from list_changes(event, "operations")
    yield from list_changes(event, "arguments")
    for operation in event.operations:
        for name in list(operation.attributes):
            yield set_attribute(operation, "attributes",
                                {key: kept for key, kept in operation.attributes.items() if key != name})
        for attribute in operation.attributes.values():
            if attribute.resolved is not None and attribute.resolved is not attribute.value:
                yield set_attribute(attribute, "resolved", attribute.value)
            yield from value_changes(attribute, "value")


def subject_changes(subject):
    for fact in scene.Subject.FACTS:
        if getattr(subject, fact) is not None:
            yield set_attribute(subject, fact, None)
    for name in ("groups", "labels"):
        yield from list_changes(subject, name)
    if subject.overriding:
        yield set_attribute(subject, "overriding", None)
    for place, paths in subject.places.items():
        for kept in without_each(paths):
            yield set_item(subject.places, place, kept)


def all_changes(case):
    yield from list_changes(case, "texts", 1)
    for text in case.texts:
        yield from list_changes(text, "policies")
    if case.event:
        yield from list_changes(case.event, "operations")
    for text in case.texts:
        for policy in text.policies:
            yield from policy_changes(policy)
    if case.event:
        yield from event_changes(case.event)
    yield from subject_changes(case.subject)
    for path in list(case.resolutions):
        yield set_attribute(case, "resolutions",
                            {key: kept for key, kept in case.resolutions.items() if key != path})


def shrunk(difference, driver):
    """(case, difference); the difference as it came where it is not seen again alone."""
    if difference.subject is None:
        return None, difference
    case = Case(difference)
    smallest = case.difference(driver)
    if smallest is None:
        return None, difference
    end = time.monotonic() + SECONDS
    progress = True
    while progress and time.monotonic() < end:
        progress = False
        for change in all_changes(case):
            undo = change()
            found = case.difference(driver)
            if found is not None:
                smallest = found
                progress = True
                break  # the ways to go on are others now
            undo()
            if time.monotonic() > end:
                break
    return case, smallest


def show(case, difference):
    """For a person: the policies, who asked, what, and the two answers."""
    setting = difference.setting
    lines = []
    for text in setting.texts:
        lines.append("# tier %s%s" % (text.tier, ", observed" if text.observes else ""))
        lines.append(tree.write_text(text).rstrip("\n"))
    for path, target in setting.resolutions.items():
        lines.append("literal path %s resolves to %s" % (repr(path)[1:], repr(target)[1:]))
    lines.append("today is %s" % (tree.civil(setting.today) if setting.today > 0 else "not known"))
    if difference.subject is not None:
        lines.append(scene.show_subject(difference.subject))
    if difference.event is not None:
        lines.append(scene.show_event(difference.event))
    lines.append("the oracle:    " + difference.expected)
    lines.append("the evaluator: " + difference.got)
    if case is None:
        lines.append("(as it was found)")
    return "\n".join(lines)
