"""The grammars for editors know every word of the language.

    python3 test_grammars.py --words build/packaging/print_policy_words

The TextMate grammar is run by a small reader of such grammars, on Python's `re`; the Vim one by Vim, where there is one.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EDITORS = ROOT / "packaging" / "editors"
EXAMPLES = ROOT / "tests" / "unit" / "policies" / "format"


class Grammar:
    """As much of TextMate's rules as ours uses: match and begin/end within a line, captures, include."""

    def __init__(self, path):
        self.grammar = json.loads(path.read_text(encoding="utf-8"))
        self.compiled = {}

    def regex(self, pattern):
        if pattern not in self.compiled:
            self.compiled[pattern] = re.compile(pattern)
        return self.compiled[pattern]

    def rules(self, patterns):
        for rule in patterns:
            if "include" in rule:
                yield from self.rules(self.grammar["repository"][rule["include"][1:]]["patterns"])
            else:
                yield rule

    def first(self, patterns, line, at, end):
        """The match that begins first; of those, that of the first rule."""
        best = None
        for rule in self.rules(patterns):
            found = self.regex(rule.get("match") or rule["begin"]).search(line, at, end)
            if found and (best is None or found.start() < best[0].start()):
                best = found, rule
        return best

    def paint(self, scopes, line, patterns, at, end):
        while at < end:
            best = self.first(patterns, line, at, end)
            if best is None:
                return
            found, rule = best
            stop = found.end()
            if "begin" in rule:
                inner = stop
                closing = self.regex(rule["end"])
                escapes = self.regex(r"\\.|" + rule["end"])
                while True:
                    last = escapes.search(line, inner, end)
                    inner = last.end()
                    if not last.group().startswith("\\"):
                        break
                self.assert_closed(closing, line, last)
                stop = last.end()
                scopes[found.start():stop] = [rule["name"]] * (stop - found.start())
                self.paint(scopes, line, rule.get("patterns", []), found.end(), last.start())
            else:
                if "name" in rule:
                    scopes[found.start():stop] = [rule["name"]] * (stop - found.start())
                for number, capture in rule.get("captures", {}).items():
                    start, behind = found.span(int(number))
                    if start < 0:
                        continue
                    if "name" in capture:
                        scopes[start:behind] = [capture["name"]] * (behind - start)
                    self.paint(scopes, line, capture.get("patterns", []), start, behind)
            at = max(stop, at + 1)

    @staticmethod
    def assert_closed(closing, line, last):
        assert closing.match(line, last.start()), line

    def scopes(self, line):
        """The scope of each character; None where there is none."""
        scopes = [None] * len(line)
        self.paint(scopes, line, self.grammar["patterns"], 0, len(line))
        return scopes

    def words(self, text):
        """(word, scope) of what has one scope; scope None for what stands bare."""
        for line in text.split("\n"):
            scopes = self.scopes(line)
            for found in re.finditer(r"[^\s\[\](){},]+", line):
                for word in re.finditer(r"\S+", found.group()):
                    start = found.start() + word.start()
                    yield word.group(), scopes[start]


