# the function that multiprocessing starts its helpers with
import multiprocessing.util, os, sys
m = sys.argv[1]
os.waitpid(multiprocessing.util.spawnv_passfds(b"/bin/touch", [b"touch", os.fsencode(m)], ()), 0)
sys.exit(not os.path.exists(m))
