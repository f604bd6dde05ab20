"""What the kernel is told to write where, at the C boundary; and what it would have to overwrite there.

The escapes (tests/escapes: mem_ioctl_pointer, mem_map_query, mem_extent_count, mem_getsockopt_pointer, mem_kernel_number,
mem_receive_lengths, mem_gettext_format, mem_gettext_domain, native_translations) try the ways; here is what is refused by whom, and
that programs which have no such thing in mind notice nothing.
"""

from support import ALLOW_ALL, HOOK, UNTRUSTED, Test, execute, python, python_version

# Python code may not reach memory by ffi; and what it says to descriptors is nobody's concern.
NO_FFI = """policy own "No way to memory" { deny ffi as no-ffi }
"""

NO_NATIVE = """policy own "No native code from a certain place" { deny native where path under "/nowhere" as no-native }
"""

NO_PROGRAMS = """policy own "No programs" { deny exec as no-exec message "No programs here" }
"""

ORDINARY = """
import array, asyncio, errno, fcntl, mmap, os, socket, struct, tempfile, termios, threading
with tempfile.TemporaryFile() as file:
    file.write(bytes(8192))
    file.flush()
    flags = fcntl.fcntl(file, fcntl.F_GETFL)
    fcntl.fcntl(file, fcntl.F_SETFL, flags | os.O_APPEND)
    fcntl.fcntl(file, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    os.close(fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 50))
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(file, fcntl.LOCK_UN)
    fcntl.lockf(file, fcntl.LOCK_EX)
    os.lockf(file.fileno(), os.F_ULOCK, 0)
    lock = fcntl.fcntl(file, fcntl.F_GETLK, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0))
    assert struct.unpack("hhqqi", lock)[0] == fcntl.F_UNLCK
    with mmap.mmap(file.fileno(), 4096) as memory:
        memory[0] = 1
    fcntl.ioctl(file, termios.FIOCLEX)
reading, writing = os.pipe()
os.write(writing, b"abc")
assert struct.unpack("i", fcntl.ioctl(reading, termios.FIONREAD, bytes(4))) == (3,)
left = bytearray(4)
assert fcntl.ioctl(reading, termios.FIONREAD, left) == 0 and left == struct.pack("i", 3)
left = array.array("i", [0])
assert fcntl.ioctl(reading, termios.FIONREAD, left) == 0 and left[0] == 3
assert fcntl.ioctl(reading, termios.FIONREAD, bytearray(4096)) == 0
assert os.get_blocking(reading)
os.set_blocking(reading, False)
os.set_inheritable(reading, True)
with socket.socket() as one:
    one.settimeout(1)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert len(one.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)) == 8
    assert 64 < len(one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1000)) < 1000
    if socket.has_ipv6:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
            for option in socket.IPV6_TCLASS, socket.IPV6_RECVTCLASS:
                six.setsockopt(socket.IPPROTO_IPV6, option, 1)
                assert six.getsockopt(socket.IPPROTO_IPV6, option) == 1
    name = struct.pack("16s16x", b"lo")
    assert fcntl.ioctl(one, 0x8933, name)[16:20] == struct.pack("i", socket.if_nametoindex("lo"))  # SIOCGIFINDEX
    assert fcntl.ioctl(one, 0x8915, name)[20:24] == bytes([127, 0, 0, 1])
async def main():
    await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(None, threading.get_ident), 10)
asyncio.run(main())
print("worked")
"""

# The terminals of a floor are those that the process was started with.
TERMINALS = """
master, slave = os.openpty()
size = struct.pack("HHHH", 40, 132, 0, 0)
fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
assert fcntl.ioctl(slave, termios.TIOCGWINSZ, bytes(8)) == size
assert os.get_terminal_size(slave) == (132, 40)
assert os.isatty(slave) and termios.tcgetattr(slave) and os.ttyname(slave)
"""

