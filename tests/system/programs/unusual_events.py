"""Forged events with every kind of argument that a hook could stumble over; then a real event, whose denial
shows that the hook still stands. Takes the path of a file that must not come to be."""

import os
import sys


class Hostile:
    def __str__(self):
        raise RuntimeError

    __repr__ = __fspath__ = __iter__ = __len__ = __bool__ = __index__ = __int__ = __eq__ = __hash__ = __str__

    def __getattribute__(self, name):
        raise RuntimeError


class Number(int):
    __index__ = __int__ = __eq__ = Hostile.__str__
    __hash__ = int.__hash__


class Text(str):
    __str__ = __eq__ = __len__ = __iter__ = Hostile.__str__
    __hash__ = str.__hash__


deep = []
for _ in range(10000):
    deep = [deep]
loop = []
loop.append(loop)
loop_map = {}
loop_map["self"] = loop_map

EVENTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "import", "open", "exec",
          "socket.connect", "socket.bind", "socket.__new__", "socket.sendmsg", "os.rename", "os.kill", "os.killpg",
          "ctypes.dlopen", "sqlite3.connect", "pickle.find_class", "resource.prlimit", "object.__setattr__",
          "fcntl.ioctl", "mmap.__new__", "pty.spawn", "_posixsubprocess.fork_exec", "cpython.run_command", "",
          "x" * 100000, "\u00e9", "\udce9", "no.such.event")
ARGUMENTS = ((), (None,), (Hostile(),) * 6, ("\udcff", ["\udcff"], {}, None), ("a\0b", [b"\0"], None, None),
             ("x" * 2000000,), (10 ** 5000,), ([[]] * 50000,), (float("nan"),), (deep,), (loop, loop), (loop_map,),
             (Number(5), Number(-1), Number(2 ** 80)), (Text("/bin/true"), [Text("x")], {Text("a"): Text("b")}),
             (object(), ("127.0.0.1", 80)), (object(), ("::1", 80, 0, 0)), (object(), "\0abstract"),
             (object(), ("x" * 300, -1)), (object(), ()), (object(), (None, None)), (-1,) * 8, (2 ** 63,) * 4,
             (b"\xff" * 100000, [b"\xff"] * 100, {b"\xff": b"\xff"}, None), (memoryview(b"x"),), (bytearray(b"x"),),
             ("/", "w+", -1), (3, "r", 0), ("", "", 0), ("/" * 5000, None, 577), ("../" * 2000, None, 0))


def raise_event(name, arguments):
    try:
        sys.audit(name, *arguments)
    except (PermissionError, RuntimeError, TypeError, ValueError, UnicodeError):
        pass


for event in EVENTS:
    for arguments in ARGUMENTS:
        raise_event(event, arguments)
try:
    os.system("/bin/touch " + sys.argv[1])
except PermissionError:
    print("denied")
