# subprocess makes bytes of its names with a function that can be replaced
import os, subprocess, sys
m = sys.argv[1]
os.mkdir("mine"); os.symlink("/bin/touch", "mine/true"); mine = os.path.abspath("mine").encode(); encode = os.fsencode
os.environ["PATH"] = "/bin"
os.fsencode = lambda name: mine if encode(name) == b"/bin" else encode(name)
try: subprocess.run(["true", m], start_new_session=True)
except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
