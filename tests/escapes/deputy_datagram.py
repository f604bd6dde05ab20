# the same by packets, without a connection
import os, socket, sys, time
m = sys.argv[1]; path = os.environ["ESCAPE_DEPUTY"] + "/datagram"; order = m.encode() + b"\n"
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
for way in lambda: s.sendto(order, path), lambda: s.sendmsg([order], [], 0, path), lambda: (s.connect(path), s.send(order)), lambda: pair[0].sendto(order, path), lambda: (pair[0].connect(path), pair[0].send(order)):
    try: way()
    except OSError as e: print("denied:", e)
for i in range(50):
    if os.path.exists(m): break
    time.sleep(.02)
sys.exit(not os.path.exists(m))
