"""The policies of a host: kept, changed, listed."""

import json
import os
import pwd
import sqlite3
import signal
import sys
import unittest

import wire
from support import WARDER, Daemon, Test, execute, interpreter_process


class Store(Test):
    def test_store_that_a_newer_program_made_stops_the_start_and_is_left_alone(self):
        for name in "policy.db", "audit.db":
            with self.subTest(name):
                daemon = self.daemon()
                self.assertEqual(daemon.stop(), 0)
                with sqlite3.connect(daemon.state / name) as database:
                    database.execute("PRAGMA user_version = 99")
                database.close()
                before = (daemon.state / name).read_bytes()
                with self.assertRaisesRegex(AssertionError, f"{name}: made by a newer Warder"):
                    daemon.start()
                daemon.process = None
                self.assertEqual((daemon.state / name).read_bytes(), before)

    def test_store_that_cannot_be_read_stops_the_start_and_is_left_alone(self):
        for name in "policy.db", "audit.db":
            with self.subTest(name):
                daemon = self.daemon()
                self.assertEqual(daemon.stop(), 0)
                (daemon.state / name).write_bytes(b"this is no database" * 1000)
                with self.assertRaisesRegex(AssertionError, f"{name}: .*: file is not a database; restore it from a copy, "
                                                            "or move it away to start anew"):
                    daemon.start()
                daemon.process = None
                self.assertTrue((daemon.state / name).read_bytes().startswith(b"this is no database"))

    def test_somebody_else_s_database_is_left_alone(self):
        daemon = self.daemon()
        self.assertEqual(daemon.stop(), 0)
        for path in daemon.state.glob("policy.db*"):
            path.unlink()
        with sqlite3.connect(daemon.state / "policy.db") as database:
            database.execute("CREATE TABLE theirs (x)")
        database.close()
        with self.assertRaisesRegex(AssertionError, "this is not Warder's database"):
            daemon.start()
        daemon.process = None

    def test_policies_survive_a_restart(self):
        daemon = self.daemon()
        daemon.apply("policy one { deny exec as e }\n# of the second\npolicy two { deny fork as f }")
        daemon.kill()
        daemon.start()
        listed = [json.loads(line) for line in daemon.command("list", "--json").out.splitlines()]
        self.assertEqual([(entry["tier"], entry["name"], entry["revision"]) for entry in listed],
                         [("local", "one", 1), ("local", "two", 1)])
        self.assertEqual(daemon.command("show", "two").out, "# of the second\npolicy two { deny fork as f }\n")

    def test_policy_that_does_not_check_changes_nothing(self):
        # Clause V-9.
        daemon = self.daemon()
        daemon.apply("policy one { deny exec as e }")
        before = daemon.status()["generation"]
        bad = daemon.directory / "bad.warder"
        bad.write_text("policy one { deny fork as f }\npolicy two { deny exce as e }\n")
        result = daemon.command("apply", bad)
        self.assertEqual(result.status, 1, result)
        self.assertIn("bad.warder:2:19: error[", result.err)
        self.assertIn("the active policies stay", result.err)
        self.assertEqual(daemon.status()["generation"], before)
        self.assertIn("deny exec", daemon.command("show", "one").out)

    def test_applied_policy_replaces_the_one_of_its_name(self):
        daemon = self.daemon()
        first = daemon.apply("policy one { deny exec as e }")
        self.assertIn("applied 1 policy; generation 1 is in force", first.out)
        daemon.apply("policy one { deny fork as f }")
        listed = [json.loads(line) for line in daemon.command("list", "--json").out.splitlines()]
        self.assertEqual([(entry["name"], entry["revision"], entry["rules"]) for entry in listed], [("one", 2, 1)])
        self.assertIn("deny fork", daemon.command("show", "one").out)

    def at_once(self, daemon, requests):
        """What a daemon answers to administrators whose requests it finds all together: (failed, text) each."""
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            connections = [wire.Connection(daemon.admin) for _ in requests]
            for connection, request in zip(connections, requests):
                connection.send(wire.message((wire.ADMIN, wire.message(request))))
        finally:
            daemon.process.send_signal(signal.SIGCONT)
        answers = []
        for connection in connections:
            fields = connection.receive().fields
            failed = wire.first(fields, 2)
            answer = wire.decode(failed or wire.first(fields, 1))
            answers.append((failed is not None, wire.first(answer, 2 if failed else 1).decode()))
            connection.close()
        return answers

    @staticmethod
    def application(name):
        text = wire.message((1, f"{name}.warder"), (2, f"policy {name} {{ deny exec as e }}"))
        return (1, wire.message((1, text), (2, 1)))

    def test_changes_at_once_have_their_turns_in_the_order_of_their_coming(self):
        daemon = self.daemon()
        removal = (4, wire.message((1, "a")))
        answers = self.at_once(daemon, [self.application("a"), self.application("b"), removal, self.application("c")])
        self.assertEqual(answers, [(False, "applied 1 policy; generation 1 is in force"),
                                   (False, "applied 1 policy; generation 2 is in force"),
                                   (False, "removed local/a; generation 3 is in force"),
                                   (False, "applied 1 policy; generation 4 is in force")])
        listed = [json.loads(line)["name"] for line in daemon.command("list", "--json").out.splitlines()]
        self.assertEqual(listed, ["b", "c"])

    def test_line_of_changes_has_a_bound(self):
        daemon = self.daemon()
        answers = self.at_once(daemon, [self.application(f"p{number}") for number in range(60)])
        refused = [text for failed, text in answers if failed]
        # One is under way, 32 wait; a change that was quick makes room for one more.
        self.assertGreaterEqual(len(refused), 1)
        self.assertLessEqual(len(refused), 27)
        self.assertEqual(set(refused), {"as many changes wait their turn as may; try again in a moment"})
        self.assertEqual(daemon.status()["policies"], 60 - len(refused))

    def test_change_that_waits_is_not_made_for_somebody_who_has_gone(self):
        daemon = self.daemon()
        daemon.process.send_signal(signal.SIGSTOP)
        before = [wire.Connection(daemon.admin) for _ in range(20)]
        for number, connection in enumerate(before):
            connection.send(wire.message((wire.ADMIN, wire.message(self.application(f"p{number}")))))
        gone, after = wire.Connection(daemon.admin), wire.Connection(daemon.admin)
        for name, connection in ("gone", gone), ("after", after):
            connection.send(wire.message((wire.ADMIN, wire.message(self.application(name)))))
        gone.close()
        daemon.process.send_signal(signal.SIGCONT)
        for connection in *before, after:
            self.assertIsNone(wire.first(connection.receive().fields, 2))
            connection.close()
        listed = {json.loads(line)["name"] for line in daemon.command("list", "--json").out.splitlines()}
        self.assertEqual(listed, {f"p{number}" for number in range(20)} | {"after"})

    def test_daemon_stops_in_good_order_while_changes_wait(self):
        daemon = self.daemon()
        daemon.process.send_signal(signal.SIGSTOP)
        connections = [wire.Connection(daemon.admin) for _ in range(20)]
        for number, connection in enumerate(connections):
            connection.send(wire.message((wire.ADMIN, wire.message(self.application(f"p{number}")))))
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.send_signal(signal.SIGCONT)
        self.assertEqual(daemon.stop(), 0)
        daemon.start()  # with as many as it came to

    def test_what_is_applied_again_makes_no_revision(self):
        daemon = self.daemon()
        both = self.policy("policy a { deny exec as no }\npolicy b { deny fork as no }")
        self.assertEqual(daemon.command("apply", both).out, "applied 2 policies; generation 1 is in force\n")
        self.assertEqual(daemon.command("apply", both).out, "unchanged: 2 policies; generation 1 is in force\n")
        self.assertEqual(daemon.command("apply", "--vendor", both).out,
                         "applied 2 policies; generation 2 is in force\n")
        daemon.apply("policy a { deny exec as never }")
        self.assertEqual(daemon.command("apply", both).out, "applied 2 policies; generation 4 is in force\n")

    def test_what_is_applied_again_is_compiled_anew_where_a_path_leads_elsewhere(self):
        """Literal paths are resolved when a policy is compiled: applying it again is how to have that done again."""
        daemon = self.daemon()
        link, first, second = (self.directory / name for name in ("link", "first", "second"))
        for target in first, second:
            target.write_text("")
        link.symlink_to(first)
        policy = self.policy(f'policy a {{ applies {{ platform is "linux" }} deny write where path is "{link}" as no }}')
        write = f"open({str(second)!r}, 'a').close(); print('written')"

        def outcome():
            return execute([sys.executable, "-I", "-c", write], env=daemon.preloaded())

        self.assertIn("generation 1 is in force", daemon.command("apply", policy).out)
        self.assertEqual(outcome().out, "written\n")
        link.unlink()
        link.symlink_to(second)
        self.assertEqual(daemon.command("apply", policy).out, "applied 1 policy; generation 2 is in force\n")
        self.assertIn("denied by local/a.no", outcome().err)
        self.assertEqual(daemon.command("apply", policy).out, "unchanged: 1 policy; generation 2 is in force\n")

    def test_apply_passes_over_tests_that_lie_beside_the_policies(self):
        daemon = self.daemon()
        (self.directory / "a.warder").write_text("policy a { deny exec as no }", encoding="utf-8")
        for name in "a.test.warder", "b.test.warder":
            (self.directory / name).write_text('test a { expect deny exec "/bin/true" by no }', encoding="utf-8")
        result = daemon.command("apply", *sorted(self.directory.glob("[ab].*warder")))
        self.assertEqual((result.status, result.out), (0, "applied 1 policy; generation 1 is in force\n"), result)
        self.assertEqual(result.err, f"warder: apply: passed over 2 files of tests, {self.directory}/a.test.warder the first: "
                                     "tests are not stored\n")
        result = daemon.command("apply", self.directory / "a.warder", self.directory / "b.test.warder")
        self.assertEqual((result.status, result.err),
                         (0, f"warder: apply: passed over {self.directory}/b.test.warder: tests are not stored\n"), result)
        result = daemon.command("apply", self.directory / "a.test.warder")
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("a.test.warder is a file of tests, and those are not stored: `warder test` runs them", result.err)

    def test_tier_is_part_of_a_name_and_no_option_but_of_apply(self):
        daemon = self.daemon()
        text = self.policy("policy a { deny exec as no }")
        self.assertEqual(daemon.command("apply", text).status, 0)
        self.assertEqual(daemon.command("apply", "--vendor", text).status, 0)
        for command in "show", "remove":
            result = daemon.command(command, "--vendor", "a")
            self.assertEqual((result.status, result.out), (2, ""), result)
        listed = [json.loads(line)["tier"] for line in daemon.command("list", "--json").out.splitlines()]
        self.assertEqual(sorted(listed), ["local", "vendor"])

    def test_list_says_what_it_does_not_know(self):
        daemon = self.daemon()
        for arguments, said in ((["extra"], "what is `extra`?"), (["--vendor"], "--vendor"),
                                (["--wrong"], "--wrong")):
            result = daemon.command("list", *arguments)
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertIn(said, result.err)

    def said_as_json(self, daemon, command, *arguments):
        """The status of a command and the objects that it prints; it says nothing anywhere else."""
        result = daemon.command(command, "--json", *arguments)
        self.assertEqual(result.err, "", result)
        return result.status, [json.loads(line) for line in result.out.splitlines()]

    def checked(self, *files):
        """What `warder check --json` says of files, without the sums."""
        return [json.loads(line) for line in execute([WARDER, "check", "--json", *files]).out.splitlines()][:-1]

    def test_applied_as_json_says_what_the_checker_says_as_check_does(self):
        daemon = self.daemon()
        bad = self.policy("policy a { deny exce as x }\npolicy a { deni }\n", "bad.warder")
        status, objects = self.said_as_json(daemon, "apply", bad)
        self.assertEqual(status, 1)
        self.assertEqual([said["code"] for said in objects[:-1]], ["E011", "E070", "E010"])
        self.assertEqual(objects[:-1], self.checked(bad))
        self.assertEqual(objects[-1], {"error": "the policies do not compile; the active policies stay",
                                       "kind": "policy"})
        warned = self.policy('set s = ["/x"]\npolicy w { deny exec as e }\n', "warned.warder")
        status, objects = self.said_as_json(daemon, "apply", warned)
        self.assertEqual(status, 0)
        self.assertEqual([said["severity"] for said in objects[:-1]], ["warning"])
        self.assertEqual(objects[:-1], [said for said in self.checked(warned) if said["severity"] == "warning"])
        self.assertEqual(objects[-1], {"done": "applied 1 policy; generation 1 is in force", "generation": 1,
                                       "unchanged": False})
        status, objects = self.said_as_json(daemon, "apply", warned)
        self.assertEqual(objects[-1], {"done": "unchanged: 1 policy; generation 1 is in force", "generation": 1,
                                       "unchanged": True})
        self.assertEqual(self.said_as_json(daemon, "remove", "w"),
                         (0, [{"done": "removed local/w; generation 2 is in force", "generation": 2,
                               "unchanged": False}]))

    def test_failures_are_json_where_json_is_asked_for(self):
        daemon = self.daemon()
        missing = self.directory / "missing"
        for command, argument, status, kind, words in (
                ("show", "nosuch", 1, "not-found", "no policy named `nosuch`"),
                ("remove", "nosuch", 1, "not-found", "no policy named `nosuch`"),
                ("why", "9-9", 1, "not-found", "no decision 9-9"),
                ("apply", missing, 2, "failure", "cannot be read: No such file"),
                ("list", "extra", 2, "failure", "what is `extra`?"),
                ("status", "extra", 2, "failure", "what is `extra`?")):
            with self.subTest(command):
                found, objects = self.said_as_json(daemon, command, argument)
                self.assertEqual((found, len(objects)), (status, 1), objects)
                self.assertEqual(objects[0]["kind"], kind)
                self.assertIn(words, objects[0]["error"])
        for command in ("apply", missing), ("list",), ("show", "a"), ("remove", "a"), ("status",), ("why", "9-9"):
            with self.subTest(f"{command[0]} without a daemon"):
                found, objects = self.said_as_json(Daemon(self.directory), *command)
                self.assertEqual((found, [said["kind"] for said in objects]), (2, ["failure"]), objects)
        # Beside a state directory it is a daemon of its own that complains, to people.
        result = execute([WARDER, "list", "--json", "--state-dir", daemon.state])
        self.assertEqual((result.status, json.loads(result.out)["kind"]), (2, "failure"), result)
        self.assertIn("another daemon", result.err)

    def test_shared_sets_go_with_each_policy(self):
        daemon = self.daemon()
        daemon.apply('set tools = ["/usr/bin/git"]\npolicy one { deny exec where file in tools as e }\n'
                     'policy two { deny read where path in tools as r }')
        self.assertEqual(daemon.command("remove", "one").status, 0)
        self.assertIn('set tools = ["/usr/bin/git"]', daemon.command("show", "two").out)

    def test_unknown_names_are_an_answer_of_no(self):
        daemon = self.daemon()
        for command in "show", "remove":
            result = daemon.command(command, "missing")
            self.assertEqual(result.status, 1, result)
            self.assertIn("`missing`", result.err)
            self.assertEqual(daemon.command(command).status, 2)

    def test_files_without_a_policy_are_named(self):
        daemon = self.daemon()
        empty, comment = daemon.directory / "empty.warder", daemon.directory / "comment.warder"
        empty.write_text("")
        comment.write_text("# Nothing yet.\n")
        for files, named in (((empty,), f"{empty}"), ((comment, empty), f"{comment} and 1 more")):
            with self.subTest(named):
                result = daemon.command("apply", *files)
                self.assertEqual(result.status, 1, result)
                self.assertEqual(result.err, f"warder: {named}: there is no policy in it; nothing was changed\n")

    def test_list_names_the_user_who_changed_a_policy(self):
        daemon = self.daemon()
        daemon.apply("policy one { deny exec as e }")
        with sqlite3.connect(daemon.state / "policy.db") as database:  # of somebody who has left
            database.execute("INSERT INTO revisions SELECT tier, 'two', 1, 2, time, 'uid 4000000000',"
                             " replace(text, 'one', 'two') FROM revisions")
        database.close()
        daemon.apply("policy three { deny exec as e }")  # which reads the store again
        lines = daemon.command("list").out.splitlines()
        by = {line.split()[1]: line[lines[0].index(" BY"):].split("  ")[0].strip() for line in lines[1:]}
        mine = pwd.getpwuid(os.getuid()).pw_name
        self.assertEqual(by, {"one": mine, "two": "uid 4000000000", "three": mine})
        entries = [json.loads(line) for line in daemon.command("list", "--json").out.splitlines()]
        self.assertEqual({entry["name"]: entry["who"] for entry in entries}["one"], f"uid {os.getuid()}")

    def test_tiers_are_kept_apart(self):
        # Clause V-7.
        daemon = self.daemon()
        path = daemon.directory / "p.warder"
        path.write_text("policy p { deny exec as e }")
        self.assertEqual(daemon.command("apply", "--vendor", path).status, 0)
        path.write_text("policy p { deny fork as f }")
        self.assertEqual(daemon.command("apply", path).status, 0)
        self.assertIn("deny exec", daemon.command("show", "vendor/p").out)
        self.assertIn("deny fork", daemon.command("show", "local/p").out)
        both = daemon.command("show", "p")
        self.assertEqual(both.out, daemon.command("show", "local/p").out)
        self.assertEqual(both.err, "warder: show: there is a policy of that name in another tier, too: `warder show "
                                   "vendor/p` shows that\n")
        self.assertEqual(len(daemon.command("show", "p", "--json").out.splitlines()), 2)

    def test_list_is_a_table_for_people(self):
        daemon = self.daemon()
        self.assertIn("no policies", daemon.command("list").out)
        daemon.apply('policy one "The first one" { deny exec as e }')
        lines = daemon.command("list").out.splitlines()
        self.assertRegex(lines[0], r"^TIER +NAME +MODE +GOVERNS")
        self.assertRegex(lines[1], r"^local +one +enforce +who names it +1 +1 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\S+ +The first one")

    def test_daemon_that_hangs_is_said_after_a_while(self):
        daemon = self.daemon()
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            result = daemon.command("status")
        finally:
            daemon.process.send_signal(signal.SIGCONT)
        self.assertEqual(result.status, 2, result)
        said = result.err.splitlines()
        self.assertIn("the daemon has not answered yet; waiting for another 6 seconds", said[0])
        self.assertIn("has not answered for 8 seconds", said[1])

    def test_record_of_a_daemon_that_hangs_is_waited_for_with_a_word(self):
        daemon = self.daemon()
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            with interpreter_process([WARDER, "log", "--admin-socket", daemon.admin]) as asking:
                said = asking.stderr.readline()
        finally:
            daemon.process.send_signal(signal.SIGCONT)
        self.assertIn("the daemon has not answered yet; waiting for another 28 seconds (Ctrl-C ends this)", said)

    def test_no_daemon_is_said_with_what_to_do(self):
        for command, *more in ("list",), ("status",), ("log",), ("why", "1-1"):
            result = Daemon(self.directory).command(command, *more)
            self.assertEqual(result.status, 2, result)
            self.assertIn("no daemon answers", result.err)
            self.assertIn("warderd", result.err)
            self.assertEqual("--state-dir" in result.err, command != "status", result)


if __name__ == "__main__":
    unittest.main()
