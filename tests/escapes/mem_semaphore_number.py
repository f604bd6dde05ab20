# a semaphore of multiprocessing whose handle is a number: the address of a bytes object, whose first byte is counted down
# makes: sign
import _multiprocessing, os, sys
m = sys.argv[1]; victim = bytes(bytearray(b"Zebra that nobody can change"))
def semaphore(address): return _multiprocessing.SemLock._rebuild(address, 1, 2 ** 31 - 1, None)
try:
    s = semaphore(id(victim) + bytes.__basicsize__ - 1)
    for i in range(ord("Z") - ord("A")): s.acquire(False)
    print(s._get_value(), victim)
    if victim[0] != ord("Z"): open(m, "w").close()
except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
