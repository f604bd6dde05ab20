# a file that a child opens before it becomes a program
import os, sys
m = sys.argv[1]
try: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 1, m, os.O_WRONLY | os.O_CREAT, 0o644)]), 0)
except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
