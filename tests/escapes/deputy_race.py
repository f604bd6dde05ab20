# a socket that is of another family when it is judged: a thread replaces its descriptor
import os, socket, sys, threading, time
m = sys.argv[1]; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2")); path = os.environ["ESCAPE_DEPUTY"] + "/stream"
inet, unix = socket.socket(socket.AF_INET), socket.socket(socket.AF_UNIX); slot = os.dup(inet.fileno())
def flip():
    while time.time() < end and not os.path.exists(m):
        if unix.fileno() < 0: time.sleep(.001); continue
        os.dup2(unix.fileno(), slot); os.dup2(inet.fileno(), slot)
thread = threading.Thread(target=flip); thread.start()
while time.time() < end and not os.path.exists(m):
    for family in socket.AF_UNIX, socket.AF_INET:
        s = socket.socket(family, socket.SOCK_STREAM, 0, fileno=slot)
        try: s.connect(path if family == socket.AF_UNIX else ("127.0.0.1", 9)); os.write(unix.fileno(), m.encode() + b"\n"); time.sleep(.05)
        except (OSError, TypeError) as e: last = e
        s.detach()
thread.join(); sys.exit(not os.path.exists(m))
