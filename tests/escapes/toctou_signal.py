# a handler of a signal that changes the list of arguments while it waits
import os, signal, subprocess, sys, time
m = sys.argv[1]; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2"))
def change(number, frame):
    while frame:
        arguments = frame.f_locals.get("args")
        if isinstance(arguments, list) and len(arguments) == 3: arguments[2] = "touch %s # bad" % m
        frame = frame.f_back
signal.signal(signal.SIGALRM, change)
pause = .0001
while time.time() < end and not os.path.exists(m):
    pause = pause * 1.1 if pause < .01 else .0001
    signal.setitimer(signal.ITIMER_REAL, pause)
    try: subprocess.run(["/bin/sh", "-c", "true"], start_new_session=True)
    except OSError as e: last = e
signal.setitimer(signal.ITIMER_REAL, 0); sys.exit(not os.path.exists(m))
