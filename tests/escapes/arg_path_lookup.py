# an allowed program's bare name, and a PATH that finds another
import os, subprocess, sys
m = sys.argv[1]
os.mkdir("mine"); os.symlink("/bin/touch", "mine/true"); mine = os.path.abspath("mine")
for way in (lambda: subprocess.run(["true", m], env={"PATH": mine}), lambda: subprocess.run(["true", m], executable="true", env={"PATH": "mine"}),
            lambda: os.posix_spawnp("true", ["true", m], {"PATH": mine}), lambda: os.spawnvpe(os.P_WAIT, "true", ["true", m], {"PATH": mine})):
    try: way()
    except OSError as e: print("denied:", e)
os.environ["PATH"] = mine
for way in lambda: subprocess.run(["true", m]), lambda: os.waitpid(os.posix_spawnp("true", ["true", m], {}), 0), lambda: os.system("true " + m):
    try: way()
    except OSError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
