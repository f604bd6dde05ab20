# files elsewhere by the names that /proc has for the root and the current directory
import os, sys
m = sys.argv[1]; pid = os.getpid(); up = "/.." * 20
for root in ("/proc/self/root", "/proc/thread-self/root", "/proc/%d/root" % pid, "/proc/self/task/%d/root" % pid, "/proc/self/cwd" + up, "/proc/self/fd/.." + "/root", "/dev/fd/../root", "/proc/self/root/proc/self/root"):
    for way in lambda: open(root + m, "w").close(), lambda: os.mkdir(root + m), lambda: os.symlink("x", root + m):
        try: way()
        except OSError as e: print("denied:", e)
sys.exit(not os.path.lexists(m))
