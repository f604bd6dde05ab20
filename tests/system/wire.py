"""A client of the session protocol in plain Python: for tests, which must be able to break it.

It speaks what proto/packet.h and proto/warder.proto say, from scratch: the frame, SipHash-2-4-128, protobuf's
encoding. Whatever it sends can be bent on the way: another number, another MAC, flags, descriptors, bytes.
"""

import array
import ctypes
import fcntl
import os
import socket
import struct

MAGIC = b"WDR1"
HEADER_SIZE = 32
PACKET_MAX = 128 * 1024
MESSAGE_MAX = 1024 * 1024
NO_TAG = bytes(16)
IN_FILE = 1
TO_DAEMON, TO_CLIENT = 1, 2

# Fields of ClientMessage and DaemonMessage.
HELLO, RESUME, LAUNCH, OPEN, ASK, DENIED, RECORDS, ADMIN = range(1, 9)
WELCOME, REFUSED, RESUMED, LAUNCHED, OPENED, VERDICT, STARTED, ADMINISTERED = range(1, 9)
OUTCOMES = {0: "deny", 1: "allow", 2: "kill"}

# Numbers of policies/engine/vocabulary.h.
CLASS_READ, CLASS_WRITE = 4, 5
ATTRIBUTE_PATH = 11

# linux/fcntl.h and linux/memfd.h: young Pythons have them, old ones do not.
F_ADD_SEALS = 1033
SEAL_SEAL, SEAL_SHRINK, SEAL_GROW, SEAL_WRITE = 1, 2, 4, 8
MFD_CLOEXEC, MFD_ALLOW_SEALING = 1, 2


# ------------------------------------------------------------------------------------------------- the MAC

MASK = (1 << 64) - 1


def _rotate(word, bits):
    return ((word << bits) | (word >> (64 - bits))) & MASK


def _rounds(v, count):
    for _ in range(count):
        v[0] = (v[0] + v[1]) & MASK
        v[1] = _rotate(v[1], 13) ^ v[0]
        v[0] = _rotate(v[0], 32)
        v[2] = (v[2] + v[3]) & MASK
        v[3] = _rotate(v[3], 16) ^ v[2]
        v[0] = (v[0] + v[3]) & MASK
        v[3] = _rotate(v[3], 21) ^ v[0]
        v[2] = (v[2] + v[1]) & MASK
        v[1] = _rotate(v[1], 17) ^ v[2]
        v[2] = _rotate(v[2], 32)


def siphash(key, data):
    """SipHash-2-4 with 128 bits of result (Aumasson and Bernstein's reference, `outlen` 16)."""
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D ^ 0xEE, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    whole = len(data) // 8 * 8
    words = list(struct.unpack(f"<{whole // 8}Q", data[:whole]))
    words.append(int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56)
    for word in words:
        v[3] ^= word
        _rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xEE
    _rounds(v, 4)
    first = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    _rounds(v, 4)
    return struct.pack("<QQ", first, v[0] ^ v[1] ^ v[2] ^ v[3])


def mac(key, direction, connection, flags, sequence, body, request_tag=None):
    fixed = struct.pack("<BBxxIQQ", direction, request_tag is not None, flags, connection, sequence)
    return siphash(key, fixed + (request_tag or NO_TAG) + body)


def child_key(parent_key, client_nonce, daemon_nonce, session):
    return siphash(parent_key, b"warder child key" + client_nonce + daemon_nonce + struct.pack("<Q", session))


# ------------------------------------------------------------------------------------------------ protobuf

def varint(number):
    out = bytearray()
    number &= MASK
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """One field: whole numbers and bools as varints, bytes and texts with their length."""
    if isinstance(value, (bool, int)):
        return varint(number << 3) + varint(int(value))
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def message(*fields):
    return b"".join(field(number, value) for number, value in fields)


def decode(data):
    """{field number: [values]} of one message, nested ones still packed."""
    fields, at = {}, 0

    def number():
        nonlocal at
        result = shift = 0
        while True:
            byte = data[at]
            at += 1
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return result

    while at < len(data):
        tag = number()
        kind = tag & 7
        if kind == 0:
            value = number()
        elif kind == 1:
            value, at = data[at:at + 8], at + 8
        elif kind == 2:
            size = number()
            value, at = data[at:at + size], at + size
        else:
            raise ValueError(f"wire type {kind}")
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def first(fields, number, default=None):
    return fields.get(number, [default])[0]


# ------------------------------------------------------------------------------------------------ messages

def node(kind, marks=0, integer=0, raw=b"", count=0):
    return message((1, kind), (2, marks), (3, (integer << 1) ^ (integer >> 63)), (5, raw), (6, count))


def nodes(value):
    """A value in preorder: a list of packed Value messages."""
    if value is None:
        return [node(0)]
    if isinstance(value, bool):
        return [node(1, integer=int(value))]
    if isinstance(value, int):
        return [node(2, integer=value)]
    if isinstance(value, str):
        return [node(5, raw=value.encode())]
    if isinstance(value, bytes):
        return [node(6, raw=value)]
    if isinstance(value, dict):
        return [node(8, count=len(value))] + [part for pair in value.items() for side in pair for part in nodes(side)]
    return [node(7, count=len(value))] + [part for item in value for part in nodes(item)]


def operation(number, **attributes):
    """`path=` alone: the tests need no other attribute."""
    packed = []
    for name, value in attributes.items():
        assert name == "path"
        packed.append((2, message((1, ATTRIBUTE_PATH), *((2, part) for part in nodes(value)), (3, value), (4, True))))
    return message((1, number), *packed)


