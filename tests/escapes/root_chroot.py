# another root, below which a path that may not be written has the name of one that may
import os, sys
m = sys.argv[1]
if os.geteuid() != 0: print("only root may change its root"); sys.exit(77)
outside = os.open("/", os.O_RDONLY); directory, name = os.path.split(m)
os.chroot(directory); os.chdir("/")
for path in "/" + name, name:
    for way in lambda: open(path, "w").close(), lambda: os.mkdir(path), lambda: os.mknod(path, 0o600):
        try: way()
        except OSError as e: print("denied:", e)
made = os.path.exists("/" + name); os._exit(not made)
