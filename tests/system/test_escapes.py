"""The scripts of tests/escapes: none gets through all rings, and each would without Warder.

`./dev escapes` prints the whole table; here is what it must never say."""

import os
import unittest

import corpus
import escapes
import interpreters
from support import Test

RACE = 1  # seconds that a race has
WITHOUT_RACE = 30


class Escapes(Test):
    per_interpreter = True
    timeout = 900
    user = None
    race = RACE
    runs = 1
    place = None

    @classmethod
    def setUpClass(cls):
        cls.python = os.environ.get("WARDER_TEST_PYTHON")
        cls.place = corpus.Place()
        cls.addClassCleanup(cls.place.close)

    def attempts(self, setting, pattern="*"):
        for script in corpus.scripts(pattern):
            if not setting.concerns(script):
                continue
            for _ in range(self.runs):
                # Without Warder a race ends as soon as it is won, which may take a while on a busy machine.
                seconds = WITHOUT_RACE if setting is corpus.WITHOUT else self.race
                attempt = self.place.attempt(script, self.python, self.user, setting, seconds)
                if attempt.outcome == corpus.UNABLE:
                    print(f"cannot be tried: {script.name}: {attempt.by}", flush=True)
                yield script, attempt

    def nothing_gets_through(self, setting):
        """Nothing but what is known to be a hole, and is said to be one."""
        tried = 0
        holes = escapes.Reasons(corpus.ESCAPES / "not-held.tsv")
        user = "root" if os.geteuid() == 0 and self.user is None else "user"
        for script, attempt in self.attempts(setting):
            hole = holes.find(setting.name, user, script.name)
            if hole and attempt.outcome == corpus.THROUGH:
                print(f"not held: {script.name}: {hole}", flush=True)
                continue
            with self.subTest(script.name):
                self.assertIn(attempt.outcome, (corpus.HELD, corpus.UNABLE), attempt)
                # A process that broke is not one that was held; what overwrites its own memory breaks itself.
                if script.family != "code" and not script.ends_itself:
                    self.assertNotIn(attempt.status, CRASHES, attempt)
            tried += attempt.outcome != corpus.UNABLE
        self.assertGreater(tried, 20)


CRASHES = (-11, -6, -7, -4, 128 + 11, 128 + 6, 128 + 7, 128 + 4)


# The library takes the exception for a program that is not there, and says nothing.
UNSEEN = ("base_antigravity", "base_browser", "base_debugger", "base_helpers_on_path")


class Documented(Escapes):
    """The documented ways to start a process: what the policy for it is first judged by."""

    def test_every_documented_way_to_start_a_process_is_denied_by_the_policy_and_says_so(self):
        tried = 0
        for script, attempt in self.attempts(corpus.NO_PROCESS_ALL, "base_*"):
            with self.subTest(script.name):
                if attempt.outcome == corpus.UNABLE:
                    continue
                tried += 1
                self.assertEqual(attempt.outcome, corpus.HELD, attempt)
                self.assertRegex(attempt.by, r"^no-process\.no-(exec|fork) at |^kernel: \[Errno 13\]", attempt)
                if script.name not in UNSEEN:
                    self.assertRegex(attempt.output, "denied by local/no-process|PolicyDenied|PermissionError|Errno 13", attempt)
        self.assertGreater(tried, 25)


class AllRings(Escapes):
    """On the oldest interpreter, the newest and the distribution's: little of it differs between versions."""

    choose = staticmethod(interpreters.ends)

    def test_no_script_of_the_corpus_gets_through_all_rings(self):
        self.nothing_gets_through(corpus.ALL_RINGS)


class Without(Escapes):
    short_on = staticmethod(interpreters.oldest_and_newest)

    def test_scripts_of_the_corpus_work_without_warder(self):
        for script, attempt in self.attempts(corpus.WITHOUT):
            with self.subTest(script.name):
                self.assertIn(attempt.outcome, (corpus.THROUGH, corpus.UNABLE), attempt)
                if attempt.outcome == corpus.THROUGH and not script.ends_itself:
                    self.assertEqual(attempt.status, 0, attempt)


class Ends(Escapes):
    choose = staticmethod(interpreters.oldest_and_newest)

    def test_no_script_of_the_corpus_makes_a_process_under_no_process(self):
        self.nothing_gets_through(corpus.NO_PROCESS_ALL)

    def test_arguments_that_change_get_nothing_past_the_boundary(self):
        self.nothing_gets_through(corpus.TWO_RINGS_1_2)


@unittest.skipUnless(os.geteuid() == 0, "only root can be two users at once")
class OrdinaryUser(Escapes):
    user = corpus.NOBODY

    choose = staticmethod(interpreters.newest)

    def test_scripts_of_the_corpus_work_without_warder_for_an_ordinary_user(self):
        for script, attempt in self.attempts(corpus.WITHOUT):
            with self.subTest(script.name):
                self.assertIn(attempt.outcome, (corpus.THROUGH, corpus.UNABLE), attempt)

    def test_no_script_of_the_corpus_gets_through_all_rings_for_an_ordinary_user(self):
        self.nothing_gets_through(corpus.ALL_RINGS)

    def test_no_script_of_the_corpus_makes_a_process_under_no_process_for_an_ordinary_user(self):
        self.nothing_gets_through(corpus.NO_PROCESS_ALL)


class Many(Escapes):
    """Ten runs of each, for what depends on the moment."""

    labels = ("system", "long")
    timeout = 4 * 3600
    runs = 10
    race = RACE / 2

    def test_no_script_of_the_corpus_gets_through_in_ten_runs(self):
        self.nothing_gets_through(corpus.ALL_RINGS)

    def test_no_script_of_the_corpus_makes_a_process_in_ten_runs_under_no_process(self):
        self.nothing_gets_through(corpus.NO_PROCESS_ALL)

    def test_arguments_that_change_get_nothing_past_the_boundary_in_ten_runs(self):
        self.nothing_gets_through(corpus.TWO_RINGS_1_2)


class ManyOfAnOrdinaryUser(Many):
    user = corpus.NOBODY

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("only root can be two users at once")
        super().setUp()

    test_no_script_of_the_corpus_gets_through_in_ten_runs = None
    test_no_script_of_the_corpus_makes_a_process_in_ten_runs_under_no_process = None
    test_arguments_that_change_get_nothing_past_the_boundary_in_ten_runs = None

    def test_no_script_of_the_corpus_gets_through_in_ten_runs_for_an_ordinary_user(self):
        self.nothing_gets_through(corpus.ALL_RINGS)


class Files(Test):
    def test_every_script_is_of_a_family_and_every_family_has_a_script(self):
        families = corpus.families()
        scripts = corpus.scripts()
        self.assertEqual(sorted({script.family for script in scripts}), sorted(families))
        self.assertGreaterEqual(len(scripts), 73)  # the first thirty-three, and forty more

    def test_every_script_says_what_it_tries(self):
        for script in corpus.scripts():
            self.assertTrue(script.text.startswith(("# ", "import ")), script.name)

    def test_only_what_is_named_is_explained_as_not_held(self):
        reasons = escapes.Reasons(corpus.ESCAPES / "not-held.tsv")
        for setting, user, script, reason in reasons.lines:
            self.assertNotIn("all", (setting, user), reason)
            self.assertTrue(reason)
            self.assertTrue(corpus.scripts(script), f"{script} is no script")
            self.assertNotIn(setting, ("*", "no-process"), "nothing is to get through no-process")
            if setting == "all-rings":
                self.assertNotRegex(script, r"[*?\[]", "a hole is one script")


if __name__ == "__main__":
    unittest.main()
