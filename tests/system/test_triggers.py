"""Every audit event of the catalogue that this interpreter raises is in the record, with its arguments.

The scripts and what their records must hold are in tests/triggers.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import interpreters
from support import ALLOW_ALL, TESTS, Test, free_threaded, python, python_version

sys.path.insert(0, str(TESTS / "triggers" / "support"))
import expectation  # noqa: E402

TRIGGERS = TESTS / "triggers"
NOT_HERE = 77
NOT_IN_EVERY_BUILD = ("sqlite3.enable_load_extension", "sqlite3.load_extension")
AT_ONCE = 2


class Triggers(Test):
    per_interpreter = True
    timeout = 900
    short_on = staticmethod(interpreters.ends)

    def check(self, row, policy):
        """None, or what is wrong."""
        script = TRIGGERS / expectation.script_name(row.event)
        result, rows = self.recorded(policy, [python(), script], event=row.event)
        if result.status == NOT_HERE and row.event in NOT_IN_EVERY_BUILD:
            return "not run: the script says that this build cannot raise it"
        found = [one["arguments"] for one in rows]
        if not found:
            return f"the record does not have it; {result}"
        expected = expectation.without_class_names(row.arguments) if free_threaded() else row.arguments
        reasons = [expectation.mismatch(expected, arguments) for arguments in found]
        return None if None in reasons else f"{reasons[-1]} (of {len(found)} recorded)"

    def test_every_event_is_recorded_with_its_arguments(self):
        policy = self.policy(ALLOW_ALL)
        rows = expectation.read(TRIGGERS)
        here = [row for row in rows if row.holds_on(python_version())]
        elsewhere = sorted({row.event for row in rows} - {row.event for row in here})
        self.assertGreater(len(here), 130)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            outcomes = list(pool.map(lambda row: self.check(row, policy), here))
        failed = []
        for row, outcome in zip(here, outcomes):
            if outcome and outcome.startswith("not run"):
                print(f"{row.event}: {outcome}")
            elif outcome:
                failed.append(f"{row.event}: {outcome}")
        print(f"{len(here)} events; not raised by this version: {', '.join(elsewhere) or 'none'}")
        self.assertEqual(failed, [])
