"""What system tests have in common: the build, daemons of their own, programs under them, the record.

Every test gets a temporary directory of its own; every daemon is ended by its pid. A test is told which
interpreter it is about by WARDER_TEST_PYTHON (run.py sets it); tests that are about none do not ask.
"""

import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
SOURCE = TESTS.parent
BUILD = Path(os.environ.get("WARDER_TEST_BUILD", SOURCE / "build"))
WARDER = BUILD / "bin" / "warder"
WARDERD = BUILD / "bin" / "warderd"
HOOK = BUILD / "lib" / "libwarder.so"
PACKAGE = BUILD / "python"

# Sanitizers, valgrind and loaded machines are slow: this is when a test gives up, not what it expects.
PATIENCE = float(os.environ.get("WARDER_TEST_PATIENCE", "60"))

NO_PROCESS = SOURCE / "policies" / "no-process.warder"
UNTRUSTED = SOURCE / "policies" / "untrusted.warder"
ALLOW_ALL = 'policy allow-all "Everything is allowed" { default allow all }\n'
# Everything is allowed, but nothing can be settled in the interpreter: what an observed policy would deny is asked.
ASK_ALL = 'policy ask-all "Everything is asked about" { mode observe  default deny all }\n'


def python():
    return os.environ["WARDER_TEST_PYTHON"]


def python_version():
    return tuple(int(part) for part in os.environ["WARDER_TEST_PYTHON_VERSION"].split("."))


@functools.cache
def free_threaded():
    """Whether the interpreter of this test is built without the interpreter lock."""
    code = "import sys; print('t' in getattr(sys, 'abiflags', ''))"
    return execute([python(), "-I", "-S", "-c", code]).out == "True\n"


def clean_environment(**more):
    """This process's environment without what would change an interpreter, and with `more`."""
    drop = ("PYTHON", "LD_", "WARDER_DOOR", "WARDER_RUN", "WARDER_SOCKET")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(drop)}
    # `warder` inside a run has the hook before the sanitizer's runtime; a build without does not look at it.
    environment.setdefault("ASAN_OPTIONS", "verify_asan_link_order=0")
    environment.update({key: str(value) for key, value in more.items()})
    return environment


class Result:
    """How a program ended."""

    def __init__(self, process):
        self.status = process.returncode
        self.out = process.stdout
        self.err = process.stderr

    def __repr__(self):
        return f"status {self.status}\n--- out\n{self.out}\n--- err\n{self.err}"


def execute(command, **options):
    options.setdefault("env", clean_environment())
    options.setdefault("timeout", PATIENCE)
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    return Result(subprocess.run([str(part) for part in command], capture_output=True, text=True,
                                 errors="surrogateescape", **options))


def others_reach(program, user):
    """Whether another user can run a program of the build; only root can ask."""
    try:
        return subprocess.run([str(program), "--version"], capture_output=True, env=clean_environment(), cwd="/",
                              preexec_fn=lambda: os.setuid(user)).returncode == 0
    except PermissionError:
        return False


def wait_until(condition, what, seconds=None):
    """Polls until the condition is true; an AssertionError that says what did not happen."""
    end = time.monotonic() + (seconds or PATIENCE)
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds or PATIENCE} s")


