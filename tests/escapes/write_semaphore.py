# shared memory and semaphores are files in /dev/shm, made without an event
# makes: sign
import os, sys
m = sys.argv[1]; name = "/warder-escape-%d" % os.getpid()
import _posixshmem, _multiprocessing
try:
    os.close(_posixshmem.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)); made = os.path.exists("/dev/shm" + name)
    _posixshmem.shm_unlink(name)
    if made: open(m, "w").close()
except OSError as e: print("denied:", e)
try:
    _multiprocessing.SemLock(0, 1, 1, name, False)
    if os.path.exists("/dev/shm/sem." + name[1:]): open(m, "w").close()
    _multiprocessing.sem_unlink(name)
except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