FILES_AND_DEVICES = """
with tempfile.TemporaryFile() as file:
    assert struct.unpack("i", fcntl.ioctl(file, 2, bytes(4)))[0] >= 512  # FIGETBSZ
    for request, size in (0x80086601, 8), (0x801c581f, 28):  # FS_IOC_GETFLAGS, FS_IOC_FSGETXATTR
        try:
            fcntl.ioctl(file, request, bytes(size))
        except OSError as error:
            assert error.errno in (errno.ENOTTY, errno.EOPNOTSUPP), error
with open("/dev/urandom", "rb") as file:
    assert struct.unpack("i", fcntl.ioctl(file, 0x80045200, bytes(4)))[0] > 0  # RNDGETENTCNT
"""

# What the requests and the structures of a library hold is of its own making.
LIBRARY = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
for request in 0xC0686611, 0xC0104600, 0x541c:
    assert libc.ioctl(os.pipe()[0], ctypes.c_ulong(request), ctypes.create_string_buffer(4096)) == -1
    print(os.strerror(ctypes.get_errno()))
"""

REFUSED = """
import errno, fcntl, os, socket, struct
reading, writing = os.pipe()
class Number:
    def __index__(self):
        return 4096
def refused(function):
    try:
        print(function())
    except OSError as error:
        print(error.errno, error.strerror)
refused(lambda: fcntl.ioctl(reading, 0x541b, 4096))
refused(lambda: fcntl.ioctl(reading, 0x541b, Number()))
refused(lambda: fcntl.fcntl(reading, 5, 4096))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    refused(lambda: fcntl.ioctl(one, 0x8912, bytes(16)))
with open("/proc/self/maps") as maps:  # PROCMAP_QUERY, as it is and as it may grow
    refused(lambda: fcntl.ioctl(maps, 0xC0686611, struct.pack("Q", 104) + bytes(96)))
    refused(lambda: fcntl.ioctl(maps, 0xC0786611, struct.pack("Q", 120) + bytes(112)))
with open(__file__) as own:  # FS_IOC_FIEMAP, which asks for no extent here
    refused(lambda: fcntl.ioctl(own, 0xC020660B, bytes(32)))
    refused(lambda: fcntl.ioctl(own, 0xC020660B, bytearray(1060), True))
with socket.socket() as one:
    refused(lambda: one.getsockopt(6, 35, 64))
    refused(lambda: one.setsockopt(0, 64, bytes(64)))
    refused(lambda: one.getsockopt(41, 64, 84))
refused(lambda: fcntl.fcntl(reading, fcntl.F_DUPFD, 70))
"""

# Catalogues and locales of the program's own; and what is nobody's concern.
TEXTS = """
import locale, os, sys
def refused(function):
    try:
        print(function())
    except OSError as error:
        print(error.strerror)
own = "../" * 5 + os.getcwd().strip("/") + "/own"
refused(lambda: os.putenv("LANGUAGE", "de:../../../tmp"))
refused(lambda: os.putenv("LOCPATH", "/tmp"))
refused(lambda: os.putenv("LANGUAGE", "de:en"))
refused(lambda: os.putenv("LOCPATHS", "/tmp"))
refused(lambda: locale.textdomain(own))
refused(lambda: locale.dgettext("own/..other", "text"))
refused(lambda: locale.dcgettext("..", "text", locale.LC_MESSAGES))
refused(lambda: locale.textdomain("own"))
"""

UNBOUNDED = ("13 warder: ioctl denied: its structure may say where the kernel writes, or how much, "
             "and this request is not known as one that does not")
NUMBER = "13 warder: {} denied: a number stands where this request takes an address"

# CPython's record of the hook is the last one, whose function lies in this object; the runtime's word that leads there is
# the head of its hooks.
FIND = """
import ctypes, os
with open("/proc/self/maps") as maps:
    areas = [(line.split()[0].split("-"), line) for line in maps]
readable = [tuple(int(end, 16) for end in area) for area, line in areas if line.split()[1].startswith("r")]
own = [tuple(int(end, 16) for end in area) for area, line in areas if "libwarder" in line]
def inside(places, address):
    return any(low <= address < high for low, high in places)
def word(address):
    return ctypes.c_size_t.from_address(address)
start = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
for head in range(start, start + (1 << 18), 8):
    entry = word(head).value
    if entry % 8 == 0 and inside(readable, entry) and inside(readable, entry + 16) \
            and word(entry).value == 0 and inside(own, word(entry + 8).value):
        break
