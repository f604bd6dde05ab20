"""`warder check`, as its user meets it."""

import json
import os
import unittest

from support import NO_PROCESS, UNTRUSTED, WARDER, Test, execute

GOOD = "policy good {\n    deny exec as no-programs\n}\n"
WRONG = "policy wrong {\n    deny exce as a\n    deny read where flie is \"/x\" as b\n}\n"
OLD = "policy old {\n    deny exec as a\n    override local/old.a reason \"t\" until 2020-01-01\n}\n"


class Check(Test):
    def check(self, *arguments, **options):
        return execute([WARDER, "check", *arguments], cwd=self.directory, **options)

    def file(self, name, text):
        (self.directory / name).write_text(text, encoding="utf-8")
        return name

    def json(self, *arguments, **options):
        result = self.check("--json", *arguments, **options)
        self.assertTrue(result.out.isascii(), result)
        *diagnostics, sums = [json.loads(line) for line in result.out.splitlines()]
        return result, diagnostics, sums

    def test_check_says_nothing_of_what_is_right(self):
        result = self.check(self.file("good.warder", GOOD))
        self.assertEqual((result.status, result.out, result.err), (0, "", ""), result)

    def test_check_says_all_errors_of_all_files_in_order_and_exits_1(self):
        self.file("a.warder", WRONG)
        self.file("b.warder", "policy b { deny raed as a }\n")
        result = self.check("b.warder", "a.warder")
        self.assertEqual(result.status, 1, result)
        places = [line.split(": ")[0] for line in result.out.splitlines() if "error[" in line]
        self.assertEqual(places, ["b.warder:1:17", "a.warder:2:10", "a.warder:3:21"], result)
        self.assertEqual(result.out.splitlines()[-1], "3 errors in 2 files.")

    def test_check_exits_0_where_there_are_warnings_alone(self):
        result = self.check(self.file("old.warder", OLD))
        self.assertEqual(result.status, 0, result)
        self.assertIn("old.warder:3:43: warning[W010]", result.out)

    def test_check_goes_on_behind_a_file_that_cannot_be_read_and_exits_2(self):
        self.file("wrong.warder", WRONG)
        result, diagnostics, sums = self.json("missing.warder", "wrong.warder")
        self.assertEqual(result.status, 2, result)
        self.assertIn("missing.warder: cannot be read: No such file", result.err)
        self.assertEqual([entry["code"] for entry in diagnostics], ["E011", "E013"])
        self.assertEqual(sums, {"errors": 2, "warnings": 0, "notes": 0, "files": 1, "unread": 1})

    def test_check_without_a_file_is_wrong_usage(self):
        self.assertEqual(self.check().status, 2)
        self.assertEqual(self.check("--jsn", "x").status, 2)

    def test_check_reads_standard_input(self):
        result = self.check("-", input=WRONG)
        self.assertEqual(result.status, 1, result)
        self.assertIn("standard-input:2:10: error[E011]", result.out)

    def test_check_prints_json_of_each_diagnostic_and_the_sums(self):
        self.file("p.warder", "policy p { deny exec as a }\npolicy p {\n    deny exec as \"ü\"\n}\n")
        result, diagnostics, sums = self.json("p.warder")
        self.assertEqual(result.status, 1, result)
        self.assertEqual(sums, {"errors": 2, "warnings": 0, "notes": 0, "files": 1, "unread": 0})
        first = diagnostics[0]
        self.assertEqual({key: first[key] for key in ("code", "severity", "file", "line", "column",
                                                      "end_line", "end_column", "message")},
                         {"code": "E070", "severity": "error", "file": "p.warder", "line": 2, "column": 8,
                          "end_line": 2, "end_column": 9, "message": "policy `p` is there already"})
        self.assertEqual(first["second"], {"file": "p.warder", "line": 1, "column": 8, "end_line": 1,
                                           "end_column": 9, "label": "first here"})
        self.assertEqual(first["remarks"], [{"kind": "help", "text": "give one of the two another name"}])
        self.assertIsNone(diagnostics[1]["second"])
        self.assertEqual((diagnostics[1]["line"], diagnostics[1]["column"], diagnostics[1]["end_column"]),
                         (3, 18, 21))

    def test_policies_of_one_name_in_two_files_are_an_error_of_both_places(self):
        self.file("a.warder", GOOD)
        self.file("b.warder", GOOD)
        _, diagnostics, _ = self.json("a.warder", "b.warder")
        self.assertEqual([(entry["code"], entry["file"], entry["second"]["file"]) for entry in diagnostics],
                         [("E070", "b.warder", "a.warder")])

    def test_overrides_find_their_targets_in_other_files(self):
        self.file("target.warder", "policy target { deny exec as no-programs }\n")
        override = ("policy mine {{ override {} where file is \"/nonexistent/x\"\n"
                    "    reason \"t\" until 2999-01-01 }}\n")
        self.file("mine.warder", override.format("local/target.no-programs"))
        self.assertIn("W011", self.check("mine.warder").out)
        self.assertEqual(self.check("mine.warder", "target.warder").out, "")
        self.file("vendor.warder", override.format("vendor/target.no-programs"))
        self.assertIn("W011", self.check("vendor.warder", "target.warder").out)
        self.assertEqual(self.check("vendor.warder", "--vendor", "target.warder").out, "")

    def test_overrides_find_the_policies_that_come_with_warder(self):
        self.file("mine.warder", "policy mine {\n    override vendor/no-process.nothing reason \"t\" until 2999-01-01\n}\n")
        result = self.check("mine.warder")
        self.assertIn("policy `no-process` has no rule `nothing`", result.out)
        self.assertEqual(result.status, 0, result)

    def test_the_policies_that_come_with_warder_have_no_errors(self):
        result, _, sums = self.json(NO_PROCESS, UNTRUSTED)
        self.assertEqual((result.status, sums["errors"]), (0, 0), result)

    def test_check_shows_what_a_path_leads_to(self):
        target = self.directory / "target"
        target.mkdir()
        os.symlink(target, self.directory / "link")
        self.file("p.warder", f'policy p {{ deny read where path under "{self.directory}/link/x" as a }}\n')
        result, diagnostics, _ = self.json("p.warder")
        self.assertEqual(result.status, 0, result)
        self.assertEqual([entry["code"] for entry in diagnostics], ["N001"])
        self.assertIn(f"{target}/x", diagnostics[0]["message"])

    def test_a_program_that_its_subject_can_write_is_a_warning_and_beside_a_floor_an_error(self):
        tool = self.directory / "tool"
        tool.write_text("#!/bin/sh\n")
        tool.chmod(0o777)
        rule = f'default deny exec\n    allow exec where file is "{tool}" as tool\n'
        self.file("plain.warder", f"policy p {{\n    {rule}}}\n")
        self.file("floor.warder", f"policy p {{\n    floor exec\n    {rule}}}\n")
        result, diagnostics, _ = self.json("plain.warder")
        self.assertEqual(result.status, 0, result)
        self.assertIn("W015", [entry["code"] for entry in diagnostics])
        result, diagnostics, _ = self.json("floor.warder")
        self.assertEqual(result.status, 1, result)
        self.assertIn("E067", [entry["code"] for entry in diagnostics])

    POLICY_WITH_FLOORS = """policy p {
    default deny exec, write, read, ffi
    floor exec, write
    allow exec  where file is "/usr/bin/true" and argv starts ["true"] as program
    allow write where path under "/srv/out" as out
    deny  write where path matches "/srv/out/**/*.py" as no-code
    deny  event "subprocess.Popen" as no-popen
    allow import as modules
    deny  connect as no-connect
}
"""

    def test_rings_say_of_each_rule_what_holds_it(self):
        # Clause K-23.
        result = self.check("--json", "--rings", self.file("p.warder", self.POLICY_WITH_FLOORS))
        self.assertEqual(result.status, 0, result)
        rows = [json.loads(line) for line in result.out.splitlines()]
        rings = {row["rule"]: (row["rings"], row["kernel"]) for row in rows if "rule" in row}
        self.assertEqual(rings["default-exec"], ([1, 2, 3], ""))
        self.assertEqual(rings["default-write"], ([1, 3], ""))
        self.assertEqual(rings["default-read"][0], [1])
        self.assertIn("`floor read` would hold it", rings["default-read"][1])
        self.assertEqual(rings["defaults"], ([1], ""))
        self.assertEqual(rings["out"], ([1, 3], ""))
        self.assertEqual(rings["program"], ([1, 2, 3], "the kernel lets its programs start with any arguments"))
        self.assertEqual(rings["no-code"], ([1], "the kernel holds it outside of what the allows open, and not below"))
        self.assertEqual(rings["no-popen"][0], [1])
        self.assertEqual(rings["modules"], ([1], ""))
        self.assertIn("`floor connect`", rings["no-connect"][1])
        gaps = {row["floor"]: row["not_held"] for row in rows if "floor" in row}
        self.assertEqual(sorted(gaps), ["exec", "write"])

    def test_rings_are_a_table_of_standard_input_too(self):
        result = self.check("--rings", "-", input=GOOD)
        self.assertEqual(result.status, 0, result)
        self.assertIn("policy good: what holds each rule", result.out)
        self.assertNotIn("policy untrusted", result.out)

    def test_rings_are_a_table_of_the_policies_that_were_asked_about(self):
        result = self.check("--rings", self.file("p.warder", self.POLICY_WITH_FLOORS))
        self.assertEqual(result.status, 0, result)
        self.assertIn("policy p: what holds each rule", result.out)
        self.assertNotIn("policy untrusted", result.out)
        self.assertRegex(result.out, r"default-exec +deny exec +rings 1, 2 and 3\n")
        self.assertRegex(result.out, r"out +allow write +rings 1 and 3\n")
        self.assertIn("not held under `floor write`", result.out)

    def test_rings_of_a_policy_with_an_error_are_not_said(self):
        result = self.check("--rings", self.file("p.warder", "policy p { default deny exce }\n"))
        self.assertEqual(result.status, 1, result)
        self.assertNotIn("what holds each rule", result.out)

    def test_ten_thousand_rules_are_checked(self):
        rules = "".join(f'    deny read where path under "/srv/{i}" as r{i}\n' for i in range(10000))
        result = self.check(self.file("large.warder", f"policy large {{\n{rules}}}\n"))
        self.assertEqual((result.status, result.out), (0, ""), result)


if __name__ == "__main__":
    unittest.main()
