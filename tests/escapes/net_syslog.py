# the system's log, which libc reaches by a Unix socket of its own
import os, sys, syslog
m = sys.argv[1]; passed = []
for call in (lambda: syslog.openlog("escape", syslog.LOG_NDELAY), lambda: syslog.syslog(syslog.LOG_DEBUG, "a line that nobody asked for")):
    try: call(); passed.append(call)
    except OSError as e: print("denied:", e)
if passed: open(m, "w").close()
sys.exit(not os.path.exists(m))
