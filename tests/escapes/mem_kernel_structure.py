# SIOCGIFCONF has the kernel write where its structure says: over the bytes of an immutable object
import sys, os, fcntl, socket, struct
m = sys.argv[1]; b = bytes(bytearray(b"A" * 64))
try:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8912, struct.pack("i4xQ", 40, id(b) + bytes.__basicsize__ - 1))
except OSError as e: print(e)
if b != b"A" * 64: open(m, "w").close()
sys.exit(not os.path.exists(m))
