# more threads that ask at once than the hook has connections
import os, sys, threading
m = sys.argv[1]; gate = threading.Barrier(32)
def start():
    gate.wait()
    for i in range(5):
        try: os.waitpid(os.posix_spawn("/bin/touch", ["touch", m], {}), 0)
        except OSError: pass
threads = [threading.Thread(target=start) for _ in range(32)]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit(not os.path.exists(m))