def samples(words):
    """(what to write, the word in it, its kind) for every word of the language."""
    for name in words["class"]:
        for text in "deny {} as x", "deny exec, {} where user is \"a\" as x", "default deny {}", "floor {}, exec", \
                    "expect would-deny {} by default":
            yield text.format(name), name, "class"
    for name in words["attribute"]:
        shape = {"arg": "{}[0]", "label": "{} role"}.get(name, "{}")
        for text in "deny exec where {} is absent as x", "applies {{ not ({} is \"a\") }}":
            yield text.format(shape.format(name)), name, "attribute"
    yield "log event \"x\" where arg.path is none as y", "arg", "attribute"
    yield "session user \"a\" unit \"b\" label role \"c\"", "unit", "attribute"
    for name in words["place"]:
        yield f"allow write where path under session.{name} as x", f"session.{name}", "place"
    for name in words["effect"]:
        yield f"expect {name} exec by default", name, "effect"
        yield f"expect {name} event \"os.fork\" [] by default", name, "effect"
    for name in set(words["statement"] + words["file"] + words["test"] + words["test_file"]) - set(words["effect"]):
        rest = {"applies": "{ user is \"a\" }", "mode": "enforce", "default": "deny exec", "set": "x = [1]",
                "floor": "exec", "override": "local/p.a", "limit": "exec to 5 per user", "policy": "p {",
                "test": "p {", "session": "user \"a\"", "given": "platform linux", "expect": "deny exec by a"}[name]
        yield f"{name} {rest}", name, "statement"
    for name in words["clause"]:
        text = {"event": "deny event \"x\" as y", "where": "deny exec where shell as x", "as": "deny exec as x",
                "message": "deny exec as x message \"y\"", "required": "floor exec required",
                "reason": "override local/p.a reason \"x\" until 2027-01-31",
                "until": "override local/p.a reason \"x\" until 2027-01-31", "to": "limit exec to 5 per 10s as x",
                "per": "limit exec to 5 per 10s as x", "by": "expect deny exec by x",
                "resolves": "given \"a\" resolves to \"b\""}[name]
        yield text, name, "clause"
    for name in words["join"]:
        yield f"deny exec where shell and ({name} shell) as x", name, "join"
    for name in words["operator"]:
        yield f"deny exec where argv {name} [\"x\"] as x", name, "operator"
    for name in words["constant"]:
        text = {"all": "default deny all", "enforce": "mode enforce", "observe": "mode observe"}.get(
            name, f"deny exec where shell is {name} as x")
        yield text, name, "constant"
    for name in "<", "<=", ">", ">=":
        yield f"deny connect where port {name} 1024 as x", name, "operator"
    for name in "443", "-1", "0x1F", "0o755":
        yield f"deny connect where port is {name} as x", name, "number"
    for name in "10.20.0.0/16", "10.0.0.1", "2001:db8:7::/48", "::1":
        yield f"deny connect where address in [{name}] as x", name, "address"
    yield "deny connect where port in [8000-8100] as x", "8000-8100", "number"
    yield "limit exec to 5 per 10ms as x", "10ms", "number"
    yield "override local/p.a reason \"x\" until 2027-01-31", "2027-01-31", "number"
    yield "override vendor/p.default-exec reason \"x\" until 2027-01-31", "vendor/p.default-exec", "rule"
    # What stands where a name is given is a name.
    for name in "deny", "read", "log", "where", "is", "a-b":
        yield f"deny exec as {name}", name, "rule"
        yield f"policy {name} {{", name, "name"
    yield "expect deny exec by other.rule", "other.rule", "rule"
    yield "expect deny exec by default", "default", "rule"
    yield "deny exec where argv has probes as x", "probes", "variable"
    yield "deny exec where argv has is-it as x", "is-it", "variable"


def find_word(line, name, kind):
    """Where the word stands in the line: the last place, of a name that is given; else the first."""
    places = [found.start() for found in
              re.finditer(r"(?<![\w./:-])" + re.escape(name) + r"(?![\w/:-])", re.sub(r'"[^"]*"', lambda s: " " * len(s[0]), line))]
    assert places, (line, name)
    if kind == "class" and line.startswith(("expect", "default")) or kind == "effect":
        return places[0]
    return places[-1] if kind in ("rule", "name", "operator", "join", "constant", "variable") else places[0]


class TextMate(unittest.TestCase):
    kinds = {"class": "support.type.class", "attribute": "variable.language.attribute",
             "place": "support.constant.place", "effect": "keyword.control.effect",
             "statement": "keyword.other.statement", "clause": "keyword.other.warder",
             "join": "keyword.operator.logical", "operator": "keyword.operator", "constant": "constant.language",
             "number": "constant.numeric", "address": "constant.numeric.address", "rule": "entity.name.function.rule",
             "name": "entity.name.section", "variable": "variable.other.warder"}

    def setUp(self):
        self.grammar = Grammar(EDITORS / "warder.tmLanguage.json")

    def test_every_word_has_its_scope(self):
        count = 0
        for line, name, kind in samples(WORDS):
            start = find_word(line, name, kind)
            scopes = set(self.grammar.scopes(line)[start:start + len(name)])
            # A word of the grammar before a name has the scope of either sort.
            kinds = [self.kinds[kind]]
            if name in ("policy", "test", "set", "as", "by"):
                kinds.append("keyword.other")
            self.assertEqual(len(scopes), 1, (line, name, scopes))
            self.assertTrue(str(scopes.pop()).startswith(tuple(kinds)), (line, name, self.grammar.scopes(line)[start]))
            count += 1
        self.assertGreater(count, 250)

    def test_nothing_in_the_examples_is_bare(self):
        for name in "specification.warder", "specification.test.warder", "tests.test.warder", "strings.warder":
            text = (EXAMPLES / name).read_text(encoding="utf-8")
            for word, scope in self.grammar.words(text):
                self.assertIsNotNone(scope, (name, word))
                self.assertNotIn("illegal", scope, (name, word))
        text = (EXAMPLES / "specification.warder").read_text(encoding="utf-8")
        self.assertEqual({word for word, scope in self.grammar.words(text) if scope == "variable.other.warder"},
                         {"probes"})

    def test_strings_and_comments_hold_no_words(self):
        line = r"""deny read where path is "deny # \" \x41 \q" and name is 'a \' as b # allow exec"""
        scopes = self.grammar.scopes(line)
        self.assertEqual(scopes[line.index('"deny') + 1], "string.quoted.double.warder")
        self.assertEqual(scopes[line.index("# \\")], "string.quoted.double.warder")
        self.assertEqual(scopes[line.index('\\"')], "constant.character.escape.warder")
        self.assertEqual(scopes[line.index("\\x41") + 3], "constant.character.escape.warder")
        self.assertEqual(scopes[line.index("\\q")], "invalid.illegal.escape.warder")
        self.assertEqual(scopes[line.index("'a") + 3], "string.quoted.single.warder")
        self.assertEqual(scopes[line.index("as b")], "keyword.other.warder")
        self.assertEqual(scopes[-1], "comment.line.number-sign.warder")


