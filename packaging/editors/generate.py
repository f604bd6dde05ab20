"""Makes the grammars for editors out of the word lists of the language itself.

    python3 generate.py [--check] --words build/packaging/print_policy_words

Writes warder.tmLanguage.json and vim/ beside itself; with --check it writes nothing, and ends with 1 if they are not
what it would write.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

# A word of the language (grammar.ebnf, "lexical") is not cut in two by a hyphen, a colon, a slash or a dot inside it.
BEFORE = r"(?<![A-Za-z0-9_.:/-])"
AFTER = r"(?![A-Za-z0-9_:/-]|\.[A-Za-z0-9_])"
NAME = r"[A-Za-z][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*"
NUMBER = r"-?(?:0x[0-9A-Fa-f]+|0o[0-7]+|[0-9]+)"
ADDRESS = r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*)"
ESCAPE = r"\\(?:[\\\"ntr]|x[0-9A-Fa-f]{2}|u\{[0-9A-Fa-f]{1,6}\})"


def word(*words):
    return BEFORE + "(?:" + "|".join(words) + ")" + AFTER


def match(name, pattern, captures=None):
    rule = {"name": name, "match": pattern} if name else {"match": pattern}
    if captures:
        rule["captures"] = {str(number): value for number, value in captures.items()}
    return rule


def named(words, name):
    """Words behind which any name is a name, whatever it is elsewhere."""
    return match(None, BEFORE + "(" + "|".join(words) + r")\s+(" + NAME + ")" + AFTER,
                 {1: {"name": "keyword.other.warder"}, 2: {"name": name}})


def textmate(words):
    classes = r"(?:all|" + "|".join(words["class"]) + ")"
    listed = classes + r"(?:\s*,\s*" + classes + ")*"
    headed = {1: {"name": "keyword.other.statement.warder"}, 2: {"name": "keyword.control.effect.warder"},
              3: {"patterns": [{"include": "#class"}]}}
    plain = [w for w in words["statement"] + words["file"] + words["test_file"] + words["test"]
             if w not in words["effect"]]
    # `signal` is a class and an attribute: a class where classes are listed, an attribute elsewhere. `event` is a word
    # of the grammar before the name of one.
    certain = [w for w in words["class"] if w not in words["attribute"]]
    clauses = [w for w in words["clause"] if w not in words["attribute"]]
    patterns = [
        match("comment.line.number-sign.warder", r"#.*$"),
        {"include": "#strings"},
        named(["policy", "test"], "entity.name.section.warder"),
        named(["set"], "variable.other.set.warder"),
        named(["as", "by"], "entity.name.function.rule.warder"),
        match(None, BEFORE + r"(by)\s+(" + NAME + r"(?:\." + NAME + ")+)",
              {1: {"name": "keyword.other.warder"}, 2: {"name": "entity.name.function.rule.warder"}}),
        match(None, BEFORE + r"(label)\s+(" + NAME + ")" + AFTER,
              {1: {"name": "variable.language.attribute.warder"}, 2: {"name": "variable.parameter.warder"}}),
        match("entity.name.function.rule.warder", BEFORE + r"(?:mandatory|local|vendor)/" + NAME + r"\." + NAME + AFTER),
        match(None, BEFORE + r"(?:(default|expect)\s+)?(" + "|".join(words["effect"]) + r")\s+(" + listed + ")" + AFTER,
              headed),
        match(None, BEFORE + r"(floor|limit)\s+(" + listed + ")" + AFTER,
              {1: {"name": "keyword.other.statement.warder"}, 2: {"patterns": [{"include": "#class"}]}}),
        match("support.constant.place.warder", word(r"session\.(?:" + "|".join(words["place"]) + ")")),
        match(None, BEFORE + r"(arg)\.(" + NAME + ")?",
              {1: {"name": "variable.language.attribute.warder"}, 2: {"name": "variable.parameter.warder"}}),
        match("constant.numeric.date.warder", BEFORE + r"[0-9]{4}-[0-9]{2}-[0-9]{2}" + AFTER),
        match("constant.numeric.address.warder", BEFORE + ADDRESS + "(?:/[0-9]+)?" + AFTER),
        match("constant.numeric.range.warder", BEFORE + "[0-9]+-[0-9]+" + AFTER),
        match("constant.numeric.duration.warder", BEFORE + "[0-9]+(?:ms|s|m|h|d)" + AFTER),
        match("constant.numeric.integer.warder", BEFORE + NUMBER + AFTER),
        match("keyword.other.warder", BEFORE + r"event(?=\s*[\"'])"),
        match("keyword.control.effect.warder", word(*words["effect"])),
        match("keyword.other.statement.warder", word(*plain)),
        match("keyword.other.warder", word(*clauses)),
        match("keyword.operator.logical.warder", word(*words["join"])),
        match("keyword.operator.word.warder", word(*words["operator"])),
        match("keyword.operator.comparison.warder", r"<=|>=|<|>"),
        match("keyword.operator.assignment.warder", r"="),
        match("constant.language.warder", word(*words["constant"])),
        match("variable.language.attribute.warder", word(*words["attribute"])),
        match("support.type.class.warder", word(*certain)),
        match("punctuation.separator.warder", r","),
        match("punctuation.section.warder", r"[\[\]{}()]"),
        match("variable.other.warder", BEFORE + NAME + AFTER),
    ]
    grammar = {
        "comment": "Made by generate.py out of the language's own word lists: do not edit.",
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "Warder policy",
        "scopeName": "source.warder",
        "fileTypes": ["warder"],
        "patterns": patterns,
        "repository": {
            "strings": {"patterns": [
                {"name": "string.quoted.double.warder", "begin": '"', "end": r'"|$',
                 "patterns": [match("constant.character.escape.warder", ESCAPE),
                              match("invalid.illegal.escape.warder", r"\\.")]},
                match("string.quoted.single.warder", r"'[^']*(?:'|$)"),
            ]},
            "class": {"patterns": [match("support.type.class.warder", word(*words["class"])),
                                   match("constant.language.warder", word("all")),
                                   match("punctuation.separator.warder", r",")]},
        },
    }
    return json.dumps(grammar, indent=2) + "\n"


def keywords(group, words, *options):
    lines, line = [], f"syn keyword {group}"
    for name in words:
        if len(line) + len(name) + 1 > 98 - len(" ".join(options)):
            lines.append(" ".join([line, *options]))
            line = f"syn keyword {group}"
        line += " " + name
    return "\n".join([*lines, " ".join([line, *options])])


def vim_syntax(words):
    plain = [w for w in words["statement"] + words["file"] + words["test_file"] + words["test"]
             if w not in words["effect"] and w not in ("set", "policy", "test", "default", "floor", "limit", "expect")]
    plain = sorted(set(plain), key=plain.index)
    clauses = [w for w in words["clause"] if w not in words["attribute"] and w not in ("as", "by")]
    attributes = [w for w in words["attribute"] if w not in ("label", "event")]
    operators = words["join"] + words["operator"]
    places = ["session." + place for place in words["place"]]
    name = r"[A-Za-z][A-Za-z0-9_]*\%(-[A-Za-z0-9_]\+\)*"
    return f"""\" Vim syntax file
