# while another exception is on its way, in the arguments' own code, in a generator that is closed
import os, sys
m = sys.argv[1]; command = "/bin/touch " + m
def generator():
    try: yield
    finally: os.system(command)
class Context:
    def __enter__(self): return self
    def __exit__(self, *a): os.system(command); return True
class Index:
    def __index__(self): os.system(command); return 0
def way_with():
    with Context(): raise MemoryError
def way_generator(): g = generator(); next(g); g.close()
def way_index(): os.open(os.devnull, Index())
def way_finally():
    try: raise KeyboardInterrupt
    finally: os.system(command)
for way in way_with, way_generator, way_index, way_finally:
    try: way()
    except BaseException as e: print("denied:", type(e).__name__, e)
sys.exit(not os.path.exists(m))
