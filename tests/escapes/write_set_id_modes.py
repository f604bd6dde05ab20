# a set-user-ID program by the mode that a file is made with: chmod is not all that sets it
# makes: sign
import os, stat, sys
m = sys.argv[1]; here = os.open(".", os.O_RDONLY); names = iter("f%d" % i for i in range(100))
for way in (lambda n: os.open(n, os.O_CREAT | os.O_RDWR, 0o4755), lambda n: os.open(n, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o2755), lambda n: os.open(n, os.O_CREAT | os.O_RDWR, 0o6755, dir_fd=here),
            lambda n: open(n, "w", opener=lambda path, flags: os.open(path, flags, 0o4755)).close(), lambda n: os.link("/proc/self/fd/%d" % os.open(".", os.O_TMPFILE | os.O_RDWR, 0o4755), n),
            lambda n: os.mknod(n, stat.S_IFREG | 0o4755), lambda n: os.mknod(n, stat.S_IFREG | 0o2755, dir_fd=here)):
    name = next(names)
    try: way(name)
    except OSError as e: print("denied:", e)
    if os.path.exists(name) and os.stat(name).st_mode & (stat.S_ISUID | stat.S_ISGID):
        print("made: %o" % os.stat(name).st_mode); open(m, "w").close()
sys.exit(not os.path.exists(m))
