# threads that go on while the interpreter ends, and thread-local things
import os, sys, threading, time
m = sys.argv[1]; local = threading.local()
class Late:
    def __del__(self, system=os.system, write=os.write, m=m):
        try: system("/bin/touch " + m)
        except PermissionError as e: write(1, ("denied: %s\n" % e).encode())
def work(system=os.system, exists=os.path.exists, leave=os._exit, write=os.write, error=PermissionError, m=m):
    while True:
        try: system("/bin/touch " + m)
        except error as e: write(1, b"denied\n"); time.sleep(.01)
        if exists(m): leave(0)
local.late = Late()
for i in range(3): threading.Thread(target=work, daemon=True).start()
time.sleep(.1); sys.exit(1)
