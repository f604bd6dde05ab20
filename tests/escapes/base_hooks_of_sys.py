# functions that the interpreter calls when something goes wrong
import os, sys, threading
m = sys.argv[1]
def start(*arguments):
    try: os.system("/bin/touch " + m)
    except PermissionError as e: print("denied:", e)
class Broken:
    def __del__(self): raise ValueError
def fail(): raise ValueError
sys.unraisablehook = start; Broken()
threading.excepthook = start; thread = threading.Thread(target=fail); thread.start(); thread.join()
sys.displayhook = start; exec(compile("1", "?", "single"))
sys.unraisablehook = sys.__unraisablehook__
sys.exit(not os.path.exists(m))
