# desync: send an allowed request on the hook's fd, so that its ALLOW answers the next (denied) one
import sys, os, socket, stat, time
m = sys.argv[1]
for fd in [int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2]:
    try:
        if stat.S_ISSOCK(os.fstat(fd).st_mode): os.write(fd, b"benign.event\n")
    except OSError: continue
time.sleep(.1)
try: os.system("/bin/touch " + m)
except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
