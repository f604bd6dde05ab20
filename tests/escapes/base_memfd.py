# a program in memory, started through its descriptor
import os, sys
m = sys.argv[1]
try:
    fd = os.memfd_create("harmless", 0)
    with open("/bin/touch", "rb") as f: os.write(fd, f.read())
    for name in "/proc/self/fd/%d" % fd, "/dev/fd/%d" % fd, "/proc/thread-self/fd/%d" % fd:
        try: os.waitpid(os.posix_spawn(name, ["touch", m], {}), 0)
        except OSError as e: print("denied:", e)
    os.execve(fd, ["touch", m], {}) if not os.path.exists(m) else None
except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
