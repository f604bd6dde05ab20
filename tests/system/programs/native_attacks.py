"""What native code of an attacker's tries, once an interpreter has loaded it: run by test_floor.py.

    native_attacks.py OBJECT FAMILY PLACE OTHER

OBJECT is native_attacker.so, PLACE a directory that the policy allows, with one beside it that it does
not, and OTHER the pid of a process that is none of this one's. Prints what came of each attempt, as JSON:
"done", or the name of an errno. Every attempt is a system call that no library and no hook sees.
"""

import ctypes
import errno
import json
import os
import socket
import stat
import struct
import sys

attacker = ctypes.CDLL(sys.argv[1])
attacker.attacker_call.restype = attacker.attacker_number.restype = ctypes.c_long
attacker.attacker_call.argtypes = [ctypes.c_long] * 7
place, other = sys.argv[3], int(sys.argv[4])
outside = os.path.join(os.path.dirname(place), "outside")
AT_FDCWD, AT_EMPTY_PATH = -100, 0x1000
kept = []  # what addresses lead to


def word(value):
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        value = os.fsencode(value)
    if isinstance(value, bytes):
        value = ctypes.create_string_buffer(value)
    kept.append(value)
    return ctypes.addressof(value)


def call(name, *arguments):
    number = attacker.attacker_number(name.encode())
    if number < 0:
        return "absent"
    words = [word(value) for value in arguments] + [0] * (6 - len(arguments))
    return attacker.attacker_call(number, *words)


def outcome(result):
    if isinstance(result, str):
        return result
    return "done" if result >= 0 else errno.errorcode.get(-result, str(result))


def address(*texts):
    """An argv."""
    pointers = (ctypes.c_char_p * (len(texts) + 1))(*[text.encode() for text in texts], None)
    return pointers


def in_child(*arguments):
    """A call that replaces its process if it succeeds, in a child made by a call of its own."""
    pid = call("clone", 17)
    if pid == 0:
        result = call(*arguments)
        call("exit_group", -result if result < 0 else 99)
    if pid < 0:
        return "no child: " + outcome(pid)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) not in (0, 99):
        return -os.WEXITSTATUS(status)
    return 0 if status == 0 else f"status {status}"


def programs():
    # Opened and written with the calls of an attacker, too: what is tried is executing.
    true = b"/usr/bin/true"
    opened = call("openat", AT_FDCWD, true, os.O_RDONLY)
    yield "execve", in_child("execve", true, address("true"), 0)
    yield "execveat", in_child("execveat", opened, b"", address("true"), 0, AT_EMPTY_PATH)
    memory = call("memfd_create", b"program", 1)
    yield "memfd", memory
    if memory >= 0:
        with open(true, "rb") as file:
            text = file.read()
        call("write", memory, text, len(text))
        yield "memfd execveat", in_child("execveat", memory, b"", address("true"), 0, AT_EMPTY_PATH)
        yield "memfd execve", in_child("execve", f"/proc/self/fd/{memory}", address("true"), 0)
    sealed = call("memfd_create", b"program", 1 | 8)
    if sealed >= 0:
        with open(true, "rb") as file:
            text = file.read()
        call("write", sealed, text, len(text))
        yield "sealed memfd execveat", in_child("execveat", sealed, b"", address("true"), 0, AT_EMPTY_PATH)
    copy = os.path.join(place, "copy")
    made = call("openat", AT_FDCWD, copy, os.O_WRONLY | os.O_CREAT, 0o755)
    if made >= 0:
        with open(true, "rb") as file:
            text = file.read()
        call("write", made, text, len(text))
        call("close", made)
        yield "copy", in_child("execve", copy, address("true"), 0)


def copies():
    def forked(*arguments):
        pid = call(*arguments)
        if pid == 0:
            call("exit_group", 0)
        return pid

    yield "clone", attacker.attacker_fork()
    yield "fork", forked("fork")
    clone3 = ctypes.create_string_buffer(struct.pack("<8Q", 0, 0, 0, 0, 17, 0, 0, 0))
    yield "clone3", forked("clone3", clone3, 64)
    yield "clone into a namespace", forked("clone", 17 | 0x40000000)  # CLONE_NEWNET
    import threading
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    yield "a thread", 0


