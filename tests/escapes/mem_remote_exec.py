# another interpreter's memory, by the way that debuggers have from 3.14 on
import os, sys, time
m = sys.argv[1]
if not hasattr(sys, "remote_exec"): print("sys.remote_exec is there from 3.14 on"); sys.exit(77)
with open("mine.py", "w") as f: f.write("open(%r, 'w').close()" % m)
try: sys.remote_exec(os.getpid(), os.path.abspath("mine.py"))
except PermissionError as e: print("denied:", e)
for i in range(1000): time.sleep(.001)
sys.exit(not os.path.exists(m))
