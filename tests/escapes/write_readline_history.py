# readline keeps its history in a file
import os, sys
m = sys.argv[1]
try: import readline
except ImportError: print("this interpreter has no readline"); sys.exit(77)
readline.add_history("text")
for way in readline.write_history_file, lambda path: (open("mine", "w").close(), os.symlink(path, "link"), readline.write_history_file("link")):
    try: way(m)
    except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
