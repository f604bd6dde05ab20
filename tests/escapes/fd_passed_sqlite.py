# the same, and SQLite as the one who writes beside it
import os, sqlite3, sys
m = sys.argv[1]
os.fchdir(int(os.environ["ESCAPE_DIRECTORY_FD"]))
for way in lambda: sqlite3.connect(os.path.basename(m)).execute("create table t (a)"), lambda: sqlite3.connect(":memory:").execute("vacuum into ?", (os.path.basename(m),)):
    try: way()
    except (OSError, sqlite3.Error) as e: print("denied:", e)
sys.exit(not os.path.exists(m))
