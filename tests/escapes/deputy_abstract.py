# the same by a name that is in no file system, as D-Bus has them
import os, socket, sys, time
m = sys.argv[1]; name = os.environ["ESCAPE_DEPUTY_ABSTRACT"]
for address in "\0" + name, b"\0" + name.encode():
    try: s = socket.socket(socket.AF_UNIX); s.connect(address); s.sendall(m.encode() + b"\n")
    except OSError as e: print("denied:", e)
for i in range(50):
    if os.path.exists(m): break
    time.sleep(.02)
sys.exit(not os.path.exists(m))
