# settings of this process and of the machine, by the files that /proc has for them; nothing is written into the machine's
# makes: sign
import os, sys
m = sys.argv[1]; machine = ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/kernel/modprobe"] if os.geteuid() == 0 else []
for path in ["/proc/self/comm", "/proc/self/oom_score_adj", "/proc/self/coredump_filter", "/proc/self/task/%d/comm" % os.getpid(), "/proc/self/timerslack_ns"] + machine:
    try: os.close(os.open(path, os.O_WRONLY)); open(m, "w").close(); break
    except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