else:
    raise SystemExit("no hook was found")
"""


class Control(Test):
    per_interpreter = True

    def under(self, policy, code):
        return self.run_under(policy, [python(), self.script(code)])

    def test_ordinary_use_goes_on_for_untrusted_code(self):
        result = self.under(UNTRUSTED, ORDINARY.replace("bytearray(4096)", "bytearray(1000)"))
        self.assertEqual((result.status, result.out), (0, "worked\n"), result)

    def test_program_under_a_policy_that_allows_everything_notices_nothing(self):
        result = self.under(self.policy(ALLOW_ALL), ORDINARY + TERMINALS)
        self.assertEqual((result.status, result.out), (0, "worked\n"), result)

    def test_terminals_files_and_devices_are_told_what_they_were_where_memory_is_held(self):
        code = ORDINARY.replace("bytearray(4096)", "bytearray(1000)") + TERMINALS + FILES_AND_DEVICES
        result = self.under(self.policy(NO_FFI), code)
        self.assertEqual((result.status, result.out), (0, "worked\n"), result)

    def test_libraries_ask_what_they_like(self):
        result = self.under(self.policy(NO_NATIVE), LIBRARY)
        self.assertEqual((result.status, result.out), (0, "Inappropriate ioctl for device\n" * 3), result)

    def test_no_address_of_the_programs_choice_reaches_the_kernel_where_memory_is_held(self):
        result = self.under(self.policy(NO_FFI), REFUSED)
        self.assertEqual(result.out.splitlines(), [
            NUMBER.format("ioctl"), NUMBER.format("ioctl"), NUMBER.format("fcntl"),
            *[UNBOUNDED] * 5,
            "92 Protocol not available", "92 Protocol not available", "92 Protocol not available", "70"], result)

    def test_libc_is_led_to_no_texts_and_locales_elsewhere_where_memory_is_held(self):
        sets = "setenv" if python_version() >= (3, 9) else "putenv"
        result = self.under(self.policy(NO_FFI), TEXTS)
        self.assertEqual(result.out.splitlines(), [
            "warder: libc.{} denied: this LANGUAGE leads out of the directory of translations".format(sets),
            "warder: libc.{} denied: LOCPATH says where libc finds locales, and it believes what stands there".format(sets),
            "None", "None",
            "warder: libc.textdomain denied: the name of the domain leads out of the directory of translations",
            "text", "text", "own"], result)
        result = self.under(self.policy(ALLOW_ALL), TEXTS)
        self.assertEqual(result.out.splitlines()[:4], ["None"] * 4, result)
        self.assertEqual(result.out.splitlines()[5:], ["text", "text", "own"], result)

    def test_kernel_answers_where_nobody_holds_memory(self):
        result = self.under(self.policy(ALLOW_ALL), REFUSED)
        answers = result.out.splitlines()
        self.assertEqual(answers[:3], ["14 Bad address"] * 3, result)
        self.assertEqual(answers[-1], "70", result)
        self.assertNotIn("warder", result.out)

    def test_interpreter_whose_hook_was_taken_out_is_ended(self):
        for what in ("word(head).value = 0",
                     "word(entry + 8).value = ctypes.cast(ctypes.pythonapi.PyErr_CheckSignals, ctypes.c_void_p).value"):
            with self.subTest(what):
                result = self.under(self.policy(NO_PROGRAMS), FIND + f"""
print("found", flush=True)
{what}
os.posix_spawn("/bin/sh", ["sh", "-c", "echo through"], {{}})
print("went on")
""")
                self.assertEqual(result.out, "found\n", result)
                self.assertIn("warder: the audit hook has been taken out of this interpreter; it is ended", result.err)
                self.assertNotEqual(result.status, 0)

    def test_what_says_that_there_is_a_session_is_read_only(self):
        symbols = [line.split() for line in execute(["nm", "--defined-only", HOOK]).out.splitlines()]
        for name in "kept_terms", "kept_calls":
            offset, = (int(fields[0], 16) for fields in symbols if fields[-1] == name)
            result = self.under(self.policy(NO_PROGRAMS), FIND + f"""
