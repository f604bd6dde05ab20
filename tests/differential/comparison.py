"""One set of policies under both: the driver's lines and the oracle's, side by side."""

import subprocess

import oracle
import scene
import tree
import vocabulary


class DriverEnded(Exception):
    """The driver ended in the middle: a crash, a sanitizer's report, or a line that it refused."""


class Driver:
    """The program that has the evaluator in it."""

    def __init__(self, path):
        self.path = path
        self.process = None

    def start(self):
        # What it says on stderr goes where ours goes.
        self.process = subprocess.Popen([self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, lines, answers):
        """So many answers to these lines."""
        if self.process is None:
            self.start()
        try:
            self.send(lines)
            return [self.answer() for _ in range(answers)]
        except (BrokenPipeError, DriverEnded) as error:
            status = self.stop()
            raise DriverEnded("the driver ended with status %s" % status) from error

    def send(self, lines):
        self.process.stdin.write(("\n".join(lines) + "\nF\n").encode())
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line.endswith(b"\n"):
            raise DriverEnded
        return line[:-1].decode()

    def stop(self):
        if self.process is None:
            return None
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdout.close()
        status = self.process.wait()
        self.process = None
        return status


class Setting:
    """A set of policies and who may ask: everything but events."""

    def __init__(self, texts, resolutions, today, subjects):
        self.texts = texts
        self.resolutions = resolutions
        self.today = today
        self.subjects = subjects

    def lines(self):
        lines = ["N %d" % self.today]
        lines += ["R x%s x%s" % (path.hex(), target.hex()) for path, target in self.resolutions.items()]
        for text in self.texts:
            lines.append("T %s %d x%s" % (text.tier, text.observes, tree.write_text(text).encode().hex()))
        return lines + ["C"]

    def subject_lines(self):
        return [scene.write_subject(subject, vocabulary.PLACES) for subject in self.subjects]


class Rejected(Exception):
    """The checker does not take the policies; its message."""


class Difference(Exception):
    """Two answers to one question. `event` is None where it is which policies govern."""

    def __init__(self, setting, subject, event, expected, got):
        super().__init__(expected, got)
        self.setting = setting
        self.subject = subject
        self.event = event
        self.expected = expected
        self.got = got


def governed_line(governing):
    return "governed by" + "".join(" " + policy.name for policy in governing)


def compare(driver, setting, values, make_events):
    """Judges the events that `make_events()` gives, (subject's number, event), in order of subject.
    Returns how many. `values` are those that events are made of, each with its number."""
    try:
        answer, = driver.ask(setting.lines(), 1)
    except DriverEnded as error:
        raise Difference(setting, None, None, "an answer", str(error)) from error
    if not answer.startswith("compiled"):
        raise Rejected(answer)
    judge = oracle.Judge(setting.texts, setting.resolutions, setting.today)
    events = make_events()
    lines = ["V " + scene.write_value(value) for value in values] + setting.subject_lines()
    lines += [scene.write_event(number, event) for number, event in events]
    try:
        if driver.process is None:
            driver.start()
        driver.send(lines)
        # The driver works while we do.
        expected = [governed_line(judge.session(subject)[1]) for subject in setting.subjects]
        expected += judge_all(judge, setting.subjects, events)
        got = [driver.answer() for _ in expected]
    except (BrokenPipeError, DriverEnded):
        return compare_singly(driver, setting, values, events)
    if got != expected:
        report(setting, events, expected, got)
    return len(events)


def judge_all(judge, subjects, events):
    answers = []
    current = None
    for number, event in events:
        if number != current:
            current = number
            subject = subjects[number]
            session, governing = judge.session(subject)
            overriding = governing
            if subject.overriding:
                overriding = [policy for policy in judge.policies if policy.name in subject.overriding]
        answers.append(judge.judge(session, governing, overriding, event))
    return answers


def compare_singly(driver, setting, values, events):
    """The driver has ended: on which event?"""
    driver.stop()
    for number, event in events:
        lines = setting.lines() + ["V " + scene.write_value(value) for value in values] + setting.subject_lines()
        lines.append(scene.write_event(number, event))
        try:
            driver.ask(lines, 2 + len(setting.subjects))
        except DriverEnded as error:
            raise Difference(setting, setting.subjects[number], event, "an answer", str(error)) from error
    raise Difference(setting, None, None, "answers", "the driver ended, and on no single event does so again")


def report(setting, events, expected, got):
    for at, (ours, theirs) in enumerate(zip(expected, got)):
        if ours == theirs:
            continue
        subjects = len(setting.subjects)
        if at < subjects:
            raise Difference(setting, setting.subjects[at], None, ours, theirs)
        number, event = events[at - subjects]
        raise Difference(setting, setting.subjects[number], event, ours, theirs)


def differs(driver, setting, subject, event):
    """The difference that is left of one case, or None. Its values are numbered anew."""
    setting = Setting(setting.texts, setting.resolutions, setting.today, [subject])
    values = []

    def number(value):
        value.number = len(values)
        values.append(value)

    if event is not None:
        for value in event.arguments:
            number(value)
        for operation in event.operations:
            for attribute in operation.attributes.values():
                number(attribute.value)
                if attribute.resolved is not None:
                    number(attribute.resolved)
    try:
        compare(driver, setting, values, lambda: [] if event is None else [(0, event)])
    except Rejected:
        return None
    except Difference as difference:
        return difference
    return None
