"""Runs the tests inside the emulated arm64 machine: what run.sh starts there.

    python3 guest.py EXPRESSION

The unit tests of the build, and the system tests about the C boundary, the hook and the floor with this system's
interpreter; those alone that EXPRESSION finds in the name that ctest has for them. One line for each, the words of
each that fails, and `N passed, N failed, N skipped` at the end.
"""

import concurrent.futures
import os
import re
import subprocess
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent.parent
BUILD = SOURCE / "build-arm64"
PATIENCE = 240  # an emulated processor is ten to thirty times as slow: two system tests at once would miss the bounds
SKIPPED = 77

# What differs between machines is below these.
MODULES = (
    "test_boundary", "test_boundary_native", "test_boundary_control", "test_boundary_handles", "test_boundary_preload",
    "test_core_files", "test_exports", "test_floor", "test_floor_session", "test_fork_for_exec", "test_hook",
    "test_hook_harness", "test_small_stack", "test_spawned_files",
)


def unit_tests():
    for path in sorted((BUILD / "tests" / "unit").glob("test_*")):
        if os.access(path, os.X_OK) and path.is_file():
            yield "unit." + path.name[len("test_"):], [path]


def system_tests():
    listed = subprocess.run([sys.executable, "-S", SOURCE / "tests" / "system" / "list.py", *MODULES],
                            check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in listed.splitlines():
        name, test, python, version, labels, _ = line.split(";")
        if "long" in labels.split(","):
            continue
        command = [sys.executable, "-S", SOURCE / "tests" / "system" / "run.py", test, "--build", BUILD]
        yield name, command + (["--python", python, "--version", version] if python else [])


def run_patiently(name, command):
    """Twice, if it fails: the hook and `warder run` wait two seconds for some things, as long as real processors need
    many times over."""
    ended = run(name, command)
    if ended[1] in (0, SKIPPED):
        return ended
    print("\n".join([f"again   {ended[3]:6.1f} s  {name}", *ended[2].splitlines()[-12:]]), flush=True)
    return run(name, command)


def run(name, command):
    began = time.monotonic()
    environment = dict(os.environ, WARDER_TEST_PATIENCE=str(PATIENCE))
    try:
        process = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, errors="replace", env=environment, timeout=4 * PATIENCE)
        status, said = process.returncode, process.stdout
    except subprocess.TimeoutExpired as error:
        status, said = -1, f"{(error.stdout or b'').decode(errors='replace')}\nnot over after {4 * PATIENCE} s"
    return name, status, said, time.monotonic() - began


def tell(name, status, said, seconds, counts):
    how = {0: "passed", SKIPPED: "skipped"}.get(status, "failed")
    counts[how] += 1
    print(f"{how:8}{seconds:6.1f} s  {name}", flush=True)
    if how == "failed":
        print("\n".join(said.splitlines()[-60:]), flush=True)
    elif how == "skipped":
        print("        ", said.strip().splitlines()[-1], flush=True)


def main():
    wanted = re.compile(sys.argv[1] if len(sys.argv) > 1 else "")
    print(" ".join(os.uname()), flush=True)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for tests, how, workers in (unit_tests(), run, os.cpu_count() + 1), (system_tests(), run_patiently, 1):
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            started = [pool.submit(how, *test) for test in tests if wanted.search(test[0])]
            for ended in concurrent.futures.as_completed(started):
                tell(*ended.result(), counts)
    print(", ".join(f"{count} {how}" for how, count in counts.items()), flush=True)
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
