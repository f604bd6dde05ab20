"""CPython's own tests, run with and without Warder, every single outcome compared.

    python3 cpython_tests.py PYTHON MODULE...     by hand: what differs, and what is slower

Each run has a fresh directory and the same environment but for Warder. A difference counts if it shows again
when its test is run alone both ways, or, where it does not, when the whole module is run again; the rest is
called flaky and printed.
"""

import argparse
import collections
import contextlib
import csv
import fcntl
import itertools
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import interpreters
import support

HERE = Path(__file__).resolve().parent
RECORDER = HERE / "regrtest_recorder.py"
LISTED = HERE / "transparency-differences.tsv"

RUN_SECONDS = 600  # a run of a module that takes longer hangs
ALONE_SECONDS = 180  # so does a test that is run alone
ROUNDS = 3  # that a test is run alone; the difference must show in most of them
TOGETHER = 8  # tests that differ; more are run again together, and not one by one
FILES_MAX = 1024  # soft limit of open files: there is room above it, as on most hosts
SLOWER_SECONDS = 2.0  # and SLOWER_TIMES: what is worth a line
SLOWER_TIMES = 2.0

# Tests that no run makes, by regrtest's patterns, and why.
LEFT_OUT_TESTS = {
    "*VSOCKSocketStream*": "it waits for ever in a virtual machine that cannot reach itself, and its port is "
                           "fixed, so two runs at once meet each other",
}

# Modules whose runs disturb each other, whatever directory each has: one run of them at a time on this machine.
ALONE_MODULES = {
    "test_perf_profiler",  # removes every /tmp/perf-*.map that was not there when it began
}


@contextlib.contextmanager
def turn_of(module):
    """Holds a lock of the whole machine while runs of such a module go on."""
    with open(Path(tempfile.gettempdir(), f"warder-{module}.lock"), "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


# ------------------------------------------------------------------------------------------ one run

class Outcomes:
    """What became of each test of one run."""

    def __init__(self):
        self.tests = {}  # id: "passed", "failed", "failed x2 + error", ...
        self.texts = {}  # id: why
        self.seconds = {}  # id: how long
        self.unfinished = None  # id of the test that was running when the run ended
        self.module = ""  # "ran", "skipped", "hung", ...
        self.output = ""


def summary(counted):
    """The outcomes of one test: more than one where it has subtests, or runs more than once."""
    return " + ".join(name if count == 1 else f"{name} x{count}"
                      for name, count in sorted(counted.items()))


def read_record(path):
    result = Outcomes()
    counted = collections.defaultdict(collections.Counter)
    started = {}
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogatepass").splitlines()
    except FileNotFoundError:
        lines = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:  # the process ended while it wrote
            continue
        test = entry["test"]
        if "at" in entry:
            started[test] = entry["at"]
            counted[test].update(())
        elif "end" in entry:
            took = entry["end"] - started.pop(test, entry["end"])
            result.seconds[test] = result.seconds.get(test, 0) + took
        else:
            counted[test][entry["outcome"]] += 1
            if entry.get("text"):
                result.texts[test] = entry["text"]
    for test, counts in counted.items():
        result.tests[test] = summary(counts) or "no outcome"
    for test in started:
        result.unfinished = test
        result.tests[test] = "unfinished"
    return result


def module_state(status, output, tests):
    """What regrtest says of the module beyond its tests."""
    if status is None:
        return "hung"
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    if re.search(r"altered the execution environment|^Warning -- .* was modified by", output, re.M):
        return "changed its environment"
    if re.search(r"^Timeout \(", output, re.M):
        return "hung"
    if status != 0 and not any(re.search("failed|error|unexpected", one) for one in tests.values()):
        return f"status {status}, and no test failed"
    return "ran" if tests else "skipped"


class Run:
    """One run of regrtest, in a session of its own and a fresh directory."""

    def __init__(self, python, module, directory, select=(), policy=None, seconds=RUN_SECONDS):
        self.directory = Path(tempfile.mkdtemp(dir=directory, prefix="w" if policy else "o"))
        self.record = self.directory / "record"
        self.output = self.directory / "output"
        self.end = time.monotonic() + seconds + 20
        temporary = self.directory / "t"
        temporary.mkdir()
        command = [python, RECORDER, self.record, "--fail-env-changed", "--timeout", seconds,
                   "--tempdir", temporary]
        for pattern in LEFT_OUT_TESTS:
            command += ["-i", pattern]
        for pattern in select:
            command += ["-m", pattern]
        command.append(module)
        if policy:
            command = [support.WARDER, "run", "--policy", policy, "--", *command]
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [str(part) for part in command], cwd=self.directory, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, env=support.clean_environment(TMPDIR=temporary), start_new_session=True,
                preexec_fn=settle)

    def finish(self):
        try:
            status = self.process.wait(max(0, self.end - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            status = None
        result = read_record(self.record)
        result.output = self.output.read_text(errors="replace")
        result.module = module_state(status, result.output, result.tests)
        shutil.rmtree(self.directory, ignore_errors=True)
        return result


def settle():
    """What a process inherits and tests depend on, whoever started these."""
    for number in signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft > FILES_MAX:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES_MAX, hard))


