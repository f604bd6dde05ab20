# hooks of Python's own that act, forget what was denied, or steer
import os, sys
m = sys.argv[1]; depth = []
def hook(event, arguments):
    if event == "open" and not depth:
        depth.append(1)
        try: os.system("/bin/touch " + m)
        except PermissionError: pass
        depth.pop()
    sys.exc_info()
try: sys.addaudithook(hook)
except PermissionError as e: print("denied:", e)
try: open("/dev/null").close(); os.system("/bin/touch " + m)
except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
