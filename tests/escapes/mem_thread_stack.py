# makes: sign
# a thread with the least stack that there is: select has more on it, and lies on what is mapped below, whence it returns
import sys, os, mmap, threading, time, select
m = sys.argv[1]; go = threading.Event()
def memory(size): return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
def wait():
    go.wait(); select.select([], [], [], 1)
holes = [memory(36864) for _ in range(300)]
threading.stack_size(32768); t = threading.Thread(target=wait); t.start(); time.sleep(.3)
below = [memory(1 << 17) for _ in range(40)]
go.set(); time.sleep(.4)
if any(b[:].strip(b"\0") for b in below): open(m, "w").close()
t.join(); sys.exit(not os.path.exists(m))
