"""Floors in interpreters: what the kernel holds of a policy, against native code of an attacker's too.

The attacker is an object that makes system calls by itself (programs/native_attacker.c), driven by
programs/native_attacks.py. Everything is tried as root and as an ordinary user, and once without a floor,
to see that each attempt is one.
"""

import json
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import unittest
from pathlib import Path

import interpreters
from support import BUILD, PATIENCE, SOURCE, Test, WARDER, clean_environment, others_reach, python

ATTACKER = BUILD / "tests" / "programs" / "native_attacker.so"
ATTACKS = SOURCE / "tests" / "system" / "programs" / "native_attacks.py"
LANDLOCK_SCOPES = 6  # the ABI that keeps signals inside

ALLOW_ALL = "policy all { default allow all }"
NO_PROGRAMS = "policy p { default allow all default deny exec floor exec required }"
NO_COPIES = "policy p { default allow all default deny fork floor fork required }"
NEITHER = "policy p { default allow all default deny exec, fork floor exec, fork required }"


def landlock_abi():
    import ctypes
    return max(0, ctypes.CDLL(None).syscall(444, None, 0, 1))


def program_of_arm():
    """A program for 32-bit arm that ends itself with status 42: one segment, at 64 KiB."""
    code = struct.pack("<3I", 0xE3A0002A, 0xE3A07001, 0xEF000000)  # mov r0, #42; mov r7, #1 (exit); svc 0
    address, headers = 0x10000, 52 + 32
    size = headers + len(code)
    return (b"\x7fELF\1\1\1".ljust(16, b"\0")
            + struct.pack("<2H5I6H", 2, 40, 1, address + headers, 52, 0, 0x5000200, 52, 32, 1, 0, 0, 0)
            + struct.pack("<8I", 1, 0, address, address, size, size, 5, 0x1000) + code)


def floor_on(operation, allow):
    return (f"policy p {{ default allow all default deny {operation} allow {operation} where {allow} as some "
            f"floor {operation} required }}")


class Floor(Test):
    """A place that policies allow, one beside it that they do not, and a process that is none of a session's."""

    uid = None  # whose programs run; None: the one who runs the tests

    def setUp(self):
        super().setUp()
        if self.uid is not None and (os.geteuid() != 0 or not others_reach(WARDER, self.uid)):
            self.skipTest("another user cannot reach this build, or this is not root")
        self.place = self.directory / "place"
        self.outside = self.directory / "outside"
        for place in self.place, self.outside:
            place.mkdir()
            (place / "file").write_text("as it was")
        self.tools = self.directory / "tools"
        self.tools.mkdir()
        for tool in ATTACKER, ATTACKS:
            shutil.copy(tool, self.tools)
        if self.uid is not None:
            for path in (self.directory, *self.directory.rglob("*")):
                os.chown(path, self.uid, -1)
        self.bystander = subprocess.Popen(["sleep", "300"], preexec_fn=self.become)
        self.addCleanup(self.bystander.wait)
        self.addCleanup(self.bystander.kill)

    def become(self):
        if self.uid is not None:
            os.setgroups([])
            os.setgid(pwd.getpwuid(self.uid).pw_gid)
            os.setuid(self.uid)

    def run_under(self, policy, command, *options, **more):
        more.setdefault("preexec_fn", self.become)
        return super().run_under(policy, command, *options, **more)

    def python_in(self, policy, code, **more):
        script = self.script(code)
        script.chmod(0o644)
        return self.run_under(self.readable(policy), [python(), script], **more)

    def readable(self, text):
        path = self.policy(text)
        path.chmod(0o644)
        return path

    def attack(self, policy, family, **environment):
        """What came of each attempt of a family, by name."""
        result = self.run_under(self.readable(policy),
                                [python(), self.tools / ATTACKS.name, self.tools / ATTACKER.name, family, self.place,
                                 self.bystander.pid],
                                env=clean_environment(**environment))
        self.assertEqual(result.status, 0, result)
        return json.loads(result.out)

    def assertHeld(self, found, *free, **other):
        """Every attempt was refused, but for the free ones; `other` are answers that are no denials."""
        expected = {name: "done" for name in free}
        expected.update({name.replace("_", " "): answer for name, answer in other.items()})
        for name, answer in found.items():
            with self.subTest(name):
                if name in expected:
                    self.assertEqual(answer, expected[name])
                else:
                    self.assertIn(answer, ("EACCES", "EPERM", "EXDEV", "absent"))
        self.assertEqual(set(expected) - set(found), set())


