# the process's memory, by other names
import os, sys
m = sys.argv[1]; pid = os.getpid()
for name in ("/proc/thread-self/mem", "/proc/self/task/%d/mem" % pid, "/proc/%d/mem" % pid, "/proc/%d/task/%d/mem" % (pid, pid), "//proc/./self/mem",
             "/proc/self/root/proc/self/mem", "/proc/self/fd/../mem", "/dev/fd/../mem", "/proc/self/cwd/../../../../../../../../../proc/self/mem"):
    b = b"AAAAAAAAAAAAAAAA" + os.urandom(16)
    try:
        f = os.open(name, os.O_RDWR); os.pwrite(f, b"BBBB", id(b) + bytes.__basicsize__ - 1)
    except OSError as e: print(e)
    if b.startswith(b"BBBBAAAA"): open(m, "w").close()
sys.exit(not os.path.exists(m))
