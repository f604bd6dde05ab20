# somebody between the hook and the daemon, who says for the question that matters what was said to another
import os, socket, stat, sys, threading, time
m = sys.argv[1]; keep = []; allowed = []; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2"))
for fd in [int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2]:
    try:
        if not stat.S_ISSOCK(os.fstat(fd).st_mode): continue
        real = os.dup(fd); kind = socket.socket(fileno=os.dup(fd)).type
        ours, theirs = socket.socketpair(socket.AF_UNIX, kind); os.dup2(theirs.fileno(), fd); keep.append((ours, socket.socket(fileno=real)))
    except OSError as e: print(e)
def between(ours, real):
    while True:
        try:
            question = ours.recv(65536)
            if b"touch" in question and allowed: ours.send(allowed[-1]); continue
            real.send(question); answer = real.recv(65536); allowed.append(answer); ours.send(answer)
        except OSError: return
for pair in keep: threading.Thread(target=between, args=pair, daemon=True).start()
while time.time() < end and not os.path.exists(m):
    try: os.listdir("."); os.system("/bin/touch " + m)
    except PermissionError as e: last = e
sys.stdout.flush(); os._exit(not os.path.exists(m))
