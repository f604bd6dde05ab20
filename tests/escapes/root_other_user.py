# as another user, whose the place is
import os, sys
m = sys.argv[1]
if os.geteuid() != 0: print("only root becomes somebody else"); sys.exit(77)
directory = os.path.dirname(m)
for way in lambda: open(m, "w").close(), lambda: (os.setresuid(-1, os.stat(directory).st_uid or 65534, -1), os.mkdir(m)):
    try: way()
    except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
