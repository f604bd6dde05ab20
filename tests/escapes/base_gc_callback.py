import gc, os, sys
m = sys.argv[1]
def start(*arguments):
    try: os.system("/bin/touch " + m)
    except PermissionError as e: print("denied:", e)
gc.callbacks.append(start)
gc.collect()
gc.callbacks.clear()
sys.exit(not os.path.exists(m))
