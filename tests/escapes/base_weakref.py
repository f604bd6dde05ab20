# when an object goes: a callback of a weak reference, weakref.finalize
import os, sys, weakref
m = sys.argv[1]
class Thing: pass
def start(*arguments):
    try: os.system("/bin/touch " + m)
    except PermissionError as e: print("denied:", e)
thing = Thing(); reference = weakref.ref(thing, start); weakref.finalize(thing, start); del thing
sys.exit(not os.path.exists(m))
