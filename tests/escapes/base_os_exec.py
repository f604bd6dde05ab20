# this process becomes another program, by each name that os has for it, and by a descriptor
import os, sys
m = sys.argv[1]
program = "/bin/sh", ["sh", "-c", "/bin/touch %s && test -e %s" % (m, m)]
for go in (lambda: os.execv(*program), lambda: os.execve(*program, {}), lambda: os.execvp("sh", program[1]),
           lambda: os.execvpe("sh", program[1], {}), lambda: os.execve(os.open("/bin/sh", os.O_RDONLY), program[1], {})):
    try: go()
    except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
