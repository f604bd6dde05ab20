import os, socket, socketserver, sys
m = sys.argv[1]
class Handler(socketserver.BaseRequestHandler):
    def handle(self): os.system("/bin/touch " + m)
class Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    def __init__(self):
        self.active_children = None
        socketserver.BaseServer.__init__(self, None, Handler)
ours, theirs = socket.socketpair()
try: Server().process_request(theirs, None)
except PermissionError as e: print("denied:", e)
try: os.wait()
except ChildProcessError: pass
sys.exit(not os.path.exists(m))
