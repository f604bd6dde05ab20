import os, signal, sys
m = sys.argv[1]
def start(*arguments):
    try: os.system("/bin/touch " + m)
    except PermissionError as e: print("denied:", e)
signal.signal(signal.SIGALRM, start)
os.kill(os.getpid(), signal.SIGALRM)
sys.exit(not os.path.exists(m))