# ------------------------------------------------------------------------------- listed differences

Listed = collections.namedtuple("Listed", "versions module test without under reason")


def covers(versions, version):
    """Whether a range such as "3.8", "3.8-3.11", "3.12.1-3.12.2", "3.12-" or "-3.9" holds a version."""
    first, dash, last = versions.partition("-")
    lower = tuple(int(part) for part in first.split(".")) if first else ()
    upper = tuple(int(part) for part in last.split(".")) if dash and last else () if dash else lower
    return version[:len(lower)] >= lower and version[:len(upper)] <= upper


def listed_differences(version, module, path=LISTED):
    """Those of one module that are to be expected in a version, by test."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter="\t") if row and not row[0].startswith("#")]
    entries = (Listed(*row) for row in rows[1:])
    return {one.test: one for one in entries if one.module == module and covers(one.versions, version)}


# ---------------------------------------------------------------------------------------- comparing

MODULE = "(the module itself)"
NOT_RUN = "not run"


class Difference:
    def __init__(self, test, without, under, text=""):
        self.test = test
        self.without = without
        self.under = under
        self.text = text

    def __str__(self):
        lines = self.text.rstrip().splitlines()[-12:]
        return "\n".join([f"{self.test}: {self.without} without Warder, {self.under} with it",
                          *(f"    | {line}" for line in lines)])


def is_broken(outcome):
    """Nothing but failures: on this machine the test tells nothing."""
    return re.fullmatch(r"(failed|error)( x\d+)?( \+ (failed|error)( x\d+)?)*", outcome) is not None


def differences(without, under):
    """What differs between two runs. Where one of them broke off, what came after is not counted; nor is how
    many errors a test has that has nothing else without Warder either."""
    broken = without.unfinished or under.unfinished
    found = []
    for test in sorted(without.tests.keys() | under.tests.keys()):
        one = without.tests.get(test, NOT_RUN)
        other = under.tests.get(test, NOT_RUN)
        if one == other or (broken and NOT_RUN in (one, other)) or (is_broken(one) and is_broken(other)):
            continue
        found.append(Difference(test, one, other, under.texts.get(test) or without.texts.get(test, "")))
    if without.module != under.module:
        found.append(Difference(MODULE, without.module, under.module, under.output))
    return found


def selection(test):
    """regrtest's pattern for one test; None where it has none of its own."""
    fixture = re.fullmatch(r"(?:setUpClass|tearDownClass) \((.*)\)", test)
    if fixture:
        return fixture[1] + ".*"
    if test == MODULE or " " in test or "." not in test:
        return None
    return re.sub(r"[*?[]", r"[\g<0>]", test)


