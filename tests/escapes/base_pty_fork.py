import os, pty, sys
m = sys.argv[1]
try:
    pid, end = pty.fork()
    if pid == 0: os.execv("/bin/touch", ["touch", m])
    os.waitpid(pid, 0)
except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
