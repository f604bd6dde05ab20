# a script of one's own whose first line a thread rewrites
import os, sys, threading, time
m = sys.argv[1]; end = time.time() + float(os.environ.get("ESCAPE_SECONDS", "2"))
os.mkdir("bin")
def write(text):
    with open("bin/next", "w") as f: f.write(text)
    os.chmod("bin/next", 0o755); os.rename("bin/next", "bin/true")
def flip():
    while time.time() < end and not os.path.exists(m): write("#!/bin/true\n"); write("#!/bin/sh\n/bin/touch %s # bad\n" % m)
write("#!/bin/true\n")
thread = threading.Thread(target=flip); thread.start()
while time.time() < end and not os.path.exists(m):
    try: os.waitpid(os.posix_spawn("bin/true", ["true"], {}), 0)
    except OSError as e: last = e
thread.join(); sys.exit(not os.path.exists(m))
