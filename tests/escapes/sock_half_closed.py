# the hook's sockets, shut down in one direction, in the other, in both
import os, socket, stat, sys
m = sys.argv[1]; found = []
for fd in [int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2]:
    try: found += [fd] * stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError: pass
for how in socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR:
    for fd in found:
        s = socket.socket(fileno=fd)
        try: s.shutdown(how)
        except OSError as e: print(e)
        s.detach()
    try: os.system("/bin/touch " + m)
    except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
