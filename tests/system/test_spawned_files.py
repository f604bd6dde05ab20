"""Files that posix_spawn opens in its child, which no audit event has."""

import unittest

from support import Test, python

CODE = """
import os, sys
path, flags = sys.argv[1], int(sys.argv[2])
actions = [(os.POSIX_SPAWN_OPEN, 1, path, flags, 0o644)]
try:
    child = os.posix_spawn("/bin/echo", ["echo", "written"], {}, file_actions=actions)
    print("child", os.waitpid(child, 0)[1])
except PermissionError as error:
    print(error)
"""


class SpawnedFiles(Test):
    per_interpreter = True

    def attempt(self, policy, path, flags):
        return self.run_under(self.policy(policy), [python(), self.script(CODE), path, str(flags)],
                              cwd=self.directory)

    def setUp(self):
        super().setUp()
        self.forbidden = self.directory / "forbidden"
        self.forbidden.mkdir()
        self.policies = [f'policy p {{ {more} deny write where path under "{self.forbidden}" as no-writing\n'
                         f'deny read where path under "{self.forbidden}" as no-reading }}'
                         for more in ("", 'deny exec where file is "/bin/false" as no-false\n')]

    def test_a_file_that_may_not_be_written_is_not_made(self):
        for policy in self.policies:
            with self.subTest(policy):
                result = self.attempt(policy, self.forbidden / "file", 0o1101)
                self.assertIn("no-writing", result.out, result)
                self.assertFalse((self.forbidden / "file").exists())

    def test_a_file_that_may_not_be_read_is_not_opened(self):
        (self.forbidden / "file").write_text("kept")
        for policy in self.policies:
            with self.subTest(policy):
                result = self.attempt(policy, self.forbidden / "file", 0)
                self.assertIn("no-reading", result.out, result)

    def test_others_are(self):
        for policy in self.policies:
            with self.subTest(policy):
                result = self.attempt(policy, "allowed", 0o1101)
                self.assertIn("child", result.out, result)
                self.assertEqual((self.directory / "allowed").read_text(), "written\n")


if __name__ == "__main__":
    unittest.main()
