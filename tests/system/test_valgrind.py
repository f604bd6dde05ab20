"""The daemon under valgrind, for one session from its Hello to its end: no error, nothing lost, no
descriptor left open.

What valgrind finds is an exit status of its own. Builds with sanitizers look for the same themselves, and
do not run under it.
"""

import re
import shutil
import unittest

import support

FOUND = 99  # valgrind's exit status where it found something

# Both start a program; the second denial comes from another place of the program.
PROGRAM = """
import subprocess, sys, threading

def start():
    try:
        subprocess.run(["id"])
    except PermissionError as error:
        print(type(error).__name__, error.operation)

start()
thread = threading.Thread(target=start)
thread.start()
thread.join()
print(sys.stdin.readline().strip())
start()
"""

EVERYONE = 'applies { platform is "linux" }'
DENIED = f'policy denied "No programs" {{ {EVERYONE} deny exec as no-exec message "Not here" }}\n'
LOGGED = f'policy logged "What is read is recorded" {{ {EVERYONE} log read as reads }}\n'


def is_sanitized():
    return b"__asan_init" in support.WARDERD.read_bytes() or b"__tsan_init" in support.WARDERD.read_bytes()


class Valgrind(support.Test):
    prefix = "valgrind"
    per_interpreter = True
    timeout = 600

    @classmethod
    def choose(cls, found):
        """The newest is enough: the daemon is what is looked at."""
        return found[-1:]

    def setUp(self):
        if is_sanitized():
            raise unittest.SkipTest("this build is sanitized, and does not run under valgrind")
        if not shutil.which("valgrind"):
            raise unittest.SkipTest("there is no valgrind here")
        super().setUp()

    def test_one_session_leaves_valgrind_nothing_to_say(self):
        report = self.directory / "valgrind.txt"
        configuration = self.policy("[limits]\nverdict_milliseconds = 30000\n", "warder.toml")
        daemon = self.daemon("--config", configuration, wrapper=(
            "valgrind", f"--error-exitcode={FOUND}", "--leak-check=full", "--show-leak-kinds=definite,indirect",
            "--errors-for-leak-kinds=definite,indirect", "--track-fds=yes", f"--log-file={report}"))
        daemon.apply(DENIED)

        with support.interpreter_process([support.python(), "-u", "-c", PROGRAM],
                                         env=daemon.preloaded()) as process:
            self.assertEqual(process.stdout.readline(), "PolicyDenied exec\n")
            self.assertEqual(process.stdout.readline(), "PolicyDenied exec\n")
            # Another generation, while the session lives.
            daemon.apply(LOGGED)
            self.assertEqual(daemon.command("apply", self.policy("policy broken {")).status, 1)
            self.assertEqual(daemon.status()["sessions"], 1)
            out, errors = process.communicate("go on\n", timeout=support.PATIENCE)
        self.assertEqual(out, "go on\nPolicyDenied exec\n", errors)
        self.assertEqual(process.returncode, 0, errors)

        support.wait_until(lambda: daemon.status()["sessions"] == 0, "the session has ended")
        denied = support.wait_until(
            lambda: [row for row in daemon.log("--denied") if row.get("verdict") == "deny"],
            "the denials are recorded")
        self.assertEqual({row["rule"] for row in denied}, {"no-exec"})
        self.assertEqual(daemon.command("list").status, 0)
        self.assertEqual(daemon.command("show", "denied").status, 0)
        self.assertEqual(daemon.command("remove", "logged").status, 0)

        self.assertEqual(daemon.stop(), 0, report.read_text())
        text = report.read_text()
        self.assertRegex(text, r"ERROR SUMMARY: 0 errors", text)
        opened = re.findall(r"Open (?:file descriptor|AF_\w+ socket) (\d+): ?(.*)", text)
        left = [(number, what) for number, what in opened if int(number) > 2 and what != str(report)]
        self.assertEqual(left, [], text)
