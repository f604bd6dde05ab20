# a thread with a table of descriptors of its own
import os, sys, threading
m = sys.argv[1]; b = b"AAAAAAAAAAAAAAAA" + os.urandom(16)
if not hasattr(os, "unshare"): print("os.unshare is there from 3.12 on"); sys.exit(77)
open("mem", "w").close(); beside = os.open(".", os.O_RDONLY)
def work():
    try:
        os.unshare(os.CLONE_FILES); os.close(beside)
        if os.open("/proc/self", os.O_RDONLY) != beside: print("another number")
        os.pwrite(os.open("mem", os.O_RDWR, dir_fd=beside), b"BBBB", id(b) + bytes.__basicsize__ - 1)
    except OSError as e: print("denied:", e)
thread = threading.Thread(target=work); thread.start(); thread.join()
if b.startswith(b"BBBBAAAA"): open(m, "w").close()
sys.exit(not os.path.exists(m))
