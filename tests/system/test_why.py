"""`warder why`: a recorded decision explained, to those who may ask."""

import json
import os
import sys

import wire
from attackers import Process, ProtocolTest
from support import NO_PROCESS, WARDER, Test, execute, others_reach, wait_until

POLICY = """# Plug-ins of the tests.
policy plug {
    applies { platform is "linux" }
    default deny exec
        message "Ask ops"
    allow exec where file is "/opt/git" and argv[1] is "pull" as git
    allow exec where file is "/opt/tool" and env has "TOKEN" as tool
    deny write where path under "/denied" as no-writes
    log exec as programs
}
"""

EXEC, READ, WRITE = 1, 4, 5  # classes
FILE, ARGV, ENV, PATH = 1, 2, 4, 11  # attributes


def operation(number, *attributes):
    """Attributes as (name, value) or, of paths, (name, written, resolved); None: it is not known what that is."""
    packed = []
    for name, value, *resolved in attributes:
        path = [(3, resolved[0]), (4, True)] if resolved and resolved[0] is not None else []
        packed.append((2, wire.message((1, name), *((2, part) for part in wire.nodes(value)), *path)))
    return wire.message((1, number), *packed)


def execution(file, argv, env=None):
    attributes = [(FILE, file, file), (ARGV, argv)] + ([(ENV, env)] if env is not None else [])
    return wire.ask(wire.event("subprocess.Popen", (file, argv, None, env), (operation(EXEC, *attributes),)))


def writing(path, resolved):
    return wire.ask(wire.event("open", (path, "w", 1), (operation(WRITE, (PATH, path, resolved)),)))


