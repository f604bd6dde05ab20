"""`warder run`, and the interpreters that come under policy late, or not at all."""

import signal
from pathlib import Path

import interpreters
from support import BUILD, NO_PROCESS, PATIENCE, WARDER, Test, execute, interpreter_process, python, wait_until


def run_children(pid):
    """Pids of the children of a process."""
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


class Interpreters(Test):
    per_interpreter = True
    short_on = staticmethod(interpreters.ends)

    def test_interpreter_that_never_says_hello_is_ended(self):
        result = self.run_under(NO_PROCESS, ["/usr/bin/env", "-u", "LD_PRELOAD", python(), "-c",
                                             "import time; time.sleep(100)"])
        self.assertEqual(result.status, 125, result)
        self.assertIn("did not come under policy", result.err)

    def test_interpreter_that_ends_before_it_is_missed_is_no_success(self):
        for code in "import time; time.sleep(0.3); print(1)", "import time; time.sleep(0.3); exit(7)":
            result = self.run_under(NO_PROCESS, ["/usr/bin/env", "-i", python(), "-c", code])
            self.assertEqual(result.status, 125, result)
            self.assertIn("Nothing that it did was judged", result.err)
        for _ in range(5):  # one that is guarded is not taken for it, however short
            result = self.run_under(NO_PROCESS, [python(), "--version"])
            self.assertEqual((result.status, result.err), (0, ""), result)

    def test_record_of_a_short_run_is_printed(self):
        for _ in range(10):
            result = self.run_under(None, [python(), "--version"], "--record")
            self.assertEqual(result.status, 0, result)
            self.assertNotIn("closed the connection", result.err)

    def test_program_becomes_an_interpreter_that_says_hello(self):
        result = self.run_under(NO_PROCESS, ["/bin/sh", "-c", f"sleep 0.3; exec '{python()}' -c 'print(1)'"])
        self.assertEqual((result.status, result.out), (0, "1\n"), result)


    def test_interpreter_that_waits_for_its_daemon_is_not_taken_for_an_unguarded_one(self):
        daemon = self.daemon()
        program = ["/bin/sh", "-c", f"read line; exec '{python()}' -c 'print(1)'"]
        with interpreter_process([WARDER, "run", "--socket", daemon.socket, "--policy", "no-process", "--",
                                  *program]) as run:
            wait_until(lambda: run_children(run.pid), "the program has started")
            daemon.process.send_signal(signal.SIGSTOP)
            try:
                run.stdin.write("\n")
                run.stdin.flush()
                said = run.stderr.readline()  # by the time that an interpreter without the hook would be ended
            finally:
                daemon.process.send_signal(signal.SIGCONT)
            out, more = run.communicate(timeout=PATIENCE)
        self.assertIn("the policy daemon has not answered the interpreter", said)
        self.assertEqual((run.returncode, out, more), (0, "1\n", ""))


class OldInterpreters(Test):
    """CPython before 3.8 has no audit hooks."""

    program = BUILD / "tests" / "programs" / "old_python"

    def test_interpreter_without_audit_hooks_does_not_start(self):
        result = self.run_under(NO_PROCESS, [self.program])
        self.assertEqual((result.status, result.out), (126, ""), result)
        self.assertIn("this interpreter may not start: it is no CPython from 3.8 on", result.err)

    def test_interpreter_without_audit_hooks_that_is_not_preloaded_is_ended(self):
        result = self.run_under(NO_PROCESS, ["/usr/bin/env", "-u", "LD_PRELOAD", self.program, "100"])
        self.assertEqual(result.status, 125, result)
        self.assertIn("did not come under policy", result.err)


class Unguarded(Test):
    """Interpreters that should have come under policy, at a host whose administrator looks."""

    per_interpreter = True

    def noticed(self, daemon):
        self.assertEqual(daemon.status()["unguarded"], 1)
        self.assertIn("UNGUARDED   1 interpreter has not come under policy", daemon.command("status").out)
        rows = [row for row in daemon.log() if row["kind"] == "refusal"]
        self.assertEqual(len(rows), 1, rows)
        return rows[0]

    def unguarded(self, program):
        daemon = self.daemon()
        result = execute([WARDER, "run", "--socket", daemon.socket, "--policy", "no-process", "--", *program])
        return self.noticed(daemon), result

    def test_interpreter_that_is_ended_is_in_the_record(self):
        row, result = self.unguarded(["/usr/bin/env", "-i", python(), "-c", "import time; time.sleep(100)"])
        self.assertEqual(result.status, 125, result)
        self.assertIn("`warder run` has ended it", row["summary"])
        self.assertGreater(row["pid"], 0)

    def test_interpreter_that_ran_unjudged_is_in_the_record(self):
        row, result = self.unguarded(["/usr/bin/env", "-i", python(), "-c", "import time; time.sleep(0.3)"])
        self.assertEqual(result.status, 125, result)
        self.assertIn("nothing that it did was judged", row["summary"])

    def test_interpreter_that_no_hook_fits_is_in_the_record(self):
        for where in ["--policy", "no-process"], []:  # of a run, and of a host that preloads
            daemon = self.daemon()
            if where:
                result = execute([WARDER, "run", "--socket", daemon.socket, *where, "--", OldInterpreters.program])
            else:
                result = execute([OldInterpreters.program], env=daemon.preloaded())
            self.assertEqual(result.status, 126, result)
            self.assertIn("See `warder status`", result.err)
            self.assertIn("it is no CPython from 3.8 on", self.noticed(daemon)["summary"])

    def test_no_status_is_spoken_of_where_there_is_none(self):
        result = self.run_under(NO_PROCESS, [OldInterpreters.program])
        self.assertEqual(result.status, 126, result)
        self.assertNotIn("warder status", result.err)
