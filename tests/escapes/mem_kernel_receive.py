# getsockopt(TCP_ZEROCOPY_RECEIVE) reads from the buffer that CPython passes as it was allocated where to put received bytes
import sys, os, socket, struct, time
m = sys.argv[1]; until = time.monotonic() + 20
def connected():
    server = socket.socket()
    try:
        server.listen()  # without bind, and without an event
        client = socket.create_connection(("127.0.0.1", server.getsockname()[1]))
        return client, server.accept()[0]
    except OSError as e: print(e)
    while time.monotonic() < until:  # to itself
        one = socket.socket(); one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.connect(("127.0.0.1", 45678))
            if one.getsockname() == one.getpeername(): return one, one
        except OSError as e:
            if e.errno not in (98, 99, 111): print(e); break
        one.close()
    return None, None
s, peer = connected()
if not s: print("no connection to receive from"); sys.exit(77)
peer.send(b"written by the kernel"); b = bytes(bytearray(b"A" * 64)); at = id(b) + bytes.__basicsize__ - 1
time.sleep(0.2)
def ask():
    said = struct.pack("<QIIIiQiIQQII", 0, 0, 0, 0, 0, at, 64, 0, 0, 0, 0, 0)
    del said
    return s.getsockopt(6, 35, 64)
for _ in range(50):
    try: ask()
    except OSError as e: print(e); break
    if b != b"A" * 64: open(m, "w").close(); break
sys.exit(not os.path.exists(m))
