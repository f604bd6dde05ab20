# a module that opens a browser when it is imported
import os, sys
m = sys.argv[1]
os.environ["BROWSER"] = "/bin/sh -c '/bin/touch %s' %%s" % m
try: import antigravity
except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
