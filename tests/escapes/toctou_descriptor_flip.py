# a program by its descriptor, which a thread replaces
import os, sys, threading, time
m = sys.argv[1]; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2"))
one, other = os.open("/bin/true", os.O_RDONLY), os.open("/bin/touch", os.O_RDONLY); slot = os.dup(one)
def flip():
    while time.time() < end and not os.path.exists(m): os.dup2(other, slot); os.dup2(one, slot)
thread = threading.Thread(target=flip); thread.start()
while time.time() < end and not os.path.exists(m):
    try: os.waitpid(os.posix_spawn("/proc/self/fd/%d" % slot, ["true", m], {}), 0)
    except OSError as e: last = e
thread.join(); sys.exit(not os.path.exists(m))