" Language: Warder policies (*.warder)
" Made by generate.py out of the language's own word lists: do not edit.

if exists("b:current_syntax")
  finish
endif

syn case match
" As the language has it: a hyphen, a dot, a colon or a slash does not end a word.
syn iskeyword @,48-57,_,-,.,:,/

syn match warderVariable "\\<{name}\\>"
syn match warderNumber "\\<-\\?\\%(0x\\x\\+\\|0o\\o\\+\\|\\d\\+\\)\\>"
syn match warderNumber "\\<\\d\\+-\\d\\+\\>"
syn match warderNumber "\\<\\d\\+\\%(ms\\|s\\|m\\|h\\|d\\)\\>"
syn match warderNumber "\\<\\d\\{{4}}-\\d\\d-\\d\\d\\>"
syn match warderAddress "\\<\\d\\{{1,3}}\\%(\\.\\d\\{{1,3}}\\)\\{{3}}\\%(/\\d\\+\\)\\?\\>"
syn match warderAddress "\\<\\x*:\\x*:[0-9A-Fa-f:.]*\\%(/\\d\\+\\)\\?"
syn match warderRule "\\<\\%(mandatory\\|local\\|vendor\\)/{name}\\.{name}\\>"
syn match warderAttribute "\\<arg\\.\\%({name}\\)\\?"
syn match warderOperator "[<>]=\\?\\|="

