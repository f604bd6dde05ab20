# SQLite loads shared objects
import os, sqlite3, sys
m = sys.argv[1]; os.environ["EVIL_MARKER"] = m
base = sqlite3.connect(":memory:")
if not hasattr(base, "enable_load_extension"): print("this interpreter's sqlite3 loads no extensions"); sys.exit(77)
try:
    base.enable_load_extension(True)
    try: base.load_extension(os.environ["EVIL_SO"])
    except sqlite3.OperationalError as e: print(e)
    base.execute("select load_extension(?)", (os.environ["EVIL_SO"],))
except (PermissionError, sqlite3.OperationalError) as e: print("denied:", e)
sys.exit(not os.path.exists(m))
