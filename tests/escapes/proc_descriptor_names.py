# files elsewhere by the names that /proc has for a directory that is open for reading
import os, sys
m = sys.argv[1]; directory, name = os.path.split(m); pid = os.getpid()
for flags in os.O_RDONLY, os.O_PATH:
    fd = os.open(directory, flags)
    for place in "/proc/self/fd/%d", "/dev/fd/%d", "/proc/thread-self/fd/%d", "/proc/self/task/{0}/fd/%d".format(pid), "/proc/{0}/fd/%d".format(pid), "/proc/self/root/dev/fd/%d":
        for way in lambda: open(place % fd + "/" + name, "w").close(), lambda: os.mkdir(place % fd + "/" + name), lambda: (os.chdir(place % fd), open(name, "w").close()):
            try: way()
            except OSError as e: print("denied:", e)
sys.exit(not os.path.lexists(m))
