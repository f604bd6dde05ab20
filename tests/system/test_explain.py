"""`warder explain`, as its user meets it."""

import json

from support import WARDER, Test, execute

POLICY = """policy ci "Builds" {
    default deny exec, write
        message "Not in builds"
    allow exec where file is "/usr/bin/git" and argv[1] is "pull" as git
    allow exec where file is "/usr/bin/make" and user is "bob" and not shell as make
    allow write where path under session.start as work
    deny  write where path matches "/srv/job/**/*.py" as no-code
    deny  connect where address in [10.0.0.0/8] and port is 443 as no-inside
    kill  event "sys.settrace" as no-trace
    log   event "sys.*" where label role is "plugin" as systems
}
"""


class Explain(Test):
    def setUp(self):
        super().setUp()
        self.ci = self.policy(POLICY, "ci.warder")

    def explain(self, *arguments, policy=None, **options):
        options.setdefault("cwd", self.directory)
        return execute([WARDER, "explain", "--policy", policy or self.ci, *arguments], **options)

    def told(self, *arguments, **options):
        result = self.explain("--json", *arguments, **options)
        self.assertEqual(result.status, 0, result)
        return json.loads(result.out)

    def test_explain_names_the_default_with_its_place_and_what_nearly_allowed(self):
        result = self.explain("exec", "/usr/bin/git", "argv", "git", "push")
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertEqual(result.out, f"""denied: exec "/usr/bin/git"
  by local/ci.default-exec  ({self.ci}:2)
      default deny exec, write
          message "Not in builds"
      says: Not in builds
      held by rings 1 and 2; `floor exec` would hold it in the kernel, against native code too

near misses
  allow local/ci.git  ({self.ci}:4)
      argv[1] is "pull": it was "push"
  allow local/ci.make  ({self.ci}:5)
      file is "/usr/bin/make": it was "/usr/bin/git" (the first of 2)
""")

    def test_explain_says_which_rings_hold_the_answer(self):
        # Clause K-23.
        by = self.told("exec", "/usr/bin/git", "argv", "git", "push")["by"]
        self.assertEqual((by["rings"], by["kernel"][:12]), ([1, 2], "`floor exec`"))
        self.assertEqual(self.told("exec", "/usr/bin/git", "argv", "git", "pull")["by"]["rings"], [1, 2])

    def test_explain_names_the_rule_that_allowed(self):
        result = self.explain("exec", "/usr/bin/git", "argv", "git", "pull")
        self.assertEqual(result.status, 0, result)
        self.assertIn('allowed: exec "/usr/bin/git"\n'
                      f"  by local/ci.git  ({self.ci}:4)\n"
                      '      allow exec where file is "/usr/bin/git" and argv[1] is "pull" as git\n', result.out)

    def test_explain_takes_the_subject(self):
        words = "exec", "/usr/bin/make", "shell", "false"
        nearest = self.told(*words)["near_misses"][0]
        self.assertEqual((nearest["rule"], nearest["predicate"]["text"], nearest["predicate"]["value"]),
                         ("make", 'user is "bob"', "absent"))
        self.assertEqual(self.told("--user", "bob", *words)["verdict"], "allow")
        predicate = self.told("--user", "bob", *words[:-1], "true")["near_misses"][0]["predicate"]
        self.assertEqual((predicate["text"], predicate["wanted"], predicate["answer"], predicate["value"]),
                         ("shell", False, "true", "true"))

    def test_explain_takes_labels_groups_and_places(self):
        event = "--event", "sys._current_frames"
        self.assertEqual(self.told(*event)["fired"], [])
        fired, = self.told("--label", "role=plugin", *event)["fired"]
        self.assertEqual((fired["rule"], fired["effect"], fired["truth"]), ("systems", "log", "true"))
        policy = self.policy('policy p { deny read where group has "audio" and path under session.home "/m" as d }')
        words = "read", "/home/alice/m/x"
        self.assertEqual(self.told(*words, policy=policy)["verdict"], "allow")
        self.assertEqual(self.told("--group", "staff", "--group", "audio", "--place", "home=/home/alice", *words,
                                   policy=policy)["verdict"], "deny")

    def test_explain_takes_relative_paths_from_this_directory_and_links_as_given(self):
        self.assertEqual(self.told("write", "x.txt", "action", "create")["by"]["rule"], "work")
        told = self.told("--given", f"{self.directory}/link=/srv/job/a/x.py", "write", "link")
        self.assertEqual((told["verdict"], told["by"]["rule"]), ("deny", "no-code"))
        fired, = told["fired"]
        self.assertEqual((fired["written"], fired["resolved"]), ("false", "true"))
        result = self.explain("--given", f"{self.directory}/link=/srv/job/a/x.py", "write", "link")
        self.assertIn('path under session.start: it was "/srv/job/a/x.py"', result.out)

    def test_file_of_tests_is_named_as_one_where_a_policy_is_wanted(self):
        file = self.directory / "p.test.warder"
        file.write_text('test p { expect deny exec "/bin/true" by no }', encoding="utf-8")
        result = execute([WARDER, "explain", "--policy", file, "exec", "/bin/true"])
        self.assertIn("this is a file of tests, and no policy: `warder test` runs it", result.out + result.err, result)
        self.assertNotEqual(result.status, 0)

    def test_program_by_its_name_is_where_it_is_given_to_be(self):
        for words in ("exec", "git"), ("--event", "subprocess.Popen", "git", '["git"]', "none", "none"):
            with self.subTest(words):
                result = self.explain(*words)
                self.assertIn('file is "/usr/bin/make": it was (not known)', result.out)
                self.assertIn("note: where the program `git` is found nobody has said: --given git=/usr/bin/git",
                              result.out)
                self.assertNotIn("--given", self.explain("--given", "git=/usr/bin/git", *words).out)
        told = self.told("--given", "git=/usr/bin/git", "exec", "git", "argv", "git", "pull")
        self.assertEqual((told["verdict"], told["by"]["rule"]), ("allow", "git"))

    def test_explain_takes_events_with_their_arguments(self):
        told = self.told("--given", "git=/usr/bin/git", "--event", "subprocess.Popen", "git", '["git", "push"]',
                         "none", "none")
        self.assertEqual((told["verdict"], told["event"], told["summary"]), ("deny", "subprocess.Popen", 'exec "git"'))
        self.assertEqual(told["near_misses"][0]["predicate"]["value"], '"push"')
        self.assertEqual(self.told("--event", "sys.settrace")["verdict"], "kill")
        self.assertIn("denied, and the interpreter ended", self.explain("--event", "sys.settrace").out)

    def test_explain_says_what_was_not_known(self):
        told = self.told("write", "unknown")
        self.assertEqual((told["verdict"], told["by"]["rule"], told["by"]["unknown"]), ("deny", "no-code", True))
        self.assertIn("could not be known for certain", self.explain("write", "unknown").out)

    def test_verdict_where_steps_are_spent_is_the_daemons(self):
        globs = ", ".join(f'"/*a*a*a*a{i:03}*"' for i in range(200))
        policy = self.policy(f"policy p {{ deny exec where file matches [{globs}] as many }}")
        words = "exec", "/" + "a" * 3000
        told = self.told(*words, policy=policy)
        self.assertEqual((told["verdict"], told["steps_spent"], told["by"]["rule"]), ("deny", True, "many"))
        result = self.explain(*words, policy=policy)
        self.assertTrue(result.out.startswith("denied: exec "), result.out)
        self.assertIn("because it could not be judged in the steps that a decision may take", result.out)
        self.assertNotIn("could not be known", result.out)

    def test_explain_says_what_nearly_denied(self):
        result = self.explain("connect", "10.1.2.3", "port", "80")
        self.assertIn("allowed: connect 10.1.2.3 port 80", result.out)
        self.assertIn("by nobody", result.out)
        self.assertIn("port is 443: it was 80", result.out)
        self.assertEqual(self.told("connect", "10.1.2.3", "port", "443")["by"]["rule"], "no-inside")

    def test_addresses_are_shown_as_they_are_usually_written(self):
        self.assertEqual(self.told("connect", "2001:db8::7", "port", "443")["summary"], "connect 2001:db8::7 port 443")

    def test_explain_says_what_the_deciding_rule_beat(self):
        other = self.policy('policy other { allow exec as anything }\n'
                            'policy seen { mode observe  deny exec as seen }', "other.warder")
        result = self.explain("--policy", other, "exec", "/bin/x")
        self.assertIn("by local/ci.default-exec", result.out)
        self.assertIn(f"allow local/other.anything  ({other}:1)", result.out)
        told = self.told("--policy", other, "exec", "/bin/x")
        self.assertEqual((told["would_by"]["policy"], told["would_by"]["rule"]), ("local/seen", "seen"))
        told = self.told("exec", "/bin/x", policy=other)
        self.assertEqual(told["verdict"], "would-deny")

    def test_explain_says_what_became_of_overrides(self):
        def override(condition, until):
            return self.policy(f'policy thesis {{ override local/ci.default-exec where {condition}\n'
                               f'    reason "ticket" until {until} }}', "thesis.warder")

        result = self.explain("--policy", override('file is "/usr/bin/x"', "2099-01-31"), "exec", "/usr/bin/x")
        self.assertIn('allowed: exec "/usr/bin/x"', result.out)
        self.assertIn("an override cancelled local/ci.default-exec", result.out)
        self.assertIn("local/thesis  (", result.out)
        result = self.explain("--policy", override('file is "/usr/bin/y"', "2099-01-31"), "exec", "/usr/bin/x")
        self.assertIn("denied", result.out)
        self.assertIn("its condition does not hold", result.out)
        self.assertIn('file is "/usr/bin/y": it was "/usr/bin/x"', result.out)
        expired = override('file is "/usr/bin/x"', "2020-01-31")
        self.assertIn("has expired", self.explain("--policy", expired, "exec", "/usr/bin/x").out)
        self.assertEqual(self.told("--policy", expired, "exec", "/usr/bin/x")["overrides"][0]["fate"], "expired")

    def test_explain_says_where_only_the_file_makes_a_policy_govern(self):
        policy = self.policy('policy p { applies { user is "media" }  deny exec as d }')
        self.assertIn("does not select this subject", self.explain("exec", "/x", policy=policy).out)
        self.assertNotIn("note", self.explain("--user", "media", "exec", "/x", policy=policy).out)

    def test_explain_takes_the_policies_that_come_with_warder(self):
        told = self.told("exec", "/usr/bin/id", policy="no-process")
        self.assertEqual((told["verdict"], told["by"]["policy"]), ("deny", "local/no-process"))

    def test_text_of_the_question_cannot_play_with_the_terminal(self):
        result = self.explain("exec", "/usr/bin/\x1b[31mgit\u202e", "argv", "a\nb", '"', "\\", "\udcff")
        self.assertEqual(result.status, 0, result)
        for character in "\x1b\u202e":
            self.assertNotIn(character, result.out)
        told = self.told("exec", "/bin/x", "argv", 'a"b\\c\n', "[d", "--push",
                         policy=self.policy('policy p { deny exec where argv is ["a\\"b\\\\c\\n", "[d", "--push"] as d }'))
        self.assertEqual(told["by"]["rule"], "d")

    def test_mistakes_are_said_with_their_place(self):
        for arguments, words in (
                (("exek", "/x"), "unknown class `exek`"),
                (("exec", "/x", "argw", "y"), "no attribute of `exec`"),
                (("exec", "/x", "cwd"), "a value must follow `cwd`"),
                (("--event", "os.nosuch"), "os.nosuch"),
                (("fork", "x"), "it has none"),
                (("./x",), "an operation class or --event"),
                (("--label", "role", "fork"), "--label wants NAME=VALUE"),
                (("--place", "nowhere=/x", "fork"), "nowhere"),
                (("--given", "x", "fork"), "--given wants"),
                (("--event", "os.kill", "["), "expected `,` or `]`"),
                ((), "say what happens"),
                (("--nonsense", "fork"), "--nonsense")):
            with self.subTest(arguments):
                result = self.explain(*arguments)
                self.assertIn(result.status, (1, 2), result)
                self.assertEqual(result.out, "", result)
                self.assertIn(words, result.err)
                self.assertNotIn("what is asked", result.err)
        result = self.explain("exce", "/bin/ls")
        self.assertEqual((result.status, result.err),
                         (1, "warder: explain: unknown class `exce`: did you mean `exec`?\n"))
        broken = self.policy("policy p { deny exec }", "broken.warder")
        result = self.explain("exec", "/x", policy=broken)
        self.assertEqual((result.status, result.out), (1, ""), result)
        self.assertIn(f"{broken}:1:12: error[E045]", result.err)
        self.assertEqual(self.explain("exec", "/x", policy="./missing.warder").status, 2)
        self.assertEqual(execute([WARDER, "explain", "exec", "/x"]).status, 2)

    def test_help_has_examples_that_work(self):
        result = execute([WARDER, "explain", "--help"])
        self.assertEqual(result.status, 0)
        for example in ("exec", "/usr/bin/git", "argv", "git", "push"), ("connect", "10.0.0.7", "port", "443", "family",
                                                                         "inet"):
            self.assertIn(" ".join(example), result.out)
            self.assertEqual(self.explain(*example).status, 0)
