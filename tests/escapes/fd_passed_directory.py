# a directory elsewhere by a descriptor that came with the process
import os, stat, sys
m = sys.argv[1]; name = os.path.basename(m); fd = int(os.environ["ESCAPE_DIRECTORY_FD"])
for way in (lambda: os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=fd), lambda: os.mkdir(name, dir_fd=fd), lambda: os.symlink("x", name, dir_fd=fd), lambda: os.mknod(name, 0o600 | stat.S_IFREG, dir_fd=fd),
            lambda: os.mkfifo(name, dir_fd=fd), lambda: open("/dev/fd/%d/%s" % (fd, name), "w"), lambda: (os.chdir(fd), open(name, "w")), lambda: (os.fchdir(fd), os.mkdir(name))):
    try: way()
    except OSError as e: print("denied:", e)
sys.exit(not os.path.lexists(m))
