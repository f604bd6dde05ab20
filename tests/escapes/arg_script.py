# a file of one's own that names an allowed program, or its interpreter, in its first line
import os, subprocess, sys
m = sys.argv[1]
os.mkdir("bin")
with open("bin/true", "w") as f: f.write("#!/bin/sh\n/bin/touch %s # bad\n" % m)
os.chmod("bin/true", 0o755)
for way in (lambda: subprocess.run(["bin/true"]), lambda: subprocess.run(["/bin/true"], executable=os.path.abspath("bin/true")),
            lambda: os.waitpid(os.posix_spawn(os.path.abspath("bin/true"), ["/bin/true"], {}), 0), lambda: os.spawnv(os.P_WAIT, "bin/true", ["/bin/true"])):
    try: way()
    except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
