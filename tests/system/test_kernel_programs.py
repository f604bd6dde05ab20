"""Settings of the machine by which the kernel starts programs: nobody changes them where a policy could deny programs.

Nothing is written here: a setting that could be opened is closed again. (test_kernel_program.c: which ones there are.)
"""

import os
import unittest

import interpreters
from support import ALLOW_ALL, Test, python

NO_PROGRAMS = "policy none { deny exec as no-exec }\n"
SOME_PROGRAMS = """policy some "Python alone" {
    default deny exec
    allow exec where file matches "/**/python3*" as python
}
"""
NO_FORKS = "policy other { deny fork as no-fork }\n"
OBSERVED = "policy observed { mode observe  default deny all }\n"

DENIED = "denied by warder.kernel-programs: the kernel starts the program that is named there, and no policy would hold it"

PRELUDE = """
import os, sys
pattern = "/proc/sys/kernel/core_pattern"
def attempt(function):
    try:
        os.close(function())
        print("opened", flush=True)
    except OSError as error:
        print(error, flush=True)
"""

BY_EVENTS = """
class Text(str):
    pass
attempt(lambda: os.open(pattern, os.O_WRONLY))
attempt(lambda: os.open(pattern.encode(), os.O_RDWR))
attempt(lambda: os.open("/proc/self/root" + pattern, os.O_RDONLY | os.O_TRUNC))
os.chdir("/proc/sys/kernel")
attempt(lambda: os.open("core_pattern", os.O_WRONLY))
attempt(lambda: os.open(Text(pattern), os.O_WRONLY))
try:
    os.open(pattern, os.O_WRONLY)
except PermissionError as error:
    print(error.operation, error.policy, error.rule, error.event)
"""

# A name that the event cannot place, one that changes between the event and the call, and a library's own call.
SILENT = """
import readline
kept = [os.open("/", os.O_RDONLY) for _ in range(12)]
directory = os.open("/proc/sys", os.O_RDONLY)
attempt(lambda: os.open("kernel/core_pattern", os.O_WRONLY, dir_fd=directory))
class Path:
    def __fspath__(self):
        return pattern
attempt(lambda: os.open(Path(), os.O_WRONLY))
def append():
    readline.append_history_file(0, pattern)
    return os.dup(0)
attempt(append)
"""

OTHERS = """
attempt(lambda: os.open(pattern, os.O_RDONLY))
attempt(lambda: os.open("/proc/sys/kernel/core_uses_pid", os.O_WRONLY))
attempt(lambda: os.open("/proc/self/comm", os.O_WRONLY))
attempt(lambda: os.open("core_pattern", os.O_WRONLY | os.O_CREAT, 0o600))
attempt(lambda: os.open("core_pattern", os.O_RDWR))
attempt(lambda: os.open("nowhere/there", os.O_WRONLY))
os.remove("core_pattern")
"""

SPAWNED = """
def spawn():
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {},
                           file_actions=[(os.POSIX_SPAWN_OPEN, 9, pattern, os.O_WRONLY, 0)])
    os.waitpid(child, 0)
    return os.dup(0)
attempt(spawn)
"""

# What is opened is looked at where it lies, and nothing is written into it.
RACE = """
import threading, time
ordinary, link = os.path.abspath("ordinary"), os.path.abspath("link")
open(ordinary, "w").close()
os.symlink(ordinary, link)
def flip():
    while True:
        for target in pattern, ordinary:
            os.symlink(target, link + ".new")
            os.rename(link + ".new", link)
threading.Thread(target=flip, daemon=True).start()
end = time.monotonic() + 2
while time.monotonic() < end:
    try:
        one = os.open(link, os.O_WRONLY)
    except OSError:
        continue
    if os.readlink("/proc/self/fd/%d" % one) != ordinary:
        print("opened", flush=True)
    os.close(one)
print("over", flush=True)
os._exit(0)
"""


@unittest.skipUnless(os.geteuid() == 0, "root alone may write these settings")
class KernelPrograms(Test):
    per_interpreter = True
    short_on = staticmethod(interpreters.ends)

    def lines(self, policy, code):
        result = self.run_under(self.policy(policy), [python(), self.script(PRELUDE + code)], cwd=self.directory)
        self.assertEqual(result.status, 0, result)
        return result.out.splitlines()

    def test_denial_names_the_rule(self):
        for policy in NO_PROGRAMS, SOME_PROGRAMS:
            with self.subTest(policy):
                *lines, last = self.lines(policy, BY_EVENTS)
                self.assertEqual(len(lines), 5, lines)
                for line in lines:
                    self.assertIn(DENIED, line)
                self.assertEqual(last, "write warder kernel-programs open")

    def test_what_no_event_places_is_denied_at_the_c_boundary(self):
        lines = self.lines(NO_PROGRAMS, SILENT)
        self.assertEqual(len(lines), 3, lines)
        for line in lines:
            self.assertIn(DENIED, line)

    def test_files_that_a_spawned_program_is_given_are_judged(self):
        line, = self.lines(SOME_PROGRAMS, SPAWNED)
        self.assertIn(DENIED, line)

    def test_link_that_changes_leads_to_none(self):
        result = self.run_under(self.policy(NO_PROGRAMS), [python(), self.script(PRELUDE + RACE)], cwd=self.directory)
        if result.status:
            self.assertEqual((result.status, result.out), (126, ""), result)
            self.assertIn("a name was changed while it was opened", result.err)
        else:
            self.assertEqual(result.out, "over\n", result)

    def test_other_files_are_opened_as_before(self):
        *opened, missing = self.lines(NO_PROGRAMS, OTHERS)
        self.assertEqual(opened, ["opened"] * 5)
        self.assertIn("No such file", missing)

    def test_nothing_is_kept_where_programs_could_not_be_denied(self):
        for policy in ALLOW_ALL, NO_FORKS, OBSERVED:
            with self.subTest(policy):
                self.assertEqual(self.lines(policy, "attempt(lambda: os.open(pattern, os.O_WRONLY))\n" + SPAWNED),
                                 ["opened"] * 2)


if __name__ == "__main__":
    unittest.main()
