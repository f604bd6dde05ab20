# close every descriptor, the hook's own too
import sys, os
m = sys.argv[1]
os.closerange(3, 1 << 20)
try: os.system("/bin/touch " + m)
except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
