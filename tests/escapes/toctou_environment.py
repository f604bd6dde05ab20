# an environment that answers otherwise than what it stores
import os, subprocess, sys
m = sys.argv[1]
os.mkdir("mine"); os.symlink("/bin/touch", "mine/true"); mine = os.path.abspath("mine")
class Environment(dict):
    def get(self, name, other=None): return mine if name == "PATH" else other
for way in (lambda: os.spawnvpe(os.P_WAIT, "true", ["true", m], Environment(PATH="/bin")),
            lambda: subprocess.run(["true", m], env=Environment(PATH="/bin"), start_new_session=True)):
    try: way()
    except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
