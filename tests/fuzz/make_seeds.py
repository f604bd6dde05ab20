"""Messages to begin with, for the targets that read messages: what no mutation of nothing comes upon.

    python3 make_seeds.py TARGET DIRECTORY

Writes protobuf's encoding by hand, so that nothing needs to be installed. The numbers of the fields are
those of proto/warder.proto.
"""

import sys
from pathlib import Path

NONCE = bytes(range(16))


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def message(*fields):
    """Fields are (number, value): an int is a varint, bytes and text have their length."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            value = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def text(content):
    return message((1, 5), (5, content))


WISHES = message((1, "no-process"), (2, message((1, "a.warder"), (2, 'policy a { deny exec as r }'))),
                 (3, message((1, "role"), (2, "plugin"))), (5, 1))
PLACES = message((1, 1), (2, "/usr/lib/python3"), (2, "relative"), (2, ""))
HELLO = message((1, 1), (2, "0.1.0"), (3, "3.11.7"), (4, 1), (5, "python3"), (5, "-c"), (7, "/srv/a.py"),
                (8, PLACES), (9, WISHES), (11, NONCE), (12, 1), (13, 1))
EVENT = message((1, "subprocess.Popen"), (3, 4),
                (4, text("/bin/id")), (4, message((1, 7), (6, 2))), (4, text("id")),
                (4, message((1, 9), (2, 4), (5, "PosixPath"))), (4, message()), (4, message()),
                (5, message((1, 1), (2, message((1, 1), (2, text("/bin/id")), (3, "/usr/bin/id"), (4, 1))))))

MESSAGES = {
    "hello": message((1, HELLO)),
    "resume": message((2, message((1, 1), (2, NONCE)))),
    "launch": message((3, message((1, 1), (2, WISHES)))),
    "open": message((4, message((1, 1)))),
    "ask": message((5, message((1, EVENT)))),
    "denied": message((6, message((1, 1), (2, "/srv/a.py"), (3, 7)))),
    "records": message((7, message((1, message((1, 1), (2, EVENT))), (1, message((1, 2))), (2, 3)))),
    "apply": message((8, message((1, message((1, message((1, "a"), (2, "policy a {}"))), (2, 1)))))),
}


def packet(body):
    """A byte for fuzz_message, the header, the body."""
    return b"\0" + b"WDR1" + bytes(4) + (1).to_bytes(8, "little") + bytes(16) + body


def seeds(target):
    if target == "message":
        return {name: packet(body) for name, body in MESSAGES.items()}
    if target == "kept_session":
        return {
            "kept": message((1, 1), (2, NONCE), (3, 1000), (4, 1), (5, 7), (6, "/usr/bin/python3"),
                            (7, "/srv"), (8, HELLO), (9, WISHES)),
            "bare": message((1, 1), (2, NONCE)),
        }
    return {}


def main():
    target, directory = sys.argv[1], Path(sys.argv[2])
    for name, content in seeds(target).items():
        (directory / name).write_bytes(content)


if __name__ == "__main__":
    main()