class Comparison:
    """One module of CPython's tests, on one interpreter."""

    def __init__(self, python, version, module, directory, policy, select=(), say=print, economical=False):
        """Where it is `economical`, only what does not simply pass under Warder is run without it too."""
        self.python = python
        self.version = version
        self.module = module
        self.directory = directory
        self.policy = policy
        self.select = tuple(select)
        self.say = say
        self.economical = economical
        self.unlisted = []
        self.stale = []

    def start(self, policy, select, seconds=RUN_SECONDS):
        return Run(self.python, self.module, self.directory, select, policy, seconds)

    def both(self, select, seconds=RUN_SECONDS):
        """Without Warder and with it, at once where they do not disturb each other."""
        def start(policy):
            return self.start(policy, select, seconds)

        if self.module in ALONE_MODULES:
            with turn_of(self.module):
                return [start(policy).finish() for policy in (None, self.policy)]
        return [run.finish() for run in [start(policy) for policy in (None, self.policy)]]

    def first(self):
        """The first run without Warder, of which there may be only what is to be compared, and that with it."""
        if not self.economical or self.module in ALONE_MODULES or listed_differences(self.version, self.module):
            return self.both(self.select)
        under = self.start(self.policy, self.select).finish()
        rest = [test for test, outcome in under.tests.items() if outcome != "passed"]
        if under.tests and not rest and under.module == "ran":
            return under, under
        patterns = [selection(test) for test in rest]
        if not all(patterns) or not rest or under.module != "ran":
            return self.start(None, self.select).finish(), under
        without = self.start(None, patterns).finish()
        for test, outcome in under.tests.items():
            if outcome == "passed":
                without.tests.setdefault(test, outcome)
        # Where tests are left out, the module as a whole tells less: one in which all are skipped did run.
        without.module = "ran" if without.module == "skipped" else without.module
        return without, under

    def alone(self, tests):
        """How many of a few runs each of the tests differs in."""
        patterns = [selection(test) for test in tests]
        if not all(patterns):
            patterns = self.select
        counts = collections.Counter()
        for done in range(ROUNDS):
            found = {one.test for one in differences(*self.both(patterns, ALONE_SECONDS))}
            for test in tests:
                counts[test] += test in found
            if done + 1 < ROUNDS and all(count in (0, done + 1) for count in counts.values()) and done > 0:
                break  # twice the same
        return {test: counts[test] for test in tests}

    def again(self, found):
        """Those that show again, alone or in the module; the rest is flaky."""
        by_pattern = [one for one in found if selection(one.test)]
        counts = {}
        size = 1 if len(by_pattern) <= TOGETHER else len(by_pattern)
        for start in range(0, len(by_pattern), size):
            counts.update(self.alone([one.test for one in by_pattern[start:start + size]]))
        confirmed = [one for one in found if counts.get(one.test, 0) >= 2]
        rest = [one for one in found if one not in confirmed]
        if rest:
            # It may need the tests before it.
            repeated = {one.test: one for one in differences(*self.both(self.select))}
            for one in rest:
                same = repeated.get(one.test)
                if same and (same.without, same.under) == (one.without, one.under):
                    confirmed.append(one)
                else:
                    self.say(f"flaky: {one}\n"
                             f"  run alone it differed {counts.get(one.test, 0)} times of {ROUNDS}")
        return confirmed

    def run(self):
        without, under = self.first()
        listed = listed_differences(self.version, self.module)
        found = differences(without, under)
        passed = sum(one == "passed" for one in under.tests.values())
        compared = len(under.tests) if without is not under else 0
        compared = min(compared, len(without.seconds))
        self.say(f"{self.module}: {len(under.tests)} tests, {passed} passed, {sum(under.seconds.values()):.0f} s; "
                 f"{compared} of them without Warder too, {sum(without.seconds.values()) if compared else 0:.0f} s")
        if not without.tests and not under.tests and without.module == "skipped":
            self.say("  " + "".join(re.findall(r"^\S+ skipped.*", without.output, re.M)[:1]))

        def is_listed(one):
            entry = listed.get(one.test)
            return entry and (entry.without, entry.under) == (one.without, one.under)

        for one in filter(is_listed, found):
            self.say(f"listed: {one.test}: {one.without}, {one.under}: {listed[one.test].reason}")
        new = list(itertools.filterfalse(is_listed, found))
        if new:
            self.unlisted = self.again(new)
        gone = [test for test in listed if test not in {one.test for one in found}
                and (test in without.tests or test in under.tests or not self.select)]
        self.stale = [listed[test] for test in gone if not self.alone([test])[test]]
        self.note_slow(without, under)
        return self

    def note_slow(self, without, under):
        slow = [(seconds, without.seconds[test], test) for test, seconds in under.seconds.items()
                if test in without.seconds and seconds - without.seconds[test] > SLOWER_SECONDS
                and seconds > SLOWER_TIMES * without.seconds[test]]
        for seconds, before, test in sorted(slow, reverse=True)[:5]:
            self.say(f"slower: {test}: {before:.1f} s without Warder, {seconds:.1f} s with it")

    def problems(self):
        lines = [str(one) for one in self.unlisted]
        lines += [f"listed in {LISTED.name}, but it does not differ any more: {one.test} ({one.versions})"
                  for one in self.stale]
        return lines


# ------------------------------------------------------------------------------------------ modules

def has_module(python, module):
    """Whether a module of CPython's tests is installed; 3.12.1 forgot some, distributions many."""
    question = "import importlib.util as u, test.libregrtest, sys; print(bool(u.find_spec(sys.argv[1])))"
    try:
        answer = subprocess.run([python, "-I", "-c", question, f"test.{module}"], capture_output=True,
                                text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.stdout.strip() == "True"


def has_tests(python):
    """Whether an interpreter has CPython's tests at all."""
    return has_module(python, "test_audit")


def all_modules(python):
    answer = subprocess.run([python, "-m", "test", "--list-tests"], capture_output=True, text=True,
                            timeout=120, env=support.clean_environment(), check=True)
    return [line for line in answer.stdout.split() if line.startswith("test")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("python")
    parser.add_argument("modules", nargs="+")
    parser.add_argument("-m", "--match", action="append", default=[])
    arguments = parser.parse_args()
    path = os.path.realpath(arguments.python)
    version = next(one.version for one in interpreters.find() if one.path == path)
    directory = tempfile.mkdtemp(prefix="warder-test-")
    policy = Path(directory, "policy.warder")
    policy.write_text(support.ALLOW_ALL)
    bad = False
    try:
        for module in arguments.modules:
            comparison = Comparison(path, version, module, directory, policy, arguments.match).run()
            for line in comparison.problems():
                bad = True
                print(line)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