class Words(unittest.TestCase):
    def test_what_the_parser_asks_for_is_in_the_lists(self):
        """A new word of the grammar goes into words.c, and so into the editors' grammars."""
        known = {word for group in WORDS.values() for word in group}
        asked = set()
        for path in sorted((ROOT / "policies" / "language").glob("pars*.c")):
            text = path.read_text(encoding="utf-8")
            asked |= set(re.findall(r'(?:parser_at|parser_take_word|token_is)\([^"()]*(?:\([^()]*\))?[^"()]*"([a-z-]+)"\)', text))
        self.assertGreater(len(asked), 30)
        self.assertEqual(asked - known, set())

    def test_the_words_of_the_grammar_file_are_in_the_lists(self):
        known = {word for group in WORDS.values() for word in group}
        text = (ROOT / "docs" / "grammar.ebnf").read_text(encoding="utf-8")
        text = re.sub(r"\(\*.*?\*\)", "", text, flags=re.S)
        words = set(re.findall(r'"([a-z-]{2,})"', text))
        self.assertGreater(len(words), 30)
        self.assertEqual(words - known, set())


class Vim(unittest.TestCase):
    kinds = {"class": "warderClass", "attribute": "warderAttribute", "place": "warderPlace", "effect": "warderEffect",
             "statement": "warderStatement", "clause": "warderClause", "join": "warderOperator",
             "operator": "warderOperator", "constant": "warderConstant", "number": "warderNumber",
             "address": "warderAddress", "rule": "warderName", "name": "warderName", "variable": "warderVariable"}

    def groups(self, cases):
        """The group of each word, as Vim shows it."""
        vim = shutil.which("vim")
        if not vim:
            self.skipTest("there is no vim on PATH")
        directory = Path(tempfile.mkdtemp(prefix="warder-vim-"))
        self.addCleanup(shutil.rmtree, directory)
        (directory / "x.warder").write_text("".join(line + "\n" for line, _, _ in cases), encoding="utf-8")
        places = [find_word(*case) + 1 for case in cases]
        (directory / "script.vim").write_text(
            "syntax on\n" f"set runtimepath^={EDITORS}/vim\n" f"source {EDITORS}/vim/syntax/warder.vim\n"
            f"let places = {places}\n" "let out = []\n"
            "for i in range(len(places))\n  call add(out, synIDattr(synID(i + 1, places[i], 1), 'name'))\nendfor\n"
            f"call writefile(out, '{directory}/out')\nqall!\n")
        result = subprocess.run([vim, "-u", "NONE", "-i", "NONE", "-N", "-es", "-S", str(directory / "script.vim"),
                                 str(directory / "x.warder")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=60, env=dict(os.environ, TERM="dumb"))
        out = directory / "out"
        if not out.exists():
            self.skipTest(f"this vim has no syntax highlighting: {result.stdout.decode(errors='replace')[:200]}")
        return out.read_text().split("\n")[:-1]

    def test_every_word_has_its_group(self):
        cases = list(samples(WORDS))
        groups = self.groups(cases)
        self.assertEqual(len(groups), len(cases))
        wrong = []
        for (line, name, kind), group in zip(cases, groups):
            wanted = {self.kinds[kind]}
            if kind == "rule":
                wanted |= {"warderRule", "warderDecider"}
            if name == "event" and kind == "clause":
                wanted = {"warderEvent"}
            if name == "all":
                wanted = {"warderAll"}
            if group not in wanted:
                wrong.append((line, name, kind, group))
        self.assertEqual(wrong, [])


def load_words(program):
    return json.loads(subprocess.run([program], check=True, stdout=subprocess.PIPE).stdout)


if __name__ == "__main__":
    at = sys.argv.index("--words")
    WORDS = load_words(sys.argv[at + 1])
    del sys.argv[at:at + 2]
    unittest.main(verbosity=2)
