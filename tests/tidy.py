"""clang-tidy over every source in C and C++ that clang compiles, and the headers that it includes.

    python3 tests/tidy.py BUILD      BUILD has compile_commands.json, from clang; exit status 1 if there is a defect

What is generated is left out, and what is written for the assembler. A file takes seconds: one that was found good is
not looked at again while all that goes into it reads the same (BUILD/tidy has a file for each such reading).
"""

import hashlib
import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def reading(entry, rules):
    """What a source is to clang-tidy: its text with that of its headers, comments too, the options, and the rules."""
    options = shlex.split(entry["command"])
    at = options.index("-o")
    del options[at:at + 2]
    if "ccache" in Path(options[0]).name:
        del options[0]
    text = subprocess.run([*options, "-E", "-CC"], cwd=entry["directory"], capture_output=True, check=True).stdout
    return hashlib.sha256(b"\0".join([*map(os.fsencode, options), rules, text])).hexdigest()


def main():
    build = Path(sys.argv[1])
    known = build / "tidy"
    known.mkdir(exist_ok=True)
    rules = Path(".clang-tidy").read_bytes() + subprocess.check_output(["clang-tidy", "--version"])
    entries = {os.path.relpath(one["file"]): one for one in json.loads((build / "compile_commands.json").read_text())}
    names = sorted(name for name in entries if not name.startswith("build") and not name.endswith(".S"))

    def look(name):
        mark = known / reading(entries[name], rules)
        if mark.exists():
            return None
        # It tells, apart from defects, how many warnings it suppressed in other headers: not wanted.
        result = subprocess.run(["clang-tidy", "--quiet", "-p", str(build), name], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)
        if result.returncode == 0:
            mark.touch()
            return ""
        return result.stdout or f"{name}: clang-tidy ended with status {result.returncode}\n"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(look, names))
    defects = [one for one in found if one]
    print("".join(defects), end="")
    again = sum(one is None for one in found)
    print(f"{len(names)} files" + (f", {again} of them as they were when they were found good" if again else ""))
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main())
