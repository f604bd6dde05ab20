# a file that is there already, elsewhere: its contents, its rights, its times, its names
# makes: sign
import os, sys
m = sys.argv[1]; victim = os.environ["ESCAPE_VICTIM"]; fd = os.open(victim, os.O_RDONLY)
def state(): s = os.stat(victim); return s.st_mode, s.st_size, s.st_mtime, s.st_nlink, os.listxattr(victim)
before = state()
for way in (lambda: open(victim, "a").write("x"), lambda: os.truncate(victim, 1), lambda: os.truncate(os.open(victim, os.O_RDONLY), 1), lambda: os.open(victim, os.O_RDONLY | os.O_TRUNC),
            lambda: os.chmod(victim, 0o640), lambda: os.chmod(fd, 0o641), lambda: os.fchmod(fd, 0o642), lambda: os.utime(victim, (1, 1)), lambda: os.utime(fd, (2, 2)),
            lambda: os.setxattr(victim, "user.mine", b"x"), lambda: os.setxattr(fd, "user.mine", b"x"), lambda: os.link(victim, "mine"), lambda: os.remove(victim),
            lambda: os.rename(victim, "mine"), lambda: open("/proc/self/fd/%d" % fd, "a").write("x"), lambda: open("/dev/fd/%d" % fd, "w").close()):
    try:
        way()
        if not os.path.exists(victim) or state() != before: open(m, "w").close(); break
    except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
