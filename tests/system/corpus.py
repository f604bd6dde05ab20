"""Runs the scripts of tests/escapes, one at a time, each where it is to be tried: an interpreter, a user, rings.

    with Place() as place:
        attempt = place.attempt(script, interpreter, NOBODY, UNDER_UNTRUSTED)

A script gets the path of a marker and is to have it made by something that a policy forbids. A Place is a directory
of its own, which other users can read, with a copy of what was built, of the scripts and of the interpreters: nothing
has to be readable where the sources are, and nothing is left when it is closed.
"""

import contextlib
import json
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from support import BUILD, SOURCE, TESTS, clean_environment

ESCAPES = TESTS / "escapes"
NOBODY = 65534
CANNOT = 77  # what a script exits with where it has nothing to try with
LIMIT = float(os.environ.get("WARDER_TEST_PATIENCE", "40"))  # seconds beyond those that a race has


class Script:
    """`makes` says who makes its marker: a program, the script where it may not write (file), or the script as a
    sign that it got what it wanted."""

    families = {}

    def __init__(self, path):
        self.path = path
        self.name = path.stem
        self.family = self.name.split("_")[0]
        self.text = path.read_text()
        said = re.search(r"^# makes: (\w+)$", self.text, re.MULTILINE)
        self.makes = said.group(1) if said else self.families[self.family][0]

    @property
    def ends_itself(self):
        """By a signal, which is what it tries: that it broke says nothing."""
        return "os.abort()" in self.text

    def needs(self, name):
        return name in self.text


def families():
    """{family: (makes, tries)}"""
    lines = (ESCAPES / "families.tsv").read_text().splitlines()
    return {family: (makes, tries) for family, makes, tries in
            (line.split("\t") for line in lines if not line.startswith("#"))}


def scripts(pattern="*"):
    Script.families = families()
    return [Script(path) for path in sorted(ESCAPES.glob(pattern + ".py"))]


class Setting:
    """What stands between a script and its marker. `rings` are those that are there."""

    def __init__(self, name, title, policy=None, floor=False, boundary=True):
        self.name = name
        self.title = title
        self.policy = policy  # the file; None is without Warder
        self.floor = floor
        self.boundary = boundary

    def concerns(self, script):
        """Whether the policy has anything to say to what the script makes."""
        if self.policy is None or self.policy.stem == "untrusted":
            return True
        if self.policy.stem == "no-process":
            return script.makes == "program"
        return script.family in ("arg", "toctou")


UNTRUSTED = SOURCE / "policies" / "untrusted.warder"
NO_PROCESS = SOURCE / "policies" / "no-process.warder"
TWO_PROGRAMS = ESCAPES / "two-programs.warder"

WITHOUT = Setting("without", "without Warder")
RING_1 = Setting("ring-1", "ring 1", UNTRUSTED, boundary=False)
RINGS_1_2 = Setting("rings-1-2", "rings 1+2", UNTRUSTED)
ALL_RINGS = Setting("all-rings", "all rings", UNTRUSTED, floor=True)
NO_PROCESS_ALL = Setting("no-process", "no-process, all rings", NO_PROCESS, floor=True)
TWO_RING_1 = Setting("two-programs-ring-1", "two-programs, ring 1", TWO_PROGRAMS, boundary=False)
TWO_RINGS_1_2 = Setting("two-programs-rings-1-2", "two-programs, rings 1+2", TWO_PROGRAMS)
SETTINGS = [WITHOUT, RING_1, RINGS_1_2, ALL_RINGS, NO_PROCESS_ALL, TWO_RING_1, TWO_RINGS_1_2]

# How an attempt ended.
THROUGH, HELD, UNABLE, HANGS = "through", "held", "unable", "hangs"


class Attempt:
    """`by` says in a few words what stopped it, or why it could not be tried; `ring` is 1, 2, 3 or None."""

    def __init__(self, outcome, by, ring, status, output, seconds):
        self.outcome = outcome
        self.by = by
        self.ring = ring
        self.status = status
        self.output = output
        self.seconds = seconds

    def __repr__(self):
        return f"{self.outcome} after {self.seconds:.1f} s, status {self.status}, {self.by}\n{self.output}"


