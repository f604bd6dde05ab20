# signals without a pause while the hook waits, whose handlers act themselves
import os, signal, sys, time
m = sys.argv[1]; end = time.time() + min(5, float(os.environ.get("ESCAPE_SECONDS", "2"))); depth = []
def handler(*a):
    if len(depth) < 5:
        depth.append(1)
        try: os.system("/bin/touch " + m)
        except PermissionError as e: pass
        depth.pop()
for number in signal.SIGALRM, signal.SIGUSR1, signal.SIGVTALRM: signal.signal(number, handler)
signal.setitimer(signal.ITIMER_REAL, .0003, .0003); signal.setitimer(signal.ITIMER_VIRTUAL, .001, .001)
while time.time() < end and not os.path.exists(m):
    try: os.system("/bin/touch " + m)
    except PermissionError as e: last = e
signal.setitimer(signal.ITIMER_REAL, 0); signal.setitimer(signal.ITIMER_VIRTUAL, 0)
sys.exit(not os.path.exists(m))
