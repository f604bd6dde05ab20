"""A store that does not compile any more, or whose daemon does not live: looked at and changed without a daemon."""

import contextlib
import json
import os
import pwd
import sqlite3

from support import WARDER, WARDERD, Daemon, Test, execute, others_reach


class Mending(Test):
    GOOD = "policy one { deny exec as e }\n"
    BROKEN = "policy one { deny"

    def stopped(self, *texts):
        """The state directory of a daemon that has these policies, and ended."""
        daemon = self.daemon()
        for text in texts:
            daemon.apply(text)
        self.assertEqual(daemon.stop(), 0)
        return daemon

    def rewrite(self, daemon, **texts):
        with contextlib.closing(sqlite3.connect(daemon.state / "policy.db")) as database, database:
            for name, text in texts.items():
                database.execute("UPDATE revisions SET text = ? WHERE name = ?", (text, name))

    def revisions(self, daemon):
        with contextlib.closing(sqlite3.connect(daemon.state / "policy.db")) as database:
            return database.execute("SELECT name, revision, generation, who, text FROM revisions"
                                    " ORDER BY generation").fetchall()

    def mend(self, daemon, command, *arguments):
        return execute([WARDER, command, "--state-dir", daemon.state, *arguments])

    def start_refused(self, daemon):
        with self.assertRaises(AssertionError) as refused:
            daemon.start()
        daemon.process = None
        return str(refused.exception)

    def test_start_that_a_stored_policy_stops_says_what_to_do_and_that_works(self):
        daemon = self.stopped(self.GOOD, "policy two { deny fork as f }")
        self.rewrite(daemon, one=self.BROKEN)
        said = self.start_refused(daemon)
        self.assertIn("local/one:1:8: error[E010]: policy `one` is not closed", said)
        self.assertIn("no daemon starts with them", said)
        self.assertNotIn("the active policies stay", said)
        for command in "show", "remove":
            self.assertIn(f"`warder {command} --state-dir {daemon.state} TIER/NAME`", said)
        self.assertIn(f"`warder apply --state-dir {daemon.state} FILE`", said)
        rows = self.mend(daemon, "list").out.splitlines()[1:]
        self.assertRegex(rows[0], r"^local +one +- +- +- +1 .* does not compile: line 1: policy `one` is not closed")
        self.assertRegex(rows[1], r"^local +two +enforce +who names it +1 +1 .*(?<!compile)$")
        one, two = map(json.loads, self.mend(daemon, "list", "--json").out.splitlines())
        self.assertEqual((one["problem"], two.get("problem")), ("line 1: policy `one` is not closed: a `}` is missing", None))
        self.assertEqual(self.mend(daemon, "show", "local/one").out, self.BROKEN + "\n")
        result = self.mend(daemon, "remove", "local/one")
        self.assertEqual((result.status, result.out),
                         (0, "removed local/one; generation 3 is stored for the next daemon\n"), result)
        daemon.start()
        self.assertEqual(daemon.status()["policies"], 1)
        self.assertEqual(daemon.status()["generation"], 3)
        who = f"uid {os.getuid()} (without a daemon)"
        self.assertEqual(self.revisions(daemon)[-1], ("one", 2, 3, who, None))
        self.assertIn(f"local/one removed by {who}, generation 3", [row["summary"] for row in daemon.log()])

    def test_text_that_compiles_takes_the_place_of_one_that_does_not(self):
        daemon = self.stopped(self.GOOD)
        self.rewrite(daemon, one=self.BROKEN)
        bad = self.mend(daemon, "apply", self.policy("policy one { deni exec as e }"))
        self.assertEqual(bad.status, 1, bad)
        self.assertIn("nothing was changed", bad.err)
        result = self.mend(daemon, "apply", self.policy(self.GOOD))
        self.assertEqual((result.status, result.out),
                         (0, "applied 1 policy; generation 2 is stored for the next daemon\n"), result)
        daemon.start()
        self.assertEqual(daemon.command("show", "one").out, self.GOOD)

    def test_store_is_mended_step_by_step(self):
        daemon = self.stopped(self.GOOD, "policy two { deny fork as f }")
        self.rewrite(daemon, one=self.BROKEN, two="policy two { deny")
        rows = self.mend(daemon, "list").out.splitlines()
        self.assertRegex(rows[1], r"^local +one +- +- +- +1 .* does not compile: line 1: ")
        self.assertRegex(rows[2], r"^local +two +- +- +- +1 .* does not compile: line 1: ")
        first = self.mend(daemon, "remove", "one")
        self.assertEqual(first.status, 0, first)
        self.assertIn("local/two:1:8: error", first.out)
        self.assertIn("no daemon starts with them", first.out)
        self.assertNotIn("local/one:", first.out)
        self.assertIn("local/two:1:8: error", self.start_refused(daemon))
        self.assertEqual(self.mend(daemon, "remove", "two").out,
                         "removed local/two; generation 4 is stored for the next daemon\n")
        daemon.start()

    def test_store_of_a_daemon_that_lives_is_refused(self):
        daemon = self.daemon()
        daemon.apply(self.GOOD)
        for command in ("list",), ("show", "one"), ("remove", "one"), ("apply", self.policy("policy two { }")):
            result = self.mend(daemon, *command)
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertEqual(len(result.err.splitlines()), 1, result)
            self.assertIn(f"another daemon, with pid {daemon.process.pid}, keeps its state here", result.err)
            self.assertIn("one that lives is asked without --state-dir", result.err)
        self.assertEqual(daemon.status()["generation"], 1)

    def test_directory_that_no_daemon_used_is_no_store_and_can_become_one(self):
        place = self.directory / "place"
        place.mkdir(mode=0o700)
        daemon = Daemon(place)
        result = self.mend(daemon, "list")
        self.assertEqual(result.status, 2, result)
        self.assertIn("No such file or directory", result.err)
        daemon.state.mkdir(mode=0o700)
        for command in ("list",), ("show", "one"), ("remove", "one"):
            result = self.mend(daemon, *command)
            self.assertEqual(result.status, 2, result)
            self.assertIn("there is no policy.db", result.err)
        self.assertEqual(list(daemon.state.iterdir()), [])
        self.assertEqual(self.mend(daemon, "apply", self.policy(self.GOOD)).status, 0)
        self.addCleanup(self.finish, daemon)
        daemon.start()
        self.assertEqual([json.loads(line)["name"] for line in daemon.command("list", "--json").out.splitlines()], ["one"])

    def test_what_root_mends_stays_the_daemon_s_user_s(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become somebody else")
        nobody = pwd.getpwnam("nobody")
        self.directory.chmod(0o755)
        if not others_reach(WARDER, nobody.pw_uid):
            self.skipTest(f"{WARDER} cannot be reached by other users")
        daemon = self.stopped(self.GOOD)
        daemon.directory.chmod(0o755)
        self.rewrite(daemon, one=self.BROKEN)
        (daemon.state / "audit.db").unlink()  # is made anew
        for path in daemon.state, *daemon.state.iterdir():
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        result = self.mend(daemon, "remove", "one")
        self.assertEqual(result.status, 0, result)
        self.assertEqual({path.stat().st_uid for path in daemon.state.iterdir()}, {nobody.pw_uid})
        self.assertTrue((daemon.state / "audit.db").exists())
        self.assertEqual(self.revisions(daemon)[-1][3], "uid 0 (without a daemon)")

    def test_host_s_daemon_takes_no_orders_to_serve_without_its_policies(self):
        for option in "--mending", "--reading", "--temporary":
            result = execute([WARDERD, "--foreground", option, "--state-dir", self.directory / "s", "--socket",
                              self.directory / "a.sock"])
            self.assertEqual(result.status, 2, result)
            self.assertIn("for `warder` alone", result.err)
