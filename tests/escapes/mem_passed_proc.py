# /proc by a descriptor that came with the process
import os, sys
m = sys.argv[1]; b = b"AAAAAAAAAAAAAAAA" + os.urandom(16); proc = int(os.environ["ESCAPE_PROC_FD"])
for way in (lambda: os.open("self/mem", os.O_RDWR, dir_fd=proc), lambda: (os.fchdir(proc), os.open("self/mem", os.O_RDWR))[1]):
    try: os.pwrite(way(), b"BBBB", id(b) + bytes.__basicsize__ - 1)
    except OSError as e: print("denied:", e)
if b.startswith(b"BBBBAAAA"): open(m, "w").close()
sys.exit(not os.path.exists(m))
