"""The CPython interpreters of this machine: every one from 3.8 on that is under pyenv or on PATH.

    python3 interpreters.py           one line each: VERSION PATH

Free-threaded ones (python3.13t) are among them. They are never the oldest or the newest of what is found: those
stand first and last, and have the interpreter lock.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 8)

# What an interpreter says of itself. -I -S: nothing of the machine's settings runs.
QUESTION = (
    "import sys; print(sys.implementation.name, '.'.join(map(str, sys.version_info[:3])), "
    "sys.version_info[0], sys.version_info[1], 't' in getattr(sys, 'abiflags', ''))"
)


class Interpreter:
    """`name` is what tests call it: its version, and whose it is where the version alone would not tell."""

    def __init__(self, path, version, free_threaded=False):
        self.path = path
        self.version = version  # (3, 11, 7)
        self.free_threaded = free_threaded
        self.name = ".".join(map(str, version))
        if free_threaded:
            self.name += "-free-threaded"
        elif not Path(path).is_relative_to(pyenv_versions()):
            self.name += "-system"


def pyenv_versions():
    root = Path(os.environ.get("PYENV_ROOT", str(Path.home() / ".pyenv")))
    return Path(os.path.realpath(root / "versions"))


def ends(found):
    """The oldest, the newest, the distribution's and the free-threaded: for what differs little between versions."""
    system = [one for one in found if one.path.startswith("/usr/bin/")][:1]
    free_threaded = [one for one in found if one.free_threaded]
    return list(dict.fromkeys([*found[:1], *system, *free_threaded, *found[-1:]]))


def oldest_and_newest(found):
    return list(dict.fromkeys([*found[:1], *found[-1:]]))


def newest(found):
    """For what takes long, and differs little between versions."""
    return found[-1:]


def short_on(choose):
    """Marks a test method that is `long` on all interpreters but those that `choose` takes (list.py)."""
    def mark(method):
        method.short_on = choose
        return method
    return mark


def candidates():
    for directory in sorted(pyenv_versions().glob("*/bin")):
        yield from sorted(directory.glob("python3.[0-9]*"))
    for directory in os.environ.get("PATH", "").split(os.pathsep):
        # pyenv's shims are shell scripts that lead to what is listed above.
        if not directory or "/.pyenv/" in directory + "/":
            continue
        yield from sorted(Path(directory).glob("python3*"))


def in_order(found):
    by_age = sorted(found, key=lambda one: (one.version, one.path))
    locked = [one for one in by_age if not one.free_threaded]
    newest_locked = locked[1:][-1:]
    return [*locked[:len(locked) - len(newest_locked)], *(one for one in by_age if one.free_threaded), *newest_locked]


def find():
    found = {}
    for path in candidates():
        if not re.fullmatch(r"python3(\.\d+)?t?", path.name) or not os.access(path, os.X_OK):
            continue
        real = os.path.realpath(path)
        if any(os.path.samefile(real, other) for other in found):
            continue
        try:
            answer = subprocess.run([real, "-I", "-S", "-c", QUESTION], capture_output=True, text=True,
                                    timeout=20, check=True).stdout.split()
        except (OSError, subprocess.SubprocessError):
            continue
        if len(answer) == 5 and answer[0] == "cpython" and (int(answer[2]), int(answer[3])) >= OLDEST:
            version = tuple(int(part) for part in answer[1].split("."))
            found[real] = Interpreter(real, version, answer[4] == "True")
    ordered = in_order(found.values())
    for number, one in enumerate(ordered):  # two of one version: named apart
        same = sum(other.name.split("+")[0] == one.name for other in ordered[:number])
        one.name += f"+{same + 1}" if same else ""
    return ordered


if __name__ == "__main__":
    for interpreter in find():
        print(interpreter.name, interpreter.path)
    sys.exit(0)
