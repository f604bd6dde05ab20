# FS_IOC_FIEMAP: the kernel writes as many extents as a count in the structure says, behind the buffer
import fcntl, os, struct, sys
m = sys.argv[1]
# Room for a count of 200, and a smaller one whose answer still fits there: what is beyond 1,060 bytes is another's.
whole = bytearray(64 * 1024); view = memoryview(whole)[:1060]
file = os.open("holes", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
for i in range(200): os.pwrite(file, b"x" * 4096, i * 12288)
os.fsync(file)
view[:32] = struct.pack("<QQIIII", 0, 1 << 60, 0, 0, 200, 0)
try: fcntl.ioctl(file, 0xC020660B, view, True)
except OSError as e: print("denied:" if e.errno in (1, 13) else "not here:", e); e.errno in (1, 13) or sys.exit(77)
if any(whole[1060:]): open(m, "w").close()
elif struct.unpack_from("<I", whole, 20) == (0,): print("this file system has no extents")
sys.exit(not os.path.exists(m))