{keywords("warderStatement", plain)}
{keywords("warderStatement", ["policy", "test"], "nextgroup=warderName", "skipwhite", "skipempty")}
{keywords("warderStatement", ["set"], "nextgroup=warderSet", "skipwhite", "skipempty")}
{keywords("warderStatement", ["default", "expect"], "nextgroup=warderEffect", "skipwhite", "skipempty")}
{keywords("warderStatement", ["floor", "limit"], "nextgroup=warderClass,warderAll", "skipwhite", "skipempty")}
{keywords("warderEffect", words["effect"], "nextgroup=warderClass,warderAll,warderEvent", "skipwhite", "skipempty")}
{keywords("warderClause", clauses)}
{keywords("warderClause", ["as"], "nextgroup=warderName", "skipwhite", "skipempty")}
{keywords("warderClause", ["by"], "nextgroup=warderDecider", "skipwhite", "skipempty")}
{keywords("warderOperator", operators)}
{keywords("warderConstant", words["constant"])}
{keywords("warderPlace", places)}
{keywords("warderAttribute", attributes)}
{keywords("warderAttribute", ["label"], "nextgroup=warderLabel", "skipwhite", "skipempty")}
{keywords("warderAttribute", ["event"])}
" Where classes are listed, `signal` is a class and no attribute; elsewhere no class stands.
{keywords("warderClass", words["class"], "contained", "nextgroup=warderComma", "skipwhite", "skipempty")}
{keywords("warderAll", ["all"], "contained")}
{keywords("warderEvent", ["event"], "contained")}
syn match warderComma "," contained nextgroup=warderClass skipwhite skipempty
syn match warderName "{name}" contained
syn match warderSet "{name}" contained
syn match warderLabel "{name}" contained
syn match warderDecider "{name}\\%(\\.{name}\\)*" contained

syn region warderString start=+"+ skip=+\\\\.+ end=+"+ oneline contains=warderEscape
syn match warderEscape "\\\\\\%([\\\\\\"ntr]\\|x\\x\\x\\|u{{\\x\\{{1,6}}}}\\)" contained
syn region warderString start=+'+ end=+'+ oneline
syn match warderComment "#.*$" contains=@Spell

hi def link warderStatement Statement
hi def link warderEffect Keyword
hi def link warderClause Keyword
hi def link warderEvent Keyword
hi def link warderOperator Operator
hi def link warderConstant Constant
hi def link warderAll Constant
hi def link warderPlace Constant
hi def link warderAttribute Identifier
hi def link warderClass Type
hi def link warderVariable Normal
hi def link warderSet Normal
hi def link warderName Function
hi def link warderDecider Function
hi def link warderRule Function
hi def link warderLabel Identifier
hi def link warderNumber Number
hi def link warderAddress Number
hi def link warderString String
hi def link warderEscape SpecialChar
hi def link warderComment Comment

let b:current_syntax = "warder"
"""


VIM_DETECT = """\" Made by generate.py: do not edit.
autocmd BufNewFile,BufRead *.warder setfiletype warder
"""

VIM_PLUGIN = """\" Vim filetype plugin
" Language: Warder policies (*.warder)
" Made by generate.py: do not edit.

if exists("b:did_ftplugin")
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:# commentstring=#\\ %s formatoptions-=t formatoptions+=croql
setlocal expandtab shiftwidth=4 softtabstop=4 textwidth=100
" The whole file through `gggqG`; a part of one is no policy file.
if executable("warder")
  setlocal formatprg=warder\\ fmt\\ -
endif

let b:undo_ftplugin = "setlocal comments< commentstring< formatoptions< expandtab< shiftwidth<"
      \\ . " softtabstop< textwidth< formatprg<"
"""


def files(words):
    return {"warder.tmLanguage.json": textmate(words), "vim/syntax/warder.vim": vim_syntax(words),
            "vim/ftdetect/warder.vim": VIM_DETECT, "vim/ftplugin/warder.vim": VIM_PLUGIN}


def main():
    parser = argparse.ArgumentParser(description="Makes the grammars for editors.")
    parser.add_argument("--words", required=True, help="the program that prints the language's words")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if something would change")
    arguments = parser.parse_args()
    words = json.loads(subprocess.run([arguments.words], check=True, stdout=subprocess.PIPE).stdout)
    old = []
    for name, text in files(words).items():
        path = HERE / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        old.append(name)
        if not arguments.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in old:
        print(f"{name}: {'is not up to date; run packaging/editors/generate.py' if arguments.check else 'written'}")
    sys.exit(1 if arguments.check and old else 0)


if __name__ == "__main__":
    main()
