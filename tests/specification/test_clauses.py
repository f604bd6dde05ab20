"""Every clause of the specification has a test that names it, and no test names one that is not there."""

import re
import unittest
from pathlib import Path

import clauses

ROOT = Path(__file__).resolve().parents[2]
SPECIFICATION = ROOT / "docs" / "policy-language.md"
GRAMMAR = ROOT / "docs" / "grammar.ebnf"
TESTS = ROOT / "tests"
CASES = TESTS / "unit" / "specification"


def read(path):
    return path.read_text(encoding="utf-8")


def names():
    """Pairs of a clause and where it is named: every marker of every test."""
    found = []
    for path in sorted(CASES.glob("*.cases")):
        found += [(number, f"{path.name}: {title}") for number, title in clauses.named_by_cases(read(path))]
    for path in sorted((TESTS / "unit" / "policies" / "bad").glob("*.warder")):
        if path.with_suffix(".expected").exists():
            found += [(number, path.name) for number in clauses.named_by_policy(path.read_text(encoding="utf-8", errors="replace"))]
    for path in sorted((TESTS / "unit").glob("test_*.c")):
        found += [(number, f"{path.name}: {name or 'outside of a test'}", name)
                  for number, name in clauses.named_by_c(read(path))]
    for folder in ("system", "unit", "oracle", "editors", "specification"):
        for path in sorted((TESTS / folder).glob("test_*.py")):
            found += [(number, f"{path.name}: {name or 'outside of a test'}", name)
                      for number, name in clauses.named_by_python(read(path))]
    return found


class Clauses(unittest.TestCase):
    def test_every_clause_has_a_test_that_names_it(self):
        named = {entry[0] for entry in names() if entry[-1]}
        missing = [number for number in clauses.defined(read(SPECIFICATION)) if number not in named]
        self.assertEqual(missing, [], "no test names these clauses of docs/policy-language.md")

    def test_no_test_names_a_clause_that_is_not_there(self):
        there = set(clauses.defined(read(SPECIFICATION)))
        self.assertEqual([entry[:2] for entry in names() if entry[0] not in there], [])

    def test_markers_stand_inside_of_tests(self):
        self.assertEqual([entry[:2] for entry in names() if entry[-1] is None], [])

    def test_numbers_are_used_once_and_rise_in_their_section(self):
        numbers = clauses.defined(read(SPECIFICATION))
        self.assertGreater(len(numbers), 100)
        self.assertEqual(sorted(set(numbers)), sorted(numbers))
        for letter in {number[0] for number in numbers}:
            of_letter = [int(number[2:]) for number in numbers if number[0] == letter]
            self.assertEqual(of_letter, sorted(of_letter), letter)

    def test_documents_refer_to_clauses_that_are_there(self):
        there = set(clauses.defined(read(SPECIFICATION)))
        for path in (SPECIFICATION, GRAMMAR):
            self.assertEqual([number for number in clauses.referred_to(read(path)) if number not in there], [], path.name)

    def test_examples_of_the_first_page_are_among_the_cases(self):
        cases = read(CASES / "example.cases")
        policies, tests = clauses.code_blocks(read(SPECIFICATION))
        example, thesis = policies.split("\npolicy thesis")
        for text in (example, "policy thesis" + thesis, tests):
            indented = "".join(f"    {line}\n" if line else "\n" for line in text.rstrip("\n").split("\n"))
            self.assertIn(indented, cases)


class Sizes(unittest.TestCase):
    def test_largest_texts_are_what_the_sources_have(self):
        # Clause L-20.
        clause = re.search(r"^- \[L-20\] .*\n.*", read(SPECIFICATION), re.M).group()
        for path, name, said in (("policies/language/compile.h", "POLICY_TEXT_MAX = ", "at most {} MiB"),
                                 ("daemon/session/wishes.h", "WISHES_TEXT_MAX = ", "a session brings {} KiB")):
            factors = re.search(rf"\b{name}([0-9]+)((?: \* 1024)+),", read(ROOT / path))
            self.assertEqual(factors.group(2).count("1024"), 2 if "MiB" in said else 1)
            self.assertIn(said.format(factors.group(1)), clause)


class NotHere(unittest.TestCase):
    def test_what_is_there_is_not_said_to_be_missing(self):
        missing = read(SPECIFICATION).split("\n## Not here yet\n")[1]
        self.assertEqual(re.findall(r"^- \*\*(\w+)", missing, re.M), ["Windows", "Limits"])
        self.assertNotIn("until that is here", read(SPECIFICATION))


class Codes(unittest.TestCase):
    def test_codes_of_messages_are_assigned_once(self):
        # Clause M-8.
        codes = read(ROOT / "policies" / "language" / "diagnostic_codes.h")
        for table in re.split(r"^#define DIAGNOSTIC_\w+\(X\)", codes, flags=re.M)[1:]:
            rows = re.findall(r"^    X\((\w+), (\d+), ", table, re.M)
            self.assertGreater(len(rows), 1)
            for column in zip(*rows):
                self.assertEqual(len(set(column)), len(column), [item for item in column if column.count(item) > 1])


class Markers(unittest.TestCase):
    """That the reader above sees what is there, and nothing else."""

    def test_definitions_are_lines_of_their_own(self):
        self.assertEqual(clauses.defined("- [A-1] one\n- [A-2] two\nsee [A-3]\n  - [A-4] no\n"), ["A-1", "A-2"])

    def test_cases_name_one_clause_or_several(self):
        self.assertEqual(clauses.named_by_cases("[A-1 B-22] title\n    [C-3] policy\n[x] no\n"),
                         [("A-1", "[A-1 B-22] title"), ("B-22", "[A-1 B-22] title")])

    def test_policies_name_clauses_in_comments(self):
        self.assertEqual(clauses.named_by_policy('policy p { deny exec as "MARK A-1." }\n# MARKs A-2 and B-3.\n'.replace("MARK", "Clause")), ["A-2", "B-3"])

    def test_c_comments_count_inside_of_registered_tests_alone(self):
        text = ("/* Clause A-1. */\n"
                "static void helper(int x)\n{\n    /* Clause A-2. */\n}\n"
                "static void tried(void **state)\n{\n    /* Clauses A-3, B-4 and\n     * C-5. */\n}\n"
                "/* Clause A-6. */\n"
                "int main(void)\n{\n    cmocka_unit_test(tried),\n}\n")
        self.assertEqual(clauses.named_by_c(text),
                         [("A-1", None), ("A-2", None), ("A-3", "tried"), ("B-4", "tried"), ("C-5", "tried"), ("A-6", None)])

    def test_python_comments_count_inside_of_tests_alone(self):
        text = ("# MARK A-1.\n"
                "class T:\n"
                "    def helper(self):\n        pass  # MARK A-2.\n"
                "    def test_it(self):\n        # MARKs A-3 and B-4.\n        pass\n").replace("MARK", "Clause")
        self.assertEqual(clauses.named_by_python(text), [("A-1", None), ("A-2", None), ("A-3", "test_it"), ("B-4", "test_it")])


if __name__ == "__main__":
    unittest.main()
