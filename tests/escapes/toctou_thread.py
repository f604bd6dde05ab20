# another thread edits Popen's argv list while the hook waits for the daemon with the GIL released
import os, subprocess, sys, threading, time
m = sys.argv[1]; stop = []; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2")); sys.setswitchinterval(.00001)
def t():
    while not stop:
        for f in list(sys._current_frames().values()):
            while f:
                if f.f_code.co_name == "_execute_child":
                    a = f.f_locals.get("args")
                    if isinstance(a, list): a[2] = "touch %s # bad" % m
                f = f.f_back
        time.sleep(.0001)
th = threading.Thread(target=t); th.start()
while time.time() < end and not os.path.exists(m):
    try: subprocess.run(["/bin/sh", "-c", "true"], start_new_session=True)
    except OSError as e: last = e
stop.append(1); th.join()
sys.exit(not os.path.exists(m))