class NativeCode(Floor):
    per_interpreter = True
    short_on = staticmethod(interpreters.ends)
    timeout = 300

    def ports(self):
        """A port that is allowed and one that is not, both with somebody behind them, and an abstract socket."""
        listeners = []
        for _ in range(2):
            listener = socket.socket()
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            listeners.append(listener)
        abstract = socket.socket(socket.AF_UNIX)
        name = f"warder-test-{os.getpid()}"
        abstract.bind("\0" + name)
        abstract.listen()
        for end in (*listeners, abstract):
            self.addCleanup(end.close)
        numbers = [listener.getsockname()[1] for listener in listeners]
        return numbers, {"PORTS": "{} {}".format(*numbers), "ABSTRACT": name}

    def free_ports(self):
        numbers = []
        for _ in range(2):
            with socket.socket() as end:
                end.bind(("127.0.0.1", 0))
                numbers.append(end.getsockname()[1])
        return numbers, {"PORTS": "{} {}".format(*numbers)}

    def test_attempts_are_attempts_without_a_floor(self):
        _, environment = self.ports()
        _, free = self.free_ports()
        possible = {
            "programs": {"execve", "execveat", "memfd", "memfd execveat", "memfd execve", "copy"},
            "copies": {"clone", "a thread"},
            "writes": {"open to write", "create", "mkdir", "mkfifo", "symlink", "link out", "truncate",
                       "own memory", "own memory by directory", "set-user-ID file", "set-user-ID node"} |
                      ({"set-user-ID file by openat2"} if os.geteuid() == 0 else set()),
            "reads": {"open", "list", "open by directory", "open anew", "memory", "maps"},
            "connections": {"tcp", "unix", "abstract", "own port"},
            "powers": {"ptrace", "write memory", "read memory", "take a descriptor", "limit", "signal"},
        }
        for family, names in possible.items():
            with self.subTest(family):
                found = self.attack(ALLOW_ALL, family, **environment)
                self.assertEqual({name for name in names if found[name] not in ("done", "EFAULT")}, set(), found)
            for place in self.place, self.outside:
                (place / "file").write_text("as it was")
            if family == "powers":  # it ends it
                self.assertEqual(self.bystander.wait(), -signal.SIGKILL)
        found = self.attack(ALLOW_ALL, "offers", **free)
        self.assertEqual((found["bind"], found["bind to any port"]), ("done", "done"))

    def test_floor_of_exec_starts_no_program(self):
        # The copy of a program and memory files can be made: executed they cannot be.
        found = self.attack(NO_PROGRAMS, "programs")
        self.assertHeld(found)
        self.assertEqual(found["memfd"], "EACCES")

    def test_floor_of_fork_lets_threads_alone_come_to_be(self):
        self.assertHeld(self.attack(NO_COPIES, "copies"), "a thread", clone3="ENOSYS")

    def test_floor_of_write_holds_files_outside(self):
        found = self.attack(floor_on("write", f'path under "{self.place}"'), "writes")
        self.assertHeld(found, "own file", "an empty file by openat2")
        self.assertEqual(sorted(os.listdir(self.outside)), ["file"])
        self.assertEqual((self.outside / "file").read_text(), "as it was")
        self.assertEqual((self.outside / "file").stat().st_mode & 0o7777, 0o644)

    def test_floor_of_read_holds_files_outside(self):
        places = [Path(python()).resolve().parent.parent, self.place, self.tools, "/usr/lib", "/etc/ld.so.cache"]
        allowed = "path under [" + ", ".join(f'"{place}"' for place in places) + "]"
        self.assertHeld(self.attack(floor_on("read", allowed), "reads"), "own file")

    def test_floor_of_connect_holds_ports_and_families(self):
        (allowed, _), environment = self.ports()
        found = self.attack(floor_on("connect", f'family in ["inet", "inet6"] and port is {allowed}'), "connections",
                            **environment)
        self.assertHeld(found, "own port", "a pair")

    def test_floor_of_connect_that_lets_unix_sockets_through_holds_abstract_ones(self):
        if landlock_abi() < LANDLOCK_SCOPES:
            self.skipTest("the kernel's Landlock cannot keep abstract sockets inside")
        _, environment = self.ports()
        found = self.attack(floor_on("connect", 'family is "unix"'), "connections", **environment)
        self.assertEqual((found["unix"], found["abstract"]), ("done", "EPERM"), found)
        self.assertEqual(found["tcp"], "EACCES" if found["tcp"] != "EBADF" else "EBADF", found)

    def test_floor_of_bind_holds_ports(self):
        (allowed, _), environment = self.free_ports()
        found = self.attack(floor_on("bind", f"port is {allowed}"), "offers", **environment)
        self.assertHeld(found, "own port")

    def test_any_floor_takes_the_powers_over_other_processes_and_the_host(self):
        if landlock_abi() < LANDLOCK_SCOPES:
            self.skipTest("the kernel's Landlock cannot keep signals inside")
        found = self.attack(NO_COPIES, "powers")
        # A filter more takes nothing of those that are there.
        self.assertHeld(found, "own signal", "own limits", "allow all again", io_uring="ENOSYS")
        self.assertIsNone(self.bystander.poll())

    @unittest.skipUnless(os.uname().machine == "x86_64", "this machine has one kind of system calls")
    def test_system_calls_of_other_kinds_end_the_process(self):
        for family in "calls_of_32_bits", "calls_of_x32":
            with self.subTest(family):
                attack = [python(), self.tools / ATTACKS.name, self.tools / ATTACKER.name, family, self.place,
                          self.bystander.pid]
                # A kernel that has no calls of 32 bits ends whoever makes one before it looks at any filter.
                without = subprocess.run([str(part) for part in attack], capture_output=True, timeout=PATIENCE,
                                         check=False)
                end = signal.SIGSEGV if without.returncode == -signal.SIGSEGV else signal.SIGSYS
                result = self.run_under(self.readable(NO_COPIES), attack)
                self.assertEqual((result.status, result.out), (-end, ""), result)


class NativeCodeOfAUser(NativeCode):
    """The same for an ordinary user, on the interpreters that one can run."""

    prefix = "system.user"
    uid = pwd.getpwnam("nobody").pw_uid
    test_attempts_are_attempts_without_a_floor = None  # root's are these and more

    @classmethod
    def choose(cls, found):
        return [one for one in found if others_reach(one.path, cls.uid)] if os.geteuid() == 0 else []


class ProgramOfAnotherMachine(Test):
    """A program of the other kind that the processor runs, whose calls have numbers that no filter was made for."""

    @unittest.skipUnless(os.uname().machine == "aarch64", "arm64 alone has the calls of arm beside its own")
    def test_program_of_32_bits_is_ended_by_its_first_call(self):
        program = self.directory / "program"
        program.write_bytes(program_of_arm())
        program.chmod(0o755)
        try:
            without = subprocess.run([program]).returncode
        except OSError as error:
            self.skipTest(f"this machine runs no program of 32 bits: {error}")
        self.assertEqual(without, 42)
        result = self.run_under(self.policy(NO_COPIES), [program])
        self.assertEqual((result.status, result.out), (-signal.SIGSYS, ""), result)


if __name__ == "__main__":
    unittest.main()
