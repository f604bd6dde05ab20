"""A fork that is allowed for the sake of a program: its child is to start it, and nothing else."""

import unittest

import interpreters
from support import Test, python

POLICY = """
policy p {
    deny fork as no-fork
    default deny exec
    allow exec where file is "/bin/true" as only-true
    allow exec where file is "/usr/bin/true" as only-true-there
}
"""

# An event that says that a program is to start, and a fork whose child goes on without one.
FORGED = """
import _posixsubprocess, os, select, signal, sys, time
reading, writing = os.pipe()
os.set_inheritable(writing, True)
errors, error = os.pipe()
def stay():
    os.write(writing, b"alive")
    while True:
        pass
sys.audit("subprocess.Popen", "/bin/true", ["/bin/true"], None, None)
version = sys.version_info
arguments = [[b"x"], [b"/bin/nothing"], True, tuple(sorted((error, writing))), None, None, -1, -1, -1, -1, -1, -1,
             errors, error, False, False]
if version >= (3, 9):
    arguments += ([-1] if version >= (3, 11) else []) + [None, None, None, -1]
arguments.append(stay)
if (3, 11) <= version < (3, 14):
    arguments.append(True)
try:
    child = _posixsubprocess.fork_exec(*arguments)
except PermissionError as refused:
    print("refused", refused)
    sys.exit()
os.close(writing)
began = time.monotonic()
_, status = os.waitpid(child, 0)
print("ended", os.WTERMSIG(status) == signal.SIGKILL or os.WEXITSTATUS(status), time.monotonic() - began < 60)
"""


class ForkForExec(Test):
    per_interpreter = True

    def test_the_program_is_started(self):
        result = self.run_under(self.policy(POLICY), [python(), "-c", """
import subprocess
print(subprocess.run(["/bin/true"]).returncode)
print(subprocess.run(["/bin/true"], preexec_fn=int).returncode)
"""])
        self.assertEqual((result.status, result.out), (0, "0\n0\n"), result)

    @interpreters.short_on(interpreters.ends)
    def test_a_copy_of_the_process_does_not_go_on_in_its_place(self):
        result = self.run_under(self.policy(POLICY), [python(), self.script(FORGED)])
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.out, r"^(refused .*no-fork.*|ended True True)\n$", result)


if __name__ == "__main__":
    unittest.main()
