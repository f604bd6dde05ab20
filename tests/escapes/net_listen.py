# a socket that is offered without bind: listen gives it every address, and a port of the kernel's
import os, socket, sys
m = sys.argv[1]
def offered(family, here):
    with socket.socket(family) as s:
        s.listen(5)
        with socket.create_connection((here, s.getsockname()[1]), 5) as c:
            c.sendall(b"hi"); p, _ = s.accept(); return p.recv(9) == b"hi"
for family, here in (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"):
    try:
        if offered(family, here): open(m, "w").close()
    except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
