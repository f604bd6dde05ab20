"""Arguments that are one thing when they are judged and another when they are used.

Every script tries to make a file where it may not, and prints what came of it."""

import unittest

from support import Test, python

NO_FILE = """policy no-file {
    default allow all
    deny write where not path under "/dev" as no-file
}
"""

# sys.argv[1] is the file.
PRELUDE = """
import os, sys, warnings
warnings.simplefilter("ignore")
made = sys.argv[1]
def attempt(function, *arguments):
    try:
        function(*arguments)
        print("done")
    except Exception as error:
        print(type(error).__name__)
"""


class Evasion(Test):
    per_interpreter = True

    def assertRefused(self, code, denied, policy=NO_FILE, refusals=("PolicyDenied",)):
        """Runs an attack: all of its attempts end in one and the same refusal, and no file is there."""
        made = self.directory / "made"
        script = self.script(PRELUDE + code)
        result = self.run_under(self.policy(policy), [python(), script, made])
        self.assertEqual(result.status, 0, result)
        self.assertIn(result.out.split(), [[refusal] * denied for refusal in refusals], result)
        self.assertFalse(made.exists(), result)


class Numbers(Evasion):
    def test_number_that_is_no_descriptor_and_names_a_path_is_judged_as_a_path(self):
        self.assertRefused("""
import io
class Number(int):
    def __fspath__(self):
        return made
for number in 2**40, -2**40, 2**100, 2**31:
    attempt(io.FileIO, Number(number), "w")
    attempt(open, Number(number), "w")
""", denied=8)

    def test_descriptors_are_opened_as_before(self):
        result = self.python_under(self.policy(NO_FILE), """
import os
ours, theirs = os.pipe()
open(theirs, "w").write("through")
print(open(ours).read(), open(True, "w", closefd=False).fileno())
""")
        self.assertEqual((result.status, result.out), (0, "through 1\n"), result)


class Buffers(Evasion):
    # From 3.12 on no bytearray is taken for a path.
    REFUSALS = "PolicyDenied", "TypeError"
    CHANGES = """
path = bytearray(b"/dev/null")
class Late:
    def __init__(self, number):
        self.number = number
    def __index__(self):
        path[:] = os.fsencode(made)
        return self.number
class Argument:
    def __fspath__(self):
        path[:] = b"/bin/sh"
        return "-c"
"""

    def test_path_that_can_change_after_it_was_judged_is_unknown(self):
        self.assertRefused(self.CHANGES + """
attempt(os.open, path, Late(os.O_WRONLY | os.O_CREAT))
path[:] = b"/dev/null"
attempt(os.mkdir, path, Late(0o700))
path[:] = b"/dev/null"
attempt(os.truncate, path, Late(0))
""", denied=3, refusals=self.REFUSALS)

    def test_program_whose_name_can_change_after_it_was_judged_is_unknown(self):
        policy = """policy one-program {
    default allow all
    default deny exec
    allow exec where file is "/bin/true" or file is "/usr/bin/true" as harmless
}
"""
        self.assertRefused(self.CHANGES + """
path[:] = b"/bin/true"
attempt(os.posix_spawn, path, ["sh", Argument(), "echo > " + made], os.environ)
path[:] = b"/bin/true"
attempt(os.execv, path, ["sh", Argument(), "echo > " + made])
""", denied=2, policy=policy, refusals=self.REFUSALS)


if __name__ == "__main__":
    unittest.main()
