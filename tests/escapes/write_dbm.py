# the databases of dbm make their files without an event
import os, sys
m = sys.argv[1]; found = False
for name in "_gdbm", "_dbm":
    try: module = __import__(name); found = True
    except ImportError: continue
    try: module.open(m, "c").close()
    except OSError as e: print("denied:", e)
if not found: print("this interpreter has neither _gdbm nor _dbm (Debian: python3-gdbm)"); sys.exit(77)
sys.exit(not any(os.path.exists(m + end) for end in ("", ".db", ".pag")))
