# a service that reads its orders from a named pipe
import os, sys, time
m = sys.argv[1]; path = os.environ["ESCAPE_DEPUTY"] + "/pipe"
for way in lambda: os.open(path, os.O_WRONLY | os.O_NONBLOCK), lambda: os.open("/proc/self/fd/%d" % os.open(path, os.O_RDONLY | os.O_NONBLOCK), os.O_WRONLY | os.O_NONBLOCK):
    try: os.write(way(), m.encode() + b"\n")
    except OSError as e: print("denied:", e)
for i in range(50):
    if os.path.exists(m): break
    time.sleep(.02)
sys.exit(not os.path.exists(m))
