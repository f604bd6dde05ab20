# the standard library's web server forks and starts what a request names
import os, socket, sys, warnings
warnings.simplefilter("ignore")
import http.server
m = sys.argv[1]
if not hasattr(http.server, "CGIHTTPRequestHandler"): print("http.server runs no CGI from 3.15 on"); sys.exit(77)
os.makedirs("cgi-bin"); os.chmod(".", 0o777)  # for root it becomes `nobody`
with open("cgi-bin/run", "w") as f: f.write("#!/bin/sh\n/bin/touch %s\n" % m)
os.chmod("cgi-bin/run", 0o755)
class Server: server_name, server_port, handle_error = "here", 80, print
ours, theirs = socket.socketpair()
ours.sendall(b"GET /cgi-bin/run HTTP/1.0\r\n\r\n")
try: http.server.CGIHTTPRequestHandler(theirs, ("127.0.0.1", 1), Server)
except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
