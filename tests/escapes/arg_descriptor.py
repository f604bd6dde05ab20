# an allowed name over a descriptor that is another program
import os, sys
m = sys.argv[1]
os.set_inheritable(os.open("/bin/touch", os.O_RDONLY), True)
fd = os.open("/bin/touch", os.O_RDONLY)
for name in "/proc/self/fd/%d" % fd, "/dev/fd/%d" % fd, "/proc/thread-self/fd/%d" % fd, "/proc/self/task/%d/fd/%d" % (os.getpid(), fd):
    try: os.waitpid(os.posix_spawn(name, ["/bin/true", m], {}), 0)
    except OSError as e: print("denied:", e)
try:
    child = os.fork()
    if not child: os.execve(fd, ["/bin/true", m], {})
    os.waitpid(child, 0)
except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
