# a pool of processes, made by forking
import concurrent.futures, multiprocessing, os, sys
m = sys.argv[1]
try:
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool: pool.submit(open, m, "w").exception()
except (OSError, RuntimeError) as e: print("denied:", e)
sys.exit(not os.path.exists(m))
