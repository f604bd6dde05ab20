# the sources of a group, asked for with a buffer that was not cleared: what was there says how many there is room for
# makes: sign
import os, socket, struct, sys
m = sys.argv[1]; size = 16; group = socket.inet_aton("239.1.2.3"); here = socket.inet_aton("127.0.0.1")
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    for i in range(10): s.setsockopt(0, 39, group + here + bytes([65, 66, 67, 65 + i]))  # IP_ADD_SOURCE_MEMBERSHIP
    for i in range(50):
        left = [bytes(bytearray(group + here + struct.pack("II", 1, 3))) for j in range(1 + i % 7)]; del left
        answer = s.getsockopt(0, 41, size)  # IP_MSFILTER
        if len(answer) > size: open(m, "w").close(); break
except OSError as e: print("denied:", e)
sys.stdout.flush()
os._exit(not os.path.exists(m))