class Daemon:
    """A daemon of the test's own, with its state and sockets in one directory."""

    def __init__(self, directory, *options, wrapper=(), **environment):
        self.directory = Path(directory)
        self.state = self.directory / "state"
        self.socket = self.directory / "session.sock"
        self.admin = self.directory / "admin.sock"
        self.options = options
        self.wrapper = wrapper
        self.environment = environment
        self.process = None
        self.errors = self.directory / "daemon.err"

    def with_loop_threads(self, count):
        """The options, with the number of loops in the configuration where that does not say it."""
        options = list(self.options)
        if "--config" not in options:
            options += ["--config", os.devnull]
        at = options.index("--config") + 1
        text = Path(options[at]).read_text()
        if "loop_threads" not in text:
            options[at] = self.directory.with_suffix(".toml")  # beside what the daemon keeps
            options[at].write_text(f"loop_threads = {count}\n{text}")
        return options

    def start(self):
        loop_threads = os.environ.get("WARDER_TEST_LOOP_THREADS")  # a build may want several everywhere
        options = self.with_loop_threads(loop_threads) if loop_threads else self.options
        command = [*self.wrapper, WARDERD, "--foreground", "--state-dir", self.state, "--socket", self.socket,
                   *options]
        said = self.errors.stat().st_size if self.errors.exists() else 0  # by one that ran before
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL,
                                            stdout=errors, stderr=errors,
                                            env=clean_environment(**self.environment))
        wait_until(lambda: self.process.poll() is not None or b"ready:" in self.errors.read_bytes()[said:],
                   "the daemon is ready")
        if self.process.poll() is not None:
            raise AssertionError(f"the daemon did not start: {self.errors.read_text()}")
        return self

    def stop(self):
        """Ends it as a service manager does. Its exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the daemon did not stop on SIGTERM") from None
        self.process = None
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def command(self, *arguments, **options):
        """`warder` about this daemon."""
        return execute([WARDER, arguments[0], "--admin-socket", self.admin, *arguments[1:]], **options)

    def apply(self, text):
        path = self.directory / "applied.warder"
        path.write_text(text)
        result = self.command("apply", path)
        assert result.status == 0, result
        return result

    def log(self, *options):
        if is_sanitized(WARDERD):  # writes ten times as slowly, and `log` waits for what a user waits for
            end = time.monotonic() + PATIENCE
            while self.status()["records_waiting"] > 0 and not self.status().get("record_error") and time.monotonic() < end:
                time.sleep(0.1)
        result = self.command("log", "--json", *options)
        assert result.status == 0, result
        return [json.loads(line) for line in result.out.splitlines()]

    def status(self):
        result = self.command("status", "--json")
        assert result.status == 0, result
        return json.loads(result.out)

    def preloaded(self):
        """The environment of an interpreter that this host preloads the hook for."""
        return clean_environment(LD_PRELOAD=HOOK, WARDER_SOCKET=self.socket)


def is_sanitized(program, kinds=("asan", "tsan")):
    """Whether a program was built with a sanitizer, whose runtime some limits stop before the program begins."""
    code = Path(program).read_bytes()
    return any(f"__{kind}_init".encode() in code for kind in kinds)


class Test(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="warder-test-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def daemon(self, *options, **more):
        """A running daemon that ends with the test."""
        directory = Path(tempfile.mkdtemp(dir=self.directory, prefix="d"))
        daemon = Daemon(directory, *options, **more)
        self.addCleanup(self.finish, daemon)
        return daemon.start()

    def asked_daemon(self, *options, **more):
        """One that is asked about every event: nothing is settled in the interpreters."""
        path = self.directory / "asked.toml"
        path.write_text('evaluate = "daemon"\n')
        return self.daemon("--config", path, *options, **more)

    def finish(self, daemon):
        if daemon.process is None:
            return
        status = daemon.stop()
        errors = daemon.errors.read_text(errors="replace")
        self.assertNotIn("Sanitizer", errors)
        self.assertEqual(status, 0, errors)

    def policy(self, text, name="policy.warder"):
        path = self.directory / name
        path.write_text(text)
        return path

    def script(self, text, name="script.py"):
        path = self.directory / name
        path.write_text(text)
        return path

    def run_under(self, policy, command, *options, **more):
        """`warder run` with a private daemon. `policy` is a file, a name, or None."""
        named = ["--policy", policy] if policy else []
        more.setdefault("cwd", self.directory)
        return execute([WARDER, "run", *named, *options, "--", *command], **more)

    def python_under(self, policy, code, *options, **more):
        """The interpreter of this test, running code under a private daemon."""
        return self.run_under(policy, [python(), "-c", code], *options, **more)

    def recorded(self, policy, command, *options, event=None, **more):
        """The same with every decision recorded: the result, and the rows of the record (of one event)."""
        state = tempfile.mkdtemp(dir=self.directory, prefix="state")
        result = self.run_under(policy, command, "--record", "--state-dir", state, *options, **more)
        log = execute([WARDER, "log", "--state-dir", state, "--json", *(("--event", event) if event else ())])
        self.assertEqual(log.status, 0, log)
        return result, [json.loads(line) for line in log.out.splitlines()]

    def assertDenied(self, result, *words):
        self.assertIn("PolicyDenied", result.err, result)
        for word in words:
            self.assertIn(word, result.err, result)


@contextlib.contextmanager
def interpreter_process(command, **options):
    """A program that is ended, by its pid, when the block is left."""
    options.setdefault("env", clean_environment())
    with subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
