"""Threads with the least stack that CPython allows work under Warder as they do without it."""

import unittest

from support import UNTRUSTED, Test, python

CODE = """
import _imp, importlib.machinery as machinery, os, socket, subprocess, sys, threading

def extension():
    for name in ("_lsprof", "_queue", "_multiprocessing", "_zoneinfo", "xxlimited"):
        for directory in sys.path:
            for suffix in machinery.EXTENSION_SUFFIXES:
                path = os.path.join(directory, name + suffix)
                if name not in sys.modules and os.path.exists(path):
                    return machinery.ModuleSpec(name, machinery.ExtensionFileLoader(name, path), origin=path)

spec = extension()
os.makedirs("a/b/c", exist_ok=True)
work = {
    "load": lambda: spec and _imp.create_dynamic(spec),
    "open": lambda: os.close(os.open("a/b/../b/c/../../x", os.O_RDWR | os.O_CREAT)),
    "secret": lambda: os.open("a/../../../../../../../proc/self/mem", os.O_RDONLY),
    "exec": lambda: os.execve("/bin/true", ["true"] * 10, {}),
    "spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "chmod": lambda: os.chmod("a/b", 0o700),
    "connect": lambda: socket.socket().connect(("127.0.0.1", 9)),
}[sys.argv[1]]

def run():
    try:
        print("done", work() is None)
    except OSError as error:
        print(type(error).__name__)

try:
    threading.stack_size(32768)
except ValueError:  # from 3.14 on more is wanted
    threading.stack_size(53248)
thread = threading.Thread(target=run)
thread.start()
thread.join()
print("end")
"""

# What is denied is asked about, and told.
DENYING = """policy p {
    deny exec where file is "/bin/true" as no-true
    deny native where path under "/nonexistent" as no-native
    deny connect where port is 1 as no-port
    deny write where path under "/nonexistent" as no-write
    deny read where path under "/proc" as no-proc
}"""


class SmallStack(Test):
    per_interpreter = True

    def outcome(self, policy, name):
        result = self.run_under(policy, [python(), self.script(CODE), name], cwd=self.directory)
        self.assertEqual(result.status, 0, f"{name}: {result}")
        self.assertTrue(result.out.endswith("end\n"), f"{name}: {result}")
        return result.out.splitlines()[0]

    def test_thread_of_32_kib_does_what_is_allowed(self):
        policy = self.policy(DENYING)
        for name, outcome in (("load", "done False"), ("open", "done True"), ("chmod", "done True"),
                              ("connect", "ConnectionRefusedError")):
            with self.subTest(name):
                self.assertEqual(self.outcome(policy, name), outcome)

    def test_thread_of_32_kib_is_denied_what_is_not(self):
        for policy in (self.policy(DENYING), UNTRUSTED):
            for name in ("exec", "spawn", "secret"):
                with self.subTest(name, policy=policy):
                    self.assertEqual(self.outcome(policy, name), "PolicyDenied")


if __name__ == "__main__":
    unittest.main()
