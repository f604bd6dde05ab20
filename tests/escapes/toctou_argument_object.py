# an argument whose path is another at each asking
import os, subprocess, sys
m = sys.argv[1]
class P:
    n = 0
    def __fspath__(self):
        self.n += 1; return "true" if self.n == 1 else "touch %s # bad" % m
def spawn(argument): os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", argument], {}), 0)
for start in spawn, lambda a: subprocess.run(["/bin/sh", "-c", a], start_new_session=True):
    argument = P()
    for i in range(3):
        try: start(argument)
        except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
