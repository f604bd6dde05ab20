# an argument that the policy does not allow, written so that it may look like another
import os, subprocess, sys
m = sys.argv[1]
command = "touch %s # bad" % m
class Text(str):
    def __str__(self): return "true"
    __repr__ = __str__
for way in (lambda: subprocess.run(["/bin/sh", "-c", Text(command)]), lambda: subprocess.run(("/bin/sh", "-c", command.encode())),
            lambda: subprocess.run(Text(command), shell=True), lambda: os.system(Text(command)),
            lambda: os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", Text(command)], {}), 0), lambda: os.popen(Text(command)).close(),
            lambda: os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c"] + ["true"] * 0 + [command] + ["x" * 1000] * 100, {}), 0)):
    try: way()
    except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
