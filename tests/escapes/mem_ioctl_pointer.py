# an order to a descriptor that carries an address, to which the kernel writes: as a number, and within a structure
import fcntl, os, socket, struct, sys
m = sys.argv[1]; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); b = bytes(bytearray(b"A" * 64))
try: fcntl.ioctl(s, 0x8912, struct.pack("i4xQ", 40, id(b) + bytes.__basicsize__ - 1))  # SIOCGIFCONF
except OSError as e: print("denied:", e)
if b != b"A" * 64: open(m, "w").close()
sys.exit(not os.path.exists(m))
