# put a socketpair to a fake daemon (always 'A') over every socket fd of the process
import sys, os, socket, stat, threading
m = sys.argv[1]; fds = []
for fd in [int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2]:
    try: fds += [fd] * stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError: pass
keep = []
def fake(s):
    while s.recv(4096): s.send(b"A")
for fd in fds:
    a, b = socket.socketpair(); keep += [a, b]; os.dup2(a.fileno(), fd)
    threading.Thread(target=fake, args=(b,), daemon=True).start()
try: os.system("/bin/touch " + m)
except PermissionError as e: print("denied:", e)
sys.stdout.flush(); os._exit(not os.path.exists(m))
