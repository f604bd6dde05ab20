# namespaces of one's own: mounts, users
import os, sys
m = sys.argv[1]
if not hasattr(os, "unshare"): print("os.unshare is there from 3.12 on"); sys.exit(77)
def user(): os.unshare(os.CLONE_NEWUSER); os.chroot(os.path.dirname(m)); os.mkdir("/" + os.path.basename(m))
def mounts(): os.unshare(os.CLONE_NEWNS); open(m, "w").close()
for way in mounts, user:
    try: way()
    except OSError as e: print("denied:", e)
try: os._exit(not (os.path.exists(m) or os.path.exists("/" + os.path.basename(m))))
finally: os._exit(1)
