# lengths that the kernel says and has not written: of a packet and of a name that were cut, of a stream thrown away
# makes: sign
import os, socket, sys, time
m = sys.argv[1]; found = []; cut = socket.MSG_TRUNC
def spoil():
    made = [b"\xaa" * 20000 for _ in range(50)]; del made
def look(what, data):
    print(what, len(data), data[:200].strip(b"\0"))
    if data.strip(b"\0"): found.append(what)
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
for receive in (lambda: b.recv(100, cut), lambda: b.recvfrom(100, cut)[0], lambda: b.recvmsg(100, 0, cut)[0]):
    spoil(); a.send(bytes(20000)); look("packet", receive()[100:])
s = socket.create_connection(("127.0.0.1", int(os.environ["ESCAPE_PORT"]))); time.sleep(.2); spoil()
look("stream", s.recv(20000, cut))
try:
    six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); six.connect(("::1", 9))
    name = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, fileno=os.dup(six.fileno())).getpeername()
    print("name", name)
    if len(name) > 2 and name[0] != "::1": found.append("name")
except OSError as e: print("no name:", e)
if found: open(m, "w").close()
sys.exit(not os.path.exists(m))
