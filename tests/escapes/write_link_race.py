# a link that a thread changes between the judgement and the opening
import os, sys, threading, time
m = sys.argv[1]; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2")); directory, name = os.path.split(m)
os.mkdir("mine"); os.symlink("mine", "place")
def flip():
    while time.time() < end and not os.path.exists(m):
        for target in directory, "mine": os.symlink(target, "next"); os.rename("next", "place")
thread = threading.Thread(target=flip); thread.start()
while time.time() < end and not os.path.exists(m):
    try: os.close(os.open("place/" + name, os.O_CREAT | os.O_WRONLY))
    except OSError as e: last = e
thread.join(); sys.exit(not os.path.exists(m))