def writes():
    there = os.path.join(outside, "file")
    new = os.path.join(outside, "new")
    mine = os.path.join(place, "file")
    yield "open to write", call("openat", AT_FDCWD, there, os.O_WRONLY)
    yield "open to read and write", call("openat", AT_FDCWD, there, os.O_RDWR)
    yield "open and cut", call("openat", AT_FDCWD, there, os.O_RDONLY | os.O_TRUNC)
    yield "open by openat2", call("openat2", AT_FDCWD, there, struct.pack("<3Q", os.O_WRONLY, 0, 0), 24)
    yield "create", call("openat", AT_FDCWD, new, os.O_WRONLY | os.O_CREAT, 0o644)
    yield "creat", call("creat", new + "2", 0o644)
    yield "truncate", call("truncate", there, 1)
    yield "mkdir", call("mkdirat", AT_FDCWD, new + "3", 0o755)
    yield "mkfifo", call("mknodat", AT_FDCWD, new + "4", 0o010644, 0)
    yield "symlink", call("symlinkat", b"/etc/passwd", AT_FDCWD, new + "5")
    yield "link out", call("linkat", AT_FDCWD, mine, AT_FDCWD, new + "6", 0)
    yield "rename out", call("renameat2", AT_FDCWD, mine, AT_FDCWD, new + "7", 0)
    yield "link in", call("linkat", AT_FDCWD, there, AT_FDCWD, os.path.join(place, "in"), 0)
    yield "unlink", call("unlinkat", AT_FDCWD, there, 0)
    yield "own memory", call("openat", AT_FDCWD, b"/proc/self/mem", os.O_RDWR)
    directory = call("openat", AT_FDCWD, b"/proc/self", os.O_PATH | os.O_DIRECTORY)
    yield "own memory by directory", call("openat", directory, b"mem", os.O_WRONLY)
    yield "set-user-ID bit", call("fchmodat", AT_FDCWD, there, 0o4755)
    yield "set-user-ID file", call("openat", AT_FDCWD, mine + "1", os.O_WRONLY | os.O_CREAT, 0o4755)
    yield "set-user-ID node", call("mknodat", AT_FDCWD, mine + "2", stat.S_IFREG | 0o4755, 0)
    how = struct.pack("<3Q", os.O_WRONLY | os.O_CREAT, 0o4755, 0)  # no filter sees what an address leads to
    made = call("openat2", AT_FDCWD, mine + "3", how, len(how))
    yield "an empty file by openat2", min(made, 0)
    written = call("write", made, b"x", 1)
    keeps = written == 1 and os.stat(mine + "3").st_mode & stat.S_ISUID
    yield "set-user-ID file by openat2", min(written, 0) if keeps else -errno.EPERM
    yield "own file", min(call("openat", AT_FDCWD, mine, os.O_WRONLY), 0)


def reads():
    there = os.path.join(outside, "file")
    yield "open", call("openat", AT_FDCWD, there, os.O_RDONLY)
    yield "open by openat2", call("openat2", AT_FDCWD, there, struct.pack("<3Q", os.O_RDONLY, 0, 0), 24)
    yield "list", call("openat", AT_FDCWD, outside, os.O_RDONLY | os.O_DIRECTORY)
    directory = call("openat", AT_FDCWD, outside, os.O_PATH | os.O_DIRECTORY)
    yield "open by directory", call("openat", directory, b"file", os.O_RDONLY)
    path = call("openat", AT_FDCWD, there, os.O_PATH)
    yield "open anew", call("openat", AT_FDCWD, f"/proc/self/fd/{path}", os.O_RDONLY)
    yield "memory", call("openat", AT_FDCWD, f"/proc/{os.getpid()}/mem", os.O_RDONLY)
    yield "maps", call("openat", AT_FDCWD, b"/proc/self/maps", os.O_RDONLY)
    yield "own file", min(call("openat", AT_FDCWD, os.path.join(place, "file"), os.O_RDONLY), 0)


