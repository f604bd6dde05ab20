# functions that follow the program's calls and lines, and change a list: setprofile, sys.monitoring
import os, subprocess, sys
m = sys.argv[1]
def change(*a):
    frame = sys._getframe(1)
    while frame:
        if frame.f_code.co_name == "_execute_child":
            found = frame.f_locals.get("args")
            if isinstance(found, list) and len(found) == 3: found[2] = "touch %s # bad" % m
        frame = frame.f_back
try: sys.setprofile(change)
except PermissionError as e: print("denied:", e)
if sys.version_info >= (3, 12):
    try:
        sys.monitoring.use_tool_id(0, "mine"); sys.monitoring.register_callback(0, sys.monitoring.events.CALL, change)
        sys.monitoring.set_events(0, sys.monitoring.events.CALL)
    except (PermissionError, ValueError) as e: print("denied:", e)
try: subprocess.run(["/bin/sh", "-c", "true"], start_new_session=True)
except PermissionError as e: print("denied:", e)
finally:
    try: sys.setprofile(None)
    except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
