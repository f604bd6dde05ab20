"""The scripts of tests/escapes: none gets through, and each would without Warder."""

import unittest

from support import NO_PROCESS, TESTS, UNTRUSTED, Test, execute, python

ESCAPES = sorted((TESTS / "escapes").glob("*.py"))
SCRIPTS = [path for path in ESCAPES if path.name.startswith("base_")]
OTHERS = [path for path in ESCAPES if path not in SCRIPTS]


class Escapes(Test):
    per_interpreter = True
    timeout = 300

    def attempt(self, script, policy):
        """Whether the marker was made, and how the script ended."""
        place = self.directory / script.stem
        place.mkdir(exist_ok=True)
        marker = place / "marker"
        command = [python(), script, marker]
        result = self.run_under(policy, command, cwd=place) if policy else execute(command, cwd=place)
        made = marker.exists()
        marker.unlink(missing_ok=True)
        return made, result

    def test_there_are_scripts(self):
        self.assertGreaterEqual(len(SCRIPTS), 17)
        self.assertGreaterEqual(len(OTHERS), 13)

    def test_documented_ways_to_start_a_process_work_without_warder(self):
        for script in SCRIPTS:
            with self.subTest(script.name):
                made, result = self.attempt(script, None)
                self.assertTrue(made, result)

    def test_documented_ways_to_start_a_process_are_denied(self):
        for script in SCRIPTS:
            with self.subTest(script.name):
                made, result = self.attempt(script, NO_PROCESS)
                self.assertFalse(made, result)
                self.assertNotEqual(result.status, 0, result)
                # As PolicyDenied, or as PermissionError in a child that reports it.
                self.assertRegex(result.out + result.err, r"denied: warder: |PolicyDenied|PermissionError")

    def test_documented_ways_to_start_a_process_are_denied_to_untrusted_code(self):
        for script in SCRIPTS:
            with self.subTest(script.name):
                made, result = self.attempt(script, UNTRUSTED)
                self.assertFalse(made, result)
                self.assertRegex(result.out + result.err, r"denied: warder: |PolicyDenied|PermissionError")

    def test_other_ways_work_without_warder(self):
        for script in OTHERS:
            with self.subTest(script.name):
                made, result = self.attempt(script, None)
                self.assertTrue(made, result)

    def test_other_ways_are_no_way_for_untrusted_code(self):
        for script in OTHERS:
            with self.subTest(script.name):
                made, result = self.attempt(script, UNTRUSTED)
                self.assertFalse(made, result)
                self.assertNotEqual(result.status, 0, result)


if __name__ == "__main__":
    unittest.main()