class Deputy:
    """A service of another user that makes the files it is told to, by sockets of every kind and by a named pipe:
    it stands for a D-Bus, a container engine, tmux. It obeys for `marker` alone."""

    def __init__(self, directory, marker):
        self.directory = directory
        self.marker = str(marker)
        self.abstract = f"warder-escape-{os.getpid()}-{directory.name}"
        self.selector = selectors.DefaultSelector()
        self.pipe = os.pipe()
        self.selector.register(self.pipe[0], selectors.EVENT_READ)
        self.offer(socket.SOCK_STREAM, str(directory / "stream"))
        self.offer(socket.SOCK_STREAM, "\0" + self.abstract)
        self.offer(socket.SOCK_SEQPACKET, str(directory / "packets"))
        self.offer(socket.SOCK_DGRAM, str(directory / "datagram"))
        os.mkfifo(directory / "pipe")
        os.chmod(directory / "pipe", 0o666)
        self.fifo = os.open(directory / "pipe", os.O_RDWR | os.O_NONBLOCK)
        self.selector.register(self.fifo, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def offer(self, kind, address):
        offered = socket.socket(socket.AF_UNIX, kind)
        offered.bind(address)
        if not address.startswith("\0"):
            os.chmod(address, 0o777)
        if kind != socket.SOCK_DGRAM:
            offered.listen(100)
        self.selector.register(offered, selectors.EVENT_READ)

    def serve(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj == self.pipe[0]:
                    return
                try:
                    self.obey(key.fileobj)
                except BlockingIOError:
                    continue
                except OSError:
                    self.selector.unregister(key.fileobj)

    def obey(self, source):
        if source == self.fifo:
            order = os.read(source, 4096)
        elif source.type != socket.SOCK_DGRAM and source.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            self.selector.register(source.accept()[0], selectors.EVENT_READ)
            return
        else:
            order = source.recv(4096)
            if not order and source.type == socket.SOCK_STREAM:
                self.selector.unregister(source)
                source.close()
        if self.marker in order.decode(errors="replace").split():
            Path(self.marker).touch()

    def close(self):
        os.write(self.pipe[1], b"x")
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self.selector.close()
        for descriptor in (*self.pipe, self.fifo):
            os.close(descriptor)


class Talker:
    """A server on this machine that says something to whoever connects."""

    def __init__(self):
        self.offered = socket.create_server(("127.0.0.1", 0))
        self.port = self.offered.getsockname()[1]
        self.ends = []
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            end, _ = self.offered.accept()
            if self.ends is None:
                end.close()
                return
            self.ends.append(end)
            with contextlib.suppress(OSError):
                end.sendall(b"WRITTEN BY THE KERNEL")

    def close(self):
        ends, self.ends = self.ends, None
        socket.create_connection(("127.0.0.1", self.port)).close()
        self.thread.join()
        for end in (*ends, self.offered):
            end.close()


class Place:
    def __init__(self):
        # Not in a temporary directory: those may be written under most policies.
        parent = "/var/lib" if os.geteuid() == 0 else str(BUILD)
        self.directory = Path(tempfile.mkdtemp(prefix="warder-escapes-", dir=parent))
        self.count = 0
        self.interpreters = {}
        try:
            self.fill()
        except BaseException:
            self.close()
            raise

    def fill(self):
        self.directory.chmod(0o755)
        self.copy_build()
        shutil.copytree(ESCAPES, self.directory / "escapes", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(BUILD / "tests" / "escapes" / "evil.so", self.directory / "evil.so")
        self.make_readable()
        late = self.directory / "late"
        late.mkdir(0o755)
        (late / "_ahook.py").write_text(f"import sys\nsys.path.insert(0, {str(self.directory / 'warder' / 'python')!r})\n"
                                        "import warder\nwarder.attach()\n")

    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        self.close()

    def close(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    def make_readable(self):
        """Whatever the umask and the checkout say."""
        for path in [*self.directory.rglob("*")]:
            if not path.is_symlink() and "interpreters" not in path.relative_to(self.directory).parts:
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))

    def copy_build(self):
        """The programs with the hook beside them, once with the C boundary and once without."""
        without = BUILD / "tests" / "escapes" / "libwarder-without-boundary.so"
        for name, hook in ("warder", BUILD / "lib" / "libwarder.so"), ("ring-1", without):
            top = self.directory / name
            for part in "bin", "lib":
                (top / part).mkdir(parents=True)
            for program in "warder", "warderd":
                shutil.copy(BUILD / "bin" / program, top / "bin" / program)
            shutil.copy(hook, top / "lib" / "libwarder.so")
        package = self.directory / "warder" / "python" / "warder"
        package.mkdir(parents=True)
        shutil.copy(SOURCE / "client" / "python" / "warder" / "__init__.py", package)
        (package / "_hook.so").symlink_to(self.directory / "warder" / "lib" / "libwarder.so")

    def interpreter(self, path, user):
        """What this user can run: the interpreter, or a copy of its whole tree."""
        if user in (None, os.geteuid()) or str(path).startswith("/usr/"):
            return Path(path)
        if path not in self.interpreters:
            self.interpreters[path] = self.copy_interpreter(Path(path))
        return self.interpreters[path]

    def copy_interpreter(self, path):
        prefix = path.parent.parent
        target = self.directory / "interpreters" / prefix.name
        ignored = shutil.ignore_patterns("test", "tests", "*.a", "idlelib", "share", "include")
        shutil.copytree(prefix, target, symlinks=True, ignore=ignored, copy_function=self.link_or_copy)
        copy = target / "bin" / path.name
        # Its library is looked for where the original has it: beside it, for the copy.
        run_path, beside = os.fsencode(prefix / "lib") + b"\0", b"$ORIGIN/../lib\0"
        contents = path.read_bytes()
        copy.unlink()
        copy.write_bytes(contents.replace(run_path, beside + b"\0" * (len(run_path) - len(beside))))
        copy.chmod(0o755)
        return copy

    @staticmethod
    def link_or_copy(source, target):
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)

    def attempt(self, script, interpreter, user, setting, seconds=2):
        """`interpreter` is a path, `user` a number or None for whoever runs this, `seconds` what a race has."""
        self.count += 1
        work, outside = self.directory / "work" / str(self.count), self.directory / "outside" / str(self.count)
        state = self.directory / "state" / str(self.count)
        for directory in work, outside, state:
            directory.mkdir(parents=True)
            if user is not None:
                os.chown(directory, user, -1)
        marker = (outside if script.makes == "file" else work) / "marker"
        command = [self.interpreter(interpreter, user), self.directory / "escapes" / script.path.name, marker]
        if setting.policy:
            program = self.directory / ("warder" if setting.boundary else "ring-1") / "bin" / "warder"
            command = [program, "run", "--policy", self.policy(setting), "--state-dir", state, "--", *command]
        surroundings = Surroundings(self, script, user, marker, outside)
        try:
            result = self.execute(command, work, user, surroundings, LIMIT + seconds, seconds)
        finally:
            surroundings.close()
        made = marker.exists() or script.makes == "file" and any(outside.iterdir())
        attempt = self.judge(result, made, state if setting.policy else None)
        for directory in work, outside, state:
            shutil.rmtree(directory, ignore_errors=True)
        return attempt

    def execute(self, command, work, user, surroundings, limit, seconds):
        environment = clean_environment(HOME=work, ESCAPE_SECONDS=seconds, LATE_HOOK_DIR=self.directory / "late",
                                        EVIL_SO=self.directory / "evil.so", **surroundings.environment)
        become = {"user": user, "group": user, "extra_groups": []} if user is not None else {}
        began = time.monotonic()
        with open(work.parent / f"{work.name}.out", "w+b") as output:
            process = subprocess.Popen([str(part) for part in command], cwd=work, env=environment,
                                       stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                                       pass_fds=surroundings.descriptors, **become)
            try:
                status = process.wait(limit)
            except subprocess.TimeoutExpired:
                status = None
                self.end_session(process)
            output.seek(0)
            text = output.read(1 << 20).decode(errors="replace")
        os.unlink(output.name)
        return status, text, time.monotonic() - began

    @staticmethod
    def end_session(process):
        """Everything that the attempt has left: what is in its session of processes."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                if int(fields[3]) == process.pid:
                    os.kill(int(entry.name), signal.SIGKILL)
            except (OSError, IndexError):
                continue
        process.wait()

    def judge(self, result, made, state):
        status, text, seconds = result
        if made:
            return Attempt(THROUGH, "nothing", None, status, text, seconds)
        if status is None:
            return Attempt(HANGS, "the time limit", None, status, text, seconds)
        last = text.strip().splitlines()[-1:] or [""]
        if status == CANNOT:
            return Attempt(UNABLE, last[0], None, status, text, seconds)
        ring, by = self.stopped_by(state, status, text)
        return Attempt(HELD, by, ring, status, text, seconds)

    def stopped_by(self, state, status, text):
        """From the record, if something was denied there; else what the kernel said."""
        denied = []
        if state:
            program = self.directory / "warder" / "bin" / "warder"
            log = subprocess.run([str(program), "log", "--denied", "--json", "-n", "0", "--state-dir", str(state)],
                                 capture_output=True, env=clean_environment())
            denied = [json.loads(line) for line in log.stdout.splitlines()] if log.returncode == 0 else []
        rows = [row for row in denied if row["kind"] == "decision" and row.get("rule")]
        if rows:
            at_boundary = [row for row in rows if str(row.get("event", "")).startswith("libc.")]
            row = (at_boundary or rows)[-1]
            return (2 if at_boundary else 1), f"{row['policy'].split('/')[-1]}.{row['rule']} at {row.get('event')}"
        said = re.search(r"warder: [^\n]*denied[^\n]*|PermissionError[^\n]*|\[Errno \d+\][^\n]*", text)
        if said and "warder: " in said.group():
            return 1, said.group()[:100]
        if status < 0 or status > 128:
            number = -status if status < 0 else status - 128
            try:
                return 3, f"ended by {signal.Signals(number).name}"
            except ValueError:
                return None, f"status {status}"
        if said:
            return 3, "kernel: " + said.group()[:90]
        return 3, f"kernel, status {status}"

    def policy(self, setting):
        """The policy as it is shipped, or without its floor."""
        path = self.directory / "policies" / ("floor" if setting.floor else "no-floor") / setting.policy.name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            text = setting.policy.read_text()
            path.write_text(text if setting.floor else re.sub(r"(?m)^\s*floor .*\n", "", text))
            path.chmod(0o644)
            for directory in path.parent, path.parent.parent:
                directory.chmod(0o755)
        return path


class Surroundings:
    """What a script finds around it: a deputy, a process of the same user, descriptors, a file elsewhere."""

    def __init__(self, place, script, user, marker, outside):
        self.closes = []
        self.descriptors = []
        self.environment = {}
        if script.needs("ESCAPE_DEPUTY"):
            directory = place.directory / "deputy" / str(place.count)
            directory.mkdir(parents=True)
            deputy = Deputy(directory, marker)
            self.closes.append(deputy.close)
            self.environment.update(ESCAPE_DEPUTY=directory, ESCAPE_DEPUTY_ABSTRACT=deputy.abstract)
        if script.needs("ESCAPE_PORT"):
            talker = Talker()
            self.closes.append(talker.close)
            self.environment["ESCAPE_PORT"] = talker.port
        if script.needs("DAEMON_PID"):
            become = {"user": user, "group": user, "extra_groups": []} if user is not None else {}
            process = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, start_new_session=True, **become)
            self.closes.append(lambda: (process.kill(), process.wait()))
            self.environment["DAEMON_PID"] = process.pid
        if script.needs("ESCAPE_VICTIM"):
            directory = place.directory / "victim" / str(place.count)
            directory.mkdir(parents=True)
            victim = directory / "victim"
            victim.write_text("as it was")
            for path in directory, victim:
                os.chown(path, user if user is not None else -1, -1)
            self.closes.append(lambda: shutil.rmtree(directory))
            self.environment["ESCAPE_VICTIM"] = victim
        for name, path in ("ESCAPE_DIRECTORY_FD", outside), ("ESCAPE_PROC_FD", "/proc"):
            if script.needs(name):
                descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
                self.descriptors.append(descriptor)
                self.closes.append(lambda: os.close(descriptor))
                self.environment[name] = descriptor

    def close(self):
        for close in reversed(self.closes):
            close()
