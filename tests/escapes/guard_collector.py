# the collector at work during a denial, with callbacks and finalisers that act
import gc, os, sys
m = sys.argv[1]; depth = []
def start(*a):
    if len(depth) > 3: return
    depth.append(1)
    try: os.system("/bin/touch " + m)
    except PermissionError as e: last = e
    depth.pop()
class Cycle:
    def __init__(self): self.me = self
    def __del__(self): start()
gc.callbacks.append(start); gc.set_threshold(1)
for i in range(200): Cycle(); start()
gc.callbacks.clear(); sys.exit(not os.path.exists(m))
