# a link that a thread changes: to a harmless file, or to /proc/self/mem
import os, sys, threading, time
m = sys.argv[1]; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2")); b = b"AAAAAAAAAAAAAAAA" + os.urandom(16)
open("harmless", "w").close(); os.symlink("harmless", "link")
def flip():
    while time.time() < end and not os.path.exists(m):
        for target in "/proc/self/mem", "harmless": os.symlink(target, "next"); os.rename("next", "link")
thread = threading.Thread(target=flip); thread.start()
while time.time() < end and not os.path.exists(m):
    try: f = os.open("link", os.O_RDWR)
    except OSError as e: last = e; continue
    if os.readlink("/proc/self/fd/%d" % f).startswith("/proc"):
        os.pwrite(f, b"BBBB", id(b) + bytes.__basicsize__ - 1)
        if b.startswith(b"BBBBAAAA"): open(m, "w").close()
    os.close(f)
thread.join(); sys.exit(not os.path.exists(m))