at = min(low for low, high in own) + {offset}
print(*[line.split()[1] for (low, high), line in areas if int(low, 16) <= at < int(high, 16)])
""")
            self.assertEqual((result.status, result.out), (0, "r--p\n"), result)


class Listening(Test):
    """A socket that nothing was bound to is bound by listen, of which no audit event tells."""

    per_interpreter = True
    POLICY = """policy few-sockets {
    default deny bind
    allow bind where address in [127.0.0.0/8, ::1/128] as own
}
"""
    CODE = """
import socket
def attempt(family, *address):
    one = socket.socket(family)
    try:
        if address:
            one.bind(address)
        one.listen()
        print(one.getsockname()[1] > 0)
        one.listen(2)
    except PermissionError as error:
        print(error.strerror.split(":")[1].split(" denied")[0])
attempt(socket.AF_INET)
attempt(socket.AF_INET6)
attempt(socket.AF_INET, "127.0.0.1", 0)
for family, here in (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"):
    left = socket.socket(family)
    if left.connect_ex((here, 1)) and left.getsockname()[1]:
        try:
            left.listen()
            print("True")
        except PermissionError as error:
            print(error.strerror.split(":")[1].split(" denied")[0])
socket.create_server(("127.0.0.1", 0)).close()
unix = socket.socket(socket.AF_UNIX)
for one in unix, socket.socket(socket.AF_INET, socket.SOCK_DGRAM):
    try:
        one.listen()
    except OSError as error:
        print(error.errno)
"""

    def test_socket_without_a_port_is_judged_as_one_that_is_bound_to_every_address(self):
        result = self.python_under(self.policy(self.POLICY), self.CODE)
        self.assertEqual((result.status, result.out.splitlines()),
                         (0, [" bind 0.0.0.0 port 0", " bind ", "True", " bind 0.0.0.0 port 0", " bind ", "22", "95"]), result)

    def test_sockets_listen_as_before_where_everything_is_allowed(self):
        result = self.python_under(self.policy(ALLOW_ALL), self.CODE)
        self.assertEqual((result.status, result.out.splitlines()), (0, ["True"] * 5 + ["22", "95"]), result)


class Receiving(Test):
    """CPython believes the length that a receive or a socket's name is said to have."""

    per_interpreter = True
    ORDINARY = """
import array, os, socket, threading
for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET:
    one, other = socket.socketpair(socket.AF_UNIX, kind)
    for receive in (lambda: other.recv(100), lambda: other.recv(100, socket.MSG_PEEK), lambda: other.recvfrom(100)[0]):
        one.send(b"abc")
        assert receive().startswith(b"abc")
    one, other = socket.socketpair(socket.AF_UNIX, kind)
    room = bytearray(b"......")
    one.send(b"abc")
    assert other.recv_into(room) == 3 and room == b"abc..."
    one.send(b"def")
    assert other.recvfrom_into(room)[0] == 3 and room == b"def..."
    assert one.sendmsg([b"a", b"b"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [1]))]) == 2
    data, ancillary, flags, address = other.recvmsg(100, socket.CMSG_LEN(4))
    assert data == b"ab" and len(ancillary) == 1 and flags & socket.MSG_TRUNC == 0
    os.close(array.array("i", ancillary[0][2])[0])
    one.send(b"ab")
    rooms = bytearray(1), bytearray(1)
    assert other.recvmsg_into(rooms)[0] == 2 and rooms == (b"a", b"b")
one.send(b"12345")
room = bytearray(b"......")
assert other.recv_into(room, 3) == 3 and room == b"123..."
with socket.socket() as listening, socket.socket() as one:
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    one.connect(listening.getsockname())
    other, address = listening.accept()
    assert one.getpeername() == listening.getsockname() and one.getsockname() == address == other.getpeername()
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    one.bind(("127.0.0.1", 0))
    one.sendto(b"abc", one.getsockname())
    assert one.recvfrom(10) == (b"abc", one.getsockname())
with socket.socket(socket.AF_UNIX) as one:
    assert one.getsockname() == ""
    one.bind("\\0" + "a" * 107)
    assert one.getsockname() == b"\\0" + b"a" * 107
try:
    socket.socket().recv(1)
except OSError as error:
    print(error.errno)
"""
    LENGTHS = """
import os, socket
cut = socket.MSG_TRUNC
one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
room = bytearray(10)
for receive in (lambda: len(other.recv(10, cut)), lambda: len(other.recvfrom(10, cut)[0]),
                lambda: other.recv_into(room, 10, cut), lambda: other.recvfrom_into(room, 10, cut)[0],
                lambda: other.recvmsg_into([room], 0, cut)[0]):
    one.send(bytes(1000))
    print(receive(), end=" ")
one.send(bytes(1000))
data, _, flags, _ = other.recvmsg(10, 0, cut)
print(len(data), flags & cut == cut)
one.send(b"abc")
assert other.recv_into(room, 10, cut) == 3 and room == b"abc" + bytes(7), room
"""
    STREAM = """
import os, socket
with socket.socket() as listening, socket.socket() as one:
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    one.connect(listening.getsockname())
    other, address = listening.accept()
    one.sendall(bytes(3000))
    other.recv(3000, socket.MSG_PEEK | socket.MSG_WAITALL)
    for receive in (lambda: other.recv(1000, socket.MSG_TRUNC), lambda: other.recvfrom(1000, socket.MSG_TRUNC)[0],
                    lambda: other.recvmsg(1000, 0, socket.MSG_TRUNC)[0]):
        made = [b"\\xaa" * 1000 for _ in range(50)]
        del made
        data = receive()
        print(len(data), set(data))
"""
    NAMES = """
import os, socket
def as_inet(one):
    return socket.socket(socket.AF_INET, one.type, fileno=os.dup(one.fileno()))
with socket.socket(socket.AF_UNIX) as one, socket.socket(socket.AF_UNIX) as other:
    one.bind("\\0" + "a" * 107)
    one.listen()
    other.bind("\\0" + "b" * 107)
    other.connect(one.getsockname())
    print(as_inet(one).getsockname())
    print(as_inet(other).getpeername())
    descriptor, name = as_inet(one)._accept()
    os.close(descriptor)
    print(name)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
    one.bind("\\0" + "c" * 107)
    other.bind("\\0" + "d" * 107)
    other.sendto(b"1", one.getsockname())
    other.sendto(b"2", one.getsockname())
    print(as_inet(one).recvfrom(10))
    print(as_inet(one).recvmsg(10)[3])
"""

    def lines(self, policy, code):
        result = self.python_under(self.policy(policy), code)
        self.assertEqual(result.status, 0, result)
        return result.out.splitlines()

    def test_what_is_received_is_what_was_sent(self):
        for policy in ALLOW_ALL, NO_FFI:
            with self.subTest(policy):
                self.assertEqual(self.lines(policy, self.ORDINARY), ["107"])

    def test_no_length_is_more_than_there_is_room_for_where_memory_is_held(self):
        self.assertEqual(self.lines(NO_FFI, self.LENGTHS), ["10 10 10 10 10 10 True"])

    def test_kernel_says_the_whole_length_where_nobody_holds_memory(self):
        self.assertEqual(self.lines(ALLOW_ALL, self.LENGTHS), ["1000 1000 1000 1000 1000 10 True"])

    def test_what_a_stream_throws_away_reads_as_zeros_where_memory_is_held(self):
        self.assertEqual(self.lines(NO_FFI, self.STREAM), ["1000 {0}"] * 3)

    def test_name_that_was_cut_has_no_family_where_memory_is_held(self):
        self.assertEqual(self.lines(NO_FFI, self.NAMES), [
            str((0, b"\0" + b"a" * 13)), str((0, b"\0" + b"a" * 13)), str((0, b"\0" + b"b" * 13)),
            str((b"1", (0, b"\0" + b"d" * 13))), str((0, b"\0" + b"d" * 13))])

    def test_name_that_was_cut_is_as_long_as_the_kernel_says_where_nobody_holds_memory(self):
        for line in self.lines(ALLOW_ALL, self.NAMES):
            self.assertNotIn("(0, ", line)
