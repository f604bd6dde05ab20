# what is no file: a FIFO, a device, a socket, and each beside a descriptor
import os, socket, stat, sys
m = sys.argv[1]; beside = os.open(os.path.dirname(m), os.O_RDONLY); name = os.path.basename(m)
for way in (lambda: os.mkfifo(m), lambda: os.mkfifo(name, dir_fd=beside), lambda: os.mknod(name, 0o600 | stat.S_IFREG, dir_fd=beside),
            lambda: os.mknod(m, 0o600 | stat.S_IFCHR, os.makedev(1, 3)), lambda: socket.socket(socket.AF_UNIX).bind(m),
            lambda: (os.fchdir(beside), os.mkfifo(name))):
    try: way()
    except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
