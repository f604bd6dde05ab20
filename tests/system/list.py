"""Lists the system tests for CMake: one line each,

    NAME;TEST;PYTHON;VERSION;LABELS;TIMEOUT

with --newest, for the newest interpreter alone: what compilers and sanitizers look at differs little between them. With
names of modules, for those alone.

A test method is one behaviour. A class with `per_interpreter = True` gives one entry for each
interpreter and behaviour, or for those that its `choose` takes of them. What takes long is tried with the short tests
on those of them that `short_on` takes, of the class or of the method, and on the others under `--full`.
"""

import sys
import unittest
from pathlib import Path

import interpreters


def methods(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from methods(item)
        else:
            yield item


def main():
    here = Path(__file__).resolve().parent
    sys.path.insert(0, str(here))
    found = interpreters.find()
    if not found:
        sys.exit("no CPython from 3.8 on was found, under pyenv or on PATH: there is nothing to test with")
    newest = sys.argv[1:2] == ["--newest"]
    if newest:
        found = interpreters.newest(found)
    loader = unittest.TestLoader()
    modules = sys.argv[2 if newest else 1:] or sorted(path.stem for path in here.glob("test_*.py"))
    for module in modules:
        suite = loader.loadTestsFromName(module)
        if loader.errors:
            sys.exit("\n".join(loader.errors))
        for test in methods(suite):
            kind = type(test)
            method = test._testMethodName
            name = f"{getattr(kind, 'prefix', 'system')}.{method[len('test_'):]}"
            labels = ",".join(getattr(kind, "labels", ("system",)))
            timeout = str(getattr(kind, "timeout", 180))
            target = f"{module}.{kind.__name__}.{method}"
            chosen = kind.choose(found) if hasattr(kind, "choose") else found
            if not getattr(kind, "per_interpreter", False):
                print(";".join((name, target, "", "", labels, timeout)))
                continue
            short_on = getattr(getattr(kind, method), "short_on", getattr(kind, "short_on", None))
            short = short_on(chosen) if short_on else chosen
            for one in chosen:
                version = ".".join(map(str, one.version))
                of_this = labels if one in short else f"{labels},long"
                print(";".join((f"{name}.{one.name}", target, one.path, version, of_this, timeout)))


if __name__ == "__main__":
    main()
