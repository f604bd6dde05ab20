"""The numbers of the specification's clauses, and the tests that name them.

A clause is a line of docs/policy-language.md that begins with `- [V-3]`. A test names clauses

- as a case of tests/unit/specification/NAME.cases: a line that begins with `[V-3 S-9]`;
- in C: a comment `/* Clause V-3. */` inside a test function that is registered with cmocka;
- in a policy of tests/unit/policies/bad: a comment `# Clause V-3.`, best behind everything that messages point at;
- in Python: a comment `# Clause V-3.` inside a method `test_…` of a test case.

Elsewhere a marker names nothing, so that a number is not kept alive by a text that no run reaches.
"""

import ast
import re

NUMBER = r"[A-Z]-[0-9]+"
DEFINITION = re.compile(rf"^- \[({NUMBER})\] ", re.M)
REFERENCE = re.compile(rf"\[({NUMBER})\]")
CASE = re.compile(rf"^\[((?:{NUMBER} ?)+)\]", re.M)
MARKER = re.compile(rf"\bClauses? ({NUMBER}(?:(?:, | and ){NUMBER})*)\.")
C_FUNCTION = re.compile(r"^static (?:void|int) (\w+)\([^;{]*\)\n\{", re.M)
C_COMMENT = re.compile(r"/\*.*?\*/", re.S)


def defined(text):
    """The clauses that the specification has, in its order."""
    return DEFINITION.findall(text)


def referred_to(text):
    """The clauses that some document speaks of."""
    return REFERENCE.findall(text)


def named_by_cases(text):
    """Clauses of a .cases file: pairs of number and title."""
    found = []
    for match in CASE.finditer(text):
        line = text[match.start():text.find("\n", match.start())]
        found += [(number, line) for number in match.group(1).split()]
    return found


def _numbers(comment):
    line = " ".join(re.sub(r"\n[ ]*\*", " ", comment).split())
    return [number for match in MARKER.finditer(line)
            for number in re.findall(NUMBER, match.group(1))]


def named_by_c(text):
    """Clauses in comments of test functions of a C file, with the function's name; a marker outside of one comes with None."""
    functions = [(match.start(), match.group(1)) for match in C_FUNCTION.finditer(text)]
    found = []
    for comment in C_COMMENT.finditer(text):
        inside = [(start, name) for start, name in functions if start < comment.start()]
        name = None
        if inside:
            start, last = inside[-1]
            end = text.find("\n}\n", start)
            registered = any(words in text for words in (f"cmocka_unit_test({last})",
                                                         f"cmocka_unit_test_setup({last}, ", f", {last}, "))
            if comment.start() < end and registered:
                name = last
        found += [(number, name) for number in _numbers(comment.group(0))]
    return found


def named_by_python(text):
    """Clauses in comments of test methods of a Python file, with the method's name; a marker outside of one comes with None."""
    methods = [(node.lineno, node.end_lineno, node.name) for node in ast.walk(ast.parse(text))
               if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    found = []
    for index, line in enumerate(text.split("\n"), 1):
        if "#" not in line:
            continue
        name = next((name for first, last, name in methods if first <= index <= last), None)
        found += [(number, name) for number in _numbers(line[line.index("#"):])]
    return found


def named_by_policy(text):
    """Clauses in the comments of a policy."""
    return [number for line in text.split("\n") if "#" in line for number in _numbers(line[line.index("#"):])]


def code_blocks(text):
    """The blocks between ``` of a document."""
    return re.findall(r"^```\n(.*?)^```$", text, re.M | re.S)
