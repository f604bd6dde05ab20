"""Runs one system test. ctest entries have it run by server.py.

    python3 run.py MODULE.CLASS.METHOD [--python PATH --version 3.11.7] [--build DIRECTORY]

Exit status 0 it passed, 1 it failed, 77 it was skipped (the reason is printed).
"""

import argparse
import os
import sys
import unittest
from pathlib import Path

SKIPPED = 77


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("test")
    parser.add_argument("--python")
    parser.add_argument("--version")
    parser.add_argument("--build")
    arguments = parser.parse_args()
    if arguments.python:
        os.environ["WARDER_TEST_PYTHON"] = arguments.python
        os.environ["WARDER_TEST_PYTHON_VERSION"] = arguments.version
    if arguments.build:
        os.environ["WARDER_TEST_BUILD"] = os.path.abspath(arguments.build)
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    suite = unittest.defaultTestLoader.loadTestsFromName(arguments.test)
    if suite.countTestCases() == 0:
        print(f"there is no test {arguments.test}", file=sys.stderr)
        return 1
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite)
    if not result.wasSuccessful():
        return 1
    if result.skipped:
        for test, reason in result.skipped:
            print(f"skipped: {test}: {reason}")
        return SKIPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
