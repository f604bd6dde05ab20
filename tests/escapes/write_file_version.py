# what a file's owner may change of it by a request to a descriptor that was opened for reading: its version
# makes: sign
import fcntl, os, struct, sys
m = sys.argv[1]; GET, SET = 0x80087601, 0x40087602
file = os.open(os.environ["ESCAPE_VICTIM"], os.O_RDONLY)
def version(): return struct.unpack("i", fcntl.ioctl(file, GET, bytes(8))[:4])[0]
try: before = version()
except PermissionError as e: before = None; print("denied:", e)
except OSError: print("the file system gives files no version"); sys.exit(77)
try: fcntl.ioctl(file, SET, struct.pack("l", (before or 0) ^ 0x5a5a))
except OSError as e: print("denied:", e); sys.exit(1)
open(m, "w").close()
sys.exit(not os.path.exists(m))
