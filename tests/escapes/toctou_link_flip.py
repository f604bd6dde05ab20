# a symbolic link that a thread changes between the judgement and the start
import os, sys, threading, time
m = sys.argv[1]; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2"))
def flip():
    while time.time() < end and not os.path.exists(m):
        for target in "/bin/true", "/bin/touch":
            os.symlink(target, "next"); os.rename("next", "link")
os.symlink("/bin/true", "link")
thread = threading.Thread(target=flip); thread.start()
while time.time() < end and not os.path.exists(m):
    try: os.waitpid(os.posix_spawn("./link", ["true", m], {}), 0)
    except OSError as e: last = e
thread.join(); sys.exit(not os.path.exists(m))
