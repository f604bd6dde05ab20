# a handler that raises through whatever is going on
import os, signal, sys, time
m = sys.argv[1]; end = time.time() + min(5, float(os.environ.get("ESCAPE_SECONDS", "2")))
class Away(BaseException): pass
def handler(*a): raise Away
signal.signal(signal.SIGALRM, handler); pause = .0001
while time.time() < end and not os.path.exists(m):
    pause = pause * 1.05 if pause < .005 else .0001
    try:
        signal.setitimer(signal.ITIMER_REAL, pause)
        os.system("/bin/touch " + m)
    except (PermissionError, Away) as e: last = e
try: signal.setitimer(signal.ITIMER_REAL, 0); time.sleep(.01)
except Away: pass
sys.exit(not os.path.exists(m))
