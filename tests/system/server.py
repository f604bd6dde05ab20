"""Runs system tests in forked children of one process, which has read all their modules.

    programs/run_test PYTHON DIRECTORY TEST OPTION...      what a ctest entry calls; run.py has the options

An interpreter's start and its imports were a third of what most of the tests cost, and there are thousands. run_test
starts this process where there is none for its build, with the listening socket as descriptor 3, and hands over its
three descriptors, its directory, its environment and its arguments; the answer is the exit status. A test whose
run_test is gone is ended. Without work for IDLE_SECONDS the server ends.

Where a module or the environment is another than the server has read, the test gets an interpreter of its own.
"""

import fcntl
import gc
import importlib
import os
import select
import signal
import socket
import sys
import traceback
from pathlib import Path

import run

HERE = Path(__file__).resolve().parent
LISTENER = 3  # run_test.c has the same number
REQUEST_MAX = 192 * 1024  # and the same bound
IDLE_SECONDS = 10


def sources():
    """What would make another server of this one."""
    return {path.name: path.stat().st_mtime_ns for path in HERE.glob("*.py")}


def read_when_it_began(variables):
    """Those of an environment that an interpreter, or a module of the tests, reads when it begins and not later."""
    return {one for one in variables if one.startswith((b"WARDER_", b"PYTHON", b"LD_", b"LC_", b"LANG"))}


class Server:
    def __init__(self, directory):
        self.lock = Path(directory, "test-server.lock")
        self.address = Path(directory, "test-server.sock")
        self.listener = socket.socket(fileno=LISTENER)
        self.sources = sources()
        # As it was handed over: the interpreter adds to it.
        self.read = read_when_it_began(Path("/proc/self/environ").read_bytes().split(b"\0")[:-1])
        self.running = {}  # descriptor of the process: its id, and the connection that waits for it
        self.poll = select.poll()
        self.poll.register(self.listener, select.POLLIN)

    def serve(self):
        while True:
            ready = dict(self.poll.poll(IDLE_SECONDS * 1000))
            if not ready and not self.running and self.is_over():
                return
            for process in [one for one in self.running if one in ready]:
                self.finish(process)
            for process, (pid, connection) in self.running.items():
                # Nothing more is ever said there: that it can be read means that it is closed.
                if connection.fileno() in ready:
                    os.killpg(pid, signal.SIGKILL)
                    self.poll.unregister(connection)
            if LISTENER in ready:
                self.accept()

    def is_over(self):
        """Whether nobody is about to ask, and nobody will find this server any more."""
        with open(self.lock, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # run_test connects under it
            if self.poll.poll(0):
                return False
            self.address.unlink(missing_ok=True)
            return True

    def accept(self):
        connection, _ = self.listener.accept()
        text, descriptors, _, _ = socket.recv_fds(connection, REQUEST_MAX, 3)
        if len(descriptors) != 3:  # it was gone before it had said anything
            connection.close()
            return
        pid = os.fork()
        if pid == 0:
            self.become(text, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        process = os.pidfd_open(pid)
        self.running[process] = pid, connection
        self.poll.register(process, select.POLLIN)
        self.poll.register(connection, select.POLLIN)

    def finish(self, process):
        pid, connection = self.running.pop(process)
        self.poll.unregister(process)
        os.close(process)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        try:
            self.poll.unregister(connection)
            connection.send(bytes([code if code >= 0 else 128 - code]))
        except (KeyError, OSError):  # nobody waits any more
            pass
        connection.close()

    def become(self, text, descriptors):
        """The test that was asked for. Does not return."""
        status = 1
        try:
            os.setsid()
            for number, descriptor in enumerate(descriptors):
                os.dup2(descriptor, number)
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
            directory, count, *rest = text.split(b"\0")[:-1]
            arguments = [os.fsdecode(one) for one in rest[:int(count)]]
            variables = rest[int(count):]
            environment = dict(one.split(b"=", 1) for one in variables)
            os.chdir(directory)
            if read_when_it_began(variables) != self.read or sources() != self.sources:
                os.execve(sys.executable, [sys.executable, "-S", str(HERE / "run.py"), *arguments], environment)
            os.environb.clear()
            os.environb.update(environment)
            sys.argv = ["run.py", *arguments]
            status = run.main()
        except SystemExit as error:  # of the reader of options
            status = error.code
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)


def main():
    server = Server(sys.argv[1])
    os.environ["WARDER_TEST_BUILD"] = os.path.abspath(sys.argv[1])
    for path in HERE.glob("test_*.py"):
        importlib.import_module(path.stem)
    gc.collect()
    gc.freeze()  # children would copy all of it to count what is in use
    server.serve()


if __name__ == "__main__":
    main()
