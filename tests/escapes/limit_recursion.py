# at the end of the stack that Python allows itself
import os, sys
m = sys.argv[1]; tried = []
def deeper(n):
    try: deeper(n + 1)
    except RecursionError:
        try: os.system("/bin/touch " + m); tried.append(1)
        except (RecursionError, PermissionError): pass
    if not os.path.exists(m) and len(tried) < 5 and n > 900:
        try: os.system("/bin/touch " + m)
        except (RecursionError, PermissionError) as e: tried.append(e)
deeper(0)
try: os.system("/bin/touch " + m)
except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
