# no memory left for the hook to think with
import os, resource, sys
m = sys.argv[1]; command = "/bin/touch " + m; program = "/bin/touch", ["touch", m], {}; kept = [None] * 20000
with open("/proc/self/statm") as f: size = int(f.read().split()[0]) * resource.getpagesize()
def fill(block):
    try:
        for i in range(len(kept)):
            if kept[i] is None: kept[i] = bytearray(block)
    except MemoryError: return
def start():
    try: os.posix_spawn(*program)
    except (OSError, MemoryError): pass
    try: os.system(command)
    except (OSError, MemoryError): pass
resource.setrlimit(resource.RLIMIT_AS, (size + (1 << 22), resource.RLIM_INFINITY))
try:
    for block in 1 << 20, 1 << 14, 1 << 9: fill(block); start()
except MemoryError: pass
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)); del kept[:]
try: start(); os.wait()
except ChildProcessError: pass
sys.exit(not os.path.exists(m))
