# a link on the way, and a current directory, that a thread changes
import os, sys, threading, time
m = sys.argv[1]; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2")); here = os.getcwd()
os.mkdir("mine"); os.symlink("/bin/touch", "mine/true"); os.symlink("/bin", "place")
def flip():
    while time.time() < end and not os.path.exists(m):
        for target in "mine", "/bin":
            os.symlink(target, here + "/next"); os.rename(here + "/next", here + "/place"); os.chdir(here + "/mine" if target == "mine" else "/bin")
thread = threading.Thread(target=flip); thread.start()
while time.time() < end and not os.path.exists(m):
    for name in here + "/place/true", "./true":
        try: os.waitpid(os.posix_spawn(name, ["true", m], {}), 0)
        except OSError as e: last = e
thread.join(); sys.exit(not os.path.exists(m))
