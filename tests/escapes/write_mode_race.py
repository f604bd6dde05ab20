# the mode of a file elsewhere, by a descriptor and by a link that a thread changes
# makes: sign
import os, sys, threading, time
m = sys.argv[1]; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2")); victim = os.environ["ESCAPE_VICTIM"]; before = os.stat(victim).st_mode
open("mine", "w").close(); one, other = os.open("mine", os.O_RDONLY), os.open(victim, os.O_RDONLY); slot = os.dup(one); os.symlink("mine", "link")
def flip():
    while time.time() < end and not os.path.exists(m):
        os.dup2(other, slot); os.symlink(victim, "next"); os.rename("next", "link"); os.dup2(one, slot); os.symlink("mine", "next"); os.rename("next", "link")
thread = threading.Thread(target=flip); thread.start()
while time.time() < end and not os.path.exists(m):
    for way in lambda: os.fchmod(slot, 0o606), lambda: os.chmod("link", 0o606), lambda: os.chmod(slot, 0o606):
        try: way()
        except OSError as e: last = e
    if os.stat(victim).st_mode != before: open(m, "w").close()
thread.join(); sys.exit(not os.path.exists(m))
