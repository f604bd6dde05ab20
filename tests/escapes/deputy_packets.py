# the same by packets, over a connection
import os, socket, sys, time
m = sys.argv[1]; path = os.environ["ESCAPE_DEPUTY"] + "/packets"
try: s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect(path); s.send(m.encode() + b"\n")
except OSError as e: print("denied:", e)
for i in range(50):
    if os.path.exists(m): break
    time.sleep(.02)
sys.exit(not os.path.exists(m))