class Why(ProtocolTest):
    def setUp(self):
        super().setUp()
        self.host = self.daemon()
        self.host.directory.chmod(0o755)
        self.host.apply(POLICY)

    def decide(self, body, *more, uid=None):
        """What a process under policy is answered: the outcome, and the id at the end of a denial."""
        def ask():
            reply = wire.session(self.host.socket, *more).request(body)
            return [wire.OUTCOMES[wire.first(reply.fields, 1, 0)], wire.first(reply.fields, 7, b"").decode()]

        outcome, text = Process(ask, uid=uid).result()
        return outcome, text[text.rindex("[decision "):] if text else ""

    def denied(self, body, *more, **options):
        outcome, ending = self.decide(body, *more, **options)
        self.assertEqual(outcome, "deny")
        return ending.removeprefix("[decision ").removesuffix("]")

    def why(self, *arguments, **options):
        return self.host.command("why", *arguments, **options)

    def why_json(self, *arguments):
        result = self.why("--json", *arguments)
        self.assertEqual(result.status, 0, result)
        return json.loads(result.out)

    def test_why_says_that_a_rule_is_built_in(self):
        result = self.why(self.denied(writing("core", "/proc/sys/kernel/core_pattern")))
        self.assertEqual(result.status, 0, result)
        for words in ('denied: write "core"', "by warder.kernel-programs", "Warder itself denied it, and no policy could have let it pass",
                      "says: the kernel starts the program that is named there"):
            self.assertIn(words, result.out)
        self.assertNotIn("would answer otherwise", result.out)

    def test_why_says_which_rule_denied_and_what_nearly_allowed(self):
        result = self.why(self.denied(execution("/opt/git", ["git", "push"])))
        self.assertEqual(result.status, 0, result)
        for words in ('denied: exec "/opt/git"', "by local/plug.default-exec", "revision 1, generation 1",
                      "default deny exec", "says: Ask ops", "subprocess.Popen", 'argv ["git", "push"]',
                      "local/plug.git", 'argv[1] is "pull": it was "push"', "log   local/plug.programs",
                      "today's policies (generation 1) answer the same"):
            self.assertIn(words, result.out)
        self.assertLess(result.out.index("local/plug.git"), result.out.index("local/plug.tool"))
        self.assertNotIn("only a part of", result.out)

    def test_why_of_a_state_that_no_daemon_has_reads_its_policies_and_changes_nothing(self):
        number = self.denied(execution("/opt/git", ["git", "push"]))
        self.host.apply(POLICY.replace('is "pull"', 'is "push"'))
        self.assertEqual(self.host.stop(), 0)
        state = self.host.state
        before = {path.name: path.read_bytes() for path in state.iterdir()}
        result = execute([WARDER, "why", "--json", "--state-dir", state, number])
        self.assertEqual(result.status, 0, result)
        told = json.loads(result.out)
        self.assertEqual((told["today_differs"], told["generation"]), (True, 2))
        self.assertEqual(told["statement"]["revision"], 1)
        self.assertEqual({path.name: path.read_bytes() for path in state.iterdir()}, before)

    def test_record_names_the_operation_that_was_denied(self):
        opened = wire.ask(wire.event("open", ("/denied/x", None, 66), (
            operation(READ, (PATH, "/denied/x", "/denied/x")), operation(WRITE, (PATH, "/denied/x", "/denied/x")))))
        number = self.denied(opened)
        row, = [row for row in self.host.log("--denied") if row["decision"] == number]
        self.assertEqual((row["summary"], row["operation"]), ('write "/denied/x"', 1))
        result = self.why(number)
        self.assertEqual(result.status, 0, result)
        for words in 'denied: write "/denied/x"', "  is    read\n", "  is    write, which was denied\n":
            self.assertIn(words, result.out)

    def test_decision_whose_steps_were_spent_says_so(self):
        globs = ", ".join(f'"/*a*a*a*a{i:03}*"' for i in range(200))
        self.host.apply(POLICY.replace("log exec as programs",
                                       f"deny exec where file matches [{globs}] as many"))
        number = self.denied(execution("/" + "a" * 3000, ["git"]))
        result = self.why(number)
        self.assertEqual(result.status, 0, result)
        self.assertIn("because it could not be judged in the steps that a decision may take", result.out)
        self.assertNotIn("because its condition could not be known", result.out)
        self.assertIs(self.why_json(number)["record"]["spent"], True)

    def test_why_takes_the_id_as_a_denial_prints_it(self):
        _, ending = self.decide(execution("/opt/git", ["git", "push"]))
        number = ending.removeprefix("[decision ").removesuffix("]")
        for given in ending, number, ending.removeprefix("["), number + "]", number.upper():
            with self.subTest(given):
                result = self.why(given)
                self.assertEqual(result.status, 0, result)
                self.assertIn(f"[decision {number}", result.out)

    def test_decision_at_several_lines_is_told_with_all_of_them(self):
        """Denials that are alike within a moment have one number; each line has a record of its own."""
        code = ("import subprocess\n"
                "def first(): subprocess.run(['id'])\n"
                "def second(): subprocess.run(['id'])\n"
                "for one in (first, second, second):\n"
                "    try: one()\n"
                "    except PermissionError as denied: print(denied.decision_id)\n")
        self.host.apply('policy no-exec { applies { platform is "linux" } deny exec as e }')
        for _ in range(20):  # on a machine that is slow just then they are several decisions
            result = execute([sys.executable, "-I", "-c", code], env=self.host.preloaded())
            told = result.out.split()
            self.assertEqual(len(told), 3, result)
            if len(set(told)) == 1:
                break
        result = self.why(told[0])
        self.assertRegex(result.out, r"\[decision \S+, .*, 3 times\]")
        self.assertRegex(result.out, r"(?m)^  from  <string>:2\n  from  <string>:3, 2 times$")
        record = self.why_json(told[0])["record"]
        self.assertEqual([(place["line"], place["count"]) for place in record["places"]], [(2, 1), (3, 2)])

    def test_why_as_json_has_record_statement_and_both_explanations(self):
        told = self.why_json(self.denied(execution("/opt/git", ["git", "push"])))
        self.assertEqual(told["record"]["verdict"], "deny")
        self.assertEqual(told["statement"], {
            "policy": "local/plug", "rule": "default-exec", "revision": 1, "line": 3 + self.shift(),
            "text": 'default deny exec\n        message "Ask ops"'})
        self.assertEqual((told["today_differs"], told["generation"], told["lost"]), (False, 1, []))
        for name in "then", "today":
            self.assertEqual(told[name]["verdict"], "deny")
            self.assertEqual(told[name]["by"]["rule"], "default-exec")
            self.assertEqual(told[name]["by"]["message"], "Ask ops")
            self.assertEqual([rule["rule"] for rule in told[name]["fired"]], ["programs"])
            nearest = told[name]["near_misses"][0]
            self.assertEqual((nearest["rule"], nearest["misses"]), ("git", 1))
            self.assertEqual({key: nearest["predicate"][key] for key in ("text", "wanted", "answer", "value")},
                             {"text": 'argv[1] is "pull"', "wanted": True, "answer": "false", "value": '"push"'})

    def shift(self):
        """Lines before `policy` in the text as it is stored."""
        shown = self.host.command("show", "plug").out
        return shown[:shown.index("policy plug")].count("\n")

    def test_why_says_if_todays_policies_would_answer_otherwise(self):
        number = self.denied(execution("/opt/git", ["git", "push"]))
        self.host.apply(POLICY.replace('argv[1] is "pull"', 'argv[1] in ["pull", "push"]'))
        result = self.why(number)
        self.assertEqual(result.status, 0, result)
        for words in ("by local/plug.default-exec", "generation 1)", 'argv[1] is "pull": it was "push"',
                      "today's policies (generation 2) would answer otherwise:", 'allowed: exec "/opt/git"',
                      "by local/plug.git", 'argv[1] in ["pull", "push"]'):
            self.assertIn(words, result.out)
        told = self.why_json(number)
        self.assertEqual((told["today_differs"], told["then"]["verdict"], told["today"]["verdict"]),
                         (True, "deny", "allow"))

        self.assertEqual(self.host.command("remove", "plug").status, 0)
        result = self.why(number)
        self.assertIn("default deny exec", result.out)  # as it stood then
        self.assertIn("today's policies (generation 3) would answer otherwise:", result.out)
        self.assertIn("by nobody", result.out)

    def test_why_says_if_another_rule_denies_today(self):
        number = self.denied(execution("/opt/git", ["git", "push"]))
        self.host.apply(POLICY.replace("log exec as programs", "deny exec as none-at-all").replace(
            "allow exec where file is \"/opt/git\" and argv[1] is \"pull\" as git", "").replace(
            "allow exec where file is \"/opt/tool\" and env has \"TOKEN\" as tool", ""))
        result = self.why(number)
        self.assertIn("answer the same, for another reason: denied by local/plug.none-at-all", result.out)
        self.assertFalse(self.why_json(number)["today_differs"])

    def test_what_the_record_keeps_by_its_length_is_unknown(self):
        number = self.denied(execution("/opt/tool", ["tool", "--password=hunter2"], {"HOME": "/"}))
        result = self.why(number)
        self.assertEqual(result.status, 0, result)
        self.assertNotIn("hunter2", result.out)
        self.assertIn('env has "TOKEN": it was (not known)', result.out)
        self.assertIn("the record has only a part of", result.out)
        told = self.why_json(number)
        self.assertIn("exec env", told["lost"])
        self.assertIn("exec argv", told["lost"])
        predicate = told["then"]["near_misses"][0]["predicate"]
        self.assertEqual((predicate["text"], predicate["answer"]), ('env has "TOKEN"', "unknown"))
        # What is masked does not match what it was, nor anything else.
        self.host.apply('policy plug { applies { platform is "linux" } '
                        'deny exec where argv[1] is "--password=<7 bytes>" as secret }')
        told = self.why_json(number)
        self.assertEqual((told["today"]["verdict"], told["today"]["by"]["unknown"]), ("deny", True))

    def test_both_forms_of_a_path_come_back_from_the_record(self):
        fired, = self.why_json(self.denied(writing("/srv/link", "/denied/x")))["then"]["fired"]
        self.assertEqual((fired["rule"], fired["written"], fired["resolved"]), ("no-writes", "false", "true"))
        result = self.why(self.denied(writing("/srv/link", "/denied/x")))
        self.assertIn('with links resolved "/denied/x"', result.out)
        # A form that was not known is not known today.
        told = self.why_json(self.denied(writing("/srv/link", None)))
        self.assertTrue(told["then"]["by"]["unknown"])

    def test_what_was_allowed_and_recorded_is_explained(self):
        self.assertEqual(self.decide(execution("/opt/git", ["git", "pull"]))[0], "allow")
        row = wait_until(lambda: [row for row in self.host.log() if row.get("verdict") == "allow"], "recorded")[0]
        result = self.why(row["decision"])
        self.assertEqual(result.status, 0, result)
        for words in ('allowed: exec "/opt/git"', "recorded for local/plug.programs", "log exec as programs",
                      "by local/plug.git", "answer the same"):
            self.assertIn(words, result.out)
        self.host.apply(POLICY.replace('argv[1] is "pull"', 'argv[1] is "fetch"'))
        result = self.why(row["decision"])
        self.assertIn("would answer otherwise:\n\ndenied", result.out)
        self.assertIn('argv[1] is "fetch": it was "pull"', result.out)

    def test_what_an_observed_policy_would_have_denied_is_explained(self):
        self.host.apply('policy seen { deny exec where argv has "pull" as no-pull }')
        wishes = (9, wire.message((1, "seen"), (4, True)))
        self.assertEqual(self.decide(execution("/opt/git", ["git", "pull"]), wishes)[0], "allow")
        row, = self.host.log("--denied")
        self.assertEqual(row["verdict"], "would-deny")
        result = self.why(row["decision"])
        for words in ("allowed, and would be denied: exec", "by local/seen.no-pull", 'deny exec where argv has "pull"',
                      "answer the same"):
            self.assertIn(words, result.out)
        told = self.why_json(row["decision"])
        self.assertEqual((told["then"]["verdict"], told["then"]["would_by"]["rule"], told["today_differs"]),
                         ("would-deny", "no-pull", False))

    def test_killed_interpreter_is_explained(self):
        self.host.apply('policy k { applies { platform is "linux" } kill exec where file under "/opt" as stop }')
        outcome, ending = self.decide(execution("/opt/git", ["git", "pull"]))
        self.assertEqual(outcome, "kill")
        result = self.why(ending)
        for words in ("denied, and the interpreter ended: exec", "by local/k.stop", "allow local/plug.git",
                      "answer the same"):
            self.assertIn(words, result.out)

    def test_override_that_counted_is_explained(self):
        self.host.apply('policy thesis { applies { platform is "linux" } override local/plug.default-exec '
                        'where argv has "push" reason "ticket 7" until 2099-01-31 }')
        self.assertEqual(self.decide(execution("/opt/git", ["git", "push"]))[0], "allow")
        row = wait_until(lambda: [row for row in self.host.log() if row.get("verdict") == "allow"], "recorded")[0]
        result = self.why(row["decision"])
        self.assertEqual(result.status, 0, result)
        for words in ("by local/thesis.override local/plug.default-exec", 'reason "ticket 7"', "overrides",
                      "cancelled it", "answer the same"):
            self.assertIn(words, result.out)

    def test_policies_that_a_session_named_are_judged_again(self):
        self.host.apply('policy narrow { deny exec where file is "/opt/free" as no-free }')
        wishes = (9, wire.message((1, "narrow")))
        told = self.why_json(self.denied(execution("/opt/free", ["free"]), wishes))
        self.assertEqual(told["record"]["subject"]["asked"]["policies"], ["narrow"])
        # The default of the other policy is told beside it.
        self.assertIn("default-exec", [standing["rule"] for standing in told["then"]["defaults"]] +
                      [told["then"]["by"]["rule"]])
        self.assertIn("no-free", [rule["rule"] for rule in told["then"]["fired"]])

    def test_policies_of_a_sessions_own_are_said_and_taken_from_their_file(self):
        own = self.policy('policy mine { deny read where path under "/secret" as no-secrets }', "mine.warder")
        wishes = (9, wire.message((2, wire.message((1, "mine.warder"), (2, own.read_text())))))
        number = self.denied(wire.reading("/secret/x"), wishes)
        result = self.why(number)
        self.assertEqual(result.status, 0, result)
        for words in ("by local/mine.no-secrets", "a policy that the session had of its own", "--policy"):
            self.assertIn(words, result.out)
        self.assertTrue(self.why_json(number)["own_policies_missing"])
        result = self.why("--policy", own, number)
        self.assertIn(f"({own}:1)", result.out)
        self.assertIn("deny read where path under", result.out)
        self.assertNotIn("name their files", result.out)
        told = self.why_json("--policy", own, number)
        self.assertEqual((told["then"]["by"]["policy"], told["today_differs"]), ("local/mine", False))
        self.assertEqual(result.err, "")
        own.write_text(own.read_text().replace("/secret", "/other"))
        result = self.why("--policy", own, number)
        self.assertEqual(result.status, 0, result)
        self.assertIn("it has been changed since", result.err)
        self.assertIn("would answer otherwise", result.out)

    def test_policy_that_comes_with_warder_is_found_without_being_named(self):
        text = NO_PROCESS.read_text()
        number = self.denied(execution("/opt/git", ["git", "pull"]), (9, wire.message((2, wire.message(
            (1, "no-process.warder"), (2, text))))))
        for named in (), ("--policy", "no-process"):
            result = self.why(*named, number)
            self.assertEqual((result.status, result.err), (0, ""), result)
            self.assertRegex(result.out, r"policies/no-process\.warder:\d+\)")
            self.assertIn("answer the same", result.out)
        self.assertFalse(self.why_json(number)["own_policies_missing"])

    def test_nothing_is_claimed_of_today_where_a_policy_of_the_session_is_missing(self):
        number = self.denied(wire.reading("/secret/x"), (9, wire.message((2, wire.message(
            (1, "mine.warder"), (2, 'policy mine { deny read where path under "/secret" as no-secrets }'))))))
        result = self.why(number)
        self.assertNotIn("would answer otherwise", result.out)
        self.assertIn("cannot be told\nwithout the texts of these", result.out)
        self.assertIsNone(self.why_json(number)["today_differs"])

    def test_text_of_events_and_policies_cannot_play_with_the_terminal(self):
        result = self.why(self.denied(execution("/opt/\x1b[31mgit\u202e", ["a\nb", "\x07"])))
        self.assertEqual(result.status, 0, result)
        for character in "\x1b\x07\u202e":
            self.assertNotIn(character, result.out)
        self.assertIn("\\x1b[31mgit", result.out)

    def test_ids_that_are_none_are_said_to_be_so(self):
        for given, words in (("7f3a", "is not the whole id of a decision"), ("7f3a-", "is not the whole id"),
                             ("xyz", "is no decision's id"), ("", "is no decision's id"), ("0-1", "no decision's id"),
                             ("1-0", "no decision's id"), ("1-2x", "no decision's id"),
                             ("1" * 17 + "-1", "no decision's id")):
            with self.subTest(given):
                result = self.why(given)
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertIn(words, result.err)
        for arguments in (), ("1-1", "1-2"), ("--nonsense", "1-1"), ("--policy", "/missing.warder", "1-1"):
            self.assertEqual(self.why(*arguments).status, 2, arguments)

    def test_decision_that_the_record_does_not_have(self):
        result = self.why("ffff-1")
        self.assertEqual((result.status, result.out), (1, ""), result)
        self.assertIn("the record has no decision ffff-1", result.err)

    def test_daemon_that_is_not_there(self):
        result = execute([WARDER, "why", "--admin-socket", self.directory / "none.sock", "1-1"])
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("no daemon answers", result.err)

    def test_user_is_told_of_decisions_about_own_processes_and_no_others(self):
        uid = self.other_user()
        mine = self.denied(execution("/opt/git", ["git", "push"]), uid=uid)
        others = self.denied(execution("/opt/git", ["git", "push"]))

        def ask(number):
            connection = wire.Connection(self.host.admin)
            session, decision = number.split("-")
            connection.send(wire.message((wire.ADMIN, wire.message(
                (7, wire.message((1, session), (2, int(decision))))))))
            replies = []
            while True:
                reply = connection.receive().fields
                replies.append(sorted(field for field in reply if field != 6))
                if not wire.first(reply, 6, 0):
                    failed = wire.first(reply, 2)
                    return [replies, wire.first(wire.decode(failed), 1, 0) if failed else 0]

        # In the record before anyone asks: for others than administrators nothing is hurried.
        wait_until(lambda: len([row for row in self.host.log("--denied")]) == 2, "both are recorded")
        entry, statement, done, not_found = 5, 7, 1, 2
        self.assertEqual(Process(ask, mine, uid=uid).result(), [[[entry], [statement], [done]], 0])
        self.assertEqual(Process(ask, others, uid=uid).result(), [[[2]], not_found])
        self.assertEqual(Process(ask, "ffff-1", uid=uid).result(), [[[2]], not_found])
        self.assertEqual(Process(ask, others).result()[1], 0)

        def in_session():
            wire.session(self.host.socket)
            return ask(mine)

        forbidden = 3
        self.assertEqual(Process(in_session, uid=uid).result(), [[[2]], forbidden])

    def test_user_asks_with_the_command(self):
        uid = self.other_user()
        if not others_reach(WARDER, uid):
            self.skipTest("another user cannot run the programs of this build")
        mine = self.denied(execution("/opt/git", ["git", "push"]), uid=uid)
        result = self.why(mine, preexec_fn=lambda: os.setuid(uid), cwd="/")
        self.assertEqual(result.status, 0, result)
        for words in ("by local/plug.default-exec", "default deny exec", "says: Ask ops", "are told more"):
            self.assertIn(words, result.out)
        for words in ("near misses", "today's policies (", "local/plug.git"):
            self.assertNotIn(words, result.out)


class WhyOfRun(Test):
    per_interpreter = True

    @staticmethod
    def choose(found):
        return found[-1:]

    def test_why_of_a_kept_run(self):
        policy = self.policy('policy mine { deny exec where file under "/bin" or file under "/usr/bin" as none }')
        state = self.directory / "kept"
        result = self.python_under(policy, "import subprocess\nsubprocess.run(['true'])", "--state-dir", state)
        self.assertDenied(result, "local/mine.none")
        number = result.err[result.err.rindex("[decision "):].split("]")[0].split()[1]
        before = {path.name: path.read_bytes() for path in state.iterdir()}
        told = execute([WARDER, "why", "--state-dir", state, "--policy", policy, number])
        self.assertEqual(told.status, 0, told)
        self.assertEqual({path.name: path.read_bytes() for path in state.iterdir()}, before)
        for words in ('denied: exec "true"', "by local/mine.none", f"({policy}:1)", "deny exec where file under"):
            self.assertIn(words, told.out)
