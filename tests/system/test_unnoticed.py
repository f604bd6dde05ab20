"""What a program under a policy that allows everything must not notice. CPython's own tests found these."""

import os
import signal
import time

from support import ALLOW_ALL, Test, interpreter_process, python

ROUNDS = 5  # of what depends on being caught in the right moment


class Signals(Test):
    per_interpreter = True

    # Opening a FIFO waits for its writer, and only a signal that comes then interrupts it.
    OPENS_FIFO = """
import os, sys
os.read(0, 1)
os.write(1, b"x")
try:
    open(sys.argv[1])
except KeyboardInterrupt:
    print("interrupted")
except PermissionError:
    print("late")
"""

    def test_signal_during_the_wait_for_a_verdict_is_handled_before_the_operation(self):
        daemon = self.daemon()
        daemon.apply(ALLOW_ALL)
        fifo = self.directory / "fifo"
        os.mkfifo(fifo)
        for _ in range(ROUNDS):
            with interpreter_process([python(), "-c", self.OPENS_FIFO, fifo], env=daemon.preloaded()) as process:
                # It is told to go when the daemon does not answer, and interrupted while it waits.
                process.stdin.flush()
                time.sleep(0.5)
                daemon.process.send_signal(signal.SIGSTOP)
                try:
                    process.stdin.write("x")
                    process.stdin.flush()
                    self.assertEqual(process.stdout.read(1), "x")
                    time.sleep(0.3)
                    process.send_signal(signal.SIGINT)
                    time.sleep(0.1)
                finally:
                    daemon.process.send_signal(signal.SIGCONT)
                out, err = process.communicate(timeout=20)
            if out != "late\n":  # the machine was busy, and the verdict's time was over
                break
        self.assertEqual((process.returncode, out), (0, "interrupted\n"), err)
