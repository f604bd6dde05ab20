# the loader, called with a program
import os, subprocess, sys
m = sys.argv[1]
with open("/proc/self/exe", "rb") as f: head = f.read(4096)
loader = next(part for part in head.split(b"\0") if part.startswith(b"/") and b"ld-" in part).decode()
os.symlink(loader, "true")
for way in (lambda: subprocess.run([loader, "/bin/touch", m]), lambda: subprocess.run([loader, "--argv0", "true", "/bin/touch", m]),
            lambda: subprocess.run(["/bin/true", "/bin/touch", m], executable=loader),
            lambda: os.waitpid(os.posix_spawn(os.path.abspath("true"), ["/bin/true", "/bin/touch", m], {}), 0)):
    try: way()
    except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
