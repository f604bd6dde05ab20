"""CPython's own `python -m test`, with the outcome of every single test written to a file as it is known.

    PYTHON regrtest_recorder.py RECORD [REGRTEST ARGUMENT]...

regrtest's JUnit file has no name for a test with a failed subtest, and is missing when a test takes the
process down. Here each test leaves two lines of JSON, one when it starts and one when it ends, so what was
running is known in any case. Runs inside the interpreter that is tested: any CPython from 3.8 on.
"""

import json
import os
import runpy
import sys
import time
import traceback

TEXT_MAX = 4000  # characters of a traceback that are kept: its end says what failed

# Tests change these; what they were at the start is used.
append = open
process_id = os.getpid
now = time.monotonic
main_process = os.getpid()
record = os.path.abspath(sys.argv[1])


def write(**line):
    if process_id() != main_process:
        return  # a forked child that came back into the test runner
    with append(record, "a", encoding="utf-8", errors="surrogatepass") as file:
        file.write(json.dumps(line) + "\n")


def identity(test):
    test = getattr(test, "test_case", test)  # a subtest counts for its test
    try:
        return test.id()
    except (AttributeError, TypeError):
        return str(test)


def described(error):
    try:
        return "".join(traceback.format_exception(*error))[-TEXT_MAX:]
    except Exception:
        return repr(error[:2])


def recording(base):
    class RecordingResult(base):
        def startTest(self, test):
            write(test=identity(test), at=now())
            super().startTest(test)

        def stopTest(self, test):
            super().stopTest(test)
            write(test=identity(test), end=now())

        def addSuccess(self, test):
            write(test=identity(test), outcome="passed")
            super().addSuccess(test)

        def addError(self, test, error):
            write(test=identity(test), outcome="error", text=described(error))
            super().addError(test, error)

        def addFailure(self, test, error):
            write(test=identity(test), outcome="failed", text=described(error))
            super().addFailure(test, error)

        def addSkip(self, test, reason):
            write(test=identity(test), outcome="skipped", text=str(reason))
            super().addSkip(test, reason)

        def addExpectedFailure(self, test, error):
            write(test=identity(test), outcome="expected failure")
            super().addExpectedFailure(test, error)

        def addUnexpectedSuccess(self, test):
            write(test=identity(test), outcome="unexpected success")
            super().addUnexpectedSuccess(test)

        def addSubTest(self, test, subtest, error):
            if error is not None:
                kind = "failed" if issubclass(error[0], test.failureException) else "error"
                write(test=identity(test), outcome=kind, subtest=str(subtest), text=described(error))
            super().addSubTest(test, subtest, error)

    return RecordingResult


def main():
    del sys.argv[1]
    sys.path[0] = os.getcwd()  # as `python -m test` has it
    try:
        from test.libregrtest import testresult  # from 3.11 on
    except ImportError:
        from test.support import testresult
    testresult.RegressionTestResult = recording(testresult.RegressionTestResult)
    runpy.run_module("test", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
