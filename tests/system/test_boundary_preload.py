"""What would make the loader pass over the hook in a program that is started: limits, other rights.

(test_hook_file.py: the file itself.)
"""

import os
import shutil

from support import ALLOW_ALL, Test, python

SOME_PROGRAMS = """policy some "Python, and what does nothing" {
    default deny exec
    allow exec where file matches "/**/python3*" as python
    allow exec where file matches "/**/true" as true
}
"""

# What the new program says of itself.
PRELUDE = """
import os, resource, subprocess, sys, threading, time
free = "print('hooked' if any('libwarder' in line for line in open('/proc/self/maps')) else 'FREE', flush=True)"
def become():
    try:
        os.execv(sys.executable, [sys.executable, "-S", "-c", free])
    except OSError as error:
        print(error, flush=True)
"""

LIMITS = """
def attempt(limit, value):
    sys.stdout.flush()
    if os.fork() == 0:
        resource.setrlimit(limit, (value, resource.getrlimit(limit)[1]))
        become()
        os._exit(0)
    os.wait()
attempt(resource.RLIMIT_AS, 31 << 20)
attempt(resource.RLIMIT_DATA, 15 << 20)
attempt(resource.RLIMIT_NOFILE, 3)
attempt(resource.RLIMIT_AS, 4 << 30)
attempt(resource.RLIMIT_DATA, 2 << 30)
attempt(resource.RLIMIT_NOFILE, 64)
"""

MANY_WAITS = 50  # of 2 s each, for what never comes, are more than a program here has

NO_MEMORY = """
resource.setrlimit(resource.RLIMIT_DATA, (1 << 20, resource.RLIM_INFINITY))
for i in range(int(sys.argv[1])):
    become()
os._exit(0)
"""

# Each child loads programs while a thread of it lowers the limit and raises it again.
FLIPS = """
least = int(sys.argv[1])
def flip():
    while True:
        for limit in least, resource.RLIM_INFINITY:
            time.sleep(0.0005)
            try:
                resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.RLIM_INFINITY))
            except OSError:
                pass
for i in range(10):
    sys.stdout.flush()
    if os.fork() == 0:
        threading.Thread(target=flip, daemon=True).start()
        for j in range(100):
            try:
                os.execv(sys.executable, [sys.executable, "-S", "-c", free])
            except (OSError, MemoryError):
                pass
        os._exit(0)
    os.wait()
"""

OTHERS = """
child = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
def attempt(process, *limits):
    try:
        resource.prlimit(process, resource.RLIMIT_CORE, *limits)
        print("done")
    except OSError as error:
        print(error.errno)
attempt(child.pid, (0, 0))
attempt(child.pid)
attempt(0, (0, 0))
attempt(os.getpid(), (0, 0))
child.communicate(b"")
"""

# Whether the program exists for another user is not the question: `true` does.
OTHER_USER = """
program = sys.argv[1]
for change in lambda: os.seteuid(65534), lambda: os.setegid(65534), lambda: None:
    sys.stdout.flush()
    if os.fork() == 0:
        change()
        try:
            os.execv(program, [program])
        except OSError as error:
            print(error, flush=True)
        os._exit(1)
    print(os.wait()[1])
"""


class Preload(Test):
    per_interpreter = True

    def under(self, policy, code, *arguments):
        return self.run_under(self.policy(policy), [python(), "-S", self.script(PRELUDE + code), *arguments])

    def test_exec_with_limits_too_low_for_the_hook_is_refused_and_says_so(self):
        result = self.under(SOME_PROGRAMS, LIMITS)
        lines = result.out.splitlines()
        self.assertEqual(len(lines), 6, result)
        for line, name in zip(lines, ("RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_NOFILE")):
            self.assertIn(f"({name}) is too low to load Warder's hook", line, result)
        self.assertEqual(lines[3:], ["hooked"] * 3, result)

    def test_execs_that_have_no_memory_to_be_judged_in_do_not_wait_for_any(self):
        result = self.under(SOME_PROGRAMS, NO_MEMORY, MANY_WAITS)
        lines = result.out.splitlines()
        self.assertEqual(len(lines), MANY_WAITS, result)
        for line in lines:
            self.assertIn("(RLIMIT_DATA) is too low to load Warder's hook", line)

    def test_limits_of_another_process_are_not_set_where_programs_are_held(self):
        result = self.under(SOME_PROGRAMS, OTHERS)
        self.assertEqual(result.out.split(), ["1", "done", "done", "done"], result)

    def test_policy_that_allows_everything_refuses_no_limit(self):
        result = self.under(ALLOW_ALL, OTHERS)
        self.assertEqual(result.out.split(), ["done"] * 4, result)

    def test_exec_with_other_effective_ids_is_refused(self):
        if os.geteuid() != 0:
            self.skipTest("only root has other ids to take")
        lines = self.under(SOME_PROGRAMS, OTHER_USER, shutil.which("true")).out.splitlines()
        self.assertEqual((lines[1], lines[3:]), ("256", ["256", "0"]), lines)
        for line in lines[0], lines[2]:
            self.assertIn("its real and effective user or group are not the same", line)

    def test_limits_are_not_lowered_under_an_exec_by_another_thread(self):
        result = self.under(SOME_PROGRAMS, FLIPS, 1 << 20)
        self.assertNotIn("cannot be preloaded", result.err)
        self.assertEqual(set(result.out.split()), {"hooked"}, result)
