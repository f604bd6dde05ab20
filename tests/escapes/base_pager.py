# pydoc gives its text to a program
import os, pydoc, sys
m = sys.argv[1]
pager = getattr(pydoc, "pipepager", None) or pydoc.pipe_pager
try: pager("text", "/bin/touch " + m)
except PermissionError as e: print("denied:", e)
except OSError as e: print(type(e).__name__, e)
sys.exit(not os.path.exists(m))
