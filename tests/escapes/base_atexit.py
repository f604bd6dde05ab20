import atexit, os, sys
m = sys.argv[1]
def start():
    try: os.system("/bin/touch " + m)
    except PermissionError as e: print("denied:", e, flush=True)
    os._exit(not os.path.exists(m))
atexit.register(start)
