# an allowed program with what this process's environment says now
import os, subprocess, sys
m = sys.argv[1]
try:
    os.environ["LD_PRELOAD"] = os.environ["LD_AUDIT"] = os.environ["EVIL_SO"]; os.environ["EVIL_MARKER"] = m
    os.system("/bin/true")
    os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)
    subprocess.run(["/bin/true"])
except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
