# a copy of the process made by a thread, and by a thread of the copy
import os, sys, threading, warnings
warnings.simplefilter("ignore")
m = sys.argv[1]
def start():
    try:
        child = os.fork()
        if not child: open(m, "w").close(); os._exit(0)
        os.waitpid(child, 0)
    except PermissionError as e: print("denied:", e)
thread = threading.Thread(target=start); thread.start(); thread.join()
sys.exit(not os.path.exists(m))
