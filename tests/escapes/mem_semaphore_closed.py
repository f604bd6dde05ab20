# a semaphore of multiprocessing that is closed by its number while a thread waits there: what is mapped there next is changed
# makes: sign
import _multiprocessing, os, sys, threading, time
m = sys.argv[1]; other = _multiprocessing.SemLock._rebuild; woken = []
sizes = [40 << 20, 20 << 20, 9 << 20, 5 << 20, 2500 << 10, 1200 << 10, 600 << 10, 300 << 10, 150 << 10]
kept = [bytes(size) for size in sizes for i in range(3)]
try:
    many = [_multiprocessing.SemLock(1, 0, 1, "/escape-%d.%d" % (os.getpid(), i), True) for i in range(600)]
    waited = sorted(many, key=lambda one: one.handle)[120]; handle = waited.handle
    thread = threading.Thread(target=lambda: woken.append(waited.acquire(True, 1.0))); thread.start()
    time.sleep(0.3); del many
    other(handle, 1, 1, None)
    kept += [bytes(size) for size in sizes for i in range(4)]
    thread.join(); print(woken)
    if any(any(one) for one in kept): open(m, "w").close()
except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
