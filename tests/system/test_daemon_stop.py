"""How the daemon stops: everything is written, and nobody is left hanging."""

import contextlib
import signal
import sqlite3
import time

import interpreters
from support import Test, execute, interpreter_process, python, wait_until
from test_daemon import LOOP, answers


class Stopping(Test):
    per_interpreter = True
    short_on = staticmethod(interpreters.ends)

    def test_everything_is_written_when_the_daemon_stops(self):
        daemon = self.daemon("--record", "all")
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no }')
        execute([python(), "-c", "import os\nfor i in range(500):\n open('/dev/null').close()\n"
                 "try: os.system('id')\nexcept PermissionError: pass"], env=daemon.preloaded())
        self.assertEqual(daemon.stop(), 0)
        with sqlite3.connect(daemon.state / "audit.db") as record:
            opened, = record.execute("SELECT count(*) FROM records WHERE event = 'open' AND verdict = 'allow' AND "
                                     "instr(packed, x'2f6465762f6e756c6c')").fetchone()  # /dev/null
            denied, = record.execute("SELECT count(*) FROM records WHERE verdict = 'deny' AND rule = 'no'").fetchone()
            ended, = record.execute("SELECT count(*) FROM sessions WHERE ended IS NOT NULL").fetchone()
        record.close()
        self.assertEqual((opened, denied, ended), (500, 1, 1))
        self.assertFalse(daemon.socket.exists())
        self.assertFalse(daemon.admin.exists())

    def test_what_is_settled_while_the_daemon_stops_is_recorded_or_counted(self):
        patient = self.policy("[limits]\nverdict_milliseconds = 20000\n", "patient.toml")  # eight come up at once
        daemon = self.daemon("--record", "all", "--config", patient)
        daemon.apply('policy p { applies { platform is "linux" } default allow all }')
        wait_until(lambda: daemon.status()["records_waiting"] == 0, "what was before is written")
        code = ("import sys\nmade = 0\nprint('ready', flush=True)\n"
                "try:\n while True:\n  sys.audit('made.here', made)\n  made += 1\n"
                "except PermissionError: print(made, flush=True)")
        with contextlib.ExitStack() as stack:
            processes = [stack.enter_context(interpreter_process([python(), "-c", code], env=daemon.preloaded()))
                         for _ in range(8)]
            for process in processes:
                self.assertEqual(process.stdout.readline(), "ready\n")
            time.sleep(0.5)  # they are in the middle of it
            self.assertEqual(daemon.stop(), 0)
            made = sum(int(process.stdout.readline()) for process in processes)
        with sqlite3.connect(daemon.state / "audit.db") as record:
            written, = record.execute("SELECT sum(count) FROM records WHERE event = 'made.here'").fetchone()
            dropped, = record.execute("SELECT coalesce(sum(count), 0) FROM records WHERE kind = 'drop'").fetchone()
        record.close()
        # What was under way in each when its ring was read.
        self.assertGreaterEqual(written + dropped, made - len(processes))

    def test_signal_during_the_stop_cuts_nothing_short(self):
        daemon = self.daemon()
        daemon.apply('policy p { applies { platform is "linux" } deny exec as no }')
        wait_until(lambda: daemon.status()["records_waiting"] == 0, "what was before is written")
        record = sqlite3.connect(daemon.state / "audit.db", isolation_level=None)
        record.execute("BEGIN IMMEDIATE")
        execute([python(), "-c", "import os\ntry: os.system('id')\nexcept PermissionError: pass"],
                env=daemon.preloaded())
        daemon.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not answers(daemon.admin), "it stops")
        for again in signal.SIGTERM, signal.SIGINT:
            daemon.process.send_signal(again)
        time.sleep(0.2)  # it is still waiting to write
        self.assertIsNone(daemon.process.poll())
        record.execute("ROLLBACK")
        self.assertEqual(daemon.stop(), 0)
        denied, = record.execute("SELECT count(*) FROM records WHERE verdict = 'deny' AND rule = 'no'").fetchone()
        record.close()
        self.assertEqual(denied, 1)
        self.assertFalse(daemon.socket.exists())
        self.assertFalse(daemon.admin.exists())

    def test_daemon_that_stops_leaves_interpreters_denied_not_hanging(self):
        daemon = self.daemon()
        with interpreter_process([python(), "-c", LOOP], env=daemon.preloaded()) as process:
            process.stdin.write("now\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), "allowed\n")
            self.assertEqual(daemon.stop(), 0)
            process.stdin.write("now\n")
            process.stdin.flush()
            self.assertIn("cannot be reached", process.stdout.readline())
