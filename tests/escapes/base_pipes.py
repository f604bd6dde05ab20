# a pipeline of programs between files
import os, sys, warnings
warnings.simplefilter("ignore")
m = sys.argv[1]
try: import pipes
except ImportError: print("there is no module pipes from 3.13 on"); sys.exit(77)
t = pipes.Template(); t.append("/bin/touch %s; cat" % m, "--")
try: t.copy("/dev/null", "/dev/null")
except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
