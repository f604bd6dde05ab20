"""CPython's own tests have the same results with and without Warder, under a policy that allows everything.

What differs all the same is listed in transparency-differences.tsv, each with its reason. A difference that
is not listed fails the test, and so does one that is and does not occur any more.
"""

import functools

import interpreters
from cpython_tests import LEFT_OUT_TESTS, Comparison, all_modules, has_module, has_tests
from support import ALLOW_ALL, Test, python, python_version

MODULES = ("test_multiprocessing_fork", "test_subprocess", "test_socket", "test_io", "test_threading",
           "test_os", "test_pathlib", "test_importlib", "test_import", "test_audit", "test_json",
           "test_ctypes")

# The whole suite, in so many entries of about the same length.
PARTS = 12

# Of the whole suite: what cannot run here, and why.
LEFT_OUT_MODULES = {
}
LEFT_OUT_RESOURCES = {
    "network, urlfetch": "the internet",
    "gui, audio": "a display, a sound device",
    "largefile, extralargefile": "gigabytes of disk",
    "bigmem (no --memlimit)": "gigabytes of memory",
    "cpu, walltime": "hours",
    "tzdata, xpickle": "other data, other versions of CPython",
}


@functools.cache
def with_tests():
    return [one for one in interpreters.find() if has_tests(one.path)]


class Transparency(Test):
    per_interpreter = True
    prefix = "transparency"

    def say(self, line):
        print(line, flush=True)

    def compare(self, modules, economical=False):
        if not has_tests(python()):
            self.fail(f"{python()} lacks CPython's tests (on Debian, the package libpython3.11-testsuite)")
        policy = self.policy(ALLOW_ALL)
        problems = []
        for module in modules:
            comparison = Comparison(python(), python_version(), module, self.directory, policy, say=self.say,
                                    economical=economical)
            problems += comparison.run().problems()
        if problems:
            self.fail("\n".join(["with Warder this is different:", *problems]))


class Ends(Transparency):
    """The oldest and the newest interpreter; without Warder only what does not simply pass with it."""

    labels = ("transparency",)
    timeout = 1200

    @staticmethod
    def choose(found):
        able = with_tests()
        # Without any there is one entry all the same, and it fails.
        return [able[0], *able[1:][-1:]] if able else found[:1]

    def test_difference_is_found_where_what_passes_is_not_run_twice(self):
        policy = self.policy('policy p { deny exec as e }')
        comparison = Comparison(python(), python_version(), "test_popen", self.directory, policy, say=self.say,
                                economical=True)
        problems = "\n".join(comparison.run().problems())
        self.assertRegex(problems, r"test_popen.*test_popen: passed without Warder, (error|failed)")
        self.assertIn("denied by local/p.e", problems)


class Between(Transparency):
    """The interpreters between those, with everything run both ways."""

    labels = ("transparency", "long")
    timeout = 1200

    @staticmethod
    def choose(found):
        return with_tests()[1:-1]


class Whole(Transparency):
    """All else that CPython tests, on all interpreters; without Warder only what does not simply pass with it."""

    labels = ("transparency", "long")
    timeout = 3 * 3600

    @staticmethod
    def choose(found):
        return with_tests()

    def part(self, number):
        for what, lacking in LEFT_OUT_RESOURCES.items():
            self.say(f"left out: what needs {what}: {lacking}")
        for what, why in LEFT_OUT_TESTS.items():
            self.say(f"left out: {what}: {why}")
        done = tuple(f"test.{module}." for module in MODULES)
        rest = [one for one in all_modules(python()) if one not in MODULES and not one.startswith(done)]
        mine = rest[number::PARTS]
        for module in mine:
            if module in LEFT_OUT_MODULES:
                self.say(f"left out: {module}: {LEFT_OUT_MODULES[module]}")
        self.compare([one for one in mine if one not in LEFT_OUT_MODULES], economical=True)


def add_entries():
    def module_test(module, economical):
        def test(self):
            if has_tests(python()) and not has_module(python(), module):
                self.skipTest(f"the installation of {python()} lacks {module}")
            self.compare([module], economical)
        return test

    def part_test(number):
        return lambda self: self.part(number)

    for module in MODULES:
        for kind in Ends, Between:
            setattr(kind, f"test_{module}", module_test(module, kind is Ends))
    for number in range(PARTS):
        setattr(Whole, f"test_all_of_cpython_{number + 1:02}_of_{PARTS}", part_test(number))


add_entries()
