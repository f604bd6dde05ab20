# a process of the same user loses its limits, its priority, its processors
import os, resource, sys
m = sys.argv[1]; pid = int(os.environ["DAEMON_PID"])
def state(): return os.getpriority(os.PRIO_PROCESS, pid), os.sched_getscheduler(pid), len(os.sched_getaffinity(pid))
before = state(); said = False
try: resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0)); said = True
except OSError as e: print("denied:", e)
for way in lambda: os.setpriority(os.PRIO_PROCESS, pid, 19), lambda: os.sched_setaffinity(pid, {min(os.sched_getaffinity(pid))}), lambda: os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0)):
    try: way()
    except OSError as e: print("denied:", e)
if said or state() != before: open(m, "w").close()
sys.exit(not os.path.exists(m))
