"""`warder test`, as its user meets it."""

import json
import os

from support import SOURCE, WARDER, Test, execute

POLICY = """policy media {
    applies { user is "media" }
    default deny exec
    allow exec where file is "/usr/bin/ffprobe" as probe
    deny exec where file is "/bin/sh" as no-shell
}
"""
HOLDS = """test media {
    given "/bin/sh" resolves to "/usr/bin/dash"
    session user "media"
    expect allow exec "/usr/bin/ffprobe" by probe
    expect deny exec "/usr/bin/dash" by no-shell
    expect deny exec "/usr/bin/id" by default
}
"""
FAILS = """test media {
    session user "media"
    expect allow exec "/usr/bin/ffprobe" by probe
    expect allow exec "/usr/bin/ffmpeg" by probe
}
"""


class PolicyTests(Test):
    def warder_test(self, *arguments, **options):
        return execute([WARDER, "test", *arguments], **{"cwd": self.directory, **options})

    def file(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def test_tests_that_hold_are_counted(self):
        # Clauses T-1, T-4, T-7 and T-17.
        self.file("media.warder", POLICY)
        self.file("media.test.warder", HOLDS)
        for arguments in [], ["."], ["media.test.warder"], ["media.warder"], [self.directory]:
            result = self.warder_test(*arguments)
            self.assertEqual((result.status, result.out, result.err),
                             (0, "3 expectations hold, in 1 test of 1 file.\n", ""), arguments)

    def test_a_failure_names_place_line_verdict_and_rule(self):
        # Clause T-21.
        self.file("media.warder", POLICY)
        self.file("media.test.warder", FAILS)
        result = self.warder_test()
        self.assertEqual((result.status, result.err), (1, ""), result)
        self.assertEqual(result.out, """\
media.test.warder:4:5: error[E100]: expected allow by `probe`, found deny by `default-exec`
  4 |     expect allow exec "/usr/bin/ffmpeg" by probe
    |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ::: media.warder:3:5
  3 |     default deny exec
    |     ----------------- this decided
    = note: rule `probe` does not fire: `file is "/usr/bin/ffprobe"` is false: it was "/usr/bin/ffmpeg"

1 error in 1 file; 1 of 2 expectations does not hold.
""")

    def test_coverage_lists_what_no_test_reached(self):
        # Clause T-20.
        self.file("media.warder", POLICY)
        self.file("media.test.warder", HOLDS.replace("    expect deny exec \"/usr/bin/id\" by default\n", ""))
        result = self.warder_test("--coverage")
        self.assertEqual(result.status, 0, result)
        self.assertIn("media.warder:3:18: warning[W030]: no test reaches default `default-exec` of policy `media`",
                      result.out)
        self.assertTrue(result.out.endswith("2 of 3 rules, defaults and overrides are reached.\n"), result)
        result = self.warder_test("--coverage=required")
        self.assertEqual(result.status, 1, result)
        self.file("media.test.warder", HOLDS)
        result = self.warder_test("--coverage=required")
        self.assertEqual((result.status, result.out),
                         (0, "3 expectations hold, in 1 test of 1 file; 3 of 3 rules, defaults and overrides "
                             "are reached.\n"))

    def test_a_file_that_expects_nothing_fails(self):
        # Clause T-9.
        self.file("media.warder", POLICY)
        self.file("media.test.warder", "test media { session user \"media\" }")
        result = self.warder_test()
        self.assertEqual(result.status, 1, result)
        self.assertIn("error[E090]: this test file expects nothing", result.out)
        self.assertTrue(result.out.endswith("no expectation was judged.\n"), result)

    def test_mistakes_in_tests_and_policies_fail(self):
        self.file("a/media.warder", POLICY)
        self.file("a/media.test.warder", "test media { session usr \"media\" expect deny exec by default }")
        self.file("b/broken.warder", "policy broken { deny exce as x }")
        self.file("b/broken.test.warder", "test broken { expect deny exec by x }")
        self.file("c/media.warder", POLICY)
        self.file("c/media.test.warder", HOLDS)
        result = self.warder_test()
        self.assertEqual(result.status, 1, result)
        self.assertIn("a/media.test.warder:1:22: error[E013]", result.out)
        self.assertIn("b/broken.warder:1:22: error[E011]", result.out)
        self.assertTrue(result.out.endswith("2 errors in 2 files; 3 expectations hold, in 1 test of 2 files.\n"),
                        result)

    def test_policies_without_a_test_are_told(self):
        self.file("media.warder", POLICY)
        self.file("other.warder", "policy other { deny fork as no-fork }")
        self.file("media.test.warder", HOLDS)
        self.file("alone/x.warder", "policy x { deny fork as no-fork }")
        result = self.warder_test()
        self.assertEqual(result.status, 0, result)
        self.assertIn("other.warder:1:8: warning[W031]: no test names policy `other`", result.out)
        self.assertIn("alone: 1 policy file and no test file", result.err)
        result = self.warder_test("other.warder")
        self.assertEqual((result.status, result.out), (1, ""), result)
        self.assertIn("other.warder has no test file: other.test.warder is not there", result.err)
        result = self.warder_test("alone")
        self.assertEqual(result.status, 1, result)
        self.assertIn("there is no test file", result.err)

    def test_subdirectories_stand_for_tiers(self):
        # Clauses T-11 and T-18.
        self.file("thesis.warder", 'policy thesis { applies { user is "alice" }\n'
                                   'override vendor/base.no-exec where file is "/a" reason "x" until 2020-01-31 }\n')
        self.file("vendor/base.warder", "policy base { deny exec as no-exec }")
        test = self.file("vendor/base.test.warder",
                         "test base {\n session user \"alice\"\n expect allow exec \"/a\" by default\n"
                         " expect deny exec \"/b\" by no-exec\n}\n")
        self.file("mandatory/all.warder", 'policy all { applies { user is "bob" } deny fork as no-fork }')
        self.file("mandatory/all.test.warder",
                  "test base { session user \"bob\" expect deny fork by all.no-fork }\n")
        for arguments, where in (["vendor"], self.directory), ([test], "/"), ([], self.directory / "vendor"):
            result = self.warder_test(*arguments, cwd=where)
            self.assertEqual(result.status, 0, result)
            self.assertIn("2 expectations hold, in 1 test of 1 file.\n", result.out)
        result = self.warder_test()
        self.assertEqual(result.status, 0, result)
        self.assertIn("3 expectations hold, in 2 tests of 2 files.\n", result.out)
        # An override that has ended is one that still counts, but on a day that is named.
        self.assertEqual(self.warder_test("--day", "2020-01-31").status, 0)
        result = self.warder_test("--day", "2020-02-01")
        self.assertEqual(result.status, 1, result)
        self.assertIn("expected allow by `default`, found deny by `no-exec`", result.out)

    def test_the_machine_is_not_asked(self):
        # Clauses T-10 and T-12.
        target = self.file("target", "")
        link = self.directory / "link"
        link.symlink_to(target)
        self.file("p.warder", f'policy p {{ deny read where path is "{link}" as no-link }}')
        self.file("p.test.warder", f'test p {{ expect allow read "{target}" by default }}\n'
                                   f'test p {{ given "{link}" resolves to "{target}"\n'
                                   f'expect deny read "{target}" by no-link }}\n')
        result = self.warder_test()
        self.assertEqual((result.status, result.out), (0, "2 expectations hold, in 2 tests of 1 file.\n"), result)

    def test_json_is_an_object_a_line(self):
        self.file("media.warder", POLICY)
        self.file("media.test.warder", FAILS)
        result = self.warder_test("--json", "--coverage")
        self.assertEqual((result.status, result.err), (1, ""), result)
        objects = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual([entry["kind"] for entry in objects],
                         ["expectation", "expectation", "unreached", "sum"])
        self.assertEqual(objects[1], {
            "kind": "expectation", "file": "media.test.warder", "line": 4, "column": 5, "policy": "media",
            "holds": False, "expected": {"verdict": "allow", "by": "probe"},
            "found": {"verdict": "deny", "by": "default-exec", "unknown": False, "file": "media.warder",
                      "line": 3, "column": 5}})
        self.assertTrue(objects[0]["holds"])
        self.assertEqual(objects[2], {"kind": "unreached", "file": "media.warder", "line": 5, "column": 5,
                                      "policy": "media", "part": "rule", "name": "no-shell"})
        self.assertEqual(objects[3], {"kind": "sum", "files": 1, "tests": 1, "expectations": 2, "failed": 1,
                                      "parts": 3, "unreached": 1, "errors": 0})
        self.file("media.test.warder", "test media { expect }")
        result = self.warder_test("--json")
        self.assertEqual((result.status, result.err), (1, ""), result)
        mistake, total = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual((mistake["code"], mistake["file"], mistake["line"]), ("E010", "media.test.warder", 1))
        self.assertEqual((total["kind"], total["errors"], total["expectations"]), ("sum", 1, 0))

    def test_wrong_usage_and_unreadable_files_are_2(self):
        self.file("media.warder", POLICY)
        for arguments in (["--what"], ["--coverage=some"], ["--day", "2027-02-30"], ["--day", "soon"], ["--day"],
                          ["nothing"], ["text.txt"]):
            self.file("text.txt", "")
            result = self.warder_test(*arguments)
            self.assertEqual((result.status, result.out), (2, ""), arguments)
            self.assertTrue(result.err.startswith("warder: test: "), result)
        os.mkdir(self.directory / "odd.test.warder")
        os.mkdir(self.directory / "dir.warder")
        result = self.warder_test("--help")
        self.assertEqual(result.status, 0)
        self.assertIn("examples:", result.out)
        self.assertIn("exit status:", result.out)

    def test_a_test_file_that_cannot_be_read_is_2(self):
        self.file("media.warder", POLICY)
        self.file("media.test.warder", HOLDS)
        os.mkdir(self.directory / "odd.test.warder")
        result = self.warder_test()
        self.assertEqual(result.status, 2, result)
        self.assertIn("odd.test.warder: cannot be read", result.err)
        self.assertIn("3 expectations hold", result.out)

    def test_shipped_policies_are_tested_whole(self):
        result = self.warder_test("--coverage=required", SOURCE / "policies")
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertNotIn("warning", result.out)

    def test_example_policies_of_the_specification_are_tested_whole(self):
        # Clause X-1.
        result = self.warder_test("--coverage=required", SOURCE / "tests" / "unit" / "policies" / "specification")
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertNotIn("warning", result.out)
