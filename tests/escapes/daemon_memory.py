# the memory and the descriptors of a process of the same user
import os, sys
m = sys.argv[1]; pid = int(os.environ["DAEMON_PID"])
for way in (lambda: os.open("/proc/%d/mem" % pid, os.O_RDWR), lambda: os.open("/proc/%d/oom_score_adj" % pid, os.O_WRONLY), lambda: os.open("mem", os.O_RDWR, dir_fd=os.open("/proc/%d" % pid, os.O_RDONLY)),
            lambda: os.open("/proc/%d/fd/1" % pid, os.O_WRONLY), lambda: os.open("/proc/%d/root%s.probe" % (pid, os.environ["ESCAPE_VICTIM"]), os.O_CREAT | os.O_WRONLY)):
    try: way(); open(m, "w").close()
    except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
