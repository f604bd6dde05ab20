# a directory's descriptor, and the current directory, that a thread changes
import os, sys, threading, time
m = sys.argv[1]; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2")); directory, name = os.path.split(m)
one, other = os.open(".", os.O_RDONLY), os.open(directory, os.O_RDONLY); slot = os.dup(one)
def flip():
    while time.time() < end and not os.path.exists(m): os.dup2(other, slot); os.fchdir(other); os.dup2(one, slot); os.fchdir(one)
thread = threading.Thread(target=flip); thread.start()
while time.time() < end and not os.path.exists(m):
    for way in lambda: os.mkdir(name, dir_fd=slot), lambda: os.mkdir(name):
        try: way()
        except OSError as e: last = e
thread.join(); sys.exit(not os.path.exists(m))