def local(port):
    return struct.pack("<H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton("127.0.0.1") + bytes(8)


def connections():
    open_port, closed_port = map(int, os.environ["PORTS"].split())
    tcp = call("socket", socket.AF_INET, socket.SOCK_STREAM, 0)
    yield "tcp", call("connect", tcp, local(closed_port), 16)
    yield "tcp by its first packet", call("sendto", tcp, b"x", 1, 0x20000000, local(closed_port), 16)
    yield "mptcp", call("socket", socket.AF_INET, socket.SOCK_STREAM, 262)
    unix = call("socket", socket.AF_UNIX, socket.SOCK_STREAM, 0)
    yield "unix", unix
    if unix >= 0:
        name = os.environ["ABSTRACT"].encode()
        yield "abstract", call("connect", unix, struct.pack("<H", socket.AF_UNIX) + b"\0" + name, 3 + len(name))
    another = call("socket", socket.AF_INET, socket.SOCK_STREAM, 0)
    yield "own port", call("connect", another, local(open_port), 16)
    yield "a pair", call("socketpair", socket.AF_UNIX, socket.SOCK_STREAM, 0, bytes(8))


def offers():
    open_port, closed_port = map(int, os.environ["PORTS"].split())

    def tcp():
        return call("socket", socket.AF_INET, socket.SOCK_STREAM, 0)

    yield "bind", call("bind", tcp(), local(closed_port), 16)
    yield "bind to all", call("bind", tcp(), struct.pack("<H", socket.AF_INET) + struct.pack(">H", closed_port) + bytes(12), 16)
    yield "bind to any port", call("bind", tcp(), local(0), 16)
    yield "own port", call("bind", tcp(), local(open_port), 16)


def powers():
    """What no process under a floor may, whatever its classes."""
    byte = ctypes.create_string_buffer(1)
    vector = struct.pack("<2Q", ctypes.addressof(byte), 1)
    yield "ptrace", call("ptrace", 0x4206, other, 0, 0)  # PTRACE_SEIZE
    yield "write memory", call("process_vm_writev", other, vector, 1, vector, 1, 0)
    yield "read memory", call("process_vm_readv", other, vector, 1, vector, 1, 0)
    handle = call("pidfd_open", other, 0)
    yield "take a descriptor", call("pidfd_getfd", handle, 0, 0)
    yield "process_madvise", call("process_madvise", handle, vector, 1, 21, 0)
    yield "io uring", call("io_uring_setup", 8, bytes(256))
    yield "mount", call("mount", b"none", b"/mnt", b"tmpfs", 0, 0)
    yield "fsopen", call("fsopen", b"tmpfs", 0)
    yield "open_tree", call("open_tree", AT_FDCWD, b"/", 1)
    yield "unshare", call("unshare", 0x10000000)  # CLONE_NEWUSER
    yield "unshare mounts", call("unshare", 0x00020000)
    yield "chroot", call("chroot", b"/")
    yield "bpf", call("bpf", 0, bytes(128), 48)
    yield "userfaultfd", call("userfaultfd", 1)
    yield "perf", call("perf_event_open", bytes(128), 0, -1, -1, 0)
    terminal, _ = os.openpty()
    yield "type into a terminal", call("ioctl", terminal, 0x5412, b"x")
    yield "type, with garbage above", call("ioctl", terminal, 0x5412 | 1 << 32, b"x")
    yield "signal", call("kill", other, 0)
    yield "end", call("tgkill", other, other, 9)
    yield "end by handle", call("pidfd_send_signal", handle, 9, 0, 0)
    yield "limit", call("prlimit64", other, 0, struct.pack("<2Q", 0, 0), 0)
    yield "own limits", call("prlimit64", 0, 7, 0, bytes(16))
    yield "own signal", call("kill", os.getpid(), 0)
    filter_of_all = struct.pack("<HBBI", 0x06, 0, 0, 0x7fff0000)
    yield "allow all again", call("seccomp", 1, 0, struct.pack("<HxxxxxxQ", 1, word(filter_of_all)))
    yield "ptrace still", call("ptrace", 0x4206, other, 0, 0)
    call("prctl", 38, 0, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    yield "no_new_privs", 0 if call("prctl", 39, 0, 0, 0, 0) != 1 else -errno.EPERM


def calls_of_32_bits():
    yield "getpid", attacker.attacker_call_of_32_bits(20, 0, 0, 0)


def calls_of_x32():
    yield "getppid", call("x32_getppid")


families = {function.__name__: function
            for function in (programs, copies, writes, reads, connections, offers, powers, calls_of_32_bits,
                             calls_of_x32)}
found = {name: outcome(result) for name, result in families[sys.argv[2]]()}
print(json.dumps(found))
