# no descriptor left for a connection of the hook's
import os, resource, sys, threading
m = sys.argv[1]; hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]; full = threading.Barrier(8)
def start():
    full.wait()
    try: os.waitpid(os.posix_spawn("/bin/touch", ["touch", m], {}), 0)
    except OSError as e: print("denied:", e)
first = threading.Thread(target=int); first.start(); first.join()  # what glibc loads for the end of a thread
threads = [threading.Thread(target=start) for _ in range(7)]
for thread in threads: thread.start()
try: resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
except OSError as e: print("denied:", e)
try:
    while True: os.dup(0)
except OSError: full.wait()
for thread in threads: thread.join()
os._exit(not os.path.exists(m))
