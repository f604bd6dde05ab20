# the debugger does what it is told on its input
import bdb, io, os, pdb, sys
m = sys.argv[1]
try: pdb.Pdb(stdin=io.StringIO("!import os; os.system('/bin/touch %s')\nc\n" % m), stdout=io.StringIO(), nosigint=True).run("1")
except PermissionError as e: print("denied:", e)
except bdb.BdbQuit: pass
sys.exit(not os.path.exists(m))