def event(name, arguments=(), operations=(), count=None, packed=None):
    parts = packed if packed is not None else [part for argument in arguments for part in nodes(argument)]
    return message((1, name), (3, len(arguments) if count is None else count), *((4, part) for part in parts),
                   *((5, one) for one in operations))


def ask(packed_event):
    return message((ASK, message((1, packed_event))))


def reading(path):
    """The Ask of `open(path)`."""
    return ask(event("open", (path, "r", 0), (operation(CLASS_READ, path=path),)))


def hello(nonce=None, *more, protocol=1, argv=("wire",)):
    return message((HELLO, message((1, protocol), (2, "test"), (3, "3.11.2"), (4, 1), *((5, text) for text in argv),
                                   (11, os.urandom(16) if nonce is None else nonce), *more)))


def open_connection(child=False):
    return message((OPEN, message((1, int(child)))))


def resume(session, nonce=None):
    return message((RESUME, message((1, session), (2, os.urandom(16) if nonce is None else nonce))))


def status():
    return message((ADMIN, message((5, b""))))


def remove(policy):
    return message((ADMIN, message((4, message((1, policy))))))


def memory_file(content, seals=SEAL_SEAL | SEAL_SHRINK | SEAL_GROW | SEAL_WRITE):
    """A descriptor of a memory file. os.memfd_create is younger than some of the Pythons that run this."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.memfd_create(b"test", MFD_CLOEXEC | MFD_ALLOW_SEALING)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "memfd_create")
    for start in range(0, len(content), 1 << 20):
        os.write(descriptor, content[start:start + (1 << 20)])
    fcntl.fcntl(descriptor, F_ADD_SEALS, seals)
    return descriptor


# ---------------------------------------------------------------------------------------------- connections

class Ended(Exception):
    """The daemon has closed the connection."""


class Forged(Exception):
    """A reply that is not the daemon's."""


class Reply:
    def __init__(self, kind, fields, descriptors):
        self.kind = kind
        self.fields = fields
        self.descriptors = descriptors


class Connection:
    """One connection: what goes out is right unless it is told otherwise; what comes in is checked."""

    def __init__(self, path=None, end=None, patience=60):
        self.socket = end or socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(patience)
        if path is not None:
            self.socket.connect(str(path))
        self.key = None
        self.number = 0
        self.sent = 0
        self.session = 0
        self.tag = NO_TAG  # of the last request

    def close(self):
        self.socket.close()

    def packet(self, body, sequence=None, flags=0, tag=None, key=None):
        """The bytes of a message, as the next one of this connection."""
        sequence = self.sent + 1 if sequence is None else sequence
        key = key or self.key
        if tag is None:
            tag = mac(key, TO_DAEMON, self.number, flags, sequence, body) if key else NO_TAG
        self.tag = tag
        return MAGIC + struct.pack("<IQ", flags, sequence) + tag + (b"" if flags & IN_FILE else body)

    def send_bytes(self, data, descriptors=()):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        try:
            self.socket.sendmsg([data], rights)
        except (BrokenPipeError, ConnectionResetError):
            raise Ended from None

    def send(self, body, descriptors=(), **bent):
        self.send_bytes(self.packet(body, **bent), descriptors)
        self.sent += 1

    def send_in_file(self, body, **bent):
        descriptor = memory_file(body)
        try:
            self.send(body, (descriptor,), flags=IN_FILE, **bent)
        finally:
            os.close(descriptor)

    def receive(self):
        descriptors = array.array("i")
        try:
            data, ancillary, _, _ = self.socket.recvmsg(PACKET_MAX, socket.CMSG_SPACE(3 * descriptors.itemsize))
        except ConnectionResetError:
            raise Ended from None
        if not data:
            raise Ended
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                descriptors.frombytes(content[:len(content) // descriptors.itemsize * descriptors.itemsize])
        flags, sequence = struct.unpack("<IQ", data[4:16])
        body = data[HEADER_SIZE:]
        if self.key and sequence and data[16:32] != mac(self.key, TO_CLIENT, self.number, flags, sequence, body,
                                                        self.tag):
            raise Forged
        (kind, values), = decode(body).items()
        return Reply(kind, decode(values[0]), list(descriptors))

    def request(self, body, *arguments, **bent):
        self.send(body, *arguments, **bent)
        return self.receive()

    def say_hello(self, *more, nonce=None, **options):
        """Becomes a session. The Refused reply if it may not; None when it is one."""
        nonce = nonce or os.urandom(16)
        reply = self.request(hello(nonce, *more, **options))
        if reply.kind != WELCOME:
            return reply
        self.session = first(reply.fields, 1)
        key = first(reply.fields, 2)
        self.key = key or child_key(self.key, nonce, first(reply.fields, 3), self.session)
        self.number = first(reply.fields, 4)
        return None

    def ask(self, body):
        reply = self.request(body)
        assert reply.kind == VERDICT, reply.kind
        return OUTCOMES[first(reply.fields, 1, 0)]

    def another(self, child=False):
        """One more connection of this session, or one for a child."""
        reply = self.request(open_connection(child))
        end = socket.socket(fileno=reply.descriptors[0])
        opened = Connection(end=end)
        opened.key, opened.number = self.key, first(reply.fields, 1)
        return opened

    def is_ended(self):
        """Waits until the daemon has closed the connection; a reply instead is an answer of no."""
        try:
            self.receive()
        except Ended:
            return True
        return False


def session(path, *more, **options):
    """A new session's connection."""
    connection = Connection(path)
    refused = connection.say_hello(*more, **options)
    assert refused is None, refused.fields
    return connection
