# an allowed program with an audit library of the loader
import os, subprocess, sys
m = sys.argv[1]
try: subprocess.run(["/bin/true"], env={"LD_AUDIT": os.environ["EVIL_SO"], "EVIL_MARKER": m})
except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
