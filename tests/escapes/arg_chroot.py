# an allowed name below another root
import os, shutil, sys
m = sys.argv[1]
if os.geteuid() != 0: print("only root may change its root"); sys.exit(77)
with open(os.path.realpath("/bin/touch"), "rb") as f: head = f.read(4096)
loader = next(part for part in head.split(b"\0") if part.startswith(b"/") and b"ld-" in part).decode()
for path in loader, os.path.join(os.path.dirname(os.path.realpath(loader)), "libc.so.6"):
    os.makedirs("root" + os.path.dirname(path), exist_ok=True); shutil.copy(path, "root" + path)
os.makedirs("root/bin", exist_ok=True); shutil.copy("/bin/touch", "root/bin/true"); made = os.path.abspath("root/marker")
try:
    outside = os.open("/", os.O_RDONLY)
    os.chroot("root")
    try: os.waitpid(os.posix_spawn("/bin/true", ["true", "/marker"], {}), 0)
    finally: os.fchdir(outside); os.chroot(".")
    os.rename(made, m)
except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
